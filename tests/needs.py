"""Programs that some tests need: without them a test skips, and fails under CI."""

import os

import pytest


def need(found: object, sentence: str) -> None:
    """Skip the test where nothing was `found`; where CI is set, fail it."""
    if found:
        return
    if os.environ.get("CI"):
        pytest.fail(sentence)
    pytest.skip(sentence)
