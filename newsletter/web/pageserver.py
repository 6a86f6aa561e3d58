"""What our web servers have in common: a port taken beforehand, an orderly start, an orderly end."""

from __future__ import annotations

import contextlib
import socket
from collections.abc import Callable
from typing import Any

import uvicorn
from starlette.types import ASGIApp

from newsletter.web.hardening import HEAD_BYTES, HEAD_SECONDS, Impatient


class PageServer(uvicorn.Server):
    """Serves ``app`` on a socket that listens already; ``url`` is where. ``ready`` is called once it can be stopped."""

    def __init__(
        self, listening: socket.socket, app: ASGIApp, *, ready: Callable[[], None] = lambda: None, **options: Any
    ) -> None:
        self._listening = listening
        self._ready = ready
        super().__init__(
            uvicorn.Config(app, lifespan="on", ws="none", access_log=False, server_header=False, **options)
        )

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Start, and only then say so: a Ctrl-C that comes before would find nobody to stop in order."""
        await super().startup(sockets=sockets)
        if self.started:
            self._ready()

    def run_until_stopped(self) -> None:
        """Serve. SIGTERM and Ctrl-C are the ordinary ends: what was begun is answered first."""
        with self._listening, contextlib.suppress(KeyboardInterrupt):
            self.run(sockets=[self._listening])

    def stop(self) -> None:
        """End ``run_until_stopped`` from another thread."""
        self.should_exit = True


def hardened(*, connections: int, patience: int) -> dict[str, Any]:
    """Options for a server that strangers reach: so many ``connections``, ``patience`` seconds to finish at the end."""
    return {
        "http": Impatient,
        "log_level": "critical",
        "proxy_headers": False,
        "h11_max_incomplete_event_size": HEAD_BYTES,
        "limit_concurrency": connections,
        "timeout_keep_alive": int(HEAD_SECONDS),
        "timeout_graceful_shutdown": patience,
    }


def url_of(host: str, listening: socket.socket) -> str:
    """The address of what listens there, with a final slash."""
    return f"http://{f'[{host}]' if ':' in host else host}:{listening.getsockname()[1]}/"
