"""The ledger: one row per recipient of a mailing, and the few statements that move it.

::

    pending    -> excluded                  unsubscribed or suppressed since planning (looked up at claim)
    pending    -> claimed                   a process took it; no byte has left
    claimed    -> pending                   that process ended: always safe
    claimed    -> excluded                  left while the claim waited for its turn
    claimed    -> submitting                COMMITTED BEFORE THE FIRST BYTE
    submitting -> submitted | rejected | failed | uncertain
    submitting -> retry_wait -> pending     a definite "not now"
    submitting -> pending                   a definite no to all of us; the mailing is paused

All functions take a connection inside a write transaction, so that the sender decides what is committed
together. The statements are written by hand because they run once per recipient; each repeats the predicate of
the partial index on open rows, which SQLite asks for before it uses the index, and after the equality: the other
way round SQLite 3.40 sorts all open rows for each window.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

from sqlalchemy import BindParameter, TextClause, bindparam
from sqlalchemy import text as sql

from newsletter.audience.membership import blocked_now
from newsletter.delivery.domains import blocked_domains, outside
from newsletter.delivery.mailings import OPEN_STATES
from newsletter.delivery.outcomes import LONGEST, Change
from newsletter.errors import IllegalState

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from newsletter.workspace.keys import Keys

SETTLED = ("submitted", "rejected", "failed", "excluded", "cancelled", "uncertain")
"""The states a delivery may end in; a mailing is complete when their sum is the number planned."""
OPEN = OPEN_STATES

_PENDING_BUT = (
    "SELECT d.id, d.public_id, d.subscriber_id, s.public_id AS subscriber, d.address, d.attributes, d.tries"
    " FROM delivery d JOIN subscriber s ON s.id = d.subscriber_id WHERE d.mailing_id = :mailing"
    " AND d.state = 'pending' AND d.state IN ('pending', 'claimed', 'submitting', 'retry_wait'){beyond}"
    " ORDER BY d.id LIMIT :limit"
)
_PENDING = sql(_PENDING_BUT.format(beyond=""))
_EXCLUDE = sql(
    "UPDATE delivery SET state = 'excluded', reason = :reason, updated_at = :now WHERE id = :id AND state = 'pending'"
)
_LET_GO = sql(
    "UPDATE delivery SET state = 'excluded', reason = :reason, updated_at = :now"
    " WHERE id = :id AND state = 'claimed' AND attempt_id = :attempt"
)
_MANY: BindParameter[Any] = bindparam("ids", expanding=True)
_CLAIM = sql(
    "UPDATE delivery SET state = 'claimed', attempt_id = :attempt, updated_at = :now"
    " WHERE id IN :ids AND state = 'pending'"
).bindparams(_MANY)
_THESE = sql(
    "SELECT d.id, d.public_id, d.subscriber_id, s.public_id AS subscriber, d.address, d.attributes, d.tries"
    " FROM delivery d JOIN subscriber s ON s.id = d.subscriber_id WHERE d.id IN :ids AND d.state = 'pending'"
    " ORDER BY d.id"
).bindparams(_MANY)
_MARK = sql(
    "UPDATE delivery SET state = 'submitting', updated_at = :now"
    " WHERE id IN :ids AND state = 'claimed' AND attempt_id = :attempt"
).bindparams(_MANY)
_RECORD = sql(
    "UPDATE delivery SET state = :state, reason = :reason, tries = :tries, next_try_at = :next_try_at,"
    " provider_id = :provider_id, updated_at = :now"
    " WHERE id IN :ids AND state = 'submitting' AND attempt_id = :attempt"
).bindparams(_MANY)
_RELEASE = sql(
    "UPDATE delivery SET state = 'pending', updated_at = :now WHERE mailing_id = :mailing"
    " AND state = 'claimed' AND state IN ('pending', 'claimed', 'submitting', 'retry_wait') AND attempt_id = :attempt"
)
_PROMOTE = sql(
    "UPDATE delivery SET state = 'pending', next_try_at = NULL, updated_at = :now WHERE mailing_id = :mailing"
    " AND state = 'retry_wait' AND state IN ('pending', 'claimed', 'submitting', 'retry_wait')"
    " AND (next_try_at <= :now OR next_try_at > :never)"
)
_ANY = sql(
    "SELECT 1 FROM delivery WHERE mailing_id = :mailing AND state = :state"
    " AND state IN ('pending', 'claimed', 'submitting', 'retry_wait') LIMIT 1"
)
_NEXT_TRY = sql(
    "SELECT min(next_try_at) FROM delivery WHERE mailing_id = :mailing"
    " AND state = 'retry_wait' AND state IN ('pending', 'claimed', 'submitting', 'retry_wait')"
)
_RECOVER = sql(
    "UPDATE delivery SET state = :state, reason = :reason, updated_at = :now WHERE mailing_id = :mailing"
    " AND state = :was AND state IN ('pending', 'claimed', 'submitting', 'retry_wait')"
    " AND (attempt_id IS NULL OR attempt_id <> :attempt)"
)
_COUNTS = sql("SELECT state, count(*) FROM delivery WHERE mailing_id = :mailing GROUP BY state")
_REASONS = sql(
    "SELECT state, coalesce(reason, ''), count(*) FROM delivery WHERE mailing_id = :mailing"
    " AND state IN ('excluded', 'rejected', 'failed', 'uncertain') GROUP BY state, reason ORDER BY 3 DESC, 1, 2"
)
_BEGIN = sql(
    "INSERT INTO attempt (mailing_id, pid, host, started_at) VALUES (:mailing, :pid, :host, :now) RETURNING id"
)
_END = sql("UPDATE attempt SET ended_at = :now WHERE id = :attempt AND ended_at IS NULL")
_BURY = sql("UPDATE attempt SET ended_at = :now WHERE mailing_id = :mailing AND id <> :attempt AND ended_at IS NULL")

_AT_ONCE = 1_000  # a statement takes a limited number of parameters

UNKNOWN_AFTER_CRASH = "the sending process ended while this mail was on its way"


@dataclass(frozen=True, slots=True)
class Claimed:
    """A delivery that this process has taken. ``subscriber`` is the subscriber's public id."""

    id: int
    public_id: str
    subscriber_id: int
    subscriber: str
    address: str
    attributes: str
    tries: int


