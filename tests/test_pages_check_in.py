"""Checking in by the code form and by the page behind the QR code."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone

from attendance import codes, links
from attendance.models import ClassSession, Course, Enrollment, User
from attendance.services.class_sessions import (
    close_class_session,
    rotate_verification_code,
)
from tests.cast import make_session, wrong_code
from tests.pages import browser_of, said, text_of


def by_code(user: User, code: str):
    return browser_of(user).post("/c/", {"verification_code": code})


# By code ------------------------------------------------------------------------------


def test_by_code(class_session: ClassSession, student: User) -> None:
    code = class_session.verification_code or ""
    response = by_code(student, f"{code[:3]} {code[3:]}")
    record = class_session.records.get()
    assert response.status_code == 302
    assert response["Location"] == f"/me/records/{record.pk}/"
    assert said(response) == ["You are checked in to Math 101, on time."]
    assert record.verification_method == "verification_code"


def test_by_code_twice(class_session: ClassSession, student: User) -> None:
    by_code(student, class_session.verification_code or "")
    response = by_code(student, class_session.verification_code or "")
    assert said(response) == ["You were already checked in to Math 101."]
    assert class_session.records.get().version == 1


@pytest.mark.parametrize("code", ["", "12345", "1234567", "abcdef", "\0" * 6])
def test_what_is_no_code(class_session: ClassSession, student: User, code: str) -> None:
    response = by_code(student, code)
    assert response.status_code == 400
    assert "A verification code has six digits." in text_of(response)
    assert 'aria-invalid="true"' in text_of(response)


def test_wrong_codes_end_in_a_pause(class_session: ClassSession, student: User) -> None:
    wrong = wrong_code(class_session)
    for _ in range(10):
        response = by_code(student, wrong)
        assert response.status_code == 404
        assert "No open class session has this code." in text_of(response)
    response = by_code(student, class_session.verification_code or "")
    assert response.status_code == 429
    assert int(response["Retry-After"]) > 500
    assert not class_session.records.exists()


def test_not_enrolled(class_session: ClassSession, outsider: User) -> None:
    response = by_code(outsider, class_session.verification_code or "")
    assert response.status_code == 403
    assert "not enrolled" in text_of(response)
    assert not Enrollment.objects.filter(student=outsider).exists()


@pytest.mark.parametrize(
    ("starts_in", "fields", "sentence"),
    [
        (timedelta(hours=2), {}, "Check-in has not begun yet"),
        (timedelta(hours=-2), {"allow_late_check_in": False}, "too late to check in"),
    ],
)
def test_out_of_time(
    course: Course, student: User, starts_in: timedelta, fields: dict, sentence: str
) -> None:
    at = timezone.now() + starts_in
    session = make_session(
        course, starts_at=at, ends_at=at + timedelta(hours=1), **fields
    )
    response = by_code(student, session.verification_code or "")
    assert response.status_code == 403
    assert sentence in text_of(response)


# By QR link ---------------------------------------------------------------------------


def test_by_link_only_the_post_checks_in(
    class_session: ClassSession, student: User
) -> None:
    browser = browser_of(student)
    path = links.check_in_path(class_session)
    page = browser.get(path)
    assert page.status_code == 200
    assert "Math 101" not in text_of(page)
    assert not class_session.records.exists()

    response = browser.post(path)
    record = class_session.records.get()
    assert response["Location"] == f"/me/records/{record.pk}/"
    assert record.verification_method == "qr_code"


def test_by_link_with_log_in_on_the_way(
    class_session: ClassSession, student: User
) -> None:
    path = links.check_in_path(class_session)
    for response in (Client().get(path), Client().post(path)):
        assert response["Location"] == f"/accounts/login/?next={path}"
    assert not class_session.records.exists()


def test_result_shows_course_session_time_and_status(
    course: Course, student: User
) -> None:
    Course.objects.update(time_zone="Asia/Kathmandu")
    course.refresh_from_db()
    started = timezone.now() - timedelta(minutes=7)
    session = make_session(
        course,
        title="Week 3",
        location="B12",
        starts_at=started,
        ends_at=started + timedelta(hours=1),
    )
    response = browser_of(student).post(links.check_in_path(session), follow=True)
    html = text_of(response)
    at = session.records.get().check_in_time
    assert at
    local = at.astimezone(course.zone)
    for words in (
        "You are checked in to Math 101, 7 minutes late.",
        "Late",
        "7 min",
        "Week 3, B12",
        f"{local:%H:%M:%S}",
        "QR code",
    ):
        assert words in html


def test_replaced_link(
    class_session: ClassSession, student: User, teacher: User
) -> None:
    path = links.check_in_path(class_session)
    rotate_verification_code(class_session=class_session, actor=teacher)
    response = browser_of(student).post(path)
    assert response.status_code == 400
    html = text_of(response)
    assert "replaced by a newer one" in html
    assert 'href="/c/"' in html


def test_closed_session(
    class_session: ClassSession, student: User, teacher: User
) -> None:
    path = links.check_in_path(class_session)
    close_class_session(class_session=class_session, actor=teacher)
    response = browser_of(student).post(path)
    assert response.status_code == 409
    assert "not open" in text_of(response)


@pytest.mark.parametrize(
    "token",
    ["x", "1.1.0.forged", "%00", "%FF%FE", "%ED%A0%80", "..", "9" * 2000, "<b>"],
)
def test_forged_link(class_session: ClassSession, student: User, token: str) -> None:
    browser = browser_of(student)
    assert browser.get(f"/c/{token}/").status_code == 200
    response = browser.post(f"/c/{token}/")
    assert response.status_code == 400
    assert "not one of ours" in text_of(response)


def test_ten_forged_links_end_in_a_pause(
    class_session: ClassSession, student: User
) -> None:
    browser = browser_of(student)
    forged = codes.make_token(class_session.pk, 1)[:-1]
    for _ in range(10):
        assert browser.post(f"/c/{forged}/").status_code == 400
    response = browser.post(links.check_in_path(class_session))
    assert response.status_code == 429
    assert int(response["Retry-After"]) > 500
