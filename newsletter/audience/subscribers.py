"""Readers one by one: adding, finding, unsubscribing, suppressing, erasing."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from sqlalchemy import ColumnElement, Connection, Select, func, insert, or_, select, update

from newsletter.audience.addresses import normalise
from newsletter.audience.attributes import clean_value, from_json, to_json
from newsletter.audience.exporting import export_csv as export_csv
from newsletter.audience.finding import conditions
from newsletter.audience.leaving import WISH, leave, suppress_key, suppression_of
from newsletter.errors import IllegalState, NotFound
from newsletter.store.clock import now_us
from newsletter.store.ids import new_public_id
from newsletter.store.tables import consent, delivery, subscriber, test_send

if TYPE_CHECKING:
    from newsletter.store.engine import Store
    from newsletter.workspace.keys import Keys

ERASED = "erased"
_PUBLIC_ID = re.compile(r"[0-9a-f]{32}")


@dataclass(frozen=True, slots=True)
class Subscriber:
    """One reader. ``created_at`` is UTC microseconds; ``status`` is subscribed, unsubscribed or erased."""

    id: int
    public_id: str
    address: str
    status: str
    attributes: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    created_at: int = 0
    address_key: str = ""


@dataclass(frozen=True, slots=True)
class ConsentRow:
    """One line of the consent log, which only grows. ``at`` is UTC microseconds."""

    event: str
    basis: str
    source: str
    at: int


_COLUMNS = (
    subscriber.c.id,
    subscriber.c.public_id,
    subscriber.c.address,
    subscriber.c.status,
    subscriber.c.attributes,
    subscriber.c.created_at,
    subscriber.c.address_key,
)


def add(
    store: Store, address: str, attributes: Mapping[str, str], basis: str, keys: Keys, *, source: str = "by hand"
) -> Subscriber:
    """Add a reader, or give one who is there already the new attributes (empty ones change nothing).

    Raises ``BadData`` for the address or a value, ``IllegalState`` when the reader has left or is suppressed:
    only the reader can take that back.
    """
    mailed, key = normalise(address)
    values = {name: clean for name, value in attributes.items() if (clean := clean_value(value))}
    now = now_us()
    with store.write() as connection:
        barred = suppression_of(connection, key, keys)
        if barred is not None:
            raise IllegalState(f"{mailed} is suppressed ({barred})", fix="no mail goes to this address any more")
        known = _one(connection, select(*_COLUMNS).where(subscriber.c.address_key == key))
        if known is None:
            row = {"public_id": new_public_id(), "address": mailed, "address_key": key, "status": "subscribed"}
            number = connection.execute(
                insert(subscriber).returning(subscriber.c.id),
                {**row, "attributes": to_json(values), "created_at": now, "updated_at": now},
            ).scalar_one()
            _log(connection, number, "subscribed", basis, source, now)
        elif known.status != "subscribed":
            raise IllegalState(f"{mailed} has unsubscribed", fix="only the reader can subscribe again")
        elif (merged := {**known.attributes, **values}) != known.attributes:
            connection.execute(
                update(subscriber)
                .where(subscriber.c.id == known.id)
                .values(attributes=to_json(merged), updated_at=now)
            )  # fmt: skip
        return _by_key(connection, key, mailed)


def find(store: Store, address: str) -> Subscriber:
    """The reader with this address, however it is written; raises ``NotFound`` and ``BadData``."""
    mailed, key = normalise(address)
    with store.read() as connection:
        return _by_key(connection, key, mailed)


def show(store: Store, address_or_public_id: str) -> tuple[Subscriber, list[ConsentRow]]:
    """A reader and what they agreed to, the oldest first; raises ``NotFound`` and ``BadData``."""
    mailed, which = _which(address_or_public_id)
    with store.read() as connection:
        found = _one(connection, select(*_COLUMNS).where(which))
        if found is None:
            raise _not_found(mailed)
        rows = connection.execute(
            select(consent.c.event, consent.c.basis, consent.c.source, consent.c.at)
            .where(consent.c.subscriber_id == found.id)
            .order_by(consent.c.id)
        )
        return found, [ConsentRow(*row) for row in rows]


def list_subscribers(
    store: Store,
    *,
    search: str | None = None,
    status: str | None = None,
    got: str | None = None,
    limit: int = 50,
    after: int = 0,
) -> list[Subscriber]:
    """Readers in the order they came, those whose id is above ``after``; see ``finding.conditions`` for the rest."""
    query = select(*_COLUMNS).where(subscriber.c.id > after, *conditions(search, status, got))
    with store.read() as connection:
        return [_subscriber(row) for row in connection.execute(query.order_by(subscriber.c.id).limit(limit))]


def count(store: Store, *, search: str | None = None, status: str | None = None, got: str | None = None) -> int:
    """How many readers ``list_subscribers`` would give without a limit."""
    with store.read() as connection:
        query = select(func.count()).select_from(subscriber).where(*conditions(search, status, got))
        return int(connection.execute(query).scalar_one())


def unsubscribe(store: Store, address_or_public_id: str, source: str) -> Subscriber:
    """Unsubscribe a reader, by address or public id; for one who has left already, nothing happens.

    Effective before the next claim of a mailing that is under way. Raises ``NotFound`` and ``BadData``.
    """
    mailed, which = _which(address_or_public_id)
    now = now_us()
    with store.write() as connection:
        found = _one(connection, select(*_COLUMNS).where(which))
        if found is None:
            raise _not_found(mailed)
        leave(connection, found.id, source=source, now=now)
        return _one(connection, select(*_COLUMNS).where(subscriber.c.id == found.id)) or found


def suppress(store: Store, address: str, reason: str, source: str, keys: Keys) -> bool:
    """Never mail this address again, whether it is a reader's or not. Only a keyed hash is kept.

    Returns False when it was suppressed already; the first reason stays. Raises ``BadData``.
    """
    _, key = normalise(address)
    with store.write() as connection:
        return suppress_key(connection, key, reason, source, keys, now_us())


def erase(store: Store, address: str, keys: Keys, *, source: str = "by hand") -> Subscriber:
    """Erase a reader's data here, in every delivery and in the log of test mails.

    Rows and numbers stay, so that every sum still closes. The keyed hash is suppressed, so no later import brings
    the reader back. Returns what is left. Raises ``NotFound`` and ``BadData``.
    """
    mailed, key = normalise(address)
    now = now_us()
    with store.write() as connection:
        found = _by_key(connection, key, mailed)
        suppress_key(connection, key, ERASED, source, keys, now)
        blank = {"address": ERASED, "attributes": "{}", "updated_at": now}
        connection.execute(
            update(subscriber)
            .where(subscriber.c.id == found.id)
            .values(address_key=f"{ERASED}:{found.public_id}", status=ERASED, **blank)
        )
        # A provider's answer often repeats the address.
        reason = func.replace(delivery.c.reason, delivery.c.address, ERASED)
        connection.execute(update(delivery).where(delivery.c.subscriber_id == found.id).values(reason=reason, **blank))
        tested = or_(test_send.c.address == found.address, func.lower(test_send.c.address) == key)
        connection.execute(update(test_send).where(tested).values(address=f"{ERASED}:{found.public_id}"))
        _log(connection, found.id, ERASED, WISH, source, now)
        left = _one(connection, select(*_COLUMNS).where(subscriber.c.id == found.id))
        return left or found


def _log(connection: Connection, number: int, event: str, basis: str, source: str, now: int) -> None:
    connection.execute(insert(consent).values(subscriber_id=number, event=event, basis=basis, source=source, at=now))


def _which(address_or_public_id: str) -> tuple[str, ColumnElement[bool]]:
    """How a reader is called in messages, and the condition that finds them. Raises ``BadData``."""
    if _PUBLIC_ID.fullmatch(address_or_public_id):
        return address_or_public_id, subscriber.c.public_id == address_or_public_id
    mailed, key = normalise(address_or_public_id)
    return mailed, subscriber.c.address_key == key


def _by_key(connection: Connection, key: str, mailed: str) -> Subscriber:
    found = _one(connection, select(*_COLUMNS).where(subscriber.c.address_key == key))
    if found is None:
        raise _not_found(mailed)
    return found


def _not_found(what: str) -> NotFound:
    return NotFound(f"{what} is not in the audience", fix="newsletter audience list --search PART-OF-THE-ADDRESS")


def _one(connection: Connection, query: Select[Any]) -> Subscriber | None:
    row = connection.execute(query).first()
    return None if row is None else _subscriber(row)


def _subscriber(row: Sequence[Any]) -> Subscriber:
    number, public_id, address, status, attributes, created_at, key = row
    return Subscriber(number, public_id, address, status, from_json(attributes), created_at, key)
