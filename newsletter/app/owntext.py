"""``issue text``: the text part of an issue, generated or an editor's own, and whether the own one is still right."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from newsletter.app.desk import Desk
from newsletter.app.outgoing import reader_values
from newsletter.app.render import render, render_loaded
from newsletter.delivery.approval import load_approval
from newsletter.errors import Conflict, IllegalState
from newsletter.issues import owntext
from newsletter.issues.folder import is_approved, issue_exists, load_issue, read_issue_file
from newsletter.issues.textfile import bytes_of, memory_of
from newsletter.message.merge import fill
from newsletter.message.texts import TextChange, stale_of
from newsletter.models import TEXT_FILE, Email, TextPiece
from newsletter.workspace.files import sha256_hex


@dataclass(frozen=True, slots=True)
class ShownText:
    """The text part that would be sent, as a reader without attributes gets it.

    ``own``: an editor wrote it. ``stale`` is what the generated text says otherwise since somebody confirmed the own
    one; None where nobody has.
    """

    issue: str
    text: str
    own: bool
    stale: Sequence[TextChange] | None = ()

    @property
    def notes(self) -> list[str]:
        """What to know about an own text that may not be right any more, a line each."""
        if not self.own:
            return []
        if self.stale is None:
            return [
                f"Nobody has said that {TEXT_FILE} fits these stories: newsletter issue text {self.issue} --confirm"
            ]
        said = [("new" if change.change == "added" else change.change, change.title) for change in self.stale]
        return [f"{what} since {TEXT_FILE} was written: {title}" for what, title in said]

    def as_row(self) -> dict[str, Any]:
        """For ``--json``."""
        stale = None if self.stale is None else change_rows(self.stale)
        return {"issue": self.issue, "text": self.text, "own": self.own, "stale": stale}


def change_rows(changes: Sequence[TextChange]) -> list[dict[str, Any]]:
    """Changes for JSON; runs are [op, text], as ``diff`` has them."""
    return [
        {"article": c.article, "title": c.title, "change": c.change, "runs": [[r.op, r.text] for r in c.runs]}
        for c in changes
    ]


def mark_of(pieces: Sequence[TextPiece]) -> str:
    """A short name for a generated text, by which somebody says which one they have seen."""
    return sha256_hex(memory_of(pieces))[:16]


def show_text(desk: Desk, slug: str) -> ShownText:
    """The text part of an issue: the frozen one where it is approved; raises what rendering it raises."""
    values = reader_values(desk, slug, None)
    if is_approved(desk.workspace, slug):
        approval = load_approval(desk.workspace, slug)
        frozen = (approval.folder / TEXT_FILE).read_bytes().decode("utf-8", errors="replace")
        return ShownText(slug, fill(frozen, approval.fields, values), TEXT_FILE in approval.sources)
    rendered = render(desk, slug)
    text = fill(rendered.email.text, rendered.email.fields, values)
    return ShownText(slug, text, rendered.issue.own_text is not None, stale_of(rendered.issue, rendered.email))


def generated(desk: Desk, slug: str) -> Email:
    """The email of an issue as it would be without an own text, which may be the very thing that is broken."""
    return render_loaded(desk, replace(load_issue(desk.workspace, slug), own_text=None))


def write_text(desk: Desk, slug: str, *, expected: str | None = None, overwrite: bool = False) -> str:
    """Make ``email.txt`` from the generated text, with merge fields to be edited; returns its SHA-256.

    ``overwrite`` takes the place of one that is there, if it is the ``expected`` one. Raises IllegalState when there is
    one otherwise, and for an approved issue; Conflict.
    """
    if not overwrite and bytes_of(desk.workspace.issue_dir(slug)) is not None:
        raise IllegalState(
            f"{slug} has a text part of its own already",
            where=f"issues/{slug}/{TEXT_FILE}",
            fix=f"edit it, or make it anew: newsletter issue text {slug} --write --overwrite",
        )
    email = generated(desk, slug)
    memory = memory_of(email.pieces)
    expected = expected if overwrite else ""
    return owntext.save_text(desk.workspace, slug, email.generated, expected=expected, memory=memory)


def confirm_text(desk: Desk, slug: str, *, expected: str | None = None, seen: str | None = None) -> None:
    """Say that the own text is right for the stories as they are now.

    ``seen`` is the mark of the generated text that whoever says so has seen. Raises NotFound where the text part is
    generated, Conflict when a story changed meanwhile, IllegalState for an approved issue.
    """
    pieces = generated(desk, slug).pieces
    if seen is not None and seen != mark_of(pieces):
        raise Conflict(
            "a story was changed meanwhile", where=f"issues/{slug}", fix="look at what changed, then say so again"
        )
    owntext.confirm_text(desk.workspace, slug, memory_of(pieces), expected=expected)


def droppable_text(desk: Desk, slug: str) -> str:
    """The SHA-256 (hex) of the own text, for whoever asks before it is dropped; raises NotFound, IllegalState."""
    if not issue_exists(desk.workspace, slug):
        read_issue_file(desk.workspace, slug)  # says what is missing
    return owntext.droppable_text(desk.workspace, slug)


def drop_text(desk: Desk, slug: str, *, expected: str) -> None:
    """Go back to the generated text. Raises NotFound where it is generated already, Conflict, IllegalState."""
    owntext.drop_text(desk.workspace, slug, expected=expected)
