"""The public pages on a real socket, as a process of their own or inside this one, and whoever talks to them."""

from __future__ import annotations

import contextlib
import http.client
import re
import subprocess
import sys
import threading
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from newsletter.app.desk import open_desk
from newsletter.audience import subscribers
from newsletter.message.links import make_token
from newsletter.store.engine import Store
from newsletter.web.publicserver import PublicServer
from newsletter.workspace.keys import load_keys
from newsletter.workspace.paths import Workspace

ONE_CLICK = "List-Unsubscribe=One-Click"
FORM = {"Content-Type": "application/x-www-form-urlencoded"}


@dataclass(frozen=True)
class Answer:
    """What the server answered; header names in lower case."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def text(self) -> str:
        return self.body.decode()


@dataclass(frozen=True)
class Reader:
    """Somebody in the audience and the two links that their mail has."""

    address: str
    public_id: str
    unsubscribe: str
    preferences: str


@dataclass(frozen=True)
class Served:
    """A server on a workspace. ``store`` is another connection to its database."""

    root: Path
    url: str
    store: Store
    _process: subprocess.Popen[str] | None = None

    @property
    def process(self) -> subprocess.Popen[str]:
        assert self._process is not None, "this server is inside the test's own process"
        return self._process

    @property
    def port(self) -> int:
        return urlsplit(self.url).port or 0

    def ask(
        self, path: str, *, method: str = "GET", body: bytes | str | None = None, headers: Mapping[str, str] = {}
    ) -> Answer:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
        try:
            connection.request(method, path, body, dict(headers))
            answer = connection.getresponse()
            names = {name.lower(): value for name, value in answer.getheaders()}
            return Answer(answer.status, names, answer.read())
        finally:
            connection.close()

    def press(self, path: str, button: str) -> Answer:
        """Send the form as a browser does."""
        return self.ask(path, method="POST", body=f"do={button}", headers=FORM)

    def one_click(self, path: str) -> Answer:
        return self.ask(path, method="POST", body=ONE_CLICK, headers=FORM)

    def reader(self, address: str) -> Reader:
        return reader(self.root, address)

    def status(self, of: Reader) -> str:
        return subscribers.find(self.store, of.address).status

    def log(self, of: Reader) -> list[tuple[str, str, str]]:
        """The consent log: (event, basis, source)."""
        _, rows = subscribers.show(self.store, of.address)
        return [(row.event, row.basis, row.source) for row in rows]

    def rows(self, sql: str) -> list[tuple[object, ...]]:
        with self.store.read() as conn:
            return [tuple(row) for row in conn.exec_driver_sql(sql)]


def reader(root: Path, address: str) -> Reader:
    """Subscribe somebody."""
    with open_desk(root) as desk:
        added = subscribers.add(desk.store, address, {}, "test", desk.keys)
        keys = load_keys(desk.workspace)
        return Reader(
            address,
            added.public_id,
            f"/u/{make_token('unsubscribe', added.public_id, keys)}",
            f"/u/{make_token('preferences', added.public_id, keys)}",
        )


@contextlib.contextmanager
def serve(root: Path, *options: str) -> Iterator[Served]:
    """``newsletter serve --public`` on any free port."""
    command = [sys.executable, "-m", "newsletter", "-C", str(root), "serve", "--public", "--port", "0", *options]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    try:
        assert process.stdout is not None and process.stderr is not None
        line = process.stdout.readline()
        found = re.search(r"http://\S+", line)
        assert found, line + process.stderr.read()
        with Store(Workspace(root).database) as store:
            yield Served(root, found[0], store, process)
    finally:
        process.terminate()
        try:
            process.communicate(timeout=30)
        except subprocess.TimeoutExpired:
            process.kill()
            process.communicate()


@contextlib.contextmanager
def inside(root: Path) -> Iterator[Served]:
    """The same server in a thread of this process, whose lines the coverage can count."""
    with open_desk(root) as desk:
        server = PublicServer(desk, say=lambda line: print(f"complained: {line}"))
        thread = threading.Thread(target=server.run_until_stopped)
        thread.start()
        try:
            with Store(desk.workspace.database) as store:
                yield Served(root, server.url, store)
        finally:
            server.stop()
            thread.join(30)
            assert not thread.is_alive()
