"""The fixture of the fault suite: the school that its servers serve."""

from __future__ import annotations

import pytest

from tests.faults.school import School, make_school


@pytest.fixture
def school(transactional_db: None) -> School:
    """60 students of a course, whose class session has just been opened."""
    return make_school()
