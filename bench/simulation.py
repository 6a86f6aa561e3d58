"""What it costs to look at the sample issue through each mail client, and to compute its cascade."""

from __future__ import annotations

import itertools
import time
from pathlib import Path

from bench.figures import median_seconds, note, part, say, spread

RUNS = 25
LIMIT = 0.03


@part("simulation", rank=45)
def simulation(folder: Path) -> None:
    """Each client on the 12-story sample, with an edit before every run, as the live preview calls it."""
    from lxml import html as lxml_html

    from newsletter.app.desk import open_desk
    from newsletter.app.render import render
    from newsletter.clients.cascade import Cascade
    from newsletter.clients.registry import CLIENTS
    from newsletter.workspace.create import create_demo

    with open_desk(create_demo(folder / "clients").root) as desk:
        email = render(desk, "2026-11-27").email
    edits = itertools.count()
    slowest = 0.0
    for client in CLIENTS:
        written = email.html if client.part == "html" else email.text

        def look(written: str = written, simulate=client.simulate) -> None:
            simulate(written.replace("two hundred years", f"{next(edits)} years"))

        started = time.perf_counter()
        look()
        cold = time.perf_counter() - started
        times = median_seconds(look, RUNS)
        slowest = max(slowest, times[0])
        note(f"{client.name:<18} {spread(times, 1000, 'ms'):<28} the first time {cold * 1000:.1f} ms")
    say("the slowest client, 12 stories", f"{slowest * 1000:.2f} ms", "30 ms", slowest <= LIMIT)

    root = lxml_html.document_fromstring(email.html.encode())
    cascade = median_seconds(lambda: Cascade(root, scheme="dark", width=360), RUNS)
    say("the cascade of the page", spread(cascade, 1000, "ms"), "30 ms", cascade[0] <= LIMIT)
