"""A process that sends for real, to be killed: ``sending_process.py WORKSPACE LOG [SECONDS [ISSUE]]``.

With an ISSUE it is ``newsletter send``, else ``run-due``; ``SCHEDULE`` in the environment is ``[schedule]`` as JSON.

Its provider knows no idempotency. It writes each acceptance to LOG before it answers, in one append and synced,
as a mail server does when it takes a mail: whatever is in LOG has been delivered.
"""

from __future__ import annotations

import os
import random
import sys
import time
from pathlib import Path

import msgspec

from newsletter.delivery import mailings
from newsletter.delivery.ports import Batch, Capabilities, Outcome, Result
from newsletter.delivery.run_due import Work, run_due, run_mailing
from newsletter.store.engine import open_store
from newsletter.workspace.keys import load_keys
from newsletter.workspace.paths import Workspace
from newsletter.workspace.settings import Config, Publication, Schedule
from newsletter.workspace.settings import Provider as ProviderSettings


class Recording:
    """Four connections, windows of five."""

    def __init__(self, log: Path, slow: float) -> None:
        self._slow = slow
        self._log = os.open(log, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)

    @property
    def capabilities(self) -> Capabilities:
        return Capabilities("scripted", max_batch=5, concurrency=4, local=True)

    def submit(self, batch: Batch) -> list[Result]:
        results = []
        for recipient in batch.recipients:
            time.sleep(self._slow + random.uniform(0, 0.002))
            os.write(self._log, f"{recipient.address} {recipient.key}\n".encode())
            os.fsync(self._log)
            time.sleep(random.uniform(0, 0.001))
            results.append(Result(recipient.key, Outcome.ACCEPTED))
        return results

    def close(self) -> None:
        os.close(self._log)


def main() -> None:
    ws, log = Workspace(Path(sys.argv[1])), Path(sys.argv[2])
    slow = float(sys.argv[3]) if len(sys.argv) > 3 else 0.0
    schedule = msgspec.json.decode(os.environ.get("SCHEDULE", "{}"), type=Schedule)
    config = Config(
        publication=Publication(name="x", timezone="UTC"),
        provider=ProviderSettings(name="scripted"),
        schedule=schedule,
    )
    with open_store(ws.database) as store:
        work = Work(store, ws, config, load_keys(ws), lambda: Recording(log, slow))  # type: ignore[arg-type,return-value]  # only submit is asked
        if len(sys.argv) > 4:
            mailing = mailings.live(store, sys.argv[4])
            assert mailing is not None
            print(run_mailing(work, mailing).state)
            return
        report = run_due(work)
    if report.error is not None:
        raise report.error
    print(report.runs[0].state if report.runs else "nothing")


if __name__ == "__main__":
    main()
