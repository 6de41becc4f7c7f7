"""The roster's rows: filled by us, and as the template engine would have them."""

from __future__ import annotations

from typing import Any
from zoneinfo import ZoneInfo

import pytest
from django.template.loader import render_to_string
from django.test import Client

from attendance.models import ClassSession, Course, User
from attendance.pages import display
from attendance.pages.class_sessions import ROWS_HERE
from attendance.pages.roster_rows import PARTIAL, SafeHtml, render_rows
from attendance.services.marking import override_status
from tests.cast import enroll, make_user
from tests.pages import browser_of, live_page, text_of

# What would come to life if it were not escaped, or was taken for something of ours.
HOSTILE = (
    "<script>alert(1)</script>",
    "\" onmouseover='alert(1)'",
    "</tr></table>&amp;",
    "100 % %s %(name)s {name} {{ row.name }}",
    "\ue000name\ue001 \ue000conflict\ue001",
)


def record(student_id: int, text: str, **fields: Any) -> dict[str, Any]:
    return {
        "student_id": student_id,
        "student_name": text,
        "attendance_status": "late",
        "check_in_time": "2026-09-01T09:03:11Z",
        "is_late": True,
        "late_minutes": 7,
        "verification_method": "teacher_override",
        "override_reason": text,
        "notes": text,
        "version": 3,
        **fields,
    }


UNMARKED = {
    "attendance_status": "unmarked",
    "check_in_time": None,
    "is_late": False,
    "late_minutes": 0,
    "verification_method": None,
    "override_reason": None,
    "notes": "",
    "version": 0,
}
CONFLICT = {
    "student_id": 2,
    "version": 3,
    "sentence": HOSTILE[0],
    "keep": "Absent",
    "accept": "Late",
    "may_accept": True,
}


def test_they_are_what_the_engine_makes_of_the_partial() -> None:
    records = [record(n, text) for n, text in enumerate(HOSTILE, start=1)]
    records.append(record(9, "Nobody's mark", **UNMARKED))
    conflicts = {2: CONFLICT}
    rows = list(display.rows(records, ZoneInfo("Asia/Kathmandu"), conflicts, 5))
    by_engine = [render_to_string(PARTIAL, {"row": row}) for row in rows]
    assert render_rows(rows) == "".join(by_engine)
    assert 'data-conflict="3"' in by_engine[1]
    assert ">14:48:11<" in by_engine[0]


def test_a_text_that_equals_safe_html_is_still_escaped() -> None:
    (row,) = display.rows([record(2, "")], ZoneInfo("UTC"), {2: CONFLICT}, 5)
    assert isinstance(row["conflict"], SafeHtml)
    html = str(row["conflict"])
    rendered = render_rows([{**row, "name": html, "notes": html}])
    assert rendered.count("data-conflict") == 1 + 4
    assert rendered.count("<div class=") == 1


@pytest.fixture
def browser(teacher: User) -> Client:
    return browser_of(teacher)


@pytest.mark.django_db
def test_hostile_names_stay_text_on_the_page(
    class_session: ClassSession, course: Course, teacher: User, browser: Client
) -> None:
    people = [make_user(f"hostile{n}", name) for n, name in enumerate(HOSTILE)]
    enroll(course, *people)
    # What stands in the rows' place until they are put in.
    Course.objects.filter(pk=course.pk).update(name=ROWS_HERE)
    override_status(
        class_session=class_session,
        actor=teacher,
        student_id=people[0].pk,
        status="absent",
        reason=HOSTILE[1],
        notes=HOSTILE[2],
    )
    html = text_of(browser.get(live_page(class_session)))
    assert "<script>alert" not in html
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in html
    assert "&quot; onmouseover=&#x27;alert(1)&#x27;" in html
    assert "100 % %s %(name)s {name} {{ row.name }}" in html
    assert html.count("\ue000name\ue001") == 3
    assert "&lt;!-- rows --&gt;</span></a></p>" in html and ROWS_HERE not in html


@pytest.mark.django_db
def test_links_lead_to_the_students(
    class_session: ClassSession, student: User, browser: Client
) -> None:
    html = text_of(browser.get(live_page(class_session)))
    path = f"{live_page(class_session)}students/{student.pk}/"
    assert f'data-link href="{path}"' in html
    assert browser.get(path).status_code == 200
