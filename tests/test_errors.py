"""Whatever is wrong with a request, the answer is JSON with a code and a sentence."""

import json

import pytest
from django.conf import settings
from django.middleware.csrf import get_token
from django.test import Client, RequestFactory
from rest_framework.test import APIClient

from tests.cast import API, assert_refused, client_for, course_path, raw, session_path

pytestmark = pytest.mark.django_db
COURSES = f"{API}/courses/"
CODE = f"{API}/check-ins/code/"


# 401, 403 -------------------------------------------------------------------------


@pytest.mark.parametrize("path", [COURSES, f"{API}/attendance/", CODE])
def test_nobody_in_particular(path, db):
    client = APIClient()
    method = client.post if path == CODE else client.get
    answer = method(path)
    assert_refused(answer, 401, "not_authenticated")
    assert answer["WWW-Authenticate"] == "Bearer"


@pytest.mark.parametrize(
    "header",
    [
        "",
        " ",
        "Bearer",
        "Bearer ",
        "Bearer a b",
        "Bearer \x00",
        "Bearer \xff\xfe",
        "Bearer \xed\xa0\x80",
        "bearer ä",
        "Basic c3R1ZGVudDpwYXNzd29yZA==",
        "Token abc",
        "Bearer " + "x" * 100_000,
        "\xa0",
        "Bearer\tabc",
        ",",
    ],
)
def test_an_authorization_header_that_is_none(header, db):
    client = APIClient()
    for answer in (
        client.get(COURSES, HTTP_AUTHORIZATION=header),
        client.post(CODE, {"verification_code": "1"}, HTTP_AUTHORIZATION=header),
        client.delete(f"{API}/auth/token/", HTTP_AUTHORIZATION=header),
    ):
        assert_refused(answer, 401, "not_authenticated")


def test_a_bad_token_is_not_made_good_by_a_cookie(student):
    client = APIClient()
    client.force_login(student)
    assert client.get(COURSES).status_code == 200
    answer = client.get(COURSES, HTTP_AUTHORIZATION="Bearer bad")
    assert_refused(answer, 401, "not_authenticated")


def test_a_cookie_of_a_deactivated_person(student):
    client = APIClient()
    client.force_login(student)
    student.is_active = False
    student.save()
    assert_refused(client.get(COURSES), 401, "not_authenticated")


def test_a_forged_cookie(db):
    client = APIClient()
    client.cookies[settings.SESSION_COOKIE_NAME] = "forged\x00ÿ"
    assert_refused(client.get(COURSES), 401, "not_authenticated")


def test_permission_denied(course, student_client):
    answer = student_client.patch(course_path(course), {"name": "Mine"})
    assert_refused(answer, 403, "permission_denied")


# CSRF -----------------------------------------------------------------------------


@pytest.fixture
def browser(student):
    client = Client(enforce_csrf_checks=True)
    client.force_login(student)
    return client


def test_with_the_cookie_a_change_needs_the_csrf_token(browser, class_session):
    body = json.dumps({"verification_code": class_session.verification_code})
    assert_refused(raw(browser, CODE, body), 403, "csrf_failed")
    answer = raw(browser, CODE, body, HTTP_X_CSRFTOKEN="x" * 32)
    assert_refused(answer, 403, "csrf_failed")
    request = RequestFactory().get("/")
    token = get_token(request)
    browser.cookies[settings.CSRF_COOKIE_NAME] = request.META["CSRF_COOKIE"]
    assert_refused(raw(browser, CODE, body), 403, "csrf_failed")
    assert raw(browser, CODE, body, HTTP_X_CSRFTOKEN=token).status_code == 201


def test_a_form_of_another_site_is_refused(browser, class_session):
    for content_type in ("text/plain", "application/x-www-form-urlencoded"):
        answer = raw(browser, CODE, "verification_code=1", content_type)
        assert_refused(answer, 403, "csrf_failed")
    answer = browser.post(CODE, {"verification_code": "1"})
    assert_refused(answer, 403, "csrf_failed")


def test_reading_needs_none_and_neither_does_a_token(browser, class_session, student):
    assert browser.get(COURSES).status_code == 200
    client = APIClient(enforce_csrf_checks=True)
    client.credentials(**client_for(student)._credentials)
    body = {"verification_code": class_session.verification_code}
    assert client.post(CODE, body).status_code == 201


# 404 ------------------------------------------------------------------------------

UNKNOWN = [
    "/api/",
    "/api/v1",
    "/api/v1/",
    "/api/v2/courses/",
    "/api/v1/courses",
    "/api/v1/class-sessions",
    "/api/v1/check-ins/code",
    "/api/v1/check-ins/",
    "/api/v1/courses/1",
    "/api/v1/courses/x/",
    "/api/v1/courses/-1/",
    "/api/v1/courses/1.0/",
    "/api/v1/courses/%D9%A1/",
    "/api/v1/courses/1%00/",
    "/api/v1/courses/1%0A/",
    "/api/v1/courses/99999999999999999999/",
    "/api/v1/class-sessions/1/no-such-thing/",
    "/api/v1//courses/",
    "/api/v1/%FF%FE/",
    "/api/v1/../../etc/passwd",
    "/api/" + "x" * 5000,
]


@pytest.mark.parametrize("debug", [True, False])
@pytest.mark.parametrize("path", UNKNOWN)
def test_an_unknown_path(path, debug, settings, db):
    settings.DEBUG = debug
    client = Client()
    for method in ("get", "post", "put", "patch", "delete"):
        assert_refused(getattr(client, method)(path), 404, "not_found")


