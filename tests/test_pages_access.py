"""Who gets which page: one table."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from django.test import Client

from attendance.models import ClassSession, Course, User
from tests.cast import make_session
from tests.pages import browser_of

PERSONS = ("teacher", "co_teacher", "other_teacher", "student", "outsider", "admin")
OF_A_COURSE = (200, 200, 404, 403, 404, 200)
EVERYBODY = (200,) * 6

# Page, then the status for each of PERSONS.
PAGES = [
    ("/courses/", EVERYBODY),
    ("/courses/new/", (200, 403, 403, 403, 403, 200)),
    ("/courses/{course}/", OF_A_COURSE),
    ("/courses/{course}/edit/", OF_A_COURSE),
    ("/courses/{course}/plan/", OF_A_COURSE),
    ("/class-sessions/{session}/", OF_A_COURSE),
    ("/class-sessions/{session}/project/", OF_A_COURSE),
    ("/class-sessions/{session}/edit/", OF_A_COURSE),
    ("/class-sessions/{session}/students/{student}/", OF_A_COURSE),
    ("/c/", EVERYBODY),
    ("/c/some-token/", EVERYBODY),
    ("/me/", EVERYBODY),
    ("/accounts/password/", EVERYBODY),
]
# Forms that only change something: 302 where it was done or said why not.
OF_A_TEACHER = (302, 302, 404, 403, 404, 302)
OF_AN_OWNER = (302, 403, 404, 403, 404, 302)
FORMS = [
    ("/courses/{course}/start/", OF_A_TEACHER),
    ("/courses/{course}/students/", OF_A_TEACHER),
    ("/courses/{course}/students/{student}/remove/", OF_A_TEACHER),
    ("/courses/{course}/teachers/", OF_AN_OWNER),
    ("/courses/{course}/teachers/{co_teacher}/remove/", OF_AN_OWNER),
    ("/class-sessions/{session}/open/", OF_A_TEACHER),
    ("/class-sessions/{session}/close/", OF_A_TEACHER),
    ("/class-sessions/{session}/rotate-code/", OF_A_TEACHER),
    ("/class-sessions/{session}/bulk/", OF_A_TEACHER),
]


@pytest.fixture
def ids(
    course: Course, class_session: ClassSession, student: User, co_teacher: User
) -> dict[str, int]:
    return {
        "course": course.pk,
        "session": class_session.pk,
        "student": student.pk,
        "co_teacher": co_teacher.pk,
    }


def _cases(table: Sequence[tuple[str, Sequence[int]]]) -> list[tuple[str, str, int]]:
    return [
        (path, person, status)
        for path, statuses in table
        for person, status in zip(PERSONS, statuses, strict=True)
    ]


@pytest.mark.parametrize(("path", "person", "status"), _cases(PAGES))
def test_page(
    path: str,
    person: str,
    status: int,
    ids: dict[str, int],
    request: pytest.FixtureRequest,
) -> None:
    browser = browser_of(request.getfixturevalue(person))
    response = browser.get(path.format(**ids))
    assert response.status_code == status
    assert "no-store" in response["Cache-Control"]


@pytest.mark.parametrize(("path", "person", "status"), _cases(FORMS))
def test_form(
    path: str,
    person: str,
    status: int,
    ids: dict[str, int],
    request: pytest.FixtureRequest,
) -> None:
    browser = browser_of(request.getfixturevalue(person))
    assert browser.post(path.format(**ids)).status_code == status


@pytest.mark.parametrize("path", [path for path, _ in PAGES])
def test_anonymous_is_sent_to_log_in_and_comes_back(
    path: str, ids: dict[str, int]
) -> None:
    path = path.format(**ids)
    response = Client().get(path)
    assert response.status_code == 302
    assert response["Location"] == f"/accounts/login/?next={path}"


@pytest.mark.parametrize("path", [path for path, _ in FORMS])
def test_form_sent_after_a_log_out_comes_back_to_its_page(
    path: str, ids: dict[str, int]
) -> None:
    response = Client().post(path.format(**ids))
    assert response.status_code == 302
    back = response["Location"].removeprefix("/accounts/login/?next=")
    assert back in (f"/courses/{ids['course']}/", f"/class-sessions/{ids['session']}/")


@pytest.mark.parametrize("path", [path for path, _ in FORMS])
def test_form_takes_no_get(path: str, ids: dict[str, int], teacher: User) -> None:
    assert browser_of(teacher).get(path.format(**ids)).status_code == 405


@pytest.mark.parametrize("path", [path for path, _ in FORMS])
def test_form_needs_its_csrf_token(
    path: str, ids: dict[str, int], teacher: User
) -> None:
    browser = Client(enforce_csrf_checks=True)
    browser.force_login(teacher)
    response = browser.post(path.format(**ids))
    assert response.status_code == 403
    assert "reload the page" in response.content.decode()


def test_form_of_another_course_changes_nothing(
    course: Course, other_course: Course, teacher: User
) -> None:
    foreign = make_session(other_course)
    response = browser_of(teacher).post(f"/class-sessions/{foreign.pk}/close/")
    assert response.status_code == 404
    foreign.refresh_from_db()
    assert foreign.is_open


@pytest.mark.parametrize(
    "path",
    [
        "/courses/999999/",
        "/courses/99999999999999999999999999/",
        "/class-sessions/99999999999999999999999999/",
        "/class-sessions/{session}/students/99999999999999999999999999/",
        "/me/records/99999999999999999999999999/",
        "/class-sessions/" + "9" * 5000 + "/",
        "/no-such-page/",
    ],
)
def test_unknown_ids_are_not_found(
    path: str, ids: dict[str, int], teacher: User
) -> None:
    response = browser_of(teacher).get(path.format(**ids))
    assert response.status_code == 404
    assert "Nothing here" in response.content.decode()


@pytest.mark.parametrize(
    ("person", "page"),
    [
        ("teacher", "/courses/"),
        ("co_teacher", "/courses/"),
        ("admin", "/courses/"),
        ("student", "/me/"),
        ("outsider", "/me/"),
    ],
)
def test_front_page_leads_to_ones_own_pages(
    person: str, page: str, course: Course, request: pytest.FixtureRequest
) -> None:
    response = browser_of(request.getfixturevalue(person)).get("/")
    assert response.status_code == 302
    assert response["Location"] == page
