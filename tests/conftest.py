"""What every test gets: no network off loopback, no inherited configuration."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NoReturn

import pytest
from hypothesis import settings
from playwright.sync_api import Browser, expect, sync_playwright

PARTS = {
    "chromium": "chromium",
    "npm": "npm",
    "opendkim": "opendkim",
    "postfix": "smtp-sink",
    "spamassassin": "spamassassin",
}
"""Markers of tests that need a part of the system, and the program that shows that it is there."""

CHROMIUM = Path("/usr/bin/chromium")
CHROMIUM_ARGS = [
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync",
]  # fmt: skip

# How long an example takes says something about the machine, and nothing about the code.
settings.register_profile("untimed", deadline=None)
settings.load_profile("untimed")

_connect = socket.socket.connect
_connect_ex = socket.socket.connect_ex


def _on_loopback(address: Any) -> bool:
    host = address[0] if isinstance(address, tuple) else address
    return not isinstance(host, str) or host in {"localhost", "::1", ""} or host.startswith(("127.", "/", "\0"))


class OffLoopback(AssertionError):
    """A test tried to leave this machine."""


def _guard(original: Any) -> Any:
    def connect(self: socket.socket, address: Any) -> Any:
        if self.family in (socket.AF_INET, socket.AF_INET6) and not _on_loopback(address):
            raise OffLoopback(f"a test tried to connect to {address!r}")
        return original(self, address)

    return connect


@pytest.fixture(autouse=True, scope="session")
def no_network_off_loopback() -> Iterator[None]:
    """Sending by accident is impossible in a test: a socket off loopback cannot be opened."""
    socket.socket.connect = _guard(_connect)  # type: ignore[method-assign]  # the guard is the point
    socket.socket.connect_ex = _guard(_connect_ex)  # type: ignore[method-assign]  # the guard is the point
    yield
    socket.socket.connect = _connect  # type: ignore[method-assign]  # put back
    socket.socket.connect_ex = _connect_ex  # type: ignore[method-assign]  # put back


@pytest.fixture(autouse=True)
def clean_environment(monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory) -> None:
    """No secret or setting of the developer's own shell reaches a test; nor does the width of their terminal.

    What is noted outside a workspace lands in a folder of the tests.
    """
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path_factory.getbasetemp() / "state"))
    for name in list(os.environ):
        if name.startswith(("AWS_", "NEWSLETTER_", "SENDGRID_", "SMTP_")) or name in ("COLUMNS", "LINES"):
            monkeypatch.delenv(name)


def pytest_configure() -> None:
    """Whoever started us may ignore Ctrl-C or a hang-up (nohup, a shell's ``&``); no process of ours inherits it."""
    for number, handler in ((signal.SIGINT, signal.default_int_handler), (signal.SIGHUP, signal.SIG_DFL)):
        if signal.getsignal(number) is signal.SIG_IGN:
            signal.signal(number, handler)


def missing(what: str) -> NoReturn:
    """Skip with a reason; where everything has to be there (CI), fail."""
    if os.environ.get("CI") == "true":
        pytest.fail(f"{what}, and CI=true asks for it")
    pytest.skip(what)


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """The system's Chromium. One for every folder of tests: a process can hold a single synchronous Playwright."""
    if not CHROMIUM.exists():
        missing(f"Chromium is not at {CHROMIUM}: apt-get install chromium fonts-liberation")
    expect.set_options(timeout=15_000)  # a busy machine is no failure
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=str(CHROMIUM), args=CHROMIUM_ARGS)
        yield chromium
        chromium.close()


@pytest.fixture(scope="session")
def axe(tmp_path_factory: pytest.TempPathFactory) -> str:
    """The source of axe-core, from npm."""
    npm = shutil.which("npm")
    if npm is None:
        missing("npm is not there, so axe-core cannot be had")
    folder = tmp_path_factory.mktemp("axe")
    command = [npm, "install", "--prefix", str(folder), "--no-audit", "--no-fund", "--ignore-scripts", "axe-core@4"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120)
    if done.returncode:
        missing(f"npm could not install axe-core: {done.stderr.strip()[-300:]}")
    return (folder / "node_modules" / "axe-core" / "axe.min.js").read_text(encoding="utf-8")


def pytest_addoption(parser: pytest.Parser) -> None:
    """``--regenerate``: write the expected files anew instead of comparing with them (``./dev goldens``)."""
    parser.addoption("--regenerate", action="store_true", help="write goldens and generated documents anew")


@pytest.fixture
def regenerate(request: pytest.FixtureRequest) -> bool:
    """Whether expected files are to be written anew."""
    return bool(request.config.getoption("--regenerate"))


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Skip, with the reason, what needs a part of the system that is not here; with CI=true let it fail instead."""
    if os.environ.get("CI") == "true":
        return
    for part, program in PARTS.items():
        if shutil.which(program, path=f"{os.environ.get('PATH', '')}:/usr/sbin") is None:
            skip = pytest.mark.skip(reason=f"{part} is not installed: apt-get install {part}")
            for item in items:
                if item.get_closest_marker(part):
                    item.add_marker(skip)
