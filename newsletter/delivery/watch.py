"""What a sending tells whoever watches it: that it began, how far it is, what it waits for."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

SHORTEST_SECONDS = 1.5
"""A shorter wait is the ordinary pace and not worth a word."""

Why = Literal["undo", "rate", "domain", "provider", "retry", "canary"]


@dataclass(frozen=True, slots=True)
class Waiting:
    """Why nothing goes out just now, and until when (UTC microseconds) where that is known.

    ``undo``: the undo window; ``rate``: the rate or the spread; ``domain``: a mailbox domain's limit; ``provider``: it
    is away; ``retry``: deliveries that were put off; ``canary``: what is said of those who went first.
    """

    why: Why
    until: int | None = None


def what_for(hold: float, retry: float, rate: float, *, lanes: bool, now: int) -> Waiting | None:
    """What a sender with nothing in flight waits for: seconds until the provider is asked again, until the next retry,
    until the rate allows a mail; ``lanes``: only mailbox domains at their limit are left. None for a moment's wait.
    """
    waits: tuple[tuple[Why, float], ...] = (("provider", hold), ("retry", retry), ("rate", rate))
    for why, seconds in waits:
        if seconds >= SHORTEST_SECONDS:
            return Waiting(why, now + int(seconds * 1_000_000))
    return Waiting("domain") if lanes else None


class Watch:
    """Hears of a sending and says nothing; subclasses do. Whatever they do must not fail: mails are on their way."""

    def begin(self, issue: str, planned: int) -> None:
        """A sender takes up the mailing of an issue with so many planned."""

    def progress(self, done: int, total: int) -> None:
        """So many of all are settled now."""

    def waiting(self, waiting: Waiting) -> None:
        """Nothing goes out; called again at least every second while that is so."""


UNWATCHED = Watch()
