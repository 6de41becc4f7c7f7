"""What PostgreSQL and SQLite answer differently, and the site must not."""

from __future__ import annotations

import re

import pytest

from attendance.models import User
from attendance.pages.urls import urlpatterns
from tests.cast import make_person
from tests.pages import browser_of

pytestmark = pytest.mark.usefixtures("either_database")

# One that just fits no 64 bits, and one that fits nothing.
LONG_IDS = [str(2**63), "9" * 25]
PAGES_WITH_IDS = [
    str(page.pattern) for page in urlpatterns if "_id>" in str(page.pattern)
]


@pytest.mark.parametrize("long_id", LONG_IDS)
def test_pages_with_long_ids_are_not_there(long_id: str) -> None:
    browser = browser_of(make_person("admin"))
    answers = {
        page: browser.get("/" + re.sub("<[^>]*_id>", long_id, page)).status_code
        for page in PAGES_WITH_IDS
    }
    assert len(answers) > 10
    assert answers == dict.fromkeys(PAGES_WITH_IDS, 404)


def test_people_are_found_by_id_as_by_the_orm() -> None:
    person = make_person("teacher")
    assert User.objects.get(pk=person.pk) == person
    assert User.objects.get(pk=str(person.pk)) == person
    for unknown in (person.pk + 1, 2**63, 10**30, -(10**30), None):
        with pytest.raises(User.DoesNotExist):
            User.objects.get(pk=unknown)
    with pytest.raises(ValueError, match="expected a number but got 'abc'"):
        User.objects.get(pk="abc")
