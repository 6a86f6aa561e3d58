"""Mailings: one approved issue going to one audience, and the states it goes through.

::

    scheduled ──▶ planning ──▶ sending ◀──▶ paused          held ──resume──▶ scheduled
        │             │           │           │
        └──▶ held     └──▶ held   ├──▶ completed            completed ──reconcile: send again──▶ sending
                                  └──▶ cancelled ◀── (any but completed)

Every step is one conditional UPDATE inside a write transaction, so of two processes that want different things
exactly one gets its way and the other is told. At most one mailing of an issue is not cancelled (a unique index):
sending an issue twice is impossible.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from sqlalchemy import func, insert, or_, select, update
from sqlalchemy import text as sql

from newsletter.delivery import domains, reputation
from newsletter.delivery.schedule import SendAt
from newsletter.errors import IllegalState
from newsletter.store.clock import from_us, to_us
from newsletter.store.ids import new_public_id
from newsletter.store.tables import audit as audit_table
from newsletter.store.tables import delivery
from newsletter.store.tables import mailing as mailing_table

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from newsletter.store.engine import Store

RELEASED = "released"
"""The reason of a mailing that an editor let go after it was held: it is not held for its lateness again."""

HOLDS = ("late", "guard", "installation")
"""The kinds of reasons for which a mailing is held, or paused by itself; the reason begins with it and a colon."""

OPEN_STATES = ("pending", "claimed", "submitting", "retry_wait")
"""The states a delivery is in while there is something to do: the partial index covers exactly these."""

_BEGUN = ("submitting", "submitted", "rejected", "failed", "uncertain")
"""A delivery in one of these may have left; unapproving is over."""


@dataclass(frozen=True, slots=True)
class Mailing:
    """A row of ``mailing``. Times are UTC microseconds; ``local_time`` is wall time in ``zone``."""

    id: int
    public_id: str
    issue: str
    digest: str
    state: str
    reason: str | None
    provider: str
    send_at: int
    local_time: str
    zone: str
    date_header: int | None
    planned: int | None
    heartbeat: int | None
    created_at: int
    planned_at: int | None
    finished_at: int | None

    @property
    def due(self) -> datetime:
        """The moment to send at (aware UTC)."""
        return from_us(self.send_at)

    @property
    def date(self) -> datetime:
        """The frozen Date header (aware UTC); only after planning."""
        return from_us(self.send_at if self.date_header is None else self.date_header)


@dataclass(frozen=True, slots=True)
class Ended:
    """What cancelling found: how many had been submitted, how many will not get it, how many are in flight."""

    submitted: int
    cancelled: int
    in_flight: int


def schedule(
    store: Store, *, issue: str, digest: str, provider: str, send_at: SendAt, actor: str, now: int
) -> tuple[Mailing, bool]:
    """Make the mailing of an approved issue, or return the one it has: (mailing, whether it is new)."""
    with store.write() as conn:
        return enter(conn, issue=issue, digest=digest, provider=provider, send_at=send_at, actor=actor, now=now)


def enter(
    conn: Connection, *, issue: str, digest: str, provider: str, send_at: SendAt, actor: str, now: int
) -> tuple[Mailing, bool]:
    """``schedule`` within a transaction that does something else besides."""
    if (there := _live(conn, issue)) is not None:
        return there, False
    public_id = new_public_id()
    row = {
        "public_id": public_id,
        "issue": issue,
        "digest": digest,
        "state": "scheduled",
        "provider": provider,
        "send_at": to_us(send_at.utc),
        "local_time": send_at.local,
        "zone": send_at.zone,
        "created_at": now,
    }
    conn.execute(insert(mailing_table).values(row))
    write_audit(conn, actor, "schedule", issue, {"mailing": public_id, "send_at": send_at.local}, now)
    made = _live(conn, issue)
    assert made is not None
    return made, True


def live(store: Store, issue: str) -> Mailing | None:
    """The issue's mailing that is not cancelled, completed ones included; None when it has none."""
    with store.read() as conn:
        return _live(conn, issue)


def latest(store: Store, issue: str) -> Mailing | None:
    """The issue's live mailing, else the one cancelled last, else None."""
    with store.read() as conn:
        found = _live(conn, issue)
        if found is None:
            newest = select(mailing_table).where(mailing_table.c.issue == issue).order_by(mailing_table.c.id.desc())
            found = _one(conn.execute(newest.limit(1)).mappings().all())
    return found


def approved_last(store: Store, issue: str) -> bool:
    """Whether an approval is the last that people did about an issue's going out, by the order of the audit log.

    Times would not tell: an approval knows its second only, and clocks are put back.
    """
    table = audit_table
    done = select(table.c.action).where(table.c.issue == issue, table.c.action.in_(("approve", "unapprove", "cancel")))
    with store.read() as conn:
        return conn.execute(done.order_by(table.c.id.desc()).limit(1)).scalar() == "approve"


