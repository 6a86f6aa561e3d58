"""When a sponsor runs, and who has the same slot at the same time."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date as Date
from itertools import combinations
from typing import TYPE_CHECKING

from newsletter.models import Issue

if TYPE_CHECKING:
    from newsletter.issues.sponsors import Sponsor


@dataclass(frozen=True, slots=True)
class Run:
    """One booking: of an issue by its slug, of the days ``first`` to ``last`` (both counted), or of both at once.

    ``slot`` counts an issue's sponsor sections from 1. Most issues have one, so it is 1 unless somebody says more.
    """

    issue: str | None = None
    first: Date | None = None
    last: Date | None = None
    slot: int = 1

    def covers(self, issue: str, day: Date) -> bool:
        """Whether the issue of that slug and date is booked."""
        if self.issue == issue:
            return True
        return self.first is not None and self.last is not None and self.first <= day <= self.last

    @property
    def words(self) -> str:
        """``2026-11-27``, ``2026-12-01 to 2026-12-14``, ``special (slot 2)``."""
        days = f"{self.first} to {self.last}" if self.issue is None and self.first != self.last else str(self.first)
        return (self.issue or days) + (f" (slot {self.slot})" if self.slot != 1 else "")


@dataclass(frozen=True, slots=True)
class Clash:
    """Two sponsors for one slot, with the words for when and where."""

    first: str
    second: str
    words: str

    def __str__(self) -> str:
        return f"{self.first} and {self.second} are both booked for {self.words}"


def overlap(one: Run, other: Run, dates: Mapping[str, Date]) -> bool:
    """Whether two bookings want the same slot of one issue or of one day. ``dates`` are those of existing issues."""
    if one.slot != other.slot:
        return False
    if one.issue is not None and one.issue == other.issue:
        return True
    days, others = _days(one, dates), _days(other, dates)
    return days is not None and others is not None and days[0] <= others[1] and others[0] <= days[1]


def _days(run: Run, dates: Mapping[str, Date]) -> tuple[Date, Date] | None:
    if run.first is not None and run.last is not None:
        return run.first, run.last
    day = dates.get(run.issue or "")
    return (day, day) if day is not None else None


def clashes(sponsors: Sequence[Sponsor], dates: Mapping[str, Date]) -> Iterator[Clash]:
    """Every pair of sponsors whose bookings overlap, once for each pair of bookings."""
    for one, other in combinations(sponsors, 2):
        for run in one.runs:
            for second in other.runs:
                if overlap(run, second, dates):
                    words = run.words if run.words == second.words else f"{run.words} and {second.words}"
                    yield Clash(one.name, other.name, words)


def slot_of(sponsor: Sponsor, issue: str, day: Date, position: int) -> int:
    """The slot that a sponsor has in an issue: the booked one, else its ``position`` among the sponsor sections."""
    return next((run.slot for run in sponsor.runs if run.covers(issue, day)), position)


def rivals(sponsor: Sponsor, sponsors: Sequence[Sponsor], issue: str, day: Date, position: int) -> tuple[str, ...]:
    """The other sponsors that have booked the slot in which this one stands."""
    slot = slot_of(sponsor, issue, day, position)
    return tuple(
        other.name
        for other in sponsors
        if other.name != sponsor.name and any(run.slot == slot and run.covers(issue, day) for run in other.runs)
    )


def placed(issue: Issue, names: Mapping[str, Sponsor]) -> Iterator[tuple[Sponsor, int]]:
    """The sponsors of an issue, each with its position among them, from 1."""
    position = 0
    for section in issue.sections:
        for article in section.articles:
            sponsor = names.get(article.slug)
            if sponsor is not None and article.path == sponsor.article.path:
                position += 1
                yield sponsor, position
