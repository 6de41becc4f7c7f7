import threading
from datetime import datetime, timedelta

import pytest
from django.db import connection
from django.utils import timezone
from knox.models import AuthToken
from rest_framework.test import APIClient

from attendance.models import LogInAttempt, User
from tests.cast import API, PASSWORD, client_for, post_json, token_of

pytestmark = pytest.mark.django_db
PATH = f"{API}/auth/token/"
COURSES = f"{API}/courses/"


@pytest.fixture
def client():
    return APIClient()


def log_in(client, username="student", password=PASSWORD, **extra):
    return client.post(PATH, {"username": username, "password": password}, **extra)


def use(token, scheme="Bearer"):
    client = APIClient()
    client.credentials(HTTP_AUTHORIZATION=f"{scheme} {token}")
    return client.get(COURSES)


def assert_not_authenticated(answer):
    assert answer.status_code == 401
    assert answer.json()["code"] == "not_authenticated"
    assert set(answer.json()) == {"code", "detail"}
    assert answer["WWW-Authenticate"] == "Bearer"


def test_it_works(course, student, client):
    answer = log_in(client)
    assert answer.status_code == 200
    body = answer.json()
    assert set(body) == {"token", "expires_at"}
    assert datetime.fromisoformat(body["expires_at"]) > timezone.now()
    assert use(body["token"]).status_code == 200
    assert use(body["token"]).json()["count"] == 1


def test_the_scheme_is_read_without_case(student):
    assert use(token_of(student), scheme="bearer").status_code == 200


def test_only_a_hash_is_stored(student, client):
    token = log_in(client).json()["token"]
    (stored,) = AuthToken.objects.values_list("digest", "token_key")
    assert all(token not in value for value in stored)
    # What is kept in the clear is too little to guess the rest from.
    assert len(token) - len(stored[1]) >= 32


def test_every_log_in_has_its_own_token(student, client):
    tokens = {log_in(client).json()["token"] for _ in range(3)}
    assert len(tokens) == 3
    assert all(use(token).status_code == 200 for token in tokens)


def test_a_stale_token_sent_along_does_not_matter(student, client):
    assert log_in(client, HTTP_AUTHORIZATION="Bearer stale").status_code == 200


@pytest.mark.parametrize(
    ("username", "password"),
    [
        ("student", "wrong"),
        ("student", PASSWORD + " "),
        ("student", PASSWORD.upper()),
        ("nobody", PASSWORD),
        ("nobody", "wrong"),
        ("ſtudent", PASSWORD),
        ("x" * 150, "x" * 1000),
    ],
)
def test_wrong_credentials(username, password, student, client):
    answer = log_in(client, username, password)
    assert answer.status_code == 400
    assert answer.json() == {
        "code": "invalid_credentials",
        "detail": "User name or password is wrong.",
    }
    assert not AuthToken.objects.exists()


def test_a_deactivated_person_cannot_log_in(student, client):
    User.objects.filter(pk=student.pk).update(is_active=False)
    answer = log_in(client)
    assert (answer.status_code, answer.json()["code"]) == (400, "invalid_credentials")


@pytest.mark.parametrize(
    ("body", "wrong"),
    [
        ({}, {"username", "password"}),
        ({"username": "student"}, {"password"}),
        ({"username": "student", "password": ""}, {"password"}),
        ({"username": "student", "password": None}, {"password"}),
        ({"username": "student", "password": 1}, {"password"}),
        ({"username": "student", "password": [PASSWORD]}, {"password"}),
        ({"username": "student", "password": "a\0b"}, {"password"}),
        ({"username": "student", "password": "\ud800"}, {"password"}),
        ({"username": "student", "password": "x" * 1001}, {"password"}),
        ({"username": "", "password": "x"}, {"username"}),
        ({"username": None, "password": "x"}, {"username"}),
        ({"username": True, "password": "x"}, {"username"}),
        ({"username": {"a": 1}, "password": "x"}, {"username"}),
        ({"username": "a\0b", "password": "x"}, {"username"}),
        ({"username": "\udfff", "password": "x"}, {"username"}),
        ({"username": "x" * 151, "password": "x"}, {"username"}),
    ],
)
def test_what_makes_no_sense_is_invalid(body, wrong, student, client):
    answer = post_json(client, PATH, body)
    assert answer.status_code == 400
    assert answer.json()["code"] == "invalid"
    assert set(answer.json()["errors"]) == wrong


# Tokens that do not work ----------------------------------------------------------


