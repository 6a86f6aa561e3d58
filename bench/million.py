"""A whole readership: planning and sending a million recipients to a local SendGrid, with the full ledger."""

from __future__ import annotations

import json
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

HERE = Path(__file__).resolve()


@contextmanager
def sink() -> Iterator[int]:
    """The port of a local SendGrid in a process of its own."""
    process = subprocess.Popen(
        [sys.executable, str(HERE.with_name("sendgrid_sink.py"))], stdout=subprocess.PIPE, text=True
    )
    try:
        assert process.stdout
        yield int(process.stdout.readline())
    finally:
        process.kill()
        process.wait()
        if process.stdout:
            process.stdout.close()


def send(readers: int) -> dict[str, float]:
    """Plan and send in a process of its own, so that its peak memory is its own."""
    with sink() as port, tempfile.TemporaryDirectory(prefix="newsletter-bench-") as folder:
        done = subprocess.run(
            [sys.executable, str(HERE), str(port), str(readers), folder], check=True, capture_output=True, text=True
        )
    found: dict[str, float] = json.loads(done.stdout)
    return found


def send_once(port: int, readers: int, folder: Path) -> None:
    """Prints the seconds of planning and of sending, and the peak memory in MB."""
    from wire import an_outgoing, planned_mailing, with_readers

    from newsletter.app.desk import open_desk
    from newsletter.delivery.addressing import addresser
    from newsletter.delivery.sender import Sender
    from newsletter.providers.sendgrid import create
    from newsletter.workspace.create import create_demo

    with open_desk(create_demo(folder / "ws").root) as desk:
        with_readers(desk, readers)
        mailing, planning = planned_mailing(desk)
        provider = create({"api_key": "SG.bench", "host": f"http://127.0.0.1:{port}"})
        sender = Sender(
            store=desk.store,
            mailing=mailing,
            provider=provider,
            outgoing=an_outgoing(),
            write_to=addresser(issue=mailing.issue, site_url="https://estuary.example", keys=desk.keys),
            keys=desk.keys,
        )
        started = time.perf_counter()
        sent = sender.run()
        seconds = time.perf_counter() - started
        provider.close()
        assert sent.counts == {"submitted": readers}, sent
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(json.dumps({"planning": planning, "sending": seconds, "mb": peak}))


if __name__ == "__main__":
    send_once(int(sys.argv[1]), int(sys.argv[2]), Path(sys.argv[3]))
