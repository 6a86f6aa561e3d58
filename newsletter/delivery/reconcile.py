"""Settling what nobody can know: an editor looks into the provider's log and says what became of a mail.

``uncertain`` deliveries are never sent again by themselves. The editor's word is recorded as such.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from sqlalchemy import select, update

from newsletter.audience.addresses import normalise
from newsletter.delivery import mailings
from newsletter.errors import BadData, IllegalState, NotFound
from newsletter.store.tables import delivery
from newsletter.store.tables import mailing as mailing_table

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from newsletter.store.engine import Store

Word = Literal["went_out", "send_again"]
EDITORS_WORD = "editor's word"


@dataclass(frozen=True, slots=True)
class Uncertain:
    """A delivery that may have arrived. ``at`` is UTC microseconds: when its outcome was lost."""

    id: int
    key: str
    address: str
    at: int
    detail: str
    provider_id: str | None


@dataclass(frozen=True, slots=True)
class Settled:
    """How many were settled, how many are still uncertain, and the mailing's state after it."""

    settled: int
    left: int
    state: str


def list_uncertain(store: Store, issue: str) -> list[Uncertain]:
    """Every uncertain delivery of an issue, of a cancelled mailing of it too, in the order of planning."""
    with store.read() as conn:
        return _uncertain(conn, issue)


def settle(store: Store, issue: str, word: Word, addresses: Sequence[str] | None, *, actor: str, now: int) -> Settled:
    """Settle uncertain deliveries by the editor's word; ``addresses`` None means every one. All or nothing.

    ``went_out`` makes them submitted; ``send_again`` makes them pending, and a mailing that was complete goes on
    with the next ``run-due``. Raises ``NotFound`` naming addresses that are not uncertain, ``IllegalState`` when
    the mailing was cancelled and nothing can be sent again.
    """
    with store.write() as conn:
        rows = _uncertain(conn, issue)
        chosen = rows if addresses is None else _chosen(rows, addresses, issue)
        if chosen:
            if word == "send_again":
                _send_again(conn, issue, chosen, now)
            else:
                _went_out(conn, chosen, now)
            detail = {"word": word, "deliveries": [row.key for row in chosen]}
            mailings.write_audit(conn, actor, "reconcile", issue, detail, now)
        states = select(mailing_table.c.state).where(mailing_table.c.issue == issue)
        state = conn.execute(states.order_by(mailing_table.c.id.desc())).scalars().first()
    return Settled(len(chosen), len(rows) - len(chosen), state or "none")


def _uncertain(conn: Connection, issue: str) -> list[Uncertain]:
    rows = conn.execute(
        select(
            delivery.c.id, delivery.c.public_id, delivery.c.address, delivery.c.updated_at, delivery.c.reason,
            delivery.c.provider_id,
        )
        .join(mailing_table, mailing_table.c.id == delivery.c.mailing_id)
        .where(mailing_table.c.issue == issue, delivery.c.state == "uncertain")
        .order_by(delivery.c.id)
    )  # fmt: skip
    return [Uncertain(id_, key, address, at, reason or "", of) for id_, key, address, at, reason, of in rows]


def _chosen(rows: Sequence[Uncertain], addresses: Sequence[str], issue: str) -> list[Uncertain]:
    wanted = {_key(address): address for address in addresses}
    chosen = [row for row in rows if _key(row.address) in wanted]
    missing = set(wanted) - {_key(row.address) for row in chosen}
    if missing:
        names = ", ".join(sorted(wanted[key] for key in missing))
        raise NotFound(f"not uncertain in {issue}: {names}", fix=f"newsletter reconcile {issue} lists those who are")
    return chosen


def _key(address: str) -> str:
    try:
        return normalise(address)[1]
    except BadData:
        return address.casefold()


def _went_out(conn: Connection, chosen: Sequence[Uncertain], now: int) -> None:
    statement = update(delivery).where(delivery.c.state == "uncertain")
    for row in chosen:
        values = {"state": "submitted", "reason": EDITORS_WORD, "updated_at": now}
        conn.execute(statement.where(delivery.c.id == row.id).values(values))


def _send_again(conn: Connection, issue: str, chosen: Sequence[Uncertain], now: int) -> None:
    ids = [row.id for row in chosen]
    homes = select(delivery.c.mailing_id).where(delivery.c.id.in_(ids)).distinct()
    for mailing_id in conn.execute(homes).scalars().all():
        mailing = mailings.read_mailing(conn, mailing_id)
        if mailing.state == "cancelled":
            raise IllegalState(
                f"the mailing of {issue} was cancelled: nothing of it can be sent again",
                fix=f"newsletter reconcile {issue} --went-out, or leave them uncertain",
            )
        mailings.step(conn, mailing_id, ("completed",), "sending", finished_at=None)
    statement = update(delivery).where(delivery.c.state == "uncertain")
    for id_ in ids:
        values = {"state": "pending", "reason": None, "tries": 0, "attempt_id": None, "updated_at": now}
        conn.execute(statement.where(delivery.c.id == id_).values(values))
