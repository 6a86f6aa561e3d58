"""The log that cron's runs leave: one JSON object a line, in ``.newsletter/logs/run-due.jsonl``.

It says when a mailing began, how far it was once a minute, what it waited for, how it ended, and why something was
not sent; it never holds an address or a secret. A run with nothing to do
writes nothing here, so the file grows with mailings and not with minutes; that it ran says ``last-run.json`` beside it.
"""

from __future__ import annotations

import contextlib
import json
import os
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from newsletter.app.desk import Desk
from newsletter.audience.addresses import hide_addresses
from newsletter.delivery.watch import Waiting, Watch
from newsletter.errors import CannotWrite, NewsletterError
from newsletter.store.clock import from_us, now_us
from newsletter.store.ids import new_public_id
from newsletter.workspace.files import write_atomic
from newsletter.workspace.paths import Workspace


@dataclass(frozen=True, slots=True)
class LastRun:
    """When ``run-due`` last began or ended, the error that it ended with, if any, and when one last ended without."""

    at: datetime
    error: str | None = None
    well: datetime | None = None


def mark_run(ws: Workspace, error: NewsletterError | None = None, *, well: bool = False) -> None:
    """Leave the trace of a run, so that ``doctor`` can tell a cron that does nothing from one that never comes.

    ``well``: it ends now, without an error. One that fails or is killed has not looked at every mailing under way, so
    what it leaves of that is what there was.

    Nothing that is sent depends on it: it is not synced, and a disk that refuses it does not stop the run.
    """
    said = None if error is None else hide_addresses(error.what)
    now, before = from_us(now_us()), last_run(ws)
    ended = now if well else before.well if before else None
    trace = {"schema": "newsletter/last-run/1", "at": now.isoformat(), "pid": os.getpid(), "error": said,
             "well": None if ended is None else ended.isoformat()}  # fmt: skip
    with contextlib.suppress(CannotWrite):
        write_atomic(ws.logs / "last-run.json", json.dumps(trace) + "\n", durable=False)


def last_run(ws: Workspace) -> LastRun | None:
    """The trace of the last run; None when there is none that can be read."""
    try:
        trace = json.loads((ws.logs / "last-run.json").read_bytes())
        at = datetime.fromisoformat(trace["at"])
        error = trace.get("error")
        well = trace.get("well", trace["at"])  # earlier versions did not tell them apart
        ended = None if well is None else datetime.fromisoformat(well)
    except (OSError, ValueError, TypeError, KeyError, AttributeError):
        return None
    if at.tzinfo is None or (ended is not None and ended.tzinfo is None):
        return None
    return LastRun(at, None if error is None else str(error), ended)


class RunLog:
    """One process's lines, under one run id."""

    def __init__(self, desk: Desk, command: str) -> None:
        self.file = desk.workspace.logs / "run-due.jsonl"
        self.run = new_public_id()[:12]
        self.command = command

    def write(self, event: str, **facts: Any) -> None:
        """Append a line in one write, so that two processes never mix theirs; raises CannotWrite."""
        line = {"at": from_us(now_us()).isoformat(timespec="milliseconds"), "run": self.run, "pid": os.getpid(),
                "command": self.command, "event": event, **facts}  # fmt: skip
        data = hide_addresses(json.dumps(line, ensure_ascii=False)).encode() + b"\n"
        try:
            self.file.parent.mkdir(parents=True, exist_ok=True)
            handle = os.open(self.file, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
            try:
                os.write(handle, data)
            finally:
                os.close(handle)
        except OSError as error:
            raise CannotWrite(f"cannot write the log: {error.strerror}", where=str(self.file)) from error


class Journal(Watch):
    """The log's lines in the middle of a sending: that it began, how far it is once a minute, what it waits for.

    A log that cannot be written does not stop mails that are on their way; the line at the end says so.
    """

    EVERY = 60.0
    """Seconds between two lines of one kind: a mailing of three hours leaves some two hundred."""

    def __init__(self, log: RunLog, clock: Callable[[], float] = time.monotonic) -> None:
        self._log = log
        self._clock = clock
        self._issue = ""
        self._began = self._last = clock()
        self._last_done: int | None = None
        self._why: str | None = None

    @property
    def seconds(self) -> float:
        """Since the mailing began."""
        return self._clock() - self._began

    def begin(self, issue: str, planned: int) -> None:
        """Note that a sender takes up a mailing."""
        self._issue, self._last_done, self._why = issue, None, None
        self._began = self._last = self._clock()
        self._write("begin", planned=planned)

    def progress(self, done: int, total: int) -> None:
        """Note how far it is, and how many a second went since the last line."""
        now = self._clock()
        if self._last_done is None:
            self._last_done = done
        if now - self._last < self.EVERY:
            return
        rate = round((done - self._last_done) / (now - self._last), 2)
        self._last, self._last_done, self._why = now, done, None
        self._write("progress", done=done, total=total, per_second=rate)

    def waiting(self, waiting: Waiting) -> None:
        """Note what it waits for, when that is something else, or again after a minute."""
        now = self._clock()
        if waiting.why == self._why and now - self._last < self.EVERY:
            return
        self._last, self._why = now, waiting.why
        until = None if waiting.until is None else from_us(waiting.until).isoformat(timespec="seconds")
        self._write("waiting", why=waiting.why, until=until)

    def _write(self, event: str, **facts: Any) -> None:
        with contextlib.suppress(CannotWrite):
            self._log.write(event, **({"issue": self._issue} if self._issue else {}), **facts)
