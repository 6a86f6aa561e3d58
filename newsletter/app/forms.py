"""An issue's files as forms: what the composer shows of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from newsletter.app.desk import Desk
from newsletter.articles.schema import article_from_document
from newsletter.articles.teaser import teaser_of
from newsletter.errors import NewsletterError
from newsletter.issues.folder import article_files, is_approved, name_of, read_issue_file
from newsletter.issues.schema import issue_keys
from newsletter.issues.sponsors import load_sponsor
from newsletter.issues.textfile import bytes_of, text_from_bytes
from newsletter.models import TEXT_FILE, Article
from newsletter.workspace.files import sha256_hex
from newsletter.workspace.frontmatter import Document, read_bytes
from newsletter.workspace.paths import Workspace
from newsletter.workspace.slugs import check_slug

STORY_FIELDS = (
    "headline", "kicker", "standfirst", "teaser", "byline", "agency", "link", "link_text",
    "image.alt", "image.caption", "image.credit", "image.focal",
)  # fmt: skip
"""The fields of a story that a form has, besides its ``body``."""

ISSUE_FIELDS = ("subject", "preheader", "number", "date", "correction")
"""The fields of ``issue.md`` that a form has, besides its ``intro``."""


@dataclass(frozen=True, slots=True)
class StoryForm:
    """A story as the composer edits it. ``problem`` says why its file cannot be read; then the rest is empty.

    ``sha256`` is of the file's bytes; ``teaser`` what stands while the editor writes none; ``picture`` is the name of
    its file in ``images/``, ``remote`` the address of one. A sponsor's creative serves other issues as well: it is
    shown, and edited in its own file.
    """

    slug: str
    file: str
    sha256: str = ""
    fields: Mapping[str, str] | None = None
    body: str = ""
    teaser: str = ""
    picture: str | None = None
    remote: str | None = None
    sponsor: bool = False
    problem: str | None = None


@dataclass(frozen=True, slots=True)
class SectionForm:
    """A section with its stories in order."""

    title: str
    layout: str
    stories: Sequence[StoryForm]


@dataclass(frozen=True, slots=True)
class TextForm:
    """The text part as an editor wrote it: ``sha256`` is "" where it is generated, ``problem`` why it is no text."""

    sha256: str = ""
    body: str = ""
    problem: str | None = None


@dataclass(frozen=True, slots=True)
class IssueForm:
    """An issue as the composer edits it. ``spare`` are stories in the folder that no section names (slug, headline).

    ``standing`` is what stands in the mail for fields that the editor left empty; ``text`` the text part of their own.
    """

    slug: str
    sha256: str
    approved: bool
    fields: Mapping[str, str]
    intro: str
    standing: Mapping[str, str]
    sections: Sequence[SectionForm]
    spare: Sequence[tuple[str, str]]
    text: TextForm = TextForm()

    def as_row(self) -> dict[str, Any]:
        """For JSON."""
        return asdict(self)


def issue_form(desk: Desk, slug: str) -> IssueForm:
    """An issue's files as forms. Raises NotFound and FrontMatterError for ``issue.md``; a broken story says so."""
    ws = desk.workspace
    doc, sha256 = read_issue_file(ws, slug)
    keys = issue_keys(doc)
    sections = []
    lead: StoryForm | None = None
    for section in keys.sections:
        sponsored = section.sponsor is not None
        stories = tuple(_sponsor_form(ws, name) if sponsored else _story_form(ws, slug, name) for name in section.slugs)
        sections.append(SectionForm(section.title or "", section.layout, stories))
        if stories and section.layout != "sponsor" and (lead is None or (section.layout == "lead")):
            lead = lead if lead is not None and _in_lead(keys.sections, lead.slug) else stories[0]
    picked = {story.slug for section in sections for story in section.stories}
    spare = [(name, _headline_of(ws, slug, name)) for name in article_files(ws, slug) if name not in picked]
    standing = {"subject": (lead.fields or {}).get("headline", ""), "preheader": lead.teaser} if lead else {}
    fields = {name: getattr(keys, name) or "" for name in ISSUE_FIELDS}
    return IssueForm(
        slug,
        sha256,
        is_approved(ws, slug),
        fields,
        doc.body,
        standing,
        tuple(sections),
        tuple(spare),
        _text_form(ws, slug),
    )


def _text_form(ws: Workspace, slug: str) -> TextForm:
    data = bytes_of(ws.issue_dir(slug))
    if data is None:
        return TextForm()
    try:
        return TextForm(sha256_hex(data), text_from_bytes(data, f"issues/{slug}/{TEXT_FILE}"))
    except NewsletterError as error:
        return TextForm(sha256_hex(data), problem=f"{error.where}: {error.what}")


def _in_lead(sections: Sequence[Any], slug: str) -> bool:
    return any(section.layout == "lead" and slug in section.slugs for section in sections)


def _story_form(ws: Workspace, issue: str, slug: str) -> StoryForm:
    path = ws.issue_dir(issue) / f"{slug}.md"
    file = name_of(ws, path)
    try:
        check_slug(slug, "article")
        data = read_bytes(path)
    except NewsletterError as error:
        return StoryForm(slug, file, problem=error.what)
    sha256 = sha256_hex(data)
    try:
        doc = Document.decode(data, file)
        article = article_from_document(doc, slug, path)
    except NewsletterError as error:
        return StoryForm(slug, file, sha256, problem=f"{error.where or file}: {error.what}")
    return _form_of(article, file, sha256)


def _sponsor_form(ws: Workspace, name: str) -> StoryForm:
    file = f"sponsors/{name}.md"
    try:
        sponsor = load_sponsor(ws, name)
    except NewsletterError as error:
        return StoryForm(name, file, sponsor=True, problem=f"{error.where or file}: {error.what}")
    form = _form_of(sponsor.article, file, "")
    return StoryForm(name, file, "", form.fields, form.body, form.teaser, sponsor=True)


def _form_of(article: Article, file: str, sha256: str) -> StoryForm:
    fields = {}
    for name in STORY_FIELDS:
        owner: Any = article
        for part in name.split("."):
            owner = getattr(owner, part, None) if owner is not None else None
        fields[name] = ", ".join(f"{part:g}" for part in owner) if isinstance(owner, tuple) else owner or ""
    picture, remote = (article.image.file, article.image.url) if article.image else (None, None)
    standing = "" if article.teaser else teaser_of(article)
    return StoryForm(article.slug, file, sha256, fields, article.body, standing, picture, remote)


def _headline_of(ws: Workspace, issue: str, slug: str) -> str:
    form = _story_form(ws, issue, slug)
    return (form.fields or {}).get("headline") or slug
