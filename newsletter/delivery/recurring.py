"""Recurring times: ``[schedule] every = "Fri 07:00"`` as moments, and the note that one of them is dealt with.

An occurrence is a rule, a wall time and a zone. A wall time that a zone shows twice is one occurrence, and one that it
skips is one too, at the next minute that exists: the moments come from ``schedule.at_wall_time``, as all others.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date as Date
from datetime import datetime, time, timedelta
from typing import TYPE_CHECKING, Final

from sqlalchemy import delete, insert, select

from newsletter.delivery import mailings
from newsletter.delivery.approval import Approval
from newsletter.delivery.mailings import Mailing
from newsletter.delivery.schedule import SendAt, at_wall_time, how_long, wall_time, zone_of
from newsletter.store.clock import from_us
from newsletter.store.tables import meta
from newsletter.workspace.values import parse_rule

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from newsletter.store.engine import Store

_SINCE: Final = "rule:"


@dataclass(frozen=True, slots=True)
class Occurrence:
    """One time of a rule: its wall time ``local`` (``2026-11-27T07:00``) in ``zone``, and its moment (aware UTC)."""

    rule: str
    local: str
    zone: str
    utc: datetime

    @property
    def day(self) -> Date:
        """The day of the issue that goes out then."""
        return datetime.fromisoformat(self.local).date()

    @property
    def key(self) -> str:
        """What is unique: the rule's meaning, not its spelling."""
        return f"{_meaning(self.rule)}/{self.local}/{self.zone}"

    @property
    def said(self) -> str:
        """``Fri 2026-11-27 07:00 (Europe/London)``: what clocks show then, also where they skip ``local``."""
        return f"{self.utc.astimezone(zone_of(self.zone)):%a %Y-%m-%d %H:%M} ({self.zone})"


def occurrences(rule: str, zone: str, after: datetime, until: datetime) -> Iterator[Occurrence]:
    """The times of a rule with ``after < moment <= until`` (both aware), in order."""
    weekday, hour, minute = parse_rule(rule, "schedule.every")
    place = zone_of(zone)
    day = after.astimezone(place).date() - timedelta(days=1)
    while day <= until.astimezone(place).date() + timedelta(days=1):
        wall = datetime.combine(day, time(hour, minute))
        moment = at_wall_time(wall, place)
        if (weekday is None or day.weekday() == weekday) and after < moment <= until:
            yield Occurrence(rule, wall.isoformat(timespec="minutes"), zone, moment)
        day += timedelta(days=1)


def begin(store: Store, rules: Sequence[str], zone: str, now: int) -> dict[str, datetime]:
    """Since when each rule counts: the moment at which it was first seen; before that nobody was promised anything.

    One that is not written any more is forgotten, so that it begins anew when it comes back. A clock that was put back
    does not leave a rule waiting for its return.
    """
    wanted = {f"{_SINCE}{_meaning(rule)}/{zone}": rule for rule in rules}
    with store.read() as conn:
        known = _since(conn)
    if known.keys() != wanted.keys() or any(since > now for since in known.values()):
        with store.write() as conn:
            known = {key: min(since, now) for key, since in _since(conn).items() if key in wanted}
            known = {key: known.get(key, now) for key in wanted}
            conn.execute(delete(meta).where(meta.c.key.startswith(_SINCE, autoescape=True)))
            if known:
                conn.execute(insert(meta), [{"key": key, "value": str(since)} for key, since in known.items()])
    return {rule: from_us(known[key]) for key, rule in wanted.items()}


def settled(store: Store, occurrence: Occurrence) -> bool:
    """Whether the occurrence was dealt with: its issue is scheduled, or there was none."""
    with store.read() as conn:
        return _settled(conn, occurrence)


def settle(store: Store, occurrence: Occurrence, what: str, *, issue: str | None = None, now: int) -> None:
    """Note that nothing goes out for an occurrence, and why (``nothing``, ``missed``)."""
    with store.write() as conn:
        if not _settled(conn, occurrence):
            _settle(conn, occurrence, what)
            if issue is not None:
                detail = {"rule": occurrence.rule, "local": occurrence.local, "zone": occurrence.zone}
                mailings.write_audit(conn, "run-due", what, issue, detail, now)


def schedule_occurrence(
    store: Store, occurrence: Occurrence, approval: Approval, *, provider: str, lateness: timedelta, now: int
) -> Mailing | None:
    """Make the mailing of an occurrence, in one transaction with the note that it is made; None when it was before.

    One whose moment is further back than ``lateness`` is held at once.
    """
    late = from_us(now) - occurrence.utc
    with store.write() as conn:
        if _settled(conn, occurrence):
            return None
        _settle(conn, occurrence, approval.issue)
        at = SendAt(occurrence.utc, wall_time(occurrence.utc, occurrence.zone), occurrence.zone)
        mailing, new = mailings.enter(
            conn,
            issue=approval.issue,
            digest=approval.digest,
            provider=provider,
            send_at=at,
            actor=f"every {occurrence.rule}",
            now=now,
        )
        if new and late > lateness:
            reason = f"it was due {how_long(late)} ago, at {at.local.replace('T', ' ')} ({at.zone})"
            mailings.step(conn, mailing.id, ("scheduled",), "held", reason=f"late: {reason}")
            mailings.write_audit(conn, "run-due", "hold", approval.issue, {"kind": "late", "reason": reason}, now)
        return mailings.read_mailing(conn, mailing.id)


def reopen(store: Store, occurrence: Occurrence, issue: str) -> None:
    """Forget that nothing goes out for an occurrence that lies ahead: a clock was wrong when that was noted.

    The note that another issue is scheduled for it stays.
    """
    gone = ("nothing", "missed", issue)
    with store.write() as conn:
        conn.execute(delete(meta).where(meta.c.key == _name(occurrence), meta.c.value.in_(gone)))


def waits_for(store: Store, approval: Approval, moment: datetime) -> bool:
    """Whether an approval is one that a rule may schedule for ``moment``.

    It was given by then, names no time of its own, is no correction and has no mailing; one whose mailing an editor
    cancelled stays cancelled, unless it was approved anew since.
    """
    approved = datetime.fromisoformat(approval.approved_at)
    if approval.send_at is not None or approval.facts.corrects is not None or approved > moment:
        return False
    before = mailings.latest(store, approval.issue)
    return before is None or (before.state == "cancelled" and mailings.approved_last(store, approval.issue))


def _since(conn: Connection) -> dict[str, int]:
    rows = conn.execute(select(meta.c.key, meta.c.value).where(meta.c.key.startswith(_SINCE, autoescape=True)))
    return {row.key: int(row.value) for row in rows}


def _meaning(rule: str) -> str:
    """What a rule says, however it is spelled."""
    weekday, hour, minute = parse_rule(rule, "schedule.every")
    return f"{'*' if weekday is None else weekday} {hour:02}:{minute:02}"


def _settled(conn: Connection, occurrence: Occurrence) -> bool:
    rows = select(meta.c.key).where(meta.c.key == _name(occurrence))
    return conn.execute(rows).first() is not None


def _settle(conn: Connection, occurrence: Occurrence, what: str) -> None:
    conn.execute(insert(meta).values(key=_name(occurrence), value=what))


def _name(occurrence: Occurrence) -> str:
    return f"occurrence:{occurrence.key}"
