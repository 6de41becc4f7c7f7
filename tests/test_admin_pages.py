"""The admin as a whole: every page opens, within a fixed number of queries."""

from __future__ import annotations

import re
from typing import Any

import pytest
from django.contrib import admin as django_admin
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone
from knox.models import AuthToken

from attendance.models import (
    AttendanceEvent,
    ClassSession,
    Course,
    FailedCheckIn,
    LogInAttempt,
    User,
)
from attendance.services.class_sessions import close_class_session
from attendance.services.marking import mark_in_bulk

from .cast import (
    PASSWORD,
    client_for,
    make_course,
    make_session,
    make_students,
    make_user,
)

MODELS = [
    *["user", "course", "enrollment", "classsession", "attendancerecord"],
    *["attendanceevent", "failedcheckin", "loginattempt"],
]


@pytest.fixture
def admin_page(admin: User) -> Client:
    client = Client()
    client.force_login(admin)
    return client


@pytest.fixture
def everything(class_session: ClassSession, teacher: User, student: User) -> None:
    """At least one row of each model."""
    grow(class_session.course, teacher)
    FailedCheckIn.objects.create(student=student, at=timezone.now())
    LogInAttempt.objects.create(key="0" * 64, at=timezone.now())
    AuthToken.objects.create(user=student)


def grow(course: Course, teacher: User, number: int = 1) -> None:
    """Some more of everything."""
    prefix = f"more{Course.objects.count():03}x"
    make_students(course, number, prefix)
    for index in range(number):
        another = make_course(teacher, f"{prefix} {index}")
        make_students(another, 1, f"{prefix}{index}y")
        session = make_session(another)
        mark_in_bulk(
            class_session=session, actor=teacher, operation="mark_late", reason="Fog."
        )
        close_class_session(class_session=session, actor=teacher)


def test_everything_is_registered() -> None:
    registered = {model._meta.label for model in django_admin.site._registry}
    assert {
        "attendance.User",
        "attendance.Course",
        "attendance.Enrollment",
        "attendance.ClassSession",
        "attendance.AttendanceRecord",
        "attendance.AttendanceEvent",
        "attendance.FailedCheckIn",
        "attendance.LogInAttempt",
        "knox.AuthToken",
    } <= registered


@pytest.mark.parametrize("name", [*MODELS, "authtoken"])
def test_every_page_opens(admin_page: Client, everything: None, name: str) -> None:
    app = "knox" if name == "authtoken" else "attendance"
    url = reverse(f"admin:{app}_{name}_changelist")
    page = admin_page.get(url)
    assert page.status_code == 200
    assert "Attendance administration" in page.content.decode()
    assert admin_page.get(url, {"q": "a b"}).status_code == 200
    model = page.context["cl"].model
    for row in model._default_manager.all()[:5]:
        change = reverse(f"admin:{app}_{name}_change", args=[row.pk])
        assert admin_page.get(change).status_code == 200
        for part in ("history/", "delete/"):
            answer = admin_page.get(change.replace("change/", part))
            assert answer.status_code in (200, 403)
    add = admin_page.get(reverse(f"admin:{app}_{name}_add"))
    assert add.status_code == (200 if page.context["has_add_permission"] else 403)


@pytest.mark.parametrize("name", MODELS)
def test_a_list_costs_the_same_number_of_queries_however_long_it_is(
    admin_page: Client, everything: None, teacher: User, course: Course, name: str
) -> None:
    url = reverse(f"admin:attendance_{name}_changelist")

    def queries() -> int:
        with CaptureQueriesContext(connection) as captured:
            assert admin_page.get(url).status_code == 200
        return len(captured)

    few = queries()
    grow(course, teacher, 6)
    assert queries() == few <= 9


def test_nothing_in_a_page_is_barred_by_the_content_security_policy(
    admin_page: Client, everything: None, course: Course
) -> None:
    record = course.class_sessions.get().course.class_sessions.get().pk
    for url in (
        *("/admin/", "/admin/attendance/attendancerecord/", "/admin/knox/authtoken/"),
        f"/admin/attendance/course/{course.pk}/change/",
        f"/admin/attendance/classsession/{record}/change/",
    ):
        page = admin_page.get(url)
        assert "default-src 'self'" in page["Content-Security-Policy"]
        html = page.content.decode()
        assert not re.search(r"<script(?![^>]*\bsrc=)(?![^>]*json)", html)
        assert not re.search(r"<[^>]* (style|on[a-z]+)=", html)


