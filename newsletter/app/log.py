"""The log that cron's runs leave: one JSON object a line, in ``.newsletter/logs/run-due.jsonl``.

It says what was sent and why something was not; it never holds an address or a secret. A run with nothing to do
writes nothing, so the file grows with mailings and not with minutes.
"""

from __future__ import annotations

import json
import os
from typing import Any

from newsletter.app.desk import Desk
from newsletter.audience.addresses import hide_addresses
from newsletter.errors import CannotWrite
from newsletter.store.clock import from_us, now_us
from newsletter.store.ids import new_public_id


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
