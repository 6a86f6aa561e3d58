"""Sending through a real SMTP server on loopback: hosted pictures, guards, and deliveries nobody can know about."""

from __future__ import annotations

import contextlib
import json
import socketserver
import sqlite3
import threading
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

Run = Callable[..., Any]

CONFIG = """
[publication]
name = "The Breakwater"
postal_address = "1 Mole, Saltford, SF1 1AA"

[sender]
email = "post@breakwater.test"

[site]
url = "https://breakwater.test"

[provider]
name = "smtp"
rate = "1000/s"

[provider.smtp]
host = "127.0.0.1"
port = {port}
security = "none"
connections = 1
timeout = 2

[schedule]
preflight = false
"""


class Server(socketserver.ThreadingTCPServer):
    """An SMTP server that keeps mails, and falls silent after the final dot for recipients in ``silent``."""

    allow_reuse_address = True
    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Session)
        self.mails: list[tuple[str, bytes]] = []
        self.silent: set[str] = set()
        self.refused: set[str] = set()


class Session(socketserver.StreamRequestHandler):
    server: Server

    def handle(self) -> None:
        self.say("220 here")
        to = ""
        while line := self.rfile.readline():
            verb = line[:4].upper()
            if verb == b"RCPT":
                to = line.split(b"<")[1].split(b">")[0].decode()
                self.say("550 5.1.1 nobody here" if to in self.server.refused else "250 ok")
            elif verb == b"DATA":
                self.say("354 go on")
                body = b""
                while (part := self.rfile.readline()) != b".\r\n":
                    if not part:
                        return
                    body += part
                if to in self.server.silent:
                    return
                self.server.mails.append((to, body))
                self.say("250 kept as 4711")
            elif verb == b"QUIT":
                self.say("221 bye")
                return
            else:
                self.say("250 ok")

    def say(self, words: str) -> None:
        self.wfile.write(words.encode() + b"\r\n")


@pytest.fixture
def server() -> Iterator[Server]:
    with Server() as running:
        thread = threading.Thread(target=running.serve_forever, kwargs={"poll_interval": 0.05})
        thread.start()
        yield running
        running.shutdown()
        thread.join()


@pytest.fixture
def real(weekly: Path, server: Server) -> Path:
    """The workspace with SMTP as its provider."""
    (weekly / "newsletter.toml").write_text(CONFIG.format(port=server.server_address[1]), encoding="utf-8")
    return weekly


def test_hosted_pictures_are_published_and_this_installation_becomes_the_sender(
    run: Run, real: Path, server: Server, issue: str, readers: int, tmp_path: Path
) -> None:
    """approve publishes media and writes sender_installation; send asks first; every header is there."""
    story = tmp_path / "harbour.md"
    Image.new("RGB", (1600, 900), (40, 90, 120)).save(tmp_path / "harbour.jpg")
    story.write_text("# The harbour\n\n![A grey harbour](harbour.jpg)\n\nIt was grey.\n", encoding="utf-8")
    run("article", "add", str(story), "--issue", issue)
    run("approve", issue)
    assert "sender_installation" in (real / "newsletter.toml").read_text(encoding="utf-8")
    assert len(list((real / ".newsletter" / "media").iterdir())) == 1
    assert "--yes" in run("send", issue, code=1).err
    sent = run("send", issue, "--yes")
    assert f"{readers} = {readers} submitted" in sent.out
    mail = server.mails[0][1].decode()
    for header in ("List-Unsubscribe: <https://breakwater.test/u/v1.", "X-Auto-Response-Suppress: OOF, AutoReply"):
        assert header in mail
    for header in ("List-Unsubscribe-Post", "List-Id", "Feedback-ID", "Message-ID", "Date"):
        assert f"\r\n{header}: " in mail
    assert "https://breakwater.test/m/" in mail.replace("=\r\n", "")


