"""Putting checked records into the audience, inside one transaction."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import NamedTuple

from sqlalchemy import Connection, bindparam, exists, func, insert, literal, select, update
from sqlalchemy import text as sql

from newsletter.audience.attributes import from_json, to_json
from newsletter.store.clock import now_us
from newsletter.store.ids import new_public_ids
from newsletter.store.tables import consent, subscriber, suppression


class StagedRow(NamedTuple):
    """One reader of a batch. ``records`` of the file were merged into it."""

    mailed: str
    key: str
    hash: str
    values: dict[str, str]
    records: int

    def merged(self, later: StagedRow) -> StagedRow:
        """This row with a later one of the same address; the later value wins."""
        return self._replace(values={**self.values, **later.values}, records=self.records + later.records)


@dataclass
class Counts:
    """What became of the records; the fields are those of ``ImportReport``."""

    added: int = 0
    updated: int = 0
    unchanged: int = 0
    duplicates: int = 0
    suppressed: int = 0
    unsubscribed: int = 0
    left: int = 0


class _Marks:
    """A set of subscriber ids in a bit each, so that a million of them take 125 kB."""

    def __init__(self, highest: int) -> None:
        self._bits = bytearray(highest // 8 + 1)

    def add(self, number: int) -> bool:
        """Mark a number; returns whether it was new."""
        byte, bit = number >> 3, 1 << (number & 7)
        new = not self._bits[byte] & bit
        self._bits[byte] |= bit
        return new


_UPDATE = (
    update(subscriber)
    .where(subscriber.c.id == bindparam("of"))
    .values(attributes=bindparam("attributes"), updated_at=bindparam("updated_at"))
)


_LEAVE = sql(
    "UPDATE subscriber SET status = 'unsubscribed', updated_at = :now WHERE address_key IN :keys"
    " AND status = 'subscribed' AND (SELECT c.event FROM consent c WHERE c.subscriber_id = subscriber.id"
    " ORDER BY c.id DESC LIMIT 1) = 'imported' RETURNING id, address_key"
).bindparams(bindparam("keys", expanding=True))


def apply_batches(connection: Connection, batches: Iterable[list[StagedRow]], *, basis: str, source: str) -> Counts:
    """Add and update readers; ``connection`` is inside ``Store.write``, so nobody else changes the audience now."""
    highest: int = connection.execute(select(func.coalesce(func.max(subscriber.c.id), 0))).scalar_one()
    any_suppressed = connection.execute(select(exists(select(suppression.c.id)))).scalar_one()
    applying = _Applying(connection, highest, bool(any_suppressed))
    for batch in batches:
        applying.apply(batch)
    _log_consent(connection, highest, applying.now, basis, source)
    return applying.counts


def let_go(connection: Connection, said: Iterable[Mapping[str, str]], *, source: str) -> int:
    """Unsubscribe those of whom a file says that they are no subscribers (address key: how it says so); how many.

    What a file said a file takes back: whoever subscribed here by their own word stays.
    """
    now, left = now_us(), 0
    for batch in said:
        gone = connection.execute(_LEAVE, {"keys": list(batch), "now": now}).all() if batch else []
        if gone:
            row = {"event": "unsubscribed", "source": source, "at": now}
            basis = [{**row, "subscriber_id": of, "basis": f'the file says "{batch[key]}"'} for of, key in gone]
            connection.execute(insert(consent), basis)
        left += len(gone)
    return left


def _log_consent(connection: Connection, highest: int, now: int, basis: str, source: str) -> None:
    """One row for each reader added: those above the highest id there was before."""
    added = select(
        subscriber.c.id, literal("imported"), literal(basis), literal(source), literal(now)
    ).where(subscriber.c.id > highest)  # fmt: skip
    connection.execute(insert(consent).from_select(["subscriber_id", "event", "basis", "source", "at"], added))


class _Applying:
    """The state of one import: what was there before it, and which readers it has met."""

    def __init__(self, connection: Connection, highest: int, any_suppressed: bool) -> None:
        self.connection = connection
        self.highest = highest
        self.any_suppressed = any_suppressed
        self.counts = Counts()
        self.now = now_us()
        self.met = _Marks(highest)
        self.changed = _Marks(highest)

    def apply(self, batch: list[StagedRow]) -> None:
        """One batch, each address in it once."""
        columns = (subscriber.c.address_key, subscriber.c.id, subscriber.c.status, subscriber.c.attributes)
        found = self.connection.execute(
            select(*columns).where(subscriber.c.address_key.in_([row.key for row in batch]))
        ).all()
        known = {key: (number, status, attributes) for key, number, status, attributes in found}
        barred = self._barred(batch)
        new: list[StagedRow] = []
        changes: list[dict[str, object]] = []
        for row in batch:
            if row.hash in barred:
                self.counts.suppressed += row.records
            elif row.key not in known:
                new.append(row)
            else:
                number, status, attributes = known[row.key]
                if status != "subscribed":
                    self.counts.unsubscribed += row.records
                elif (text := self._merge(row, number, attributes)) is not None:
                    changes.append({"of": number, "attributes": text, "updated_at": self.now})
        if changes:
            self.connection.execute(_UPDATE, changes)
        self._add(new)

    def _barred(self, batch: list[StagedRow]) -> set[str]:
        if not self.any_suppressed:
            return set()
        hashes = suppression.c.address_hash
        return set(self.connection.execute(select(hashes).where(hashes.in_([row.hash for row in batch]))).scalars())

    def _merge(self, row: StagedRow, number: int, attributes: str) -> str | None:
        """Count a reader who is there already; the new attributes as text, None when they stay as they are."""
        former = from_json(attributes)
        merged = {**former, **row.values}
        text = None if merged == former else to_json(merged)
        counts = self.counts
        if number > self.highest or not self.met.add(number):
            counts.duplicates += row.records
            if text is not None and number <= self.highest and self.changed.add(number):
                # Nothing new on the first line, something on this one: the reader was changed after all.
                counts.unchanged -= 1
                counts.updated += 1
            return text
        counts.duplicates += row.records - 1
        if text is None:
            counts.unchanged += 1
        else:
            self.changed.add(number)
            counts.updated += 1
        return text

    def _add(self, new: list[StagedRow]) -> None:
        if not new:
            return
        self.counts.added += len(new)
        self.counts.duplicates += sum(row.records - 1 for row in new)
        self.connection.execute(
            insert(subscriber),
            [
                {
                    "public_id": public_id,
                    "address": row.mailed,
                    "address_key": row.key,
                    "status": "subscribed",
                    "attributes": to_json(row.values),
                    "created_at": self.now,
                    "updated_at": self.now,
                }
                for row, public_id in zip(new, new_public_ids(len(new)), strict=True)
            ],
        )
