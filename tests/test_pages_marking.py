"""Override and bulk by the forms that work without a script."""

from __future__ import annotations

from typing import Any

import pytest

from attendance import links
from attendance.models import ClassSession, User
from attendance.services.check_in import check_in_by_token
from attendance.services.class_sessions import close_class_session
from tests.pages import browser_of, live_page, said, text_of


@pytest.fixture
def path(class_session: ClassSession, student: User) -> str:
    return live_page(class_session, f"students/{student.pk}/")


def test_override(
    path: str, class_session: ClassSession, teacher: User, student: User
) -> None:
    response = browser_of(teacher).post(
        path, {"status": "excused", "reason": " Ill ", "notes": "a", "version": "0"}
    )
    assert response["Location"] == live_page(class_session)
    record = class_session.records.get(student=student)
    assert (record.status, record.override_reason) == ("excused", "Ill")
    assert (record.notes, record.version) == ("a", 1)


def test_students_page_shows_the_history_latest_first(
    path: str, class_session: ClassSession, teacher: User, student: User
) -> None:
    check_in_by_token(student=student, token=links.current_token(class_session))
    browser = browser_of(teacher)
    browser.post(path, {"status": "late", "reason": "Fell asleep", "notes": ""})
    html = text_of(browser.get(path))
    assert html.index("Fell asleep") < html.index("QR code")
    assert "Tilda Owner" in html
    assert 'name="version" value="2"' in html


@pytest.mark.parametrize(
    "wrong",
    [
        {"reason": ""},
        {"reason": "   "},
        {"reason": "x" * 501},
        {"reason": "a\0b"},
        {"notes": "x" * 2001},
        {"status": ""},
        {"status": "unmarked"},
        {"status": "here"},
        {"version": "x"},
        {"version": "-1"},
    ],
)
def test_override_with_nonsense(
    path: str, class_session: ClassSession, teacher: User, wrong: dict[str, Any]
) -> None:
    data = {"status": "late", "reason": "Seen", "notes": "", "version": "0", **wrong}
    response = browser_of(teacher).post(path, data)
    assert response.status_code == 400
    assert not class_session.records.exists()


def test_override_of_what_has_changed_since_is_a_conflict(
    path: str, class_session: ClassSession, teacher: User, student: User
) -> None:
    check_in_by_token(student=student, token=links.current_token(class_session))
    response = browser_of(teacher).post(
        path, {"status": "absent", "reason": "Not seen", "version": "0"}
    )
    assert response.status_code == 409
    html = text_of(response)
    assert "has changed since you saw it" in html
    assert "Now: Present" in html
    assert 'name="version" value="1"' in html  # sent again, it is meant
    assert class_session.records.get().status == "present"


@pytest.mark.parametrize(
    ("wrong", "version"),
    [
        ({"reason": ""}, "0"),
        ({"reason": "a\0b"}, "0"),
        ({"reason": "", "version": ""}, ""),
        ({"reason": "", "version": "x"}, "1"),
    ],
)
def test_what_was_seen_stays_what_was_seen(
    path: str,
    class_session: ClassSession,
    teacher: User,
    student: User,
    wrong: dict[str, str],
    version: str,
) -> None:
    """A slip in the form must not overwrite what has changed meanwhile, unseen."""
    check_in_by_token(student=student, token=links.current_token(class_session))
    data = {"status": "absent", "reason": "Not seen", "version": "0", **wrong}
    html = text_of(browser_of(teacher).post(path, data))
    assert f'name="version" value="{version}"' in html


def test_override_of_somebody_not_on_the_roster(
    class_session: ClassSession, teacher: User, outsider: User
) -> None:
    path = live_page(class_session, f"students/{outsider.pk}/")
    response = browser_of(teacher).post(path, {"status": "late", "reason": "Seen"})
    assert response.status_code == 404
    assert browser_of(teacher).get(path).status_code == 404


def test_override_after_the_closing(
    path: str, class_session: ClassSession, teacher: User
) -> None:
    close_class_session(class_session=class_session, actor=teacher)
    browser = browser_of(teacher)
    assert "Set on closing" in text_of(browser.get(path))
    data = {"status": "present", "reason": "Seen", "version": "1"}
    assert browser.post(path, data).status_code == 302


# Bulk -------------------------------------------------------------------------------


BULK = {"operation": "mark_excused", "reason": "Trip", "scope": "selected"}


def test_bulk_on_the_selected(
    class_session: ClassSession, teacher: User, student: User, student2: User
) -> None:
    response = browser_of(teacher).post(
        live_page(class_session, "bulk/"),
        {**BULK, "student_ids": [student.pk, student.pk]},
    )
    assert said(response) == ["1 student marked, 0 unchanged."]
    assert class_session.records.get().student == student


def test_bulk_on_everyone_still_unmarked(
    class_session: ClassSession, teacher: User, student: User
) -> None:
    check_in_by_token(student=student, token=links.current_token(class_session))
    response = browser_of(teacher).post(
        live_page(class_session, "bulk/"),
        {**BULK, "operation": "mark_absent", "scope": "unmarked"},
    )
    assert said(response) == ["1 student marked, 1 unchanged."]
    assert class_session.records.get(student=student).status == "present"


def test_bulk_on_the_whole_roster(class_session: ClassSession, teacher: User) -> None:
    browser_of(teacher).post(
        live_page(class_session, "bulk/"), {**BULK, "scope": "all"}
    )
    assert class_session.records.filter(status="excused").count() == 2


@pytest.mark.parametrize(
    "wrong",
    [
        {},
        {"student_ids": ["x", "-1", "", "9" * 40]},
        {"scope": "all", "reason": ""},
        {"scope": "all", "operation": "mark_unmarked"},
        {"scope": "nobody"},
    ],
)
def test_bulk_with_nonsense(
    class_session: ClassSession, teacher: User, wrong: dict[str, Any]
) -> None:
    response = browser_of(teacher).post(
        live_page(class_session, "bulk/"), {**BULK, **wrong}
    )
    assert response["Location"] == live_page(class_session)
    assert len(said(response)) == 1
    assert not class_session.records.exists()
