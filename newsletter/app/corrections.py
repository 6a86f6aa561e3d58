"""Corrections: an issue that goes to exactly those who have the mistake."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from newsletter.app.desk import Desk
from newsletter.app.words import plural
from newsletter.delivery.approval import load_approval
from newsletter.delivery.plan import foresee, readers_of
from newsletter.delivery.schedule import zone_of
from newsletter.errors import IllegalState
from newsletter.issues.editing import new_correction
from newsletter.issues.folder import load_issue
from newsletter.store.clock import from_us, now_us


@dataclass(frozen=True, slots=True)
class MadeCorrection:
    """The new issue, the path of its issue.md within the workspace, how many got the first one, who of them gets it."""

    corrects: str
    slug: str
    path: str
    readers: int
    recipients: int

    def as_row(self) -> dict[str, Any]:
        """For ``--json``."""
        return {
            "issue": self.slug,
            "corrects": self.corrects,
            "path": self.path,
            "readers": self.readers,
            "recipients": self.recipients,
        }

    def lines(self) -> list[str]:
        """For the terminal."""
        who = f"the {plural(self.readers, 'reader')} who got {self.corrects}"
        if self.recipients != self.readers:
            who = f"{self.recipients:,} of {who} (the others have left)"
        return [
            f"Made {self.path}.",
            f"It goes to {who}, and to nobody else.",
            "Write what was wrong and what is right (correction:), pick the corrected story if there is one,",
            f"then: newsletter test {self.slug}, newsletter approve {self.slug} --send-at now",
        ]


def correct_issue(desk: Desk, slug: str, new_slug: str | None = None) -> MadeCorrection:
    """Make a correction of an issue that was sent, ``SLUG-correction`` unless it is named; dated today.

    Raises IllegalState when nobody got the issue, NotFound, BadData for a slug that exists.
    """
    name = new_slug or f"{slug}-correction"
    first = _subject(desk, slug)
    readers = require_sent(desk, slug, name)
    today = from_us(now_us()).astimezone(zone_of(desk.config.publication.timezone)).date()
    folder = new_correction(desk.workspace, slug, name, subject=f"Correction: {first}", date=today)
    path = (folder / "issue.md").relative_to(desk.workspace.root).as_posix()
    return MadeCorrection(slug, name, path, readers, foresee(desk.store, desk.keys, name, corrects=slug).pending)


def require_sent(desk: Desk, first: str, correction: str) -> int:
    """How many got the issue that is corrected; raises IllegalState when nobody did."""
    readers = readers_of(desk.store, first) if desk.workspace.database.exists() else 0
    if not readers:
        raise IllegalState(
            f"{correction} corrects {first}, which nobody got",
            fix=f"change {first} itself: newsletter unapprove {first}",
        )
    return readers


def _subject(desk: Desk, slug: str) -> str:
    """The subject that went out, else the one that is written."""
    try:
        return load_approval(desk.workspace, slug).subject
    except IllegalState:
        return load_issue(desk.workspace, slug).subject or slug
