"""A progress line on a terminal, and an orderly stop on SIGTERM."""

from __future__ import annotations

import contextlib
import signal
import sys
import time
from collections.abc import Callable, Iterator
from types import FrameType, TracebackType

import click

from newsletter.errors import Interrupted


@contextlib.contextmanager
def stop_on_sigterm() -> Iterator[Callable[[], bool]]:
    """Yield a function that says whether SIGTERM (or a first Ctrl-C) has come.

    The sender asks between submissions, finishes what is in flight and leaves the rest pending. What it then
    raises, ``Interrupted``, becomes a KeyboardInterrupt with the same words if a Ctrl-C asked for it. A second
    Ctrl-C interrupts at once, as always.
    """
    asked: list[int] = []

    def remember(number: int, frame: FrameType | None) -> None:
        if asked and number == signal.SIGINT:
            raise KeyboardInterrupt
        asked.append(number)

    before = {n: signal.signal(n, remember) for n in (signal.SIGTERM, signal.SIGINT)}
    try:
        yield lambda: bool(asked)
    except Interrupted as stopped:
        if signal.SIGTERM in asked:
            raise
        raise KeyboardInterrupt(str(stopped)) from stopped
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


class Progress:
    """Call it with (done, total); on a terminal it draws one line with rate and time left, elsewhere nothing."""

    def __init__(self, *, enabled: bool, unit: str = "") -> None:
        self._unit = f" {unit}" if unit else ""
        self.enabled = enabled and sys.stderr.isatty()
        self._started = time.monotonic()
        self._drawn = 0.0

    def __enter__(self) -> Progress:
        return self

    def __call__(self, done: int, total: int) -> None:
        """Draw, at most ten times a second and always at the end."""
        now = time.monotonic()
        if not self.enabled or (now - self._drawn < 0.1 and done < total):
            return
        self._drawn = now
        rate = done / max(now - self._started, 1e-6)
        left = (total - done) / rate if rate else 0.0
        click.echo(
            f"\r  {done:,} of {total:,}{self._unit}  {rate:,.0f}/s  {int(left // 60)}:{int(left % 60):02d} left \x1b[K",
            nl=False,
            err=True,
        )

    def say(self, line: str) -> None:
        """Say on stderr why there is no progress for a while."""
        if self.enabled and self._drawn:
            click.echo("\r\x1b[K", nl=False, err=True)
        click.echo(f"  {line}", err=True)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self.enabled and self._drawn:
            click.echo("\r\x1b[K", nl=False, err=True)
