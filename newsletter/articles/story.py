"""A story on its way in: what a reader of files found, and where each field came from."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import Any

from newsletter.articles.plain import escape_braces
from newsletter.errors import BadData
from newsletter.models import Article, Origin, Picture, Provenance
from newsletter.workspace.slugs import slugify

MAX_BODY = 256 * 1024
"""The most bytes that the body of an article may have."""

MAX_HEADLINE = 300
"""The most characters that a line may have to be taken for a headline."""


@dataclass(frozen=True, slots=True)
class Suggestion:
    """A change that the editor may want: in ``field``, ``now`` would become ``instead``. Never applied by itself."""

    field: str
    now: str
    instead: str
    why: str


@dataclass(frozen=True, slots=True)
class Story:
    """An article read from a file, not in the inbox yet.

    ``picture_url`` is where the lead image can be fetched, ``picture_file`` where it lies on this machine.
    ``extra`` is front matter that is not ours and is kept; ``notes`` are one-line remarks for the editor.
    """

    article: Article
    picture_url: str | None = None
    picture_file: Path | None = None
    suggestions: tuple[Suggestion, ...] = ()
    extra: Mapping[str, Any] = field(default_factory=lambda: MappingProxyType({}))
    notes: tuple[str, ...] = ()


@dataclass(slots=True)
class Draft:
    """The fields of a story while it is being read; the first value found for a field stands.

    In a ``literal`` story (plain text, HTML) braces are braces; authored Markdown may hold merge fields.
    """

    file: str
    literal: bool = False
    texts: dict[str, str] = field(default_factory=dict)
    provenance: dict[str, Provenance] = field(default_factory=dict)
    picture: Picture | None = None
    tags: tuple[str, ...] = ()
    notes: list[str] = field(default_factory=list)

    def put(self, name: str, value: str | None, source: str, *, confirmed: bool = True) -> bool:
        """Keep a field unless it is empty or known already; says whether it was kept."""
        value = " ".join(value.split()) if value else ""
        if not value or name in self.texts or (name == "headline" and len(value) > MAX_HEADLINE):
            return False
        self.texts[name] = escape_braces(value) if self.literal else value
        self.provenance[name] = Provenance(source, confirmed)
        return True

    def put_picture(self, picture: Picture | None, source: str, *, confirmed: bool = True) -> bool:
        """Keep the lead image unless there is one already."""
        if picture is None or self.picture is not None:
            return False
        if self.literal:
            texts = (picture.alt, picture.caption, picture.credit)
            alt, caption, credit = (escape_braces(text) if text else None for text in texts)
            picture = dataclasses.replace(picture, alt=alt, caption=caption, credit=credit)
        self.picture = picture
        self.provenance["image"] = Provenance(source, confirmed)
        return True

    def article(self, body: str, link: str | None = None, *, bare: bool = False) -> Article:
        """The finished article; raises BadData for a body that is too large, or empty (unless ``bare``)."""
        body = body.strip("\n")
        if not body.strip() and not bare:
            raise nothing_to_read(self.file, has_headline="headline" in self.texts, has_picture=bool(self.picture))
        check_body(body, self.file)
        texts: dict[str, Any] = dict(self.texts)
        return Article(
            slug=slugify(self.texts["headline"]),
            body=body + "\n" if body.strip() else "",
            **texts,
            tags=self.tags,
            image=self.picture,
            origin=Origin(url=link),
            provenance=MappingProxyType(dict(self.provenance)),
        )


def check_body(body: str, file: str) -> None:
    """Refuse a body over 256 KB: Markdown that large is not a story, and mail cannot carry it."""
    if len(body.encode()) > MAX_BODY:
        raise BadData("the story is larger than 256 KB", where=file, fix="shorten it, or split it into several stories")


def nothing_to_read(file: str, *, has_headline: bool = False, has_picture: bool = False) -> BadData:
    """The error for a file without a text."""
    if has_headline:
        what, fix = "the story has a headline and no text", "write the text below the headline"
    elif has_picture:
        what, fix = (
            "the story is a picture and no text",
            "write a headline and a text above the picture",
        )
    else:
        what, fix = "the story is empty", "write a headline, an empty line and the text"
    return BadData(what, where=file, fix=fix)
