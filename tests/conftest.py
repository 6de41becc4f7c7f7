import os
from collections.abc import Iterator
from pathlib import Path

import pytest
import pytest_django
from django.db import transaction
from django.test import TransactionTestCase

from tests.browser.chromium import find_chromium
from tests.emptying import emptying
from tests.servers.nginx import find_nginx
from tests.servers.pgbouncer import find_pgbouncer

# Its helpers assert, too, and should say what was not equal.
pytest.register_assert_rewrite("tests.faults")
pytest_plugins = [
    "tests.cast",
    "tests.live",
    "tests.inside",
    "tests.databases",
    "tests.faults.table",
]


def pytest_report_header() -> list[str]:
    fate = "fail, as CI is set" if os.environ.get("CI") else "are skipped"
    programs = {
        "chromium": find_chromium(),
        "nginx": find_nginx(),
        "pgbouncer": find_pgbouncer(),
    }
    missing = f"none was found, so the tests that need it {fate}"
    servers = os.environ["ATTENDANCE_TEST_SERVERS"]
    found = [f"{name}: {path or missing}" for name, path in programs.items()]
    return [f"servers: {servers}", *found]


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """
    Order the files so that those with servers, browsers and waiting come first.

    Those whose tests are all rolled back are short: they keep every worker busy to the
    end. It is the other way round in pytest-django, for tests that commit and leave
    the database without the migrations' rows; here they do not.
    """
    first: dict[Path, int] = {}
    slow: set[Path] = set()
    for index, item in enumerate(items):
        first.setdefault(item.path, index)
        fixtures = set(getattr(item, "fixturenames", ()))
        marker = item.get_closest_marker("django_db")
        commits = marker is not None and marker.kwargs.get("transaction", False)
        rolled_back = marker is not None or "db" in fixtures
        if commits or "transactional_db" in fixtures or not rolled_back:
            slow.add(item.path)
    items.sort(key=lambda item: (item.path not in slow, first[item.path]))


@pytest.fixture(scope="session")
def django_db_setup(
    django_db_setup: None, django_db_blocker: pytest_django.DjangoDbBlocker
) -> Iterator[None]:
    """The tests' database, emptied in our own way after each test that commits."""
    with django_db_blocker.unblock():
        empty = emptying()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(TransactionTestCase, "_fixture_teardown", lambda _: empty())
        yield


@pytest.fixture(scope="module")
def module_db(
    django_db_setup: None, django_db_blocker: pytest_django.DjangoDbBlocker
) -> Iterator[None]:
    """
    The database, for fixtures that make what all tests of a file begin with.

    Each test takes back only what it did itself; all else goes after the file's last.
    Not for files with tests that commit.
    """
    with django_db_blocker.unblock(), transaction.atomic():
        yield
        transaction.set_rollback(True)
