"""Planning: who gets a mailing is decided once, when it is due, and frozen with their attributes.

One transaction: a crash in the middle leaves a mailing that is ``planning`` and has no rows, and it is planned
again. Nothing is held in memory but a chunk of addresses, and that only where somebody is suppressed.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from sqlalchemy import select
from sqlalchemy import text as sql

from newsletter.audience.membership import anybody_suppressed, members, suppressed_because, suppressed_keys
from newsletter.delivery import mailings
from newsletter.delivery.mailings import Mailing
from newsletter.errors import GuardRefused, IllegalState
from newsletter.store.ids import NEW_PUBLIC_ID_SQL
from newsletter.store.tables import meta

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from newsletter.store.engine import Store
    from newsletter.workspace.keys import Keys

_CHUNK = 1000
_SECOND = 1_000_000
_CORRECTION = "correction:"

_FILL = sql(
    "INSERT INTO delivery (public_id, mailing_id, subscriber_id, address, attributes, state, reason, tries, updated_at)"  # noqa: S608 - what is put in is a constant of the store
    f" SELECT {NEW_PUBLIC_ID_SQL}, :mailing, id, address, attributes,"
    " CASE WHEN status = 'subscribed' THEN 'pending' ELSE 'excluded' END,"
    " CASE WHEN status = 'subscribed' THEN NULL ELSE status END, 0, :now"
    " FROM subscriber WHERE status <> 'erased' ORDER BY id"
)
_TO_LOOK_UP = sql(
    "SELECT d.id, s.address_key FROM delivery d JOIN subscriber s ON s.id = d.subscriber_id"
    " WHERE d.mailing_id = :mailing AND d.state = 'pending'"
    " AND d.state IN ('pending', 'claimed', 'submitting', 'retry_wait') AND d.id > :last ORDER BY d.id LIMIT :limit"
)
_SUPPRESS = sql("UPDATE delivery SET state = 'excluded', reason = :reason WHERE id = :id")
_REASONS = sql("SELECT reason, count(*) FROM delivery WHERE mailing_id = :mailing GROUP BY reason")
_FORGET = sql("DELETE FROM delivery WHERE mailing_id = :mailing")
# Also those of whom nobody knows whether they got it.
_WHO_GOT_IT = (
    "SELECT d.subscriber_id FROM delivery d JOIN mailing m ON m.id = d.mailing_id"
    " WHERE m.issue = :{} AND d.state IN ('submitted', 'submitting', 'uncertain')"
)
_GOT_IT = sql(_WHO_GOT_IT.format("issue"))
# A mailing that was cancelled half-way and approved again must not reach those who had it.
_HAD_IT = sql(
    "UPDATE delivery SET state = 'excluded', reason = :reason WHERE mailing_id = :mailing AND state = 'pending'"  # noqa: S608 - what is put in is the constant above
    f" AND subscriber_id IN ({_WHO_GOT_IT.format('issue')} AND m.id <> :mailing)"
)
# A correction is for whoever has the mistake.
_GOT_IT_NOT = sql(
    "UPDATE delivery SET state = 'excluded', reason = :reason WHERE mailing_id = :mailing AND state = 'pending'"  # noqa: S608 - what is put in is the constant above
    f" AND subscriber_id NOT IN ({_WHO_GOT_IT.format('corrects')})"
)
_NOT_OVER = sql("SELECT state FROM mailing WHERE issue = :corrects AND state NOT IN ('completed', 'cancelled')")
_NOTE = sql(
    "INSERT INTO meta (key, value) VALUES (:key, :value) ON CONFLICT (key) DO UPDATE SET value = excluded.value"
)
_EARLIER = sql("SELECT count(*) FROM mailing WHERE issue = :issue AND id <> :mailing AND planned IS NOT NULL")
HAD_IT = "had this issue already"


@dataclass(frozen=True, slots=True)
class Planned:
    """What planning came to: everybody, who will get it, and why the others will not.

    ``domains`` are the recipients by mailbox domain; only ``foresee`` counts them.
    """

    total: int
    pending: int
    excluded: dict[str, int] = field(default_factory=dict)
    domains: dict[str, int] = field(default_factory=dict, compare=False)


def plan(
    store: Store,
    mailing: Mailing,
    *,
    keys: Keys,
    now: int,
    accept: Callable[[int], None] = lambda _pending: None,
    corrects: str | None = None,
    subject: str = "",
) -> Planned | None:
    """Freeze the audience of a mailing that is ``planning`` and move it to ``sending``.

    ``accept`` is asked with the number of recipients before anything is committed and may refuse by raising;
    then nothing was planned. Nobody to send to is refused too (``GuardRefused``). None when the mailing is not
    planning any more: somebody unapproved it.

    With ``corrects``, an issue, it is a correction: only who got that one gets it, which is refused while that one is
    under way; and a dated note with the ``subject`` is left for that issue's web copy (``corrections_of``).
    """
    with store.write() as conn:
        if mailings.read_mailing(conn, mailing.id).state != "planning":
            return None
        conn.execute(_FORGET, {"mailing": mailing.id})
        if corrects is not None:
            _refuse_while_under_way(conn, corrects)
        planned = _fill(conn, mailing, keys, now, corrects)
        if not planned.pending:
            raise GuardRefused(
                _nobody(planned), fix=f"newsletter audience import FILE, newsletter resume {mailing.issue}"
            )
        accept(planned.pending)
        moved = mailings.step(
            conn,
            mailing.id,
            ("planning",),
            "sending",
            planned=planned.total,
            planned_at=now,
            date_header=now // _SECOND * _SECOND,
            heartbeat=now,
        )
        if not moved:
            raise IllegalState(f"the mailing of {mailing.issue} changed while it was planned", fix="newsletter run-due")
        if corrects is not None:
            note = {"issue": mailing.issue, "at": now, "subject": subject}
            key = f"{_CORRECTION}{corrects}:{mailing.issue}"
            conn.execute(_NOTE, {"key": key, "value": json.dumps(note)})
        detail = {"planned": planned.total, "pending": planned.pending, "excluded": planned.excluded}
        mailings.write_audit(conn, "run-due", "plan", mailing.issue, detail, now)
    return planned


@dataclass(frozen=True, slots=True)
class Correction:
    """The note that an issue's web copy shows: which issue corrected it, when (UTC microseconds), its subject."""

    issue: str
    at: int
    subject: str


