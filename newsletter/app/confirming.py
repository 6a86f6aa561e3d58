"""Confirming what was guessed: an editor has read a field, and it is right."""

from __future__ import annotations

from collections.abc import Sequence

from newsletter.app.desk import Desk
from newsletter.articles import inbox
from newsletter.articles.fields import confirm, unconfirmed
from newsletter.errors import NotFound, did_you_mean
from newsletter.issues import editing
from newsletter.issues.folder import article_files, name_of, read_issue_file
from newsletter.workspace.files import sha256_hex
from newsletter.workspace.frontmatter import Document, read_bytes


def confirm_fields(desk: Desk, slug: str, names: Sequence[str], issue: str | None = None) -> str:
    """Mark fields of a story as confirmed, all guesses without names: in the inbox, or in an issue's own copy.

    Returns what was done. Raises NotFound for the story, BadData for a field that is no guess: nothing changed.
    """
    done = inbox.confirm_fields(desk.store, slug, names) if issue is None else _in_issue(desk, issue, slug, names)
    place = f" in {issue}" if issue else ""
    return f"{slug}{place}: confirmed {', '.join(done)}." if done else f"{slug}{place}: nothing waits to be confirmed."


def _in_issue(desk: Desk, issue: str, slug: str, names: Sequence[str]) -> list[str]:
    read_issue_file(desk.workspace, issue)
    known = article_files(desk.workspace, issue)
    if slug not in known:
        raise NotFound(f'the issue {issue} has no story "{slug}"', fix=did_you_mean(slug, known))
    path = desk.workspace.issue_dir(issue) / f"{slug}.md"
    data = read_bytes(path)
    document = Document.decode(data, name_of(desk.workspace, path))
    done = list(names) or unconfirmed(document)
    for name in done:
        document = confirm(document, name)
    if done:
        editing.save(desk.workspace, issue, document, expected=sha256_hex(data), article=slug)
    return done
