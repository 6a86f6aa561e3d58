"""What changed between two texts, word by word, in any script and in bounded time.

``matches`` is a patience diff: what occurs once in both texts anchors them, and only the short stretches between
anchors are compared cell by cell. A general-purpose diff takes minutes for a long story full of "the".
"""

from __future__ import annotations

import bisect
from collections import Counter
from collections.abc import Hashable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Literal

from newsletter.message.segments import split_words

Op = Literal["same", "old", "new"]
_SIDES: tuple[Op, Op] = ("old", "new")

MOST_CELLS = 40_000
"""Stretches of at most so many cells (200 by 200 words) are compared exactly; longer ones need an anchor."""


@dataclass(frozen=True, slots=True)
class Run:
    """A stretch of text that is in both versions, in the ``old`` one only, or in the ``new`` one only."""

    op: Op
    text: str

    def edges(self) -> tuple[str, str, str]:
        """The blanks before, the words and the blanks behind: whoever marks the words leaves the blanks unmarked."""
        words = self.text.strip()
        if not words:
            return "", self.text, ""
        at = self.text.index(words)
        return self.text[:at], words, self.text[at + len(words) :]


def diff_words(old: str, new: str) -> tuple[Run, ...]:
    """The runs from one text to another: without the new runs they are ``old``, without the old ones ``new``."""
    if old == new:
        return (Run("same", old),) if old else ()
    # A blank belongs to the word before it: otherwise the commonest "word" of all would hold strangers together.
    was, now = _with_blanks(f"{old} "), _with_blanks(f"{new} ")
    runs: list[Run] = []
    i = j = 0
    for i2, j2, size in [*matches(was, now), (len(was), len(now), 0)]:
        runs += _replaced("".join(was[i:i2]), "".join(now[j:j2]))
        runs.append(Run("same", "".join(was[i2 : i2 + size])))
        i, j = i2 + size, j2 + size
    # The blank that made the last word like any other goes again.
    for side in _SIDES:
        runs = _without_last(runs, side)
    return tuple(_readable(runs))


def matches(old: Sequence[Hashable], new: Sequence[Hashable]) -> list[tuple[int, int, int]]:
    """(place in old, place in new, how many) of what both have in common, in order, none empty. Deterministic.

    The time grows with the length of the sequences, whatever is in them: what is long and has nothing that occurs
    once in both is taken as replaced altogether.
    """
    found: list[tuple[int, int, int]] = []
    waiting = [(0, len(old), 0, len(new))]
    while waiting:
        i, i2, j, j2 = waiting.pop()
        while i < i2 and j < j2 and old[i] == new[j]:
            found.append((i, j, 1))
            i, j = i + 1, j + 1
        while i < i2 and j < j2 and old[i2 - 1] == new[j2 - 1]:
            i2, j2 = i2 - 1, j2 - 1
            found.append((i2, j2, 1))
        if i == i2 or j == j2:
            continue
        if (i2 - i) * (j2 - j) <= MOST_CELLS:
            found += [(i + a, j + b, 1) for a, b in _longest_common(old[i:i2], new[j:j2])]
        elif anchors := _anchors(old[i:i2], new[j:j2]):
            points = [(i, j), *((i + a, j + b) for a, b in anchors), (i2, j2)]
            waiting += [(a, a2, b, b2) for (a, b), (a2, b2) in pairwise(points)]
    return _coalesced(sorted(found))


def longest_rising(numbers: Sequence[int]) -> list[int]:
    """The places of a longest rising subsequence: what stayed where it was when a list was put in another order."""
    ends: list[int] = []
    places: list[int] = []
    before: list[int] = []
    for place, number in enumerate(numbers):
        at = bisect.bisect_left(ends, number)
        before.append(places[at - 1] if at else -1)
        ends[at : at + 1] = [number]
        places[at : at + 1] = [place]
    chain = []
    place = places[-1] if places else -1
    while place >= 0:
        chain.append(place)
        place = before[place]
    return chain[::-1]


def _coalesced(found: Sequence[tuple[int, int, int]]) -> list[tuple[int, int, int]]:
    joined: list[tuple[int, int, int]] = []
    for i, j, size in found:
        if joined and joined[-1][0] + joined[-1][2] == i and joined[-1][1] + joined[-1][2] == j:
            joined[-1] = (joined[-1][0], joined[-1][1], joined[-1][2] + size)
        else:
            joined.append((i, j, size))
    return joined


