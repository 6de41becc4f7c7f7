from __future__ import annotations

from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from attendance.models import Course, CourseTeacher, Role, User
from tests.cast import enroll, make_course, make_session, make_students
from tests.pages import browser_of, course_page, said, text_of


def test_list_shows_own_courses_and_what_is_open(
    course: Course, other_course: Course, teacher: User
) -> None:
    session = make_session(course, title="Week 3")
    html = text_of(browser_of(teacher).get("/courses/"))
    assert "Math 101" in html
    assert "Poetry" not in html
    assert f"/class-sessions/{session.pk}/" in html
    assert "Week 3" in html
    assert "2 students" in html


def test_list_costs_the_same_for_many_courses(teacher: User) -> None:
    def queries() -> int:
        browser = browser_of(teacher)
        with CaptureQueriesContext(
            connection,
        ) as context:
            browser.get("/courses/")
        return len(context)

    make_session(make_course(teacher, "First"))
    few = queries()
    for number in range(8):
        course = make_course(teacher, f"Course {number}")
        make_students(course, 3, prefix=f"c{number}x")
        make_session(course)
    assert queries() == few


def test_list_is_paged(teacher: User) -> None:
    for number in range(35):
        make_course(teacher, f"Course {number:02}")
    html = text_of(browser_of(teacher).get("/courses/?page=2"))
    assert "Course 34" in html
    assert "Course 01" not in html


def test_nobodys_teacher_is_told_what_to_do(outsider: User) -> None:
    html = text_of(browser_of(outsider).get("/courses/"))
    assert "You do not teach a course yet." in html


def test_course_shows_sessions_students_and_teachers(
    course: Course, teacher: User
) -> None:
    make_session(course, title="Week 3", open_now=False)
    html = text_of(browser_of(teacher).get(course_page(course)))
    for words in ("Week 3", "Scheduled", "Ada Lovelace", "Bela Bartok", "Conrad"):
        assert words in html


def test_course_costs_the_same_for_many(course: Course, teacher: User) -> None:
    def queries() -> int:
        browser = browser_of(teacher)
        with CaptureQueriesContext(connection) as context:
            browser.get(course_page(course))
        return len(context)

    make_session(course)
    few = queries()
    make_students(course, 30)
    for _ in range(5):
        make_session(course)
    assert queries() == few


def test_other_pages_keep_the_search(course: Course, teacher: User) -> None:
    for _ in range(16):
        make_session(course, open_now=False)
    browser = browser_of(teacher)
    html = text_of(browser.get(course_page(course, "?q=a%26b")))
    assert 'rel="next" href="?q=a%26b&amp;page=2">Next →' in html
    html = text_of(browser.get(course_page(course, "?q=a%26b&page=2")))
    assert 'rel="prev" href="?q=a%26b&amp;page=1">← Previous' in html


def test_new_course_makes_its_owner(teacher: User) -> None:
    response = browser_of(teacher).post(
        "/courses/new/", {"name": "Logic", "code": "", "time_zone": "Europe/Berlin"}
    )
    made = Course.objects.get(name="Logic")
    assert response["Location"] == course_page(made)
    assert made.time_zone == "Europe/Berlin"
    owner = CourseTeacher.objects.get(course=made)
    assert (owner.user, owner.role) == (teacher, Role.OWNER)


@pytest.mark.parametrize(
    "wrong",
    [
        {"name": ""},
        {"name": "   "},
        {"name": "x" * 201},
        {"name": "a\0b"},
        {"time_zone": "Europe/Atlantis"},
        {"time_zone": "localtime"},
        {"time_zone": "Factory"},
        {"time_zone": ""},
        {"code": "x" * 41},
    ],
)
def test_new_course_with_nonsense(teacher: User, wrong: dict[str, Any]) -> None:
    data = {"name": "Logic", "code": "", "time_zone": "UTC", **wrong}
    response = browser_of(teacher).post("/courses/new/", data)
    assert response.status_code == 400
    assert "errorlist" in text_of(response)
    assert not Course.objects.exists()


