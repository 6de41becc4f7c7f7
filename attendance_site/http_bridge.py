"""
HTTP of the one-process arrangement: the WSGI application in a few lasting threads.

Django's own ASGI handler starts a thread per request, and with it either a database
connection per request or connections that nobody closes (docs/decisions.md has the
figures). Here a request is read whole, answered whole in one thread of a small pool,
and written out: a thread never waits for the event loop, so neither a client that
breaks off nor a stop of the server can leave one hanging.
"""

from __future__ import annotations

import asyncio
import io
import sys
from collections.abc import Awaitable, Callable, Iterable, MutableMapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[dict[str, Any]]]
Send = Callable[[dict[str, Any]], Awaitable[None]]
Environ = dict[str, Any]
Headers = list[tuple[bytes, bytes]]


class HTTPBridge:
    """An ASGI application for HTTP around the WSGI application `app`."""

    def __init__(
        self, app: Callable[..., Iterable[bytes]], *, threads: int, max_body: int
    ) -> None:
        self._app = app
        self._max_body = max_body
        self._pool = ThreadPoolExecutor(threads, thread_name_prefix="http")

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        body, length = await self._read_body(receive)
        if body is None:
            return
        loop = asyncio.get_running_loop()
        status, headers, content = await loop.run_in_executor(
            self._pool, self._respond, environ_for(scope, body, length)
        )
        await send(
            {"type": "http.response.start", "status": status, "headers": headers}
        )
        await send({"type": "http.response.body", "body": content})

    async def _read_body(self, receive: Receive) -> tuple[bytes | None, int]:
        """
        The body and its true length; no body when the client has gone.

        Of a body over the limit only the length is kept: the middleware refuses it.
        """
        chunks: list[bytes] = []
        length = 0
        while True:
            message = await receive()
            if message["type"] == "http.disconnect":
                return None, 0
            chunk = message.get("body", b"")
            length += len(chunk)
            if length > self._max_body:
                chunks.clear()
            else:
                chunks.append(chunk)
            if not message.get("more_body", False):
                return b"".join(chunks), length

    def _respond(self, environ: Environ) -> tuple[int, Headers, bytes]:
        status = 500
        headers: Headers = []

        def start_response(
            line: str, pairs: list[tuple[str, str]], exc_info: Any = None
        ) -> None:
            nonlocal status, headers
            status = int(line.split(" ", 1)[0])
            headers = [
                (name.lower().encode("latin-1"), value.encode("latin-1"))
                for name, value in pairs
            ]

        chunks = self._app(environ, start_response)
        try:
            content = b"".join(chunks)
        finally:
            close = getattr(chunks, "close", None)
            if close is not None:
                close()
        return status, headers, content


def environ_for(scope: Scope, body: bytes, length: int) -> Environ:
    """The WSGI environment (PEP 3333) of an ASGI HTTP scope."""
    server = scope.get("server") or ("localhost", 80)
    client = scope.get("client") or ("", 0)
    environ: Environ = {
        "REQUEST_METHOD": scope["method"],
        "SCRIPT_NAME": "",
        "PATH_INFO": scope["path"].encode("utf-8", "surrogateescape").decode("latin-1"),
        # Latin-1, not ASCII: stray bytes are the application's to refuse.
        "QUERY_STRING": scope.get("query_string", b"").decode("latin-1"),
        "SERVER_PROTOCOL": f"HTTP/{scope['http_version']}",
        "SERVER_NAME": str(server[0]),
        "SERVER_PORT": str(server[1]),
        "REMOTE_ADDR": str(client[0]),
        "wsgi.version": (1, 0),
        "wsgi.url_scheme": scope.get("scheme", "http"),
        "wsgi.input": io.BytesIO(body),
        "wsgi.errors": sys.stderr,
        "wsgi.multithread": True,
        "wsgi.multiprocess": True,
        "wsgi.run_once": False,
    }
    for raw_name, raw_value in scope.get("headers", []):
        name, value = raw_name.decode("latin-1"), raw_value.decode("latin-1")
        if name == "content-type":
            environ["CONTENT_TYPE"] = value
        elif name != "content-length" and "_" not in name:
            # A name with an underscore could pass for another header's.
            key = "HTTP_" + name.upper().replace("-", "_")
            joint = "; " if name == "cookie" else ","
            environ[key] = f"{environ[key]}{joint}{value}" if key in environ else value
    environ["CONTENT_LENGTH"] = str(length)
    return environ