@pytest.mark.parametrize("debug", [True, False])
def test_an_unknown_path_of_who_is_logged_in(debug, settings, browser):
    settings.DEBUG = debug
    assert_refused(browser.get("/api/v1/nothing/"), 404, "not_found")
    assert_refused(browser.post("/api/v1/nothing/"), 404, "not_found")


@pytest.mark.parametrize("debug", [True, False])
def test_an_unknown_id(debug, settings, teacher_client):
    settings.DEBUG = debug
    for number in ("0", "999999999", "9" * 18):
        for path in (f"courses/{number}/", f"class-sessions/{number}/roster/"):
            assert_refused(teacher_client.get(f"{API}/{path}"), 404, "not_found")


# 405 ------------------------------------------------------------------------------


def test_a_method_that_is_not_there(class_session, course, teacher_client):
    for method, path in [
        ("put", COURSES),
        ("delete", course_path(course)),
        ("put", course_path(course)),
        ("patch", course_path(course, "enrollments/")),
        ("get", CODE),
        ("put", CODE),
        ("get", session_path(class_session, "open/")),
        ("delete", session_path(class_session)),
        ("post", session_path(class_session, "roster/")),
        ("post", f"{API}/attendance/"),
        ("get", f"{API}/auth/token/"),
        ("options", COURSES),
        ("options", CODE),
        ("options", session_path(class_session)),
        ("options", f"{API}/auth/token/"),
        ("trace", COURSES),
    ]:
        answer = getattr(teacher_client, method)(path)
        assert_refused(answer, 405, "method_not_allowed")
        assert answer["Allow"]


def test_a_method_that_nobody_knows(teacher_client):
    answer = teacher_client.generic("BREW", COURSES)
    assert_refused(answer, 405, "method_not_allowed")


def test_the_head_of_what_can_be_read(teacher_client):
    assert teacher_client.head(COURSES).status_code == 200


@pytest.mark.parametrize("path", ["/api/schema/", "/api/docs/"])
def test_the_documentation_is_read_only(path, db):
    client = Client()
    assert client.get(path).status_code == 200
    for method in ("post", "put", "patch", "delete", "options"):
        answer = getattr(client, method)(path)
        assert_refused(answer, 405, "method_not_allowed")
        answer = getattr(client, method)(path, HTTP_ACCEPT="text/html")
        assert_refused(answer, 405, "method_not_allowed")


@pytest.mark.parametrize("path", ["/api/schema/", "/api/docs/"])
@pytest.mark.parametrize("query", ["", "?format=xml", "?format=%FF", "?lang=%FF"])
@pytest.mark.parametrize("accept", ["", "text/html", "image/png", "nonsense", "a/b;q="])
def test_the_documentation_is_there_whatever_is_accepted(path, query, accept, db):
    answer = Client().get(path + query, HTTP_ACCEPT=accept)
    assert answer.status_code == 200
    kind = "text/html" if path == "/api/docs/" else "application/vnd.oai.openapi"
    assert answer["Content-Type"].startswith(kind)


# Odd queries ----------------------------------------------------------------------


@pytest.mark.parametrize("query", ["page_size=x", "page_size=-1", "page_size=0"])
def test_a_page_size_that_is_none_is_the_usual_one(query, course, teacher_client):
    answer = teacher_client.get(f"{COURSES}?{query}")
    assert answer.status_code == 200
    assert answer.json()["count"] == 1


@pytest.mark.parametrize("query", ["format=xml", "format=api", "%FF=%FF", "&&=&a"])
def test_a_query_that_means_nothing(query, course, teacher_client):
    assert teacher_client.get(f"{COURSES}?{query}").json()["count"] == 1


@pytest.mark.parametrize("query", ["%00=a", "course=%00", "a=b%00c", "\0"])
def test_a_nul_in_a_query(query, course, teacher_client):
    for path in (COURSES, f"{API}/nothing/", "/api/schema/"):
        answer = teacher_client.get(f"{path}?{query}")
        assert_refused(answer, 400, "invalid")


# Odd headers ----------------------------------------------------------------------


@pytest.mark.parametrize("host", ["a b", "a\x00b", "-", "x:y:z", "[", "ä", "a/b"])
def test_a_host_that_is_none(host, course, class_session, teacher_client):
    """Paginated lists and the QR code build addresses from it."""
    for path in (COURSES, session_path(class_session, "qr/")):
        answer = teacher_client.get(path, HTTP_HOST=host)
        if answer.status_code != 200:
            assert_refused(answer, 400, "invalid")


def test_a_host_of_somebody_else_is_not_worth_a_traceback(settings, caplog):
    settings.ALLOWED_HOSTS = ["attendance.example"]
    for path in (COURSES, "/accounts/login/"):
        assert Client().get(path, HTTP_HOST="elsewhere.example").status_code == 400
    assert caplog.records == []


@pytest.mark.parametrize("accept", ["", "text/html", "nonsense", ";", "ä", "a/b;q="])
def test_the_answer_is_json_whatever_is_accepted(accept, course, teacher_client):
    answer = teacher_client.get(COURSES, HTTP_ACCEPT=accept)
    assert answer.status_code == 200
    assert answer.json()["count"] == 1
    answer = APIClient().get(COURSES, HTTP_ACCEPT=accept)
    assert_refused(answer, 401, "not_authenticated")


@pytest.mark.parametrize("length", ["x", "1.0", "9" * 5000])
def test_a_content_length_that_is_none(length, student_client):
    answer = raw(student_client, CODE, b"{}", CONTENT_LENGTH=length)
    assert answer.status_code in (400, 413)
    assert set(answer.json()) == {"code", "detail"}
