"""What a provider says later, and what follows from it. One transaction per webhook call; a replay changes nothing.

| event | an uncertain delivery was | besides |
|---|---|---|
| processed, delivered, deferred, opened, clicked | submitted | |
| bounced | submitted | an unknown or disabled mailbox is suppressed; a refusal of *us* pauses the domain |
| blocked | submitted | the same, but the address is never suppressed |
| dropped | rejected | only if the reader complained or unsubscribed there: as below |
| complained | submitted | suppressed and unsubscribed; too many of them pause the mailing (``reputation``) |
| unsubscribed | submitted | unsubscribed |

The order in which events come is nobody's promise, so nothing here depends on it. An event may even come before its
delivery becomes uncertain (the mail is out, and the answer to our request is lost): it waits in the table as evidence.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

from sqlalchemy import bindparam, select
from sqlalchemy import text as sql

from newsletter.audience.addresses import hide_addresses, normalise
from newsletter.audience.leaving import leave, lift_suppressions, suppress_key
from newsletter.delivery import domains, mailings, reputation
from newsletter.delivery.bounces import cause_of, code_of
from newsletter.delivery.domains import News, domain_of
from newsletter.delivery.evidence import settle
from newsletter.delivery.ports import Cause, Event
from newsletter.delivery.reputation import Thresholds
from newsletter.errors import BadData
from newsletter.store.tables import delivery, event
from newsletter.store.tables import mailing as mailing_table

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from newsletter.store.engine import Store
    from newsletter.workspace.keys import Keys

_USUAL = Thresholds()
_CHUNK = 500
_DETAIL = 300
_ARRIVED_NOT = ("bounced", "blocked", "dropped")
_IN_HAND = ("claimed", "submitting")

_INSERT = sql(
    "INSERT INTO event (delivery_id, kind, at, mailing_id, cause, detail, received_at)"
    " VALUES (:delivery, :kind, :at, :mailing, :cause, :detail, :now) ON CONFLICT (delivery_id, kind, at) DO NOTHING"
)
_NEWEST = sql(
    "SELECT id, mailing_id FROM delivery WHERE id IN (SELECT max(id) FROM delivery"
    " WHERE subscriber_id IN :subscribers AND state = 'submitted' GROUP BY subscriber_id)"
).bindparams(bindparam("subscribers", expanding=True))
_COUNTS = sql("SELECT kind, count(DISTINCT delivery_id) FROM event WHERE mailing_id = :mailing GROUP BY kind")
_UNKNOWN_THERE = sql(
    "SELECT DISTINCT d.address FROM event e JOIN delivery d ON d.id = e.delivery_id"
    " WHERE e.mailing_id = :mailing AND e.kind = 'bounced' AND e.cause = 'unknown'"
    " AND d.address LIKE :at_domain ESCAPE '!'"
)


@dataclass(slots=True)
class Applied:
    """What one webhook call came to. ``foreign`` are events of mails that are not ours; ``paused`` "domain: reason".

    ``stopped`` are mailings that paused for their complaints, ``warned`` those near it: "issue: reason".
    """

    recorded: int = 0
    repeated: int = 0
    foreign: int = 0
    settled: int = 0
    suppressed: int = 0
    unsubscribed: int = 0
    paused: list[str] = field(default_factory=list)
    stopped: list[str] = field(default_factory=list)
    warned: list[str] = field(default_factory=list)


class _Row(NamedTuple):
    id: int
    key: str
    mailing: int
    mailing_key: str
    issue: str
    subscriber: int
    address: str
    state: str


def apply_events(
    store: Store,
    events: Sequence[Event],
    *,
    provider: str,
    keys: Keys,
    now: int,
    limits: Thresholds = _USUAL,
) -> Applied:
    """Record what is new and do what follows from it, all or nothing. Raises ``Busy`` when the database is taken."""
    applied = Applied()
    if not events:
        return applied
    with store.write() as conn:
        rows = _rows(conn, sorted({said.key for said in events}))
        ours = [(rows[said.key], said) for said in events if said.key in rows]
        applied.foreign = len(events) - len(ours)
        applied.settled = _settle(conn, ours, provider, now)
        fresh, news = _fresh(conn, ours)
        applied.repeated = len(ours) - len(fresh)
        causes = [cause_of(said) if said.kind in _ARRIVED_NOT else None for _, said in fresh]
        _record(conn, fresh, causes, now)
        applied.recorded = len(fresh)
        told = [(row, said, cause) for (row, said), cause in zip(fresh, causes, strict=True)]
        applied.paused = _hear_domains(conn, told, provider, keys, now)
        _hear_readers(conn, told, news, provider, limits, now, applied)
        for row, said, cause in told:
            _heed(conn, row, said, cause, provider, keys, now, applied)
    return applied


def counts(conn: Connection, mailing_id: int) -> dict[str, int]:
    """Of how many deliveries of a mailing each kind of event was told; ``processed`` is only ever evidence."""
    found = {str(kind): int(count) for kind, count in conn.execute(_COUNTS, {"mailing": mailing_id})}
    found.pop("processed", None)
    return found


def note_unsubscribed(conn: Connection, subscriber_ids: Sequence[int], now: int) -> None:
    """Count readers who left by our own pages for the newest mailing that each got; links do not say which mail."""
    for chunk in _chunks(subscriber_ids):
        found = conn.execute(_NEWEST, {"subscribers": list(chunk)}).all()
        values = {"kind": "unsubscribed", "at": now, "now": now, "cause": None, "detail": ""}
        if found:
            conn.execute(_INSERT, [{"delivery": number, "mailing": mailing, **values} for number, mailing in found])


# -- one call ---------------------------------------------------------------------------------------------------------


def _rows(conn: Connection, keys: Sequence[str]) -> dict[str, _Row]:
    found: dict[str, _Row] = {}
    query = select(
        delivery.c.id, delivery.c.public_id, delivery.c.mailing_id, mailing_table.c.public_id, mailing_table.c.issue,
        delivery.c.subscriber_id, delivery.c.address, delivery.c.state,
    ).join(mailing_table, mailing_table.c.id == delivery.c.mailing_id)  # fmt: skip
    for chunk in _chunks(keys):
        for row in conn.execute(query.where(delivery.c.public_id.in_(chunk))):
            found[row[1]] = _Row(*row)
    return found


def _settle(conn: Connection, ours: Sequence[tuple[_Row, Event]], provider: str, now: int) -> int:
    """Also by events that were here before: what made the delivery uncertain may have come after them."""
    settled: dict[str, list[str]] = defaultdict(list)
    # One that says it went out weighs more than one that says it was dropped.
    for row, said in sorted(ours, key=lambda pair: pair[1].kind == "dropped"):
        if settle(conn, row.id, said.kind, _detail(said), now):
            settled[row.issue].append(row.key)
    for issue, deliveries in settled.items():
        detail = {"word": "event", "deliveries": deliveries}
        mailings.write_audit(conn, provider, "reconcile", issue, detail, now)
    return sum(map(len, settled.values()))


def _fresh(
    conn: Connection, ours: Sequence[tuple[_Row, Event]]
) -> tuple[list[tuple[_Row, Event]], dict[int, tuple[int, int]]]:
    """Those that are not in the table. ``processed`` belongs there only while it may still be needed as evidence.

    And, by mailing, of how many deliveries it is now told for the first time that they arrived and were complained of.
    """
    ids = sorted({row.id for row, _ in ours})
    known: set[tuple[int, str, int]] = set()
    for chunk in _chunks(ids):
        query = select(event.c.delivery_id, event.c.kind, event.c.at).where(event.c.delivery_id.in_(chunk))
        known.update((number, kind, at) for number, kind, at in conn.execute(query))
    kinds = {(number, kind) for number, kind, _ in known}
    news: dict[int, tuple[int, int]] = {}
    fresh = []
    for row, said in ours:
        key = (row.id, str(said.kind), said.at)
        if key not in known and (said.kind != "processed" or row.state in _IN_HAND):
            known.add(key)
            fresh.append((row, said))
            first = key[:2] not in kinds
            kinds.add(key[:2])
            arrived, complained = news.get(row.mailing, (0, 0))
            arrived += first and said.kind == "delivered"
            news[row.mailing] = (arrived, complained + (first and said.kind == "complained"))
    return fresh, news


def _record(conn: Connection, fresh: Sequence[tuple[_Row, Event]], causes: Sequence[Cause | None], now: int) -> None:
    if not fresh:
        return
    conn.execute(
        _INSERT,
        [
            {
                "delivery": row.id,
                "mailing": row.mailing,
                "kind": said.kind,
                "at": said.at,
                "cause": cause,
                "detail": _detail(said),
                "now": now,
            }
            for (row, said), cause in zip(fresh, causes, strict=True)
        ],
    )


def _detail(said: Event) -> str:
    """The server's words without addresses. What somebody opened or clicked is not written down."""
    return "" if said.kind in ("opened", "clicked") else hide_addresses(said.detail)[:_DETAIL]


