"""The public pages as a server: ``newsletter serve --public``."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from newsletter.app.publicdesk import PublicDesk
from newsletter.web.listening import is_loopback, listen
from newsletter.web.pageserver import PageServer, hardened, url_of
from newsletter.web.public import make_app

if TYPE_CHECKING:
    from newsletter.app.desk import Desk

MOST_CONNECTIONS = 500
"""More are told to come back (503): a process may have 1,024 files open on most systems."""


class PublicServer(PageServer):
    """The public pages of a workspace. The port is taken when the object is made; ``run_until_stopped()`` serves.

    Raises ConfigurationError when the port is taken, the configuration is wrong or keys are missing, and whatever the
    database has against being opened: a page that could not unsubscribe anybody does not start.
    """

    def __init__(
        self,
        desk: Desk,
        *,
        host: str = "127.0.0.1",
        port: int = 0,
        say: Callable[[str], None],
        ready: Callable[[], None] = lambda: None,
    ) -> None:
        _ = desk.keys, desk.store  # a fresh workspace gets both here, and a newer database form
        public = PublicDesk(desk.workspace)
        _ = public.look, public.keys, public.store
        fix = "stop what listens there, or choose another port: --port 0 takes any"
        listening = listen(host, port, fix=fix)
        self.url = url_of(host, listening)
        options = hardened(connections=MOST_CONNECTIONS, patience=20)
        super().__init__(listening, make_app(public, say), ready=ready, **options)


def serve_public(desk: Desk, *, host: str, port: int, say: Callable[[str], None], note: Callable[[str], None]) -> None:
    """Serve until SIGTERM or Ctrl-C; ``say`` hears where, ``note`` what the operator should know."""
    site = desk.config.site.url

    def ready() -> None:
        say(f"Public pages of {desk.config.publication.name}: {server.url}" + (f" for {site}" if site else ""))

    server = PublicServer(desk, host=host, port=port, say=note, ready=ready)
    if not site:
        note("There is no site.url in newsletter.toml yet: no mail links to these pages.")
    if not is_loopback(host):
        note(f"Whoever can reach {host} on this port can use the pages without https: put a web server before them.")
    server.run_until_stopped()
