"""The same POST again, with the same Idempotency-Key: the first answer, one change."""

from datetime import timedelta

import pytest
from django.conf import settings
from django.db.models import F
from django.middleware.csrf import get_token
from django.test import Client, RequestFactory
from rest_framework.test import APIClient

from attendance.models import AttendanceRecord, ClassSession, IdempotentRequest
from attendance.services.idempotency import FORGOTTEN_AT_ONCE
from tests.cast import (
    API,
    PASSWORD,
    assert_refused,
    client_for,
    course_path,
    enroll,
    make_session,
    messages_of,
    qr_token_of,
    session_of,
    session_path,
    wrong_code,
)

pytestmark = pytest.mark.django_db
CODE = f"{API}/check-ins/code/"
SESSIONS = f"{API}/class-sessions/"


def post(client, path, body=None, key="a-key", **headers):
    return client.post(path, body, HTTP_IDEMPOTENCY_KEY=key, **headers)


def grow_old(age):
    """As if all keys had been sent that much earlier."""
    IdempotentRequest.objects.update(created_at=F("created_at") - age)


def assert_replayed(again, first):
    assert (again.status_code, again.content) == (first.status_code, first.content)
    assert again["Content-Type"] == first["Content-Type"] == "application/json"
    assert again["Idempotent-Replayed"] == "true"
    assert "Idempotent-Replayed" not in first


# The same again -------------------------------------------------------------------


def test_a_check_in_by_code_is_201_again(class_session, student_client, teacher_client):
    body = {"verification_code": class_session.verification_code}
    first = post(student_client, CODE, body)
    assert first.status_code == 201
    assert_replayed(post(student_client, CODE, body), first)
    assert student_client.post(CODE, body).status_code == 200
    assert session_of(teacher_client, class_session)["revision"] == 2


def test_a_class_session_is_created_once(course, teacher_client):
    body = {"course_id": course.pk, "open": True}
    first = post(teacher_client, SESSIONS, body)
    assert first.status_code == 201
    assert_replayed(post(teacher_client, SESSIONS, body), first)
    assert ClassSession.objects.get().pk == first.json()["id"]


def test_an_override_is_not_made_again_over_a_later_one(
    class_session, student, teacher_client
):
    path = session_path(class_session, "override/")
    body = {"student_id": student.pk, "status": "absent", "reason": "not seen"}
    first = post(teacher_client, path, body)
    assert first.json()["attendance_status"] == "absent"
    teacher_client.post(path, {**body, "status": "excused"})
    assert_replayed(post(teacher_client, path, body), first)
    assert AttendanceRecord.objects.get().status == "excused"


@pytest.mark.parametrize(
    ("action", "body", "status"),
    [
        ("bulk/", {"operation": "mark_present", "reason": "all here"}, 200),
        ("rotate-code/", None, 200),
        ("qr", None, 201),
        ("enrollments/", None, 201),
        ("teachers/", None, 201),
        ("courses/", {"name": "New"}, 201),
    ],
)
def test_every_other_change_is_made_once(
    action, body, status, class_session, student, outsider, teacher_client
):
    """Each of these answers otherwise when it is done a second time."""
    client, path = teacher_client, session_path(class_session, action)
    if action == "qr":
        client, path = client_for(student), f"{API}/check-ins/qr/"
        body = {"token": qr_token_of(teacher_client, class_session)}
    elif action == "enrollments/":
        path = course_path(class_session.course, action)
        body = {"student_id": outsider.pk}
    elif action == "teachers/":
        path = course_path(class_session.course, action)
        body = {"user_id": outsider.pk, "role": "co_teacher"}
    elif action == "courses/":
        path = f"{API}/{action}"
    first = post(client, path, body)
    assert first.status_code == status
    messages = messages_of(teacher_client, class_session)
    assert_replayed(post(client, path, body), first)
    assert messages_of(teacher_client, class_session) == messages
    unkeyed = client.post(path, body)
    assert (unkeyed.status_code, unkeyed.content) != (status, first.content)


def test_what_is_published_is_published_once(
    class_session, student_client, django_capture_on_commit_callbacks
):
    body = {"verification_code": class_session.verification_code}
    with django_capture_on_commit_callbacks() as published:
        post(student_client, CODE, body)
    assert len(published) == 1
    with django_capture_on_commit_callbacks() as published:
        post(student_client, CODE, body)
    assert not published


def test_every_post_but_log_in_documents_the_key():
    document = Client().get("/api/schema/?format=json").json()
    with_key = {
        (method, path)
        for path, operations in document["paths"].items()
        for method, operation in operations.items()
        if "Idempotency-Key" in {p["name"] for p in operation.get("parameters", ())}
    }
    posts = {("post", p) for p, o in document["paths"].items() if "post" in o}
    assert with_key == posts - {("post", f"{API}/auth/token/")}
    answer = document["paths"][CODE]["post"]["responses"]["201"]
    assert "Idempotent-Replayed" in answer["headers"]


