"""The canary: a share of the readers gets a mailing first, and the others wait for what the provider says of it.

::

    going ──each of them was handed over──▶ waiting ──``canary_wait`` is over──▶ over: everybody else goes
                                                    └──▶ over, and the mailing is paused with the reason

All of it is in the database: whoever is killed while a canary waits has forgotten nothing, and nobody sits waiting.
A canary is judged by events alone. Where there are none, or too few, it is not judged at all: the mailing pauses.
"""

from __future__ import annotations

import heapq
from collections import Counter, defaultdict
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sqlalchemy import BindParameter, bindparam
from sqlalchemy import text as sql

from newsletter.delivery.domains import blocked_domains, domain_of, outside
from newsletter.delivery.reputation import Complaints, Thresholds, percent, weigh
from newsletter.delivery.reputation import read as read_reputation

if TYPE_CHECKING:
    from sqlalchemy import Connection

KNOWN_SHARE = 0.5
"""Of at least so many of the canary's mails it must be known whether they arrived."""
FEW_CAME_BACK = 5
"""So many mails that came back may be old addresses; from here on their share decides.

Where 2 % of the mails come back, which is usual, five of 50 do, the 10 %, once in 310 canaries (binomial), and five of
20 never in practice. Amazon SES reviews an account from 5 % on and may stop it at 10 %.
"""

_CHUNK = 1_000
_DAY = 24 * 3600 * 1_000_000
_MANY: BindParameter[Any] = bindparam("ids", expanding=True)
_READ = sql("SELECT state, until, readers, verdict FROM canary WHERE mailing_id = :mailing")
_BEGIN = sql("INSERT INTO canary (mailing_id, state, readers, verdict) VALUES (:mailing, :state, :readers, :verdict)")
_ADD = sql("INSERT INTO canary_reader (delivery_id, mailing_id) VALUES (:delivery, :mailing)")
_ROWS = sql("SELECT delivery_id FROM canary_reader WHERE mailing_id = :mailing ORDER BY delivery_id")
_WAIT = sql("UPDATE canary SET state = 'waiting', until = :until WHERE mailing_id = :mailing AND state = 'going'")
_END = sql("UPDATE canary SET state = 'over', verdict = :verdict WHERE mailing_id = :mailing AND state <> 'over'")
_PENDING = sql(
    "SELECT d.id, d.public_id, d.address FROM delivery d WHERE d.mailing_id = :mailing AND d.state = 'pending'"
    " AND d.state IN ('pending', 'claimed', 'submitting', 'retry_wait') AND d.id > :after ORDER BY d.id LIMIT :limit"
)
_THESE = sql(
    "SELECT d.id, d.public_id, d.address FROM delivery d WHERE d.id IN :ids AND d.state = 'pending'"
).bindparams(_MANY)
_STILL_GOING = (
    "SELECT 1 FROM canary_reader r JOIN delivery d ON d.id = r.delivery_id WHERE r.mailing_id = :mailing"
    " AND d.state IN ('pending', 'claimed', 'submitting'){beyond} LIMIT 1"
)
_FATES = sql(
    "SELECT d.id, d.state, e.kind FROM canary_reader r JOIN delivery d ON d.id = r.delivery_id"
    " LEFT JOIN event e ON e.delivery_id = d.id WHERE r.mailing_id = :mailing"
)

_ARRIVED = frozenset({"delivered", "opened", "clicked", "complained"})
_CAME_BACK = frozenset({"bounced", "blocked", "dropped"})


@dataclass(frozen=True, slots=True)
class Canary:
    """How far a mailing's canary is: ``going``, ``waiting`` until a time (UTC microseconds), or ``over``.

    ``readers`` 0: the mailing has none. ``verdict`` is what came of it, in words.
    """

    state: str
    until: int | None
    readers: int
    verdict: str | None


@dataclass(frozen=True, slots=True)
class Verdict:
    """``pause`` is why the others must not get it, in words; ``warn`` of what to tell editors; ``said`` always."""

    said: str
    pause: str | None = None
    warn: str | None = None
    complaints: bool = False
    """Whether it pauses for complaints of spam."""


def read(conn: Connection, mailing_id: int) -> Canary | None:
    """The canary of a mailing; None before its first mail."""
    row = conn.execute(_READ, {"mailing": mailing_id}).one_or_none()
    return None if row is None else Canary(*row)


def choose(
    conn: Connection, mailing_id: int, size: int, *, but: Collection[int], only: Sequence[int] | None = None
) -> list[int]:
    """``size`` pending deliveries, mixed over the mailbox domains in proportion; ``but`` these, of ``only`` those.

    By public id, which is random: the sample is one, and the same frozen rows give the same one. Reads the list twice,
    so that a million rows need no memory.
    """
    counts = Counter(domain_of(address) for _, _, address in _pending(conn, mailing_id, but, only))
    quotas = _quotas(counts, size)
    kept: dict[str, list[tuple[int, int]]] = defaultdict(list)
    for number, public_id, address in _pending(conn, mailing_id, but, only):
        domain = domain_of(address)
        place = (-int(public_id, 16), number)
        if len(kept[domain]) < quotas[domain]:
            heapq.heappush(kept[domain], place)
        elif quotas[domain]:
            heapq.heappushpop(kept[domain], place)
    return sorted(number for heap in kept.values() for _, number in heap)


