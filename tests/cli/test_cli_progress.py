"""The progress line on a terminal, and the lines that a sending leaves in the log meanwhile."""

from __future__ import annotations

import json
import os
import pty
import re
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from newsletter.app.desk import open_desk
from newsletter.app.log import Journal, RunLog
from newsletter.cli.progress import Progress
from newsletter.delivery.watch import Waiting, what_for

Run = Callable[..., Any]


class Hand:
    """A clock that goes when it is told to."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


def draw(hand: Hand, monkeypatch: pytest.MonkeyPatch) -> Progress:
    """A progress line on what says of itself that it is a terminal."""
    monkeypatch.setattr("sys.stderr.isatty", lambda: True, raising=False)
    return Progress(enabled=True, clock=hand)


def drawn(capsys: pytest.CaptureFixture[str]) -> list[str]:
    return [line.strip() for line in capsys.readouterr().err.replace("\x1b[K", "").split("\r") if line.strip()]


def test_the_rate_is_that_of_the_last_seconds(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A hundred a second for a minute, then ten: after ten seconds more nobody is told eighty."""
    hand = Hand()
    progress = draw(hand, monkeypatch)
    for second in range(60):
        hand.now += 1
        progress((second + 1) * 100, 12_000)
    assert drawn(capsys)[-1] == "6,000 of 12,000  100/s  1:00 left"
    for second in range(11):
        hand.now += 1
        progress(6_000 + (second + 1) * 10, 12_000)
    assert drawn(capsys)[-1] == "6,110 of 12,000  10/s  9:49 left"


