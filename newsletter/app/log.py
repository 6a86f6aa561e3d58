"""The log that cron's runs leave: one JSON object a line, in ``.newsletter/logs/run-due.jsonl``.

It says what was sent and why something was not; it never holds an address or a secret. A run with nothing to do
writes nothing here, so the file grows with mailings and not with minutes; that it ran says ``last-run.json`` beside it.
"""

from __future__ import annotations

import contextlib
import json
import os
import re
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from newsletter.app.desk import Desk
from newsletter.errors import CannotWrite, NewsletterError
from newsletter.store.clock import from_us, now_us
from newsletter.store.ids import new_public_id
from newsletter.workspace.files import write_atomic
from newsletter.workspace.paths import Workspace

_LOCAL_PART = re.compile(r"[^\s\"'<>(),:;@\\]+@")


@dataclass(frozen=True, slots=True)
class LastRun:
    """When ``run-due`` last began, and the error that it ended with, if any."""

    at: datetime
    error: str | None = None


def mark_run(ws: Workspace, error: NewsletterError | None = None) -> None:
    """Leave the trace of a run, so that ``doctor`` can tell a cron that does nothing from one that never comes.

    Nothing that is sent depends on it: it is not synced, and a disk that refuses it does not stop the run.
    """
    said = None if error is None else without_addresses(error.what)
    trace = {"schema": "newsletter/last-run/1", "at": from_us(now_us()).isoformat(), "pid": os.getpid(), "error": said}
    with contextlib.suppress(CannotWrite):
        write_atomic(ws.logs / "last-run.json", json.dumps(trace) + "\n", durable=False)


def last_run(ws: Workspace) -> LastRun | None:
    """The trace of the last run; None when there is none that can be read."""
    try:
        trace = json.loads((ws.logs / "last-run.json").read_bytes())
        at = datetime.fromisoformat(trace["at"])
        error = trace.get("error")
    except (OSError, ValueError, TypeError, KeyError, AttributeError):
        return None
    return LastRun(at, None if error is None else str(error)) if at.tzinfo is not None else None


def without_addresses(text: str) -> str:
    """A server's answer may quote the address that it refused."""
    return _LOCAL_PART.sub("…@", text)


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
        data = without_addresses(json.dumps(line, ensure_ascii=False)).encode() + b"\n"
        try:
            self.file.parent.mkdir(parents=True, exist_ok=True)
            handle = os.open(self.file, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
            try:
                os.write(handle, data)
            finally:
                os.close(handle)
        except OSError as error:
            raise CannotWrite(f"cannot write the log: {error.strerror}", where=str(self.file)) from error
