"""Words that several use cases say."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from newsletter.delivery.mailings import Mailing


def plural(count: int, one: str, many: str | None = None) -> str:
    """``1 story``, ``2 stories``, ``12,000 readers``."""
    return f"{count:,} {one if count == 1 else many or one + 's'}"


def when(mailing: Mailing) -> str:
    """``on Friday 27 November 2026 at 07:00 (Europe/London)``."""
    wall = datetime.fromisoformat(mailing.local_time)
    return f"on {wall:%A} {wall.day} {wall:%B %Y} at {wall:%H:%M} ({mailing.zone})"
