"""``newsletter preview`` as a command: its address, its port, its end, and the wire form."""

from __future__ import annotations

import contextlib
import re
import signal
import socket
import subprocess
import sys
import threading
import time
import urllib.request
import webbrowser
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import newsletter.web.serving as serving_module
from newsletter.cli.boundary import guarded
from newsletter.cli.group import newsletter

ISSUE = "2026-11-27"


@contextlib.contextmanager
def started(root: Path, *options: str) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """The command as a process, and the address it prints."""
    command = [sys.executable, "-m", "newsletter", "-C", str(root), "preview", ISSUE, "--port", "0", "--no-open"]
    process = subprocess.Popen([*command, *options], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    try:
        assert process.stdout is not None
        found = re.search(r"http://\S+", process.stdout.readline())
        assert found
        yield process, found[0]
    finally:
        process.kill()
        process.communicate()


def test_ctrl_c_ends_it_in_order_with_an_event_stream_open(files: Any) -> None:
    """At once, that is without waiting for the stream: uvicorn would log that it had to cut it off."""
    with started(files.root) as (process, url), urllib.request.urlopen(f"{url}events", timeout=20) as stream:
        lines = (line for line in stream if line.startswith(b"data:"))
        next(lines)
        while b'"mail":null' in urllib.request.urlopen(f"{url}state", timeout=20).read():
            next(lines)
        asked = time.monotonic()
        process.send_signal(signal.SIGINT)
        assert process.wait(10) in (0, 130)
        seconds = time.monotonic() - asked
        assert list(lines) == []
        assert process.stdout is not None
        said = process.stdout.read()
    print(f"\nCtrl-C to the end: {seconds * 1000:.0f} ms")
    assert said.strip() == "It follows every save. Ctrl-C stops it."


def test_sigterm_ends_it_as_well(files: Any) -> None:
    with started(files.root) as (process, url):
        urllib.request.urlopen(url, timeout=20).close()
        process.send_signal(signal.SIGTERM)
        assert process.wait(10) == 0


def test_ctrl_c_during_the_first_build_ends_it(files: Any) -> None:
    with started(files.root) as (process, _):
        process.send_signal(signal.SIGINT)
        assert process.wait(10) in (0, 130)


def test_a_taken_port_is_78_with_a_way_out(files: Any, capsys: pytest.CaptureFixture[str]) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        code = guarded(newsletter, ["-C", str(files.root), "preview", ISSUE, "--no-open", "--port", str(port)])
    assert code == 78
    said = capsys.readouterr().err
    assert f"port {port} is not free" in said
    assert f"newsletter preview {ISSUE} --port 0" in said


def test_another_refusal_says_what_the_system_said(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(self: socket.socket, address: Any) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(serving_module.socket, "socket", type("Refusing", (socket.socket,), {"bind": refuse}))
    with pytest.raises(serving_module.ConfigurationError, match="cannot listen on port 80: Permission denied"):
        serving_module._listen(80, ISSUE)


@pytest.mark.parametrize(
    ("slug", "hint"),
    [("2026-11-28", "2026-11-27"), ("../etc", "cannot be the slug"), ("empty", "issue.md")],
    ids=["near", "odd", "empty"],
)
def test_an_unknown_issue_is_65_before_anything_listens(
    files: Any, capsys: pytest.CaptureFixture[str], slug: str, hint: str
) -> None:
    (files.root / "issues" / "empty").mkdir()
    assert guarded(newsletter, ["-C", str(files.root), "preview", slug, "--no-open", "--port", "0"]) == 65
    printed = capsys.readouterr()
    assert hint in printed.err
    assert "http://" not in printed.out


def test_the_printed_address_carries_the_reader_quoted_and_is_opened(
    files: Any, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """A plus sign in an address is a blank in an address bar."""
    opened: list[str] = []
    there = threading.Event()
    monkeypatch.setattr(webbrowser, "open", lambda url: (opened.append(url), there.set()))
    monkeypatch.setattr(serving_module.PreviewServer, "run_until_stopped", lambda self: self._listening.close())
    reader = "zoë+weekly@readers.test"
    assert guarded(newsletter, ["-C", str(files.root), "preview", ISSUE, "--port", "0", "--as", reader]) == 0
    assert there.wait(5)
    assert opened[0].endswith("/?as=zo%C3%AB%2Bweekly@readers.test")
    assert opened[0] in capsys.readouterr().out
    assert guarded(newsletter, ["-C", str(files.root), "preview", ISSUE, "--port", "0", "--no-open"]) == 0
    assert len(opened) == 1


def test_wire_prints_the_mail_byte_for_byte_and_sends_nothing(
    files: Any, capfdbinary: pytest.CaptureFixture[bytes]
) -> None:
    """What stdout gets is the provider's bytes alone; the heading goes to stderr."""
    arguments = ["-C", str(files.root), "preview", ISSUE, "--wire", "--as", "zoë+weekly@readers.test"]
    assert guarded(newsletter, arguments) == 0
    printed = capfdbinary.readouterr()
    assert printed.out.startswith(b"Return-Path:") or b"\nSubject: " in printed.out[:4000]
    assert b"\r\n" in printed.out or b"\n" in printed.out
    assert b"message/rfc822" in printed.err
    assert not list((files.root / ".newsletter").glob("outbox/new/*"))
    assert guarded(newsletter, arguments) == 0
    assert capfdbinary.readouterr().out == printed.out


def test_wire_for_an_unknown_reader_is_refused(files: Any, capsys: pytest.CaptureFixture[str]) -> None:
    assert guarded(newsletter, ["-C", str(files.root), "preview", ISSUE, "--wire", "--as", "no@readers.test"]) == 65
    assert "not in the audience" in capsys.readouterr().err
