"""System checks: settings that are only good for the demo, or contradict each other."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, Error, register

from attendance_site.startup import PRODUCTION


@register(PRODUCTION, deploy=True)
def demo_settings(**_: Any) -> list[CheckMessage]:
    """Each setting of the demo that production must replace, as an error."""
    findings: list[CheckMessage] = []

    def refuse(number: int, message: str, hint: str) -> None:
        findings.append(Error(message, hint=hint, id=f"attendance_site.E{number:03}"))

    if settings.DEMO:
        refuse(1, "These are the demo's settings.", "Unset ATTENDANCE_DEMO.")
    if not settings.SECRET_KEY_IS_OWN or len(settings.SECRET_KEY) < 50:
        refuse(
            2,
            "The secret key is the demo's or too short.",
            "Set DJANGO_SECRET_KEY to at least 50 random characters, "
            "the same for all processes.",
        )
    if settings.DEBUG:
        refuse(3, "DEBUG is on.", "Unset DJANGO_DEBUG.")
    if not settings.ALLOWED_HOSTS or "*" in settings.ALLOWED_HOSTS:
        refuse(
            4,
            "Every host name is allowed, or none.",
            "Set DJANGO_ALLOWED_HOSTS to the names under which the site is reached.",
        )
    if not settings.REDIS_URL:
        refuse(
            5,
            "The channel layer is in memory: a second process would hear nothing.",
            "Set REDIS_URL.",
        )
    if settings.DATABASES["default"]["ENGINE"].endswith("sqlite3"):
        refuse(
            6,
            "The database is SQLite, which has one writer.",
            "Set DATABASE_URL to a PostgreSQL database.",
        )
    return findings


@register(PRODUCTION, deploy=True)
def contradictions(**_: Any) -> list[CheckMessage]:
    """Settings of which one undoes the other, as errors."""
    findings: list[CheckMessage] = []
    if settings.DATABASE_POOLER:
        # They belong to one connection, and a pooler hands out another each time. By
        # the URL: what became of its options is of the settings' own making.
        given = settings.DATABASE_URL_OPTIONS
        kept = [name for name in ("options", "prepare_threshold") if name in given]
        if kept:
            findings.append(
                Error(
                    f"DATABASE_URL has {' and '.join(kept)}: a pooler keeps no such.",
                    hint="Take it out of DATABASE_URL, or unset "
                    "ATTENDANCE_DATABASE_POOLER.",
                    id="attendance_site.E007",
                )
            )
    if settings.SECURE_HSTS_SECONDS and not settings.HTTPS:
        findings.append(
            Error(
                "Browsers are told to insist on HTTPS, and cookies go without it.",
                hint="Set ATTENDANCE_HTTPS=1, or unset ATTENDANCE_HSTS_SECONDS.",
                id="attendance_site.E008",
            )
        )
    return findings