def test_editing_a_course(course: Course, teacher: User) -> None:
    response = browser_of(teacher).post(
        course_page(course, "edit/"),
        {"name": "Math 102", "code": "M2", "time_zone": "Asia/Tokyo"},
    )
    assert response["Location"] == course_page(course)
    course.refresh_from_db()
    assert (course.name, course.code, course.time_zone) == (
        "Math 102",
        "M2",
        "Asia/Tokyo",
    )


# Students and teachers --------------------------------------------------------------


def test_adding_a_student_by_user_name(
    course: Course, teacher: User, outsider: User
) -> None:
    response = browser_of(teacher).post(
        course_page(course, "students/"), {"username": "outsider", "q": "ida"}
    )
    assert response["Location"] == course_page(course, "?q=ida#students")
    assert course.enrollments.filter(student=outsider, ended_at=None).exists()


def test_adding_a_student_twice_says_so(
    course: Course, teacher: User, student: User
) -> None:
    response = browser_of(teacher).post(
        course_page(course, "students/"), {"username": "STUDENT"}
    )
    assert said(response) == ["Ada Lovelace was already in the course."]
    assert course.enrollments.filter(student=student).count() == 1


@pytest.mark.parametrize("username", ["", "nobody", "a\0b", "x" * 500])
def test_adding_nobody(course: Course, teacher: User, username: str) -> None:
    response = browser_of(teacher).post(
        course_page(course, "students/"), {"username": username}
    )
    assert response["Location"] == course_page(course)
    assert len(said(response)) == 1
    assert course.enrollments.count() == 2


def test_removing_a_student_keeps_the_enrollment_as_history(
    course: Course, teacher: User, student: User
) -> None:
    path = course_page(course, f"students/{student.pk}/remove/")
    assert browser_of(teacher).post(path).status_code == 302
    assert not course.enrollments.get(student=student).is_active
    again = browser_of(teacher).post(path)
    assert again.status_code == 404
    assert "not enrolled" in text_of(again)


def test_search_finds_people_by_name_and_says_who_is_in(
    course: Course, teacher: User, outsider: User
) -> None:
    enroll(course, outsider)
    html = text_of(browser_of(teacher).get(course_page(course, "?q=OUTSIDE")))
    assert "Ida Outside" in html
    assert "in the course" in html


@pytest.mark.parametrize("text", ["a", "%", "\x01\x01", "nobody at all"])
def test_search_for_too_little_finds_nobody(
    course: Course, teacher: User, text: str
) -> None:
    response = browser_of(teacher).get(course_page(course), {"q": text})
    assert response.status_code == 200
    assert "Nobody is called" in text_of(response)


def test_owner_adds_and_removes_a_teacher(
    course: Course, teacher: User, other_teacher: User
) -> None:
    browser = browser_of(teacher)
    path = course_page(course, "teachers/")
    browser.post(path, {"username": "other_teacher", "role": "co_teacher"})
    assert CourseTeacher.objects.get(course=course, user=other_teacher)
    browser.post(f"{path}{other_teacher.pk}/remove/")
    assert not CourseTeacher.objects.filter(user=other_teacher).exists()


def test_last_owner_stays(course: Course, teacher: User) -> None:
    response = browser_of(teacher).post(
        course_page(course, f"teachers/{teacher.pk}/remove/")
    )
    assert response["Location"] == course_page(course)
    assert "at least one owner" in said(response)[0]
    assert CourseTeacher.objects.filter(course=course, user=teacher).exists()


def test_who_leaves_a_course_goes_to_the_list(
    course: Course, teacher: User, co_teacher: User
) -> None:
    CourseTeacher.objects.filter(user=co_teacher).update(role=Role.OWNER)
    response = browser_of(teacher).post(
        course_page(course, f"teachers/{teacher.pk}/remove/")
    )
    assert response["Location"] == "/courses/"


def test_unknown_role(course: Course, teacher: User, other_teacher: User) -> None:
    response = browser_of(teacher).post(
        course_page(course, "teachers/"),
        {"username": "other_teacher", "role": "emperor"},
    )
    assert response.status_code == 302
    assert not CourseTeacher.objects.filter(user=other_teacher).exists()
