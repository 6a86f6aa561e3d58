"""Rates that hold for every process and survive a restart, because their state is in the database.

The algorithm is GCRA (the generic cell rate algorithm of ITU-T I.371): a limit is one number, the moment from which
it is free again. Whoever takes ``n`` mails moves it by ``n / rate`` seconds, in the transaction that commits them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sqlalchemy import BindParameter, bindparam
from sqlalchemy import text as sql

if TYPE_CHECKING:
    from sqlalchemy import Connection

CREDIT_SECONDS = 0.25
"""What a rate may catch up after a slow turn."""
MOST_PUSHED = 3600.0
"""Seconds that a provider may tell us to wait: what lies further ahead is a mistake, or a clock that was wrong."""

_SECOND = 1_000_000
_DAY = 24 * 3600 * _SECOND

_NAMES: BindParameter[Any] = bindparam("names", expanding=True)
_READ = sql("SELECT name, free_at FROM throttle WHERE name IN :names").bindparams(_NAMES)
_TAKE = sql(
    "INSERT INTO throttle (name, free_at) VALUES (:name, :free_at)"
    " ON CONFLICT (name) DO UPDATE SET free_at = excluded.free_at"
)
# Of two processes that were told to wait, the longer wait counts. PostgreSQL's max has one argument.
_PUSH = sql(
    "INSERT INTO throttle (name, free_at) VALUES (:name, :free_at) ON CONFLICT (name) DO UPDATE SET free_at ="
    " CASE WHEN excluded.free_at > throttle.free_at THEN excluded.free_at ELSE throttle.free_at END"
)
_TIDY = sql("DELETE FROM throttle WHERE free_at < :before")


@dataclass(frozen=True, slots=True)
class Limit:
    """A rate in mails per second (> 0) and the name of what it limits: ``provider:smtp``, ``mailing:<public id>``."""

    name: str
    rate: float

    @property
    def longest(self) -> int:
        """Microseconds that one window, a second's worth or one mail, can lie ahead."""
        return int(max(1.0, 1 / self.rate) * _SECOND)


def free_at(conn: Connection, limits: Sequence[Limit], now: int) -> int:
    """When all of the limits are free again, UTC microseconds. Inside the transaction that calls ``take``."""
    return max(_stored(conn, limits, now).values(), default=0)


def rooms(conn: Connection, limits: Sequence[Limit], now: int) -> dict[str, int]:
    """How many mails each limit allows now, by name: a second's worth ahead, or one. Inside ``take``'s transaction."""
    starts = _stored(conn, limits, now)
    by_name = {limit.name: limit for limit in limits}
    return {
        name: int((now + by_name[name].longest - _from(start, now)) * by_name[name].rate / _SECOND)
        for name, start in starts.items()
    }


def _stored(conn: Connection, limits: Sequence[Limit], now: int) -> dict[str, int]:
    found = {str(name): int(at) for name, at in conn.execute(_READ, {"names": [limit.name for limit in limits]})}
    # Nobody takes more than a window ahead: what lies further away was left by a clock that was wrong.
    return {limit.name: min(found.get(limit.name, 0), now + limit.longest) for limit in limits}


def _from(free: int, now: int) -> int:
    return max(free, now - int(CREDIT_SECONDS * _SECOND))


def take(conn: Connection, limits: Sequence[Limit], mails: int, now: int) -> None:
    """Use the limits up for ``mails`` that go now."""
    for limit in limits:
        start = _from(free_at(conn, (limit,), now), now)
        conn.execute(_TAKE, {"name": limit.name, "free_at": start + int(mails / limit.rate * _SECOND)})


def push(conn: Connection, provider: str, seconds: float, now: int) -> None:
    """The provider said "too fast": nobody submits anything to it for so many seconds, in any process.

    In a row of its own, for a provider without a configured rate has none, and a rate's row never lies far ahead.
    """
    values = {"name": _pushed_name(provider), "free_at": now + int(min(seconds, MOST_PUSHED) * _SECOND)}
    conn.execute(_PUSH, values)


def pushed(conn: Connection, provider: str, now: int) -> float:
    """Seconds until the provider may be asked again; 0 when it did not say "too fast"."""
    name = _pushed_name(provider)
    until = next((int(row.free_at) for row in conn.execute(_READ, {"names": [name]})), 0)
    ahead = (until - now) / _SECOND
    return ahead if 0 < ahead <= MOST_PUSHED else 0.0


def _pushed_name(provider: str) -> str:
    return f"too-fast:{provider}"


def tidy(conn: Connection, now: int) -> None:
    """Forget limits that nobody has used for a day."""
    conn.execute(_TIDY, {"before": now - _DAY})
