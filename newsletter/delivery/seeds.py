"""Seeds: readers of the newsroom's own who get a mailing first; nobody else is claimed until each was accepted.

A seed that is put off is waited for. One that is rejected, fails or stays uncertain pauses the mailing; what an editor
then resumes goes on without it. A seed that unsubscribed holds nobody up.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from typing import TYPE_CHECKING, Any

from sqlalchemy import BindParameter, bindparam
from sqlalchemy import text as sql

from newsletter.audience.addresses import normalise
from newsletter.delivery.outcomes import Change

if TYPE_CHECKING:
    from sqlalchemy import Connection

_MANY: BindParameter[Any] = bindparam("many", expanding=True)
_ROWS = sql(
    "SELECT d.id FROM subscriber s JOIN delivery d ON d.subscriber_id = s.id"
    " WHERE s.address_key IN :many AND d.mailing_id = :mailing ORDER BY d.id"
).bindparams(_MANY)
_OPEN = sql(
    "SELECT count(*) FROM delivery WHERE id IN :many AND state IN ('pending', 'claimed', 'submitting', 'retry_wait')"
).bindparams(_MANY)

_BAD = ("rejected", "failed", "uncertain")


def seed_rows(conn: Connection, mailing_id: int, seeds: Sequence[str]) -> tuple[int, ...]:
    """The deliveries of ``[schedule] seeds`` in a planned mailing."""
    if not seeds:
        return ()
    keys = [normalise(seed)[1] for seed in seeds]
    return tuple(row[0] for row in conn.execute(_ROWS, {"many": keys, "mailing": mailing_id}))


def waits(conn: Connection, rows: Collection[int]) -> bool:
    """Whether one of them is not settled yet, so that nobody else may go."""
    return bool(rows) and conn.execute(_OPEN, {"many": list(rows)}).scalar_one() > 0


def refusal(changes: Iterable[Change], rows: Sequence[int]) -> str | None:
    """Why the mailing pauses: the first seed among ``changes`` that was not accepted; its address is not said."""
    for change in changes:
        if change.id in rows and change.state in _BAD:
            number = f"seed {rows.index(change.id) + 1} of {len(rows)}"
            return f"{number} was not accepted: {change.state}, {change.reason or 'no reason given'}"
    return None