# -- what follows ----------------------------------------------------------------------------------------------------


def _hear_domains(
    conn: Connection, told: Sequence[tuple[_Row, Event, Cause | None]], provider: str, keys: Keys, now: int
) -> list[str]:
    news: dict[tuple[int, str], News] = {}
    rows: dict[int, _Row] = {}
    for row, said, cause in told:
        heard = _news(said, cause)
        if heard is not None:
            place = (row.mailing, domain_of(row.address))
            news[place] = news.get(place, News()) + heard
            rows[row.mailing] = row
    paused = []
    for (mailing_id, domain), heard in sorted(news.items()):
        reason = domains.hear(conn, mailing_id, domain, heard, now)
        if reason is None:
            continue
        row = rows[mailing_id]
        paused.append(f"{domain}: {reason}")
        lifted = _take_back(conn, row, domain, provider, keys)
        detail = {"domain": domain, "reason": reason, "suppressions_lifted": lifted}
        mailings.write_audit(conn, provider, "pause domain", row.issue, detail, now)
    return paused


def _hear_readers(
    conn: Connection,
    told: Sequence[tuple[_Row, Event, Cause | None]],
    news: Mapping[int, tuple[int, int]],
    provider: str,
    limits: Thresholds,
    now: int,
    applied: Applied,
) -> None:
    """Complaints of spam pause a mailing that is under way, or are warned of, in the transaction that counts them."""
    reputation.hear(conn, news)
    issues = {row.mailing: row.issue for row, _, _ in told}
    for mailing_id, (_, complained) in sorted(news.items()):
        if not complained:
            continue
        means = reputation.look(conn, mailing_id, limits)
        issue = issues[mailing_id]
        if means.pause and mailings.stop_for_complaints(conn, mailing_id, issue, means.pause, provider, now):
            applied.stopped.append(f"{issue}: {means.pause}")
        elif (warning := means.pause or means.warn) and reputation.warn(conn, mailing_id, warning, now):
            mailings.write_audit(conn, provider, "warn", issue, {"reason": warning}, now)
            applied.warned.append(f"{issue}: {warning}")


