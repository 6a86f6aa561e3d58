"""The composer as a server: ``newsletter serve``."""

from __future__ import annotations

import threading
import webbrowser
from collections.abc import Callable
from typing import TYPE_CHECKING

from newsletter.app.people import refuse_open_desk
from newsletter.web.composer.app import Composer
from newsletter.web.composer.session import Sessions
from newsletter.web.listening import is_loopback, listen
from newsletter.web.pageserver import PageServer, hardened, url_of

if TYPE_CHECKING:
    import socket

    from newsletter.app.desk import Desk

MOST_CONNECTIONS = 200


class ComposerServer(PageServer):
    """The composer of a workspace. The port is taken when the object is made; ``run_until_stopped()`` serves.

    Raises ConfigurationError when the port is taken, and for a host that is not this machine's own unless people can
    sign in: whoever reached the port would be the editor.
    """

    def __init__(
        self,
        desk: Desk,
        *,
        host: str = "127.0.0.1",
        port: int = 0,
        say: Callable[[str], None] = lambda _: None,
        note: Callable[[str], None] = lambda _: None,
        ready: Callable[[], None] = lambda: None,
    ) -> None:
        composer = desk.config.composer
        self.keyed = is_loopback(host)
        if not self.keyed:
            refuse_open_desk(composer)
        self.public_url = composer.url if composer.people else None
        listening = listen(host, port, fix="stop what listens there, or take any free port: --port 0")
        self.url = url_of(host, listening)
        self.sessions = Sessions(lambda key: say(f"For another browser: {self.url}enter?key={key}"))
        self.composer = Composer(
            desk.workspace.root,
            self.sessions,
            port=listening.getsockname()[1],
            say=note,
            url=self.public_url,
            keyed=self.keyed,
        )
        options = hardened(connections=MOST_CONNECTIONS, patience=2)
        super().__init__(listening, self.composer.app(), ready=ready, **options)

    @property
    def entrance(self) -> str:
        """The address that signs one browser in, once."""
        return f"{self.url}enter?key={self.sessions.key}"

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """End the event streams first: uvicorn waits for open answers, and those have no end of their own."""
        await self.composer.close()
        await super().shutdown(sockets)


def serve_composer(
    desk: Desk,
    *,
    host: str,
    port: int,
    open_browser: bool,
    say: Callable[[str], None],
    note: Callable[[str], None],
) -> None:
    """Serve until Ctrl-C; ``say`` hears where, ``note`` what the operator should know."""
    name = desk.config.publication.name

    def ready() -> None:
        if server.public_url:
            say(f"People sign in at {server.public_url}")
        if not server.keyed:
            say(f"Composer of {name}, listening at {server.url}. Ctrl-C stops it; what was typed is in the files.")
            return
        say(f"Composer of {name}: {server.entrance}")
        say("The address works once. Ctrl-C stops the composer; what was typed is in the files.")
        if open_browser:
            threading.Thread(target=webbrowser.open, args=(server.entrance,), daemon=True).start()

    server = ComposerServer(desk, host=host, port=port, say=say, note=note, ready=ready)
    server.run_until_stopped()
