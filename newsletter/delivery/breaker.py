"""The circuit breaker: a provider that is away is left alone, by every process and over restarts.

::

    closed ──a whole window put off, OPEN_AFTER times in a row──▶ open: nobody submits until ``open_until``
    open   ──the time is over──▶ half open: one recipient goes as a trial
    half open ──somebody got an answer of their own──▶ closed
    half open ──put off again──▶ open, for longer
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from sqlalchemy import text as sql

from newsletter.delivery import throttle
from newsletter.delivery.outcomes import LONGEST, RetryPolicy, Verdict

if TYPE_CHECKING:
    from sqlalchemy import Connection

OPEN_AFTER = 3
"""Whole windows in a row that nobody was reached by, until only single recipients go as trials."""

FEW = 3
"""Recipients in a row that were put off one by one may have a greylisting server each; more means the provider."""

_SECOND = 1_000_000

_READ = sql("SELECT put_off, since, open_until, reason FROM breaker WHERE provider = :provider")
_TRIP = sql(
    "INSERT INTO breaker (provider, put_off, since, open_until, reason)"
    " VALUES (:provider, :put_off, :now, :open_until, :reason) ON CONFLICT (provider) DO UPDATE SET"
    " put_off = excluded.put_off, open_until = excluded.open_until, reason = excluded.reason"
)
_CLOSE = sql("DELETE FROM breaker WHERE provider = :provider")


@dataclass(frozen=True, slots=True)
class Breaker:
    """What is known of a provider that put us off. Times are UTC microseconds; ``since`` is the first time in a row."""

    put_off: int
    since: int
    open_until: int
    reason: str

    @property
    def open(self) -> bool:
        """Whether only trials go."""
        return self.put_off >= OPEN_AFTER

    def left(self, now: int) -> float:
        """Seconds until it is asked again; 0 also for a time that lies too far ahead: a clock was wrong."""
        ahead = (self.open_until - now) / _SECOND
        return ahead if 0 < ahead <= LONGEST else 0.0


def read(conn: Connection, provider: str) -> Breaker | None:
    """The provider's breaker, or None while all is well."""
    row = conn.execute(_READ, {"provider": provider}).one_or_none()
    return None if row is None else Breaker(*row)


def trip(conn: Connection, provider: str, put_off: int, *, open_until: int, reason: str, now: int) -> None:
    """Write down that ``put_off`` windows in a row reached nobody, and until when to leave the provider alone."""
    values = {"provider": provider, "put_off": put_off, "open_until": open_until, "reason": reason, "now": now}
    conn.execute(_TRIP, values)


def close(conn: Connection, provider: str) -> None:
    """It is back."""
    conn.execute(_CLOSE, {"provider": provider})


@dataclass(slots=True)
class Contact:
    """What one sender knows of its provider: there, put off for a while, or so far away that only trials go.

    ``monotonic`` is the sender's clock in seconds. What is learnt is written for every process.
    """

    provider: str
    retries: RetryPolicy
    monotonic: Callable[[], float]

    _hold_until: float = 0.0
    _put_off: int = 0
    _unreached: set[int] = field(default_factory=set)

    @property
    def on_hold(self) -> bool:
        """Whether nothing is submitted for now."""
        return self.hold_left > 0

    @property
    def hold_left(self) -> float:
        """Seconds until the provider is asked again; not above 0 when it may be asked."""
        return self._hold_until - self.monotonic()

    @property
    def on_trial(self) -> bool:
        """The provider is away, as far as is known: one recipient at a time asks whether it is back."""
        return self._put_off >= OPEN_AFTER

    @property
    def left_alone(self) -> bool:
        """What is claimed ahead goes back: after this hold one recipient goes alone."""
        return self.on_trial and self.on_hold

    def alone(self, rows: Iterable[int]) -> bool:
        """Whether a single recipient's "not now", among these rows, may be that recipient's own."""
        return not self.on_trial and len(self._unreached.difference(rows)) < FEW

    def recall(self, conn: Connection, now: int) -> None:
        """Take up what other processes and earlier ones learnt."""
        self.heed(conn, now)
        if known := read(conn, self.provider):
            self._put_off = known.put_off
            self._hold(min(known.left(now), self.retries.hold_most))

    def heed(self, conn: Connection, now: int) -> None:
        """Hear whether the provider told any process that we are too fast."""
        self._hold(throttle.pushed(conn, self.provider, now))

    def learn(self, conn: Connection, rows: Iterable[int], verdict: Verdict, now: int) -> None:
        """What a window of these rows says: it is there, or it is to be left alone for a while."""
        if verdict.slow_down:
            throttle.push(conn, self.provider, verdict.slow_down, now)
        if verdict.reached:
            if self._put_off:
                close(conn, self.provider)
            self._put_off, self._hold_until = 0, 0.0
            self._unreached.clear()
            return
        self._unreached.update(rows)
        if verdict.away:
            self._put_off += 1
            self._hold(min(max(self.retries.hold_for(self._put_off), verdict.retry_after), LONGEST))
            until = now + int(self.hold_left * _SECOND)
            trip(conn, self.provider, self._put_off, open_until=until, reason=verdict.words or "no answer", now=now)

    def _hold(self, seconds: float) -> None:
        self._hold_until = max(self._hold_until, self.monotonic() + seconds)
