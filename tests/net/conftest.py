"""Real HTTP servers on loopback, reached through ``allow_hosts``."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from tests.net.dns_server import dns_server  # noqa: F401 - a fixture

Answer = Callable[[BaseHTTPRequestHandler], None]


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    seen: list[Any]

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that hangs up is what several tests are about."""


@contextmanager
def serving(answer: Answer, *, wrap: Callable[[Any], Any] | None = None) -> Iterator[_Server]:
    """A server on 127.0.0.1 whose every GET is answered by ``answer``; ``seen`` collects (path, headers)."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            self.server.seen.append((self.path, dict(self.headers)))
            self.close_connection = True
            answer(self)

        def log_message(self, *_: object) -> None:
            pass

    server = _Server(("127.0.0.1", 0), Handler)
    server.seen = []
    if wrap is not None:
        server.socket = wrap(server.socket)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    try:
        yield server
    finally:
        server.shutdown()
        server.server_close()


def say(handler: BaseHTTPRequestHandler, body: bytes = b"", status: int = 200, **headers: str) -> None:
    """A complete answer; header names are written with underscores."""
    handler.send_response(status)
    names = {name.replace("_", "-").lower(): value for name, value in headers.items()}
    names.setdefault("content-length", str(len(body)))
    for name, value in names.items():
        handler.send_header(name, value)
    handler.end_headers()
    handler.wfile.write(body)


@pytest.fixture
def serve() -> Iterator[Callable[..., _Server]]:
    """Start servers that end with the test."""
    from contextlib import ExitStack

    with ExitStack() as stack:
        yield lambda answer, **options: stack.enter_context(serving(answer, **options))
