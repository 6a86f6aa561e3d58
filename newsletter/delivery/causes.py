"""For what an editor must act now, and what was told about it already."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from sqlalchemy import delete, select
from sqlalchemy import text as sql

from newsletter.delivery import domains, ledger
from newsletter.delivery.mailings import Mailing
from newsletter.store.tables import mailing as mailing_table
from newsletter.store.tables import meta
from newsletter.store.tables import reputation as reputation_table

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from newsletter.store.engine import Store

_PREFIX = "alert:"
_OVER = "alerted:"
_FRESH = 3_600_000_000
"""Microseconds after its end during which a mailing is looked at each time, whatever was told: its rows are counted."""
_PAST = 30 * 24 * _FRESH
"""A mailing that ended longer ago is history when ``[alerts]`` is first configured."""
_WRITE = sql(
    "INSERT INTO meta (key, value) VALUES (:key, :value) ON CONFLICT (key) DO UPDATE SET value = excluded.value"
)


@dataclass(frozen=True, slots=True)
class Cause:
    """One thing that needs an editor: its ``kind`` (held, paused, domain, failed, …), a sentence, and what to do.

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
    """Every cause of the mailings that are under way, waiting, or ended and not settled with (``settle_ended``)."""
    table = mailing_table
    waits = table.c.state.in_(("held", "paused", "sending"))
    with store.read() as conn:
        rows = conn.execute(select(table).where(waits).order_by(table.c.id)).mappings().all()
        stopped = [cause for row in rows for cause in _of(conn, Mailing(**row))]
        ended = [cause for mailing in _ended(conn, now) for cause in _of(conn, mailing)]
        return [*stopped, *ended, *_warnings(conn, now)]


def settle_ended(store: Store, now: int, untold: Collection[str]) -> None:
    """Look no more at mailings that ended more than an hour ago and of which everything is told.

    ``untold`` are the keys of causes that are still to be told. A mailing that is opened again is looked at anew.
    """
    with store.read() as conn:
        over = [
            mailing
            for mailing in _ended(conn, now)
            if (mailing.finished_at or 0) <= now - _FRESH
            and not any(key.startswith(f"{mailing.public_id}:") for key in untold)
            # Mails in dead hands become uncertain at the next run.
            and not any(ledger.counts(conn, mailing.id).get(state) for state in ("claimed", "submitting"))
        ]
    if over:
        with store.write() as conn:
            for mailing in over:
                conn.execute(_WRITE, {"key": _OVER + mailing.public_id, "value": str(mailing.finished_at)})


def _ended(conn: Connection, now: int) -> list[Mailing]:
    """The mailings that ended lately, or whose end nobody has settled with."""
    table = mailing_table
    ended = table.c.state.in_(("completed", "cancelled")) & (table.c.finished_at > now - _PAST)
    rows = conn.execute(select(table).where(ended).order_by(table.c.id)).mappings().all()
    marks = select(meta.c.key, meta.c.value).where(meta.c.key.startswith(_OVER, autoescape=True))
    over = {(row.key.removeprefix(_OVER), row.value) for row in conn.execute(marks)}
    found = [Mailing(**row) for row in rows]
    return [mailing for mailing in found if (mailing.public_id, str(mailing.finished_at)) not in over]


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
    if mailing.state == "sending":
        for domain, why in domains.paused(conn, mailing.id).items():
            sentence = f"{issue} goes on without {domain}: {why}"
            fix = f"newsletter status {issue}, then newsletter pause and resume {issue} to try it again"
            yield Cause(f"{mailing.public_id}:domain:{domain}", "domain", issue, why, sentence, fix)
        return
    counts = ledger.counts(conn, mailing.id)
    # Once while it is stopped and once at its end, however the numbers change meanwhile.
    said = "ended" if mailing.state in {"completed", "cancelled"} else "stopped"
    for state, fix in (("failed", f"newsletter status {issue}"), ("uncertain", f"newsletter reconcile {issue}")):
        if count := counts.get(state):
            deliveries = "delivery" if count == 1 else "deliveries"
            sentence = f"{issue}: {count:,} {deliveries} {state}"
            yield Cause(f"{mailing.public_id}:{state}", state, issue, said, sentence, fix)
