"""Sources that have failed for days: what an editor hears of them. ``run-due`` asks every minute: little is loaded."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from sqlalchemy import Row, and_, or_, select

from newsletter.app.desk import Desk
from newsletter.app.words import plural
from newsletter.delivery.causes import Cause
from newsletter.store.clock import now_us
from newsletter.store.tables import source as rows

PATIENCE = timedelta(days=3)
"""A hiccup is no news; a source that has failed for so long is."""

_DAY = 86_400 * 1_000_000


def failing(desk: Desk) -> list[Row[Any]]:
    """The rows of the sources that have failed for days, or that are gone, by name."""
    since = now_us() - PATIENCE // timedelta(microseconds=1)
    lasting = and_(rows.c.failing_since.is_not(None), or_(rows.c.state == "off", rows.c.failing_since <= since))
    with desk.store.read() as conn:
        return list(conn.execute(select(rows).where(lasting).order_by(rows.c.name)))


def sentence_of(row: Row[Any]) -> str:
    """``source the-pier: failing for 4 days: 404 Not Found``."""
    days = (now_us() - row.failing_since) // _DAY
    lasting = "switched off" if row.state == "off" else f"failing for {plural(days, 'day')}"
    return f"source {row.name}: {lasting}: {row.reason}"


def failing_sources(desk: Desk) -> list[Cause]:
    """The same for ``[alerts]``: each is told once, and once more when it is switched off."""
    return [
        Cause(
            key=f"source:{row.id}:{row.failing_since}",
            kind="source",
            issue=None,
            said=row.state,
            sentence=sentence_of(row),
            fix=f"newsletter source show {row.name}; newsletter source remove {row.name} ends this",
        )
        for row in failing(desk)
    ]
