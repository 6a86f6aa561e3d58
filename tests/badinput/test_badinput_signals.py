"""Ctrl-C and SIGTERM in the middle of the work, sent to real processes: 130 and 75, and the next call goes on."""

from __future__ import annotations

import fcntl
import os
import pty
import signal
import subprocess
import termios
import time
from functools import partial
from pathlib import Path

import pytest
from badinput_kit import (
    ISSUE,
    NEWSLETTER,
    Answer,
    Run,
    Sink,
    ended,
    make_readers,
    process,
    started,
    status,
    through_smtp,
    tree,
    until,
    write_story,
)

SIGNALS = [pytest.param(signal.SIGINT, 130, id="Ctrl-C"), pytest.param(signal.SIGTERM, 75, id="SIGTERM")]
HANGUP = pytest.param(signal.SIGHUP, 75, id="SIGHUP")
"""The terminal or the shell that started it is gone."""


def stopped(answer: Answer, code: int) -> None:
    """The process ended by itself, with the designed code, and said that it was stopped."""
    assert answer.code == code, f"{answer.code}\n{answer.out}{answer.err}"
    assert "Traceback" not in answer.err
    assert "topped" in answer.err


def debris(root: Path) -> list[str]:
    return [path.name for path in root.rglob("*") if path.name.endswith(".tmp") or ".making" in path.name]


@pytest.mark.slow
@pytest.mark.parametrize(("number", "code"), SIGNALS)
def test_an_import_that_is_stopped_imports_nobody_and_the_next_one_everybody(
    run: Run, weekly: Path, tmp_path: Path, number: signal.Signals, code: int
) -> None:
    """Stopped at several points, from reading the file to writing the database."""
    count = 50_000
    path = tmp_path / "readers.csv"
    lines = "".join(f"r{n}@readers.test,Reader {n}\n" for n in range(count))
    path.write_text(f"email,first_name\n{lines}no address,X\n", encoding="utf-8")
    database = weekly / ".newsletter" / "newsletter.db"
    run("audience", "list")
    beginning = database.stat().st_size
    wal = database.with_name("newsletter.db-wal")
    for wait_for in ("reading", "writing") if number == signal.SIGINT else ("writing",):
        importing = started(weekly, "audience", "import", str(path))
        if wait_for == "reading":
            until(partial(has_a_stage, importing.pid))
        else:
            until(lambda: wal.exists() and wal.stat().st_size > 100_000)
        importing.send_signal(number)
        stopped(ended(importing), code)
        assert run("audience", "list", "--json").json["total"] == 0
        assert not (tmp_path / "readers.rejected.csv").exists()
        assert debris(tmp_path) == []
    assert database.stat().st_size >= beginning
    assert run("audience", "import", str(path), "--json").json["added"] == count


def has_a_stage(pid: int) -> bool:
    """Whether the import has its staging file open, which has no name."""
    try:
        return any("(deleted)" in str(link.readlink()) for link in Path(f"/proc/{pid}/fd").iterdir())
    except OSError:
        return False


@pytest.mark.slow
@pytest.mark.parametrize(("number", "code"), SIGNALS)
def test_a_build_that_is_stopped_leaves_whole_files(
    run: Run, folder: Path, tmp_path: Path, number: signal.Signals, code: int
) -> None:
    """Stopped at some moments of a build of many stories: each file is the former one or whole."""
    root = folder.parents[1]
    files = [write_story(tmp_path, f"s{n}", f"Story number {n}") for n in range(20)]
    run("article", "add", *map(str, files), "--issue", ISSUE)
    source = tree(folder)
    codes: list[int] = []
    for moment in range(12):
        if moment > 2 and code in codes:
            break
        building = started(root, "build", ISSUE)
        # Past the interpreter's own start, which nobody can stop in order.
        until(partial(renders, building))
        time.sleep(0.08 * (moment % 3))
        building.send_signal(number)
        answer = ended(building)
        codes.append(answer.code)
        # Nor its end: the build was done, and said so.
        if answer.code != 0 and not (answer.code == -number and answer.out.startswith("Built")):
            stopped(answer, code)
        assert tree(folder) == source
        assert debris(root) == []
        page = root / ".newsletter" / "build" / ISSUE / "email.html"
        assert not page.exists() or page.read_text(encoding="utf-8").rstrip().endswith("</html>")
    assert code in codes
    run("build", ISSUE)


def renders(building: subprocess.Popen[str]) -> bool:
    """Nothing says that a module was imported, but its C library is mapped: lxml's, which rendering needs."""
    try:
        return "/lxml/" in Path(f"/proc/{building.pid}/maps").read_text() or building.poll() is not None
    except OSError:
        return True


READERS = 120


def make_due(root: Path, sink: Sink, run: Run) -> Path:
    through_smtp(root, sink.port)
    make_readers(root, READERS, run)
    run("approve", ISSUE, "--send-at", "now")
    return root


@pytest.fixture
def due(folder: Path, sink: Sink, run: Run) -> Path:
    """A workspace with a mailing that is due."""
    return make_due(folder.parents[1], sink, run)


@pytest.fixture
def held(folder: Path, holding_sink: Sink, run: Run) -> Path:
    """The same, and the sending stays in its middle until the mail server goes on."""
    return make_due(folder.parents[1], holding_sink, run)


