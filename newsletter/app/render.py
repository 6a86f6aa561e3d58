"""The one way from an issue's folder to its finished email; preview, test, check and approval all take it."""

from __future__ import annotations

import time
from dataclasses import dataclass

from newsletter.app.desk import Desk
from newsletter.articles.teaser import reading_minutes, teaser_of
from newsletter.issues.folder import load_issue
from newsletter.models import Email, Issue
from newsletter.rendering.steps import Media, render_issue
from newsletter.workspace.settings import Config, ImageDelivery
from newsletter.workspace.themes import Theme, load_theme


@dataclass(frozen=True, slots=True)
class Rendered:
    """An issue as its folder says and the email that it becomes."""

    issue: Issue
    email: Email
    seconds: float


def image_delivery(config: Config) -> ImageDelivery:
    """How images travel: as configured, else hosted once there is a site, else embedded."""
    return config.images.delivery or ("hosted" if config.site.url else "embedded")


def render(desk: Desk, slug: str, *, theme: Theme | None = None) -> Rendered:
    """Load and render an issue; raises BadData's family for whatever an editor can put right.

    ``theme`` goes before the issue's own and the publication's.
    """
    started = time.perf_counter()
    issue = load_issue(desk.workspace, slug)
    email = render_loaded(desk, issue, theme=theme)
    return Rendered(issue, email, time.perf_counter() - started)


def render_loaded(desk: Desk, issue: Issue, *, theme: Theme | None = None) -> Email:
    """Render an issue that is in memory; raises BadData's family."""
    name = issue.theme or desk.config.publication.theme
    asked_by = f"issues/{issue.slug}/issue.md: theme" if issue.theme else "newsletter.toml: publication.theme"
    theme = theme or load_theme(desk.workspace, name, asked_by=asked_by)
    media = Media(
        originals=desk.workspace.issue_dir(issue.slug) / "images",
        derivatives=desk.workspace.cache / "images",
        delivery=image_delivery(desk.config),
        site_url=desk.config.site.url,
        root=desk.workspace.root,
    )
    return render_issue(
        issue,
        config=desk.config,
        theme=theme,
        media=media,
        teasers={article.slug: teaser_of(article) for article in issue.articles()},
        # A story whose text stayed on its own page takes as long as nobody knows.
        minutes={article.slug: reading_minutes(article.body) for article in issue.articles() if article.body.strip()},
    )