def test_a_pause_is_shown_and_is_no_slowness(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    hand = Hand()
    progress = draw(hand, monkeypatch)
    for second in range(5):
        hand.now += 1
        progress((second + 1) * 50, 1_000)
    for _ in range(300):
        hand.now += 1
        progress.wait("the provider is away")
    assert drawn(capsys)[-1] == "250 of 1,000  the provider is away"
    hand.now += 1
    progress(300, 1_000)
    assert drawn(capsys)[-1] == "300 of 1,000  50/s  0:14 left"


def test_waiting_for_the_rate_is_the_rate(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    """One every three seconds is what was asked for, and the time left is true."""
    hand = Hand()
    progress = draw(hand, monkeypatch)
    for done in range(1, 8):
        progress(done, 20)
        for _ in range(3):
            progress.wait("waits for the rate", pause=False)
            hand.now += 1
    assert drawn(capsys)[-1] == "7 of 20  0.3/s  0:39 left  waits for the rate"


def test_what_was_done_before_says_nothing_about_now(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A mailing that is taken up half-way, and the next one after it, which begins at nought again."""
    hand = Hand()
    progress = draw(hand, monkeypatch)
    progress(50_000, 90_000)
    assert drawn(capsys)[-1] == "50,000 of 90,000"
    hand.now += 1
    progress(50_020, 90_000)
    assert drawn(capsys)[-1].startswith("50,020 of 90,000  20/s")
    hand.now += 1
    progress(5, 10)
    assert drawn(capsys)[-1] == "5 of 10"


def on_a_terminal(*arguments: str) -> list[str]:
    """The lines that a real process draws into a pseudo-terminal, without those that repeat the one before."""
    child, terminal = pty.fork()
    if child == 0:
        os.execv(sys.executable, [sys.executable, "-m", "newsletter", *arguments])
    out = b""
    while True:
        try:
            piece = os.read(terminal, 4096)
        except OSError:  # how Linux says that nobody has the other end any more
            break
        if not piece:
            break
        out += piece
    os.close(terminal)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0, out.decode()
    lines = [line.strip() for line in re.split(r"[\r\n]+", out.decode().replace("\x1b[K", "")) if line.strip()]
    return [line for line, before in zip(lines, ["", *lines], strict=False) if line != before]


@pytest.fixture
def paced(run: Run, weekly: Path, issue: str, readers: int) -> str:
    """An undo window of two seconds and a rate of twenty a minute."""
    file = weekly / "newsletter.toml"
    text = file.read_text(encoding="utf-8").replace("[provider]", '[provider]\nrate = "20/m"', 1)
    text = text.replace("[schedule]", '[schedule]\nundo = "2s"') if "[schedule]" in text else text
    file.write_text(text if "[schedule]" in text else f'{text}\n[schedule]\nundo = "2s"\n', encoding="utf-8")
    assert readers == 3
    return issue


def test_send_shows_what_it_waits_for_and_how_far_it_is(run: Run, weekly: Path, paced: str) -> None:
    """In a real terminal: the undo window first, then the rate between one mail and the next; cron's log has both."""
    run("approve", paced)
    lines = on_a_terminal("-C", str(weekly), "send", paced, "--yes")
    said = "\n".join(lines)
    assert re.search(r"can still be stopped whole \(newsletter unapprove\) until \d\d:\d\d:\d\d", said)
    assert re.search(r"1 of 3  waits for the rate until \d\d:\d\d:\d\d", said)
    assert re.search(r"2 of 3  0\.\d/s  0:0\d left", said)
    assert lines[-1] == f"{paced} completed: 3 = 3 submitted"
    log = [json.loads(line) for line in (weekly / ".newsletter" / "logs" / "run-due.jsonl").read_text().splitlines()]
    events = [(line["event"], line.get("why")) for line in log if line["command"] == "send"]
    assert events == [("waiting", "undo"), ("begin", None), ("waiting", "rate"), ("mailing", None)]
    assert len({line["run"] for line in log if line["command"] == "send"}) == 1
    assert log[-1]["counts"] == {"submitted": 3} and log[-1]["seconds"] > 3


def test_the_log_of_three_hours_has_a_line_a_minute(weekly: Path) -> None:
    """Not one for each reader: begin, some hundred and eighty between, with the rate of each minute."""
    hand = Hand()
    with open_desk(weekly) as desk:
        log = RunLog(desk, "run-due")
        journal = Journal(log, hand)
        journal.begin("2026-11-27", 108_000)
        for second in range(3 * 3600):
            hand.now += 1
            journal.progress((second + 1) * 10, 108_000)
    lines = [json.loads(line) for line in log.file.read_text().splitlines()]
    assert lines[0]["event"] == "begin" and lines[0]["planned"] == 108_000
    assert 175 <= len(lines) <= 182
    assert {line["event"] for line in lines[1:]} == {"progress"}
    assert all(abs(line["per_second"] - 10) < 0.2 for line in lines[2:])
    assert lines[-1]["done"] == 108_000 and lines[-1]["issue"] == "2026-11-27"


def test_a_wait_is_logged_when_it_begins_when_it_changes_and_once_a_minute(weekly: Path) -> None:
    hand = Hand()
    with open_desk(weekly) as desk:
        log = RunLog(desk, "run-due")
        journal = Journal(log, hand)
        journal.begin("x", 5)
        for second in range(150):
            hand.now += 1
            journal.waiting(Waiting("provider" if second < 130 else "retry", 1_800_000_000_000_000))
    lines = [json.loads(line) for line in log.file.read_text().splitlines()]
    assert [line.get("why") for line in lines] == [None, "provider", "provider", "provider", "retry"]
    assert lines[1]["until"] == "2027-01-15T08:00:00+00:00"


def test_a_log_that_cannot_be_written_stops_no_sending(weekly: Path) -> None:
    """The end of the run says so; mails that are on their way do not wait for a disk."""
    with open_desk(weekly) as desk:
        log = RunLog(desk, "run-due")
        log.file.parent.mkdir(parents=True, exist_ok=True)
        log.file.mkdir()
        journal = Journal(log, Hand())
        journal.begin("x", 5)
        journal.progress(1, 5)
        journal.waiting(Waiting("rate"))


@pytest.mark.parametrize(
    ("hold", "retry", "rate", "lanes", "why"),
    [
        (30.0, 5.0, 5.0, True, "provider"),
        (0.0, 5.0, 5.0, True, "retry"),
        (-3.0, 0.0, 5.0, False, "rate"),
        (0.0, 0.0, 0.2, True, "domain"),
        (0.1, 0.1, 0.2, False, None),
    ],
)
def test_what_a_sender_waits_for(hold: float, retry: float, rate: float, lanes: bool, why: str | None) -> None:
    """The one that lasts: a provider that is away before retries before the rate; a moment is no wait."""
    found = what_for(hold, retry, rate, lanes=lanes, now=0)
    assert (found.why if found else None) == why
    if why == "provider":
        assert found and found.until == 30_000_000
