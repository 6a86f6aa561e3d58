"""The sample issue as an MJML document: the same stories, words, pictures, sections and footer, set like ``weekly``."""

from __future__ import annotations

from pathlib import Path

from jinja2 import Environment, FileSystemLoader

from newsletter.app.desk import Desk
from newsletter.app.render import image_delivery
from newsletter.articles.teaser import reading_minutes, teaser_of
from newsletter.issues.folder import load_issue
from newsletter.message.merge import Tokeniser
from newsletter.rendering.authored import Authored
from newsletter.rendering.shelf import Media, Shelf
from newsletter.rendering.shown import Marks
from newsletter.rendering.view import Material, make_variables
from newsletter.workspace.themes import load_theme


def as_mjml(desk: Desk, slug: str) -> str:
    """What the theme's templates are given, set in MJML."""
    issue = load_issue(desk.workspace, slug)
    theme = load_theme(desk.workspace, "weekly")
    media = Media(
        originals=desk.workspace.issue_dir(slug) / "images",
        derivatives=desk.workspace.cache / "images",
        delivery=image_delivery(desk.config),
        site_url=desk.config.site.url,
        root=desk.workspace.root,
    )
    material = Material(
        issue,
        desk.config,
        theme,
        {article.slug: teaser_of(article) for article in issue.articles()},
        {article.slug: reading_minutes(article.body) for article in issue.articles()},
        issue.lang or desk.config.publication.language,
    )
    authored = Authored(Tokeniser(desk.config.audience.attributes), "html", desk.workspace.root)
    # Marks are the comments around stories in HTML, which MJML would keep: those of the text part are empty.
    variables = make_variables(material, authored, Shelf(media), Marks(html=False))
    templates = Environment(
        loader=FileSystemLoader(Path(__file__).parent), autoescape=True, trim_blocks=True, lstrip_blocks=True
    )
    return templates.get_template("sample.mjml.j2").render(variables)