def test_an_expired_token(student):
    token = token_of(student)
    AuthToken.objects.update(expiry=timezone.now() - timedelta(seconds=1))
    assert_not_authenticated(use(token))


def test_a_token_of_a_deactivated_person(student):
    token = token_of(student)
    User.objects.filter(pk=student.pk).update(is_active=False)
    assert_not_authenticated(use(token))


def test_a_token_that_is_none(student):
    token = token_of(student)
    for wrong in (
        token[:-1],
        token + "0",
        token.upper(),
        token[:15],
        "x",
        "ä",
        "x" * 9999,
    ):
        assert_not_authenticated(use(wrong))
    digest = AuthToken.objects.get().digest
    assert_not_authenticated(use(digest))


def test_revoking(student, client):
    token, other = token_of(student), token_of(student)
    client.credentials(HTTP_AUTHORIZATION=f"Bearer {token}")
    answer = client.delete(PATH)
    assert answer.status_code == 204
    assert answer.content == b""
    assert_not_authenticated(use(token))
    assert use(other).status_code == 200
    assert_not_authenticated(client.delete(PATH))


def test_revoking_needs_a_token(student, client):
    assert_not_authenticated(client.delete(PATH))
    client.force_login(student)
    assert_not_authenticated(client.delete(PATH))


def test_a_token_is_not_shown_again(student):
    answer = client_for(student).get(PATH)
    assert (answer.status_code, answer.json()["code"]) == (405, "method_not_allowed")


# Limits ---------------------------------------------------------------------------


def assert_throttled(answer):
    assert answer.status_code == 429
    assert answer.json() == {
        "code": "throttled",
        "detail": "Too many log-in attempts. Wait a minute and try again.",
    }
    assert 1 <= int(answer["Retry-After"]) <= 60


def test_ten_log_ins_a_minute(student, client):
    for number in range(10):
        password = PASSWORD if number % 2 else "wrong"
        assert log_in(client, password=password).status_code in (200, 400)
    # Neither right nor wrong.
    assert_throttled(log_in(client))
    assert_throttled(log_in(client, password="wrong"))


def test_the_limit_is_per_user_name_and_address_together(student, student2, client):
    for _ in range(10):
        log_in(client, password="wrong")
    assert_throttled(log_in(client))
    assert log_in(client, "student2").status_code == 200
    assert log_in(client, REMOTE_ADDR="192.0.2.7").status_code == 200


def test_the_limit_does_not_look_at_forwarded_addresses(student, client):
    for number in range(10):
        forwarded = f"192.0.2.{number}"
        log_in(client, password="wrong", HTTP_X_FORWARDED_FOR=forwarded)
    assert_throttled(log_in(client, HTTP_X_FORWARDED_FOR="192.0.2.99"))


def test_the_limit_cannot_be_dodged_by_case_or_spaces(student, client):
    for name in ["student", "STUDENT", " student", "ｓtudent "] * 3:
        answer = log_in(client, name, "wrong")
    assert_throttled(answer)


def test_a_whole_class_logs_in_from_one_address(client, db):
    for number in range(60):
        assert log_in(client, f"pupil{number}", "wrong").status_code == 400


def test_a_token_that_works_is_not_limited(student, client):
    token = token_of(student)
    for _ in range(11):
        log_in(client, password="wrong")
    assert use(token).status_code == 200


def test_a_minute_later_it_is_forgotten(student, client):
    for _ in range(12):
        log_in(client, password="wrong")
    LogInAttempt.objects.update(at=timezone.now() - timedelta(minutes=1))
    assert log_in(client).status_code == 200


def test_who_waits_as_told_gets_in(student, client):
    for _ in range(10):
        log_in(client, password="wrong")
    # The first was 50 seconds before the others.
    first = LogInAttempt.objects.earliest("pk")
    LogInAttempt.objects.filter(pk=first.pk).update(at=first.at - timedelta(seconds=50))
    answer = log_in(client)
    assert_throttled(answer)
    wait = int(answer["Retry-After"])
    assert wait <= 10
    # So long later: the same as if all had been so much earlier.
    for attempt in LogInAttempt.objects.all():
        attempt.at -= timedelta(seconds=wait)
        attempt.save()
    assert log_in(client).status_code == 200


def test_of_many_at_once_ten_are_looked_at(transactional_db, student):
    statuses = []

    def attempt():
        statuses.append(log_in(APIClient(), password="wrong").status_code)
        connection.close()

    threads = [threading.Thread(target=attempt) for _ in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(statuses) == [400] * 10 + [429] * 10
