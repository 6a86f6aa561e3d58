"""The one form of time in the database: whole microseconds since 1970-01-01 UTC."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


def now_us() -> int:
    """Now, in UTC microseconds."""
    return time.time_ns() // 1_000


def to_us(moment: datetime) -> int:
    """UTC microseconds of an aware time; raises ``ValueError`` for a naive one, which names no moment."""
    if moment.tzinfo is None:
        raise ValueError(f"{moment!r} has no time zone")
    # Whole timedeltas, because float seconds lose microseconds.
    return (moment - _EPOCH) // _MICROSECOND


def from_us(us: int) -> datetime:
    """The aware UTC time of some microseconds."""
    return _EPOCH + us * _MICROSECOND
