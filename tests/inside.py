"""Streams in the test's own process: for what must happen at a certain moment.

Everything is real but the server: PostgreSQL, Redis, the hub and the consumers. A test
that asks for `inside` can patch, hold back and count what a process of its own hides.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import threading
from collections.abc import AsyncIterator, Callable, Iterator
from typing import Any

import pytest
import pytest_asyncio
from asgiref.testing import ApplicationCommunicator
from channels.layers import get_channel_layer
from django.conf import settings
from django.db import connections
from django.db.backends.utils import CursorWrapper

from attendance.models import User
from attendance.publisher import Publication, publisher
from realtime.database import in_thread
from realtime.routing import websocket_application
from tests.cast import token_of
from tests.live import Frame

# Far above what a frame takes, and below the first heartbeat where one comes every 9 s.
SOON = 4.0


class InsideStream:
    """One socket, with the methods of tests.live.Stream as coroutines."""

    def __init__(self, communicator: ApplicationCommunicator) -> None:
        self._communicator = communicator

    async def receive(self, timeout: float = SOON) -> Frame:
        output = await self._communicator.receive_output(timeout)
        assert output["type"] == "websocket.send", output
        frame: Frame = json.loads(output["text"])
        return frame

    async def next(self, timeout: float = SOON) -> Frame:
        """The next frame that is not a heartbeat."""
        while True:
            frame = await self.receive(timeout)
            if frame["type"] != "heartbeat":
                return frame

    async def heartbeat(self, timeout: float = SOON) -> Frame:
        """The next heartbeat; anything else on the way is passed over."""
        while True:
            frame = await self.receive(timeout)
            if frame["type"] == "heartbeat":
                return frame

    async def close_code(self, timeout: float = SOON) -> int:
        """The code with which the stream ends, which it does next."""
        output = await self._communicator.receive_output(timeout)
        assert output["type"] == "websocket.close", output
        return int(output["code"])

    async def send(self, frame: Any) -> None:
        text = json.dumps(frame)
        await self._communicator.send_input({"type": "websocket.receive", "text": text})


class Inside:
    """Opens sockets in this process, and makes changes as another process would."""

    def __init__(self) -> None:
        self._open: list[ApplicationCommunicator] = []

    async def open(
        self, path: str, user: User, *, session_key: str | None = None
    ) -> InsideStream:
        """A socket at `path` below /ws/: by a log-in session, or a token of `user`."""
        if session_key is None:
            token = await self.do(token_of, user)
            headers = [(b"authorization", f"Bearer {token}".encode())]
        else:
            headers = [
                (b"cookie", f"sessionid={session_key}".encode()),
                (b"host", b"localhost"),
                (b"origin", b"http://localhost"),
            ]
        path, _, query = path.partition("?")
        # Not the communicator of channels, which has no connection closed meanwhile.
        communicator = ApplicationCommunicator(
            websocket_application,
            {
                "type": "websocket",
                "path": f"/ws/{path}",
                "query_string": query.encode(),
                "headers": headers,
            },
        )
        await communicator.send_input({"type": "websocket.connect"})
        answer = await communicator.receive_output(SOON)
        assert answer["type"] == "websocket.accept"
        self._open.append(communicator)
        return InsideStream(communicator)

    async def do(self, function: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
        """Call a service in a thread; what it publishes has been sent when it ends."""
        result = await in_thread(function, *args, **kwargs)
        assert await asyncio.to_thread(publisher.flush)
        return result

    async def close(self) -> None:
        for communicator in self._open:
            # A frame that did not come has ended it.
            if not communicator.future.done():
                await communicator.send_input(
                    {"type": "websocket.disconnect", "code": 1000}
                )
                await communicator.wait(SOON)
        # Each thread once: a query that nobody waits for any more may be under way,
        # and its connection would outlive the test.
        all_threads = threading.Barrier(settings.STREAM_DATABASE_THREADS)
        await asyncio.gather(
            *(in_thread(all_threads.wait, SOON) for _ in range(all_threads.parties))
        )
        await get_channel_layer().flush()


@pytest_asyncio.fixture
async def inside(
    transactional_db: None, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[Inside]:
    """Streams here, whose heartbeats come too late to heal anything within `SOON`."""
    settings.STREAM_HEARTBEAT_SECONDS = 9
    # The streams' threads outlive the test; their connections must not.
    monkeypatch.setitem(connections.settings["default"], "CONN_MAX_AGE", 0)
    here = Inside()
    try:
        yield here
    finally:
        await here.close()


class Doorbell:
    """Holds back what would be published; `ring` publishes."""

    def __init__(self, submit: Callable[[Publication], None]) -> None:
        self._submit = submit
        self.held: list[Publication] = []

    def hold(self, publication: Publication) -> None:
        self.held.append(publication)

    def held_for(self, group: str) -> list[Publication]:
        """Those for one group, oldest first."""
        return [held for held in self.held if held.group == group]

    async def ring(self, *publications: Publication) -> None:
        """Publish these, and wait until that is done."""
        for publication in publications:
            self._submit(publication)
        assert await asyncio.to_thread(publisher.flush)


@pytest.fixture
def doorbell(monkeypatch: pytest.MonkeyPatch) -> Doorbell:
    """Nothing is published but what the test rings."""
    bell = Doorbell(publisher.submit)
    monkeypatch.setattr(publisher, "submit", bell.hold)
    return bell


@contextlib.contextmanager
def statements(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[str]]:
    """The SQL that any thread of this process executes."""
    seen: list[str] = []
    lock = threading.Lock()
    execute = CursorWrapper.execute

    def recording(self: CursorWrapper, sql: Any, params: Any = None) -> Any:
        with lock:
            seen.append(str(sql))
        return execute(self, sql, params)

    with monkeypatch.context() as patch:
        patch.setattr(CursorWrapper, "execute", recording)
        yield seen
