"""Lanes: limits per mailbox domain, kept without making the readers elsewhere wait.

The list is read once, in order. Whose domain may not have another mail yet is remembered by number alone, in the lane
of that domain, and stays ``pending``; the next reader goes instead. When the domain may have one again, its lane goes
first. Nothing here is the truth: a process that forgets its lanes reads the list again.
"""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from sqlalchemy import text as sql

from newsletter.delivery import ledger, throttle
from newsletter.delivery.domains import blocked_domains, outside
from newsletter.delivery.ledger import Claimed
from newsletter.delivery.throttle import Limit
from newsletter.workspace.config import parse_rate
from newsletter.workspace.settings import Config

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from newsletter.workspace.keys import Keys

LOOK_SECONDS = 0.25
"""How soon a lane is looked at again when nobody may go."""
OTHERS = "*"

_CHUNK = 500
_READ_MOST = 2_000  # rows in one turn, so that a turn stays short
_LANES_MOST = 400  # lanes looked at in one turn

_COLUMNS = (
    "SELECT d.id, d.public_id, d.subscriber_id, s.public_id AS subscriber, d.address, d.attributes, d.tries"
    " FROM delivery d JOIN subscriber s ON s.id = d.subscriber_id WHERE "
)
_AFTER = (
    _COLUMNS + "d.mailing_id = :mailing AND d.state = 'pending'"
    " AND d.state IN ('pending', 'claimed', 'submitting', 'retry_wait') AND d.id > :after{beyond}"
    " ORDER BY d.id LIMIT :limit"
)


def lanes_of(mailing_id: int, config: Config) -> Lanes | None:
    """The lanes of ``[provider] per_domain``; None without any."""
    rates = domain_rates(config)
    return Lanes(mailing_id, rates) if any(rates.values()) else None


def domain_rates(config: Config) -> dict[str, float]:
    """``[provider] per_domain`` as mails per second by domain; 0 = no limit."""
    limits = config.provider.per_domain.items()
    return {domain.lower(): parse_rate(rate, "provider.per_domain") for domain, rate in limits}


def domain_limit(domain: str, rates: Mapping[str, float]) -> Limit | None:
    """A domain's own rate, else that of ``*``; None when it has no limit."""
    rate = rates.get(domain, rates.get(OTHERS, 0.0))
    return Limit(f"domain:{domain}", rate) if rate else None


@dataclass(slots=True)
class Lanes:
    """Where one sender stands in its mailing. ``rates`` are mails per second by domain; 0 = no limit.

    ``only``: these deliveries and no others, in this order, instead of the whole list.
    """

    mailing_id: int
    rates: Mapping[str, float]
    only: Sequence[int] | None = None
    _after: int = 0
    _ended: bool = False
    _again: bool = False
    _lanes: dict[str, deque[int]] = field(default_factory=dict)

    @property
    def waiting(self) -> bool:
        """Whether the list is read and somebody waits for a turn."""
        return self._ended and bool(self._lanes)

    def rewind(self) -> None:
        """Read the list again from its beginning: what was remembered may be wrong."""
        self._after, self._ended, self._again = 0, False, False
        self._lanes.clear()

    def again(self) -> None:
        """Rows are pending that were not: read the list once more, when it has been read to its end."""
        self._again = True

    def claim(
        self,
        conn: Connection,
        attempt: int,
        room: int,
        *,
        keys: Keys,
        now: int,
        unsendable: Callable[[str], str | None],
    ) -> list[Claimed]:
        """Take up to ``room`` rows whose domains may have a mail now, as ``ledger.claim`` does.

        None may come back while somebody is ``waiting`` or more is to be read.
        """
        while rows := self._pick(conn, room, now):
            if taken := ledger.claim_these(conn, rows, attempt, keys=keys, now=now, unsendable=unsendable):
                for domain, count in Counter(map(_domain, taken)).items():
                    if limit := domain_limit(domain, self.rates):
                        throttle.take(conn, (limit,), count, now)
                return taken
        return []

    @property
    def read(self) -> bool:
        """Whether nothing is left to read and nobody waits."""
        return self._ended and not self._lanes and not self._again

    def _pick(self, conn: Connection, room: int, now: int) -> list[Claimed]:
        if self._ended and self._again:
            self.rewind()
        # Whom the mailing waits for stays pending and is no business of this sender's any more.
        paused = blocked_domains(conn, self.mailing_id)
        for domain in paused:
            self._lanes.pop(domain, None)
        # Half for those who waited, so that they do not hold up everybody else; all of it when nobody else is left.
        picked = self._from_lanes(conn, room if self._ended else max(1, room // 2), now)
        used = Counter(map(_domain, picked))
        seen = 0
        while len(picked) < room and not self._ended and seen < _READ_MOST:
            chunk, last = self._chunk(conn, paused, room - len(picked))
            allowed = self._allowed(conn, {_domain(row) for row in chunk}, now)
            for row in chunk:
                if len(picked) == room:
                    return picked
                if self.only is None:
                    self._after = row.id
                seen += 1
                domain = _domain(row)
                if domain in self._lanes or used[domain] >= allowed.get(domain, room):
                    self._lanes.setdefault(domain, deque()).append(row.id)
                else:
                    used[domain] += 1
                    picked.append(row)
            self._ended = last
        return picked

    def _chunk(self, conn: Connection, paused: frozenset[str], room: int) -> tuple[list[Claimed], bool]:
        """The next pending rows, without those whose domain the mailing waits for, and whether they are the last."""
        if self.only is not None:
            # No more than there is room for: each of them is taken or remembered, so none is read twice.
            ids = self.only[self._after : self._after + min(room, _CHUNK)]
            self._after += len(ids)
            rank = {number: place for place, number in enumerate(ids)}
            rows = [row for row in ledger.pending_of(conn, ids) if _domain(row) not in paused]
            return sorted(rows, key=lambda row: rank[row.id]), self._after >= len(self.only)
        beyond, patterns = outside(paused)
        values = {"mailing": self.mailing_id, "after": self._after, "limit": _CHUNK, **patterns}
        rows = [Claimed(*row) for row in conn.execute(sql(_AFTER.format(beyond=beyond)), values)]
        return rows, len(rows) < _CHUNK

    def _from_lanes(self, conn: Connection, room: int, now: int) -> list[Claimed]:
        looked = list(self._lanes)[:_LANES_MOST]
        allowed = self._allowed(conn, looked, now)
        ids: list[int] = []
        for domain in looked:
            lane = self._lanes.pop(domain)
            count = min(len(lane), allowed.get(domain, room), room - len(ids))
            ids.extend(lane.popleft() for _ in range(count))
            if lane:
                self._lanes[domain] = lane  # behind the others
        return ledger.pending_of(conn, ids)

    def _allowed(self, conn: Connection, domains: Collection[str], now: int) -> dict[str, int]:
        limits = {domain: limit for domain in domains if (limit := domain_limit(domain, self.rates))}
        rooms = throttle.rooms(conn, tuple(limits.values()), now)
        return {domain: rooms[limit.name] for domain, limit in limits.items()}


def _domain(row: Claimed) -> str:
    return row.address.rpartition("@")[2].lower()
