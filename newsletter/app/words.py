"""Words that several use cases say."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from newsletter.delivery.schedule import wall_time, zone_of
from newsletter.message.words import diff_words
from newsletter.store.clock import from_us

if TYPE_CHECKING:
    from newsletter.delivery.mailings import Mailing
    from newsletter.delivery.retractions import Retraction


def plural(count: int, one: str, many: str | None = None) -> str:
    """``1 story``, ``2 stories``, ``12,000 readers``."""
    return f"{count:,} {one if count == 1 else many or one + 's'}"


def runs_between(old: str | None, new: str | None) -> list[tuple[str, str]]:
    """What is different in two texts: (``same``, ``old`` or ``new``, text); None is an empty one."""
    return [(run.op, run.text) for run in diff_words(old or "", new or "")]


def when(mailing: Mailing) -> str:
    """``on Friday 27 November 2026 at 07:00 (Europe/London)``."""
    wall = datetime.fromisoformat(mailing.local_time)
    return f"on {wall:%A} {wall.day} {wall:%B %Y} at {wall:%H:%M} ({mailing.zone})"


def withdrawn_line(found: Retraction, zone: str) -> str:
    """A story that was taken off the web copy, in a line, with the local time in ``zone`` (IANA)."""
    why = f": {found.reason}" if found.reason else ""
    at = wall_time(from_us(found.at), zone).replace("T", " ")
    return f"{found.article} was withdrawn from the web copy on {at} by {found.actor}{why}"


def clock_time(us: int, zone: str, *, seconds: bool = False) -> str:
    """``07:12``, or ``07:12:30``: the time of day that clocks in ``zone`` (IANA) show at UTC microseconds."""
    return f"{from_us(us).astimezone(zone_of(zone)):{'%H:%M:%S' if seconds else '%H:%M'}}"


def day_time(us: int, zone: str, now: datetime) -> str:
    """``at 07:12`` of today, ``on Tuesday 24 November at 07:12`` of another day: on the clocks of ``zone`` (IANA)."""
    at, here = from_us(us).astimezone(zone_of(zone)), now.astimezone(zone_of(zone))
    day = f"on {at:%A} {at.day} {at:%B}" + (f" {at.year}" if at.year != here.year else "")
    return f"at {at:%H:%M}" if at.date() == here.date() else f"{day} at {at:%H:%M}"
