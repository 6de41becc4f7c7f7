"""Programs that some tests need: without them a test skips, and fails under CI."""

import os
import shutil

import pytest

from tests.servers.nginx import find_nginx


def need(found: object, sentence: str) -> None:
    """Skip the test where nothing was `found`; where CI is set, fail it."""
    if found:
        return
    if os.environ.get("CI"):
        pytest.fail(sentence)
    pytest.skip(sentence)


def need_nginx() -> None:
    """For nginx and what the tests run it with: a certificate, and `rotate`."""
    need(find_nginx(), "no nginx: install the package nginx")
    programs = {
        "openssl": "openssl",
        "pgrep": "procps",
        "ps": "procps",
        "ss": "iproute2",
    }
    for program, package in programs.items():
        need(shutil.which(program), f"no {program}: install the package {package}")
