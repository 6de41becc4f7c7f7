"""Bodies that are too large, of another kind, no JSON, or no object."""

import json

import pytest
from django.conf import settings
from rest_framework.test import APIClient

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
    sentence = "The body must be a JSON object."
    assert error["errors"] == {"non_field_errors": [sentence]}
    assert error["detail"] == sentence


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


@pytest.mark.parametrize("body", [b"", b"{}", b'{"ignored": 1}', b"null"])
def test_where_no_body_is_asked_for_none_is_needed(body, class_session, teacher_client):
    answer = raw(teacher_client, session_path(class_session, "close/"), body)
    assert answer.status_code == 200


@pytest.mark.parametrize("body", [b"nonsense", b"[]", b"\xff", b"1"])
def test_a_body_that_is_no_object_is_refused_there_too(
    body, class_session, teacher_client
):
    answer = raw(teacher_client, session_path(class_session, "close/"), body)
    assert answer.status_code == 400


def test_a_field_error_names_the_field(student_client):
    answer = student_client.post(CODE, {"verification_code": 1})
    assert answer.json() == {
        "code": "invalid",
        "detail": "verification_code: A string is needed.",
        "errors": {"verification_code": ["A string is needed."]},
    }


def test_several_fields_are_sentences_one_after_the_other(db):
    answer = APIClient().post(f"{API}/auth/token/", {})
    error = assert_refused(answer, 400, "invalid")
    assert error["detail"] == (
        "username: This field is required. password: This field is required."
    )


def test_the_same_sentence_about_two_fields_is_said_once(course, teacher_client):
    body = {"course_id": course.pk}
    body |= dict.fromkeys(("starts_at", "ends_at"), "0900-01-01T00:00:00Z")
    answer = teacher_client.post(f"{API}/class-sessions/", body)
    error = assert_refused(answer, 400, "invalid")
    assert set(error["errors"]) == {"starts_at", "ends_at"}
    assert error["detail"] == "This time is out of range."


NO_CHOICES = [
    '"\\ud800"',
    '"\\udfff x"',
    '""',
    '"OWNER"',
    "1",
    "true",
    "null",
    "[]",
    "{}",
]


@pytest.mark.parametrize("value", NO_CHOICES)
def test_a_choice_that_is_none(value, course, class_session, student, teacher_client):
    """Not even what no encoding can write: it is not repeated in the answer."""
    for path, field, fields, sentence in [
        (
            course_path(course, "teachers/"),
            "role",
            {"user_id": student.pk},
            "Use one of: owner, co_teacher.",
        ),
        (
            session_path(class_session, "override/"),
            "status",
            {"student_id": student.pk, "reason": "r"},
            "Use one of: present, late, absent, excused.",
        ),
        (
            session_path(class_session, "bulk/"),
            "operation",
            {"reason": "r"},
            "Use one of: mark_absent, mark_excused, mark_late, mark_present.",
        ),
    ]:
        body = json.dumps(fields)[:-1] + f', "{field}": {value}}}'
        error = assert_refused(raw(teacher_client, path, body), 400, "invalid")
        assert list(error["errors"]) == [field]
        if value != "null":
            assert error["errors"][field] == [sentence]


@pytest.mark.parametrize("state", ["%ED%A0%80", "%FF", "OPEN", ""])
def test_a_state_that_is_none(state, teacher_client):
    answer = teacher_client.get(f"{API}/class-sessions/?state={state}")
    error = assert_refused(answer, 400, "invalid")
    assert error["errors"]["state"] == ["Use one of: scheduled, open, closed."]
