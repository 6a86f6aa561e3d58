"""What changed between two versions of an email: words, links, pictures and size, story by story.

Nothing is looked up here, and the same two versions always give the same difference. Whatever differs in the bytes
shows up: what is no change of words, links or pictures is said to be a change of the look, or of the text part.
"""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass
from typing import TypeVar

from newsletter.message.paragraphs import Change, Passage, diff_paragraphs
from newsletter.message.reading import Block, Link, Part, Shown, as_written, read_parts
from newsletter.message.version import Known, PictureFile, Version
from newsletter.message.words import Run, diff_words, longest_rising

T = TypeVar("T", bound=Hashable)


@dataclass(frozen=True, slots=True)
class HeaderChange:
    """A line of the inbox that reads differently; None is a line that is not there."""

    name: str
    old: str | None
    new: str | None
    runs: tuple[Run, ...]


@dataclass(frozen=True, slots=True)
class LinkChange:
    """A link that came, went, leads elsewhere (``old`` and ``new`` are addresses) or was put on other words.

    ``old_texts`` and ``new_texts`` are its words wherever it stands.
    """

    change: Change
    old: str | None
    new: str | None
    old_texts: tuple[str, ...]
    new_texts: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class PictureChange:
    """A picture that came, went or changed.

    ``what`` says in which way: another ``picture``, another ``crop`` of the same one, ``picture or crop`` where the
    originals are not known, the ``alt`` text, the ``size`` on the page. ``alt`` are the runs of a changed alt text.
    """

    change: Change
    old: Shown | None
    new: Shown | None
    what: tuple[str, ...] = ()
    old_file: PictureFile | None = None
    new_file: PictureFile | None = None
    alt: tuple[Run, ...] = ()


@dataclass(frozen=True, slots=True)
class PartChange:
    """What changed in one story, or (``article`` is None) around the stories. Places count stories from 1."""

    article: str | None
    title: str
    change: Change
    place: int | None = None
    old_place: int | None = None
    moved: bool = False
    passages: tuple[Passage, ...] = ()
    links: tuple[LinkChange, ...] = ()
    pictures: tuple[PictureChange, ...] = ()


@dataclass(frozen=True, slots=True)
class Difference:
    """All that changed. ``look``: the HTML changed and none of its words, links and pictures did.

    ``text_only``: the text part changed and the stories' words in the HTML did not, or it is not made from them because
    an editor wrote it; ``text_part`` are its changed lines then.
    ``appeared`` and ``gone`` are None when the findings of one version are not known.
    """

    headers: tuple[HeaderChange, ...]
    parts: tuple[PartChange, ...]
    text_only: bool
    text_part: tuple[Passage, ...]
    look: bool
    old_size: int
    new_size: int
    appeared: tuple[Known, ...] | None
    gone: tuple[Known, ...] | None

    @property
    def different(self) -> bool:
        """Whether a reader would get another mail. Findings are about the mail, not in it."""
        return bool(self.headers or self.parts or self.text_only or self.look)


def compare(old: Version, new: Version) -> Difference:
    """What changed from one version to the other."""
    headers = tuple(_headers(old, new))
    # A version that does not know where its stories are is compared as a whole.
    known = bool(old.spans) == bool(new.spans)
    before = read_parts(old.html, old.spans if known else (), old.fields)
    after = read_parts(new.html, new.spans if known else (), new.fields)
    parts = tuple(_parts(before, after, old, new))
    was, now = as_written(old.text, old.fields), as_written(new.text, new.fields)
    text_only = was != now and (not parts or old.own_text or new.own_text)
    lines = [[Block(line) for line in text.splitlines() if line] for text in (was, now)] if text_only else [[], []]
    look = not (parts or headers) and as_written(old.html, old.fields) != as_written(new.html, new.fields)
    appeared = gone = None
    if old.findings is not None and new.findings is not None:
        appeared, gone = _missing(new.findings, old.findings), _missing(old.findings, new.findings)
    return Difference(
        headers=headers,
        parts=parts,
        text_only=text_only,
        text_part=diff_paragraphs(*lines),
        look=look,
        old_size=old.size,
        new_size=new.size,
        appeared=appeared,
        gone=gone,
    )


def _headers(old: Version, new: Version) -> list[HeaderChange]:
    changes = []
    for name in dict.fromkeys([*new.headers, *old.headers]):
        was, now = (
            as_written(value, version.fields) if (value := version.headers.get(name)) else None
            for version in (old, new)
        )
        if was != now:
            changes.append(HeaderChange(name, was, now, diff_words(was or "", now or "")))
    return changes


def _missing(findings: Sequence[Known], there: Sequence[Known]) -> tuple[Known, ...]:
    """The findings that are not among the others; a message that only counts differently is the same finding."""
    keys = {(f.id, f.article, f.field) for f in there}
    return tuple(f for f in findings if (f.id, f.article, f.field) not in keys)


def _parts(before: Sequence[Part], after: Sequence[Part], old: Version, new: Version) -> list[PartChange]:
    """What stands around the stories first, then the stories in their new order, then those that were dropped."""
    was, now = _stories(before), _stories(after)
    stayed = [article for article in now if article in was]
    places = [list(was).index(article) for article in stayed]
    moved = set(stayed) - {stayed[n] for n in longest_rising(places)}
    empty = Part(None, (), (), ())
    changes = [_part(before[0], after[0], old, new, change="changed", moved=False)]
    for article, (place, part) in now.items():
        old_place, there = was.get(article, (None, empty))
        change: Change = "changed" if old_place else "added"
        changes.append(
            _part(there, part, old, new, change=change, moved=article in moved, place=place, old_place=old_place)
        )
    for article, (old_place, part) in was.items():
        if article not in now:
            changes.append(_part(part, empty, old, new, change="dropped", moved=False, old_place=old_place))
    return [c for c in changes if c.change != "changed" or c.moved or c.passages or c.links or c.pictures]


