"""The whole story: teacher on a laptop, students on phones, everything live."""

from __future__ import annotations

import re

from django.contrib.auth.hashers import Argon2PasswordHasher, make_password
from playwright.sync_api import Page, expect

from attendance.models import Course, User
from tests.browser.conftest import OpenPage
from tests.browser.live_page import count, row_of, status_of, wait_live
from tests.cast import PASSWORD


def log_in_by_form(page: Page, user: User) -> None:
    # The site itself knows nothing of the tests' fast hasher.
    user.password = make_password(PASSWORD, hasher=Argon2PasswordHasher())
    user.save()
    page.get_by_label("User name").fill(user.username)
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Log in").click()


def test_the_story(
    course: Course,
    teacher: User,
    student: User,
    student2: User,
    open_page: OpenPage,
) -> None:
    # The teacher logs in and opens a class session with one click.
    desk = open_page(None, "/")
    log_in_by_form(desk, teacher)
    expect(desk).to_have_url(re.compile("/courses/$"))
    desk.get_by_role("button", name="Start class session").click()
    expect(desk).to_have_url(re.compile(r"/class-sessions/\d+/$"))
    wait_live(desk)
    expect(status_of(desk, student)).to_have_text("Unmarked")
    expect(count(desk, "unmarked")).to_have_text("2")

    # A student scans the QR code, has to log in, comes back and is checked in.
    link = desk.locator("#share-link").input_value()
    phone = open_page(None, link, phone=True)
    expect(phone).to_have_url(re.compile("/accounts/login/"))
    log_in_by_form(phone, student)
    expect(phone).to_have_url(re.compile(r"/me/records/\d+/$"))
    expect(
        phone.get_by_text("You are checked in to Math 101, on time.")
    ).to_be_visible()
    expect(phone.get_by_role("heading", name="Present")).to_be_visible()

    expect(status_of(desk, student)).to_have_text("Present")
    expect(row_of(desk, student)).to_contain_text("QR code")
    expect(desk.locator('[data-count="here"]')).to_have_text("1")

    # Another one types the six digits.
    digits = desk.locator(".digits").inner_text()
    assert re.fullmatch(r"\d{3}\s\d{3}", digits)
    other = open_page(student2, "/c/", phone=True)
    other.get_by_label("Type the six digits").fill(digits)
    other.get_by_role("button", name="Check in").click()
    expect(other).to_have_url(re.compile(r"/me/records/\d+/$"))

    expect(status_of(desk, student2)).to_have_text("Present")
    expect(row_of(desk, student2).locator(".cell-method")).to_have_text("Code")
    expect(count(desk, "present")).to_have_text("2")
    expect(count(desk, "unmarked")).to_have_text("0")

    # The teacher corrects one; the student's own page changes by itself.
    other.goto("/me/")
    wait_live(other)
    expect(other.locator("#own")).to_contain_text("1 present")
    row_of(desk, student2).get_by_role("link", name="Change").click()
    dialog = desk.get_by_role("dialog")
    dialog.get_by_text("Excused").click()
    dialog.get_by_label("Reason").fill("Left early")
    dialog.get_by_role("button", name="Save").click()
    expect(status_of(desk, student2)).to_have_text("Excused")
    expect(row_of(desk, student2)).to_contain_text("Left early")
    expect(other.locator("#own")).to_contain_text("1 excused")
    expect(other.locator("#own")).to_contain_text("Left early")

    # Both at once; the result page of the first student changes by itself, too.
    wait_live(phone)
    for person in (student, student2):
        row_of(desk, person).get_by_role("checkbox").check()
    expect(desk.locator("#picked")).to_have_text("2 selected")
    bulk = desk.locator("#bulk")
    bulk.get_by_label("as").select_option("Late")
    bulk.get_by_label("because").fill("Fire drill")
    bulk.get_by_role("button", name="Mark").click()
    expect(desk.locator("#messages")).to_contain_text("2 students marked, 0 unchanged.")
    expect(status_of(desk, student)).to_have_text("Late")
    expect(count(desk, "late")).to_have_text("2")
    expect(phone.locator("#own")).to_contain_text("Fire drill")
    expect(other.locator("#own")).to_contain_text("1 late")

    # A new code, then the end. The old link no longer works.
    desk.get_by_role("button", name="New code").click()
    expect(desk.locator(".digits")).not_to_have_text(digits)
    expect(desk.locator("#share-link")).to_have_attribute(
        "value", re.compile(r"/c/\d+\.2\.")
    )
    desk.get_by_text("Close session").click()
    desk.get_by_role("button", name="Close now").click()
    expect(desk.locator("#state")).to_have_text("Closed")
    expect(desk.get_by_text("You can still change marks")).to_be_visible()
    expect(desk.locator("#qr")).to_be_hidden()


def test_a_replaced_link_says_what_to_do(
    course: Course, teacher: User, student: User, open_page: OpenPage
) -> None:
    desk = open_page(teacher, "/courses/")
    desk.get_by_role("button", name="Start class session").click()
    link = desk.locator("#share-link").input_value()
    wait_live(desk)
    desk.get_by_role("button", name="New code").click()
    expect(desk.locator("#messages")).to_contain_text("There is a new code.")

    phone = open_page(student, link, phone=True, refusals=True)
    expect(phone.get_by_text("replaced by a newer one")).to_be_visible()
    phone.get_by_role("link", name="Type the six-digit code instead").click()
    expect(phone.get_by_label("Type the six digits")).to_be_focused()
