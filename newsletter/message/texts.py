"""What changed in the generated text since an editor's own text was right for it, story by story."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from newsletter.message.paragraphs import Passage, diff_paragraphs
from newsletter.message.reading import Block
from newsletter.message.words import Run, longest_rising
from newsletter.models import Email, Issue, TextPiece

_BREAK = re.compile(r"\n[ \t]*\n")
_AROUND = 60
"""Characters that are left of a long unchanged stretch on each side of a change."""


@dataclass(frozen=True, slots=True)
class TextChange:
    """A story of which the generated text says something else than it did, or (``article`` is None) what stands around
    the stories. ``moved`` is a story that only stands in another place.
    """

    article: str | None
    title: str
    change: Literal["changed", "added", "dropped", "moved"]
    passages: tuple[Passage, ...] = ()

    @property
    def runs(self) -> tuple[Run, ...]:
        """Its changed words with a few around them, a line for each paragraph."""
        found: list[Run] = []
        for passage in self.passages:
            if found:
                found.append(Run("same", "\n"))
            last = len(passage.runs) - 1
            found += [
                _shortened(run, head=n > 0, tail=n < last) if run.op == "same" else run
                for n, run in enumerate(passage.runs)
            ]
        return tuple(found)


def stale_of(issue: Issue, email: Email) -> tuple[TextChange, ...] | None:
    """What changed since the own text of an issue was confirmed; None where there is one that nobody confirmed."""
    if issue.own_text is None:
        return ()
    if issue.text_of is None:
        return None
    return text_changes(issue.text_of, email.pieces, {a.slug: a.headline for a in issue.articles()})


def text_changes(
    of: Sequence[TextPiece], now: Sequence[TextPiece], headlines: Mapping[str, str]
) -> tuple[TextChange, ...]:
    """What differs between two generated texts: around the stories, in them in their order now, then dropped ones.

    ``headlines`` are of the stories there are; a dropped one is called by its first line. Where lines break is no
    difference.
    """
    was = {piece.article: piece.text for piece in of}
    there = {piece.article: piece.text for piece in now}
    stayed = [article for article in there if article is not None and article in was]
    order = [article for article in was if article in stayed]
    places = [order.index(article) for article in stayed]
    moved = set(stayed) - {stayed[n] for n in longest_rising(places)}
    changes = []
    for article, text in there.items():
        title = headlines.get(article or "") or _first_line(text)
        passages = diff_paragraphs(_blocks(was.get(article, "")), _blocks(text))
        if article not in was and article is not None:
            changes.append(TextChange(article, title, "added", passages))
        elif passages:
            changes.append(TextChange(article, title if article else "Around the stories", "changed", passages))
        elif article in moved:
            changes.append(TextChange(article, title, "moved"))
    changes += [
        TextChange(article, _first_line(text), "dropped", diff_paragraphs(_blocks(text), []))
        for article, text in was.items()
        if article not in there and article is not None
    ]
    return tuple(changes)


def _blocks(text: str) -> list[Block]:
    found = (" ".join(part.split()) for part in _BREAK.split(text))
    return [Block(part) for part in found if any(map(str.isalnum, part))]


def _first_line(text: str) -> str:
    return next((line.strip() for line in text.split("\n") if line.strip()), "")


def _shortened(run: Run, *, head: bool, tail: bool) -> Run:
    """An unchanged stretch without what lies far from the change before it (``head``) and behind it (``tail``)."""
    first = textwrap.shorten(run.text, _AROUND, placeholder="") if head else ""
    last = textwrap.shorten(run.text[::-1], _AROUND, placeholder="")[::-1] if tail else ""
    if len(first) + len(last) + 3 >= len(run.text):
        return run
    before, after = run.text[: len(run.text) - len(run.text.lstrip())], run.text[len(run.text.rstrip()) :]
    return Run("same", f"{before if head else ''}{first} … {last}{after if tail else ''}")
