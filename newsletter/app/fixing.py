"""``check --fix``: the edits that checks propose, made in the issue's files, and every other byte left alone."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from newsletter.app.desk import Desk
from newsletter.checks.context import CheckContext
from newsletter.checks.edits import BODY, Edit
from newsletter.checks.formats import Fixed
from newsletter.checks.run import Proposal, proposals
from newsletter.errors import Conflict, NewsletterError
from newsletter.issues import editing
from newsletter.issues.folder import ISSUE_FILE, name_of
from newsletter.workspace.files import sha256_hex
from newsletter.workspace.frontmatter import Document, read_bytes

_ROUNDS = 5
"""One fix can uncover another, in the same words; more than this no text asks for."""


@dataclass(frozen=True, slots=True)
class Wrote:
    """A file of the issue (None: ``issue.md``) that was written: its bytes before, and the SHA-256 before and after."""

    article: str | None
    before: bytes
    was: str
    now: str


def joined(written: Sequence[Wrote]) -> list[Wrote]:
    """The writings of one file as one, where nobody else wrote in between; else the last of them."""
    found: dict[str | None, Wrote] = {}
    for wrote in written:
        former = found.get(wrote.article)
        follows = former is not None and former.now == wrote.was
        found[wrote.article] = replace(former, now=wrote.now) if former is not None and follows else wrote
    return list(found.values())


def fix_issue(
    desk: Desk,
    slug: str,
    look: Callable[[], CheckContext],
    wanted: Callable[[Proposal], bool] = lambda _: True,
    written: list[Wrote] | None = None,
) -> tuple[list[Fixed], CheckContext]:
    """Make every certain fix that is ``wanted``; returns them in the order of the page, and the issue as it is then.

    ``look`` renders the issue anew; ``written`` gets each writing of a file. Raises IllegalState when it is approved,
    and then nothing was changed; Conflict when somebody else changes a file meanwhile, naming what was written before.
    """
    editing.refuse_approved(desk.workspace, slug)
    done: list[Fixed] = []
    context = look()
    for _ in range(_ROUNDS):
        proposed = [proposal for proposal in proposals(context) if wanted(proposal)]
        if not proposed:
            break
        for article in dict.fromkeys(proposal.edit.article for proposal in proposed):
            mine = [proposal for proposal in proposed if proposal.edit.article == article]
            try:
                fixed, wrote = _save(desk, context, article, mine)
            except NewsletterError as error:
                if done:
                    error.what += f" (fixed before that: {', '.join(dict.fromkeys(fix.file for fix in done))})"
                raise
            done += fixed
            if written is not None:
                written.append(wrote)
        context = look()
    order = {None: -1} | {a.slug: n for n, a in reversed(list(enumerate(context.issue.articles())))}
    return sorted(done, key=lambda fix: (order.get(fix.article, -1), fix.line or 0)), context


def _save(
    desk: Desk, context: CheckContext, article: str | None, proposed: Sequence[Proposal]
) -> tuple[list[Fixed], Wrote]:
    ws, slug = desk.workspace, context.issue.slug
    path: Path = ws.issue_dir(slug) / (f"{article}.md" if article else ISSUE_FILE)
    data = read_bytes(path)
    document = Document.decode(data, name_of(ws, path))
    checks = {proposal.edit: proposal.check for proposal in reversed(proposed)}
    changed, made = amended(document, [proposal.edit for proposal in proposed])
    was = sha256_hex(data)
    wrote = Wrote(article, data, was, editing.save(ws, slug, changed, expected=was, article=article))
    return [
        Fixed(checks[edit], changed.file, _line(document, changed, edit), article, edit.field, edit.before, edit.after)
        for edit in made
    ], wrote


def amended(document: Document, edits: Sequence[Edit]) -> tuple[Document, list[Edit]]:
    """The document with the edits made, and which of them were; of two that overlap the first is made.

    Every byte outside what they name stays. Raises Conflict when something else stands there than they say.
    """
    made: list[Edit] = []
    end = 0
    body: list[str] = []
    for edit in sorted((e for e in edits if e.field == BODY), key=lambda e: (e.at, -len(e.before or ""))):
        before = edit.before or ""
        if edit.at < end:
            continue
        if not document.body.startswith(before, edit.at):
            raise _changed(document.file)
        body += [document.body[end : edit.at], edit.after]
        end = edit.at + len(before)
        made.append(edit)
    if made:
        document = document.with_body("".join([*body, document.body[end:]]))
    for edit in {e.field: e for e in reversed(edits) if e.field != BODY}.values():
        path = edit.field.split(".")
        present = document.get(*path)
        if (" ".join(present.split()) or None if isinstance(present, str) else present) != edit.before:
            raise _changed(document.file)
        document = document.set(path, edit.after)
        made.append(edit)
    return document, made


def _changed(file: str) -> Conflict:
    return Conflict("the file changed while it was checked; nothing was written", where=file, fix="check it again")


def _line(before: Document, after: Document, edit: Edit) -> int | None:
    """Where the change stands now. No edit adds or takes a line of a body, but a new key moves it down."""
    if edit.field == BODY:
        return after.body_line + before.body.count("\n", 0, edit.at)
    return after.line_of(*edit.field.split("."))
