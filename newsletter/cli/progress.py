"""A progress line on a terminal, and an orderly stop on SIGTERM and SIGHUP."""

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
    """Yield a function that says whether SIGTERM, SIGHUP (the terminal is gone) or a first Ctrl-C has come.

    The sender asks between submissions, finishes what is in flight and leaves the rest pending. What it then
    raises, ``Interrupted``, becomes a KeyboardInterrupt with the same words if a Ctrl-C asked for it. A second
    Ctrl-C interrupts at once, as always.
    """
    asked: list[int] = []

    def remember(number: int, frame: FrameType | None) -> None:
        if asked and number == signal.SIGINT:
            raise KeyboardInterrupt
        asked.append(number)

    signals = [signal.SIGTERM, signal.SIGINT]
    if signal.getsignal(signal.SIGHUP) is not signal.SIG_IGN:  # under nohup it is to be ignored
        signals.append(signal.SIGHUP)
    before = {n: signal.signal(n, remember) for n in signals}
    try:
        yield lambda: bool(asked)
    except Interrupted as stopped:
        if {signal.SIGTERM, signal.SIGHUP} & set(asked):
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
        self._draw(
            f"\r  {done:,} of {total:,}{self._unit}  {rate:,.0f}/s  {int(left // 60)}:{int(left % 60):02d} left \x1b[K"
        )

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self.enabled and self._drawn:
            self._draw("\r\x1b[K")

    def _draw(self, line: str) -> None:
        try:
            click.echo(line, nl=False, err=True)
        except OSError:  # the terminal is gone, and the work is not to fail for it
            self.enabled = False
