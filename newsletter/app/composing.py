"""What the composer does to an issue's files: the same files, and the same rules, as the command line and an editor."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any, Final

from newsletter.app.check import context_of
from newsletter.app.desk import Desk
from newsletter.app.fixing import Wrote, fix_issue, joined
from newsletter.app.forms import ISSUE_FIELDS
from newsletter.app.owntext import change_rows, confirm_text, drop_text, mark_of, write_text
from newsletter.app.preview import Preview
from newsletter.app.render import render
from newsletter.articles.fields import assign
from newsletter.articles.schema import article_from_document
from newsletter.checks.registry import all_checks
from newsletter.checks.run import Proposal
from newsletter.errors import BadData, Conflict, NotFound
from newsletter.issues import arranging, editing, owntext
from newsletter.issues.folder import ISSUE_FILE, name_of
from newsletter.issues.schema import issue_keys
from newsletter.issues.textfile import MEMORY_FILE, bytes_of
from newsletter.message.texts import stale_of
from newsletter.models import TEXT_FILE, Finding
from newsletter.workspace.files import line_ends_as, sha256_hex
from newsletter.workspace.frontmatter import Document, read_bytes
from newsletter.workspace.slugs import check_slug

_BETWEEN: Final = b"\0"
"""Between the own text and what it was right for, where both are kept as one state: neither file has a NUL."""


def file_of(desk: Desk, slug: str, article: str | None) -> Path:
    """``issue.md``, the file of one story of the issue, or its own text (``TEXT_FILE``)."""
    if article == TEXT_FILE:
        return desk.workspace.issue_dir(check_slug(slug, "issue")) / TEXT_FILE
    name = ISSUE_FILE if article is None else f"{check_slug(article, 'article')}.md"
    return desk.workspace.issue_dir(check_slug(slug, "issue")) / name


def read_file(desk: Desk, slug: str, article: str | None) -> tuple[str, bytes]:
    """A file of an issue, and before it its SHA-256; raises NotFound.

    An own text that is not there is ("", b""); one that is there comes with what it was right for, to be restored.
    """
    if article == TEXT_FILE:
        folder = file_of(desk, slug, article).parent
        own, memory = bytes_of(folder), bytes_of(folder, MEMORY_FILE)
        if own is None:
            return "", b""
        return sha256_hex(own), own if memory is None else own + _BETWEEN + memory
    data = read_bytes(file_of(desk, slug, article))
    return sha256_hex(data), data


def read_expected(desk: Desk, slug: str, article: str | None, expected: str) -> Document:
    """A file of an issue that still is what the editor saw; raises Conflict."""
    file = name_of(desk.workspace, file_of(desk, slug, article))
    sha256, data = read_file(desk, slug, article)
    if sha256 != expected:
        fix = "look at the file as it is now, then make the change again"
        raise Conflict("somebody else changed the file meanwhile; nothing was written", where=file, fix=fix)
    return Document.decode(data, file)


def save_story(
    desk: Desk, issue: str, article: str, fields: Mapping[str, str], body: str | None, *, expected: str
) -> str:
    """Set fields of a picked story, and its body (Markdown) where one is given; returns the file's new SHA-256.

    Raises BadData for a field that does not exist or a value it cannot have, Conflict when the file is not what was
    ``expected``, IllegalState when the issue is approved; then nothing is written.
    """
    before = doc = read_expected(desk, issue, article, expected)
    for name, value in fields.items():
        doc = assign(doc, name, value)
    if body is not None:
        doc = doc.with_body(line_ends_as(doc.text, body))
    article_from_document(doc, article)
    return _saved(desk, issue, before, doc, expected, article)


def save_issue(desk: Desk, issue: str, fields: Mapping[str, str], intro: str | None, *, expected: str) -> str:
    """Set fields of ``issue.md``, and its intro where one is given; returns the new SHA-256. An empty value removes.

    Raises BadData and FrontMatterError for what the file cannot say, Conflict, IllegalState; then nothing is written.
    """
    before = doc = read_expected(desk, issue, None, expected)
    for name, value in fields.items():
        if name not in ISSUE_FIELDS:
            raise BadData(f"an issue's {name} is not set this way", where=doc.file)
        text = " ".join(value.split())
        if name == "date" and not text:
            raise BadData("an issue cannot be without a date", where=doc.where("date"), fix="write it as 2026-11-27")
        doc = doc.set((name,), text or None)
    if intro is not None:
        doc = doc.with_body(line_ends_as(doc.text, intro))
    issue_keys(doc)
    return _saved(desk, issue, before, doc, expected, None)


def _saved(desk: Desk, issue: str, before: Document, doc: Document, expected: str, article: str | None) -> str:
    if doc.text == before.text:
        return expected
    return editing.save(desk.workspace, issue, doc, expected=expected, article=article)


def restore_file(desk: Desk, issue: str, article: str | None, data: bytes | None, *, expected: str) -> str:
    """Put a file back to bytes that it had before; returns their SHA-256. Raises Conflict and IllegalState.

    Without ``data`` there was no file, which only an own text can have been.
    """
    path = file_of(desk, issue, article)
    if article == TEXT_FILE:
        return _restore_text(desk, issue, data, expected)
    assert data is not None
    return editing.save(
        desk.workspace,
        issue,
        Document.decode(data, name_of(desk.workspace, path), required=False),
        expected=expected,
        article=article,
    )


def _restore_text(desk: Desk, issue: str, data: bytes | None, expected: str) -> str:
    if data is None:
        owntext.drop_text(desk.workspace, issue, expected=expected)
        return ""
    own, between, memory = data.partition(_BETWEEN)
    return owntext.save_text(desk.workspace, issue, own, expected=expected, memory=memory if between else None)


def save_text(desk: Desk, issue: str, text: str, *, expected: str) -> str:
    """Write the own text of an issue; returns its new SHA-256. Raises BadData, Conflict, IllegalState."""
    return owntext.save_text(desk.workspace, issue, text, expected=expected)


def do_text(desk: Desk, issue: str, do: str, *, expected: str, seen: str | None) -> str:
    """``write``, ``confirm`` or ``drop`` the own text of an issue; returns its SHA-256, "" where there is none.

    ``seen`` is the mark of the generated text for which it is confirmed. Raises what each of them raises.
    """
    if do == "write":
        return write_text(desk, issue, expected=expected, overwrite=True)
    if do == "confirm":
        confirm_text(desk, issue, expected=expected, seen=seen)
        return expected
    drop_text(desk, issue, expected=expected)
    return ""


def text_state(preview: Preview) -> dict[str, Any]:
    """What a page says of an own text: what changed since it was right (None: nobody said so), and what to confirm."""
    issue, email = preview.rendered.issue, preview.rendered.email
    if issue.own_text is None:
        return {"stale": [], "seen": None}
    stale = stale_of(issue, email)
    return {"stale": None if stale is None else change_rows(stale), "seen": mark_of(email.pieces)}


def move_story(desk: Desk, issue: str, article: str, section: int, to: int, *, expected: str) -> str:
    """Put a story at place ``to`` (from 0) of the section of that index; returns the new SHA-256 of ``issue.md``."""
    return editing.rewrite(
        desk.workspace,
        issue,
        lambda doc: editing.moved(doc, issue, article, section=section, to=to + 1),
        expected=expected,
    )


def drop_story(desk: Desk, issue: str, article: str, *, expected: str) -> str:
    """Take a story out of an issue; its file stays in the folder."""
    return editing.rewrite(desk.workspace, issue, lambda doc: editing.dropped(doc, issue, article), expected=expected)


def take_back(desk: Desk, issue: str, article: str, section: int, to: int, *, expected: str) -> str:
    """Put a story whose file is in the folder back into a section. Raises NotFound when there is no such file."""
    if not file_of(desk, issue, article).is_file():
        raise NotFound(f"there is no file of {article!r} in the issue", where=f"issues/{issue}")
    return editing.rewrite(
        desk.workspace, issue, lambda doc: arranging.with_story(doc, article, section, to), expected=expected
    )


def add_section(desk: Desk, issue: str, at: int, layout: str, title: str | None, *, expected: str) -> str:
    """A new section at ``at`` (from 0); returns the new SHA-256 of ``issue.md``."""
    return editing.rewrite(
        desk.workspace,
        issue,
        lambda doc: arranging.with_section(doc, at, layout=layout, title=title),
        expected=expected,
    )


def set_section(desk: Desk, issue: str, section: int, values: Mapping[str, str], *, expected: str) -> str:
    """Another title or layout of a section."""
    return editing.rewrite(
        desk.workspace, issue, lambda doc: arranging.section_set(doc, section, values), expected=expected
    )


def move_section(desk: Desk, issue: str, section: int, to: int, *, expected: str) -> str:
    """A section at another place, with its stories."""
    return editing.rewrite(
        desk.workspace, issue, lambda doc: arranging.section_moved(doc, section, to), expected=expected
    )


def remove_section(desk: Desk, issue: str, section: int, *, expected: str) -> str:
    """Take out a section; the files of its stories stay in the folder."""
    return editing.rewrite(
        desk.workspace, issue, lambda doc: arranging.without_section(doc, section), expected=expected
    )


def waive_finding(desk: Desk, issue: str, article: str | None, check: str, reason: str, *, expected: str) -> str:
    """Accept a finding with a reason, in the file that it is about. Raises BadData where that cannot be."""
    rules = {rule.id: rule for rule in all_checks()}
    if check not in rules or not rules[check].waivable:
        raise BadData(f"the check {check} cannot be waived", fix="put right what it says")
    if not reason.strip():
        raise BadData("a waiver needs a reason", fix="say why the finding is accepted")
    before = doc = read_expected(desk, issue, article, expected)
    present = doc.get("waive") or []
    known = next((n for n, entry in enumerate(present) if isinstance(entry, dict) and entry.get("id") == check), None)
    text = " ".join(reason.split())
    if known is not None:
        doc = doc.set(("waive", known, "reason"), text)
    else:
        doc = doc.insert(("waive",), len(present), {"id": check, "reason": text})
    return _saved(desk, issue, before, doc, expected, article)


def fix_finding(
    desk: Desk, issue: str, check: str, article: str | None, field: str | None
) -> tuple[list[Wrote], list[str]]:
    """Put one finding right where that is certain; the files that were written, and what was done, a sentence each.

    Raises NotFound when the issue has no such finding any more, IllegalState, Conflict.
    """

    def wanted(proposal: Proposal) -> bool:
        edit = proposal.edit
        return proposal.check == check and edit.article == article and field in (None, edit.field)

    written: list[Wrote] = []
    done, _ = fix_issue(desk, issue, lambda: context_of(desk, render(desk, issue)), wanted, written)
    if not done:
        raise NotFound(f"there is nothing to put right for {check} any more", where=f"issues/{issue}")
    return joined(written), [f"{fix.file}: “{fix.before or ''}” is “{fix.after}” now" for fix in done]


def finding_rows(findings: Sequence[Finding]) -> list[dict[str, Any]]:
    """Findings for a page; ``waivable`` is whether an editor may accept it."""
    rules = {rule.id: rule.waivable for rule in all_checks()}
    return [
        {
            **asdict(finding),
            "severity": str(finding.severity),
            "waivable": finding.waived is None and rules.get(finding.id, False),
        }
        for finding in findings
    ]
