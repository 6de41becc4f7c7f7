"""Times as PostgreSQL writes them, and as they are read."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from django.db import DataError, connection

pytestmark = pytest.mark.django_db


def read(time: str) -> Any:
    with connection.cursor() as cursor:
        cursor.execute("SELECT %s::timestamptz", [time])
        (found,) = cursor.fetchone()
    return found


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("2026-09-01 09:03:11+00", datetime(2026, 9, 1, 9, 3, 11, tzinfo=UTC)),
        ("2026-09-01 09:03:11.5+02", datetime(2026, 9, 1, 7, 3, 11, 500000, UTC)),
        ("2026-09-01 09:03:11.000012", datetime(2026, 9, 1, 9, 3, 11, 12, UTC)),
        ("2026-09-01 00:00+05:45", datetime(2026, 8, 31, 18, 15, tzinfo=UTC)),
        ("0001-01-01 00:00+00", datetime(1, 1, 1, tzinfo=UTC)),
        ("9999-12-31 23:59:59.999999+00", datetime.max.replace(tzinfo=UTC)),
    ],
)
def test_they_are_the_same_moment_in_utc(written: str, meant: datetime) -> None:
    found = read(written)
    assert found == meant
    assert found.tzinfo is UTC


def test_none_stays_none() -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT NULL::timestamptz")
        assert cursor.fetchone() == (None,)


@pytest.mark.parametrize("written", ["infinity", "0044-03-15 BC", "10000-01-01"])
def test_what_python_has_no_time_for_is_refused_as_such(written: str) -> None:
    with pytest.raises(DataError, match="timestamp too"):
        read(written)
