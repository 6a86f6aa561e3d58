"""What was in other issues: so that a story is not run twice by mistake."""

from __future__ import annotations

import re
from collections.abc import Container

from newsletter.issues.uses import Keys, Use, Uses, article_keys, uses
from newsletter.models import Issue
from newsletter.workspace.paths import Workspace


_WORDS = re.compile(r"\w+")

RUBRIC = 4
"""Words of a headline that comes back every week as a rubric's name, "Letters to the editor", over another page."""


def past_uses(ws: Workspace, issue: Issue) -> dict[str, str]:
    """The slug of each story of an issue that another issue has too → that issue's slug.

    A story is known again by its headline, its address or its source's GUID; a headline of at most ``RUBRIC`` words says
    nothing where both have a page and these are two. Where several issues had it, the nearest
    earlier one is named, before any later one. Issues that cannot be read are passed over: they have their own message.
    """
    known = uses(ws, alike=True)
    linked = {use for key, found in known.by_key.items() if key.startswith("link:") for use in found}
    found: dict[str, str] = {}
    for article in issue.articles():
        keys = article_keys(article)
        others = [use for use in _alike(known, keys, linked) if use.issue != issue.slug]
        if others:
            found[article.slug] = min(others, key=lambda use: _distance(use, issue)).issue
    return found


def _alike(known: Uses, keys: Keys, linked: Container[Use]) -> list[Use]:
    headline, link, guid = keys
    same = known.all_alike((None, link, guid))
    named = known.all_alike((headline, None, None))
    if link and headline and len(_WORDS.findall(headline)) <= RUBRIC:
        named = [use for use in named if use not in linked]
    return same + named


def _distance(use: Use, issue: Issue) -> tuple[bool, int]:
    """How far another issue is: every later one is farther than any earlier one."""
    days = (issue.date - use.date).days
    return days < 0, abs(days)
