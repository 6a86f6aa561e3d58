"""A progress line on a terminal, and an orderly stop on SIGTERM and SIGHUP."""

from __future__ import annotations

import contextlib
import signal
import sys
import time
from collections import deque
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
    """Call it with (done, total); on a terminal it draws one line with rate and time left, elsewhere nothing.

    The rate is that of the last ``WINDOW`` seconds in which something went: a pause does not count as slowness.
    """

    WINDOW = 10.0

    def __init__(self, *, enabled: bool, unit: str = "", clock: Callable[[], float] = time.monotonic) -> None:
        self._unit = f" {unit}" if unit else ""
        self.enabled = enabled and sys.stderr.isatty()
        self._clock = clock
        self._drawn = 0.0
        self._far = self._speed = ""
        self._lately: deque[tuple[float, int]] = deque()
        self._paused = False
        self._resumed = 0.0

    def __enter__(self) -> Progress:
        return self

    def __call__(self, done: int, total: int) -> None:
        """Draw, at most ten times a second and always at the end."""
        now = self._clock()
        rate = self._rate(now, done)
        self._far = f"{done:,} of {total:,}{self._unit}"
        self._speed = f"{_per_second(rate)}  {_span((total - done) / rate)} left" if rate else ""
        if not self.enabled or (now - self._drawn < 0.1 and done < total):
            return
        self._drawn = now
        self._draw("  ".join(part for part in (self._far, self._speed) if part))

    def wait(self, words: str, *, pause: bool = True) -> None:
        """Draw what is waited for. A wait that is the pace itself, as one for the rate, is no ``pause``."""
        now = self._clock()
        if pause:
            self._paused, self._resumed, self._speed = True, now, ""
        if self.enabled:
            self._drawn = now
            self._draw("  ".join(part for part in (self._far, self._speed, words) if part))

    def _rate(self, now: float, done: int) -> float:
        """Per second, over the last samples; 0 where nobody can know yet: what was done before the first one, or in
        another mailing, says nothing about now. After a pause they begin anew, with its end.
        """
        samples = self._lately
        if samples and done < samples[-1][1]:
            samples.clear()
        elif self._paused and samples:
            done_before = samples[-1][1]
            samples.clear()
            samples.append((self._resumed, done_before))
        self._paused = False
        samples.append((now, done))
        while len(samples) > 2 and now - samples[1][0] > self.WINDOW:
            samples.popleft()
        (since, before), (until, after) = samples[0], samples[-1]
        return (after - before) / max(until - since, 1e-6)

    def _draw(self, words: str) -> None:
        self._echo(f"\r  {words} \x1b[K")

    def _echo(self, line: str) -> None:
        try:
            click.echo(line, nl=False, err=True)
        except OSError:  # the terminal is gone, and the work is not to fail for it
            self.enabled = False

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self.enabled and self._drawn:
            self._echo("\r\x1b[K")


def _per_second(rate: float) -> str:
    """A slow rate with a tenth: 0.5/s is 30 a minute."""
    return f"{rate:,.0f}/s" if rate >= 10 else f"{rate:.1f}/s"


def _span(seconds: float) -> str:
    whole = int(seconds)
    hours, minutes, rest = whole // 3600, whole // 60 % 60, whole % 60
    return f"{hours}:{minutes:02d}:{rest:02d}" if hours else f"{minutes}:{rest:02d}"
