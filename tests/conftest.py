import os

import pytest
import pytest_django
from django.db import connection

from attendance import append_only
from tests.browser.chromium import find_chromium
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


@pytest.fixture(scope="session")
def django_db_setup(
    django_db_setup: None, django_db_blocker: pytest_django.DjangoDbBlocker
) -> None:
    """Let the tests empty the history between them; nobody else can."""
    with django_db_blocker.unblock(), connection.cursor() as cursor:
        for table in append_only.TABLES:
            cursor.execute(f"DROP TRIGGER {table}_no_end ON {table}")
