"""The history as in production: nobody can empty it, and the upgrade seals it."""

import pytest

from tests.servers import SiteServer, new_database


@pytest.fixture(scope="module")
def school():
    """A site on a database with a demo school, guarded whole as in production."""
    with new_database() as url:
        site = SiteServer(env={"DATABASE_URL": url})
        site.manage("migrate", "--no-input", "-v0")
        site.manage("seed_demo", "--json", "--students", "8")
        yield site


def test_the_history_cannot_be_emptied(school):
    written = school.manage("verify_history")
    with pytest.raises(AssertionError, match="couldn't be flushed"):
        school.manage("flush", "--no-input")
    assert school.manage("verify_history") == written
    assert "all as written" in written


def test_a_history_from_before_is_sealed_by_the_upgrade(school):
    # Back to when there was neither seal nor source, and forward again.
    school.manage("migrate", "attendance", "0001", "-v0")
    school.manage("migrate", "--no-input", "-v0")
    verified = school.manage("verify_history")
    assert "all as written" in verified
    assert " 0 events" not in verified