@dataclass(frozen=True, slots=True)
class Recovered:
    """What a dead process left behind: rows taken back, and rows of which nobody can know."""

    released: int
    uncertain: int


def begin_attempt(conn: Connection, mailing_id: int, *, pid: int, host: str, now: int) -> int:
    """Open the row of a process that works on a mailing; its id. The caller holds the mailing's lock."""
    values = {"mailing": mailing_id, "pid": pid, "host": host, "now": now}
    return int(conn.execute(_BEGIN, values).scalar_one())


def end_attempt(conn: Connection, attempt: int, now: int) -> None:
    """Close it: this process has nothing left in its hands."""
    conn.execute(_END, {"attempt": attempt, "now": now})


def recover(conn: Connection, mailing_id: int, attempt: int, *, idempotent: bool, now: int) -> Recovered:
    """Settle what dead processes left, which is everything that is not ``attempt``'s: the lock is ours.

    Claims go back, no byte had left. What was submitting is uncertain; where the provider honours our key
    (``idempotent``) it simply goes again.
    """
    values = {"mailing": mailing_id, "attempt": attempt, "now": now, "reason": None}
    released = conn.execute(_RECOVER, {**values, "was": "claimed", "state": "pending"}).rowcount
    fate = ("pending", None) if idempotent else ("uncertain", UNKNOWN_AFTER_CRASH)
    left = conn.execute(_RECOVER, {**values, "was": "submitting", "state": fate[0], "reason": fate[1]}).rowcount
    conn.execute(_BURY, {"mailing": mailing_id, "attempt": attempt, "now": now})
    return Recovered(released + left, 0) if idempotent else Recovered(released, left)


def claim(
    conn: Connection,
    mailing_id: int,
    attempt: int,
    limit: int,
    *,
    keys: Keys,
    now: int,
    unsendable: Callable[[str], str | None] = lambda _address: None,
) -> list[Claimed]:
    """Take up to ``limit`` pending rows, in order; those who left since planning are excluded instead.

    Fewer than ``limit`` may come back while more are pending; mailbox domains that the mailing waits for stay pending.
    ``unsendable`` gives the reason why an address cannot be written on the provider's wire, or None.
    """
    pending = _PENDING
    values: dict[str, int | str] = {"mailing": mailing_id, "limit": limit}
    if blocked_mailboxes := blocked_domains(conn, mailing_id):
        beyond, patterns = outside(blocked_mailboxes)
        pending = sql(_PENDING_BUT.format(beyond=beyond))
        values |= patterns
    # An empty answer means "none left": while only excluded rows come up, look further.
    while rows := [Claimed(*row) for row in conn.execute(pending, values)]:
        if taken := claim_these(conn, rows, attempt, keys=keys, now=now, unsendable=unsendable):
            return taken
    return []


def pending_of(conn: Connection, rows: Sequence[int]) -> list[Claimed]:
    """Those of these rows that are pending, ready to be claimed."""
    parts = (rows[start : start + _AT_ONCE] for start in range(0, len(rows), _AT_ONCE))
    return [Claimed(*row) for part in parts for row in conn.execute(_THESE, {"ids": part})]


