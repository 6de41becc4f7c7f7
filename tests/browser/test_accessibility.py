"""No serious finding of axe on any page, in light and in dark, on laptop and phone."""

from __future__ import annotations

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page

from attendance import links
from attendance.models import ClassSession, Course, User
from attendance.services.check_in import check_in_by_token
from attendance.services.marking import override_status
from tests.browser.conftest import OpenPage
from tests.browser.live_page import live_path, row_of
from tests.cast import make_students

LOOKS = [("light", False), ("dark", True)]


def check(page: Page, where: str) -> None:
    options = {"resultTypes": ["violations"]}
    findings = Axe().run(page, options=options).response["violations"]
    serious = [
        f"{where}: {finding['id']} at {node['target']}: {node['failureSummary']}"
        for finding in findings
        if finding["impact"] in ("serious", "critical")
        for node in finding["nodes"]
    ]
    assert serious == []
    assert not scrolls_sideways(page), f"{where} scrolls sideways"


def scrolls_sideways(page: Page) -> bool:
    wide: bool = page.evaluate(
        "document.documentElement.scrollWidth > document.documentElement.clientWidth"
    )
    return wide


@pytest.mark.parametrize(("scheme", "phone"), LOOKS)
def test_pages_of_teachers(
    scheme: str,
    phone: bool,
    class_session: ClassSession,
    course: Course,
    teacher: User,
    student: User,
    student2: User,
    open_page: OpenPage,
) -> None:
    excused, absent, _ = make_students(course, 3)
    check_in_by_token(student=student, token=links.current_token(class_session))
    for person, status in (
        (student2, "late"),
        (excused, "excused"),
        (absent, "absent"),
    ):
        override_status(
            class_session=class_session,
            actor=teacher,
            student_id=person.pk,
            status=status,
            reason="Seen",
            notes="A note",
        )
    page = open_page(
        teacher,
        "/courses/",
        phone=phone,
        color_scheme=scheme,
        reduced_motion="reduce",
        refusals=True,
    )
    for path in (
        "/courses/",
        "/courses/new/",
        f"/courses/{course.pk}/?q=pupil",
        f"/courses/{course.pk}/plan/",
        live_path(class_session),
        live_path(class_session, "project/"),
        live_path(class_session, f"students/{student.pk}/"),
        "/accounts/password/",
        "/courses/999999/",
    ):
        page.goto(path)
        check(page, path)
    page.goto(live_path(class_session))
    row_of(page, student).get_by_role("checkbox").check()
    check(page, "the live page with a selection")
    row_of(page, student).get_by_role("link", name="Change").click()
    check(page, "the dialog")


@pytest.mark.parametrize(("scheme", "phone"), LOOKS)
def test_pages_of_students(
    scheme: str,
    phone: bool,
    class_session: ClassSession,
    student: User,
    open_page: OpenPage,
) -> None:
    page = open_page(None, phone=phone, color_scheme=scheme)
    check(page, "log-in")

    page = open_page(student, "/c/", phone=phone, color_scheme=scheme, refusals=True)
    check(page, "the code form")
    page.get_by_label("Type the six digits").fill("1")
    page.get_by_role("button", name="Check in").click()
    page.get_by_text("A verification code has six digits.").wait_for()
    check(page, "the code form with an error")
    page.goto(links.check_in_path(class_session))
    page.wait_for_url("**/me/records/**")
    check(page, "the result")
    page.goto("/me/")
    check(page, "my attendance")


def test_the_live_page_fits_screens_of_every_width(
    class_session: ClassSession, teacher: User, student: User, open_page: OpenPage
) -> None:
    check_in_by_token(student=student, token=links.current_token(class_session))
    override_status(
        class_session=class_session,
        actor=teacher,
        student_id=student.pk,
        status="excused",
        reason="An appointment that was announced in time",
    )
    page = open_page(teacher, live_path(class_session))
    page.locator("#bulk-panel summary").click()
    for width in (1440, 1200, 1024, 800, 600, 320):
        page.set_viewport_size({"width": width, "height": 800})
        assert not scrolls_sideways(page), f"{width} pixels"


def test_targets_on_a_phone_are_big_enough(
    class_session: ClassSession, teacher: User, open_page: OpenPage
) -> None:
    page = open_page(teacher, live_path(class_session), phone=True)
    small = page.evaluate(
        """() => [...document.querySelectorAll("button, .button, select, nav a")]
          .filter((element) => element.checkVisibility())
          .filter((element) => element.getBoundingClientRect().height < 43.5)
          .map((element) => element.outerHTML)"""
    )
    assert small == []
