"""Leaving and coming back, inside somebody else's transaction: the pages for readers, providers' events.

The statements are written by hand, and each does many readers, because a publication's readers may all come at once.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from sqlalchemy import Connection, bindparam, delete, exists, insert, select
from sqlalchemy import text as sql

from newsletter.audience.addresses import address_hash
from newsletter.audience.attributes import clean_value
from newsletter.audience.membership import suppressed_keys
from newsletter.store.tables import suppression

if TYPE_CHECKING:
    from newsletter.workspace.keys import Keys

_READERS = sql(
    "SELECT public_id, id, address, address_key, status FROM subscriber WHERE public_id IN :public_ids"
).bindparams(bindparam("public_ids", expanding=True))
_SECOND = 1_000_000
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


def find_readers(conn: Connection, public_ids: Sequence[str], keys: Keys) -> dict[str, Reader]:
    """The readers with these public ids (some hundred), by them; unknown ones are left out."""
    rows = conn.execute(_READERS, {"public_ids": list(public_ids)}).all()
    barred = suppressed_keys(conn, [row[3] for row in rows], keys)
    return {
        public_id: Reader(number, address, status, None if status == "erased" else barred.get(key))
        for public_id, number, address, key, status in rows
    }


def leave_all(conn: Connection, leaving: Mapping[int, str], now: int) -> None:
    """Unsubscribe many: each subscriber's id with the source of their wish. Only of those who are subscribed now."""
    if not leaving:
        return
    since = {"since": "subscribed", "to": "unsubscribed", "now": now}
    conn.execute(_MOVE, [{"id": number, **since} for number in leaving])
    row = {"event": "unsubscribed", "basis": WISH, "now": now}
    conn.execute(_LOG, [{"id": number, "source": source, **row} for number, source in leaving.items()])


def leave(
    conn: Connection, subscriber_id: int, *, source: str, now: int, basis: str = WISH, said_at: int | None = None
) -> bool:
    """Unsubscribe; effective before the next claim. False when there was nothing to do.

    ``said_at`` is when the reader said so, where word of it comes late: it does not undo a later subscription.
    Providers tell whole seconds, so within one second leaving counts.
    """
    if said_at is not None:
        agreed = conn.execute(_AGREED, {"id": subscriber_id}).scalar_one()
        if agreed is not None and said_at + _SECOND <= agreed:
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
