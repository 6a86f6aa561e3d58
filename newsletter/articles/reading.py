"""A story file of any kind we read: decode it, tell what it is, and hand it to its reader."""

from __future__ import annotations

import codecs
import dataclasses
import re
from collections.abc import Mapping
from html import unescape
from pathlib import Path
from types import MappingProxyType
from typing import Any

from newsletter.articles.dropcap import suggestions_for
from newsletter.articles.story import Draft, Story, Suggestion, check_body, nothing_to_read
from newsletter.errors import BadData
from newsletter.models import Article, Picture

__all__ = ["MAX_FILE", "Story", "Suggestion", "read_story"]

MAX_FILE = 8 * 1024 * 1024
"""The most bytes that a story file may have; an HTML page can be far larger than the story in it."""

_MARKDOWN = frozenset({".md", ".markdown", ".mdown", ".mkd"})
_HTML = frozenset({".html", ".htm", ".xhtml"})
_LOOKS_HTML = re.compile(
    r"\s{0,200}(?:<\?xml[^>]{0,200}>\s{0,200})?<(?:!doctype\s+html|html|head|body|article|h1|p|div)\b", re.I
)
_LOOKS_MARKDOWN = re.compile(r"\ufeff?\s{0,200}(?:---[ \t]*\r?\n|#[ \t]+\S)")
_META_CHARSET = re.compile(rb"<meta[^>]{0,300}?charset\s{0,9}=\s{0,9}[\"']?\s{0,9}([A-Za-z0-9_:.-]{2,40})", re.I)
_OWN_ADDRESS = re.compile(
    r"<link[^>]{0,200}\srel=[\"']?canonical[\"']?[^>]{0,200}?\shref=[\"']?(?P<canonical>[^\"'\s>]{1,1000})"
    r"|<meta[^>]{0,200}\sproperty=[\"']?og:url[\"']?[^>]{0,200}?\scontent=[\"']?(?P<shared>[^\"'\s>]{1,1000})",
    re.I,
)
_FOR_PROGRAMS = re.compile(
    r"""<meta[^>]{0,200}\s(?:property=["']?(?:og|article):|name=["']?(?:twitter:|parsely))""", re.I
)
_LONG = 8000  # characters; hand-written stories as HTML are shorter than a web page with all around it
_CONTROL = re.compile(r"[\x00-\x08\x0e-\x1f\x7f]")

_SAVE_AS_TEXT = "open it in its program and save it as plain text (.txt), Markdown (.md) or HTML (.html)"
_BINARY = (
    (b"%PDF-", "a PDF"),
    (b"PK\x03\x04", "a Word, OpenDocument or ZIP file"),
    (b"\xd0\xcf\x11\xe0", "an old Word file"),
    (b"{\\rtf", "an RTF file"),
    (b"\xff\xd8\xff", "a picture"),
    (b"\x89PNG", "a picture"),
    (b"GIF8", "a picture"),
    (b"\x1f\x8b", "a compressed file"),
)


def read_story(path: Path | None, data: bytes) -> Story:
    """Read a story from the bytes of a file; ``path`` is None for standard input, whose kind is told by its beginning.

    Raises BadData with the file and a fix when it is empty, binary, only a picture, in an unknown encoding or too
    large, and its kind FrontMatterError for front matter that cannot be read. Nothing else is ever raised.
    """
    file = path.name if path else "standard input"
    if len(data) > MAX_FILE:
        raise BadData("the file is larger than 8 MB: this is no story", where=file, fix="save only the story itself")
    if not data.strip():
        raise nothing_to_read(file)
    suffix = path.suffix.lower() if path else ""
    text, note = decode(data, file, html=suffix in _HTML)
    draft = Draft(file, notes=[note] if note else [])
    if suffix in _HTML or (suffix not in _MARKDOWN and _LOOKS_HTML.match(text)):
        address = _saved_from(text)
        if address is not None:
            from newsletter.articles.page import read_page

            return read_page(data, url=address, file=None if address else file)
        return _html(text, draft, path)
    if suffix in _MARKDOWN or (_LOOKS_MARKDOWN.match(text) and (not suffix or text.lstrip("\ufeff")[:3] == "---")):
        return _markdown(text, draft, path)
    return _text(text, draft, path)


