"""Speed, size and memory, as figures with the limits they are held against: ``./dev bench``.

Every time is a median of several runs on this machine, now; ratios against a baseline in the same run are worth more
than single times. ``./dev bench build mjml`` runs some parts only. A new part is a module of this package with a
function under ``@part``.
"""

from __future__ import annotations

import os
import sys
import tempfile
from importlib import import_module
from pathlib import Path
from pkgutil import iter_modules

import bench
from bench.figures import PARTS


def main(wanted: list[str]) -> None:
    """Run the parts that are named; all, in order of rank, without a name."""
    for module in iter_modules(bench.__path__, "bench."):
        if module.name != "bench.__main__":
            import_module(module.name)
    unknown = [name for name in wanted if name not in PARTS]
    if unknown:
        raise SystemExit(f"no part is called {', '.join(unknown)}; there are: {', '.join(sorted(PARTS))}")
    for part in sorted(PARTS.values()):
        if not wanted or part.name in wanted:
            with tempfile.TemporaryDirectory(prefix="newsletter-bench-") as folder:
                os.environ["XDG_STATE_HOME"] = folder  # what is noted outside a workspace
                part.measure(Path(folder))


if __name__ == "__main__":
    main(sys.argv[1:])
