"""The audit of everything: who did what where and when, of all issues and of none. Only ever added to.

What is noted names no reader: counts, slugs, keys of settings, file names. Who did it is a signed-in person, whoever
``--by`` says, or the user of the machine.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from newsletter.app.audit import in_words
from newsletter.app.desk import Desk
from newsletter.delivery.audit import Noted, noted
from newsletter.delivery.mailings import write_audit
from newsletter.delivery.schedule import zone_of
from newsletter.store.clock import from_us, now_us

if TYPE_CHECKING:
    from sqlalchemy import Connection


@dataclass(frozen=True, slots=True)
class Trail:
    """What was noted, the oldest first, with its times in ``zone``. ``before`` goes further back, None at the begin."""

    rows: tuple[Noted, ...]
    zone: str
    before: int | None

    def as_row(self) -> dict[str, Any]:
        """For ``--json``; times are ISO 8601 with the offset of ``zone``."""
        return {
            "zone": self.zone,
            "before": self.before,
            "events": [
                {
                    "at": self._time(row.event.at, "microseconds"),
                    "actor": row.event.actor,
                    "action": row.event.action,
                    "where": row.where,
                    "detail": dict(row.event.detail),
                    "words": in_words(row.event),
                }
                for row in self.rows
            ],
        }

    def lines(self) -> list[str]:
        """For the terminal."""
        if not self.rows:
            return ["Nothing was done yet."]
        lines = [
            f"{self._time(row.event.at)}  {row.event.actor}: "
            + (f"{row.where}: " if row.where else "")
            + in_words(row.event)
            for row in self.rows
        ]
        return lines if self.before is None else [f"Further back: --before {self.before}", *lines]

    def _time(self, us: int, precision: str = "seconds") -> str:
        return from_us(us).astimezone(zone_of(self.zone)).isoformat(sep=" ", timespec=precision)


def read_trail(desk: Desk, *, limit: int = 200, before: int | None = None) -> Trail:
    """The last ``limit`` things that were done, those before the row ``before``."""
    rows = noted(desk.store, limit=limit + 1, before=before)
    shown = rows[-limit:]
    return Trail(tuple(shown), desk.config.publication.timezone, shown[0].id if len(rows) > limit else None)


def note(desk: Desk, action: str, **detail: object) -> None:
    """Note what was done at a desk to no issue in particular; name no reader."""
    with desk.store.write() as conn:
        write(conn, desk.actor, action, detail, now_us())


def write(conn: Connection, actor: str, action: str, detail: Mapping[str, object], now: int) -> None:
    """``note`` within a transaction that does the thing itself."""
    write_audit(
        conn, actor, action, None, {name: value for name, value in detail.items() if value not in ("", None)}, now
    )
