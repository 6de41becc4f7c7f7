"""A student's page fetches what has changed; until that is shown it is not current."""

from __future__ import annotations

import re

from playwright.sync_api import Route, expect

from attendance import links
from attendance.models import ClassSession, User
from attendance.services.check_in import check_in_by_token
from attendance.services.marking import override_status
from attendance.services.undo import undo_operation
from tests.browser.cable import Cable, hold_time
from tests.browser.conftest import OpenPage
from tests.browser.live_page import wait_live


def test_it_is_not_live_before_it_shows_the_change(
    class_session: ClassSession, student: User, open_page: OpenPage
) -> None:
    page = open_page(student, "/me/", refusals=True)
    page.clock.install()
    cable = Cable(page)
    page.reload()
    wait_live(page)
    hold_time(page)
    failing: list[Route] = []

    def fail(route: Route) -> None:
        failing.append(route)
        route.fulfill(status=503, body="")

    page.route("**/me/", fail)
    check_in_by_token(student=student, token=links.current_token(class_session))
    text = page.locator("#connection-text")
    expect(text).to_have_text("Catching up…")
    page.clock.run_for(8000)
    # Heartbeats go on coming, and prove nothing.
    expect(text).to_have_text(re.compile(r"^Catching up from \d\d:\d\d:\d\d…$"))
    cable.settle()
    assert failing

    page.unroute("**/me/")
    cable.run_until(page.get_by_text("Present").first.is_visible, seconds=20)
    expect(text).to_have_text("Live")


def test_a_mark_that_is_taken_back_goes(
    class_session: ClassSession, teacher: User, student: User, open_page: OpenPage
) -> None:
    outcome = override_status(
        class_session=class_session,
        actor=teacher,
        student_id=student.pk,
        status="excused",
        reason="Ill",
    )
    assert outcome.operation_id
    page = open_page(student, "/me/")
    wait_live(page)
    mark = page.locator("[data-record]")
    expect(mark).to_contain_text("Excused")
    undo_operation(
        class_session=class_session, actor=teacher, operation_id=outcome.operation_id
    )
    expect(mark).to_have_count(0)
    expect(page.locator("#connection-text")).to_have_text("Live")
