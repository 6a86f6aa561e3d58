"""Leaving and coming back, inside somebody else's transaction: the pages for readers, providers' events.

The statements are written by hand because a publication's readers may all come at once.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from sqlalchemy import Connection, delete, exists, insert, select
from sqlalchemy import text as sql

from newsletter.audience.addresses import address_hash
from newsletter.audience.attributes import clean_value
from newsletter.store.tables import suppression

if TYPE_CHECKING:
    from newsletter.workspace.keys import Keys

_READER = sql("SELECT id, address, address_key, status FROM subscriber WHERE public_id = :public_id")
_MOVE = sql("UPDATE subscriber SET status = :to, updated_at = :now WHERE id = :id AND status = :since")
_LOG = sql("INSERT INTO consent (subscriber_id, event, basis, source, at) VALUES (:id, :event, :basis, :source, :now)")
_AGREED = sql("SELECT max(at) FROM consent WHERE subscriber_id = :id AND event IN ('subscribed', 'imported')")

WISH = "the reader's wish"


@dataclass(frozen=True, slots=True)
class Reader:
    """A reader as their own page knows them. ``barred`` is why nothing is mailed to them, whatever ``status`` says."""

    id: int
    address: str
    status: str
    barred: str | None = None


def find_reader(conn: Connection, public_id: str, keys: Keys) -> Reader | None:
    """The reader with this public id, or None."""
    row = conn.execute(_READER, {"public_id": public_id}).first()
    if row is None:
        return None
    number, address, key, status = row
    barred = None if status == "erased" else suppression_of(conn, key, keys)
    return Reader(number, address, status, barred)


def leave(
    conn: Connection, subscriber_id: int, *, source: str, now: int, basis: str = WISH, said_at: int | None = None
) -> bool:
    """Unsubscribe; effective before the next claim. False when there was nothing to do.

    ``said_at`` is when the reader said so, where word of it comes late: it does not undo a later subscription.
    """
    if said_at is not None:
        agreed = conn.execute(_AGREED, {"id": subscriber_id}).scalar_one()
        if agreed is not None and said_at < agreed:
            return False
    return _move(conn, subscriber_id, "subscribed", "unsubscribed", basis, source, now)


def come_back(conn: Connection, subscriber_id: int, *, source: str, basis: str, now: int) -> bool:
    """Subscribe a reader who has unsubscribed, by their own word alone. False when there was nothing to do.

    Not for those who are suppressed: the caller looks at ``Reader.barred`` in the same transaction.
    """
    return _move(conn, subscriber_id, "unsubscribed", "subscribed", basis, source, now)


def suppression_of(conn: Connection, key: str, keys: Keys) -> str | None:
    """Why an address key is suppressed, or None."""
    hashed = address_hash(key, keys.suppression)
    return conn.execute(select(suppression.c.reason).where(suppression.c.address_hash == hashed)).scalar()


def suppress_key(conn: Connection, key: str, reason: str, source: str, keys: Keys, now: int) -> bool:
    """Never mail this address key again. False when it was suppressed already; the first reason stays."""
    hashed = address_hash(key, keys.suppression)
    if conn.execute(select(exists().where(suppression.c.address_hash == hashed))).scalar_one():
        return False
    conn.execute(insert(suppression).values(address_hash=hashed, reason=clean_value(reason), source=source, at=now))
    return True


def lift_suppressions(conn: Connection, address_keys: Sequence[str], source: str, keys: Keys) -> int:
    """Take back suppressions that ``source`` made by mistake, and no others; how many."""
    lifted = 0
    for key in address_keys:
        hashed = address_hash(key, keys.suppression)
        lifted += conn.execute(
            delete(suppression).where(suppression.c.address_hash == hashed, suppression.c.source == source)
        ).rowcount
    return lifted


def _move(conn: Connection, subscriber_id: int, since: str, to: str, basis: str, source: str, now: int) -> bool:
    if conn.execute(_MOVE, {"id": subscriber_id, "since": since, "to": to, "now": now}).rowcount != 1:
        return False
    conn.execute(_LOG, {"id": subscriber_id, "event": to, "basis": basis, "source": source, "now": now})
    return True
