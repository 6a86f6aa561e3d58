"""Composers that really listen, on copies of the sample workspace, and a browser's page on one."""

from __future__ import annotations

import contextlib
import http.client
import http.server
import json
import re
import shutil
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
from playwright.sync_api import Browser, Page, expect

from newsletter.app.articles import add_article
from newsletter.app.desk import open_desk
from newsletter.app.preview import preview_issue
from newsletter.audience import subscribers
from newsletter.web.composer.server import ComposerServer
from newsletter.workspace.create import create_demo

ISSUE = "2026-11-27"
READER = "zoë+weekly@readers.test"
INBOX = {
    "herons": "# Herons nest on the gasworks\n\nTwelve pairs have built on the old frame, the wardens say.\n",
    "bakery": "# The bakery opens at four\n\nOnly the fishing crews know why, and they are not telling.\n",
}


@pytest.fixture
def last_sunday() -> Callable[[int], str]:
    """The last Sunday of a month (of 31 days) of next year, ISO: in March and October London's clocks change."""

    def found(month: int) -> str:
        day = date(date.today().year + 1, month, 31)
        return (day - timedelta(days=day.isoweekday() % 7)).isoformat()

    return found


@dataclass(frozen=True)
class Answer:
    """What the composer answered."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def text(self) -> str:
        return self.body.decode()

    @property
    def json(self) -> Any:
        return json.loads(self.body)


@dataclass
class Served:
    """A composer in a thread of this process; ``said`` is what the terminal shows."""

    server: ComposerServer
    root: Path
    said: list[str]
    cookie: str = ""
    _lock: threading.Lock = field(default_factory=threading.Lock)

    @property
    def url(self) -> str:
        return self.server.url

    @property
    def host(self) -> str:
        return self.url.removeprefix("http://").rstrip("/")

    @property
    def issue(self) -> Path:
        return self.root / "issues" / ISSUE

    def ask(
        self, method: str, path: str, body: bytes | str | None = None, *, known: bool = True, **headers: str | None
    ) -> Answer:
        """One request as a page of the composer would make it; ``headers`` replace (None: leave out) its own."""
        sent: dict[str, str | None] = {"Host": self.host, "Accept": "application/json"}
        if method not in ("GET", "HEAD"):
            sent |= {"Sec-Fetch-Site": "same-origin", "Origin": self.url.rstrip("/")}
        if known:
            sent["Cookie"] = self.signed_in()
        sent |= {name.replace("_", "-"): value for name, value in headers.items()}
        connection = http.client.HTTPConnection(self.host, timeout=20)
        try:
            connection.putrequest(method, path, skip_host=True, skip_accept_encoding=True)
            data = body.encode() if isinstance(body, str) else body
            if data is not None:
                sent.setdefault("Content-Length", str(len(data)))
            for name, value in sent.items():
                if value is not None:
                    connection.putheader(name, value.encode("latin-1"))
            connection.endheaders(data)
            got = connection.getresponse()
            return Answer(got.status, {k.lower(): v for k, v in got.getheaders()}, got.read())
        finally:
            connection.close()

    def get(self, path: str, **headers: str | None) -> Answer:
        return self.ask("GET", path, **headers)

    def send(self, method: str, path: str, payload: Any, **headers: str | None) -> Answer:
        return self.ask(method, path, json.dumps(payload), **{"Content_Type": "application/json", **headers})

    def form(self, path: str, fields: str, **headers: str | None) -> Answer:
        return self.ask("POST", path, fields, **{"Content_Type": "application/x-www-form-urlencoded", **headers})

    def deed(self, path: str, fields: str) -> Answer:
        """A form of the inbox, with the page that the browser goes to."""
        answer = self.form(path, fields, Accept="text/html")
        if answer.status == 303 and answer.headers["location"].startswith("/inbox"):
            return self.get(answer.headers["location"], Accept="text/html")
        return answer

    def signed_in(self) -> str:
        """The cookie of a session."""
        with self._lock:
            if not self.cookie:
                entered = self.ask("GET", self.server.entrance.removeprefix(self.url.rstrip("/")), known=False)
                assert entered.status == 200, entered.text
                self.cookie = entered.headers["set-cookie"].partition(";")[0]
            return self.cookie

    def inbox(self, query: str = "") -> list[str]:
        """The slugs of what the inbox has to pick from."""
        return re.findall(r'data-pick="([^"]+)"', self.get(f"/inbox/picks?q={quote(query)}").text)

    def state(self) -> Any:
        return self.get(f"/issues/{ISSUE}/state").json

    def story(self, slug: str) -> Any:
        return next(s for section in self.state()["sections"] for s in section["stories"] if s["slug"] == slug)

    def allow_loopback(self) -> None:
        """Let the guarded fetch ask servers on this machine."""
        path = self.root / "newsletter.toml"
        text = path.read_text(encoding="utf-8").replace("[images]\n", '[images]\nallow_hosts = ["127.0.0.1"]\n')
        path.write_text(text, encoding="utf-8")

    def edit(self, file: str, old: str, new: str) -> None:
        """Replace words in a file of the issue as an editor's own program does."""
        path = self.issue / file
        text = path.read_text(encoding="utf-8")
        assert old in text, f"{old!r} is not in {file}"
        path.write_text(text.replace(old, new), encoding="utf-8")


