"""Previews that really listen, on copies of the sample workspace."""

from __future__ import annotations

import contextlib
import json
import shutil
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, expect, sync_playwright

from newsletter.app.desk import open_desk
from newsletter.app.preview import preview_issue
from newsletter.audience import subscribers
from newsletter.web.serving import PreviewServer
from newsletter.workspace.create import create_demo
from tests.conftest import missing

ISSUE = "2026-11-27"
CHROMIUM = Path("/usr/bin/chromium")
CHROMIUM_ARGS = [
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync",
]  # fmt: skip
READER = "zoë+weekly@readers.test"


def until(condition: Callable[[], Any], *, seconds: float = 20) -> Any:
    """Wait for something that becomes true."""
    deadline = time.monotonic() + seconds
    while not (found := condition()):
        assert time.monotonic() < deadline, "it did not become true in time"
        time.sleep(0.01)
    return found


@dataclass(frozen=True)
class Files:
    """A workspace as an editor's hands see it."""

    root: Path

    @property
    def issue(self) -> Path:
        return self.root / "issues" / ISSUE

    def path(self, file: str) -> Path:
        path = self.root / file
        return path if "/" in file or path.exists() else self.issue / file

    def edit(self, file: str, old: str, new: str, *, rename: bool = False) -> None:
        """Replace words in a file; by renaming another file over it, as many editors save."""
        path = self.path(file)
        text = path.read_text(encoding="utf-8")
        assert old in text, f"{old!r} is not in {file}"
        self.write(file, text.replace(old, new), rename=rename)

    def write(self, file: str, text: str, *, rename: bool = False) -> None:
        path = self.path(file)
        path.parent.mkdir(parents=True, exist_ok=True)
        target = path.with_name(f"{path.name}~new") if rename else path
        target.write_text(text, encoding="utf-8")
        if rename:
            target.replace(path)


@dataclass(frozen=True)
class Answer:
    """What the preview answered."""

    status: int
    headers: Any
    body: bytes

    @property
    def text(self) -> str:
        return self.body.decode()


@dataclass(frozen=True)
class Served:
    """A preview in a thread of this process."""

    server: PreviewServer
    files: Files

    @property
    def url(self) -> str:
        return self.server.url

    def get(self, path: str, **headers: str) -> Answer:
        request = urllib.request.Request(self.url.rstrip("/") + path, headers=headers)
        try:
            with urllib.request.urlopen(request, timeout=10) as answer:
                return Answer(answer.status, answer.headers, answer.read())
        except urllib.error.HTTPError as refused:
            with refused:
                return Answer(refused.code, refused.headers, refused.read())

    def state(self, query: str = "") -> Any:
        return json.loads(self.get(f"/state{query}").body)

    def until(self, condition: Callable[[Any], Any], query: str = "") -> Any:
        """The first state that the condition likes."""
        found: list[Any] = []

        def look() -> bool:
            found[:] = [self.state(query)]
            return bool(condition(found[0]))

        until(look)
        return found[0]

    @contextlib.contextmanager
    def events(self) -> Iterator[Iterator[int]]:
        """The versions that the server tells, as they come."""
        with urllib.request.urlopen(f"{self.url}events", timeout=10) as stream:
            yield (int(line[5:]) for line in stream if line.startswith(b"data:"))


@contextlib.contextmanager
def serving(files: Files) -> Iterator[Served]:
    with open_desk(files.root) as desk:
        server = PreviewServer(desk, ISSUE)
        thread = threading.Thread(target=server.run_until_stopped)
        thread.start()
        try:
            until(lambda: server.live.shown.preview or server.live.shown.error)
            yield Served(server, files)
        finally:
            server.stop()
            thread.join(10)
            assert not thread.is_alive()


@pytest.fixture(scope="session")
def pristine(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The sample with its pictures made once, and one reader."""
    root = create_demo(tmp_path_factory.mktemp("preview") / "ws").root
    preview_issue(root, ISSUE)
    with open_desk(root) as desk:
        subscribers.add(desk.store, READER, {"first_name": "Zoë <b>"}, "test", desk.keys)
    return root


@pytest.fixture
def files(pristine: Path, tmp_path: Path) -> Files:
    return Files(Path(shutil.copytree(pristine, tmp_path / "ws")))


@pytest.fixture
def served(files: Files) -> Iterator[Served]:
    with serving(files) as preview:
        yield preview


@pytest.fixture(scope="module")
def standing(pristine: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """One preview for every test that only asks."""
    with serving(Files(Path(shutil.copytree(pristine, tmp_path_factory.mktemp("standing") / "ws")))) as preview:
        yield preview


@pytest.fixture
def serve() -> Callable[[Files], contextlib.AbstractContextManager[Served]]:
    """For tests that break the workspace before the preview starts."""
    return serving


@pytest.fixture(scope="session")
def chromium() -> Iterator[Browser]:
    if not CHROMIUM.exists():
        missing(f"{CHROMIUM} is not there")
    expect.set_options(timeout=15_000)  # a busy machine is no failure
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=str(CHROMIUM), args=CHROMIUM_ARGS)
        yield browser
        browser.close()
