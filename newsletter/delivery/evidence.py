"""Settling deliveries by what the provider said of them: whoever speaks of a mail by its key must have got it.

A key is a random number that only we and the provider know, and events are signed. So an event settles not only an
*uncertain* delivery but any that no process has in its hands and that the ledger believes unsent: one that a restored
backup put back to pending would go out twice otherwise.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from sqlalchemy import text as sql

if TYPE_CHECKING:
    from sqlalchemy import Connection

_SETTLE = sql(
    "UPDATE delivery SET state = :state, reason = :reason, next_try_at = NULL, updated_at = :now"
    " WHERE id = :id AND state IN ('uncertain', 'pending', 'retry_wait', 'failed')"
)
# One that says it went out weighs more than one that says it was dropped.
_FIRST = sql("SELECT kind, detail FROM event WHERE delivery_id = :id ORDER BY kind = 'dropped', at LIMIT 1")
_UNCERTAIN = sql("SELECT id FROM delivery WHERE mailing_id = :mailing AND state = 'uncertain'")


def settle(conn: Connection, delivery_id: int, kind: str, detail: str, now: int) -> bool:
    """Let one event of a delivery decide: ``dropped`` makes it rejected, every other kind submitted.

    False when there was nothing to decide. Inside a write transaction; the sum of the mailing closes as before.
    """
    dropped = kind == "dropped"
    reason = f"event: dropped: {detail}" if dropped and detail else f"event: {kind}"
    values = {"id": delivery_id, "state": "rejected" if dropped else "submitted", "reason": reason, "now": now}
    return conn.execute(_SETTLE, values).rowcount == 1


def heed(conn: Connection, delivery_ids: Sequence[int], now: int) -> int:
    """Settle deliveries that have just become uncertain and of which events came before; how many."""
    settled = 0
    for number in delivery_ids:
        found = conn.execute(_FIRST, {"id": number}).first()
        if found is not None:
            settled += settle(conn, number, found[0], found[1], now)
    return settled


def heed_all(conn: Connection, mailing_id: int, now: int) -> int:
    """The same for every uncertain delivery of a mailing."""
    return heed(conn, list(conn.execute(_UNCERTAIN, {"mailing": mailing_id}).scalars()), now)
