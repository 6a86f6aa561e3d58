"""Who gets a mailing, and who no longer does."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, NamedTuple, TypeVar

from sqlalchemy import Connection, exists, select

from newsletter.audience.addresses import address_hash
from newsletter.store.tables import subscriber, suppression

if TYPE_CHECKING:
    from newsletter.workspace.keys import Keys

_CHUNK = 1_000
_ERASED = "erased"
_T = TypeVar("_T")


class Member(NamedTuple):
    """A subscriber at the moment of planning. ``exclusion`` is why this one gets nothing, None for one who does.

    ``attributes_json`` is the JSON object of strings as the database keeps it.
    """

    id: int
    public_id: str
    address: str
    attributes_json: str
    exclusion: str | None


def members(connection: Connection, keys: Keys) -> Iterator[Member]:
    """Every subscriber that is not erased, by id, with ``unsubscribed``, ``suppressed: <reason>`` or None.

    Reads a thousand at a time and keeps no cursor open, so memory is flat and the caller may write in between.
    """
    columns = (
        subscriber.c.id,
        subscriber.c.public_id,
        subscriber.c.address,
        subscriber.c.attributes,
        subscriber.c.status,
        subscriber.c.address_key,
    )
    last = -1
    while True:
        rows = connection.execute(
            select(*columns).where(subscriber.c.id > last).order_by(subscriber.c.id).limit(_CHUNK)
        ).all()
        if not rows:
            return
        reasons = suppressed_keys(connection, [row[5] for row in rows], keys)
        for number, public_id, address, attributes, status, key in rows:
            if status != _ERASED:
                exclusion = _exclusion(status, reasons.get(key))
                yield Member(number, public_id, address, attributes, exclusion)
        last = rows[-1][0]


def blocked_now(connection: Connection, subscriber_ids: Sequence[int], keys: Keys) -> dict[int, str]:
    """Which of these subscribers must not be mailed as of now, and why: the words of ``members``, or ``erased``.

    Called at the claim of each batch, so that an unsubscription counts up to the last moment.
    """
    blocked: dict[int, str] = {}
    for ids in _chunks(subscriber_ids):
        rows = connection.execute(
            select(subscriber.c.id, subscriber.c.status, subscriber.c.address_key).where(subscriber.c.id.in_(ids))
        ).all()
        found = {number: (status, key) for number, status, key in rows}
        reasons = suppressed_keys(connection, [key for _, key in found.values()], keys)
        for number in ids:
            status, key = found.get(number, (_ERASED, ""))
            exclusion = _exclusion(status, reasons.get(key))
            if exclusion is not None:
                blocked[number] = exclusion
    return blocked


def anybody_suppressed(connection: Connection) -> bool:
    """Whether there is a suppression at all: without one nobody has to be looked up."""
    return bool(connection.execute(select(exists(select(suppression.c.id)))).scalar_one())


def suppressed_keys(connection: Connection, address_keys: Iterable[str], keys: Keys) -> Mapping[str, str]:
    """Of some address keys those that are suppressed, with the reason."""
    found: dict[str, str] = {}
    if not anybody_suppressed(connection):
        return found
    for chunk in _chunks(list(address_keys)):
        by_hash = {address_hash(key, keys.suppression): key for key in chunk}
        rows = connection.execute(
            select(suppression.c.address_hash, suppression.c.reason).where(
                suppression.c.address_hash.in_(list(by_hash))
            )
        )
        found.update((by_hash[hashed], reason) for hashed, reason in rows)
    return found


def _exclusion(status: str, suppressed: str | None) -> str | None:
    if status != "subscribed":
        return status
    return None if suppressed is None else suppressed_because(suppressed)


def suppressed_because(reason: str) -> str:
    """How an exclusion says that an address is suppressed."""
    return f"suppressed: {reason}"


def _chunks(items: Sequence[_T]) -> Iterator[Sequence[_T]]:
    """At most a thousand at a time: a statement takes a limited number of parameters."""
    return (items[start : start + _CHUNK] for start in range(0, len(items), _CHUNK))
