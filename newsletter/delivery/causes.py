"""For what an editor must act now, and what was told about it already."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from sqlalchemy import delete, or_, select
from sqlalchemy import text as sql

from newsletter.delivery import ledger
from newsletter.delivery.mailings import Mailing
from newsletter.store.tables import mailing as mailing_table
from newsletter.store.tables import meta
from newsletter.store.tables import reputation as reputation_table

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from newsletter.store.engine import Store

_PREFIX = "alert:"
_FRESH = 3_600_000_000
"""Microseconds after its end during which a mailing is looked at: its rows are counted each time."""
_WRITE = sql(
    "INSERT INTO meta (key, value) VALUES (:key, :value) ON CONFLICT (key) DO UPDATE SET value = excluded.value"
)


@dataclass(frozen=True, slots=True)
class Cause:
    """One thing that needs an editor: its ``kind`` (held, paused, failed, uncertain, …), a sentence, and what to do.

    ``key`` says which one it is, ``said`` how it stands: it is told again when that changes.
    """

    key: str
    kind: str
    issue: str | None
    said: str
    sentence: str
    fix: str


@dataclass(frozen=True, slots=True)
class Memory:
    """What was told: how it stood (``said``), on which channels, and how often it was tried."""

    said: str
    done: tuple[str, ...] = ()
    tries: int = 0


def standing(store: Store, now: int) -> list[Cause]:
    """Every cause of the mailings that are under way, waiting, or ended within the last hour."""
    table = mailing_table
    stopped = table.c.state.in_(("held", "paused"))
    ended = table.c.state.in_(("completed", "cancelled")) & (table.c.finished_at > now - _FRESH)
    with store.read() as conn:
        rows = conn.execute(select(table).where(or_(stopped, ended)).order_by(table.c.id)).mappings().all()
        found = [cause for row in rows for cause in _of(conn, Mailing(**row))]
        return [*found, *_warnings(conn, now)]


def recall(store: Store) -> dict[str, Memory]:
    """What was told, by the cause's key."""
    with store.read() as conn:
        rows = conn.execute(select(meta).where(meta.c.key.startswith(_PREFIX, autoescape=True))).all()
    found = {}
    for key, value in rows:
        kept = json.loads(value)
        found[key.removeprefix(_PREFIX)] = Memory(kept["said"], tuple(kept["done"]), kept["tries"])
    return found


def remember(store: Store, key: str, memory: Memory) -> None:
    """Keep what was told about a cause."""
    value = json.dumps({"said": memory.said, "done": list(memory.done), "tries": memory.tries})
    with store.write() as conn:
        conn.execute(_WRITE, {"key": _PREFIX + key, "value": value})


def forget(store: Store, keys: Collection[str]) -> None:
    """Causes that are gone: should one come back, it is told again."""
    with store.write() as conn:
        conn.execute(delete(meta).where(meta.c.key.in_([_PREFIX + key for key in keys])))


def known(memory: Memory | None, cause: Cause) -> Memory:
    """What was told about a cause as it stands now."""
    return memory if memory is not None and memory.said == cause.said else Memory(cause.said)


def tried(memory: Memory) -> Memory:
    """One more try, noted before it is made."""
    return replace(memory, tries=memory.tries + 1)


def _warnings(conn: Connection, now: int) -> Iterator[Cause]:
    """Complaints that threaten a mailing, under way or over: each mailing warns once."""
    table = reputation_table
    of = mailing_table.c
    query = select(of.public_id, of.issue, of.state, table.c.warning).join(table, table.c.mailing_id == of.id)
    for key, issue, state, warning in conn.execute(query.where(table.c.warned_at > now - _FRESH).order_by(of.id)):
        fix = f"newsletter pause {issue} spares the others" if state == "sending" else f"newsletter status {issue}"
        yield Cause(f"{key}:complaints", "complaints", issue, str(warning), f"{issue}: {warning}", fix)


def _of(conn: Connection, mailing: Mailing) -> Iterator[Cause]:
    issue = mailing.issue
    reason = mailing.reason or ""
    on = f"newsletter resume {issue}, or newsletter cancel {issue}"
    # Who pauses by hand knows it.
    if mailing.state in {"held", "paused"} and not reason.startswith("paused by "):
        sentence = f"{issue} is {mailing.state}: {reason}" if reason else f"{issue} is {mailing.state}"
        yield Cause(f"{mailing.public_id}:{mailing.state}", mailing.state, issue, reason, sentence, on)
    counts = ledger.counts(conn, mailing.id)
    for state, fix in (("failed", f"newsletter status {issue}"), ("uncertain", f"newsletter reconcile {issue}")):
        if count := counts.get(state):
            deliveries = "delivery" if count == 1 else "deliveries"
            sentence = f"{issue}: {count:,} {deliveries} {state}"
            yield Cause(f"{mailing.public_id}:{state}", state, issue, str(count), sentence, fix)
