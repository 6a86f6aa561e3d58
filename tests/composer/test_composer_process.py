"""``newsletter serve`` as a command: what it prints, what it refuses, its end; and beside the public pages."""

from __future__ import annotations

import re
import signal
import socket
import subprocess
import sys
import urllib.request
import webbrowser
from http.cookiejar import CookieJar
from pathlib import Path
from typing import Any

import pytest

from newsletter.cli.boundary import guarded
from newsletter.cli.group import newsletter
from newsletter.web.composer import server as module


def start(root: Path, *options: str) -> tuple[subprocess.Popen[str], str]:
    command = [sys.executable, "-m", "newsletter", "-C", str(root), "serve", "--port", "0", *options]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    assert process.stdout is not None
    found = re.search(r"http://\S+", process.stdout.readline())
    assert found
    return process, found[0]


def test_the_printed_address_signs_in_and_ctrl_c_ends_it_beside_the_public_pages(root: Path) -> None:
    public, _ = start(root, "--public")
    process, address = start(root, "--no-open")
    try:
        browser = urllib.request.build_opener(urllib.request.HTTPCookieProcessor(CookieJar()))
        browser.open(address, timeout=20).read()
        page = browser.open(address.partition("enter")[0], timeout=20).read().decode()
        assert "The ferry is ours" in page
        process.send_signal(signal.SIGINT)
        assert process.wait(20) in (0, 130)
        assert public.poll() is None
    finally:
        for each in (process, public):
            each.terminate()
            _, complaints = each.communicate(timeout=30)
            assert "Traceback" not in complaints


def test_off_this_machine_it_refuses_with_a_way_out(root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert guarded(newsletter, ["-C", str(root), "serve", "--no-open", "--host", "0.0.0.0"]) == 78
    said = capsys.readouterr().err
    assert "nobody may sign in" in said and "composer.people" in said


def test_a_taken_port_is_78(root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = str(other.getsockname()[1])
        assert guarded(newsletter, ["-C", str(root), "serve", "--no-open", "--port", port]) == 78
    assert f"port {port} is not free" in capsys.readouterr().err


@pytest.mark.parametrize("flags", [[], ["--no-open"]])
def test_it_opens_the_browser_at_the_one_time_address_unless_told_not_to(
    root: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], flags: list[str]
) -> None:
    opened: list[str] = []
    monkeypatch.setattr(webbrowser, "open", opened.append)

    def run(server: Any) -> None:
        server._ready()
        server._listening.close()

    monkeypatch.setattr(module.ComposerServer, "run_until_stopped", run)
    threads: list[Any] = []

    class Now:
        def __init__(self, *, target: Any, args: Any, daemon: bool) -> None:
            threads.append(lambda: target(*args))

        def start(self) -> None:
            threads[-1]()

    monkeypatch.setattr(module.threading, "Thread", Now)
    assert guarded(newsletter, ["-C", str(root), "serve", "--port", "0", *flags]) == 0
    said = capsys.readouterr().out
    assert opened == ([] if flags else [re.search(r"http://\S+", said)[0]])  # type: ignore[index]  # it is printed
