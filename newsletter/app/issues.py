"""Issues: make them, pick stories into them, put them in order, look at them."""

from __future__ import annotations

import contextlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date as Date
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

from newsletter.app.desk import Desk
from newsletter.app.words import withdrawn_line
from newsletter.articles import inbox
from newsletter.articles.teaser import teaser_of
from newsletter.checks.weekdays import mentions
from newsletter.errors import NewsletterError
from newsletter.issues import editing, folder, summaries
from newsletter.issues.editing import Changed, Picked
from newsletter.models import TEXT_FILE, Issue
from newsletter.store.clock import from_us, now_us

if TYPE_CHECKING:
    from newsletter.delivery.mailings import Mailing
    from newsletter.delivery.retractions import Retraction


@dataclass(frozen=True, slots=True)
class IssueRow:
    """One line of the list of issues."""

    slug: str
    state: str
    stories: int
    subject: str
    problem: str | None
    date: Date | None = None
    number: str | None = None
    send_at: str | None = None
    """Local time of its mailing, ``2026-11-27T07:00``, in ``zone``."""
    zone: str | None = None

    def as_row(self) -> dict[str, Any]:
        """For ``--json``."""
        return {"slug": self.slug, "state": self.state, "stories": self.stories, "subject": self.subject,
                "problem": self.problem, "date": self.date.isoformat() if self.date else None, "number": self.number,
                "send_at": self.send_at, "zone": self.zone}  # fmt: skip


@dataclass(frozen=True, slots=True)
class ShownIssue:
    """An issue with its sections in order, and the story files that no section names.

    ``changed`` has, by slug, the fields of stories that their sources are known to have changed since.
    """

    issue: Issue
    state: str
    spare: Sequence[str]
    changed: Mapping[str, Sequence[str]] = field(default_factory=dict)
    retracted: Sequence[Retraction] = ()
    zone: str = "UTC"

    def as_row(self) -> dict[str, Any]:
        """For ``--json``."""
        return {
            "slug": self.issue.slug,
            "date": self.issue.date.isoformat(),
            "number": self.issue.number,
            "state": self.state,
            "subject": self.issue.subject,
            "preheader": self.issue.preheader,
            "correction": self.issue.correction,
            "own_text": self.issue.own_text is not None,
            "sections": [
                {"title": s.title, "layout": s.layout, "articles": [a.slug for a in s.articles]}
                for s in self.issue.sections
            ],
            "unused_files": list(self.spare),
            "changed_at_source": {slug: list(names) for slug, names in self.changed.items()},
            "retracted": [found.article for found in self.retracted],
        }

    def lines(self) -> list[str]:
        """For the terminal."""
        issue = self.issue
        number = f", number {issue.number}" if issue.number else ""
        lines = [f"{issue.slug}: {self.state}. {issue.date:%A} {issue.date.day} {issue.date:%B %Y}{number}"]
        lead = issue.lead
        stands = f"{lead.headline}  (the lead's headline, until you write one)" if lead else "not written yet"
        lines.append(f"  subject    {issue.subject or stands}")
        stands = f"{teaser_of(lead)}  (the lead's teaser, until you write one)" if lead else "not written yet"
        lines.append(f"  preheader  {issue.preheader or stands}")
        if issue.correction:
            lines.append(f"  correction {issue.correction}")
        if issue.own_text is not None:
            lines.append(f"  text part  your own, in {TEXT_FILE}")
        for section in issue.sections:
            lines.append(f"  {section.title or section.layout.capitalize()} ({section.layout})")
            lines += [f"    {n}. {a.headline}  [{a.slug}]" for n, a in enumerate(section.articles, start=1)]
            if not section.articles:
                lines.append("    no story yet")
        lines += [f"  {name} is in the folder, but in no section" for name in self.spare]
        for slug, names in self.changed.items():
            lines.append(f"! {slug}: its source has changed {', '.join(names)}")
            lines.append(f"    newsletter article refresh {slug} --issue {issue.slug}")
        lines += [f"  {withdrawn_line(found, self.zone)}" for found in self.retracted]
        return lines


def changed_stories(desk: Desk, slug: str) -> Mapping[str, Sequence[str]]:
    """The same for an issue by its slug; nothing while it cannot be read, which has its own message."""
    with contextlib.suppress(NewsletterError):
        return changes_at_source(desk, folder.load_issue(desk.workspace, slug))
    return {}


def changes_at_source(desk: Desk, issue: Issue) -> Mapping[str, Sequence[str]]:
    """The fields of picked stories that their sources are known to have changed since; asks no source.

    Looking makes no database, and a broken one has its own message.
    """
    if not desk.workspace.database.is_file():
        return {}
    from newsletter.articles import versions  # the database's packages, which nothing else here needs

    with contextlib.suppress(NewsletterError):
        return versions.changed(desk.store, list(issue.articles()))
    return {}


def new_issue(desk: Desk, slug: str, *, date: str | None = None) -> str:
    """Make an issue; the path of its issue.md within the workspace."""
    return _shown(desk, editing.new_issue(desk.workspace, slug, date=date) / folder.ISSUE_FILE)


