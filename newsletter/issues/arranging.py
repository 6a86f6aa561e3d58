"""Sections of an issue: add, set, move, take out. Each is a pure change of ``issue.md`` for ``editing.rewrite``."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from newsletter.errors import BadData
from newsletter.issues.places import find_section, place_of
from newsletter.issues.schema import issue_keys
from newsletter.models import LAYOUTS
from newsletter.workspace.frontmatter import Document


def with_section(doc: Document, index: int, *, layout: str, title: str | None = None) -> Document:
    """A new section without stories at ``index`` (from 0). Raises ``BadData`` for an unknown layout or place."""
    _known_layout(layout)
    section: dict[str, Any] = {"title": title, "layout": layout, "articles": []}
    return doc.insert(("sections",), index, {key: value for key, value in section.items() if value is not None})


def without_section(doc: Document, index: int) -> Document:
    """Without the section at ``index``; the files of its stories stay in the folder. Raises ``NotFound``."""
    find_section(doc, index)
    return doc.delete(("sections", index))


def section_set(doc: Document, index: int, values: Mapping[str, str]) -> Document:
    """Another ``title`` (an empty one: none) or ``layout`` of the section at ``index``.

    Raises ``NotFound`` for the section, ``BadData`` for an unknown layout and for a key that is neither.
    """
    find_section(doc, index)
    for key, value in values.items():
        if key not in ("title", "layout"):
            raise BadData(f"a section's {key} is not set this way", where=doc.where("sections", index))
        if key == "layout":
            _known_layout(value)
        doc = doc.set(("sections", index, key), " ".join(value.split()) or None)
    return doc


def section_moved(doc: Document, index: int, to: int) -> Document:
    """With the section at ``index`` at place ``to`` among the others (both from 0)."""
    find_section(doc, index)
    find_section(doc, to)
    sections = doc.get("sections")
    section = sections.pop(index)
    sections.insert(to, section)
    return doc if index == to else doc.set(("sections",), sections)


def with_story(doc: Document, slug: str, section: int, at: int) -> Document:
    """With a story whose file is in the folder at place ``at`` (from 0) of a section. Raises ``BadData``."""
    find_section(doc, section)
    present = place_of(doc, slug)
    if present is not None:
        raise BadData(f"{slug} is in the issue already: {present.words}", where=doc.where("sections", present.section))
    keys = issue_keys(doc).sections[section]
    if keys.sponsor is not None:
        raise BadData("the section is a sponsor's", where=doc.where("sections", section), fix="choose another section")
    path = ("sections", section, "articles")
    if isinstance(doc.get(*path), str):
        doc = doc.set(path, [doc.get(*path)])
    return doc.insert(path, min(at, len(keys.slugs)), slug)


def _known_layout(layout: str) -> None:
    if layout not in LAYOUTS:
        raise BadData(f"{layout!r} is no layout", fix=f"the layouts are {', '.join(LAYOUTS)}")
