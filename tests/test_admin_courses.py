"""The admin's courses, their teachers and enrollments."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.test import Client

from attendance.models import (
    ClassSession,
    Course,
    CourseTeacher,
    Enrollment,
    Role,
    User,
)
from attendance.services.courses import unenroll_student

COURSES = "/admin/attendance/course/"
ENROLLMENTS = "/admin/attendance/enrollment/"


@pytest.fixture
def admin_page(admin: User) -> Client:
    client = Client()
    client.force_login(admin)
    return client


def values(*rows: dict[str, Any], course: Course | None = None) -> dict[str, Any]:
    """What the course form sends; `rows` are its teachers."""
    sent: dict[str, Any] = {
        "name": course.name if course else "Chess",
        "code": course.code if course else "",
        "time_zone": "UTC",
        "course_teachers-TOTAL_FORMS": len(rows),
        "course_teachers-INITIAL_FORMS": sum("id" in row for row in rows),
    }
    for index, row in enumerate(rows):
        for name, value in row.items():
            sent[f"course_teachers-{index}-{name}"] = value
        if course:
            sent[f"course_teachers-{index}-course"] = course.pk
    return sent


def row_of(course: Course, teacher: User, **changes: Any) -> dict[str, Any]:
    row = CourseTeacher.objects.get(course=course, user=teacher)
    return {"id": row.pk, "user": teacher.pk, "role": row.role, **changes}


def roles(course: Course) -> dict[str, str]:
    return dict(
        CourseTeacher.objects.filter(course=course).values_list(
            "user__username", "role"
        )
    )


def test_it_makes_a_course_with_its_owner(
    admin_page: Client, teacher: User, co_teacher: User
) -> None:
    page = admin_page.post(
        f"{COURSES}add/",
        values(
            {"user": co_teacher.pk, "role": "co_teacher"},
            {"user": teacher.pk, "role": "owner"},
        ),
    )
    assert page.status_code == 302
    course = Course.objects.get(name="Chess")
    assert roles(course) == {"teacher": "owner", "co_teacher": "co_teacher"}


@pytest.mark.parametrize("row", [None, {"role": "co_teacher"}])
def test_a_course_without_an_owner_is_refused(
    admin_page: Client, teacher: User, row: dict[str, Any] | None
) -> None:
    rows = [] if row is None else [{**row, "user": teacher.pk}]
    page = admin_page.post(f"{COURSES}add/", values(*rows))
    assert page.status_code == 200
    assert "A course has at least one owner." in page.content.decode()
    assert not Course.objects.exists()


def test_an_unknown_time_zone_is_refused(admin_page: Client, teacher: User) -> None:
    sent = values({"user": teacher.pk, "role": "owner"})
    page = admin_page.post(f"{COURSES}add/", {**sent, "time_zone": "Mars/Olympus"})
    assert "IANA time zone database" in page.content.decode()
    assert not Course.objects.exists()


def test_ownership_can_be_handed_over_in_one_step(
    admin_page: Client, course: Course, teacher: User, co_teacher: User
) -> None:
    page = admin_page.post(
        f"{COURSES}{course.pk}/change/",
        values(
            row_of(course, teacher, role="co_teacher"),
            row_of(course, co_teacher, role="owner"),
            course=course,
        ),
    )
    assert page.status_code == 302
    assert roles(course) == {"teacher": "co_teacher", "co_teacher": "owner"}


def test_the_last_owner_stays(
    admin_page: Client, course: Course, teacher: User, co_teacher: User
) -> None:
    page = admin_page.post(
        f"{COURSES}{course.pk}/change/",
        values(
            row_of(course, teacher, DELETE="on"),
            row_of(course, co_teacher),
            course=course,
        ),
    )
    assert "A course has at least one owner." in page.content.decode()
    assert roles(course) == {"teacher": "owner", "co_teacher": "co_teacher"}


def test_a_teacher_is_removed_and_another_put_in_the_same_row(
    admin_page: Client, course: Course, teacher: User, co_teacher: User, student: User
) -> None:
    admin_page.post(
        f"{COURSES}{course.pk}/change/",
        values(
            row_of(course, teacher, user=student.pk),
            row_of(course, co_teacher, DELETE="on"),
            course=course,
        ),
    )
    assert roles(course) == {"student": Role.OWNER}


def test_somebody_inactive_is_refused_on_the_form(
    admin_page: Client, course: Course, teacher: User, student: User
) -> None:
    User.objects.filter(pk=student.pk).update(is_active=False)
    page = admin_page.post(
        f"{COURSES}{course.pk}/change/",
        values(
            row_of(course, teacher),
            {"user": student.pk, "role": "co_teacher"},
            course=course,
        ),
    )
    assert page.status_code == 200
    assert "There is no person with this id." in page.content.decode()
    assert "student" not in roles(course)


def test_enrolling_is_a_message_in_open_sessions(
    admin_page: Client, class_session: ClassSession, outsider: User, admin: User
) -> None:
    sent = {"course": class_session.course_id, "student": outsider.pk}
    assert admin_page.post(f"{ENROLLMENTS}add/", sent).status_code == 302
    event = class_session.events.latest("revision")
    assert (event.type, event.actor, event.student) == (
        *("roster_update", admin, outsider),
    )
    assert event.data["event"] == "enrolled"
    # Once more: the enrollment there is, and nothing else.
    admin_page.post(f"{ENROLLMENTS}add/", sent)
    assert Enrollment.objects.filter(student=outsider).count() == 1
    assert class_session.events.count() == event.revision


def test_ending_enrollments_is_a_message_each_and_deletes_nothing(
    admin_page: Client, class_session: ClassSession, student: User, student2: User
) -> None:
    enrollments = list(Enrollment.objects.filter(student__in=[student, student2]))
    sent = {
        "action": "end_selected",
        ACTION_CHECKBOX_NAME: [enrollment.pk for enrollment in enrollments],
    }
    page = admin_page.post(ENROLLMENTS, sent, follow=True)
    assert "2 enrollments ended." in page.content.decode()
    assert Enrollment.objects.filter(ended_at__isnull=False).count() == 2
    events = class_session.events.filter(type="roster_update")
    assert [e.data["event"] for e in events] == ["unenrolled", "unenrolled"]
    admin_page.post(ENROLLMENTS, sent)
    assert class_session.events.filter(type="roster_update").count() == 2


def test_somebody_inactive_is_not_enrolled(
    admin_page: Client, course: Course, outsider: User
) -> None:
    User.objects.filter(pk=outsider.pk).update(is_active=False)
    page = admin_page.post(
        f"{ENROLLMENTS}add/", {"course": course.pk, "student": outsider.pk}
    )
    assert page.status_code == 200
    assert "There is no student with this id." in page.content.decode()


def test_enrollments_are_neither_edited_nor_deleted(
    admin_page: Client, course: Course, student: User, outsider: User
) -> None:
    enrollment = Enrollment.objects.get(student=student)
    url = f"{ENROLLMENTS}{enrollment.pk}"
    page = admin_page.get(f"{url}/change/")
    assert page.status_code == 200 and b"_save" not in page.content
    answer = admin_page.post(f"{url}/change/", {"student": outsider.pk})
    assert answer.status_code == 403
    assert admin_page.post(f"{url}/delete/", {"post": "yes"}).status_code == 403
    enrollment.refresh_from_db()
    assert (enrollment.student, enrollment.ended_at) == (student, None)


def test_a_course_with_enrollments_cannot_be_deleted(
    admin_page: Client, course: Course, other_course: Course
) -> None:
    assert (
        admin_page.post(f"{COURSES}{course.pk}/delete/", {"post": "yes"}).status_code
        == 403
    )
    answer = admin_page.post(f"{COURSES}{other_course.pk}/delete/", {"post": "yes"})
    assert answer.status_code == 302
    assert list(Course.objects.all()) == [course]


def test_an_enrollment_that_somebody_else_ended_does_not_hold_up_the_rest(
    admin_page: Client,
    course: Course,
    student: User,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def unenroll_too_late(*, course: Course, student_id: int, actor: User) -> None:
        if student_id == student.pk:
            # Between the reading of the list and the ending of this one.
            unenroll_student(course=course, student_id=student_id, actor=actor)
        unenroll_student(course=course, student_id=student_id, actor=actor)

    monkeypatch.setattr("attendance.admin.courses.unenroll_student", unenroll_too_late)
    page = admin_page.post(
        ENROLLMENTS,
        {
            "action": "end_selected",
            ACTION_CHECKBOX_NAME: [e.pk for e in Enrollment.objects.all()],
        },
        follow=True,
    )
    assert page.status_code == 200
    assert not Enrollment.objects.filter(ended_at__isnull=True).exists()
    html = page.content.decode()
    assert "1 enrollment ended." in html
    assert f"{student.display_name} in {course}: " in html