def corrections_of(store: Store, issue: str) -> list[Correction]:
    """The corrections of an issue that were sent, oldest first."""
    prefix = f"{_CORRECTION}{issue}:"
    with store.read() as conn:
        values = conn.execute(select(meta.c.value).where(meta.c.key.startswith(prefix, autoescape=True))).scalars()
        return sorted((Correction(**json.loads(value)) for value in values), key=lambda correction: correction.at)


def readers_of(store: Store, issue: str) -> int:
    """How many got an issue, those included of whom nobody knows it."""
    with store.read() as conn:
        return len(_who_got(conn, issue))


def _who_got(conn: Connection, issue: str) -> set[int]:
    return set(conn.execute(_GOT_IT, {"issue": issue}).scalars())


def foresee(store: Store, keys: Keys, issue: str, *, corrects: str | None = None) -> Planned:
    """Who would get a mailing of ``issue`` that was planned now; nothing is written. ``corrects`` as ``plan`` takes it.

    Of an issue that is on its way, who got it counts as excluded too.
    """
    total, excluded, domains = 0, Counter[str](), Counter[str]()
    with store.read() as conn:
        had = _who_got(conn, issue)
        got = None if corrects is None else _who_got(conn, corrects)
        for member in members(conn, keys):
            total += 1
            if member.exclusion:
                excluded[member.exclusion] += 1
            elif member.id in had:
                excluded[HAD_IT] += 1
            elif got is not None and member.id not in got:
                excluded[f"did not get {corrects}"] += 1
            else:
                domains[member.address.rpartition("@")[2].lower()] += 1
    return Planned(total, total - excluded.total(), dict(excluded), dict(domains))


def _refuse_while_under_way(conn: Connection, corrects: str) -> None:
    """Who gets the first one after this moment would keep the mistake."""
    state = conn.execute(_NOT_OVER, {"corrects": corrects}).scalars().first()
    if state is not None:
        raise GuardRefused(
            f"the mailing of {corrects}, which this corrects, is {state}",
            fix=f"newsletter cancel {corrects}, or let it end; then newsletter resume",
        )


def _fill(conn: Connection, mailing: Mailing, keys: Keys, now: int, corrects: str | None) -> Planned:
    """One row for everybody who is not erased. In SQL: a million rows that pass through Python cost a minute."""
    values = {"mailing": mailing.id, "issue": mailing.issue, "now": now}
    conn.execute(_FILL, values)
    _exclude_suppressed(conn, mailing, keys)
    if conn.execute(_EARLIER, values).scalar_one():
        conn.execute(_HAD_IT, {**values, "reason": HAD_IT})
    if corrects is not None:
        conn.execute(_GOT_IT_NOT, {**values, "corrects": corrects, "reason": f"did not get {corrects}"})
    reasons = {str(reason or ""): int(count) for reason, count in conn.execute(_REASONS, values)}
    pending = reasons.pop("", 0)
    return Planned(pending + sum(reasons.values()), pending, reasons)


def _exclude_suppressed(conn: Connection, mailing: Mailing, keys: Keys) -> None:
    """Suppressions are keyed hashes, which SQL cannot compute: addresses pass through in chunks, if there are any."""
    if not anybody_suppressed(conn):
        return
    last = 0
    while rows := conn.execute(_TO_LOOK_UP, {"mailing": mailing.id, "last": last, "limit": _CHUNK}).all():
        found = suppressed_keys(conn, [key for _, key in rows], keys)
        out = [{"id": id_, "reason": suppressed_because(found[key])} for id_, key in rows if key in found]
        if out:
            conn.execute(_SUPPRESS, out)
        last = rows[-1][0]


def _nobody(planned: Planned) -> str:
    if not planned.total:
        return "the audience is empty: there is nobody to send to"
    why = ", ".join(f"{count:,} {reason}" for reason, count in sorted(planned.excluded.items()))
    return f"there is nobody to send to: {why}"
