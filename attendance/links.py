"""The address that a QR code carries."""

from __future__ import annotations

from attendance import codes
from attendance.models import ClassSession


def check_in_path(class_session: ClassSession) -> str:
    """The path of the student's page for the session's current token."""
    return f"/c/{current_token(class_session)}/"


def current_token(class_session: ClassSession) -> str:
    """The token that a student may check in with now."""
    return codes.make_token(class_session.pk, class_session.code_generation)
