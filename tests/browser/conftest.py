import os
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.test import Client
from playwright.sync_api import (
    Browser,
    BrowserContext,
    ConsoleMessage,
    Page,
    sync_playwright,
)

from attendance.models import User
from tests.browser.chromium import find_chromium
from tests.interfaces import unchanged
from tests.servers import SiteServer

DESKTOP = {"viewport": {"width": 1280, "height": 800}}
PHONE = {
    "viewport": {"width": 390, "height": 844},
    "is_mobile": True,
    "has_touch": True,
}
# Far above what anything here takes; a test that waits this long has failed.
PATIENCE_MS = 6000

CHROMIUM_ARGUMENTS = [
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-gpu",
    "--disable-quic",
    "--disable-sync",
    "--no-first-run",
]


@pytest.fixture(scope="session", autouse=True)
def chromium_path() -> str:
    """Chromium's path. Without one the browser tests skip; under CI they fail."""
    path = find_chromium()
    if path is None:
        sentence = "no Chromium: install it, or set CHROMIUM to its path"
        if os.environ.get("CI"):
            pytest.fail(sentence)
        pytest.skip(sentence)
    return path


# Not for the whole session: while Playwright's synchronous API is in use an event
# loop counts as running in this thread, so that every asynchronous test would fail
# and the ORM refuses to work unless it is told that this is safe.
@pytest.fixture(scope="package")
def browser(chromium_path: str) -> Iterator[Browser]:
    arguments = list(CHROMIUM_ARGUMENTS)
    if os.geteuid() == 0:
        arguments.append("--no-sandbox")
    with pytest.MonkeyPatch.context() as patch, sync_playwright() as playwright:
        patch.setenv("DJANGO_ALLOW_ASYNC_UNSAFE", "1")
        chromium = playwright.chromium.launch(
            executable_path=chromium_path, args=arguments
        )
        yield chromium
        chromium.close()


@pytest.fixture(autouse=True)
def unchanged_addresses() -> Iterator[None]:
    with unchanged():
        yield


OpenPage = Callable[..., Page]


@pytest.fixture
def open_page(site: SiteServer, browser: Browser) -> Iterator[OpenPage]:
    """
    Opens a page in a browser of its own: `open_page(user, path, phone=True, ...)`.

    With a user that person has logged in. Any error that the page reports fails the
    test, except an answer of 4xx where `refusals=True` says that one is meant.
    """
    contexts: list[BrowserContext] = []
    problems: list[str] = []

    def open_page(
        user: User | None,
        path: str = "/",
        *,
        phone: bool = False,
        refusals: bool = False,
        **options: Any,
    ) -> Page:
        context = browser.new_context(
            base_url=site.url, **{**(PHONE if phone else DESKTOP), **options}
        )
        contexts.append(context)
        context.set_default_timeout(PATIENCE_MS)
        if user is not None:
            log_in(context, site, user)

        def on_console(message: ConsoleMessage) -> None:
            refused = ("Failed to load resource", "Unexpected response code: 403")
            meant = refusals and any(text in message.text for text in refused)
            if message.type == "error" and not meant:
                problems.append(message.text)

        context.on("console", on_console)
        context.on("weberror", lambda error: problems.append(str(error.error)))
        page = context.new_page()
        page.goto(path)
        return page

    yield open_page
    for context in contexts:
        context.close()
    assert problems == []


def log_in(context: BrowserContext, site: SiteServer, user: User) -> None:
    """Give the browser a session of `user`, without the form."""
    client = Client()
    client.force_login(user)
    cookie = client.cookies["sessionid"].value
    context.add_cookies([{"name": "sessionid", "value": cookie, "url": site.url}])
