"""What the ledger and the events know about one mailing, added up: by state, by hour, by mailbox domain.

Counting a million deliveries takes seconds, so what was counted is kept in the cache folder and used again for a
while: twenty times as long as the counting took, so that pages that ask all the time cost a twentieth of a processor;
for a mailing that ended a week ago, a day. Nothing is written where mails are sent. Whatever an editor settled since
(``reconcile``) makes it count again. ``as_of`` says when it was counted.
"""

from __future__ import annotations

import contextlib
import time
from collections import Counter, defaultdict
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Final

import msgspec
from sqlalchemy import func, select
from sqlalchemy import text as sql

from newsletter.audience.addresses import hide_addresses
from newsletter.audience.subscribers import ERASED
from newsletter.delivery import events, ledger
from newsletter.delivery.mailings import Mailing
from newsletter.errors import CannotWrite
from newsletter.store.matching import MAILBOX_DOMAIN_SQL
from newsletter.store.tables import audit as audit_table
from newsletter.workspace.files import write_atomic

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from newsletter.store.engine import Store

HOUR: Final = 3_600_000_000
"""Microseconds."""
HOURS: Final = 48
"""Rows by the hour; what came later is one row."""
TOP_DOMAINS: Final = 10
TOP_REASONS: Final = 20

_QUICK = 0.25
_SECOND = 1_000_000
_DAY = 24 * HOUR
_OLD = 7 * _DAY
# One pass over the mailing's rows. A delivery that is settled later, or whose reader was erased, has a later time than
# its mail: no mail left after the mailing's end.
_ROWS = sql(
    f"SELECT state, reason, {MAILBOX_DOMAIN_SQL.format(address='address')},"  # noqa: S608 - a constant of the store's
    " (CASE WHEN updated_at > :ended THEN :ended ELSE updated_at END - :start) / :hour, count(*)"
    " FROM delivery WHERE mailing_id = :mailing GROUP BY 1, 2, 3, 4"
)
# The inner part reads nothing but its index. Each delivery counts once for each kind.
_EVENTS = sql(
    f"SELECT e.kind, (e.at - :start) / :hour, {MAILBOX_DOMAIN_SQL.format(address='d.address')}, count(*) FROM"  # noqa: S608 - as above
    " (SELECT kind, delivery_id, min(at) AS at FROM event WHERE mailing_id = :mailing GROUP BY kind, delivery_id) e"
    " JOIN delivery d ON d.id = e.delivery_id GROUP BY 1, 2, 3"
)
_OF_DOMAINS = {"delivered": "delivered", "bounced": "refused", "blocked": "refused", "complained": "complained"}


@dataclass(frozen=True, slots=True)
class HourRow:
    """One hour of a mailing, counted from ``at`` (UTC microseconds); ``at`` None is everything after ``HOURS``.

    Each delivery counts in the hour in which the thing happened to it first.
    """

    at: int | None
    submitted: int = 0
    delivered: int = 0
    refused: int = 0
    opened: int = 0
    clicked: int = 0
    complained: int = 0
    unsubscribed: int = 0


@dataclass(frozen=True, slots=True)
class DomainRow:
    """The mailboxes of one domain. ``refused``: not taken by the provider, bounced or blocked. "" are the others."""

    domain: str
    submitted: int = 0
    delivered: int = 0
    refused: int = 0
    complained: int = 0


@dataclass(frozen=True, slots=True)
class ReasonRow:
    """Why deliveries were not submitted: their state, the reason without addresses, how many. "" are the others."""

    state: str
    reason: str
    count: int


@dataclass(frozen=True, slots=True)
class Facts:
    """A mailing in numbers. Times are UTC microseconds; ``events`` are deliveries by kind of event."""

    states: dict[str, int]
    events: dict[str, int]
    hours: tuple[HourRow, ...]
    domains: tuple[DomainRow, ...]
    reasons: tuple[ReasonRow, ...]
    start: int
    as_of: int
    other_domains: int = 0
    """How many domains are in the row of the others."""

    @property
    def submitted(self) -> int:
        """Mails that the provider took."""
        return self.states.get("submitted", 0)


@dataclass(frozen=True, slots=True)
class _Kept:
    """What the cache file holds. ``took`` is in seconds; ``mark`` tells whether an editor did something since."""

    facts: Facts
    took: float
    mark: str


def facts_of(store: Store, mailing: Mailing, *, cache: Path, now: int) -> Facts:
    """The mailing in numbers; from ``cache`` (a folder) where they were counted a moment ago."""
    file = cache / "reports" / f"{mailing.public_id}.json"
    with store.read() as conn:
        mark = _mark(conn, mailing)
        kept = _read(file)
        # What was counted in the future was counted by a wrong clock.
        young = kept is not None and kept.facts.as_of <= now < kept.facts.as_of + _good_for(mailing, kept, now)
        if kept is not None and kept.mark == mark and young:
            return kept.facts
        began = time.monotonic()
        facts = count(conn, mailing, now)
        took = time.monotonic() - began
    if _good_for(mailing, kept := _Kept(facts, took, mark), now):
        # A cache that cannot be written costs time, nothing else.
        with contextlib.suppress(CannotWrite):
            write_atomic(file, msgspec.json.encode(kept), durable=False)
    return facts


