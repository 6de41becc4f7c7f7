import os

import pytest

from tests.browser.chromium import find_chromium

# Its helpers assert, too, and should say what was not equal.
pytest.register_assert_rewrite("tests.faults")
pytest_plugins = ["tests.cast", "tests.live", "tests.faults.table"]


def pytest_report_header() -> list[str]:
    fate = "fail, as CI is set" if os.environ.get("CI") else "are skipped"
    chromium = find_chromium() or f"none was found, so the browser tests {fate}"
    servers = os.environ["ATTENDANCE_TEST_SERVERS"]
    return [f"servers: {servers}", f"chromium: {chromium}"]
