"""
Who may do what: one table, every endpoint against every role.

The table must name every URL pattern and method of the API: a new endpoint without
its row fails the last test.
"""

import pytest
from django.urls import URLPattern, URLResolver, get_resolver
from rest_framework.test import APIClient

from attendance.models import ClassSession
from attendance.services.check_in import check_in_by_code
from tests.cast import (
    API,
    CAST,
    client_for,
    enroll,
    make_cast_course,
    make_person,
    make_session,
    make_user,
    qr_token_of,
    session_path,
)

pytestmark = pytest.mark.django_db

ROLES = (
    "anonymous",
    "student",
    "outsider",
    "teacher",
    "co_teacher",
    "other_teacher",
    "admin",
)

# Status by role, in the order of ROLES. What a teacher may do, and to whom else it is
# forbidden (403: the course's own students) or does not exist (404).
TEACHERS_200 = (401, 403, 404, 200, 200, 404, 200)
TEACHERS_201 = (401, 403, 404, 201, 201, 404, 201)
TEACHERS_204 = (401, 403, 404, 204, 204, 404, 204)
OWNERS_200 = (401, 403, 404, 200, 403, 404, 200)
OWNERS_201 = (401, 403, 404, 201, 403, 404, 201)
OWNERS_204 = (401, 403, 404, 204, 403, 404, 204)
EVERYBODY_200 = (401, 200, 200, 200, 200, 200, 200)

REASON = {"reason": "seen"}

# Method, route, body, status by role. In a body, a string "<name>" is the id or value
# of that name in `world`, as in the route.
TABLE = [
    ("POST", "auth/token/", {}, (400,) * 7),
    ("DELETE", "auth/token/", None, (401, 204, 204, 204, 204, 204, 204)),
    ("GET", "courses/", None, EVERYBODY_200),
    # The creator needs the permission, which `teacher` and `admin` have.
    ("POST", "courses/", {"name": "New"}, (401, 403, 403, 201, 403, 403, 201)),
    ("GET", "courses/<course_id>/", None, (401, 200, 404, 200, 200, 404, 200)),
    ("PATCH", "courses/<course_id>/", {"name": "Renamed"}, TEACHERS_200),
    ("GET", "courses/<course_id>/enrollments/", None, TEACHERS_200),
    (
        "POST",
        "courses/<course_id>/enrollments/",
        {"student_id": "<newcomer_id>"},
        TEACHERS_201,
    ),
    (
        "DELETE",
        "courses/<course_id>/enrollments/<student_id>/",
        None,
        TEACHERS_204,
    ),
    ("GET", "courses/<course_id>/teachers/", None, OWNERS_200),
    (
        "POST",
        "courses/<course_id>/teachers/",
        {"user_id": "<newcomer_id>", "role": "co_teacher"},
        OWNERS_201,
    ),
    ("DELETE", "courses/<course_id>/teachers/<user_id>/", None, OWNERS_204),
    ("GET", "class-sessions/", None, EVERYBODY_200),
    ("POST", "class-sessions/", {"course_id": "<course_id>"}, TEACHERS_201),
    ("GET", "class-sessions/<class_session_id>/", None, TEACHERS_200),
    ("PATCH", "class-sessions/<class_session_id>/", {"title": "T"}, TEACHERS_200),
    ("POST", "class-sessions/<class_session_id>/open/", {}, TEACHERS_200),
    ("POST", "class-sessions/<class_session_id>/close/", {}, TEACHERS_200),
    ("POST", "class-sessions/<class_session_id>/reopen/", {}, TEACHERS_200),
    ("POST", "class-sessions/<class_session_id>/rotate-code/", {}, TEACHERS_200),
    ("GET", "class-sessions/<class_session_id>/qr/", None, TEACHERS_200),
    ("GET", "class-sessions/<class_session_id>/roster/", None, TEACHERS_200),
    ("GET", "class-sessions/<class_session_id>/events/", None, TEACHERS_200),
    (
        "POST",
        "class-sessions/<class_session_id>/override/",
        {"student_id": "<student_id>", "status": "late", **REASON},
        TEACHERS_200,
    ),
    (
        "POST",
        "class-sessions/<class_session_id>/bulk/",
        {"operation": "mark_late", **REASON},
        TEACHERS_200,
    ),
    (
        "POST",
        "class-sessions/<class_session_id>/undo/",
        {"operation_id": "<operation_id>"},
        TEACHERS_200,
    ),
    ("GET", "class-sessions/<class_session_id>/operations/", None, TEACHERS_200),
    ("GET", "class-sessions/<class_session_id>/conflicts/", None, TEACHERS_200),
    (
        "POST",
        "class-sessions/<class_session_id>/settle/",
        {"student_id": "<contested_id>", "accept": True},
        TEACHERS_200,
    ),
    # Whoever is enrolled, and nobody else: not even those who teach.
    (
        "POST",
        "check-ins/qr/",
        {"token": "<token>"},
        (401, 201, 403, 403, 403, 403, 403),
    ),
    (
        "POST",
        "check-ins/code/",
        {"verification_code": "<code>"},
        (401, 201, 403, 403, 403, 403, 403),
    ),
    ("GET", "attendance/", None, EVERYBODY_200),
    # `record_id` is student2's.
    ("GET", "attendance/<record_id>/history/", None, TEACHERS_200),
]

