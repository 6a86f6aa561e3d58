"""Listening, following saves, and stopping at once: the preview as a server."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import threading
import webbrowser
from collections.abc import AsyncIterator, Callable
from typing import TYPE_CHECKING
from urllib.parse import quote

from starlette.applications import Starlette

from newsletter.app.clients import check_client
from newsletter.app.preview import preview_issue, watched
from newsletter.errors import ConfigurationError
from newsletter.web.listening import listen
from newsletter.web.live import Live
from newsletter.web.pageserver import PageServer, url_of
from newsletter.web.preview import make_app
from newsletter.web.watching import follow

if TYPE_CHECKING:
    from newsletter.app.desk import Desk


class PreviewServer(PageServer):
    """The preview of one issue. The port is taken when the object is made; ``run_until_stopped()`` serves.

    Raises NotFound for an unknown issue, ConfigurationError when the port is taken.
    """

    def __init__(self, desk: Desk, slug: str, *, port: int = 0) -> None:
        root = desk.workspace.root
        self._watched = watched(desk, slug)
        listening = _listen(port, slug)
        self.url = url_of("127.0.0.1", listening)
        self.live = Live(lambda: preview_issue(root, slug))
        app = make_app(self.live, slug, root, lifespan=self._follow_saves)
        super().__init__(listening, app, log_level="error", timeout_graceful_shutdown=1)

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """End the event streams first: uvicorn waits for open answers, and those have no end of their own."""
        await self.live.close()
        await super().shutdown(sockets)

    @contextlib.asynccontextmanager
    async def _follow_saves(self, _: Starlette) -> AsyncIterator[None]:
        following = asyncio.create_task(follow(self._watched, self.live.rebuild, self._cannot_follow))
        yield
        following.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await following

    async def _cannot_follow(self, error: Exception) -> None:
        await self.live.fail(
            ConfigurationError(
                f"this machine does not let us see saves any more: {error}", fix="start the preview again"
            )
        )


def serve_preview(
    desk: Desk,
    slug: str,
    *,
    port: int,
    open_browser: bool,
    reader: str | None,
    client: str | None = None,
    say: Callable[[str], None],
) -> None:
    """Serve until Ctrl-C. Raises NotFound for an unknown issue, UsageProblem for an unknown client, ConfigurationError
    when the port is taken."""
    if client:
        check_client(client)
    server = PreviewServer(desk, slug, port=port)
    asked = [f"client={quote(client)}"] if client else []
    asked += [f"as={quote(reader, safe='@')}"] if reader else []
    url = server.url + (f"?{'&'.join(asked)}" if asked else "")
    say(f"Preview of {slug}: {url}")
    say("It follows every save. Ctrl-C stops it.")
    if open_browser:
        # The socket listens already: a browser that is quicker than the first build waits for it.
        threading.Thread(target=webbrowser.open, args=(url,), daemon=True).start()
    server.run_until_stopped()


def _listen(port: int, slug: str) -> socket.socket:
    fix = f"stop the other preview, or take any free port: newsletter preview {slug} --port 0"
    return listen("127.0.0.1", port, fix=fix)
