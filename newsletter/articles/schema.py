"""The front matter of an article: the file's keys on one side, the frozen ``Article`` on the other."""

from __future__ import annotations

from datetime import date, datetime
from pathlib import Path
from types import MappingProxyType
from typing import Any

import msgspec

from newsletter.errors import FrontMatterError
from newsletter.models import Article, Origin, Picture, Provenance, Waiver
from newsletter.workspace.frontmatter import Document, typed
from newsletter.workspace.values import LANGUAGE


class _ImageKeys(msgspec.Struct, kw_only=True):
    file: str | None = None
    url: str | None = None
    alt: str | None = None
    caption: str | None = None
    credit: str | None = None
    focal: tuple[float, float] | None = None


class _OriginKeys(msgspec.Struct, kw_only=True):
    id: str | None = None
    url: str | None = None
    guid: str | None = None
    imported: str | None = None
    kept: dict[str, str] = {}


class _ProvenanceKeys(msgspec.Struct, kw_only=True):
    source: str = msgspec.field(name="from")
    confirmed: bool = True


class _WaiverKeys(msgspec.Struct, kw_only=True):
    id: str
    reason: str = ""


class ArticleKeys(msgspec.Struct, kw_only=True):
    """The keys of an article's front matter that mean something to us. Unknown keys are the newsroom's own."""

    headline: str
    kicker: str | None = None
    standfirst: str | None = None
    teaser: str | None = None
    byline: str | None = None
    agency: str | None = None
    published: str | None = None
    link: str | None = None
    link_text: str | None = None
    lang: str | None = None
    section: str | None = None
    sponsor: str | None = None
    tags: str | list[str] | None = None
    image: str | _ImageKeys | None = None
    origin: _OriginKeys = msgspec.field(default_factory=_OriginKeys)
    provenance: dict[str, _ProvenanceKeys] = {}
    waive: list[_WaiverKeys] = []


TEXT_FIELDS = (
    "headline", "kicker", "standfirst", "teaser", "byline", "agency", "published", "link", "link_text", "lang",
    "section", "sponsor",
)  # fmt: skip
"""The fields of an article that are one text, in the order in which a file has them."""

KEYS = (*TEXT_FIELDS, "tags", "image", "origin", "provenance", "waive")
"""Every top-level key of an article's front matter, in the order of a new file."""

IMAGE_KEYS = ("file", "url", "alt", "caption", "credit", "focal")


def article_from_document(doc: Document, slug: str, path: Path | None = None) -> Article:
    """The article that a file describes. Raises FrontMatterError with file, line, key and fix.

    Empty keys count as absent; unknown keys are left in the file. ``published`` must be ISO 8601, ``focal`` two
    numbers from 0 to 1, ``image.file`` a plain name, because it lives in the issue's ``images`` folder.
    """
    keys = typed(doc, ArticleKeys)
    texts = {name: _one_line(getattr(keys, name)) for name in TEXT_FIELDS}
    headline = texts.pop("headline")
    if not headline:
        raise FrontMatterError(
            "headline: this key is empty", where=doc.where("headline"), fix="write the headline, in quotes"
        )
    if keys.published and not is_iso_date(keys.published):
        raise FrontMatterError(
            f"published: {keys.published!r} is no date",
            where=doc.where("published"),
            fix="write it as 2026-11-27 or 2026-11-27T07:00:00Z",
        )
    if keys.lang and not LANGUAGE.fullmatch(keys.lang.strip()):
        raise FrontMatterError(
            f"lang: {keys.lang!r} is no language tag",
            where=doc.where("lang"),
            fix="write a language tag such as en-GB, ur or hi",
        )
    tags = [keys.tags] if isinstance(keys.tags, str) else keys.tags or []
    origin = keys.origin
    return Article(
        slug=slug,
        headline=headline,
        body=doc.body,
        **texts,
        tags=tuple(tag.strip() for tag in tags if tag.strip()),
        image=_picture(doc, keys.image),
        origin=Origin(origin.id, origin.url, origin.guid, origin.imported, MappingProxyType(origin.kept)),
        provenance=MappingProxyType({k: Provenance(v.source, v.confirmed) for k, v in keys.provenance.items()}),
        waive=tuple(Waiver(waiver.id, waiver.reason) for waiver in keys.waive),
        path=path,
    )


def is_iso_date(text: str) -> bool:
    """Whether a text is an ISO 8601 date, or date and time."""
    for kind in (date, datetime):
        try:
            kind.fromisoformat(text.strip())
        except ValueError:
            continue
        return True
    return False


def _one_line(text: str | None) -> str | None:
    """A field is one line whatever YAML style it was written in; an empty one is absent."""
    return " ".join(text.split()) or None if text is not None else None


def _picture(doc: Document, keys: str | _ImageKeys | None) -> Picture | None:
    if isinstance(keys, str):
        web = keys.startswith(("https://", "http://"))
        keys = _ImageKeys(url=keys) if web else _ImageKeys(file=keys)
    if keys is None:
        return None
    if keys.file is not None and (not keys.file or keys.file.startswith(".") or {"/", "\\", "\0"} & set(keys.file)):
        raise FrontMatterError(
            f"image.file: {keys.file!r} is not the plain name of a file",
            where=doc.where("image", "file"),
            fix="put the picture into the issue's images folder and write only its name",
        )
    if keys.focal is not None and not all(0 <= place <= 1 for place in keys.focal):
        raise FrontMatterError(
            "image.focal: a focal point is two numbers from 0 to 1",
            where=doc.where("image", "focal"),
            fix="write for example focal: [0.5, 0.3]: half way across, a third of the way down",
        )
    picture = Picture(
        keys.file, keys.url, _one_line(keys.alt), _one_line(keys.caption), _one_line(keys.credit), keys.focal
    )
    return None if picture == Picture() else picture


def article_to_data(article: Article) -> dict[str, Any]:
    """The front matter of an article in the order of ``KEYS``; what is empty is left out. The body is not in it."""
    data: dict[str, Any] = {name: getattr(article, name) for name in TEXT_FIELDS}
    data["tags"] = list(article.tags)
    data["image"] = _filled(article.image, IMAGE_KEYS)
    data["origin"] = _filled(article.origin, ("id", "url", "guid", "imported"))
    if article.origin.kept:
        data["origin"]["kept"] = dict(article.origin.kept)
    data["provenance"] = {k: {"from": v.source, "confirmed": v.confirmed} for k, v in article.provenance.items()}
    data["waive"] = [{"id": waiver.id, "reason": waiver.reason} for waiver in article.waive]
    return {name: value for name, value in data.items() if value not in (None, "", [], {})}


def _filled(value: Picture | Origin | None, names: tuple[str, ...]) -> dict[str, Any]:
    found = {name: getattr(value, name, None) for name in names}
    return {name: list(v) if isinstance(v, tuple) else v for name, v in found.items() if v is not None}