def begin(conn: Connection, mailing_id: int, chosen: Sequence[int], why_none: str = "there is none") -> None:
    """Write down who is the canary; nobody: that the mailing has none."""
    state = "going" if chosen else "over"
    verdict = None if chosen else why_none
    conn.execute(_BEGIN, {"mailing": mailing_id, "state": state, "readers": len(chosen), "verdict": verdict})
    if chosen:
        conn.execute(_ADD, [{"delivery": number, "mailing": mailing_id} for number in chosen])


def readers(conn: Connection, mailing_id: int) -> tuple[int, ...]:
    """The deliveries of the canary."""
    return tuple(conn.execute(_ROWS, {"mailing": mailing_id}).scalars())


def still_going(conn: Connection, mailing_id: int) -> bool:
    """Whether one of them was not handed over yet. Who was put off, or whose domain refuses us, is not waited for."""
    beyond, patterns = outside(blocked_domains(conn, mailing_id))
    query = sql(_STILL_GOING.format(beyond=beyond))
    return conn.execute(query, {"mailing": mailing_id, **patterns}).first() is not None


def wait(conn: Connection, mailing_id: int, until: int) -> None:
    """They are through: what the provider says of them by ``until`` decides."""
    conn.execute(_WAIT, {"mailing": mailing_id, "until": until})


def waits(until: int, now: int, wait: int) -> bool:
    """Whether a canary that waits ``until`` waits still; a time that no ``wait`` can have made is a wrong clock's."""
    return now < until <= now + max(wait, _DAY)


def end(conn: Connection, mailing_id: int, verdict: str) -> None:
    """It is over; what came of it."""
    conn.execute(_END, {"mailing": mailing_id, "verdict": verdict})


def judge(conn: Connection, mailing_id: int, limits: Thresholds) -> Verdict:
    """What the provider's events say of a canary whose time is over."""
    told: dict[int, set[str]] = defaultdict(set)
    everybody: dict[int, str] = {}
    for number, state, kind in conn.execute(_FATES, {"mailing": mailing_id}):
        everybody[number] = state
        if kind is not None:
            told[number].add(kind)
    submitted = sum(state == "submitted" for state in everybody.values())
    arrived = {number for number, kinds in told.items() if kinds & _ARRIVED}
    back = {number for number, kinds in told.items() if kinds & _CAME_BACK}
    # What an editor saw when resuming in the meantime is no news.
    excused = read_reputation(conn, mailing_id).excused
    complained = max(0, sum("complained" in kinds for kinds in told.values()) - excused)
    return weigh_up(submitted, len(arrived), len(back), len(arrived | back), complained, limits, of=len(everybody))


def weigh_up(
    submitted: int, arrived: int, back: int, known: int, complained: int, limits: Thresholds, *, of: int
) -> Verdict:
    """The same from numbers of deliveries: taken by the provider; arrived; came back; either; complained of."""
    if not submitted:
        return _refused(f"the provider took the mail of none of its {of:,} readers")
    if not known:
        return _refused(
            f"the provider reported nothing about the {submitted:,} mails that it took. Either its events do not reach"
            " /events/ on the public pages, or it has none, and schedule.canary must be 0"
        )
    if known < KNOWN_SHARE * submitted:
        return _refused(f"of {submitted:,} mails only {known:,} are known to have arrived or come back")
    numbers = f"of {submitted:,} mails {arrived:,} arrived, {back:,} came back, {complained:,} were complained of"
    complaints = weigh(complained, arrived, limits)
    if complaints.pause:
        return Verdict(numbers, pause=f"the canary went badly: {complaints.pause}", complaints=True)
    if limits.bounces_pause and back >= FEW_CAME_BACK and back >= limits.bounces_pause * known:
        share = f"{back:,} of {known:,} mails came back, {back / known:.1%}"
        return Verdict(numbers, pause=f"the canary went badly: {share}; {percent(limits.bounces_pause)} is too many")
    return _well(numbers, complaints)


def _well(numbers: str, complaints: Complaints) -> Verdict:
    return Verdict(f"the canary went well: {numbers}", warn=complaints.warn and f"the canary: {complaints.warn}")


def _refused(why: str) -> Verdict:
    return Verdict(f"not judged: {why}", pause=f"the canary cannot be judged: {why}")


def _pending(
    conn: Connection, mailing_id: int, but: Collection[int], only: Sequence[int] | None
) -> Iterator[tuple[int, str, str]]:
    if only is not None:
        for start in range(0, len(only), _CHUNK):
            rows = conn.execute(_THESE, {"ids": list(only[start : start + _CHUNK])}).all()
            yield from ((row[0], row[1], row[2]) for row in rows if row[0] not in but)
        return
    after = 0
    while chunk := conn.execute(_PENDING, {"mailing": mailing_id, "after": after, "limit": _CHUNK}).all():
        after = chunk[-1][0]
        yield from ((row[0], row[1], row[2]) for row in chunk if row[0] not in but)


def _quotas(counts: Counter[str], size: int) -> dict[str, int]:
    """Each domain's part of ``size``, by the method of the largest remainder; the sum is ``size``."""
    total = counts.total()
    exact = {domain: size * count / total for domain, count in counts.items()}
    quotas = {domain: int(part) for domain, part in exact.items()}
    left = min(size, total) - sum(quotas.values())
    by_remainder = sorted(exact, key=lambda domain: (quotas[domain] - exact[domain], domain))
    for domain in by_remainder[:left]:
        quotas[domain] += 1
    return quotas