def duplicate_issue(desk: Desk, slug: str, new_slug: str, *, date: str | None = None) -> str:
    """Copy an issue without its approval; the path of the copy within the workspace."""
    return _shown(desk, editing.duplicate(desk.workspace, slug, new_slug, date=date))


def list_issues(desk: Desk) -> list[IssueRow]:
    """Every issue, newest first. One that cannot be read says why and hides no other."""
    mailed = _mailings(desk)
    return [_row(summary, mailed.get(summary.slug)) for summary in summaries.list_issues(desk.workspace)]


def day_for_new(desk: Desk, rows: Sequence[IssueRow]) -> Date:
    """The day to offer for a new issue: a week after the latest of ``rows``, but not before today in its zone."""
    from newsletter.delivery.schedule import zone_of

    today = from_us(now_us()).astimezone(zone_of(desk.config.publication.timezone)).date()
    latest = max((row.date for row in rows if row.date), default=None)
    with contextlib.suppress(OverflowError):  # an issue of the year 9999
        return max(today, latest + timedelta(days=7)) if latest else today
    return today


def _row(summary: summaries.IssueSummary, mailing: Mailing | None) -> IssueRow:
    state = mailing.state if mailing else "approved" if summary.approved else "draft"
    return IssueRow(
        slug=summary.slug,
        state="broken" if summary.problem else state,
        stories=summary.stories,
        subject=summary.problem or summary.subject or "",
        problem=summary.problem,
        date=summary.date,
        number=summary.number,
        send_at=mailing.local_time if mailing else None,
        zone=mailing.zone if mailing else None,
    )


def show_issue(desk: Desk, slug: str) -> ShownIssue:
    """An issue's sections and stories; raises NotFound and BadData."""
    issue = folder.load_issue(desk.workspace, slug)
    state = "approved" if folder.is_approved(desk.workspace, slug) else "draft"
    mailing = _mailings(desk).get(slug)
    retracted = _retracted(desk, slug)
    return ShownIssue(
        issue,
        mailing.state if mailing else state,
        folder.unreferenced(desk.workspace, issue),
        changes_at_source(desk, issue),
        retracted,
        desk.config.publication.timezone if retracted else "UTC",
    )


def pick_articles(
    desk: Desk,
    issue: str,
    slugs: Sequence[str],
    *,
    section: str | int | None = None,
    at: int | None = None,
    expected: str | None = None,
) -> Changed:
    """Pick stories from the inbox into an issue, all of them or none; what was done, a line each.

    ``section`` is a title, a layout or an index from 0; ``expected`` the SHA-256 of ``issue.md`` as it was seen.
    """
    items = [picked(desk, slug) for slug in slugs]
    done = editing.pick(desk.workspace, issue, items, section=section, at=at, expected=expected)
    done.notes.extend(past_days(folder.load_issue(desk.workspace, issue), set(slugs)))
    return done


def picked(desk: Desk, slug: str) -> Picked:
    """A story of the inbox on its way into an issue; raises NotFound."""
    item = inbox.get(desk.store, slug)
    original = desk.workspace.originals / item.original if item.original else None
    return Picked(slug=slug, text=item.document, original=original)


def past_days(issue: Issue, slugs: set[str]) -> list[str]:
    """Named days that lie before the issue's date: said while the editor still has the story in hand."""
    notes: list[str] = []
    for article in issue.articles():
        if article.slug not in slugs or not (article.lang or issue.lang or "en").startswith("en"):
            continue
        text = f"{article.headline}\n{article.standfirst or ''}\n{teaser_of(article)}"
        notes += [
            f"{article.slug}: “{mention.words}” is before the issue's date, {issue.date}"
            for mention in mentions(text, issue.date, None)
            if mention.kind != "bare" and mention.day is not None and mention.day < issue.date
        ]
    return list(dict.fromkeys(notes))


def drop_article(desk: Desk, issue: str, article: str) -> list[str]:
    """Take a story out of an issue; its file stays in the folder."""
    return editing.drop(desk.workspace, issue, article)


def move_article(desk: Desk, issue: str, article: str, *, section: str | None = None, to: int) -> list[str]:
    """Move a story within an issue; places count from 1."""
    return editing.move(desk.workspace, issue, article, section=section, to=to)


def _retracted(desk: Desk, slug: str) -> tuple[Retraction, ...]:
    if not desk.workspace.database.exists():
        return ()
    from newsletter.delivery.retractions import retractions_of

    return tuple(retractions_of(desk.store, slug).values())


def _mailings(desk: Desk) -> dict[str, Mailing]:
    """The mailing of each issue that has one and did not cancel it."""
    if not desk.workspace.database.exists():
        return {}
    from newsletter.delivery.mailings import all_mailings

    return {mailing.issue: mailing for mailing in all_mailings(desk.store) if mailing.state != "cancelled"}


def _shown(desk: Desk, path: Path) -> str:
    return path.relative_to(desk.workspace.root).as_posix()