# Those whose 200 must hold nothing that the caller may not see.
COUNTS = {
    "courses/": (1, 0, 1, 1, 0, 1),
    "class-sessions/": (0, 0, 1, 1, 0, 1),
    "attendance/": (0, 0, 1, 1, 0, 1),
}


@pytest.fixture(scope="module")
def people(module_db):
    """By role; made once, as each test takes back what it does to them."""
    return {role: make_person(role) for role in CAST}


@pytest.fixture(scope="module")
def class_session(people):
    roles = ("teacher", "co_teacher", "student", "student2")
    return make_session(make_cast_course(*(people[role] for role in roles)))


@pytest.fixture(scope="module")
def world(people, class_session):
    teacher_client, student2 = client_for(people["teacher"]), people["student2"]
    override = teacher_client.post(
        session_path(class_session, "override/"),
        {"student_id": student2.pk, "status": "absent", "reason": "not seen"},
    )
    check_in_by_code(student=student2, code=class_session.verification_code)
    return {
        "course_id": class_session.course_id,
        "student_id": people["student"].pk,
        "newcomer_id": make_user("newcomer", "Nora New").pk,
        "user_id": people["co_teacher"].pk,
        "class_session_id": class_session.pk,
        "record_id": override.json()["id"],
        "operation_id": override["Operation-Id"],
        "contested_id": student2.pk,
        "token": qr_token_of(teacher_client, class_session),
        "code": class_session.verification_code,
    }


def client_of(role, people):
    return APIClient() if role == "anonymous" else client_for(people[role])


def send(client, method, route, body, world):
    for name, value in world.items():
        route = route.replace(f"<{name}>", str(value))
    if body is not None:
        body = {
            field: world[value[1:-1]] if str(value).startswith("<") else value
            for field, value in body.items()
        }
    return getattr(client, method.lower())(f"{API}/{route}", body)


@pytest.mark.parametrize("role", ROLES)
@pytest.mark.parametrize(
    ("method", "route", "body", "expected"),
    TABLE,
    ids=[f"{method}-{route}" for method, route, _, _ in TABLE],
)
def test_who_may(method, route, body, expected, role, world, people):
    before = ClassSession.objects.get().revision
    answer = send(client_of(role, people), method, route, body, world)
    status = expected[ROLES.index(role)]
    assert answer.status_code == status, answer.content
    if status >= 400:
        code = {
            400: "invalid",
            401: "not_authenticated",
            403: "not_enrolled"
            if route.startswith("check-ins")
            else "permission_denied",
            404: "not_found",
        }[status]
        assert answer.json()["code"] == code
        assert set(answer.json()) - {"errors"} == {"code", "detail"}
        assert ClassSession.objects.get().revision == before


