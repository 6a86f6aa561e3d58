"""What a story was when it came in, what its source says now, and what the editor made of it: field by field.

Pure. An editor's own words are never given up by themselves: a field that both have changed is a ``conflict``, and is
taken over only by its name.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from newsletter.articles.schema import TEXT_FIELDS
from newsletter.errors import BadData, did_you_mean
from newsletter.models import Article
from newsletter.workspace.files import sha256_hex
from newsletter.workspace.frontmatter import Document

IMAGE_FIELDS = ("image.url", "image.alt", "image.caption", "image.credit")
FIELDS = (*TEXT_FIELDS, "tags", *IMAGE_FIELDS, "body")
"""What is compared, in the order in which it is shown."""

Change = Literal["changed", "conflict", "edited", "kept"]
WORDS: Mapping[Change, str] = {
    "changed": "changed at the source",
    "conflict": "changed at the source, and by you",
    "edited": "changed by you alone",
    "kept": "changed at the source; you kept yours",
}
OPEN: tuple[Change, ...] = ("changed", "conflict")
"""The changes about which nobody has decided."""


@dataclass(frozen=True, slots=True)
class FieldChange:
    """A field that is not the same in all three; None is absent, tags are written with commas between.

    ``imported`` is what the source said when the story came in, or last when the editor took it over (None also
    where nobody has written it down); ``now`` what it says now; ``mine`` what the story has.
    """

    name: str
    change: Change
    imported: str | None
    now: str | None
    mine: str | None

    @property
    def open(self) -> bool:
        """Whether the source has changed it and nobody has decided about that."""
        return self.change in OPEN

    @property
    def about(self) -> str:
        """Who changed it, in words."""
        return WORDS[self.change]


def value_of(article: Article, name: str) -> str | None:
    """A field as one text; None when it is empty. Line ends and blanks at the ends of a body make no difference."""
    if name == "tags":
        return ", ".join(article.tags) or None
    if name == "body":
        return article.body.replace("\r\n", "\n").strip() or None
    value: Any = article
    for part in name.split("."):
        value = getattr(value, part, None)
    return value or None


def three_way(known: Sequence[Article], now: Article, mine: Article) -> tuple[FieldChange, ...]:
    """Compare; ``known`` is what the source has said so far, the import first (empty: nobody has written it down).

    A field is the editor's when the source has never said it. It is ``kept`` where an editor declined what the source
    says now. Fields that are as the source says now are left out.
    """
    return tuple(change for name in FIELDS if (change := _compare(name, known, now, mine)))


def _compare(name: str, known: Sequence[Article], now: Article, mine: Article) -> FieldChange | None:
    said, here = value_of(now, name), value_of(mine, name)
    if said == here:
        return None
    before = [value_of(version, name) for version in known]
    change: Change = "changed" if here in before else "edited" if before and before[0] == said else "conflict"
    imported = here if change == "changed" else before[0] if before else None
    if change in OPEN and mine.origin.kept.get(name) == mark_of(said):
        change = "kept"
    return FieldChange(name, change, imported, said, here)


def mark_of(said: str | None) -> str:
    """What ``origin.kept`` holds of words that were declined."""
    return sha256_hex((said or "").encode("utf-8", "surrogatepass"))[:16]


def chosen(changes: Iterable[FieldChange], take: Collection[str]) -> list[str]:
    """The fields to take over: ``all`` is every one that only the source has changed; others go by their name.

    Raises BadData for a name that is no field.
    """
    _require_fields(take, "take over", "--take")
    return [c.name for c in changes if c.name in take or ("all" in take and c.change == "changed")]


def declined(changes: Iterable[FieldChange], keep: Collection[str], taken: Collection[str]) -> list[str]:
    """The fields in which the editor's words are kept: of those that are open and not taken; ``all`` is all of them.

    Raises BadData for a name that is no field.
    """
    _require_fields(keep, "keep", "--keep")
    return [c.name for c in changes if c.open and c.name not in taken and (c.name in keep or "all" in keep)]


def _require_fields(names: Collection[str], what: str, where: str) -> None:
    for name in names:
        if name not in FIELDS and name != "all":
            hint = did_you_mean(name, FIELDS) or f"the fields are {', '.join(FIELDS)}; or all"
            raise BadData(f'a story has no field "{name}" to {what}', where=where, fix=hint)


def taken_over(document: Document, now: Article, fields: Collection[str]) -> Document:
    """A story's file in which some fields are as the source says, with the source's provenance; the rest is as it was.

    Another ``image.url`` is another picture: the name of the old one's file goes. Raises FrontMatterError.
    """
    for name in sorted(fields, key=FIELDS.index):
        document = _undeclined(document, name)
        if name == "body":
            document = document.with_body(now.body)
            continue
        path = tuple(name.split("."))
        if path[0] == "image":
            document = _picture_as_table(document)
            if name == "image.url":
                document = document.set(("image", "file"), None)
        value: Any = list(now.tags) or None if name == "tags" else value_of(now, name)
        document = document.set(path, value)
        if document.get("image") == {}:
            document = document.delete(("image",))
        document = _as_from(document, path[0], now)
    return document


def kept(document: Document, now: Article, fields: Collection[str]) -> Document:
    """A story's file that says of some fields that what the source says ``now`` was seen and declined."""
    for name in sorted(fields, key=FIELDS.index):
        document = document.set(("origin", "kept", name), mark_of(value_of(now, name)))
    return document


def _undeclined(document: Document, name: str) -> Document:
    if document.get("origin", "kept", name) is None:
        return document
    document = document.delete(("origin", "kept", name))
    return document if document.get("origin", "kept") else document.delete(("origin", "kept"))


def _picture_as_table(document: Document) -> Document:
    image = document.get("image")
    return document.set(("image",), {"url": image}) if isinstance(image, str) else document


def _as_from(document: Document, field: str, now: Article) -> Document:
    known = now.provenance.get(field)
    path = ("provenance", field)
    if known is not None:
        return document.set(path, {"from": known.source, "confirmed": known.confirmed})
    return document.delete(path) if document.get(*path) is not None else document
