"""The OpenAPI document is sound, and the answers are what it says."""

import json

import pytest
from django.core.management import call_command
from django.test import Client

from tests.cast import API, course_path, qr_token_of, session_path, wrong_code
from tests.test_permissions import api_endpoints

pytestmark = pytest.mark.django_db


@pytest.fixture
def document(db):
    answer = Client().get("/api/schema/?format=json")
    assert answer.status_code == 200
    return answer.json()


def test_it_generates_without_a_warning(tmp_path):
    target = tmp_path / "schema.yaml"
    call_command("spectacular", "--fail-on-warn", "--validate", file=str(target))
    assert target.stat().st_size > 10_000


def test_it_is_served_to_anybody(document):
    assert document["openapi"].startswith("3.")
    assert Client().get("/api/schema/").status_code == 200
    assert Client().get("/api/docs/").status_code == 200


def test_it_describes_every_endpoint(document):
    described = {
        (
            method.upper(),
            path.removeprefix("/api/v1/").replace("{", "<").replace("}", ">"),
        )
        for path, operations in document["paths"].items()
        for method in operations
    }
    assert described >= set(api_endpoints())


def test_it_names_both_ways_to_log_in(document):
    schemes = document["components"]["securitySchemes"]
    assert schemes["token"]["scheme"].lower() == "bearer"
    assert schemes["session"]["in"] == "cookie"


# Real answers ---------------------------------------------------------------------


def resolve(schema, document):
    while True:
        if "$ref" in schema:
            name = schema["$ref"].removeprefix("#/components/schemas/")
            schema = document["components"]["schemas"][name]
        elif len(schema.get("allOf", [])) == 1:
            schema = schema["allOf"][0]
        else:
            return schema


def assert_as_described(value, schema, document, where):
    """Every object in `value` has the properties described, no more and no less."""
    schema = resolve(schema, document)
    if value is None:
        assert schema.get("nullable") or "oneOf" in schema, where
    elif isinstance(value, list):
        assert schema["type"] == "array", where
        for item in value:
            assert_as_described(item, schema["items"], document, f"{where}[]")
    elif isinstance(value, dict) and "properties" in schema:
        properties = schema["properties"]
        missing = set(schema.get("required", ())) - set(value)
        assert not missing, f"{where} lacks {missing}"
        unknown = set(value) - set(properties)
        assert not unknown, f"{where} has {unknown} besides"
        for name, item in value.items():
            assert_as_described(item, properties[name], document, f"{where}.{name}")
    elif "type" in schema:
        kinds = {
            "boolean": bool,
            "integer": int,
            "string": str,
            "object": dict,
            "number": float,
        }
        assert isinstance(value, kinds[schema["type"]]), f"{where}: {value!r}"
        if "enum" in schema:
            assert value in schema["enum"], f"{where}: {value!r}"


