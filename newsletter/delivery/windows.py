"""Windows on their way through a sender, and the end of a mailing."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import TYPE_CHECKING

from newsletter.delivery import ledger, mailings
from newsletter.delivery.ledger import Claimed
from newsletter.delivery.mailings import Mailing
from newsletter.delivery.outcomes import Window
from newsletter.delivery.ports import Batch, Result
from newsletter.errors import IllegalState

if TYPE_CHECKING:
    from sqlalchemy import Connection


@dataclass(slots=True)
class Ready:
    """A window that was claimed (``at``, monotonic seconds) and addressed."""

    rows: list[Claimed]
    batch: Batch
    at: float

    @property
    def window(self) -> Window:
        """What its answers are judged against."""
        return Window({row.public_id: (row.id, row.tries) for row in self.rows})

    def without(self, gone: Collection[int]) -> Ready:
        """The same window without some of its rows."""
        if not gone:
            return self
        rows = [row for row in self.rows if row.id not in gone]
        keys = {row.public_id for row in rows}
        recipients = tuple(addressed for addressed in self.batch.recipients if addressed.key in keys)
        return Ready(rows, Batch(self.batch.outgoing, recipients), self.at)


@dataclass(slots=True)
class Done:
    """A window that came back: answers, or what the adapter raised instead."""

    window: Window
    results: list[Result]
    error: BaseException | None


def complete(conn: Connection, mailing: Mailing, now: int) -> bool:
    """End a mailing that is sending and has nothing open. Raises ``IllegalState`` if its sum does not close."""
    current = mailings.read_mailing(conn, mailing.id)
    tally = ledger.counts(conn, mailing.id)
    if current.state != "sending" or any(tally.get(state) for state in ledger.OPEN):
        return False
    if not ledger.closes(tally, current.planned):
        raise IllegalState(
            f"the sum of {mailing.issue} does not close: planned {current.planned}, found {tally}",
            fix="keep the database as it is and report this as a bug",
        )
    mailings.step(conn, mailing.id, ("sending",), "completed", finished_at=now)
    mailings.write_audit(conn, "sender", "complete", mailing.issue, dict(tally), now)
    return True
