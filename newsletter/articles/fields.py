"""Setting one field of an article by name, as ``newsletter article set`` and the composer do."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

from newsletter.articles.schema import TEXT_FIELDS, is_iso_date
from newsletter.errors import BadData, did_you_mean
from newsletter.workspace.frontmatter import Document
from newsletter.workspace.values import LANGUAGE

FIELDS = (*TEXT_FIELDS, "tags", "image.url", "image.alt", "image.caption", "image.credit", "image.focal")
"""The fields that can be set by name."""

_FOCAL = re.compile(r"\[?\s*(0(?:\.\d+)?|1(?:\.0+)?|\.\d+)\s*[,; ]\s*(0(?:\.\d+)?|1(?:\.0+)?|\.\d+)\s*\]?")


def assign(document: Document, name: str, value: str) -> Document:
    """A document in which a field has another value, with the editor as its provenance; an empty value removes it.

    Raises BadData for a field that does not exist (did-you-mean) and for a value that it cannot have.
    """
    if name not in FIELDS:
        hint = did_you_mean(name.replace("-", "_"), FIELDS)
        raise BadData(f'an article has no field "{name}"', fix=hint or f"the fields are {', '.join(FIELDS)}")
    typed = _typed(name, " ".join(value.split()))
    path = tuple(name.split("."))
    field = path[0]
    if field == "image":
        document = _ready_for_picture(document, name, typed)
    document = document.set(path, typed)
    if typed is None:
        gone = document.get("provenance", field) is not None and len(path) == 1
        return document.delete(("provenance", field)) if gone else document
    return document.set(("provenance", field), {"from": "editor", "confirmed": True})


def confirm(document: Document, name: str) -> Document:
    """A document in which a field that was guessed counts as read by the editor; its value stays.

    Raises BadData for a field without a mark, naming those that have one.
    """
    waiting = unconfirmed(document)
    if name not in waiting:
        fix = f"waiting for you: {', '.join(waiting)}" if waiting else "nothing in this story waits to be confirmed"
        raise BadData(f'"{name}" is not marked as unconfirmed', where=document.file, fix=fix)
    return document.set(("provenance", name, "confirmed"), True)


def unconfirmed(document: Document) -> list[str]:
    """The fields whose provenance says that nobody confirmed them."""
    marks = document.get("provenance")
    if not isinstance(marks, Mapping):
        return []
    return [str(name) for name, mark in marks.items() if isinstance(mark, Mapping) and _is_false(mark.get("confirmed"))]


def _is_false(value: object) -> bool:
    return value is False or str(value).strip().lower() == "false"  # front matter is read as text


def _ready_for_picture(document: Document, name: str, typed: Any) -> Document:
    """Another address is another picture, and no address is none; the other fields describe a picture that is there."""
    image = document.get("image")
    if isinstance(image, str):
        document = document.set(("image",), {"url": image})
    if name == "image.url":
        return document.set(("image", "file") if typed else ("image",), None)
    if typed and not document.get("image", "url") and not document.get("image", "file"):
        raise BadData("the story has no picture", fix="set its address first: image.url=https://…")
    return document


def _typed(name: str, value: str) -> Any:
    """The value as it goes into the file; None removes the field."""
    if not value:
        if name == "headline":
            raise BadData("a story cannot be without a headline", fix='give it one: headline="…"')
        return None
    if name == "tags":
        return [tag.strip() for tag in value.split(",") if tag.strip()] or None
    if name in ("link", "image.url") and not _is_web(value):
        raise BadData(f"{name}: {value[:80]!r} is no web address", fix="write it in full, with https://")
    if name == "published" and not is_iso_date(value):
        raise BadData(f"published: {value[:80]!r} is no date", fix="write it as 2026-11-27 or 2026-11-27T07:00:00Z")
    if name == "lang" and not LANGUAGE.fullmatch(value):
        raise BadData(f"lang: {value[:80]!r} is no language", fix="write a code such as en, en-GB, ur or zh-Hant")
    if name == "image.focal":
        found = _FOCAL.fullmatch(value)
        if found is None:
            raise BadData(
                f"image.focal: {value[:80]!r} is not two numbers from 0 to 1",
                fix="write across and down, for example image.focal=0.5,0.3",
            )
        return [float(found[1]), float(found[2])]
    return value


def _is_web(value: str) -> bool:
    try:
        parts = urlsplit(value)
    except ValueError:
        return False
    return parts.scheme in ("https", "http") and bool(parts.hostname) and not re.search(r"\s", value)