def all_mailings(store: Store) -> list[Mailing]:
    """Every issue's newest mailing, the latest time to send first."""
    newest = select(func.max(mailing_table.c.id)).group_by(mailing_table.c.issue)
    rows = select(mailing_table).where(mailing_table.c.id.in_(newest)).order_by(mailing_table.c.send_at.desc())
    with store.read() as conn:
        return [Mailing(**row) for row in conn.execute(rows).mappings()]


def read_mailing(conn: Connection, mailing_id: int) -> Mailing:
    """The row as it is now."""
    rows = conn.execute(select(mailing_table).where(mailing_table.c.id == mailing_id)).mappings().all()
    return Mailing(**rows[0])


def due(store: Store, now: int) -> list[Mailing]:
    """What ``run-due`` has to do: unfinished mailings first, then those whose time has come, each by time."""
    table = mailing_table
    unfinished = table.c.state.in_(("planning", "sending"))
    waiting = (table.c.state == "scheduled") & (table.c.send_at <= now)
    order = (table.c.state != "sending", table.c.send_at, table.c.id)
    with store.read() as conn:
        rows = conn.execute(select(table).where(or_(unfinished, waiting)).order_by(*order)).mappings().all()
    return [Mailing(**row) for row in rows]


def cancelled_in_flight(store: Store) -> list[Mailing]:
    """Cancelled mailings with deliveries in somebody's hands; in dead hands, if the mailing's lock is free."""
    held = select(delivery.c.mailing_id).where(
        delivery.c.state.in_(OPEN_STATES), delivery.c.state.in_(("claimed", "submitting"))
    )
    table = mailing_table
    with store.read() as conn:
        rows = select(table).where(table.c.state == "cancelled", table.c.id.in_(held))
        return [Mailing(**row) for row in conn.execute(rows).mappings()]


def step(
    conn: Connection, mailing_id: int, since: Iterable[str], to: str, *, reason: str | None = None, **values: Any
) -> bool:
    """Move a mailing to state ``to`` if it is in one of ``since``; False when it was not. ``reason`` is replaced."""
    done = conn.execute(
        update(mailing_table)
        .where(mailing_table.c.id == mailing_id, mailing_table.c.state.in_(tuple(since)))
        .values(state=to, reason=reason, **values)
    )
    return done.rowcount == 1


def hold(store: Store, mailing: Mailing, kind: str, reason: str, now: int) -> bool:
    """Hold a mailing that has not begun: ``kind`` is late, guard or installation. False when it moved on."""
    with store.write() as conn:
        held = step(conn, mailing.id, ("scheduled", "planning"), "held", reason=f"{kind}: {reason}")
        if held:
            write_audit(conn, "run-due", "hold", mailing.issue, {"kind": kind, "reason": reason}, now)
    return held


def pause(store: Store, issue: str, *, actor: str, now: int) -> Mailing:
    """Stop a mailing after the mails in flight. Raises ``IllegalState`` when it is not sending; twice is fine."""
    with store.write() as conn:
        mailing = _required(conn, issue)
        if mailing.state != "paused":
            if not step(conn, mailing.id, ("sending",), "paused", reason=f"paused by {actor}"):
                raise _not_now(mailing, "paused", _instead_of_pausing(mailing))
            write_audit(conn, actor, "pause", issue, {}, now)
        return read_mailing(conn, mailing.id)


def pause_for(store: Store, mailing: Mailing, reason: str, now: int) -> None:
    """Pause a mailing that is under way for a reason that no person gave."""
    with store.write() as conn:
        if step(conn, mailing.id, ("sending",), "paused", reason=reason):
            write_audit(conn, "run-due", "pause", mailing.issue, {"reason": reason}, now)


def stop_for_complaints(conn: Connection, mailing_id: int, issue: str, reason: str, actor: str, now: int) -> bool:
    """Pause a mailing that is sending because its readers complain; False when it is not sending.

    Whoever resumes it has seen these complaints: it does not pause again on them.
    """
    if not step(conn, mailing_id, ("sending",), "paused", reason=reason):
        return False
    reputation.note_paused(conn, mailing_id, now)
    write_audit(conn, actor, "pause", issue, {"reason": reason}, now)
    return True


def resume(store: Store, issue: str, *, actor: str, now: int) -> Mailing:
    """Let a paused or held mailing go on; the next ``run-due`` takes it up. Raises ``IllegalState``.

    Mailbox domains that a paused one waits for are tried again, and complaints that it paused for are excused.
    """
    with store.write() as conn:
        mailing = _required(conn, issue)
        released = step(conn, mailing.id, ("held",), "scheduled", reason=RELEASED)
        if not released and not step(conn, mailing.id, ("paused",), "sending", heartbeat=now):
            raise _not_now(mailing, "resumed", f"newsletter status {issue}")
        lifted = domains.lift(conn, mailing.id)
        reputation.excuse(conn, mailing.id)
        detail = {"was": mailing.state, "reason": mailing.reason, **({"domains": lifted} if lifted else {})}
        write_audit(conn, actor, "resume", issue, detail, now)
        return read_mailing(conn, mailing.id)


