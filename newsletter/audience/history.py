"""Everything that is known about one reader: what they agreed to, what they were sent, why they are barred."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

from sqlalchemy import Connection, select

from newsletter.audience.addresses import address_hash, normalise
from newsletter.store.tables import delivery, event, mailing, suppression

if TYPE_CHECKING:
    from newsletter.store.engine import Store
    from newsletter.workspace.keys import Keys

_CHUNK = 500


class Said(NamedTuple):
    """One event of a delivery; ``at`` is UTC microseconds, ``detail`` the server's words without addresses."""

    kind: str
    at: int
    cause: str | None
    detail: str


@dataclass(frozen=True, slots=True)
class Got:
    """One issue that a reader was planned for. ``at`` is UTC microseconds: when it came into this ``state``."""

    issue: str
    state: str
    reason: str | None
    at: int
    events: tuple[Said, ...]


class Barred(NamedTuple):
    """A suppression: why, who said so, when (UTC microseconds)."""

    reason: str
    source: str
    at: int


def issues_of(store: Store, subscriber_id: int) -> list[Got]:
    """Every issue that a reader was planned for, the newest first, each with its events in the order of time."""
    columns = (delivery.c.id, mailing.c.issue, delivery.c.state, delivery.c.reason, delivery.c.updated_at)
    query = (
        select(*columns)
        .join(mailing, mailing.c.id == delivery.c.mailing_id)
        .where(delivery.c.subscriber_id == subscriber_id)
        .order_by(mailing.c.send_at.desc(), mailing.c.id.desc())
    )
    with store.read() as connection:
        rows = connection.execute(query).all()
        said = _events(connection, [row.id for row in rows])
    return [Got(row.issue, row.state, row.reason, row.updated_at, tuple(said[row.id])) for row in rows]


def barred(store: Store, address: str, keys: Keys) -> Barred | None:
    """Why nothing is mailed to an address, reader or not; None when nothing bars it. Raises ``BadData``."""
    hashed = address_hash(normalise(address)[1], keys.suppression)
    columns = (suppression.c.reason, suppression.c.source, suppression.c.at)
    with store.read() as connection:
        row = connection.execute(select(*columns).where(suppression.c.address_hash == hashed)).first()
    return None if row is None else Barred(*row)


def _events(connection: Connection, ids: list[int]) -> defaultdict[int, list[Said]]:
    found: defaultdict[int, list[Said]] = defaultdict(list)
    for start in range(0, len(ids), _CHUNK):
        query = select(event).where(event.c.delivery_id.in_(ids[start : start + _CHUNK])).order_by(event.c.at)
        for row in connection.execute(query):
            found[row.delivery_id].append(Said(row.kind, row.at, row.cause, row.detail))
    return found