def _news(said: Event, cause: Cause | None) -> News | None:
    if said.kind == "delivered":
        return News(delivered=1)
    if said.kind not in ("bounced", "blocked"):
        return None
    if cause == "sender":
        return News(sender=_detail(said) or said.code)
    if cause == "policy":
        return News(refused=1)
    if cause == "unknown" and said.kind == "bounced":
        return News(unknown=1)
    return None


def _take_back(conn: Connection, row: _Row, domain: str, provider: str, keys: Keys) -> int:
    """A domain that waits is in quarantine: nobody there is suppressed for a mailbox unknown in this mailing."""
    values = {"mailing": row.mailing, "at_domain": f"%@{domains.plain(domain)}"}
    addresses = conn.execute(_UNKNOWN_THERE, values).scalars().all()
    return lift_suppressions(conn, list(_keys_of(addresses)), _source(provider, row), keys)


def _heed(
    conn: Connection, row: _Row, said: Event, cause: Cause | None, provider: str, keys: Keys, now: int, applied: Applied
) -> None:
    """What one new event means for the reader."""
    source = _source(provider, row)
    if said.kind == "complained" or (said.kind == "dropped" and cause == "complained"):
        applied.suppressed += _suppress(conn, row, "complained", source, keys, now)
        applied.unsubscribed += leave(conn, row.subscriber, source=source, basis="a complaint of spam", now=now)
    elif said.kind == "unsubscribed" or (said.kind == "dropped" and cause == "unsubscribed"):
        applied.unsubscribed += leave(conn, row.subscriber, source=source, now=now, said_at=said.at)
    elif said.kind == "bounced" and cause in ("unknown", "disabled"):
        if cause == "unknown" and domain_of(row.address) in domains.blocked_domains(conn, row.mailing):
            return
        code = code_of(said)
        reason = f"{cause} mailbox ({code})" if code else f"{cause} mailbox"
        applied.suppressed += _suppress(conn, row, reason, source, keys, now)


def _suppress(conn: Connection, row: _Row, reason: str, source: str, keys: Keys, now: int) -> int:
    return sum(suppress_key(conn, key, reason, source, keys, now) for key in _keys_of([row.address]))


def _keys_of(addresses: Sequence[str]) -> Iterator[str]:
    for address in addresses:
        try:
            yield normalise(address)[1]
        except BadData:
            continue  # erased: it is suppressed already, and what stands here is no address


def _source(provider: str, row: _Row) -> str:
    return f"{provider} event, mailing {row.mailing_key}"


def _chunks(items: Sequence[str] | Sequence[int]) -> Iterator[Sequence[str] | Sequence[int]]:
    return (items[start : start + _CHUNK] for start in range(0, len(items), _CHUNK))
