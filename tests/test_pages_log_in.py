from __future__ import annotations

import pytest
from django.test import Client

from attendance.models import User
from tests.cast import API, PASSWORD, client_for
from tests.pages import browser_of, text_of

PATH = "/accounts/login/"


def log_in(username: str = "student", password: str = PASSWORD, **extra: str):
    client = Client()
    return client.post(PATH, {"username": username, "password": password, **extra})


def test_it_works(student: User) -> None:
    response = log_in()
    assert response.status_code == 302
    assert response["Location"] == "/"
    assert "sessionid" in response.cookies


def test_it_comes_back_to_where_one_was_going(student: User) -> None:
    assert log_in(next="/c/some-token/")["Location"] == "/c/some-token/"


@pytest.mark.parametrize(
    "next_page", ["https://example.com/", "//example.com", "javascript:alert(1)"]
)
def test_it_never_leads_elsewhere(student: User, next_page: str) -> None:
    assert log_in(next=next_page)["Location"] == "/"


def test_wrong_password(student: User) -> None:
    response = log_in(password="wrong")
    assert response.status_code == 200
    assert "User name or password is wrong." in text_of(response)


def test_deactivated_person_is_told_no_more_than_that(student: User) -> None:
    student.is_active = False
    student.save()
    response = log_in()
    assert response.status_code == 200
    assert "User name or password is wrong." in text_of(response)


def test_eleventh_attempt_within_a_minute_waits_even_when_right(student: User) -> None:
    for _ in range(10):
        assert log_in(password="wrong").status_code == 200
    response = log_in()
    assert response.status_code == 429
    assert 1 <= int(response["Retry-After"]) <= 60
    assert "Too many log-in attempts" in text_of(response)
    assert "sessionid" not in response.cookies


def test_the_limit_cannot_be_dodged_by_spelling(student: User) -> None:
    # The form strips and normalises: all of these are the same person.
    for name in ["student", " student", "student\t", "ｓtudent", "STUDENT"] * 2:
        assert log_in(name, "wrong").status_code == 200
    assert log_in().status_code == 429
    assert log_in("ｓｔudent ").status_code == 429


def test_others_at_the_same_address_are_not_held_up(
    student: User, student2: User
) -> None:
    for _ in range(11):
        log_in(password="wrong")
    assert log_in("student2").status_code == 302


@pytest.mark.parametrize("username", ["", "%00", "%FF", "%ED%A0%80", "x" * 10_000])
def test_strange_user_names_are_just_wrong(db: None, username: str) -> None:
    response = Client().post(
        PATH,
        f"username={username}&password=x",
        content_type="application/x-www-form-urlencoded",
    )
    assert response.status_code == 200


@pytest.mark.parametrize("query", ["", "?next=/accounts/login/", "?next=//evil"])
def test_who_is_logged_in_goes_on(student: User, query: str) -> None:
    response = browser_of(student).get(PATH + query)
    assert response.status_code in (200, 302)
    assert response.get("Location", "/") == "/"


NOWHERE = [
    "abc",
    "home",
    "%ff",
    "%C3%A9",
    "",
    ".",
    "me/",
    "courses",
    "%00",
    "%0A/",
    "\\\\evil",
]


@pytest.mark.parametrize("next_page", NOWHERE)
def test_a_next_page_that_is_no_path(student: User, next_page: str) -> None:
    response = browser_of(student).get(f"{PATH}?next={next_page}")
    if response.status_code != 400:
        assert (response.status_code, response["Location"]) == (302, "/")


@pytest.mark.parametrize("next_page", ["abc", "home", "é", "", "."])
def test_no_path_to_come_back_to(student: User, next_page: str) -> None:
    assert log_in(next=next_page)["Location"] == "/"


def test_who_is_logged_in_goes_on_to_where_it_was_going(student: User) -> None:
    response = browser_of(student).get(f"{PATH}?next=/c/some-token/")
    assert response["Location"] == "/c/some-token/"


def test_log_out_is_a_post(student: User) -> None:
    browser = browser_of(student)
    assert browser.get("/accounts/logout/").status_code == 405
    assert browser.post("/accounts/logout/")["Location"] == PATH
    assert browser.get("/me/").status_code == 302


def test_changing_the_password(student: User) -> None:
    browser = browser_of(student)
    new = "quite another 4711"
    response = browser.post(
        "/accounts/password/",
        {"old_password": PASSWORD, "new_password1": new, "new_password2": new},
        follow=True,
    )
    assert "Your password has been changed." in text_of(response)
    assert log_in(password=new).status_code == 302


def test_changing_the_password_revokes_the_api_tokens(
    student: User, student2: User
) -> None:
    client, another = client_for(student), client_for(student2)
    new = "quite another 4711"
    response = browser_of(student).post(
        "/accounts/password/",
        {"old_password": PASSWORD, "new_password1": new, "new_password2": new},
        follow=True,
    )
    assert "API tokens have been revoked" in text_of(response)
    assert client.get(f"{API}/attendance/").status_code == 401
    assert another.get(f"{API}/attendance/").status_code == 200


def test_changing_the_password_needs_the_old_one(student: User) -> None:
    response = browser_of(student).post(
        "/accounts/password/",
        {"old_password": "x", "new_password1": "a b c d 9", "new_password2": "x"},
    )
    assert response.status_code == 200
    assert log_in().status_code == 302
