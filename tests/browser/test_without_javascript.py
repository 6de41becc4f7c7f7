"""The story with JavaScript off: everything but the live updates."""

from __future__ import annotations

import re

from playwright.sync_api import expect

from attendance.models import Course, User
from tests.browser.conftest import OpenPage
from tests.browser.live_page import row_of, status_of


def test_the_story_without_javascript(
    course: Course,
    teacher: User,
    student: User,
    student2: User,
    open_page: OpenPage,
) -> None:
    desk = open_page(teacher, "/courses/", java_script_enabled=False)
    desk.get_by_role("button", name="Start class session").click()
    expect(desk.locator("#connection")).to_contain_text("Reload to see changes")
    live_url = desk.url

    link = desk.locator("#share-link").get_attribute("value") or ""
    phone = open_page(student, link, phone=True, java_script_enabled=False)
    phone.get_by_role("button", name="Check in").click()
    expect(
        phone.get_by_text("You are checked in to Math 101, on time.")
    ).to_be_visible()

    desk.reload()
    expect(status_of(desk, student)).to_have_text("Present")

    row_of(desk, student).get_by_role("link", name="Change").click()
    desk.get_by_text("Late", exact=True).click()
    desk.get_by_label("Reason").fill("Seen at ten")
    desk.get_by_role("button", name="Save").click()
    expect(desk).to_have_url(live_url)
    expect(desk.get_by_text("The mark has been saved.")).to_be_visible()
    expect(status_of(desk, student)).to_have_text("Late")
    row_of(desk, student).get_by_role("link", name="Ada Lovelace", exact=True).click()
    expect(desk.locator(".history")).to_contain_text("Seen at ten")

    desk.goto(live_url)
    desk.get_by_text("Mark several at once").click()
    row_of(desk, student2).get_by_role("checkbox").check()
    desk.locator("#bulk [name=operation]").select_option("mark_excused")
    desk.locator("#bulk [name=reason]").fill("Trip")
    desk.locator("#bulk button").click()
    expect(desk.get_by_text("1 student marked, 0 unchanged.")).to_be_visible()
    expect(status_of(desk, student2)).to_have_text("Excused")

    phone.goto("/me/")
    expect(phone.locator("#own")).to_contain_text(re.compile("1 late"))

    desk.get_by_text("Close session").click()
    desk.get_by_role("button", name="Close now").click()
    expect(desk.locator("#state")).to_have_text("Closed")
    desk.get_by_role("button", name="Reopen").click()
    expect(desk.locator("#state")).to_have_text("Open")
    expect(desk.locator(".digits")).to_have_text(re.compile(r"\d{3}\s\d{3}"))
