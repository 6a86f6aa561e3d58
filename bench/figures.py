"""What all parts share: measuring, printing, and the registry of parts."""

from __future__ import annotations

import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).resolve().parent.parent
NEWSLETTER = str(Path(sys.executable).parent / "newsletter")
ISSUE = "2026-11-27"

Measure = Callable[[Path], None]


class Part(NamedTuple):
    """A part of the benchmark; ``rank`` orders them."""

    rank: int
    name: str
    measure: Measure


PARTS: dict[str, Part] = {}


def part(name: str, *, rank: int) -> Callable[[Measure], Measure]:
    """Register a part: it gets an empty folder and prints its figures with ``say`` and ``note``.

    A module of this package is found by itself; ``./dev bench NAME`` runs its part alone.
    """

    def register(measure: Measure) -> Measure:
        assert name not in PARTS, f"two parts are called {name}"
        PARTS[name] = Part(rank, name, measure)
        return measure

    return register


def median_seconds(work: Callable[[], object], runs: int) -> tuple[float, float, float]:
    """(median, fastest, slowest) of ``runs`` calls."""
    times = []
    for _ in range(runs):
        started = time.perf_counter()
        work()
        times.append(time.perf_counter() - started)
    return statistics.median(times), min(times), max(times)


def peak_mb() -> float:
    """The most memory that this process has had, in MB.

    Not by ``getrusage``: what a process had before it became this one, its parent's, counts there too (Linux).
    """
    for line in Path("/proc/self/status").read_text(encoding="ascii").splitlines():
        if line.startswith("VmHWM:"):
            return int(line.split()[1]) / 1024
    return float("nan")


def shell(*command: str) -> None:
    """Run a command; what it prints is not of interest, a failure is."""
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)


def say(name: str, figure: str, limit: str, kept: bool) -> None:
    """One figure and whether it keeps its limit."""
    print(f"{'ok  ' if kept else 'OVER'}  {name:<46} {figure:<42} limit {limit}", flush=True)


def note(text: str) -> None:
    """A figure without a limit, or what explains the one above."""
    print(f"      {text}", flush=True)


def spread(times: tuple[float, float, float], unit: float = 1.0, word: str = "s") -> str:
    """A median with its fastest and slowest run."""
    return f"{times[0] * unit:.2f} {word} ({times[1] * unit:.2f}–{times[2] * unit:.2f})"
