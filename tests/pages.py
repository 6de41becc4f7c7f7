"""What the tests of the pages share."""

from __future__ import annotations

from typing import Any

from django.contrib.messages import get_messages
from django.test import Client

from attendance.models import ClassSession, Course, User


def browser_of(user: User) -> Client:
    """A browser in which `user` has logged in."""
    client = Client()
    client.force_login(user)
    return client


def live_page(class_session: ClassSession, tail: str = "") -> str:
    return f"/class-sessions/{class_session.pk}/{tail}"


def course_page(course: Course, tail: str = "") -> str:
    return f"/courses/{course.pk}/{tail}"


def said(response: Any) -> list[str]:
    """The sentences that the response leaves for the next page."""
    return [str(message) for message in get_messages(response.wsgi_request)]


def text_of(response: Any) -> str:
    html: str = response.content.decode()
    return html
