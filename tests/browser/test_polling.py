"""Where there can be no sockets the pages poll, say so, and go back to the socket."""

from __future__ import annotations

import re
from typing import Any

import pytest
from playwright.sync_api import Locator, Page, Route, expect

from attendance import links
from attendance.models import ClassSession, Course, CourseTeacher, User
from attendance.services import class_sessions as sessions
from attendance.services.check_in import check_in_by_token
from attendance.services.marking import override_status
from attendance.services.undo import undo_operation
from tests.browser.cable import Cable, hold_time
from tests.browser.conftest import OpenPage
from tests.browser.live_page import count, live_path, shown, status_of, wait_revision
from tests.cast import enroll, make_user

POLLING = "Polling every few seconds"


def said(page: Page) -> Locator:
    return page.locator("#connection-text")


def open_blocked(
    open_page: OpenPage, user: User, path: str, **options: Any
) -> tuple[Page, Cable]:
    """A page behind a proxy that lets no socket through, polling, with held time."""
    page = open_page(user, "/c/", refusals=True, **options)
    page.clock.install()
    cable = Cable(page)
    cable.sockets = "refused"
    page.goto(path)
    hold_time(page)
    cable.poll_once(seconds=20)
    expect(said(page)).to_have_text(POLLING)
    return page, cable


def back_to_the_socket(page: Page, cable: Cable) -> None:
    cable.sockets = "work"
    cable.run_until_tried()
    expect(said(page)).to_have_text("Live")
    polls = len(cable.polls)
    page.clock.run_for(9000)
    assert len(cable.polls) == polls


def test_the_live_page(
    class_session: ClassSession,
    teacher: User,
    student: User,
    student2: User,
    open_page: OpenPage,
) -> None:
    page, cable = open_blocked(open_page, teacher, live_path(class_session))
    check_in_by_token(student=student, token=links.current_token(class_session))
    cable.poll_once()
    expect(status_of(page, student)).to_have_text("Present")
    expect(said(page)).to_have_text(POLLING)
    # It goes on trying: seldom, and without a word.
    page.clock.run_for(3000)
    cable.run_until_tried()
    expect(said(page)).to_have_text(POLLING)

    back_to_the_socket(page, cable)
    check_in_by_token(student=student2, token=links.current_token(class_session))
    expect(status_of(page, student2)).to_have_text("Present")
    wait_revision(page, class_session)


def test_it_polls_in_pages_and_in_order(
    class_session: ClassSession, teacher: User, student: User, open_page: OpenPage
) -> None:
    page, cable = open_blocked(open_page, teacher, live_path(class_session))

    def one_at_a_time(route: Route) -> None:
        cable.polls.append(route.request.url)
        answer = route.fetch().json()
        answer["has_more"] = answer["has_more"] or len(answer["events"]) > 1
        answer["events"] = answer["events"][:1]
        route.fulfill(json=answer)

    page.route("**/events/**", one_at_a_time)
    for status in ("late", "absent", "excused"):
        override_status(
            class_session=class_session,
            actor=teacher,
            student_id=student.pk,
            status=status,
            reason="Seen",
        )
    cable.poll_once()
    expect(status_of(page, student)).to_have_text("Excused")
    wait_revision(page, class_session)
    assert [url.partition("after=")[2] for url in cable.polls[-3:]] == ["1", "2", "3"]


def test_a_session_that_opens(
    course: Course, teacher: User, open_page: OpenPage
) -> None:
    """With whom nothing was said about: the roster of planned sessions is silent."""
    session = sessions.create_class_session(course=course, actor=teacher)
    page, cable = open_blocked(open_page, teacher, live_path(session))
    late_comer = make_user("late_comer", "Lena Late")
    enroll(course, late_comer)
    sessions.open_class_session(class_session=session, actor=teacher)
    cable.poll_once()
    expect(status_of(page, late_comer)).to_have_text("Unmarked")
    wait_revision(page, session)
    fresh = page.context.new_page()
    fresh.goto(live_path(session))
    wait_revision(fresh, session)
    assert shown(page) == shown(fresh)


def test_the_projector(
    class_session: ClassSession, teacher: User, student: User, open_page: OpenPage
) -> None:
    page, cable = open_blocked(open_page, teacher, live_path(class_session, "project/"))
    check_in_by_token(student=student, token=links.current_token(class_session))
    cable.poll_once()
    expect(count(page, "present")).to_have_text("1")
    expect(count(page, "unmarked")).to_have_text("1")
    back_to_the_socket(page, cable)


