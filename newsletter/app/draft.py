"""``issue draft``: a whole issue proposed from the inbox, by the rules of ``newsletter.toml``."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date as Date
from typing import Any

from newsletter.app.desk import Desk
from newsletter.app.inbox import since_of
from newsletter.app.issues import past_days, picked
from newsletter.app.words import plural
from newsletter.articles import listing
from newsletter.delivery.schedule import zone_of
from newsletter.errors import NotFound
from newsletter.issues import editing
from newsletter.issues.drafting import Choice, Filled, Proposal, propose
from newsletter.issues.editing import NewSection
from newsletter.issues.folder import ISSUE_FILE, load_issue
from newsletter.issues.uses import uses
from newsletter.store.clock import from_us, now_us
from newsletter.workspace.config import parse_duration
from newsletter.workspace.themes import load_theme

MOST_LEFT = 20
"""So many stories that were left out are named on the terminal."""


@dataclass(frozen=True, slots=True)
class DraftRow:
    """A story that was taken or left out; ``section`` is the title (or layout) that it stands under, if any."""

    slug: str
    headline: str
    why: str
    section: str | None = None

    def as_row(self) -> dict[str, Any]:
        """For ``--json``."""
        place = {} if self.section is None else {"section": self.section}
        return {"slug": self.slug, "headline": self.headline, "why": self.why, **place}


@dataclass(frozen=True, slots=True)
class DraftedIssue:
    """What was proposed. ``path`` is its issue.md within the workspace, None for a trial (``dry_run``).

    ``since`` is the day from which stories were looked at (None: all of them), ``older`` how many are from before.
    ``notes`` are about what was taken.
    """

    issue: str
    date: Date
    path: str | None
    since: Date | None
    taken: tuple[DraftRow, ...]
    left: tuple[DraftRow, ...]
    older: int
    notes: tuple[str, ...] = ()

    def as_row(self) -> dict[str, Any]:
        """For ``--json``."""
        return {
            "issue": self.issue,
            "date": self.date.isoformat(),
            "path": self.path,
            "since": self.since.isoformat() if self.since else None,
            "taken": [row.as_row() for row in self.taken],
            "left": [row.as_row() for row in self.left],
            "older": self.older,
            "notes": list(self.notes),
        }

    def lines(self) -> Iterator[str]:
        """For the terminal."""
        since = f" that came in since {self.since}" if self.since else ""
        if self.taken:
            yield f"{plural(len(self.taken), 'story', 'stories')}{since}:"
        else:
            yield f"No story in the inbox{since} is for this issue: the draft is empty."
        section = None
        for row in self.taken:
            if row.section != section:
                section = row.section
                yield f"  {section}"
            yield f"    {row.slug}  {row.headline}  ({row.why})"
        if self.left:
            yield "Left out:"
            for row in self.left[:MOST_LEFT]:
                yield f"    {row.slug}  {row.headline}  ({row.why})"
            if len(self.left) > MOST_LEFT:
                yield f"    and {len(self.left) - MOST_LEFT:,} more: --json names them"
        if self.older:
            yield f"{plural(self.older, 'story', 'stories')} came in before: --since all takes them too."
        yield from self.notes
        if self.path is None:
            yield "A trial: nothing was made."
        else:
            yield f"Made {self.path}."
            yield (
                f"Next: newsletter preview {self.issue}"
                if self.taken
                else (f"Next: newsletter issue pick {self.issue} ARTICLE…")
            )


def draft_issue(
    desk: Desk,
    slug: str,
    *,
    date: str | None = None,
    since: str | None = "last",
    theme: str | None = None,
    dry_run: bool = False,
    empty: bool = True,
) -> DraftedIssue:
    """Make the issue ``slug`` from what the inbox has, or with ``dry_run`` only say what it would be.

    ``since`` as ``InboxQuery.since``, ``last`` being the last issue dated before this one; None looks at everything.
    An inbox without anything for it gives an empty draft, or NotFound unless ``empty`` is wanted. Raises BadData for an
    issue that exists (nothing ever enters one by itself), a missing date, a ``since`` that is no time, and ThemeError
    for an unknown theme.
    """
    day = editing.issue_day(slug, date)
    editing.refuse_existing(desk.workspace, slug)
    if theme is not None:
        load_theme(desk.workspace, theme, asked_by="--theme")
    used, rules, config = uses(desk.workspace, alike=True), desk.config.draft, desk.config
    start = since_of(desk, since, used, before=day) if since else None
    lines = listing.candidates(desk.store, start)
    proposal = propose(
        lines,
        rules,
        used,
        language=config.publication.language,
        now=from_us(now_us()),
        age=parse_duration(rules.age, "draft.age"),
    )
    if not proposal.count and not empty:
        said = f" that came in since {start:%Y-%m-%d}" if start else ""
        fix = "bring in stories, or look at those that came in before, too" if start else "bring in stories"
        raise NotFound(f"no story in the inbox{said} is for a new issue; nothing was made", fix=fix)
    path: str | None = None
    notes: list[str] = []
    if not dry_run:
        folder = editing.new_issue(desk.workspace, slug, date=day, theme=theme, sections=_sections(desk, proposal))
        path = (folder / ISSUE_FILE).relative_to(desk.workspace.root).as_posix()
        notes = past_days(load_issue(desk.workspace, slug), {c.line.slug for s in proposal.sections for c in s.taken})
    everything = listing.counts(desk.store)
    zone = zone_of(config.publication.timezone)
    return DraftedIssue(
        issue=slug,
        date=day,
        path=path,
        since=start.astimezone(zone).date() if start else None,
        taken=tuple(_row(choice, section) for section in proposal.sections for choice in section.taken),
        left=tuple(_row(choice) for choice in proposal.left),
        older=max(0, everything["new"] + everything["later"] - len(lines)),
        notes=tuple(notes),
    )


def _sections(desk: Desk, proposal: Proposal) -> list[NewSection]:
    """A lead stays even when it is empty, and all sections do when nothing was taken: there is a place to fill."""
    kept = [s for s in proposal.sections if s.taken or s.rule.layout == "lead" or not proposal.count]
    return [
        NewSection(
            filled.rule.layout, filled.rule.title, tuple(picked(desk, choice.line.slug) for choice in filled.taken)
        )
        for filled in kept
    ]


def _row(choice: Choice, section: Filled | None = None) -> DraftRow:
    return DraftRow(choice.line.slug, choice.line.headline, choice.why, section.name if section else None)
