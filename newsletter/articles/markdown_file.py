"""Markdown stories, with our front matter, with another system's, or with none."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from newsletter.articles.plain import clean, plain_text
from newsletter.articles.schema import KEYS, article_from_document, is_iso_date
from newsletter.articles.shape import headline_line, image_line, title_key
from newsletter.articles.story import Draft, nothing_to_read
from newsletter.articles.text import fallback_headline, take_credits, take_shape, trimmed
from newsletter.errors import FrontMatterError
from newsletter.models import Article, Provenance
from newsletter.workspace.frontmatter import Document
from newsletter.workspace.slugs import slugify

_FENCE = re.compile(r" {0,3}(```|~~~)")
_H1 = re.compile(r" {0,3}#(?!#)[ \t]*(?P<words>\S.*?)[ \t]*#*[ \t]*")
_ANY_HEADING = re.compile(r" {0,3}#{1,6}[ \t]*(?P<words>\S.*?)[ \t]*#*[ \t]*")

# What other systems call our fields (Hugo, Jekyll, Ghost exports); taken only where ours is absent.
_ALIASES = {"headline": "title", "byline": "author", "published": "date"}


@dataclass(frozen=True, slots=True)
class Markdown:
    """What a Markdown file held: the article, unknown front matter, and a picture's path as it was written."""

    article: Article
    extra: Mapping[str, Any]
    picture: str | None


def read_markdown(text: str, draft: Draft) -> Markdown:
    """Read a Markdown story. Raises BadData for an empty one, FrontMatterError for front matter of the wrong kind."""
    doc = Document.parse(text, draft.file, required=False)
    if not doc.data:
        body = read_body(doc.body, draft)
        article = draft.article(body)
        return Markdown(article, {}, article.image.url if article.image else None)
    return _with_front_matter(doc, draft)


def read_body(text: str, draft: Draft) -> str:
    """Take headline, lead image and credits from a body without front matter and return the rest, as it is."""
    lines = trimmed([line.rstrip("\n") for line in clean(text).split("\n")])
    if not lines:
        raise nothing_to_read(draft.file)
    if not any(not line.strip() for line in lines) and image_line(lines[-1].strip()):
        # An export under a Markdown name: no blank lines, so each line is a paragraph.
        lines = [part for line in lines for part in (line, "")][:-1]
    lines = _take_h1(lines, draft)
    lines = _take_lead_image(lines, draft)
    if "headline" not in draft.texts:
        lines = _take_other_headline(lines, draft)
    lines = take_credits(lines, draft, dashes=False)
    fallback_headline([plain_text(line, field=True).strip() for line in lines[:50]], draft)
    return "\n".join(lines)


def _take_h1(lines: list[str], draft: Draft) -> list[str]:
    """The first ``# heading``, or a line underlined with ``===``, is the headline."""
    fenced = False
    for place, line in enumerate(lines):
        fenced ^= _FENCE.match(line) is not None
        if fenced:
            continue
        taken = 0
        if found := _H1.fullmatch(line[:2000]):
            taken = draft.put("headline", plain_text(found["words"], field=True), "first # heading") and 1
        elif place and re.fullmatch(r" {0,3}=+[ \t]*", line[:2000]) and (words := lines[place - 1].strip()):
            taken = draft.put("headline", plain_text(words, field=True), "first # heading") and 2
        if taken:
            return trimmed(lines[: place + 1 - taken] + lines[place + 1 :])
    return lines


def _take_lead_image(lines: list[str], draft: Draft) -> list[str]:
    """A picture at the start is the lead image; one at the end is, when its alternative text repeats the headline."""
    if lines and draft.put_picture(image_line(lines[0].strip()), "leading image"):
        return trimmed(lines[1:])
    last = image_line(lines[-1].strip()) if lines else None
    headline = draft.texts.get("headline")
    if last and last.alt and headline and title_key(last.alt) == title_key(headline):
        draft.put_picture(last, "last line")
        return trimmed(lines[:-1])
    return lines


def _take_other_headline(lines: list[str], draft: Draft) -> list[str]:
    """Without an H1: the export's shape, a first heading of another level, or a first line of its own."""
    if lines and (found := _ANY_HEADING.fullmatch(lines[0][:2000])):
        if draft.put("headline", plain_text(found["words"], field=True), "first heading", confirmed=False):
            return trimmed(lines[1:])
        return lines
    export = len(lines) > 2 and image_line(lines[-1].strip()) is not None
    if export or (len(lines) > 1 and headline_line(lines[0].strip()) and not lines[1].strip()):
        return take_shape(lines, draft)
    return lines


def _with_front_matter(doc: Document, draft: Draft) -> Markdown:
    """Our keys as they are; ``title``, ``author`` and ``date`` of other systems where ours are absent."""
    source = "front matter"
    given = {key for key in doc.data if doc.data[key] not in (None, "", [], {})}
    picture, doc = _take_local_picture(doc)
    body = doc.body
    for name, alias in _ALIASES.items():
        value = doc.get(alias)
        if name in given or not isinstance(value, str) or (name == "published" and not is_iso_date(value)):
            continue
        if draft.put(name, value, f"{source} {alias}"):
            doc = doc.set((name,), draft.texts[name])
    if "headline" not in given and "headline" not in draft.texts:
        body = read_body(body, draft)
        doc = doc.set(("headline",), draft.texts["headline"])
    article = article_from_document(doc, "story")
    lines = trimmed(clean(body).split("\n"))
    found = _H1.fullmatch(lines[0][:2000]) if lines else None
    if found and title_key(plain_text(found["words"])) == title_key(article.headline):
        lines = trimmed(lines[1:])
    if article.image is None and picture is None:
        draft.texts.setdefault("headline", article.headline)
        lines = _take_lead_image(lines, draft)
    if not any(line.strip() for line in lines):
        raise nothing_to_read(draft.file, has_headline=True)
    provenance = dict.fromkeys((key for key in given if key in KEYS), Provenance(source))
    provenance |= {k: v for k, v in draft.provenance.items() if k not in given} | dict(article.provenance)
    for housekeeping in ("provenance", "origin", "waive"):
        provenance.pop(housekeeping, None)
    finished = dataclasses.replace(
        article,
        slug=slugify(article.headline),
        body="\n".join(lines) + "\n",
        image=article.image or draft.picture,
        byline=article.byline or draft.texts.get("byline"),
        agency=article.agency or draft.texts.get("agency"),
        provenance=provenance,
    )
    extra = {key: value for key, value in doc.data.items() if key not in KEYS}
    if picture is None and finished.image:
        picture = finished.image.url
    return Markdown(finished, extra, picture)


def _take_local_picture(doc: Document) -> tuple[str | None, Document]:
    """A picture beside the story (``image: photo.jpg``, ``image.file: images/photo.jpg``), taken out of the keys."""
    image = doc.get("image")
    path = image.get("file") if isinstance(image, dict) else image
    if not isinstance(path, str) or path.startswith(("https://", "http://")):
        return None, doc
    key = ("image", "file") if isinstance(image, dict) else ("image",)
    try:
        return path, doc.delete(key)
    except FrontMatterError:  # pragma: no cover - an edit that the document cannot make leaves the key to the schema
        return None, doc
