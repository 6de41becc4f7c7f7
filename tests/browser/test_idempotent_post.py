"""What a teacher sends is sent again, under the same key, until its fate is known."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page, Route, expect

from attendance.models import ClassSession, User
from tests.browser.conftest import OpenPage
from tests.browser.live_page import live_path, row_of, status_of, wait_live

OVERRIDE = "**/api/v1/class-sessions/*/override/"
BULK = "**/api/v1/class-sessions/*/bulk/"


def override(page: Page, student: User) -> None:
    row_of(page, student).get_by_role("link", name="Change").click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_label("Excused").check()
    dialog.get_by_label("Reason").fill("Doctor's note")
    dialog.get_by_role("button", name="Save").click()


def mark_unmarked(page: Page) -> None:
    """Everyone still unmarked becomes excused, by the bulk form."""
    page.locator("#bulk-panel > summary").click()
    form = page.locator("#bulk")
    form.locator("[name=scope]").select_option("unmarked")
    form.locator("[name=operation]").select_option("mark_excused")
    form.locator("[name=reason]").fill("Trip")
    form.get_by_role("button", name="Mark").click()


def keys_of(routes: list[Route]) -> list[str | None]:
    return [route.request.headers.get("idempotency-key") for route in routes]


def test_a_lost_answer_is_asked_for_again(
    class_session: ClassSession, teacher: User, student: User, open_page: OpenPage
) -> None:
    page = open_page(teacher, live_path(class_session), refusals=True)
    wait_live(page)
    sent: list[Route] = []

    def lose_the_first_answer(route: Route) -> None:
        sent.append(route)
        if len(sent) == 1:
            route.fetch()
            route.abort()
        else:
            route.continue_()

    page.route(BULK, lose_the_first_answer)
    mark_unmarked(page)
    said = page.locator("#messages .message[data-level=success]")
    # The first answer, not what a second bulk mark would have found to do.
    expect(said).to_contain_text("2 students marked, 0 unchanged.")
    expect(status_of(page, student)).to_have_text("Excused")
    first, second = keys_of(sent)
    assert first == second
    assert first is not None and len(first) >= 32
    assert class_session.records.get(student=student).version == 1

    # Another click is another request.
    said.evaluate("(message) => message.remove()")
    page.locator("#bulk [name=reason]").fill("Trip")
    page.get_by_role("button", name="Mark", exact=True).click()
    expect(said).to_contain_text("unchanged")
    assert keys_of(sent)[2] not in (None, first)


@pytest.mark.parametrize(
    "answer",
    [
        {"status": 502, "body": "<h1>Bad gateway</h1>"},
        {"status": 503, "json": {"code": "unavailable", "detail": "Not now."}},
        {"status": 409, "json": {"code": "request_in_progress", "detail": "Wait."}},
    ],
)
def test_an_answer_that_decides_nothing_is_no_answer(
    answer: dict[str, object],
    class_session: ClassSession,
    teacher: User,
    student: User,
    open_page: OpenPage,
) -> None:
    page = open_page(teacher, live_path(class_session), refusals=True)
    wait_live(page)
    sent: list[Route] = []

    def decide_late(route: Route) -> None:
        sent.append(route)
        if len(sent) < 2:
            route.fulfill(**answer)  # type: ignore[arg-type]
        else:
            route.continue_()

    page.route(OVERRIDE, decide_late)
    override(page, student)
    expect(status_of(page, student)).to_have_text("Excused")
    assert len(sent) == 2
    assert len(set(keys_of(sent))) == 1


def test_it_gives_up_and_claims_nothing(
    class_session: ClassSession, teacher: User, student: User, open_page: OpenPage
) -> None:
    page = open_page(teacher, "/courses/", refusals=True)
    page.clock.install()
    page.goto(live_path(class_session))
    wait_live(page)
    sent: list[Route] = []

    def lose(route: Route) -> None:
        sent.append(route)
        route.abort()

    page.route(OVERRIDE, lose)
    override(page, student)
    problem = page.locator("#override-error")
    for _ in range(10):
        page.clock.run_for(1500)
        if problem.is_visible():
            break
    expect(problem).to_contain_text("may or may not have been done")
    assert len(sent) > 2
    assert len(set(keys_of(sent))) == 1
    # The form can be sent again.
    page.unroute(OVERRIDE)
    page.get_by_role("dialog").get_by_role("button", name="Save").click()
    expect(status_of(page, student)).to_have_text("Excused")


def test_a_refusal_is_final(
    class_session: ClassSession, teacher: User, student: User, open_page: OpenPage
) -> None:
    page = open_page(teacher, live_path(class_session), refusals=True)
    wait_live(page)
    sent: list[Route] = []

    def refuse(route: Route) -> None:
        sent.append(route)
        refusal = {"code": "version_conflict", "detail": "Somebody was faster."}
        route.fulfill(status=409, json=refusal)

    page.route(OVERRIDE, refuse)
    override(page, student)
    expect(page.locator("#override-error")).to_contain_text("Somebody was faster.")
    assert len(sent) == 1


def test_the_operation_to_undo_is_at_hand(
    class_session: ClassSession, teacher: User, open_page: OpenPage
) -> None:
    page = open_page(teacher, live_path(class_session))
    page.route(
        OVERRIDE,
        lambda route: route.fulfill(json={"id": 1}, headers={"Operation-Id": "abc"}),
    )
    answer = page.evaluate(
        """async (path) => {
          const { post, postJSON } = await import("/static/js/api.js");
          return [await post(path, {}, "t"), await postJSON(path, {}, "t")];
        }""",
        f"/api/v1/class-sessions/{class_session.pk}/override/",
    )
    assert answer == [{"body": {"id": 1}, "operationId": "abc"}, {"id": 1}]
