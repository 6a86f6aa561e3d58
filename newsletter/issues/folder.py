"""Reading issue folders."""

from __future__ import annotations

import contextlib
from dataclasses import replace
from datetime import date as Date
from pathlib import Path

from newsletter.articles.schema import article_from_document
from newsletter.errors import BadData, NewsletterError, NotFound, did_you_mean
from newsletter.issues.schema import article_line, issue_from_document, issue_keys, parse_date
from newsletter.issues.sponsors import load_sponsor
from newsletter.issues.textfile import load_text
from newsletter.models import Article, Issue
from newsletter.workspace.files import sha256_hex
from newsletter.workspace.frontmatter import Document, read_bytes
from newsletter.workspace.paths import Workspace
from newsletter.workspace.slugs import check_slug

ISSUE_FILE = "issue.md"
IMAGES = "images"


def issue_exists(ws: Workspace, slug: str) -> bool:
    """Whether there is an issue of that name; raises ``BadData`` for what is no slug."""
    return (ws.issue_dir(slug) / ISSUE_FILE).is_file()


def is_approved(ws: Workspace, slug: str) -> bool:
    """Whether the issue is frozen: ``approved/approval.json`` is there."""
    return (ws.issue_dir(slug) / "approved" / "approval.json").exists()


def name_of(ws: Workspace, path: Path) -> str:
    """A file's name in messages: its path in the workspace."""
    return path.relative_to(ws.root).as_posix()


def read_issue_file(ws: Workspace, slug: str) -> tuple[Document, str]:
    """``issue.md`` and the SHA-256 of its bytes; raises ``NotFound`` and ``FrontMatterError``."""
    path = ws.issue_dir(slug) / ISSUE_FILE
    if not path.parent.is_dir():
        known = issue_slugs(ws)
        hint = did_you_mean(slug, known) or f"newsletter issue new {slug}"
        raise NotFound(f"there is no issue {slug!r}", where=name_of(ws, ws.issues), fix=hint)
    if not path.is_file():
        fix = "put it back, or remove the folder"
        raise NotFound(f"the issue has no {ISSUE_FILE}", where=name_of(ws, path.parent), fix=fix)
    data = read_bytes(path)
    return Document.decode(data, name_of(ws, path)), sha256_hex(data)


def load_issue(ws: Workspace, slug: str) -> Issue:
    """Read an issue and every article picked into it.

    Raises ``NotFound`` for an unknown issue, and ``BadData`` or ``FrontMatterError`` with file, line and fix for
    anything in the folder that cannot be used: a picked article that is gone, an unknown layout, broken YAML, an
    ``email.txt`` that is no text.
    """
    doc, sha256 = read_issue_file(ws, slug)
    folder = ws.issue_dir(slug)
    articles: dict[str, Article] = {}
    for section in issue_keys(doc).sections:
        for name in section.slugs:
            if name not in articles:
                sponsored = section.sponsor is not None
                articles[name] = _read_sponsor(ws, doc, name) if sponsored else _read_article(ws, slug, doc, name)
    own, of = load_text(folder)
    issue = issue_from_document(doc, slug, articles, path=folder, sha256=sha256)
    return replace(issue, own_text=own, text_of=of)


def _read_article(ws: Workspace, issue: str, doc: Document, slug: str) -> Article:
    try:
        check_slug(slug, "article")
    except BadData as error:
        raise BadData(error.what, where=article_line(doc, slug), fix=error.fix) from error
    path = ws.issue_dir(issue) / f"{slug}.md"
    if not path.is_file():
        meant = did_you_mean(slug, article_files(ws, issue))
        fix = f"restore {name_of(ws, path)}, or take it out: newsletter issue drop {issue} {slug}"
        raise BadData(
            f"the article {slug!r} is picked, but its file is gone",
            where=article_line(doc, slug),
            fix=f"{meant} Otherwise {fix}" if meant else fix,
        )
    return article_from_document(Document.read(path, name_of(ws, path)), slug, path)


def _read_sponsor(ws: Workspace, doc: Document, name: str) -> Article:
    try:
        return load_sponsor(ws, name).article
    except NotFound as error:
        raise NotFound(error.what, where=article_line(doc, name), fix=error.fix) from error


def article_files(ws: Workspace, slug: str) -> list[str]:
    """The slugs of all article files in the folder, picked or not."""
    return sorted(p.stem for p in ws.issue_dir(slug).glob("*.md") if p.name != ISSUE_FILE and p.name[0] != ".")


def unreferenced(ws: Workspace, issue: Issue) -> list[str]:
    """Files in the folder that no picked article uses: dropped stories and their pictures, by name."""
    folder = ws.issue_dir(issue.slug)
    picked = {article.slug for article in issue.articles()}
    used = {article.image.file for article in issue.articles() if article.image and article.image.file}
    stories = [f"{name}.md" for name in article_files(ws, issue.slug) if name not in picked]
    pictures = sorted(p.name for p in (folder / IMAGES).glob("*") if p.is_file() and p.name[0] != ".")
    return stories + [f"{IMAGES}/{name}" for name in pictures if name not in used]


def issues_dated(ws: Workspace, day: Date) -> list[str]:
    """The slugs of a day's issues, corrections apart. Only each ``issue.md`` is read; a broken one has no day."""
    found = []
    for slug in issue_slugs(ws):
        with contextlib.suppress(NewsletterError):
            keys = issue_keys(read_issue_file(ws, slug)[0])
            if parse_date(keys.date) == day and keys.corrects is None:
                found.append(slug)
    return found


def issue_slugs(ws: Workspace) -> list[str]:
    """The names of the issues' folders, in their order."""
    if not ws.issues.is_dir():
        return []
    return sorted(p.name for p in ws.issues.iterdir() if p.is_dir() and not p.name.startswith("."))