def totals_of(store: Store, mailing: Mailing, *, cache: Path) -> tuple[dict[str, int], dict[str, int]]:
    """Deliveries by state and by kind of event, of a mailing that is over: from the cache however old, else counted."""
    with store.read() as conn:
        kept = _read(cache / "reports" / f"{mailing.public_id}.json")
        if kept is not None and kept.mark == _mark(conn, mailing):
            return kept.facts.states, kept.facts.events
        return ledger.counts(conn, mailing.id), events.counts(conn, mailing.id)


def count(conn: Connection, mailing: Mailing, now: int) -> Facts:
    """Count the mailing anew."""
    start = (mailing.planned_at or mailing.send_at) // (60 * _SECOND) * (60 * _SECOND)
    values = {"mailing": mailing.id, "start": start, "hour": HOUR, "ended": mailing.finished_at or now}
    states: Counter[str] = Counter()
    reasons: Counter[tuple[str, str]] = Counter()
    domains: defaultdict[str, Counter[str]] = defaultdict(Counter)
    hours: defaultdict[int, Counter[str]] = defaultdict(Counter)
    for state, reason, domain, hour, number in conn.execute(_ROWS, values):
        states[state] += number
        if state in ("submitted", "rejected", "failed"):
            kind = "submitted" if state == "submitted" else "refused"
            domains[domain.lower()][kind] += number
            hours[_place(hour)][kind] += number
        if state != "submitted" and reason:
            reasons[state, hide_addresses(reason)] += number
    told: Counter[str] = Counter()
    for kind, hour, domain, number in conn.execute(_EVENTS, values):
        told[kind] += number
        hours[_place(hour)]["refused" if kind in ("bounced", "blocked") else kind] += number
        if kind in _OF_DOMAINS:
            domains[domain.lower()][_OF_DOMAINS[kind]] += number
    told.pop("processed", None)
    shown, others = _top_domains(domains)
    return Facts(
        states=dict(states),
        events=dict(+told),
        hours=_hour_rows(hours, start),
        domains=shown,
        reasons=_top_reasons(reasons),
        start=start,
        as_of=now,
        other_domains=others,
    )


def _mark(conn: Connection, mailing: Mailing) -> str:
    """Changes when the mailing moves on, and when somebody does something to it."""
    newest = conn.execute(select(func.max(audit_table.c.id)).where(audit_table.c.issue == mailing.issue)).scalar()
    return f"{mailing.state} {mailing.finished_at} {newest}"


def _good_for(mailing: Mailing, kept: _Kept, now: int) -> int:
    """For how many microseconds what was counted may be used again."""
    if mailing.finished_at is not None and now - mailing.finished_at > _OLD:
        return _DAY
    return 0 if kept.took < _QUICK else int(20 * kept.took * _SECOND)


def _read(file: Path) -> _Kept | None:
    """Whatever is wrong with the cache, it is counted anew."""
    try:
        return msgspec.json.decode(file.read_bytes(), type=_Kept)
    except (OSError, msgspec.MsgspecError):
        return None


def _place(hour: int) -> int:
    """A provider tells whole seconds, which may lie before our start."""
    return min(max(hour, 0), HOURS)


def _hour_rows(hours: dict[int, Counter[str]], start: int) -> tuple[HourRow, ...]:
    last = max((hour for hour in hours if hour < HOURS), default=-1)
    known = HourRow.__dataclass_fields__
    rows = []
    for hour in [*range(last + 1), *([HOURS] if HOURS in hours else [])]:
        tally = {kind: number for kind, number in hours.get(hour, Counter()).items() if kind in known}
        rows.append(replace(HourRow(None if hour == HOURS else start + hour * HOUR), **tally))
    return tuple(rows)


def _top_domains(domains: dict[str, Counter[str]]) -> tuple[tuple[DomainRow, ...], int]:
    """The largest domains; erased readers have none any more and are among the others."""

    def size(item: tuple[str, Counter[str]]) -> tuple[bool, int, str]:
        domain, tally = item
        return domain == ERASED, -tally["submitted"] - tally["refused"], domain

    order = sorted(domains.items(), key=size)
    top = [(domain, tally) for domain, tally in order[:TOP_DOMAINS] if domain != ERASED]
    rest = order[len(top) :]
    rows = [DomainRow(domain, **tally) for domain, tally in top]
    if rest:
        rows.append(DomainRow("", **sum((tally for _, tally in rest), Counter())))
    return tuple(rows), len(rest)


def _top_reasons(reasons: Counter[tuple[str, str]]) -> tuple[ReasonRow, ...]:
    order = sorted(reasons.items(), key=lambda item: (-item[1], item[0]))
    rows = [ReasonRow(state, reason, number) for (state, reason), number in order[:TOP_REASONS]]
    rest: Counter[str] = Counter()
    for (state, _), number in order[TOP_REASONS:]:
        rest[state] += number
    return (*rows, *(ReasonRow(state, "", number) for state, number in sorted(rest.items())))
