"""Bodies that are too large, of another kind, no JSON, or no object."""

import pytest
from django.conf import settings

from tests.cast import API, assert_refused, course_path, raw, session_path

pytestmark = pytest.mark.django_db
COURSES = f"{API}/courses/"
CODE = f"{API}/check-ins/code/"


@pytest.mark.parametrize("path", [CODE, COURSES, f"{API}/auth/token/"])
def test_a_body_too_large(path, teacher_client):
    body = b'{"verification_code": "' + b"1" * settings.MAX_REQUEST_BYTES + b'"}'
    assert_refused(raw(teacher_client, path, body), 413, "too_large")


def test_a_body_just_not_too_large(student_client):
    body = b'{"verification_code": "1"'.ljust(settings.MAX_REQUEST_BYTES - 1) + b"}"
    assert_refused(raw(student_client, CODE, body), 400, "invalid_format")


@pytest.mark.parametrize(
    "content_type",
    [
        "text/plain",
        "application/x-www-form-urlencoded",
        "multipart/form-data; boundary=x",
        "multipart/form-data",
        "application/xml",
        "application/json; charset=latin-1",
        "application/json; charset=utf-16",
        "application/json; charset=no-such",
        "application/json; charset=",
        "application/json-seq",
        "json",
        "/",
        ";",
        "application/jsonä",
    ],
)
def test_a_body_of_another_kind(content_type, student_client):
    body = b'{"verification_code": "123456"}'
    answer = raw(student_client, CODE, body, content_type)
    assert_refused(answer, 415, "unsupported_media_type")


@pytest.mark.parametrize(
    "content_type",
    [
        "application/json",
        "application/json; charset=utf-8",
        "application/json;charset=UTF-8",
        'application/json; charset="utf-8"',
        "application/JSON",
        "application/json; profile=x",
    ],
)
def test_json_in_utf_8_by_any_name(content_type, student_client):
    answer = raw(student_client, CODE, b'{"verification_code": "1"}', content_type)
    assert_refused(answer, 400, "invalid_format")


@pytest.mark.parametrize(
    "body",
    [
        b" ",
        b"{",
        b"}",
        b"nonsense",
        b"{'verification_code': '123456'}",
        b'{"verification_code": "123456",}',
        b'{"verification_code": "123456"} {}',
        b'{"verification_code": "\xff\xfe"}',
        b'{"verification_code": "\xed\xa0\x80"}',
        '{"verification_code": "123456"}'.encode("utf-16"),
        b"\xef\xbb\xbf" + b'{"verification_code": "123456"}',
        b'{"verification_code": NaN}',
        b'{"verification_code": Infinity}',
        b'{"verification_code": -Infinity}',
        b'{"verification_code": "a\nb"}',
        b'{"verification_code": "\\x41"}',
        b'{"verification_code": "\\ud8"}',
        b'{"verification_code": 0123}',
        b'{"verification_code": ' + b"9" * 10_000 + b"}",
        b"[" * 200_000,
        b'{"a":' * 100_000,
        b"[" * 100_000 + b"]" * 100_000,
        b"\x00",
        b"verification_code=123456",
    ],
)
def test_what_is_no_json(body, student_client):
    answer = raw(student_client, CODE, body)
    error = assert_refused(answer, 400, "parse_error")
    assert error["detail"] == "The body is not valid JSON in UTF-8."


@pytest.mark.parametrize(
    "body", ["null", "true", "0", "1.5", "1e400", '"x"', "[]", "[{}]", "[[1]]"]
)
@pytest.mark.parametrize("path", [CODE, f"{API}/check-ins/qr/", f"{API}/auth/token/"])
def test_json_that_is_no_object(path, body, student_client):
    error = assert_refused(raw(student_client, path, body), 400, "invalid")
    assert list(error["errors"]) == ["non_field_errors"]


@pytest.mark.parametrize("body", ["null", "[]", "1", '"x"'])
def test_no_object_in_any_other_place(body, class_session, course, teacher_client):
    for method, path in [
        ("post", COURSES),
        ("patch", course_path(course)),
        ("post", course_path(course, "enrollments/")),
        ("post", course_path(course, "teachers/")),
        ("post", f"{API}/class-sessions/"),
        ("patch", session_path(class_session)),
        ("post", session_path(class_session, "override/")),
        ("post", session_path(class_session, "bulk/")),
    ]:
        send = getattr(teacher_client, method)
        answer = send(path, body, content_type="application/json")
        assert_refused(answer, 400, "invalid")


def test_an_empty_body_is_an_empty_object(student_client):
    error = assert_refused(student_client.post(CODE), 400, "invalid")
    assert list(error["errors"]) == ["verification_code"]


@pytest.mark.parametrize("body", [b"nonsense", b"[]", b"\xff", b""])
def test_where_no_body_is_asked_for_none_is_read(body, class_session, teacher_client):
    answer = raw(teacher_client, session_path(class_session, "close/"), body)
    assert answer.status_code == 200


def test_a_field_error_names_the_field(student_client):
    answer = student_client.post(CODE, {"verification_code": 1})
    assert answer.json() == {
        "code": "invalid",
        "detail": "verification_code: A string is needed.",
        "errors": {"verification_code": ["A string is needed."]},
    }