def test_events_cannot_be_changed_in_any_way(
    admin_page: Client, class_session: ClassSession
) -> None:
    event = class_session.events.get()
    base = "/admin/attendance/attendanceevent/"
    page = admin_page.get(f"{base}{event.pk}/change/")
    assert b"_save" not in page.content
    assert "&quot;event&quot;: &quot;opened&quot;" in page.content.decode()
    for path in ("add/", f"{event.pk}/change/", f"{event.pk}/delete/"):
        assert admin_page.post(f"{base}{path}", {"post": "yes"}).status_code == 403
    admin_page.post(
        base,
        {"action": "delete_selected", "_selected_action": [event.pk], "post": "yes"},
    )
    assert list(AttendanceEvent.objects.values()) == [
        {**AttendanceEvent.objects.filter(pk=event.pk).values()[0]}
    ]


def test_the_history_of_a_record_links_to_its_events(
    admin_page: Client, everything: None
) -> None:
    event = AttendanceEvent.objects.filter(type="attendance_update").latest("pk")
    page = admin_page.get(
        "/admin/attendance/attendanceevent/",
        {
            "class_session__id__exact": event.class_session_id,
            "revision__exact": event.revision,
        },
    )
    assert page.status_code == 200
    assert [row.pk for row in page.context["cl"].result_list] == [event.pk]


def test_guessing_passwords_here_is_bounded_too(admin: User) -> None:
    client = Client()
    sent = {"username": admin.username, "password": "wrong"}
    for _ in range(10):
        page = client.post("/admin/login/", sent)
        assert "Please enter the correct username" in page.content.decode()
    sent["password"] = PASSWORD
    page = client.post("/admin/login/", sent)
    assert page.status_code == 429
    assert 1 <= int(page["Retry-After"]) <= 60
    assert "Too many log-in attempts" in page.content.decode()
    # The page itself is not withheld, nor a page with something else amiss.
    assert client.get("/admin/login/").status_code == 200
    assert client.post("/admin/login/", {"username": "x"}).status_code == 200


def test_who_is_no_administrator_is_told_so(student: User) -> None:
    sent = {"username": student.username, "password": PASSWORD}
    page = Client().post("/admin/login/", sent)
    assert page.status_code == 200
    assert "for a staff account" in page.content.decode()


def test_an_administrator_logs_in(admin: User) -> None:
    sent = {"username": admin.username, "password": PASSWORD}
    page = Client().post("/admin/login/?next=/admin/", sent)
    assert (page.status_code, page["Location"]) == (302, "/admin/")


def test_people_have_one_name(admin_page: Client) -> None:
    page = admin_page.post(
        "/admin/attendance/user/add/",
        {
            "username": "newcomer",
            "name": "Nora Newcomer",
            "email": "",
            "usable_password": "true",
            "password1": "a passphrase of some length",
            "password2": "a passphrase of some length",
        },
    )
    assert page.status_code == 302
    user = User.objects.get(username="newcomer")
    assert (user.name, user.check_password("a passphrase of some length")) == (
        *("Nora Newcomer", True),
    )
    html = admin_page.get(f"/admin/attendance/user/{user.pk}/change/").content.decode()
    assert 'name="name"' in html and "first_name" not in html


def test_somebody_with_a_history_cannot_be_deleted(
    admin_page: Client, everything: None, student: User
) -> None:
    url = f"/admin/attendance/user/{student.pk}/delete/"
    assert admin_page.post(url, {"post": "yes"}).status_code in (200, 403)
    nobody = make_user("nobody", "Nobody")
    url = f"/admin/attendance/user/{nobody.pk}/delete/"
    assert admin_page.post(url, {"post": "yes"}).status_code == 302
    assert User.objects.filter(pk=student.pk).exists()
    assert not User.objects.filter(pk=nobody.pk).exists()


def test_failed_attempts_can_be_deleted_to_let_somebody_in(
    admin_page: Client, everything: None
) -> None:
    attempt = FailedCheckIn.objects.get()
    base = f"/admin/attendance/failedcheckin/{attempt.pk}"
    assert admin_page.post(f"{base}/change/", {}).status_code == 403
    assert admin_page.post(f"{base}/delete/", {"post": "yes"}).status_code == 302
    assert not FailedCheckIn.objects.exists()


