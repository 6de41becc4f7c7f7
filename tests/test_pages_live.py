"""The live page and the projector's page, as the server renders them."""

from __future__ import annotations

import re
from datetime import timedelta

from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from attendance import links
from attendance.models import ClassSession, Course, User
from attendance.services.check_in import check_in_by_token
from attendance.services.class_sessions import close_class_session
from attendance.services.marking import override_status
from tests.cast import make_session, make_students
from tests.pages import browser_of, live_page, text_of


def code_shown(html: str) -> str:
    return "".join(re.findall(r'id="code-(?:first|second)">(\d*)<', html))


def test_it_shows_qr_code_counts_and_roster(
    class_session: ClassSession, teacher: User, student: User
) -> None:
    check_in_by_token(student=student, token=links.current_token(class_session))
    html = text_of(browser_of(teacher).get(live_page(class_session)))
    assert code_shown(html) == class_session.verification_code
    assert f"http://testserver{links.check_in_path(class_session)}" in html
    assert "<svg" in html
    assert 'data-revision="2"' in html
    assert '<dd data-count="present">1</dd>' in html
    assert '<dd data-count="unmarked">1</dd>' in html
    assert html.index("Ada Lovelace") < html.index("Bela Bartok")


def test_times_are_those_of_the_course(
    class_session: ClassSession, course: Course, teacher: User, student: User
) -> None:
    Course.objects.update(time_zone="Asia/Kathmandu")
    course.refresh_from_db()
    outcome = check_in_by_token(
        student=student, token=links.current_token(class_session)
    )
    html = text_of(browser_of(teacher).get(live_page(class_session)))
    at = class_session.records.get().check_in_time
    assert at
    local = at.astimezone(course.zone)
    assert f'datetime="{outcome.record["check_in_time"]}">{local:%H:%M:%S}<' in html


def test_minutes_are_shown_of_who_is_late_by_any(
    course: Course, teacher: User, student: User, student2: User
) -> None:
    begun = make_session(course, starts_at=timezone.now() - timedelta(minutes=9))
    planned = make_session(course, starts_at=timezone.now() + timedelta(hours=1))
    for class_session, late in ((begun, "9 min"), (planned, "")):
        override_status(
            class_session=class_session,
            actor=teacher,
            student_id=student.pk,
            status="late",
            reason="Seen",
        )
        html = text_of(browser_of(teacher).get(live_page(class_session)))
        assert f'data-field="late">{late}</span>' in html.split("Bela Bartok")[0]
        record = class_session.records.get()
        own = text_of(browser_of(student).get(f"/me/records/{record.pk}/"))
        assert (" min<" in own) == bool(late)


def test_closed_session_shows_neither_code_nor_link(
    class_session: ClassSession, teacher: User
) -> None:
    close_class_session(class_session=class_session, actor=teacher)
    html = text_of(browser_of(teacher).get(live_page(class_session)))
    assert code_shown(html) == ""
    assert "/c/1" not in html
    assert 'id="share-link" readonly value=""' in html


def test_reasons_and_notes_are_escaped(
    class_session: ClassSession, teacher: User, student: User
) -> None:
    override_status(
        class_session=class_session,
        actor=teacher,
        student_id=student.pk,
        status="absent",
        reason="<script>alert(1)</script>",
        notes="</template><img src=x>",
    )
    html = text_of(browser_of(teacher).get(live_page(class_session)))
    assert "<script>alert" not in html
    assert "<img" not in html


def test_no_inline_script_or_style(class_session: ClassSession, teacher: User) -> None:
    response = browser_of(teacher).get(live_page(class_session))
    html = text_of(response)
    assert "default-src 'self'" in response["Content-Security-Policy"]
    assert " style=" not in html
    assert "<style" not in html
    for tag in re.findall(r"<script[^>]*>", html):
        assert " src=" in tag or 'type="application/json"' in tag
    assert not re.search(r"\son[a-z]+=", html)


def test_queries_do_not_grow_with_the_class(
    class_session: ClassSession, course: Course, teacher: User
) -> None:
    def queries() -> int:
        browser = browser_of(teacher)
        with CaptureQueriesContext(connection) as context:
            browser.get(live_page(class_session))
        return len(context)

    few = queries()
    make_students(course, 100)
    assert queries() == few


def test_projector_shows_nobodys_name(
    class_session: ClassSession, teacher: User, student: User
) -> None:
    html = text_of(browser_of(teacher).get(live_page(class_session, "project/")))
    assert code_shown(html) == class_session.verification_code
    assert student.name not in html
    assert teacher.name not in html
