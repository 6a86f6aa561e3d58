"""A whole readership: planning and sending a million recipients to a local SendGrid, with the full ledger."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from bench.figures import part, peak_mb, say
from bench.wire import an_outgoing, planned_mailing, with_readers

HERE = Path(__file__).resolve()


@part("million", rank=80)
def million(_folder: Path) -> None:
    """Plan and send to 10,000 and to 1,000,000."""
    few, many = send(10_000), send(1_000_000)
    say("plan 1,000,000", f"{many['planning']:.1f} s", "15 s", many["planning"] <= 15)
    rate = 1_000_000 / many["sending"]
    say(
        "send 1,000,000 to a local SendGrid",
        f"{many['sending']:.0f} s ({rate:,.0f}/s)",
        "120 s",
        many["sending"] <= 120,
    )
    flat = many["mb"] <= 200 and many["mb"] <= few["mb"] * 1.25
    say("memory at 1,000,000", f"{many['mb']:.0f} MB (at 10,000: {few['mb']:.0f} MB)", "200 MB, flat", flat)


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
            [sys.executable, "-m", "bench.million", str(port), str(readers), folder],
            check=True,
            capture_output=True,
            text=True,
            cwd=HERE.parent.parent,
        )
    found: dict[str, float] = json.loads(done.stdout)
    return found


def send_once(port: int, readers: int, folder: Path) -> None:
    """Prints the seconds of planning and of sending, and the peak memory in MB."""
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
    print(json.dumps({"planning": planning, "sending": seconds, "mb": peak_mb()}))


if __name__ == "__main__":
    send_once(int(sys.argv[1]), int(sys.argv[2]), Path(sys.argv[3]))
