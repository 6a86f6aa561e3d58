"""The frame of the command line: help, errors and exit codes."""

from __future__ import annotations

import errno
import os
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click
import pytest

from newsletter.cli import common
from newsletter.cli.boundary import guarded
from newsletter.cli.progress import Progress, stop_on_sigterm
from newsletter.errors import (
    BadData,
    CannotWrite,
    ConfigurationError,
    Conflict,
    GuardRefused,
    NeedsEditor,
    NewsletterError,
    RemoteError,
    UsageProblem,
)


def raising(error: BaseException) -> click.Command:
    @click.command()
    @click.option("--debug", is_flag=True)
    def command(debug: bool) -> None:
        raise error

    return command


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (NeedsEditor("look"), 1),
        (GuardRefused("no"), 1),
        (UsageProblem("impossible"), 2),
        (BadData("broken", where="a.md:3", fix="mend it"), 65),
        (RemoteError("away"), 69),
        (ValueError("a bug"), 70),
        (OSError(errno.ECHILD, "odd"), 70),
        (CannotWrite("full"), 73),
        (OSError(errno.ENOSPC, "No space left on device", "issue.md"), 73),
        (OSError(errno.EIO, "Input/output error"), 73),
        (Conflict("changed"), 75),
        (ConfigurationError("wrong"), 78),
        (KeyboardInterrupt(), 130),
        (click.Abort(), 130),
        (click.UsageError("how"), 2),
        (click.exceptions.Exit(3), 3),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, BaseException) else str(value),
)
def test_every_error_has_its_exit_code_and_no_traceback(
    error: BaseException, code: int, capsys: pytest.CaptureFixture[str]
) -> None:
    """The exit codes of the contract, and a message instead of a traceback."""
    assert guarded(raising(error), []) == code
    err = capsys.readouterr().err
    assert "Traceback" not in err
    if isinstance(error, NewsletterError):
        assert error.what in err
        assert error.fix is None or f"Fix: {error.fix}" in err


@pytest.mark.parametrize("error", [BadData("broken"), ValueError("a bug")])
def test_debug_shows_the_traceback(error: Exception, capsys: pytest.CaptureFixture[str]) -> None:
    """--debug is for whoever mends it."""
    guarded(raising(error), ["--debug"])
    assert "Traceback" in capsys.readouterr().err


def test_a_closed_pipe_is_no_error(monkeypatch: pytest.MonkeyPatch) -> None:
    """`newsletter issue list | head` ends quietly."""
    monkeypatch.setattr(os, "dup2", lambda *_: None)
    assert guarded(raising(BrokenPipeError()), []) == 0


def test_an_unknown_command_gets_a_did_you_mean(run: Callable[..., Any]) -> None:
    """`newsletter isue` knows what was meant."""
    assert 'did you mean "issue"?' in run("isue", code=2).err
    assert "no such command" in run("frobnicate", code=2).err


def test_without_a_workspace_the_error_says_how_to_make_one(
    run: Callable[..., Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Outside of a workspace: exit 78 and the command that makes one."""
    monkeypatch.chdir(tmp_path)
    assert "newsletter init" in run("issue", "list", code=78).err


def test_quiet_says_nothing_but_errors(run: Callable[..., Any], weekly: Path) -> None:
    """-q leaves only what went wrong."""
    assert run("-q", "issue", "new", "2026-12-04").out == ""
    assert "nowhere" in run("-q", "issue", "show", "nowhere", code=65).err


def test_a_question_without_a_terminal_is_refused_and_names_yes(
    run: Callable[..., Any], weekly: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Cron cannot answer: nothing is done, exit 1."""
    run("audience", "add", "ada@readers.test")
    assert "--yes" in run("audience", "erase", "ada@readers.test", code=1).err
    monkeypatch.setattr("sys.stdin.isatty", lambda: True, raising=False)
    monkeypatch.setattr(click, "confirm", lambda question: False)
    assert "nothing was done" in run("audience", "erase", "ada@readers.test", code=1).err
    assert run("audience", "show", "ada@readers.test", "--json").json["status"] == "subscribed"
    monkeypatch.setattr(click, "confirm", lambda question: True)
    run("audience", "erase", "ada@readers.test")


def test_sigterm_and_the_first_ctrl_c_ask_for_an_orderly_stop() -> None:
    """The sender asks; a second Ctrl-C interrupts at once; afterwards the handlers are back."""
    before = signal.getsignal(signal.SIGTERM)
    with stop_on_sigterm() as stop:
        assert not stop()
        os.kill(os.getpid(), signal.SIGTERM)
        assert stop()
        with pytest.raises(KeyboardInterrupt):
            os.kill(os.getpid(), signal.SIGINT)
    assert signal.getsignal(signal.SIGTERM) is before


def test_progress_draws_on_a_terminal_only(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    """Piped output stays clean; a terminal shows how far, how fast and how long."""
    with Progress(enabled=True) as piped:
        piped(1, 2)
    assert capsys.readouterr().err == ""
    monkeypatch.setattr("sys.stderr.isatty", lambda: True, raising=False)
    with Progress(enabled=True) as shown:
        shown(500, 1_000)
        shown(501, 1_000)
        shown(1_000, 1_000)
    assert "1,000 of 1,000" in capsys.readouterr().err


def test_tables_line_up() -> None:
    """Columns are two blanks apart, and the last one is ragged."""
    assert common.table([("a", "bb"), ("ccc", "d")]) == "a    bb\nccc  d"
    assert common.table([]) == ""
