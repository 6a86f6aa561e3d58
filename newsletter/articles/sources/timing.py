"""When a source is asked again: as it wishes within reason, and ever more rarely while it fails."""

from __future__ import annotations

import random
import re
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime

from newsletter.articles.sources.item import Feed

SHORTEST = timedelta(minutes=10)
"""No source is asked more often, however often cron comes."""
LONGEST_WISH = timedelta(hours=4)
"""A source that wishes to be left alone for longer is asked after this: a newsroom cannot wait for a day."""
FIRST_BREAK = timedelta(minutes=15)
LONGEST_BREAK = timedelta(hours=24)
JITTER = 0.2


def after_success(now: datetime, feed: Feed | None, headers: Mapping[str, str]) -> datetime:
    """The next try by ``Cache-Control: max-age``, the feed's ``ttl`` and its ``skipHours``. ``now`` is aware UTC."""
    wait = max(SHORTEST, min(LONGEST_WISH, max(_max_age(headers), timedelta(minutes=feed.ttl if feed else 0))))
    at = now + wait
    skipped = feed.skip_hours if feed else frozenset()
    for _ in range(24):
        if at.hour not in skipped or len(skipped) >= 24:
            break
        at = at.replace(minute=0, second=0, microsecond=0) + timedelta(hours=1)
    return at


def after_failure(now: datetime, failures: int, headers: Mapping[str, str], *, chance: float | None = None) -> datetime:
    """The next try after the ``failures``-th failure in a row: 15 minutes, doubled each time, a day at most.

    ``Retry-After`` makes it longer, never shorter. ``chance`` (0 to 1) is for tests: by chance it is up to a fifth
    earlier or later, so that sources that failed together are not asked together for ever.
    """
    chance = random.random() if chance is None else chance  # noqa: S311 - spreads load, guards nothing
    wait = min(LONGEST_BREAK, FIRST_BREAK * (1 << min(10, max(0, failures - 1))))
    wait *= 1 - JITTER + 2 * JITTER * chance
    return now + max(wait, min(LONGEST_BREAK, _retry_after(now, headers)))


def _max_age(headers: Mapping[str, str]) -> timedelta:
    said = headers.get("cache-control", "").lower()
    found = re.search(r"\bmax-age\s*=\s*\"?(\d{1,9})", said)
    return timedelta(seconds=int(found[1])) if found and "no-cache" not in said else timedelta(0)


def _retry_after(now: datetime, headers: Mapping[str, str]) -> timedelta:
    said = headers.get("retry-after", "").strip()
    if re.fullmatch(r"\d{1,9}", said):
        return timedelta(seconds=int(said))
    try:
        at = parsedate_to_datetime(said)
    except ValueError:
        return timedelta(0)
    return max(timedelta(0), (at if at.tzinfo else at.replace(tzinfo=UTC)) - now)