def test_it_works_with_the_cookie_too(class_session, student):
    """There the body is read once before the view: in search of a CSRF token."""
    browser = APIClient(enforce_csrf_checks=True)
    browser.force_login(student)
    request = RequestFactory().get("/")
    token = get_token(request)
    browser.cookies[settings.CSRF_COOKIE_NAME] = request.META["CSRF_COOKIE"]
    body = {"verification_code": class_session.verification_code}
    first = post(browser, CODE, body, HTTP_X_CSRFTOKEN=token)
    assert first.status_code == 201
    assert_replayed(post(browser, CODE, body, HTTP_X_CSRFTOKEN=token), first)


# Refusals -------------------------------------------------------------------------


def test_a_refusal_is_an_answer_too(course, class_session, outsider):
    client = client_for(outsider)
    body = {"verification_code": class_session.verification_code}
    first = post(client, CODE, body)
    assert_refused(first, 403, "not_enrolled")
    enroll(course, outsider)
    assert_replayed(post(client, CODE, body), first)
    assert post(client, CODE, body, key="another").status_code == 201


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        ({"course_id": 0}, 404, "not_found"),
        ({"course_id": "x"}, 400, "invalid"),
        ("[", 400, "parse_error"),
    ],
)
def test_input_that_is_refused_is_refused_again(body, status, code, teacher_client):
    sent = {"content_type": "application/json"} if body == "[" else {}
    first = post(teacher_client, SESSIONS, body, **sent)
    assert_refused(first, status, code)
    assert_replayed(post(teacher_client, SESSIONS, body, **sent), first)


def test_a_conflict_shows_the_record_as_it_was(class_session, student, teacher_client):
    path = session_path(class_session, "override/")
    body = {"student_id": student.pk, "status": "late", "reason": "r", "version": 3}
    first = post(teacher_client, path, body)
    assert (first.status_code, first.json()["record"]["version"]) == (409, 0)
    teacher_client.post(path, {**body, "version": 0})
    assert_replayed(post(teacher_client, path, body), first)


def test_guesses_use_up_the_budget_with_keys_as_without(class_session, student_client):
    wrong = {"verification_code": wrong_code(class_session)}
    right = {"verification_code": class_session.verification_code}
    for n in range(10):
        answer = post(student_client, CODE, wrong, key=f"guess {n}")
        assert_refused(answer, 404, "invalid_code")
    for key, body in (("guess 10", wrong), ("right", right)):
        answer = post(student_client, CODE, body, key=key)
        assert_refused(answer, 429, "too_many_attempts")
        assert 590 <= int(answer["Retry-After"]) <= 600


def test_one_guess_sent_ten_times_is_one_guess(class_session, student_client):
    wrong = {"verification_code": wrong_code(class_session)}
    right = {"verification_code": class_session.verification_code}
    for _ in range(10):
        assert post(student_client, CODE, wrong).status_code == 404
    assert student_client.post(CODE, right).status_code == 201


def test_who_had_to_wait_may_try_the_same_key_again(
    class_session, student, student_client
):
    wrong = {"verification_code": wrong_code(class_session)}
    right = {"verification_code": class_session.verification_code}
    for _ in range(10):
        student_client.post(CODE, wrong)
    assert_refused(post(student_client, CODE, right), 429, "too_many_attempts")
    student.failed_check_ins.update(at=F("at") - timedelta(minutes=10))
    assert post(student_client, CODE, right).status_code == 201


def test_a_fault_undoes_all_and_leaves_the_key_free(
    class_session, student_client, teacher_client, monkeypatch
):
    """The fault comes after the check-in: without a key that would have stood."""

    def fail(*args, **kwargs):
        raise RuntimeError("on purpose")

    body = {"verification_code": class_session.verification_code}
    student_client.raise_request_exception = False
    with monkeypatch.context() as patch:
        patch.setattr("attendance.api.attendance.check_in_message", fail)
        assert post(student_client, CODE, body).status_code == 500
    assert session_of(teacher_client, class_session)["revision"] == 1
    assert post(student_client, CODE, body).status_code == 201


def test_who_is_not_logged_in_uses_up_no_key(class_session, student, student_client):
    body = {"verification_code": class_session.verification_code}
    assert_refused(post(APIClient(), CODE, body), 401, "not_authenticated")
    browser = APIClient(enforce_csrf_checks=True)
    browser.force_login(student)
    assert_refused(post(browser, CODE, body), 403, "csrf_failed")
    assert post(student_client, CODE, body).status_code == 201


# Another request ------------------------------------------------------------------


def test_another_request_with_the_key_is_refused(course, teacher_client):
    body = {"course_id": course.pk, "title": "One"}
    post(teacher_client, SESSIONS, body)
    for path, other in (
        (SESSIONS, {**body, "title": "Two"}),
        (f"{SESSIONS}?again=1", body),
        (course_path(course, "enrollments/"), body),
        (SESSIONS, None),
    ):
        answer = post(teacher_client, path, other)
        assert_refused(answer, 422, "idempotency_key_reused")
        assert "Idempotent-Replayed" not in answer
    assert ClassSession.objects.get().title == "One"