def test_of_a_token_only_the_expiry_can_be_changed(
    admin_page: Client, student: User, teacher: User
) -> None:
    stored, token = AuthToken.objects.create(user=student)
    url = reverse("admin:knox_authtoken_change", args=[stored.pk])
    html = admin_page.get(url).content.decode()
    assert token not in html
    sent: dict[str, Any] = {
        "expiry_0": "2030-01-01",
        "expiry_1": "00:00:00",
        "digest": "f" * 128,
        "token_key": "f",
        "user": teacher.pk,
    }
    assert admin_page.post(url, sent).status_code == 302
    (kept,) = AuthToken.objects.filter(user=student)
    assert (kept.digest, kept.token_key) == (stored.digest, stored.token_key)
    assert kept.expiry is not None and kept.expiry.year == 2030


def test_a_new_token_is_shown_once(admin_page: Client, student: User) -> None:
    page = admin_page.post(
        "/admin/knox/authtoken/add/",
        {"user": student.pk, "expiry_0": "", "expiry_1": ""},
        follow=True,
    )
    found = re.search(r"TOKEN ([0-9a-f]{64})", page.content.decode())
    assert found is not None
    answer = Client().get(
        "/api/v1/courses/", headers={"Authorization": f"Bearer {found[1]}"}
    )
    assert answer.status_code == 200


def test_a_new_password_revokes_the_api_tokens(
    admin_page: Client, student: User, student2: User
) -> None:
    client, another = client_for(student), client_for(student2)
    new = "a passphrase of some length"
    path = f"/admin/attendance/user/{student.pk}/password/"
    # Without the button that says so, this is taken for a slip.
    page = admin_page.post(path, {"usable_password": "false"}, follow=True)
    assert "have been revoked" not in page.content.decode()
    assert client.get("/api/v1/attendance/").status_code == 200
    page = admin_page.post(
        path,
        {"usable_password": "true", "password1": new, "password2": new},
        follow=True,
    )
    assert "API tokens have been revoked" in page.content.decode()
    assert client.get("/api/v1/attendance/").status_code == 401
    assert another.get("/api/v1/attendance/").status_code == 200


@pytest.mark.parametrize(
    "path",
    [
        "classsession/?status__exact=%00",
        "classsession/?q=a%00b",
        "classsession/add/?course=%00",
        "classsession/?%00=1",
        "course/?time_zone=%00",
    ],
)
def test_a_nul_in_a_query_is_refused(admin_page: Client, path: str) -> None:
    assert admin_page.get(f"/admin/attendance/{path}").status_code == 400


def test_a_nul_in_an_autocomplete_term_is_refused(admin_page: Client) -> None:
    fields = "app_label=attendance&model_name=enrollment&field_name=student"
    page = admin_page.get(f"/admin/autocomplete/?{fields}&term=%00")
    assert page.status_code == 400


@pytest.mark.parametrize("year", ["9" * 20, "0", "-1", "10000", "x"])
@pytest.mark.parametrize(
    "path",
    [
        "attendance/classsession/?starts_at__year=",
        "attendance/enrollment/?enrolled_at__year=",
        "attendance/attendanceevent/?at__year=",
        "attendance/failedcheckin/?at__year=",
        "attendance/user/?date_joined__year=",
        "knox/authtoken/?expiry__year=",
    ],
)
def test_a_year_that_is_none(admin_page: Client, path: str, year: str) -> None:
    page = admin_page.get(f"/admin/{path}{year}", follow=True)
    assert page.status_code == 200


def test_an_administrators_own_new_password_revokes_the_api_tokens(
    admin: User, admin_page: Client
) -> None:
    client, new = client_for(admin), "a passphrase of some length"
    sent = {"old_password": "wrong", "new_password1": new, "new_password2": new}
    assert admin_page.post("/admin/password_change/", sent).status_code == 200
    assert client.get("/api/v1/attendance/").status_code == 200
    sent["old_password"] = PASSWORD
    assert admin_page.post("/admin/password_change/", sent).status_code == 302
    assert client.get("/api/v1/attendance/").status_code == 401