def claim_these(
    conn: Connection,
    rows: Sequence[Claimed],
    attempt: int,
    *,
    keys: Keys,
    now: int,
    unsendable: Callable[[str], str | None],
) -> list[Claimed]:
    """Take these pending rows; those who left since planning are excluded instead. Whom it took."""
    blocked = blocked_now(conn, [row.subscriber_id for row in rows], keys)
    out = {row.id: blocked.get(row.subscriber_id) or unsendable(row.address) for row in rows}
    if excluded := [{"id": id_, "reason": reason, "now": now} for id_, reason in out.items() if reason]:
        conn.execute(_EXCLUDE, excluded)
    taken = [row for row in rows if not out[row.id]]
    _each(conn, _CLAIM, [row.id for row in taken], {"attempt": attempt, "now": now})
    return taken


def let_go(conn: Connection, rows: Sequence[Claimed], attempt: int, *, keys: Keys, now: int) -> frozenset[int]:
    """Exclude those of this attempt's claims who have left since they were claimed; which rows."""
    blocked = blocked_now(conn, [row.subscriber_id for row in rows], keys)
    out = [(row.id, blocked[row.subscriber_id]) for row in rows if row.subscriber_id in blocked]
    for id_, reason in out:
        conn.execute(_LET_GO, {"id": id_, "reason": reason, "attempt": attempt, "now": now})
    return frozenset(id_ for id_, _ in out)


def mark_submitting(conn: Connection, rows: Sequence[int], attempt: int, now: int) -> None:
    """Say that these rows' first byte may leave from now on. Commit before it does.

    Raises ``IllegalState`` when a row is not this attempt's claim any more: nothing may be sent then.
    """
    if _each(conn, _MARK, rows, {"attempt": attempt, "now": now}) != len(rows):
        raise IllegalState("another process changed the ledger under this one", fix="newsletter run-due")


def record(conn: Connection, changes: Sequence[Change], attempt: int, now: int, *, cancelled: bool = False) -> None:
    """Write down what the provider answered. In a cancelled mailing nothing waits for another try."""
    # Most of a window usually has one fate, and then it is one statement.
    fates = defaultdict[_Fate, list[int]](list)
    for change in changes:
        over = cancelled and change.state in OPEN
        fate = _Fate(
            state="cancelled" if over else change.state,
            reason=change.reason,
            tries=change.tries,
            next_try_at=None if over else change.next_try_at,
            provider_id=change.provider_id,
        )
        fates[fate].append(change.id)
    for fate, rows in fates.items():
        values = {**fate._asdict(), "attempt": attempt, "now": now}
        if _each(conn, _RECORD, rows, values) != len(rows):
            raise IllegalState("another process changed the ledger under this one", fix="newsletter status")


class _Fate(NamedTuple):
    """What is written into the rows of one window that ended alike."""

    state: str
    reason: str | None
    tries: int
    next_try_at: int | None
    provider_id: str | None


def _each(conn: Connection, statement: TextClause, rows: Sequence[int], values: Mapping[str, object]) -> int:
    """Run an update of ``rows``; how many it found. One statement for many rows: half the time of one for each."""
    found = 0
    for start in range(0, len(rows), _AT_ONCE):
        found += conn.execute(statement, {**values, "ids": rows[start : start + _AT_ONCE]}).rowcount
    return found


def release(conn: Connection, mailing_id: int, attempt: int, now: int) -> None:
    """Give back what was claimed and not begun."""
    conn.execute(_RELEASE, {"mailing": mailing_id, "attempt": attempt, "now": now})


def promote(conn: Connection, mailing_id: int, now: int) -> int:
    """Bring back the rows whose next try is due, or further ahead than any can be (``LONGEST``); how many."""
    never = now + int(LONGEST * 1_000_000)
    return conn.execute(_PROMOTE, {"mailing": mailing_id, "now": now, "never": never}).rowcount


def next_try(conn: Connection, mailing_id: int) -> int | None:
    """When the next waiting row is due (UTC microseconds), or None when none waits."""
    found = conn.execute(_NEXT_TRY, {"mailing": mailing_id}).scalar_one()
    return None if found is None else int(found)


def open_states(conn: Connection, mailing_id: int) -> frozenset[str]:
    """Which of the open states some delivery is in; four look-ups in the partial index, however large the mailing."""
    there = {"mailing": mailing_id}
    return frozenset(state for state in OPEN if conn.execute(_ANY, {**there, "state": state}).first() is not None)


def counts(conn: Connection, mailing_id: int) -> dict[str, int]:
    """How many deliveries are in each state; states nobody is in are left out."""
    return {str(state): int(count) for state, count in conn.execute(_COUNTS, {"mailing": mailing_id})}


def reasons(conn: Connection, mailing_id: int) -> list[tuple[str, str, int]]:
    """(state, reason, how many) of whoever did not simply get it, the most frequent first."""
    return [(str(s), str(r), int(n)) for s, r, n in conn.execute(_REASONS, {"mailing": mailing_id})]


def closes(tally: Mapping[str, int], planned: int | None) -> bool:
    """Whether everybody planned is in a settled state: the sum closes and nothing is open."""
    return planned is not None and sum(tally.get(state, 0) for state in SETTLED) == planned == sum(tally.values())
