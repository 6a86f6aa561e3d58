"""A newsroom's workspace and websites on loopback that answer as a test says."""

from __future__ import annotations

import html
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any

import pytest

from newsletter.app.desk import Desk, open_desk
from newsletter.workspace.create import create_demo
from tests.net.net_servers import say, serving

Route = bytes | int | tuple[int, bytes, dict[str, str]] | Callable[[BaseHTTPRequestHandler], None]


class Site:
    """A website: ``routes`` by path (without the query), as bytes, status, (status, body, headers) or function."""

    def __init__(self, server: Any) -> None:
        self.server = server
        self.routes: dict[str, Route] = {}

    def url(self, path: str = "/", host: str = "127.0.0.1") -> str:
        return f"http://{host}:{self.server.server_address[1]}{path}"

    @property
    def asked(self) -> list[str]:
        return [path for path, _ in self.server.seen]

    def headers(self, path: str) -> dict[str, str]:
        """The newest request's headers."""
        return next(headers for asked, headers in reversed(self.server.seen) if asked == path)

    def answer(self, handler: BaseHTTPRequestHandler) -> None:
        route = self.routes.get(handler.path.partition("?")[0], 404)
        if callable(route):
            route(handler)
        elif isinstance(route, int):
            say(handler, b"", route)
        elif isinstance(route, bytes):
            say(handler, route)
        else:
            status, body, headers = route
            say(handler, body, status, **headers)


@pytest.fixture
def new_site() -> Iterator[Callable[[], Site]]:
    with ExitStack() as stack:

        def start() -> Site:
            sites: list[Site] = []
            sites.append(Site(stack.enter_context(serving(lambda handler: sites[0].answer(handler)))))
            return sites[0]

        yield start


@pytest.fixture
def site(new_site: Callable[[], Site]) -> Site:
    return new_site()


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A workspace that may fetch from loopback."""
    root = create_demo(tmp_path / "ws").root
    config = root / "newsletter.toml"
    text = config.read_text(encoding="utf-8")
    changed = text.replace("[images]\n", '[images]\nallow_hosts = ["127.0.0.1", "localhost"]\n')
    assert changed != text
    config.write_text(changed, encoding="utf-8")
    return root


@pytest.fixture
def desk(root: Path) -> Iterator[Desk]:
    with open_desk(root) as opened:
        yield opened


def rss(*items: str, head: str = "") -> bytes:
    return f'<rss version="2.0"><channel><title>The Pier</title>{head}{"".join(items)}</channel></rss>'.encode()


def item(number: int, text: str = "Words of story {n}.", *, more: str = "", guid: bool = True) -> str:
    named = f'<guid isPermaLink="false">g{number}</guid>' if guid else ""
    text = html.escape(text.replace("{n}", str(number)))
    day, hour = divmod(number, 24)
    date = f"<pubDate>{1 + day % 25:02d} Nov 2026 {hour:02d}:00:00 GMT</pubDate>"
    head = f"<title>Story {number}</title><link>/s/{number}</link>{named}{date}"
    return f"<item>{head}<description>{text}</description>{more}</item>"
