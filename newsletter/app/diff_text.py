"""What changed, for the terminal."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Iterator

from newsletter.app.diff import IssueDiff
from newsletter.app.diff_page import in_words
from newsletter.message.difference import LinkChange, PartChange
from newsletter.message.paragraphs import Passage
from newsletter.message.segments import split_words
from newsletter.message.words import Run

_AROUND = 8
"""Words that are shown before and after a change."""

# The first strong isolate and its end: what stands between them does not turn what stands around them.
_ISOLATE, _END = "\u2068", "\u2069"
_CONTROLS = dict.fromkeys([*range(0x20), *range(0x7F, 0xA0)], "\ufffd")


def as_text(found: IssueDiff, *, colour: bool) -> Iterator[str]:
    """The difference line by line: with ANSI colours, or with the marks ``[-old-]`` and ``{+new+}``."""
    pen = Pen(colour)
    if not found.different:
        yield f"No difference: {found.issue} is as in {found.then.words} {found.then.when}."
    else:
        yield f"{found.issue} since {found.then.words} {found.then.when}:"
        yield f"  {found.summary}"
        for header in found.difference.headers:
            yield ""
            yield pen.strong(header.name)
            yield f"  {pen.runs(header.runs, whole=True)}"
        for part in found.difference.parts:
            yield ""
            yield from _part(part, pen)
        if found.difference.text_part:
            yield ""
            yield pen.strong("The text part")
            yield from (_passage(passage, pen) for passage in found.difference.text_part)
        yield ""
        yield f"Size: {found.size}"
    for name, findings in (("New", found.difference.appeared), ("Gone", found.difference.gone)):
        for finding in findings or ():
            where = f" ({finding.article})" if finding.article else ""
            yield f"{name} finding: {finding.id}{where}: {safe(finding.message)}"


class Pen:
    """Sets old and new words apart: struck and underlined in colour, or in brackets."""

    def __init__(self, colour: bool) -> None:
        self._colour = colour

    def strong(self, text: str) -> str:
        """A heading."""
        return self._styled(safe(text), "1") if self._colour else safe(text)

    def old(self, text: str) -> str:
        """What is gone."""
        text = _isolated(safe(text))
        return self._styled(text, "31;9") if self._colour else f"[-{text}-]"

    def new(self, text: str) -> str:
        """What is new."""
        text = _isolated(safe(text))
        return self._styled(text, "32;4") if self._colour else f"{{+{text}+}}"

    @staticmethod
    def _styled(text: str, codes: str) -> str:
        return f"\x1b[{codes}m{text}\x1b[0m"

    def runs(self, runs: Iterable[Run], *, whole: bool = False) -> str:
        """A passage; long stretches without a change are cut unless it is shown ``whole``."""
        runs = list(runs)
        said = []
        for place, run in enumerate(runs):
            if run.op != "same":
                before, words, after = run.edges()
                said += [before, (self.old if run.op == "old" else self.new)(words), after]
            else:
                said.append(safe(run.text if whole else _cut(run.text, first=not place, last=place == len(runs) - 1)))
        return "".join(said)


def _part(part: PartChange, pen: Pen) -> Iterator[str]:
    title = part.title
    if part.change == "added":
        yield f"{pen.new(title)}  added in place {part.place}" if part.article else pen.strong(title)
    elif part.change == "dropped":
        yield f"{pen.old(title)}  dropped from place {part.old_place}"
    else:
        yield pen.strong(title)
    if part.moved:
        yield f"  moved from place {part.old_place} to {part.place}"
    if part.change == "dropped":
        return
    for passage in part.passages:
        if part.change == "changed" or not (passage.heading and passage.runs[0].text == title):
            yield _passage(passage, pen)
    yield from (f"  {line}" for link in part.links for line in _link(link, pen))
    if part.pictures:
        for picture in part.pictures:
            yield f"  {in_words(picture)}"
            if picture.alt:
                yield f"    {pen.runs(picture.alt, whole=True)}"


def _passage(passage: Passage, pen: Pen) -> str:
    return f"  {pen.runs(passage.runs, whole=passage.heading)}"


def _link(link: LinkChange, pen: Pen) -> Iterator[str]:
    texts = safe(", ".join(link.new_texts or link.old_texts))
    yield f"Link {link.change}: {texts}"
    if link.old == link.new:
        yield f"  {safe(link.new or '')} was on {pen.old(', '.join(link.old_texts))}"
        return
    yield from (f"  {pen.old(address)}" for address in (link.old,) if address is not None)
    yield from (f"  {pen.new(address)}" for address in (link.new,) if address is not None)


def _cut(text: str, *, first: bool, last: bool) -> str:
    """A stretch between changes without its middle; at the ends of a passage only what is next to the change stays."""
    words = split_words(text)
    most = _AROUND * 2  # a word and its blank
    head, tail = words[:most], words[-most:]
    if (first and last) or len(words) <= (most if first or last else 2 * most):
        return text
    if first:
        return "… " + "".join(tail).lstrip()
    if last:
        return "".join(head).rstrip() + " …"
    return f"{''.join(head).rstrip()} … {''.join(tail).lstrip()}"


def safe(text: str) -> str:
    """Without characters that would steer the terminal."""
    return text.translate(_CONTROLS)


def _isolated(text: str) -> str:
    """Words of a right-to-left script between isolates, so that the marks around them stay where they are."""
    if any(unicodedata.bidirectional(character) in ("R", "AL") for character in text):
        return f"{_ISOLATE}{text}{_END}"
    return text
