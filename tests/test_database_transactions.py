"""Transactions and cursors of our database backend, which begins them itself."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from django.db import connection, connections, transaction

from attendance.models import User

ALIAS = "asked_otherwise"


@pytest.fixture
def options(transactional_db: None) -> Iterator[dict[str, Any]]:
    """The driver's options for a second connection, named ALIAS."""
    other = connection.copy(alias=ALIAS)
    connections[ALIAS] = other
    try:
        yield other.settings_dict["OPTIONS"]
    finally:
        other.close()
        del connections[ALIAS]


@pytest.mark.parametrize("binding", [True, False])
def test_rows_can_be_locked_as_they_are_fetched(
    options: dict[str, Any], binding: bool
) -> None:
    """PostgreSQL refuses that to a cursor that would outlive its transaction."""
    options["server_side_binding"] = binding
    users = User.objects.using(ALIAS)
    for name in ("ada", "bob"):
        users.create(username=name)
    with transaction.atomic(using=ALIAS):
        locked = users.select_for_update().order_by("username")
        assert [user.username for user in locked.iterator(chunk_size=1)] == [
            "ada",
            "bob",
        ]


def test_a_cursor_outside_of_transactions_goes_on(options: dict[str, Any]) -> None:
    users = User.objects.using(ALIAS)
    for name in ("ada", "bob"):
        users.create(username=name)
    names = users.order_by("username").values_list("username", flat=True)
    assert list(names.iterator(chunk_size=1)) == ["ada", "bob"]


@pytest.mark.parametrize("level", ["read committed", "repeatable read", "serializable"])
def test_transactions_are_isolated_as_asked(
    options: dict[str, Any], level: str
) -> None:
    numbers = {"repeatable read": 3, "serializable": 4}
    if level in numbers:  # else nothing is asked: PostgreSQL's own choice
        options["isolation_level"] = numbers[level]
    for _ in range(2):
        with transaction.atomic(using=ALIAS):
            with connections[ALIAS].cursor() as cursor:
                cursor.execute("SHOW transaction_isolation")
                assert cursor.fetchone() == (level,)