def until(condition: Callable[[], Any], *, seconds: float = 20) -> Any:
    """Wait for something that becomes true."""
    deadline = time.monotonic() + seconds
    while not (found := condition()):
        assert time.monotonic() < deadline, "it did not become true in time"
        time.sleep(0.01)
    return found


@contextlib.contextmanager
def composing(root: Path, port: int = 0) -> Iterator[Served]:
    said: list[str] = []
    with open_desk(root) as desk:
        server = ComposerServer(desk, port=port, say=said.append, note=said.append)
        thread = threading.Thread(target=server.run_until_stopped)
        thread.start()
        try:
            yield Served(server, root, said)
        finally:
            server.stop()
            thread.join(20)
            assert not thread.is_alive()


@pytest.fixture(scope="session")
def pristine(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The sample with its pictures made once, one reader, and two stories in the inbox."""
    root = create_demo(tmp_path_factory.mktemp("composer") / "ws").root
    preview_issue(root, ISSUE)
    with open_desk(root) as desk:
        subscribers.add(desk.store, READER, {"first_name": "Zoë"}, "test", desk.keys)
        for name, text in INBOX.items():
            add_article(desk, Path(f"{name}.md"), text.encode())
    return root


@pytest.fixture
def root(pristine: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(pristine, tmp_path / "ws"))


@pytest.fixture
def served(root: Path) -> Iterator[Served]:
    with composing(root) as composer:
        yield composer


@pytest.fixture(scope="module")
def standing(pristine: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """One composer for every test that only asks."""
    copy = Path(shutil.copytree(pristine, tmp_path_factory.mktemp("standing") / "ws"))
    with composing(copy) as composer:
        yield composer


@pytest.fixture
def compose() -> Callable[..., contextlib.AbstractContextManager[Served]]:
    """For tests that bring a workspace of their own, or start a composer again at its ``port``."""
    return composing


@pytest.fixture(scope="session")
def compose_module() -> Callable[[Path], contextlib.AbstractContextManager[Served]]:
    """``compose`` for fixtures that last longer than a test."""
    return composing


class Screen:
    """A browser's page on a composer; ``errors`` is what its console complained about."""

    def __init__(self, page: Page, served: Served) -> None:
        self.page = page
        self.served = served
        self.errors: list[str] = []
        page.on("console", lambda said: self.errors.append(said.text) if said.type in ("error", "warning") else None)
        page.on("pageerror", lambda error: self.errors.append(str(error)))
        page.goto(served.server.entrance)
        expect(page.locator("h1")).to_be_visible()

    def open(self, path: str) -> Screen:
        self.page.goto(self.served.url.rstrip("/") + path)
        return self

    def until(self, condition: Callable[[], Any]) -> None:
        """Wait for something that becomes true, while the page goes on."""
        deadline = time.monotonic() + 15
        while not condition():
            assert time.monotonic() < deadline, "it did not become true in time"
            self.page.wait_for_timeout(20)

    def axe(self, source: str, *, exclude: str | None = None) -> list[Any]:
        """What axe objects to, as (rule, elements)."""
        self.page.evaluate(source)
        context = f"{{exclude: [['{exclude}']]}}" if exclude else "document"
        found = self.page.evaluate(f"axe.run({context}, {{iframes: false}})")
        return [(v["id"], [n["html"] for n in v["nodes"]]) for v in found["violations"]]


@pytest.fixture
def screens(browser: Browser) -> Iterator[Callable[..., Screen]]:
    """Make screens, each in a browser context of its own with the given options."""
    contexts = []

    def make(served: Served, **options: Any) -> Screen:
        context = browser.new_context(**{"viewport": {"width": 1280, "height": 800}, **options})
        contexts.append(context)
        return Screen(context.new_page(), served)

    yield make
    for context in contexts:
        context.close()


@pytest.fixture
def web() -> Iterator[Callable[[Callable[[str], tuple[int, str, str]]], str]]:
    """Makes web servers on this machine: what is asked for a path gives status, type and body. Returns the address."""
    with contextlib.ExitStack() as stack:

        def start(answer: Callable[[str], tuple[int, str, str]]) -> str:
            class Handler(http.server.BaseHTTPRequestHandler):
                def do_GET(self) -> None:
                    status, kind, body = answer(self.path)
                    self.send_response(status)
                    self.send_header("Content-Type", kind)
                    self.end_headers()
                    self.wfile.write(body.encode())

                def log_message(self, *_: Any) -> None:
                    return

            server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
            stack.callback(server.server_close)
            thread = threading.Thread(target=server.serve_forever)
            thread.start()
            stack.callback(thread.join)
            stack.callback(server.shutdown)
            return f"http://127.0.0.1:{server.server_port}"

        yield start
