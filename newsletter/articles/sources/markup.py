"""The bytes of a feed as a tree, whatever is wrong with them; entities that are declared in it are refused.

lxml's recovering parser reads what is broken; what it would lose without a word is mended before: HTML's entities that
XML does not know, an ampersand that stands alone, control characters, blanks before the declaration.
"""

from __future__ import annotations

import codecs
import html
import re
from collections.abc import Iterator
from html.entities import html5
from typing import Any

from lxml import etree

from newsletter.errors import BadData

Element = Any
"""An lxml element: the package's stubs know no element of a parser that recovers."""

MAX_ITEMS = 20_000
"""Elements of one kind that are read; a source with more is no source of news."""

_DECLARED = re.compile(r"<\?xml[^>]{0,200}?\bencoding\s{0,9}=\s{0,9}[\"']([A-Za-z0-9_.:-]{2,40})[\"']")
_CHARSET = re.compile(r"charset\s{0,9}=\s{0,9}[\"']?([A-Za-z0-9_.:-]{2,40})", re.I)
_ILLEGAL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x84\x86-\x9f\ufffe\uffff\ud800-\udfff]")
_ENTITY = re.compile(r"&(?:(?P<name>[A-Za-z][A-Za-z0-9]{1,31});|(?P<number>#(?:[0-9]{1,7}|[xX][0-9A-Fa-f]{1,6});)|)")
_XMLNS = re.compile(r' xmlns(?::[\w.-]+)?="[^"]*"')
_XML_ENTITIES = frozenset({"amp", "lt", "gt", "quot", "apos"})
_MISC = re.compile(r"\s+|<\?.*?\?>|<!--.*?-->", re.DOTALL)
_DOCTYPE = re.compile(r"<!DOCTYPE[^<>\[]*(?:\[(?P<inner>.*?)\]\s*)?>", re.DOTALL | re.I)
_PREFIX = {
    "http://purl.org/rss/1.0/": "",
    "http://my.netscape.com/rdf/simple/0.9/": "", "http://channel.netscape.com/rdf/simple/0.9/": "",
    "http://backend.userland.com/rss2": "", "http://blogs.law.harvard.edu/tech/rss": "",
    "http://www.w3.org/1999/02/22-rdf-syntax-ns#": "rdf:",
    "http://www.w3.org/2005/atom": "atom:", "http://purl.org/atom/ns#": "atom:",
    "http://purl.org/rss/1.0/modules/content/": "content:", "http://purl.org/dc/elements/1.1/": "dc:",
    "http://purl.org/dc/elements/1.0/": "dc:", "http://purl.org/dc/terms/": "dcterms:",
    "http://search.yahoo.com/mrss/": "media:", "http://search.yahoo.com/mrss": "media:",
    "http://www.itunes.com/dtds/podcast-1.0.dtd": "itunes:",
    "http://rssnamespace.org/feedburner/ext/1.0": "feedburner:",
    "http://www.sitemaps.org/schemas/sitemap/0.9": "", "http://www.google.com/schemas/sitemap/0.84": "",
    "http://www.google.com/schemas/sitemap-news/0.9": "news:",
    "http://www.google.com/schemas/sitemap-image/1.1": "image:",
    "http://www.w3.org/1999/xhtml": "xhtml:", "http://purl.org/rss/1.0/modules/slash/": "slash:",
    "http://purl.org/rss/1.0/modules/syndication/": "sy:",
}  # fmt: skip


def to_text(data: bytes, content_type: str | None, where: str) -> tuple[str, str | None]:
    """The text of an answer, and a note when its encoding had to be guessed. Raises BadData for what is no text.

    Tried in turn: the byte order mark, UTF-16 that shows itself, a seven-bit encoding that is declared, UTF-8, what the
    XML declaration says, what the header says, Windows-1252.
    """
    marks = ((codecs.BOM_UTF8, "utf-8-sig"), (codecs.BOM_UTF16_LE, "utf-16"), (codecs.BOM_UTF16_BE, "utf-16"))
    head = data[:400].decode("latin-1").replace("\0", "")
    declared = [found[1].lower() for found in (_DECLARED.search(head), _CHARSET.search(content_type or "")) if found]
    tries = [encoding for mark, encoding in marks if data.startswith(mark)]
    tries += ["utf-16-le"] if data[1:2] == b"\0" else ["utf-16-be"] if data[:1] == b"\0" else []
    tries += [name for name in declared if name.startswith(("iso-2022", "hz", "utf-7"))] if b"\x1b" in data else []
    # Browsers read latin-1 as Windows-1252, and so does everybody who writes it.
    latin = {"iso-8859-1", "latin1", "latin-1", "us-ascii", "ascii"}
    tries += ["utf-8", *("cp1252" if name in latin else name for name in declared)]
    for encoding in tries:
        try:
            text = data.decode(encoding)
        except (UnicodeError, LookupError, ValueError):
            continue
        return text, None
    if b"\0" in data[:4096]:
        raise BadData("this is a binary file, not a feed", where=where, fix="give the address of the feed")
    text = data.decode("cp1252", "replace")
    return text, "its encoding is not what it says: read as Windows-1252; look at quotation marks and accents"


