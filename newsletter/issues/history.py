"""What was in other issues: so that a story is not run twice by mistake."""

from __future__ import annotations

from newsletter.issues.uses import Use, article_keys, uses
from newsletter.models import Issue
from newsletter.workspace.paths import Workspace


def past_uses(ws: Workspace, issue: Issue) -> dict[str, str]:
    """The slug of each story of an issue that another issue has too → that issue's slug.

    A story is known again by its headline, its address or its source's GUID. Where several issues had it, the nearest
    earlier one is named, before any later one. Issues that cannot be read are passed over: they have their own message.
    """
    known = uses(ws, alike=True)
    found: dict[str, str] = {}
    for article in issue.articles():
        others = [use for use in known.all_alike(article_keys(article)) if use.issue != issue.slug]
        if others:
            found[article.slug] = min(others, key=lambda use: _distance(use, issue)).issue
    return found


def _distance(use: Use, issue: Issue) -> tuple[bool, int]:
    """How far another issue is: every later one is farther than any earlier one."""
    days = (issue.date - use.date).days
    return days < 0, abs(days)
