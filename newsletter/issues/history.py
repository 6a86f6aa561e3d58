"""What was in other issues: so that a story is not run twice by mistake."""

from __future__ import annotations

import re
from collections.abc import Iterator

from newsletter.articles.shape import title_key
from newsletter.errors import NewsletterError
from newsletter.issues.folder import list_issues, load_issue
from newsletter.models import Article, Issue
from newsletter.workspace.paths import Workspace


def identities(article: Article) -> Iterator[str]:
    """What a story may be known again by: its headline, its link, its origin's URL and GUID.

    The headline comes in two forms: as the inbox compares it (``title_key``), and as its words alone in lower case.
    """
    yield title_key(article.headline)
    yield " ".join(re.findall(r"\w+", article.headline.casefold()))
    for known in (article.link, article.origin.url, article.origin.guid):
        if known:
            yield known.strip()


def past_uses(ws: Workspace, issue: Issue) -> dict[str, str]:
    """Each identity of each story in another issue → that issue's slug.

    Where several had it, the nearest earlier issue is named, before any later one. Issues that cannot be read
    are passed over: they have their own message.
    """
    found: dict[str, str] = {}
    others = [s for s in list_issues(ws) if s.slug != issue.slug and s.problem is None and s.date is not None]
    earlier = [s.slug for s in others if s.date is not None and s.date <= issue.date]
    later = [s.slug for s in reversed(others) if s.date is not None and s.date > issue.date]
    for slug in (*earlier, *later):
        try:
            other = load_issue(ws, slug)
        except NewsletterError:  # changed under our hands since it was listed
            continue
        for article in other.articles():
            for identity in identities(article):
                found.setdefault(identity, slug)
    return found
