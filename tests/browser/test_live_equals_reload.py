"""What has arrived live is what a reload shows: rows, counts, code, heading."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest
from playwright.sync_api import Page

from attendance import links
from attendance.models import ClassSession, Course, User
from attendance.services import class_sessions as sessions
from attendance.services.check_in import check_in_by_code, check_in_by_token
from attendance.services.courses import enroll_student, unenroll_student
from attendance.services.marking import mark_in_bulk, override_status
from tests.browser.conftest import OpenPage
from tests.browser.live_page import count, live_path, shown, wait_live, wait_revision
from tests.cast import make_students, make_user

# "ahmed" comes before "Bela", whatever the case; "Émile" after "Zoe", by code point.
NAMES = ("ahmed Demo", "Émile Demo", "Zoe Demo", "Straße Demo", "Strasse demo")


@pytest.fixture
def course(course: Course) -> Course:
    Course.objects.update(time_zone="Asia/Kathmandu")
    course.refresh_from_db()
    return course


@pytest.mark.parametrize("tail", ["", "project/"])
def test_live_equals_reload(
    tail: str,
    class_session: ClassSession,
    course: Course,
    teacher: User,
    student: User,
    student2: User,
    open_page: OpenPage,
) -> None:
    one, two, three = make_students(course, 3)
    live = open_page(teacher, live_path(class_session, tail))
    wait_live(live)
    fresh = live.context.new_page()

    def current() -> ClassSession:
        return ClassSession.objects.select_related("course").get(pk=class_session.pk)

    def override(person: User, status: str, notes: str) -> Callable[[], object]:
        return lambda: override_status(
            class_session=current(),
            actor=teacher,
            student_id=person.pk,
            status=status,
            reason="<b>Seen</b> & noted",
            notes=notes,
        )

    def bulk(operation: str, **scope: object) -> Callable[[], object]:
        return lambda: mark_in_bulk(
            class_session=current(),
            actor=teacher,
            operation=operation,
            reason="Trip",
            **scope,  # type: ignore[arg-type]
        )

    def newcomers() -> None:
        for number, name in enumerate(NAMES):
            person = make_user(f"new{number}", name)
            enroll_student(course=course, student_id=person.pk, actor=teacher)

    def edit() -> None:
        starts_at = current().starts_at - timedelta(minutes=40)
        sessions.edit_class_session(
            class_session=current(),
            actor=teacher,
            title="Week <3>",
            location="Room B12",
            starts_at=starts_at,
            ends_at=starts_at + timedelta(hours=30),
            late_cutoff_minutes=90,
        )

    steps: list[Callable[[], object]] = [
        lambda: check_in_by_token(
            student=student, token=links.current_token(current())
        ),
        lambda: check_in_by_code(
            student=student2, code=current().verification_code or ""
        ),
        override(one, "late", "note"),
        override(student, "absent", ""),
        newcomers,
        lambda: unenroll_student(course=course, student_id=two.pk, actor=teacher),
        edit,
        lambda: check_in_by_token(student=three, token=links.current_token(current())),
        lambda: sessions.rotate_verification_code(
            class_session=current(), actor=teacher
        ),
        bulk("mark_excused", student_ids=[one.pk, student2.pk]),
        lambda: sessions.close_class_session(class_session=current(), actor=teacher),
        bulk("mark_present"),
        lambda: sessions.reopen_class_session(class_session=current(), actor=teacher),
        bulk("mark_absent", only_unmarked=True),
    ]
    for number, step in enumerate(steps):
        step()
        wait_revision(live, class_session)
        fresh.goto(live_path(class_session, tail))
        wait_revision(fresh, class_session)
        assert shown(live) == shown(fresh), f"after step {number}"
        if not tail:
            assert_counts_equal_rows(live)


def assert_counts_equal_rows(page: Page) -> None:
    statuses = page.locator("#roll tr").evaluate_all(
        "(rows) => rows.map((row) => row.dataset.status)"
    )
    assert count(page, "enrolled").inner_text() == str(len(statuses))
    for status in ("present", "late", "excused", "absent", "unmarked"):
        assert count(page, status).inner_text() == str(statuses.count(status)), status


def test_counts_follow_who_is_on_the_roster(
    class_session: ClassSession, teacher: User, open_page: OpenPage
) -> None:
    """Also when somebody is marked whom the page took off the roster just before."""
    page = open_page(teacher, live_path(class_session))
    wait_live(page)
    counted = page.evaluate(
        """async () => {
          const { Counts } = await import("/static/js/counts.js");
          const root = document.querySelector("[data-live]");
          const counts = new Counts(root, new Map([[1, "unmarked"], [2, "unmarked"]]));
          counts.remove(1);
          counts.put({ student_id: 1, attendance_status: "present", old_status: "unmarked" });
          counts.remove(3);
          counts.show();
          const names = ["enrolled", "here", "present", "unmarked"];
          return names.map((name) => root.querySelector(`[data-count=${name}]`).textContent);
        }"""  # noqa: E501
    )
    assert counted == ["2", "1", "1", "1"]


def test_a_scheduled_session_opens_on_every_screen(
    course: Course, teacher: User, open_page: OpenPage
) -> None:
    session = sessions.create_class_session(course=course, actor=teacher)
    live = open_page(teacher, live_path(session))
    wait_live(live)
    sessions.open_class_session(class_session=session, actor=teacher)
    wait_revision(live, session)
    fresh = live.context.new_page()
    fresh.goto(live_path(session))
    assert shown(live) == shown(fresh)


def test_names_are_ordered_as_on_the_server(
    class_session: ClassSession, teacher: User, open_page: OpenPage
) -> None:
    page = open_page(teacher, live_path(class_session))
    # Letters of the scripts that have two cases, and some ligatures.
    ranges = [(0x20, 0x24F), (0x370, 0x52F), (0x531, 0x587), (0x1E00, 0x1FFF)]
    letters = [chr(n) for first, last in ranges for n in range(first, last + 1)]
    letters += ["ﬀ", "ﬃ", "ﬗ", "Ⓐ", "Ａ", "𐐀", "İ", "ΑΣ", "ẞ"]
    folded = page.evaluate(
        """async (letters) => {
          const { foldCase } = await import("/static/js/order.js");
          return letters.map(foldCase);
        }""",
        letters,
    )
    wrong = [
        (letter, ours, letter.casefold())
        for letter, ours in zip(letters, folded, strict=True)
        if ours != letter.casefold()
    ]
    assert wrong == []