def test_what_cannot_be_known_is_shown_and_settled_by_the_editor(
    run: Run, real: Path, server: Server, issue: str, readers: int, tmp_path: Path
) -> None:
    """Silence after the final dot is uncertain, never sent again by itself; reconcile takes both answers."""
    path = tmp_path / "more.csv"
    path.write_text("email\ndee@readers.test\n", encoding="utf-8")
    run("audience", "import", str(path))
    server.silent = {"ada@readers.test", "cy@readers.test"}
    server.refused = {"dee@readers.test"}
    run("approve", issue, "--send-at", "now")
    due = run("run-due", code=1)
    assert "4 = 1 submitted + 1 rejected + 2 uncertain" in due.out
    assert run("run-due").out == ""
    assert [to for to, _ in server.mails] == ["bo@readers.test"]
    assert "ada@readers.test" in run("reconcile", issue, code=1).out
    assert "2 uncertain" in run("status", issue).out
    assert "nobody here" in run("status", issue).out

    run("reconcile", issue, "--went-out", "nobody@readers.test", code=65)
    assert "Settled 1 delivery" in run("reconcile", issue, "--went-out", "ada@readers.test", code=1).out
    server.silent = set()
    run("reconcile", issue, "--send-again", "all")
    run("run-due")
    assert [to for to, _ in server.mails] == ["bo@readers.test", "cy@readers.test"]
    status = run("status", issue, "--json").json
    assert (status["state"], status["counts"]) == ("completed", {"submitted": 3, "rejected": 1})


def test_a_clone_of_the_workspace_does_not_send(
    run: Run, real: Path, server: Server, issue: str, readers: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A copied folder is held until adopt; the original's ledger alone decides."""
    import shutil

    run("approve", issue, "--send-at", "now")
    shutil.copytree(real, tmp_path / "copy")
    monkeypatch.chdir(tmp_path / "copy")
    held = run("run-due", code=1)
    assert "held" in held.out
    assert server.mails == []
    assert "held" in run("status", issue).out
    run("adopt", "--yes")
    run("resume", issue)
    run("run-due")
    assert len(server.mails) == readers


def test_a_changed_byte_of_the_approval_stops_the_sending(
    run: Run, real: Path, server: Server, issue: str, readers: int
) -> None:
    """The approved bytes are the sent bytes, or nothing is sent."""
    run("approve", issue, "--send-at", "now")
    frozen = real / "issues" / issue / "approved" / "email.html"
    frozen.write_bytes(frozen.read_bytes().replace(b"tide", b"tied", 1))
    assert "email.html" in run("run-due", code=1).out
    assert "until this is put right" in run("status", issue).out
    assert server.mails == []
    assert "0 submitted" in run("unapprove", issue).out


def test_a_server_that_is_away_is_tried_again_later(
    run: Run, real: Path, server: Server, issue: str, readers: int
) -> None:
    """Nothing is lost while the provider is down: the mailing stays open and says when it goes on."""
    port = server.server_address[1]
    config = real / "newsletter.toml"
    run("approve", issue, "--send-at", "now")
    config.write_text(config.read_text(encoding="utf-8").replace(f"port = {port}", "port = 1"), encoding="utf-8")
    run("run-due")
    status = run("status", issue, "--json").json
    assert status["state"] == "sending"
    assert sum(status["counts"].values()) == readers
    assert "submitted" not in status["counts"]
    assert "paused" in run("pause", issue).out
    assert "paused" in run("status", issue).out
    assert "sending" in run("resume", issue).out
    assert "will not get it" in run("cancel", issue, "--yes").out


def test_a_sending_that_broke_off_waits_for_an_editor_also_where_the_first_run_after_it_fails(
    run: Run, weekly: Path, issue: str, readers: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A machine comes back after a night, and its first run-due lacks a secret: the second one still asks."""
    config = CONFIG.format(port=1).replace(
        'security = "none"', 'security = "none"\nusername = "x"\npassword = {env = "P"}'
    )
    (weekly / "newsletter.toml").write_text(config, encoding="utf-8")
    monkeypatch.setenv("P", "secret")
    run("approve", issue, "--send-at", "now")
    run("run-due")
    assert run("status", issue, "--json").json["state"] == "sending"
    run("run-due")
    night = 14 * 3600
    with contextlib.closing(sqlite3.connect(weekly / ".newsletter" / "newsletter.db")) as raw, raw:
        raw.execute("delete from breaker")
        raw.execute("update delivery set state = 'pending', next_try_at = null")
        raw.execute("update mailing set heartbeat = heartbeat - ?", (night * 1_000_000,))
    trace = weekly / ".newsletter" / "logs" / "last-run.json"
    last = json.loads(trace.read_bytes())
    before = {
        name: datetime.fromisoformat(last[name]) - timedelta(seconds=night) for name in ("at", "well") if name in last
    }
    earlier = {name: at.isoformat() for name, at in before.items()}
    trace.write_text(json.dumps({**last, **earlier}))
    monkeypatch.delenv("P")
    assert "P" in run("run-due", code=78).err
    monkeypatch.setenv("P", "secret")
    assert "its sending broke off 14 h ago" in run("run-due", code=1).out
    assert run("status", issue, "--json").json["state"] == "paused"