def cancel(store: Store, issue: str, *, actor: str, now: int) -> Ended:
    """End a mailing for whoever has not got it; what is in flight finishes and is recorded. Cannot be taken back.

    Raises ``IllegalState`` when there is none, or it is over already.
    """
    with store.write() as conn:
        mailing = _required(conn, issue)
        if mailing.state == "completed":
            raise _not_now(mailing, "cancelled", f"newsletter status {issue}")
        step(conn, mailing.id, (mailing.state,), "cancelled", reason=f"cancelled by {actor}", finished_at=now)
        cancelled = cancel_open(conn, mailing.id, now)
        ended = Ended(
            submitted=_count(conn, mailing.id, ("submitted",)),
            cancelled=cancelled,
            in_flight=_count(conn, mailing.id, ("submitting",)),
        )
        write_audit(conn, actor, "cancel", issue, {"submitted": ended.submitted, "cancelled": cancelled}, now)
    return ended


def unapprove(store: Store, issue: str, *, actor: str, now: int) -> Mailing | None:
    """Stop the presses: end the mailing if not one mail may have left; the mailing as it was, or None without one.

    One transaction, so a sender that begins in the same moment either finds it cancelled or makes this refuse.
    Raises ``IllegalState`` with the number of mails that were submitted.
    """
    with store.write() as conn:
        mailing = _live(conn, issue)
        if mailing is None:
            write_audit(conn, actor, "unapprove", issue, {}, now)
            return None
        begun = _count(conn, mailing.id, _BEGUN)
        if begun or mailing.state == "completed":
            raise _too_late(mailing, _count(conn, mailing.id, ("submitted",)), begun)
        step(conn, mailing.id, (mailing.state,), "cancelled", reason=f"unapproved by {actor}", finished_at=now)
        cancel_open(conn, mailing.id, now)
        write_audit(conn, actor, "unapprove", issue, {"mailing": mailing.public_id, "submitted": 0}, now)
    return mailing


def cancel_open(conn: Connection, mailing_id: int, now: int) -> int:
    """Cancel the deliveries of which no byte has left; how many."""
    done = conn.execute(
        update(delivery)
        .where(delivery.c.mailing_id == mailing_id, delivery.c.state.in_(("pending", "claimed", "retry_wait")))
        .values(state="cancelled", updated_at=now, next_try_at=None)
    )
    return done.rowcount


def beat(conn: Connection, mailing_id: int, now: int) -> str:
    """Say that a sender lives, and read the state in the same transaction as what follows."""
    conn.execute(_BEAT, {"now": now, "id": mailing_id})
    return str(conn.execute(_STATE, {"id": mailing_id}).scalar_one())


def write_audit(
    conn: Connection, actor: str, action: str, issue: str | None, detail: Mapping[str, object], now: int
) -> None:
    """Append to the audit log: who did what when."""
    row = {"at": now, "actor": actor, "action": action, "issue": issue, "detail": json.dumps(dict(detail))}
    conn.execute(insert(audit_table).values(row))


_BEAT = sql("UPDATE mailing SET heartbeat = :now WHERE id = :id")
_STATE = sql("SELECT state FROM mailing WHERE id = :id")


def _live(conn: Connection, issue: str) -> Mailing | None:
    rows = select(mailing_table).where(mailing_table.c.issue == issue, mailing_table.c.state != "cancelled")
    return _one(conn.execute(rows).mappings().all())


def _one(rows: Iterable[Mapping[Any, Any]]) -> Mailing | None:
    return next((Mailing(**row) for row in rows), None)


def _required(conn: Connection, issue: str) -> Mailing:
    found = _live(conn, issue)
    if found is None:
        raise IllegalState(f"{issue} has no mailing", fix=f"newsletter approve {issue}")
    return found


def _count(conn: Connection, mailing_id: int, states: tuple[str, ...]) -> int:
    rows = select(func.count()).where(delivery.c.mailing_id == mailing_id, delivery.c.state.in_(states))
    return int(conn.execute(rows).scalar_one())


def _not_now(mailing: Mailing, verb: str, fix: str) -> IllegalState:
    return IllegalState(f"the mailing of {mailing.issue} is {mailing.state}: it cannot be {verb}", fix=fix)


def _instead_of_pausing(mailing: Mailing) -> str:
    if mailing.state == "scheduled":
        return f"newsletter unapprove {mailing.issue}, or newsletter cancel {mailing.issue}"
    return f"newsletter status {mailing.issue}"


def _too_late(mailing: Mailing, submitted: int, begun: int) -> IllegalState:
    if mailing.state == "completed":
        return IllegalState(
            f"{mailing.issue} is sent: {submitted:,} submitted; it cannot be unapproved",
            fix="write the next issue, or a correction",
        )
    more = f" and {begun - submitted:,} more begun" if begun > submitted else ""
    return IllegalState(
        f"{mailing.issue} is on its way: {submitted:,} submitted{more}; it cannot be unapproved",
        fix=f"newsletter cancel {mailing.issue}   (whoever has not got it will not)",
    )