def test_the_answers_are_as_described(
    document, course, class_session, student, student2, teacher_client, student_client
):
    code = class_session.verification_code
    token = qr_token_of(teacher_client, class_session)
    student_path = f"enrollments/{student2.pk}/"
    calls = [
        (student_client, "post", f"{API}/check-ins/qr/", {"token": token}),
        (student_client, "post", f"{API}/check-ins/qr/", {"token": token}),
        (student_client, "post", f"{API}/check-ins/code/", {"verification_code": code}),
        (student_client, "get", f"{API}/courses/", None),
        (student_client, "get", course_path(course), None),
        (teacher_client, "get", f"{API}/courses/", None),
        (teacher_client, "get", course_path(course), None),
        (teacher_client, "post", f"{API}/courses/", {"name": "New"}),
        (teacher_client, "patch", course_path(course), {"code": "M"}),
        (teacher_client, "get", course_path(course, "enrollments/"), None),
        (
            teacher_client,
            "post",
            course_path(course, "enrollments/"),
            {"student_id": student.pk},
        ),
        (teacher_client, "get", course_path(course, "teachers/"), None),
        (
            teacher_client,
            "post",
            course_path(course, "teachers/"),
            {"user_id": student2.pk, "role": "co_teacher"},
        ),
        (
            teacher_client,
            "delete",
            course_path(course, f"teachers/{student2.pk}/"),
            None,
        ),
        (teacher_client, "get", f"{API}/class-sessions/", None),
        (teacher_client, "post", f"{API}/class-sessions/", {"course_id": course.pk}),
        (teacher_client, "get", session_path(class_session), None),
        (teacher_client, "patch", session_path(class_session), {"title": "T"}),
        (teacher_client, "get", session_path(class_session, "qr/"), None),
        (teacher_client, "get", session_path(class_session, "roster/"), None),
        (
            teacher_client,
            "post",
            session_path(class_session, "override/"),
            {"student_id": student.pk, "status": "late", "reason": "r"},
        ),
        (
            teacher_client,
            "post",
            session_path(class_session, "bulk/"),
            {
                "operation": "mark_absent",
                "student_ids": [student.pk, 999_999_999],
                "reason": "r",
            },
        ),
        (student_client, "post", f"{API}/check-ins/code/", {"verification_code": code}),
        (teacher_client, "get", session_path(class_session, "conflicts/"), None),
        (
            teacher_client,
            "post",
            session_path(class_session, "settle/"),
            {"student_id": student.pk, "accept": True},
        ),
        (teacher_client, "get", session_path(class_session, "operations/"), None),
        (teacher_client, "post", session_path(class_session, "undo/"), "UNDO"),
        (teacher_client, "delete", course_path(course, student_path), None),
        (teacher_client, "post", session_path(class_session, "rotate-code/"), None),
        (teacher_client, "post", session_path(class_session, "close/"), None),
        (teacher_client, "post", session_path(class_session, "reopen/"), None),
        (teacher_client, "post", session_path(class_session, "open/"), None),
        (teacher_client, "get", session_path(class_session, "events/"), None),
        (teacher_client, "get", f"{API}/attendance/", None),
        (teacher_client, "get", "HISTORY", None),
        (
            teacher_client,
            "post",
            f"{API}/auth/token/",
            {"username": "student", "password": "a password for tests"},
        ),
        (teacher_client, "delete", f"{API}/auth/token/", None),
    ]
    seen = set()
    for client, method, path, body in calls:
        if path == "HISTORY":
            row = teacher_client.get(f"{API}/attendance/").json()["results"][0]
            path = f"{API}/attendance/{row['id']}/history/"
        if body == "UNDO":
            listed = teacher_client.get(session_path(class_session, "operations/"))
            body = {"operation_id": listed.json()["results"][0]["operation_id"]}
        answer = getattr(client, method)(path, body)
        assert answer.status_code < 300, (method, path, answer.content)
        template, schema = described(document, method, path, answer.status_code)
        seen.add((method, template))
        if answer.status_code != 204:
            assert_as_described(answer.json(), schema, document, template)
    everything = {
        (method, path)
        for path, operations in document["paths"].items()
        if path.startswith(API)
        for method in operations
    }
    assert seen == everything


def test_the_refusals_are_as_described(document, class_session, student_client):
    path = f"{API}/check-ins/code/"
    for body in ({}, {"verification_code": "1"}, {"verification_code": wrong_code()}):
        answer = student_client.post(path, body)
        _, schema = described(document, "post", path, answer.status_code)
        assert_as_described(answer.json(), schema, document, json.dumps(body))


def described(document, method, path, status):
    """The path as the document has it, and its schema for that status."""
    parts = path.split("/")
    for template, operations in document["paths"].items():
        names = template.split("/")
        if method in operations and len(names) == len(parts):
            pairs = zip(names, parts, strict=True)
            if all(n == p or (n[:1] == "{" and p.isdigit()) for n, p in pairs):
                responses = operations[method]["responses"]
                if status < 300:
                    response = responses[str(status)]
                else:
                    response = responses.get(str(status), responses["default"])
                content = response.get("content", {}).get("application/json", {})
                return template, content.get("schema")
    raise AssertionError(f"{method} {path} is not in the document")


def test_every_operation_says_what_a_refusal_looks_like(document):
    error = {"$ref": "#/components/schemas/ErrorOutput"}
    for path, operations in document["paths"].items():
        for method, operation in operations.items():
            content = operation["responses"]["default"]["content"]
            assert content == {"application/json": {"schema": error}}, (method, path)
    shape = document["components"]["schemas"]["ErrorOutput"]
    assert set(shape["required"]) == {"code", "detail"}


def test_a_conflict_is_as_described(
    document, class_session, student, student_client, teacher_client
):
    code = class_session.verification_code
    student_client.post(f"{API}/check-ins/code/", {"verification_code": code})
    path = session_path(class_session, "override/")
    body = {"student_id": student.pk, "status": "late", "reason": "r", "version": 0}
    answer = teacher_client.post(path, body)
    assert answer.status_code == 409
    _, schema = described(document, "post", path, 409)
    assert "record" in answer.json()
    assert_as_described(answer.json(), schema, document, path)
