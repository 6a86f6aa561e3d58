"""What every format's items have in common: addresses, names, languages, pictures, in the order of trust."""

from __future__ import annotations

import html
import re
from collections.abc import Iterable
from urllib.parse import urljoin, urlsplit

from newsletter.articles.html_meta import words_of
from newsletter.models import Picture
from newsletter.workspace.values import LANGUAGE

MOST_TAGS = 20
_IMAGE_SUFFIX = re.compile(r"\.(?:jpe?g|png|gif|webp|avif)$", re.I)
# Only elements of HTML: a title may well speak of a <T> or of 3 < 5.
_TAG = re.compile(
    r"</?(?:a|abbr|b|big|br|cite|code|del|div|em|font|h[1-6]|i|img|ins|li|mark|ol|p|q|s|small|span|strong|sub|sup|svg|tt|u|"
    r"ul|wbr|script|style|iframe|input|form|table|t[dhr])\b[^<>]{0,500}>",
    re.I,
)
_UNSEEN = re.compile(r"<(script|style)\b[^<>]{0,200}>.{0,2000}?</\1\s*>", re.I | re.S)
_NOT_IN_ADDRESSES = re.compile(r"[ {}<>\"\\^`|]")
_MAILBOX = re.compile(r"[^\s@<>()]+@[^\s@<>()]+")
_NO_SECTION = frozenset(
    {"uncategorized", "uncategorised", "allgemein", "non classé", "sin categoría", "senza categoria"}
)


def title_of(text: str) -> str:
    """A title as one line of words: entities that were encoded more than once are resolved, tags taken out."""
    text, before = text[:4000], ""
    while text != before and "&" in text:
        before, text = text, html.unescape(text)
    return " ".join(_TAG.sub("", _UNSEEN.sub("", text)).split())


def absolute(address: str | None, base: str | None) -> str | None:
    """A web address made absolute; None for what is none, holds credentials or cannot be reached."""
    text = re.sub(r"[\t\r\n]", "", (address or "").strip())
    if not text or len(text) > 4000:
        return None
    try:
        found = urljoin(base, text) if base else text
        parts = urlsplit(found)
        fine = parts.scheme in ("https", "http") and bool(parts.hostname) and "@" not in parts.netloc
    except ValueError:
        return None
    if not fine or len(found) > 4000:
        return None
    # What no address may hold, and what would be a merge field here.
    return _NOT_IN_ADDRESSES.sub(lambda one: f"%{ord(one[0]):02X}", found)


def names(values: Iterable[str | None]) -> tuple[str, ...]:
    """Names of authors: ``post@example.org (Ada Reyes)`` is Ada Reyes; an address alone is no name."""
    found = []
    for value in values:
        text = words_of(value)[:300]
        if inside := re.fullmatch(r"\S+@\S+\s*\(([^()]+)\)", text):
            text = inside[1].strip()
        text = re.sub(r"^by:?\s+", "", _MAILBOX.sub("", text).strip(" <>()"), flags=re.IGNORECASE)
        if text and len(text) <= 150 and not re.search(r"https?:|www\.|/", text):
            found.append(text)
    return tuple(dict.fromkeys(found))[:10]


def byline(authors: tuple[str, ...]) -> str | None:
    """``Ada Reyes, Bo Tan and Cy Okoro``."""
    if len(authors) < 2:
        return authors[0] if authors else None
    return f"{', '.join(authors[:-1])} and {authors[-1]}"


def tags(values: Iterable[str | None]) -> tuple[str, ...]:
    """Categories as words, each once; what a CMS writes when an editor chose none is none."""
    found = (words_of(value) for value in values)
    return tuple(dict.fromkeys(t for t in found if t and len(t) <= 100 and t.casefold() not in _NO_SECTION))[:MOST_TAGS]


def language(*values: str | None) -> str | None:
    """The first that is a language tag, as RFC 5646 writes it: ``en_gb`` is ``en-GB``, ``ZH-hans`` is ``zh-Hans``."""
    for value in values:
        text = (value or "").strip().replace("_", "-")
        if LANGUAGE.fullmatch(text):
            first, *rest = text.split("-")
            cased = (part.upper() if len(part) == 2 else part.title() if len(part) == 4 else part for part in rest)
            return "-".join([first.lower(), *cased])
    return None


def is_image(url: str | None, kind: str | None = None, medium: str | None = None, *, sized: bool = False) -> bool:
    """Whether an enclosure or a media element is a picture: by its type, its medium, else by its address.

    ``sized``: it says how wide it is; then an address without any ending will do, as picture servers have them.
    """
    if medium or kind:
        return (medium or "").lower() == "image" or (kind or "").lower().startswith("image/")
    try:
        path = urlsplit(url or "").path
    except ValueError:
        return False
    return bool(_IMAGE_SUFFIX.search(path)) or (sized and "." not in path.rpartition("/")[2])


def picture(
    url: str | None, base: str | None, *, alt: object = None, caption: object = None, credit: object = None
) -> Picture | None:
    """A picture on the web with what was said of it; None without a usable address."""
    address = absolute(html.unescape(url) if url else None, base)
    if address is None:
        return None
    return Picture(
        url=address, alt=words_of(alt) or None, caption=words_of(caption) or None, credit=words_of(credit) or None
    )


def host_of(url: str | None, *, www: bool = False) -> str:
    """The host, without ``www.`` unless that is asked for; nothing where there is none."""
    try:
        host = (urlsplit(url or "").hostname or "").rstrip(".").lower()
    except ValueError:
        return ""
    return host if www else host.removeprefix("www.")