def parse(text: str, url: str | None, where: str) -> tuple[Element, list[str]]:
    """The root of the tree, and notes on what was broken. Raises BadData with what it is when it is no XML."""
    body = _without_prolog(_ILLEGAL.sub("", text.replace("\x85", " ").lstrip("\ufeff")), where)
    source = "".join(piece if verbatim else _ENTITY.sub(_mended, piece) for verbatim, piece in _pieces(body))
    parser = etree.XMLParser(
        recover=True, resolve_entities=False, no_network=True, load_dtd=False, remove_comments=True, remove_pis=True,
        encoding="utf-8", huge_tree=False,
    )  # fmt: skip
    try:
        root: Element = etree.fromstring(source.encode("utf-8", "replace"), parser, base_url=_base_url(url))  # type: ignore[arg-type]  # None is what it means by none
    except etree.XMLSyntaxError as wrong:
        raise _no_xml(where) from wrong
    if root is None:
        raise _no_xml(where)
    log: Any = parser.error_log
    faults = [str(entry.message) for entry in log if entry.level_name == "FATAL"]
    if any("depth" in fault.lower() for fault in faults):
        raise BadData(
            "its elements are more than 256 deep inside each other", where=where, fix="tell whoever makes this feed"
        )
    return root, ["it is not well-formed XML; what could be read was read"] if faults else []


def _pieces(text: str) -> Iterator[tuple[bool, str]]:
    """The text in pieces, each with whether it is a CDATA section; in linear time, also when none of them ends."""
    place = 0
    while (start := text.find("<![CDATA[", place)) >= 0 and (end := text.find("]]>", start)) >= 0:
        yield False, text[place:start]
        yield True, text[start : end + 3]
        place = end + 3
    yield False, text[place:]


def is_cut_off(root: Element, text: str) -> bool:
    """Whether the end of the root is missing, so that the last item may be half of itself."""
    name = re.escape(str(root.tag).rpartition("}")[2].rpartition(":")[2])
    return re.search(rf"</(?:[\w.-]+:)?{name}\s*>|/>\s*$", text[-2000:], re.I) is None


def _base_url(url: str | None) -> str | None:
    return url if url and url.isascii() else None


def _no_xml(where: str) -> BadData:
    return BadData("this is no feed", where=where, fix="give the address of a feed, a sitemap or a home page")


def after_misc(text: str, place: int = 0) -> int:
    """Where the blanks, comments and processing instructions end that begin at ``place``; at most a hundred of them."""
    for _ in range(100):
        found = _MISC.match(text, place)
        if found is None:
            break
        place = found.end()
    return place


def _without_prolog(text: str, where: str) -> str:
    """What begins at the root element; a document type that declares entities is refused, any other is left out."""
    place = after_misc(text)
    while text[place : place + 9].upper() == "<!DOCTYPE":
        found = _DOCTYPE.match(text, place)
        inner = found["inner"] if found else None
        if found is None or "<!ENTITY" in (inner or "").upper():
            raise BadData(
                "it declares entities of its own, which no feed needs and attacks are made of",
                where=where,
                fix="tell whoever makes this feed to leave the DOCTYPE out",
            )
        place = after_misc(text, found.end())
    return text[place:]


def _mended(found: re.Match[str]) -> str:
    """An entity of XML as it is, one of HTML as its character, an ampersand that stands alone as ``&amp;``."""
    name = found["name"]
    if found["number"]:
        # A number that XML does not allow (&#8; &#133;) is what a browser makes of it, or nothing.
        return html.escape(_ILLEGAL.sub("", html.unescape(found[0])), quote=False)
    if name is None:
        return "&amp;"
    if name in _XML_ENTITIES:
        return found[0]
    character = html5.get(f"{name};")
    return f"&amp;{name};" if character is None else html.escape(character)


def name_of(element: Element) -> str:
    """An element's name with the usual prefix of its namespace: ``title``, ``media:content``, ``atom:entry``.

    Also where the prefix was never declared; a namespace that nobody knows gives ``?:name``.
    """
    tag = str(element.tag)
    if not tag.startswith("{"):
        return tag.lower() if ":" in tag else tag
    namespace, _, local = tag[1:].partition("}")
    return _PREFIX.get(namespace.lower(), "?:") + local


def children(parent: Element) -> Iterator[tuple[str, Element]]:
    """The child elements with their names."""
    for child in parent:
        if isinstance(child.tag, str):
            yield name_of(child), child


def words(element: Element | None) -> str:
    """All text in an element, as it is."""
    return "".join(str(part) for part in element.itertext()).strip() if element is not None else ""


def inner(element: Element) -> str:
    """The content of an element as HTML: its text, or its elements when the HTML was not escaped."""
    if not any(isinstance(child.tag, str) for child in element):
        return words(element)
    parts = [html.escape(element.text or "", quote=False)]
    for child in element:
        for inside in child.iter():
            if isinstance(inside.tag, str) and inside.tag.startswith("{"):
                inside.tag = inside.tag.partition("}")[2]
        parts.append(_XMLNS.sub("", etree.tostring(child, encoding="unicode", method="html", with_tail=True)))
    return "".join(parts).strip()


def xml_base(element: Element) -> str | None:
    """The ``xml:base`` that holds here, if any was written."""
    attribute = "{http://www.w3.org/XML/1998/namespace}base"
    if any(e.get(attribute) for e in (element, *element.iterancestors())):
        return str(element.base) if element.base else None
    return None


def xml_lang(element: Element) -> str | None:
    """The nearest ``xml:lang``."""
    attribute = "{http://www.w3.org/XML/1998/namespace}lang"
    return next((e.get(attribute) for e in (element, *element.iterancestors()) if e.get(attribute)), None)
