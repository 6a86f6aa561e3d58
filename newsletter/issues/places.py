"""Where a story stands in an issue, and which section is meant."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from newsletter.errors import NotFound, did_you_mean
from newsletter.issues.schema import SectionKeys, issue_keys
from newsletter.models import LAYOUTS
from newsletter.workspace.frontmatter import Document


@dataclass(frozen=True, slots=True)
class Place:
    """Section and index count from 0; ``words`` say it to an editor, counting from 1."""

    section: int
    index: int
    words: str


def places(doc: Document) -> list[list[str]]:
    """The slugs of each section's articles."""
    return [section.slugs for section in issue_keys(doc).sections]


def place_of(doc: Document, slug: str) -> Place | None:
    """The first place of a story, or None."""
    for number, section in enumerate(issue_keys(doc).sections):
        if slug in section.slugs:
            index = section.slugs.index(slug)
            return Place(number, index, _words(section, index))
    return None


def _words(section: SectionKeys, index: int) -> str:
    if section.layout == "lead" and index == 0:
        return "the lead"
    return f'place {index + 1} of "{section.title}"' if section.title else f"place {index + 1} of the {section.layout}"


def find_section(doc: Document, wanted: str | int | None) -> int | None:
    """The index of the section of that title, or of the first one of that layout; None when nothing is wanted.

    Upper and lower case make no difference; an index (from 0) is itself. Raises ``NotFound`` with the nearest title.
    """
    if wanted is None:
        return None
    sections = issue_keys(doc).sections
    if isinstance(wanted, int):
        if not 0 <= wanted < len(sections):
            raise NotFound(f"there is no section {wanted + 1}", where=doc.where("sections"), fix="look at it again")
        return wanted
    for index, section in enumerate(sections):
        if section.title and section.title.strip().casefold() == wanted.strip().casefold():
            return index
    for index, section in enumerate(sections):
        if section.layout == wanted.strip().casefold():
            return index
    known = [section.title for section in sections if section.title]
    hint = did_you_mean(wanted, known) or (f"the sections are {', '.join(known)}" if known else None)
    if hint is None or wanted in LAYOUTS:
        hint = f"add it to {doc.file}"
    raise NotFound(f"there is no section {wanted!r}", where=doc.where("sections"), fix=hint)


def automatic_section(doc: Document) -> tuple[int, dict[str, Any] | None]:
    """The first empty lead, else the first list, else the index and the keys of a list to add at the end."""
    sections = issue_keys(doc).sections
    for index, section in enumerate(sections):
        if section.layout == "lead" and not section.slugs:
            return index, None
    for index, section in enumerate(sections):
        if section.layout == "list":
            return index, None
    return len(sections), {"layout": "list", "articles": []}
