"""Planning: who gets a mailing is decided once, when it is due, and frozen with their attributes.

One transaction: a crash in the middle leaves a mailing that is ``planning`` and has no rows, and it is planned
again. Readers stream through in chunks, so memory does not grow with the audience.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import islice
from typing import TYPE_CHECKING

from sqlalchemy import text as sql

from newsletter.audience.membership import members
from newsletter.delivery import mailings
from newsletter.delivery.mailings import Mailing
from newsletter.errors import GuardRefused, IllegalState
from newsletter.store.ids import new_public_id

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from newsletter.store.engine import Store
    from newsletter.workspace.keys import Keys

_CHUNK = 1000
_SECOND = 1_000_000

_INSERT = sql(
    "INSERT INTO delivery (public_id, mailing_id, subscriber_id, address, attributes, state, reason, tries, updated_at)"
    " VALUES (:public_id, :mailing, :subscriber, :address, :attributes, :state, :reason, 0, :now)"
)
_FORGET = sql("DELETE FROM delivery WHERE mailing_id = :mailing")
# A mailing that was cancelled half-way and approved again must not reach those who had it.
_HAD_IT = sql(
    "UPDATE delivery SET state = 'excluded', reason = :reason WHERE mailing_id = :mailing AND state = 'pending'"
    " AND subscriber_id IN (SELECT d.subscriber_id FROM delivery d JOIN mailing m ON m.id = d.mailing_id"
    " WHERE m.issue = :issue AND m.id <> :mailing AND d.state IN ('submitted', 'submitting', 'uncertain'))"
)
_EARLIER = sql("SELECT count(*) FROM mailing WHERE issue = :issue AND id <> :mailing AND planned IS NOT NULL")
HAD_IT = "had this issue already"


@dataclass(frozen=True, slots=True)
class Planned:
    """What planning came to: everybody, who will get it, and why the others will not."""

    total: int
    pending: int
    excluded: dict[str, int] = field(default_factory=dict)


def plan(
    store: Store, mailing: Mailing, *, keys: Keys, now: int, accept: Callable[[int], None] = lambda _pending: None
) -> Planned | None:
    """Freeze the audience of a mailing that is ``planning`` and move it to ``sending``.

    ``accept`` is asked with the number of recipients before anything is committed and may refuse by raising;
    then nothing was planned. Nobody to send to is refused too (``GuardRefused``). None when the mailing is not
    planning any more: somebody unapproved it.
    """
    with store.write() as conn:
        if mailings.read_mailing(conn, mailing.id).state != "planning":
            return None
        conn.execute(_FORGET, {"mailing": mailing.id})
        planned = _fill(conn, mailing, keys, now)
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
        detail = {"planned": planned.total, "pending": planned.pending, "excluded": planned.excluded}
        mailings.write_audit(conn, "run-due", "plan", mailing.issue, detail, now)
    return planned


def foresee(store: Store, keys: Keys) -> Planned:
    """Who would get a mailing that was planned now; nothing is written."""
    total, excluded = 0, Counter[str]()
    with store.read() as conn:
        for member in members(conn, keys):
            total += 1
            if member.exclusion:
                excluded[member.exclusion] += 1
    return Planned(total, total - excluded.total(), dict(excluded))


def _fill(conn: Connection, mailing: Mailing, keys: Keys, now: int) -> Planned:
    total, excluded = 0, Counter[str]()
    stream = members(conn, keys)
    while chunk := list(islice(stream, _CHUNK)):
        total += len(chunk)
        excluded.update(member.exclusion for member in chunk if member.exclusion)
        conn.execute(
            _INSERT,
            [
                {
                    "public_id": new_public_id(),
                    "mailing": mailing.id,
                    "subscriber": member.id,
                    "address": member.address,
                    "attributes": member.attributes_json,
                    "state": "excluded" if member.exclusion else "pending",
                    "reason": member.exclusion,
                    "now": now,
                }
                for member in chunk
            ],
        )
    values = {"mailing": mailing.id, "issue": mailing.issue}
    if conn.execute(_EARLIER, values).scalar_one():
        had_it = conn.execute(_HAD_IT, {**values, "reason": HAD_IT}).rowcount
        excluded.update({HAD_IT: had_it} if had_it else {})
    return Planned(total, total - excluded.total(), dict(excluded))


def _nobody(planned: Planned) -> str:
    if not planned.total:
        return "the audience is empty: there is nobody to send to"
    why = ", ".join(f"{count:,} {reason}" for reason, count in sorted(planned.excluded.items()))
    return f"there is nobody to send to: {why}"
