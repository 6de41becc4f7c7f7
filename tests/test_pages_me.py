"""A student's own attendance."""

from __future__ import annotations

from datetime import timedelta

from django.utils import timezone

from attendance import links
from attendance.models import ClassSession, Course, User
from attendance.services.check_in import check_in_by_token
from attendance.services.class_sessions import close_class_session
from attendance.services.marking import override_status
from tests.cast import make_session
from tests.pages import browser_of, live_page, text_of


def test_it_shows_own_records_newest_first(
    course: Course, teacher: User, student: User
) -> None:
    for weeks in (1, 2):
        at = timezone.now() - timedelta(weeks=weeks)
        session = make_session(
            course,
            title=f"Minus {weeks}",
            starts_at=at,
            ends_at=at + timedelta(hours=1),
        )
        close_class_session(class_session=session, actor=teacher)
    html = text_of(browser_of(student).get("/me/"))
    assert html.index("Minus 1") < html.index("Minus 2")
    assert "2 absent" in html
    assert "Set on closing" in html


def test_it_shows_nothing_of_others(
    class_session: ClassSession, student: User, student2: User
) -> None:
    check_in_by_token(student=student, token=links.current_token(class_session))
    html = text_of(browser_of(student2).get("/me/"))
    assert "/me/records/" not in html
    assert "No class session yet" in html


def test_who_is_in_no_course_is_told_what_to_do(outsider: User) -> None:
    html = text_of(browser_of(outsider).get("/me/"))
    assert "You are in no course yet" in html


def test_older_records_are_on_another_page(
    course: Course, teacher: User, student: User
) -> None:
    for number in range(101):
        at = timezone.now() - timedelta(days=number + 1)
        session = make_session(
            course, title=f"S{number:03}", starts_at=at, ends_at=at + timedelta(hours=1)
        )
        override_status(
            class_session=session,
            actor=teacher,
            student_id=student.pk,
            status="present",
            reason="Seen",
        )
    browser = browser_of(student)
    first, second = (text_of(browser.get(f"/me/?page={n}")) for n in (1, 2))
    assert "S000" in first and "S100" not in first
    assert "S100" in second and "S000" not in second
    assert "<strong>101</strong> of 101 attended" in second


def test_record_shows_what_the_teacher_said(
    class_session: ClassSession, teacher: User, student: User
) -> None:
    record = override_status(
        class_session=class_session,
        actor=teacher,
        student_id=student.pk,
        status="excused",
        reason="Ill",
        notes="Until Friday",
    ).record
    html = text_of(browser_of(student).get(f"/me/records/{record['id']}/"))
    for words in ("Excused", "Ill", "Until Friday", "Tilda Owner", "Set by teacher"):
        assert words in html


def test_record_of_somebody_else(
    class_session: ClassSession, teacher: User, student: User, student2: User
) -> None:
    check_in_by_token(student=student, token=links.current_token(class_session))
    path = f"/me/records/{class_session.records.get().pk}/"
    assert browser_of(student2).get(path).status_code == 403
    response = browser_of(teacher).get(path)
    assert response["Location"] == live_page(class_session, f"students/{student.pk}/")


def test_record_of_a_stranger(
    class_session: ClassSession, student: User, outsider: User
) -> None:
    check_in_by_token(student=student, token=links.current_token(class_session))
    path = f"/me/records/{class_session.records.get().pk}/"
    assert browser_of(outsider).get(path).status_code == 404