def _saved_from(text: str) -> str | None:
    """The address of a whole web page, as a browser or a program saved it; None for HTML that somebody wrote by hand.

    A web page has scripts or metadata for other programs, or is long, and names its address. One that does not name it
    is told by metadata and scripts together, and its address is empty.
    """
    start = text[:200_000]
    scripts, told = "<script" in start.lower(), _FOR_PROGRAMS.search(start) is not None
    found = _OWN_ADDRESS.search(start)
    address = unescape(found["canonical"] or found["shared"]).strip() if found else ""
    if not re.fullmatch(r"https?://[^\s/@]+(?:/\S*)?", address):
        return "" if scripts and told and len(text) > _LONG else None
    return address if scripts or (told and len(text) > 2000) or len(text) > _LONG else None


def decode(data: bytes, file: str, *, html: bool = False) -> tuple[str, str | None]:
    """The text of a file, and a note when its encoding had to be guessed.

    Tried in turn: the byte order mark, UTF-8, what an HTML file says of itself, Windows-1252. Raises BadData.
    """
    for beginning, kind in _BINARY:
        if data.startswith(beginning):
            raise BadData(f"this is {kind}, not a text", where=file, fix=_SAVE_AS_TEXT)
    text, note = _decoded(data, file, html)
    controls = len(_CONTROL.findall(text[:100_000]))
    if "\0" in text or controls * 20 > len(text[:100_000]):
        raise BadData("this is a binary file, not a text", where=file, fix=_SAVE_AS_TEXT)
    return text, note


def _decoded(data: bytes, file: str, html: bool) -> tuple[str, str | None]:
    marks = ((codecs.BOM_UTF8, "utf-8-sig"), (codecs.BOM_UTF16_LE, "utf-16"), (codecs.BOM_UTF16_BE, "utf-16"))
    tries = [encoding for mark, encoding in marks if data.startswith(mark)] or ["utf-8"]
    if html and (declared := _META_CHARSET.search(data[:4096])):
        name = declared[1].decode("ascii").lower()
        # Browsers read latin-1 as Windows-1252, and so does everybody who writes it.
        tries.append("cp1252" if name in ("iso-8859-1", "latin1", "us-ascii", "ascii") else name)
    for encoding in tries:
        try:
            return data.decode(encoding), None
        except (UnicodeError, LookupError):
            continue
    try:
        return data.decode("cp1252"), "not UTF-8: read as Windows-1252; look at quotation marks and accents"
    except UnicodeDecodeError as wrong:
        raise BadData(
            "the encoding is not UTF-8, UTF-16 or Windows-1252", where=file, fix="save the file as UTF-8"
        ) from wrong


def _text(text: str, draft: Draft, path: Path | None) -> Story:
    from newsletter.articles.text import read_text

    draft.literal = True
    article = draft.article(read_text(text, draft))
    return story_of(article, draft, path)


def _markdown(text: str, draft: Draft, path: Path | None) -> Story:
    from newsletter.articles.markdown_file import read_markdown

    found = read_markdown(text, draft)
    check_body(found.article.body, draft.file)
    return story_of(found.article, draft, path, found.picture, found.extra)


def _html(text: str, draft: Draft, path: Path | None) -> Story:
    from newsletter.articles.html_file import read_html

    draft.literal = True
    return story_of(read_html(text, draft), draft, path)


def story_of(
    article: Article,
    draft: Draft,
    path: Path | None,
    picture: str | None = None,
    extra: Mapping[str, Any] | None = None,
) -> Story:
    """Put the story together; a lead image that is neither on the web nor beside the story is dropped with a note."""
    image = article.image
    target = picture or (image.url if image else None)
    url, file = _picture(target, path)
    if target and url is None:
        if file is None:
            draft.notes.append(
                f"the picture {target[:80]!r} is not in the story's folder; the story has no picture now"
            )
        image = dataclasses.replace(image or Picture(), url=None) if file else None
        article = dataclasses.replace(article, image=image)
    return Story(
        article, url, file, suggestions_for(article.body), MappingProxyType(dict(extra or {})), tuple(draft.notes)
    )


def _picture(target: str | None, story: Path | None) -> tuple[str | None, Path | None]:
    """Where the lead image can be had: on the web, or in a file in the story's own folder.

    A path that leads out of that folder is not followed: a story that somebody mailed in must not be able to
    publish a file from the editor's disk.
    """
    if not target:
        return None, None
    if target.startswith(("https://", "http://")):
        return target, None
    if story is None or ":" in target or "\0" in target or target.startswith(("/", "\\")):
        return None, None
    folder = story.resolve().parent
    for place in (folder / target, folder / "images" / target):
        try:
            found = place.resolve()
            if found.is_relative_to(folder) and found.is_file():
                return None, found
        except (OSError, RuntimeError, ValueError):
            return None, None
    return None, None
