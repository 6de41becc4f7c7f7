"""Logs: for people in the demo, and otherwise JSON, one object a line."""

from __future__ import annotations

import logging
from typing import Any

from django.http import HttpRequest

from attendance import tracing
from attendance_site.tracing import route_of

FORMATS = ("json", "plain")
LEVELS = ("DEBUG", "INFO", "WARNING", "ERROR")


class TraceFilter(logging.Filter):
    """
    Puts the id of the current request on every record, and keeps secrets out.

    Django's own records hold the request and its path, and the path of a QR code is a
    token: they get the route in its place. Why a form was refused may go on with the
    whole address of the page that it came from, and is cut off before that.
    """

    def filter(self, record: logging.LogRecord) -> bool:
        if not hasattr(record, "request_id"):
            record.request_id = tracing.request_id()
        request = record.__dict__.pop("request", None)
        if isinstance(request, HttpRequest) and isinstance(record.args, tuple):
            route = route_of(request)
            record.args = tuple(
                route if arg == request.path else arg for arg in record.args
            )
        if record.name == "django.security.csrf" and isinstance(record.args, tuple):
            record.args = tuple(str(arg).partition(" - ")[0] for arg in record.args)
        return True


def logging_settings(format: str, level: str) -> dict[str, Any]:
    """Django's LOGGING; `level` is that of the project's own loggers."""
    own = {"level": level}
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "filters": {"trace": {"()": TraceFilter}},
        "formatters": {
            "plain": {
                "format": "%(asctime)s %(levelname)s %(name)s [%(request_id)s]: "
                "%(message)s"
            },
            "json": {
                "()": "pythonjsonlogger.json.JsonFormatter",
                "fmt": ("levelname", "name", "message"),
                "rename_fields": {"levelname": "level", "name": "logger"},
                "timestamp": "time",
            },
        },
        "handlers": {
            "console": {
                "class": "logging.StreamHandler",
                "formatter": format,
                "filters": ["trace"],
            }
        },
        "root": {"handlers": ["console"], "level": "WARNING"},
        "loggers": {
            # Refusals (4xx) are answers, not incidents.
            "django.request": {"level": "ERROR"},
            # Anybody can send any Host header, and each would log a traceback.
            "django.security.DisallowedHost": {"level": "CRITICAL"},
            # Without the handler and the format that gunicorn gives it.
            "gunicorn.error": {**own, "propagate": True},
            "attendance": own,
            "realtime": own,
            "attendance_site": own,
        },
    }