@pytest.mark.slow
@pytest.mark.parametrize("command", [("run-due",), ("send", ISSUE, "--yes")], ids=lambda command: command[0])
@pytest.mark.parametrize(("number", "code"), [*SIGNALS, HANGUP])
def test_a_sender_that_is_stopped_finishes_what_is_in_flight_and_the_next_goes_on(
    run: Run, held: Path, holding_sink: Sink, command: tuple[str, ...], number: signal.Signals, code: int
) -> None:
    """Nobody is uncertain, the ledger agrees with the mail server, and in the end each reader has one mail."""
    sink = holding_sink
    sending = started(held, *command)
    until(lambda: len(sink.got) == 6)
    sending.send_signal(number)
    sink.go_on()
    answer = ended(sending)
    stopped(answer, code)
    assert "run-due goes on" in answer.err
    counts = status(held, run)["counts"]
    assert counts["submitted"] == len(sink.got) < READERS
    assert set(counts) == {"submitted", "pending"}
    assert status(held, run)["state"] == "sending"
    again = process(held, "run-due")
    assert again.code == 0, again.err
    assert status(held, run)["counts"] == {"submitted": READERS}
    assert sorted(set(sink.got.values())) == [1]
    assert len(sink.got) == READERS


@pytest.mark.slow
@pytest.mark.parametrize("command", [("run-due",), ("send", ISSUE, "--yes")], ids=lambda command: command[0])
def test_a_terminal_that_goes_away_leaves_nobody_in_doubt(
    run: Run, held: Path, holding_sink: Sink, command: tuple[str, ...]
) -> None:
    """The window is closed in mid-sending: a hang-up, and whatever is printed afterwards fails. Nobody is uncertain."""
    main, side = pty.openpty()

    def own_terminal() -> None:
        os.setsid()
        fcntl.ioctl(0, termios.TIOCSCTTY, 0)

    sending = subprocess.Popen(
        [*NEWSLETTER, "-C", str(held), *command], stdin=side, stdout=side, stderr=side, preexec_fn=own_terminal
    )
    os.close(side)
    until(lambda: len(holding_sink.got) == 6)
    os.close(main)
    holding_sink.go_on()
    assert sending.wait(timeout=120) == 75
    counts = status(held, run)["counts"]
    assert counts["submitted"] == len(holding_sink.got) < READERS
    assert set(counts) == {"submitted", "pending"}
    assert process(held, "run-due").code == 0
    assert status(held, run)["counts"] == {"submitted": READERS}
    assert set(holding_sink.got.values()) == {1}


@pytest.mark.slow
def test_a_second_ctrl_c_does_not_wait_and_still_loses_nobody(run: Run, held: Path, holding_sink: Sink) -> None:
    """Impatience costs at most what is in flight, and that is said; the sum closes."""
    sink = holding_sink
    sending = started(held, "run-due")
    until(lambda: len(sink.got) == 6)
    for _ in range(3):
        sending.send_signal(signal.SIGINT)
        time.sleep(0.005)
    sink.go_on()
    answer = ended(sending)
    assert answer.code == 130
    assert "Traceback" not in answer.err
    process(held, "run-due")
    counts = status(held, run)["counts"]
    assert sum(counts.values()) == READERS
    assert max(sink.got.values()) == 1
    assert READERS - len(sink.got) <= counts.get("uncertain", 0)


@pytest.mark.slow
def test_two_senders_at_once_send_one_mail_to_each_reader(run: Run, held: Path, holding_sink: Sink) -> None:
    """Two real `run-due` on one mailing: the second is silent with exit 0; `send` says that another process sends."""
    sink = holding_sink
    first = started(held, "run-due")
    until(lambda: len(sink.got) == 6)
    others = [started(held, "run-due"), started(held, "send", ISSUE, "--yes")]
    second, third = (ended(other) for other in others)
    assert first.poll() is None
    assert (second.code, second.out, second.err) == (0, "", "")
    assert third.code == 75
    assert "another process is sending" in third.err
    sink.go_on()
    answer = ended(first)
    assert answer.code == 0, answer.err
    assert status(held, run)["counts"] == {"submitted": READERS}
    assert len(sink.got) == READERS
    assert set(sink.got.values()) == {1}


@pytest.mark.slow
def test_two_senders_that_start_in_the_same_moment_plan_once(run: Run, due: Path, sink: Sink) -> None:
    """Both find the mailing due and not planned: one plans and sends, the other leaves it alone."""
    both = [started(due, "run-due") for _ in range(2)]
    answers = [ended(one) for one in both]
    assert [answer.code for answer in answers] == [0, 0], [answer.err for answer in answers]
    assert sorted(bool(answer.out) for answer in answers) == [False, True]
    assert status(due, run)["counts"] == {"submitted": READERS}
    assert len(sink.got) == READERS
    assert set(sink.got.values()) == {1}


def test_a_terminal_that_vanished_is_no_bug(model_with_issue: Path) -> None:
    """Under nohup the command lives on without its terminal: it says that it cannot write, and 73."""
    ours, theirs = pty.openpty()
    command = [*NEWSLETTER, "-C", str(model_with_issue), "issue", "list"]
    gone = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=theirs, stderr=subprocess.PIPE, text=True)
    os.close(theirs)
    os.close(ours)
    _, err = gone.communicate(timeout=60)
    assert (gone.returncode, err) == (73, "cannot write: Input/output error\n")
