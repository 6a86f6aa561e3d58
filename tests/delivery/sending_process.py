"""A process that sends for real, to be killed: ``sending_process.py WORKSPACE LOG [SECONDS]``.

Its provider knows no idempotency. It writes each acceptance to LOG before it answers, in one append and synced,
as a mail server does when it takes a mail: whatever is in LOG has been delivered.
"""

from __future__ import annotations

import os
import random
import sys
import time
from pathlib import Path

from newsletter.delivery.ports import Batch, Capabilities, Outcome, Result
from newsletter.delivery.run_due import Work, run_due
from newsletter.store.engine import open_store
from newsletter.workspace.keys import load_keys
from newsletter.workspace.paths import Workspace
from newsletter.workspace.settings import Config, Publication
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
    config = Config(publication=Publication(name="x", timezone="UTC"), provider=ProviderSettings(name="scripted"))
    with open_store(ws.database) as store:
        report = run_due(Work(store, ws, config, load_keys(ws), lambda: Recording(log, slow)))  # type: ignore[arg-type,return-value]  # only submit is asked
    if report.error is not None:
        raise report.error
    print(report.runs[0].state if report.runs else "nothing")


if __name__ == "__main__":
    main()
