"""The text part in two ways: as the theme generates it, and as an editor wrote it into ``email.txt``.

An editor's own text is sent line for line as it stands: its merge fields become tokens, and nothing else of it is
looked into. What the theme generates is made all the same, by story: from it the checks know when an own text has
grown stale.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from newsletter.message.merge import as_authored
from newsletter.models import Issue, MergeField, TextPiece
from newsletter.rendering.authored import Authored
from newsletter.rendering.guard import BRACE
from newsletter.rendering.plaintext import tidy
from newsletter.rendering.shown import CLOSES, OPENS

_MARKS = re.compile(f"([{OPENS}{CLOSES}])")


def own_text(issue: Issue, authored: Authored) -> str | None:
    """The text part that an editor wrote, with tokens; None where it is generated, blank where the file is.

    Raises MergeFieldError naming the file and the line in it.
    """
    if issue.own_text is None:
        return None
    return authored.lines(issue.own_text, issue.text_file).strip("\n") + "\n"


def without_marks(written: str) -> str:
    """What a text template wrote, without the marks of its stories."""
    return _MARKS.sub("", written)


def pieces_of(written: str, slugs: Sequence[str], fields: Sequence[MergeField]) -> tuple[TextPiece, ...]:
    """What a text template wrote, by story in its order; what stands around the stories is the first piece.

    ``slugs`` are the stories in the order of their marks. A story that is set twice is one piece.
    """
    texts: dict[str | None, list[str]] = {None: []}
    story: str | None = None
    waiting = list(slugs)
    for part in _MARKS.split(written):
        if part == OPENS:
            story = waiting.pop(0)
        elif part == CLOSES:
            story = None
        else:
            texts.setdefault(story, []).append(part)
    return tuple(TextPiece(slug, authored_text("".join(parts), fields)) for slug, parts in texts.items())


def authored_text(written: str, fields: Sequence[MergeField]) -> str:
    """A text as an author would have to write it, wrapped as the mail has it."""
    return as_authored(tidy(written).replace(BRACE, "{"), fields)
