"""What changed between two runs of paragraphs: which came, which went, and the words of those that stayed.

Whole paragraphs are matched first, so a long story costs no more than its changed paragraphs. Between two that match,
old and new ones are paired by the words they share; a paragraph that shares little is dropped, and another is added.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

from newsletter.message.reading import Block
from newsletter.message.segments import split_words
from newsletter.message.words import Run, diff_words, matches

Change = Literal["added", "dropped", "changed"]

ALIKE = 0.4
"""The share of common words from which on two paragraphs are one that was edited."""

_SHORT = 6
"""Words: a line as short as this that stands alone between its neighbours was edited, whatever it says now."""
_CHUNK = 16
"""At most so many paragraphs on a side are tried against each other."""


@dataclass(frozen=True, slots=True)
class Passage:
    """A paragraph that changed; ``runs`` give its old and its new text."""

    change: Change
    runs: tuple[Run, ...]
    heading: bool = False


def diff_paragraphs(old: Sequence[Block], new: Sequence[Block]) -> tuple[Passage, ...]:
    """The paragraphs that changed, in reading order; none when all read the same."""
    passages: list[Passage] = []
    i = j = 0
    same = matches([block.text for block in old], [block.text for block in new])
    for i2, j2, size in [*same, (len(old), len(new), 0)]:
        passages += _between(old[i:i2], new[j:j2])
        i, j = i2 + size, j2 + size
    return tuple(passages)


def _between(old: Sequence[Block], new: Sequence[Block]) -> Iterator[Passage]:
    """A stretch in which nothing matches as a whole. A long one is cut into pieces that are compared in order."""
    pieces = max(1, -(-max(len(old), len(new)) // _CHUNK))
    for n in range(pieces):
        was = old[n * len(old) // pieces : (n + 1) * len(old) // pieces]
        now = new[n * len(new) // pieces : (n + 1) * len(new) // pieces]
        for before, after in _paired(was, now):
            yield _passage(before, after)


def _passage(before: Block | None, after: Block | None) -> Passage:
    if before is None and after is not None:
        return Passage("added", (Run("new", after.text),), after.heading)
    assert before is not None
    if after is None:
        return Passage("dropped", (Run("old", before.text),), before.heading)
    return Passage("changed", diff_words(before.text, after.text), after.heading)


def _paired(old: Sequence[Block], new: Sequence[Block]) -> list[tuple[Block | None, Block | None]]:
    """The pairing in order that shares the most words; what shares too little stands alone."""
    alike = [[_alike(a, b) for b in _words(new)] for a in _words(old)]
    if len(old) == len(new) == 1 and all(len(split_words(block.text)) <= 2 * _SHORT for block in (*old, *new)):
        return [(old[0], new[0])]
    best = [[0.0] * (len(new) + 1) for _ in range(len(old) + 1)]
    for i in range(len(old) - 1, -1, -1):
        for j in range(len(new) - 1, -1, -1):
            pair = best[i + 1][j + 1] + alike[i][j] if alike[i][j] >= ALIKE else 0.0
            best[i][j] = max(pair, best[i + 1][j], best[i][j + 1])
    pairs: list[tuple[Block | None, Block | None]] = []
    i = j = 0
    while i < len(old) and j < len(new):
        if alike[i][j] >= ALIKE and best[i][j] == best[i + 1][j + 1] + alike[i][j]:
            pairs.append((old[i], new[j]))
            i, j = i + 1, j + 1
        elif best[i][j] == best[i + 1][j]:
            pairs.append((old[i], None))
            i += 1
        else:
            pairs.append((None, new[j]))
            j += 1
    return [*pairs, *((block, None) for block in old[i:]), *((None, block) for block in new[j:])]


def _words(blocks: Sequence[Block]) -> list[Counter[str]]:
    return [
        Counter(word.casefold() for word in split_words(block.text) if not word.isspace()) or Counter([block.text])
        for block in blocks
    ]


def _alike(old: Counter[str], new: Counter[str]) -> float:
    """The share of the words of both that both have."""
    return 2 * (old & new).total() / (old.total() + new.total())