@pytest.mark.parametrize("role", ROLES[1:])
@pytest.mark.parametrize("route", COUNTS)
def test_lists_hold_what_the_caller_may_see(route, role, world, people):
    answer = send(client_of(role, people), "GET", route, None, world)
    expected = COUNTS[route][ROLES.index(role) - 1]
    assert answer.json()["count"] == len(answer.json()["results"]) == expected


@pytest.mark.parametrize("role", ["student", "outsider", "other_teacher"])
def test_codes_are_shown_to_teachers_only(role, world, people):
    """No answer that one of these can get holds the code or the token."""
    client = client_of(role, people)
    for method, route, body, _ in TABLE:
        if route == "auth/token/":
            continue
        answer = send(client, method, route, body, world)
        assert f'"{world["code"]}"'.encode() not in answer.content
        assert world["token"].encode() not in answer.content


@pytest.mark.parametrize(
    ("flags", "status"),
    [
        ({"is_staff": True}, 200),
        ({"is_staff": True, "is_superuser": True}, 200),
        ({"is_superuser": True}, 404),
        ({}, 404),
    ],
)
def test_an_administrator_is_who_is_staff(flags, status, world):
    client = client_for(make_user("somebody", "Some Body", **flags))
    for route in (
        "courses/<course_id>/enrollments/",
        "courses/<course_id>/teachers/",
        "class-sessions/<class_session_id>/roster/",
        "attendance/<record_id>/history/",
    ):
        assert send(client, "GET", route, None, world).status_code == status
    body = {"student_id": "<student_id>", "status": "late", **REASON}
    route = "class-sessions/<class_session_id>/override/"
    assert send(client, "POST", route, body, world).status_code == status


def test_a_former_teacher_and_a_former_student_may_nothing(
    world, class_session, people
):
    co_teacher, student = people["co_teacher"], people["student"]
    course_path = f"{API}/courses/{class_session.course_id}/"
    for tail in (f"teachers/{co_teacher.pk}/", f"enrollments/{student.pk}/"):
        answer = client_for(people["teacher"]).delete(f"{course_path}{tail}")
        assert answer.status_code == 204
    for person in (co_teacher, student):
        client = client_for(person)
        for path in (course_path, session_path(class_session)):
            assert client.get(path).status_code == 404


def test_who_teaches_and_takes_the_same_course_is_its_teacher(class_session, people):
    co_teacher = people["co_teacher"]
    enroll(class_session.course, co_teacher)
    session = make_session(class_session.course)
    client = client_for(co_teacher)
    assert client.get(session_path(session)).status_code == 200
    body = {"verification_code": session.verification_code}
    assert client.post(f"{API}/check-ins/code/", body).status_code == 201


def test_the_table_names_every_endpoint():
    named = {(method, route) for method, route, _, _ in TABLE}
    assert named == set(api_endpoints())


def api_endpoints():
    """Method and route of everything below /api/v1/, as the URLconf has it."""
    for route, pattern in _patterns(get_resolver(), ""):
        if not route.startswith("api/v1/"):
            continue
        view = pattern.callback
        methods = getattr(view, "actions", None) or [
            method for method in view.cls.http_method_names if hasattr(view.cls, method)
        ]
        for method in methods:
            if method not in ("head", "options"):
                yield method.upper(), route.removeprefix("api/v1/").replace("<id:", "<")


def _patterns(resolver: URLResolver, prefix: str):
    for pattern in resolver.url_patterns:
        route = prefix + str(pattern.pattern)
        if isinstance(pattern, URLResolver):
            yield from _patterns(pattern, route)
        elif isinstance(pattern, URLPattern):
            yield route, pattern