def _stories(parts: Sequence[Part]) -> dict[str, tuple[int, Part]]:
    stories = [part for part in parts if part.article is not None]
    return {part.article or "": (place, part) for place, part in enumerate(stories, 1)}


def _part(
    was: Part,
    now: Part,
    old: Version,
    new: Version,
    *,
    change: Change,
    moved: bool,
    place: int | None = None,
    old_place: int | None = None,
) -> PartChange:
    shown = now if change != "dropped" else was
    return PartChange(
        article=shown.article,
        title=shown.title if shown.article is not None else "Around the stories",
        change=change,
        place=place,
        old_place=old_place,
        moved=moved,
        passages=diff_paragraphs(was.blocks, now.blocks),
        links=tuple(_links(was, now)),
        pictures=tuple(_pictures(was, now, old, new)),
    )


def _links(was: Part, now: Part) -> list[LinkChange]:
    """Links by where they lead from and to: a story's picture, headline and button are one link that stands thrice."""
    gone, come = _unequal(was.links, now.links)
    found: dict[tuple[str | None, str | None], list[tuple[Link | None, Link | None]]] = {}

    def note(old: Link | None, new: Link | None) -> None:
        found.setdefault((old.href if old else None, new.href if new else None), []).append((old, new))

    for old, new in _pairs(gone, come, lambda link: link.href):
        # Other words under the same link are in the passages already, unless the link was moved to other words.
        if old.text != new.text and old.text in now.text and new.text in was.text:
            note(old, new)
    for old, new in _pairs(gone, come, lambda link: link.text or link.picture is not None):
        note(old, new)
    # A headline that was edited and leads elsewhere is explained by the button beside it.
    moves = {href: pair for pair in reversed(found) if pair[0] != pair[1] for href in pair}
    for old, new in _pairs(gone, come, lambda link: moves.get(link.href, link)):
        note(old, new)
    for old in gone:
        note(old, None)
    for new in come:
        note(None, new)
    return [
        LinkChange(
            "added" if old is None else "dropped" if new is None else "changed",
            old,
            new,
            tuple(dict.fromkeys(_name(a) for a, _ in pairs if a)),
            tuple(dict.fromkeys(_name(b) for _, b in pairs if b)),
        )
        for (old, new), pairs in found.items()
    ]


def _name(link: Link) -> str:
    return link.text or "the picture"


def _unequal(old: Sequence[T], new: Sequence[T]) -> tuple[list[T], list[T]]:
    """What only one side has, each as often as it has it more."""
    more, less = Counter(old) - Counter(new), Counter(new) - Counter(old)
    return [*more.elements()], [*less.elements()]


def _pairs(old: list[T], new: list[T], key: Callable[[T], Hashable]) -> list[tuple[T, T]]:
    """Take the pairs with equal keys out of both lists, in order."""
    waiting: dict[Hashable, deque[int]] = {}
    for place, item in enumerate(new):
        waiting.setdefault(key(item), deque()).append(place)
    pairs: list[tuple[T, T]] = []
    alone: list[T] = []
    taken: set[int] = set()
    for item in old:
        if queue := waiting.get(key(item)):
            taken.add(queue[0])
            pairs.append((item, new[queue.popleft()]))
        else:
            alone.append(item)
    old[:] = alone
    new[:] = [item for place, item in enumerate(new) if place not in taken]
    return pairs


@dataclass(frozen=True, slots=True)
class _Seen:
    """A picture on the page with its file. Its identity is its bytes, or its address where it is somebody else's."""

    shown: Shown
    file: PictureFile | None

    @property
    def identity(self) -> str:
        return self.file.sha256 if self.file else self.shown.src

    @property
    def looks(self) -> tuple[str, str, str, str]:
        """What a reader sees of it, however it travels."""
        return self.identity, self.shown.alt, self.shown.width, self.shown.height


def _pictures(was: Part, now: Part, old: Version, new: Version) -> list[PictureChange]:
    before = {seen.looks: seen for shown in was.pictures for seen in [_Seen(shown, old.pictures.get(shown.src))]}
    after = {seen.looks: seen for shown in now.pictures for seen in [_Seen(shown, new.pictures.get(shown.src))]}
    gone, come = _unequal(list(before), list(after))
    pairs = [*_pairs(gone, come, lambda looks: looks[0]), *_pairs(gone, come, lambda _: None)]
    originals = old.originals.get(was.article or ""), new.originals.get(now.article or "")
    changes = [_picture(before[a], after[b], originals) for a, b in pairs]
    changes += [PictureChange("dropped", before[a].shown, None, old_file=before[a].file) for a in gone]
    return changes + [PictureChange("added", None, after[b].shown, new_file=after[b].file) for b in come]


def _picture(before: _Seen, after: _Seen, originals: tuple[str | None, str | None]) -> PictureChange:
    old, new = before.shown, after.shown
    what = []
    if before.identity != after.identity:
        same = None if None in originals else originals[0] == originals[1]
        what.append({True: "crop", False: "picture", None: "picture or crop"}[same])
    if old.alt != new.alt:
        what.append("alt")
    if (old.width, old.height) != (new.width, new.height):
        what.append("size")
    alt = diff_words(old.alt, new.alt) if old.alt != new.alt else ()
    return PictureChange("changed", old, new, tuple(what), before.file, after.file, alt)
