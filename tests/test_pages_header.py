"""Who is led to the teachers' pages: by the links of each page, and from the front."""

from __future__ import annotations

import pytest
from django.contrib.auth.models import Group, Permission
from django.db import connection
from django.test.utils import CaptureQueriesContext

from attendance.models import Course, User
from tests.pages import browser_of

MAY_ADD_COURSES = "add_course"


def is_led_to_courses(user: User) -> bool:
    browser = browser_of(user)
    has_link = 'href="/courses/"' in browser.get("/c/").content.decode()
    front = browser.get("/")
    assert front["Location"] == ("/courses/" if has_link else "/me/")
    return has_link


@pytest.mark.parametrize(
    ("role", "is_led"),
    [
        ("teacher", True),
        ("co_teacher", True),
        ("admin", True),
        ("student", False),
        ("outsider", False),
    ],
)
def test_it_works(
    role: str, is_led: bool, course: Course, request: pytest.FixtureRequest
) -> None:
    assert is_led_to_courses(request.getfixturevalue(role)) is is_led


def test_whoever_may_add_courses(outsider: User) -> None:
    outsider.user_permissions.add(Permission.objects.get(codename=MAY_ADD_COURSES))
    assert is_led_to_courses(outsider)


def test_whoever_may_add_courses_by_a_group(outsider: User) -> None:
    group = Group.objects.create(name="Lecturers")
    group.permissions.add(Permission.objects.get(codename=MAY_ADD_COURSES))
    outsider.groups.add(group)
    assert is_led_to_courses(outsider)


def test_another_permission_is_none(outsider: User) -> None:
    outsider.user_permissions.add(Permission.objects.get(codename="change_course"))
    assert not is_led_to_courses(outsider)


def test_a_students_page_asks_once(student: User) -> None:
    """The log-in session, the person, and whether there are courses to link to."""
    browser = browser_of(student)
    with CaptureQueriesContext(connection) as context:
        browser.get("/c/")
    assert len(context) == 3