def test_keys_are_per_person(course, teacher_client, co_teacher):
    body = {"course_id": course.pk}
    first = post(teacher_client, SESSIONS, body)
    other = post(client_for(co_teacher), SESSIONS, body)
    assert other.status_code == 201
    assert other.json()["id"] != first.json()["id"]


def test_another_token_of_the_same_person_is_the_same_person(course, teacher):
    body = {"course_id": course.pk}
    first = post(client_for(teacher), SESSIONS, body)
    assert_replayed(post(client_for(teacher), SESSIONS, body), first)


def test_upper_and_lower_case_are_different_keys(course, teacher_client):
    body = {"course_id": course.pk}
    for key in ("key", "KEY"):
        assert post(teacher_client, SESSIONS, body, key=key).status_code == 201
    assert ClassSession.objects.count() == 2


# A day later ----------------------------------------------------------------------


def test_a_day_later_it_is_a_new_request(course, teacher_client):
    body = {"course_id": course.pk}
    first = post(teacher_client, SESSIONS, body)
    grow_old(timedelta(hours=23, minutes=59))
    assert_replayed(post(teacher_client, SESSIONS, body), first)
    grow_old(timedelta(minutes=1))
    again = post(teacher_client, SESSIONS, body)
    assert again.status_code == 201
    assert again.json()["id"] != first.json()["id"]
    other = post(teacher_client, SESSIONS, {**body, "title": "Other"})
    assert_refused(other, 422, "idempotency_key_reused")


def test_old_answers_are_cleared_away(course, teacher_client):
    for n in range(3):
        post(teacher_client, SESSIONS, {"course_id": course.pk}, key=f"old {n}")
    grow_old(timedelta(hours=24))
    post(teacher_client, SESSIONS, {"course_id": course.pk}, key="new")
    assert [request.key for request in IdempotentRequest.objects.all()] == ["new"]


def test_an_old_key_is_new_again_behind_many_older_ones(
    course, teacher, teacher_client
):
    body = {"course_id": course.pk}
    first = post(teacher_client, SESSIONS, body)
    request = IdempotentRequest.objects.get()
    IdempotentRequest.objects.bulk_create(
        IdempotentRequest(
            user=teacher,
            key=f"older {n}",
            fingerprint=request.fingerprint,
            created_at=request.created_at - timedelta(hours=1),
        )
        for n in range(FORGOTTEN_AT_ONCE + 1)
    )
    grow_old(timedelta(hours=24))
    assert post(teacher_client, SESSIONS, body).json()["id"] != first.json()["id"]
    assert IdempotentRequest.objects.count() == 2


# Keys that are none, and none at all ----------------------------------------------


@pytest.mark.parametrize(
    "key", ["", " ", "\t", "k" * 256, "schlüssel", "a\tb", "a\x7f", "a\x00b", "\xa0"]
)
def test_a_malformed_key_is_refused(key, course, teacher_client):
    answer = post(teacher_client, SESSIONS, {"course_id": course.pk}, key=key)
    assert_refused(answer, 400, "invalid")
    assert "Idempotency-Key" in answer.json()["detail"]
    assert not ClassSession.objects.exists()


@pytest.mark.parametrize("key", ["k", "k" * 255, '"8e03978e-40d5"', "a b,c;d~"])
def test_any_other_key_will_do(key, course, teacher_client):
    body = {"course_id": course.pk}
    first = post(teacher_client, SESSIONS, body, key=key)
    assert first.status_code == 201
    assert_replayed(post(teacher_client, SESSIONS, body, key=f" {key} "), first)


def test_without_a_key_each_request_is_its_own(course, teacher_client):
    for _ in range(2):
        body = {"course_id": course.pk}
        assert teacher_client.post(SESSIONS, body).status_code == 201
    assert ClassSession.objects.count() == 2
    assert not IdempotentRequest.objects.exists()


def test_other_methods_do_not_know_it(course, teacher_client):
    for title in ("One", "Two"):
        answer = teacher_client.patch(
            course_path(course), {"name": title}, HTTP_IDEMPOTENCY_KEY="a-key"
        )
        assert answer.json()["name"] == title
    for answer in (
        teacher_client.get(course_path(course), HTTP_IDEMPOTENCY_KEY=""),
        teacher_client.get(course_path(course), HTTP_IDEMPOTENCY_KEY="a-key"),
    ):
        assert answer.status_code == 200
    assert_refused(post(teacher_client, course_path(course)), 405, "method_not_allowed")


def test_logging_in_is_never_repeated_from_memory(student):
    body = {"username": student.username, "password": PASSWORD}
    first, again = (post(APIClient(), f"{API}/auth/token/", body) for _ in range(2))
    assert first.status_code == again.status_code == 200
    assert first.json()["token"] != again.json()["token"]


def test_each_class_session_has_its_own_path(course, teacher_client):
    one, other = make_session(course), make_session(course)
    post(teacher_client, session_path(one, "close/"))
    answer = post(teacher_client, session_path(other, "close/"))
    assert_refused(answer, 422, "idempotency_key_reused")
    assert session_of(teacher_client, other)["state"] == "open"