def _anchors(old: Sequence[Hashable], new: Sequence[Hashable]) -> list[tuple[int, int]]:
    """Pairs of places of what occurs exactly once in both, in the order of both."""
    was, now = Counter(old), Counter(new)
    there = {item: place for place, item in enumerate(new) if now[item] == 1}
    pairs = [(place, there[item]) for place, item in enumerate(old) if was[item] == 1 and item in there]
    return [pairs[place] for place in longest_rising([b for _, b in pairs])]


def _longest_common(old: Sequence[Hashable], new: Sequence[Hashable]) -> list[tuple[int, int]]:
    """The pairs of a longest common subsequence; the time is the product of the lengths."""
    width = len(new) + 1
    rows = [[0] * width]
    for item in reversed(old):
        below, row = rows[-1], [0] * width
        for j in range(len(new) - 1, -1, -1):
            if item == new[j]:
                row[j] = below[j + 1] + 1
            else:
                row[j] = below[j] if below[j] >= row[j + 1] else row[j + 1]
        rows.append(row)
    rows.reverse()
    pairs = []
    i = j = 0
    while i < len(old) and j < len(new):
        if old[i] == new[j]:
            pairs.append((i, j))
            i, j = i + 1, j + 1
        elif rows[i + 1][j] >= rows[i][j + 1]:
            i += 1
        else:
            j += 1
    return pairs


def _with_blanks(text: str) -> list[str]:
    """The words, each with the blank behind it."""
    found: list[str] = []
    for word in split_words(text):
        if found and word.isspace():
            found[-1] += word
        else:
            found.append(word)
    return found


def _without_last(runs: Sequence[Run], side: Op) -> list[Run]:
    """Take the last character from one side's text; where both sides share it, the other keeps it."""
    cut = list(runs)
    place = max(n for n, run in enumerate(cut) if run.op in ("same", side) and run.text)
    run = cut[place]
    cut[place] = Run(run.op, run.text[:-1])
    if run.op == "same":
        cut.insert(place + 1, Run("new" if side == "old" else "old", run.text[-1]))
    return cut


def _replaced(old: str, new: str) -> Iterator[Run]:
    """What stands for what, without the signs and blanks that both begin or end with."""
    was, now = split_words(old), split_words(new)
    ahead = 0
    while ahead < min(len(was), len(now)) and was[ahead] == now[ahead]:
        ahead += 1
    behind = 0
    while behind < min(len(was), len(now)) - ahead and was[-1 - behind] == now[-1 - behind]:
        behind += 1
    yield Run("same", "".join(was[:ahead]))
    yield Run("old", "".join(was[ahead : len(was) - behind]))
    yield Run("new", "".join(now[ahead : len(now) - behind]))
    yield Run("same", "".join(was[len(was) - behind :]))


def _readable(runs: Sequence[Run]) -> Iterator[Run]:
    """No empty runs, the old before the new, and no lonely word left standing between two long replacements."""
    steps = [("", "", "")]  # what is the same, then what was there, then what is there
    for run in runs:
        same, old, new = steps[-1]
        if run.op == "old":
            steps[-1] = (same, old + run.text, new)
        elif run.op == "new":
            steps[-1] = (same, old, new + run.text)
        elif not (old or new):
            steps[-1] = (same + run.text, "", "")
        elif run.text:
            steps.append((run.text, "", ""))
    for same, old, new in _without_islands(steps):
        if same:
            yield Run("same", same)
        if old:
            yield Run("old", old)
        if new:
            yield Run("new", new)


def _without_islands(steps: Sequence[tuple[str, str, str]]) -> list[tuple[str, str, str]]:
    kept: list[tuple[str, str, str]] = []
    for same, old, new in steps:
        if kept and (old or new):
            before, was, now = kept[-1]
            around = min(max(_count(was), _count(now)), max(_count(old), _count(new)))
            if (was or now) and 2 * _count(same) + 1 < around:
                kept[-1] = (before, was + same + old, now + same + new)
                continue
        kept.append((same, old, new))
    return kept


def _count(text: str) -> int:
    """How many words, signs and blanks not counted."""
    return sum(word[0].isalnum() for word in split_words(text))