def test_my_attendance(
    class_session: ClassSession, teacher: User, student: User, open_page: OpenPage
) -> None:
    page, cable = open_blocked(open_page, student, "/me/", phone=True)
    check_in_by_token(student=student, token=links.current_token(class_session))
    cable.poll_once()
    # Time that a page takes to fetch its records anew.
    cable.run_until(page.get_by_text("Present").first.is_visible, seconds=20)
    cable.run_until(lambda: said(page).inner_text() == POLLING, seconds=20)
    back_to_the_socket(page, cable)
    override_status(
        class_session=class_session,
        actor=teacher,
        student_id=student.pk,
        status="excused",
        reason="Seen",
    )
    cable.run_until(page.get_by_text("Excused").first.is_visible, seconds=20)
    assert cable.polls[0].endswith(f"?student={student.pk}&page_size=100")


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
    page, cable = open_blocked(open_page, student, "/me/")
    mark = page.locator("[data-record]")
    expect(mark).to_contain_text("Excused")
    undo_operation(
        class_session=class_session, actor=teacher, operation_id=outcome.operation_id
    )
    cable.run_until(lambda: mark.count() == 0)


def test_a_conflict_shows(
    class_session: ClassSession, teacher: User, student: User, open_page: OpenPage
) -> None:
    override_status(
        class_session=class_session,
        actor=teacher,
        student_id=student.pk,
        status="absent",
        reason="Not seen",
    )
    page, cable = open_blocked(open_page, teacher, live_path(class_session))
    check_in_by_token(student=student, token=links.current_token(class_session))
    conflict = page.locator("[data-conflict]")
    cable.run_until(lambda: conflict.count() == 1)
    expect(conflict).to_contain_text("Marked Absent")


def test_access_that_ends_while_polling(
    class_session: ClassSession, teacher: User, open_page: OpenPage
) -> None:
    page, cable = open_blocked(open_page, teacher, live_path(class_session))
    CourseTeacher.objects.filter(user=teacher).delete()
    ended = re.compile(r"Access has ended \(\d\d:\d\d:\d\d\)")
    cable.run_until(lambda: bool(ended.match(said(page).inner_text())))
    polls = len(cable.polls)
    page.clock.run_for(60_000)
    assert len(cable.polls) == polls


@pytest.mark.parametrize("status", [404, 200])
def test_a_page_of_somebody_else_is_no_answer(
    status: int, class_session: ClassSession, teacher: User, open_page: OpenPage
) -> None:
    """A proxy, or a network that wants a log-in, speaks in the server's place."""
    page, cable = open_blocked(open_page, teacher, live_path(class_session))
    page.route(
        "**/api/**", lambda route: route.fulfill(status=status, body="<p>Welcome")
    )
    cable.run_until(lambda: said(page).inner_text().startswith("Not up to date"))
    page.unroute("**/api/**")
    # That takes away the cable's own as well, which is as good.
    cable.run_until(lambda: said(page).inner_text() == POLLING)


def test_no_network_while_polling(
    class_session: ClassSession, teacher: User, student: User, open_page: OpenPage
) -> None:
    page, cable = open_blocked(open_page, teacher, live_path(class_session))
    cable.http = False
    cable.poll_once()
    # How far the page's time has run by when the poll is seen is not ours to say.
    expect(said(page)).to_have_text(re.compile("Catching up…|Not up to date since"))
    page.clock.run_for(6000)
    expect(said(page)).to_have_text(re.compile("Not up to date since"))
    check_in_by_token(student=student, token=links.current_token(class_session))
    cable.http = True
    cable.run_until(lambda: said(page).inner_text() == POLLING)
    expect(status_of(page, student)).to_have_text("Present")


def test_a_hidden_page_polls_seldom(
    class_session: ClassSession, teacher: User, open_page: OpenPage
) -> None:
    page, cable = open_blocked(open_page, teacher, live_path(class_session))
    page.evaluate("Object.defineProperty(document, 'hidden', {value: true})")
    cable.poll_once()
    polls = len(cable.polls)
    page.clock.run_for(4500)
    assert len(cable.polls) == polls
    cable.poll_once()
