"""OPML: the list of feeds that every feed reader exports."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from newsletter.articles.sources import fields
from newsletter.articles.sources.markup import Element, parse, to_text
from newsletter.errors import BadData

MOST = 5_000
_DEEPEST = 50


@dataclass(frozen=True, slots=True)
class Listed:
    """A feed of an OPML file. ``folders`` are those it lies in, the outermost first."""

    url: str
    title: str
    folders: tuple[str, ...]


def read_opml(data: bytes, where: str) -> tuple[list[Listed], list[str]]:
    """The feeds of an OPML file, each address once, and notes. Raises BadData when it is none, or lists no feed."""
    text, note = to_text(data, None, where)
    root, notes = parse(text, None, where)
    if str(root.tag).lower() != "opml":
        raise BadData("this is no OPML file", where=where, fix="export the list of feeds from the feed reader again")
    found: dict[str, Listed] = {}
    left_out = 0
    for listed in _outlines(root, (), 0):
        address = fields.absolute(listed.url.replace("feed://", "http://", 1), None)
        if address is None:
            left_out += 1
        elif address not in found and len(found) < MOST:
            found[address] = Listed(address, listed.title, listed.folders)
    if not found:
        raise BadData("no feed is listed in it", where=where, fix="export the list of feeds from the feed reader again")
    if left_out:
        notes.append(f"{left_out} of its addresses lead nowhere and were left out")
    return list(found.values()), [*notes, *([note] if note else [])]


def _outlines(parent: Element, folders: tuple[str, ...], depth: int) -> Iterator[Listed]:
    if depth > _DEEPEST:
        return
    for element in parent:
        if not isinstance(element.tag, str):
            continue
        if element.tag.lower() != "outline":
            yield from _outlines(element, folders, depth + 1)
            continue
        # Names of attributes differ in case from program to program.
        said = {str(name).lower(): str(value) for name, value in element.attrib.items()}
        title = fields.title_of(said.get("title") or said.get("text") or "")
        if said.get("xmlurl"):
            yield Listed(said["xmlurl"], title, folders)
        yield from _outlines(element, (*folders, title) if title and not said.get("xmlurl") else folders, depth + 1)
