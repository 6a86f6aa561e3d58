"""Sending with the full ledger to a provider that does nothing."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from pathlib import Path

from bench.figures import ISSUE, ROOT, note, part, peak_mb, say


@part("send", rank=60)
def measure(folder: Path) -> None:
    """Ten and a hundred thousand readers, each run in a process of its own, so that its peak memory is its own."""
    figures = {}
    for readers in (10_000, 100_000):
        done = subprocess.run(
            [sys.executable, "-m", "bench.sending", str(readers), str(folder / f"send{readers}")],
            check=True, capture_output=True, text=True, cwd=ROOT,
        )  # fmt: skip
        figures[readers] = json.loads(done.stdout)
    most = figures[100_000]
    say(
        "send 100,000 to a null provider, full ledger",
        f"{most['seconds']:.1f} s ({100_000 / most['seconds']:,.0f}/s)",
        "60 s",
        most["seconds"] <= 60,
    )
    say(
        "memory at 100,000",
        f"{most['mb']:.0f} MB (at 10,000: {figures[10_000]['mb']:.0f} MB)",
        "150 MB, flat",
        most["mb"] <= 150 and most["mb"] <= figures[10_000]["mb"] * 1.25,
    )
    note(f"each mail was spliced: {most['mail_kb']:.0f} KB; {most['seconds'] * 10:.0f} µs a recipient in all")


def send_once(readers: int, folder: Path) -> None:
    """Plan and send to ``readers`` and print the figures as JSON."""
    from bench.null_provider import NullProvider
    from newsletter.app.approve import approve_issue
    from newsletter.app.desk import open_desk
    from newsletter.delivery.run_due import Work, run_mailing
    from newsletter.store.ids import new_public_id
    from newsletter.store.tables import subscriber
    from newsletter.workspace.create import create_demo

    root = create_demo(folder).root
    config = root / "newsletter.toml"
    config.write_text(
        config.read_text(encoding="utf-8").replace('delivery = "embedded"', 'delivery = "hosted"'), encoding="utf-8"
    )
    with open_desk(root) as desk:
        for start in range(0, readers, 1_000):
            rows = [
                {"public_id": new_public_id(), "address": f"r{n}@example.org",
                 "address_key": f"r{n}@example.org",
                 "status": "subscribed", "attributes": f'{{"first_name": "R{n}"}}', "created_at": 1, "updated_at": 1}
                for n in range(start, min(start + 1_000, readers))
            ]  # fmt: skip
            with desk.store.write() as conn:
                conn.execute(subscriber.insert(), rows)
        approved = approve_issue(desk, ISSUE, send_at="now")
        assert approved.mailing
        provider = NullProvider()
        work = Work(desk.store, desk.workspace, desk.config, desk.keys, lambda: provider)
        started = time.perf_counter()
        run = run_mailing(work, approved.mailing)
        seconds = time.perf_counter() - started
        assert run.state == "completed", run
        assert run.counts == {"submitted": readers} and provider.mails == readers
    print(json.dumps({"seconds": seconds, "mb": peak_mb(), "mail_kb": provider.bytes / provider.mails / 1024}))


if __name__ == "__main__":
    send_once(int(sys.argv[1]), Path(sys.argv[2]))
