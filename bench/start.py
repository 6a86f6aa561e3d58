"""How long the command line takes to answer at all."""

from __future__ import annotations

import sys
from pathlib import Path

from bench.figures import NEWSLETTER, median_seconds, part, say, shell


@part("help", rank=10)
def measure(folder: Path) -> None:
    """``newsletter --help`` loads no command: it costs little more than click itself."""
    bare = median_seconds(lambda: shell(sys.executable, "-c", "import click"), 9)
    ours = median_seconds(lambda: shell(NEWSLETTER, "--help"), 9)
    ratio = ours[0] / bare[0]
    figure = f"{ratio:.2f}× ({ours[0] * 1000:.0f} / {bare[0] * 1000:.0f} ms)"
    say("newsletter --help against import click", figure, "2.5×", ratio <= 2.5)
