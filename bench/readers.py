"""Taking in a large file of readers."""

from __future__ import annotations

import time
from pathlib import Path

from bench.figures import part, say
from newsletter.app.audience import import_readers
from newsletter.app.desk import open_desk
from newsletter.workspace.create import init_workspace


@part("import", rank=50)
def measure(folder: Path) -> None:
    """A hundred thousand rows into an empty audience."""
    root = init_workspace(folder / "import", name=None, sender=None, address=None).root
    file = folder / "readers.csv"
    with file.open("w", encoding="utf-8") as out:
        out.write("email,first_name,city\n")
        out.writelines(f"reader{n}@mail{n % 97}.example.org,Name {n},City {n % 500}\n" for n in range(100_000))
    started = time.perf_counter()
    with open_desk(root) as desk:
        done = import_readers(desk, file, mapping={}, basis="bench")
    seconds = time.perf_counter() - started
    assert done.report.added == 100_000
    say("import 100,000 CSV rows", f"{seconds:.2f} s ({100_000 / seconds:,.0f} rows/s)", "10 s", seconds <= 10)
