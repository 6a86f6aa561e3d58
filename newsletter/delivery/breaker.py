"""The circuit breaker: a provider that is away is left alone, by every process and over restarts.

::

    closed ──a whole window put off, OPEN_AFTER times in a row──▶ open: nobody submits until ``open_until``
    open   ──the time is over──▶ half open: one recipient goes as a trial
    half open ──somebody got an answer of their own──▶ closed
    half open ──put off again──▶ open, for longer
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from sqlalchemy import text as sql

if TYPE_CHECKING:
    from sqlalchemy import Connection

OPEN_AFTER = 3
"""Whole windows in a row that nobody was reached by, until only single recipients go as trials."""

FEW = 3
"""Recipients in a row that were put off one by one may have a greylisting server each; more means the provider."""

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
