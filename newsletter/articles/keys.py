"""What stories are compared by: their words, their address, what their source calls them."""

from __future__ import annotations

import re
import unicodedata
from urllib.parse import parse_qsl, urlencode, urlsplit

from newsletter.articles.plain import plain_text
from newsletter.articles.shape import title_key
from newsletter.models import Article
from newsletter.workspace.files import sha256_hex

_TRACKING = re.compile(r"utm_\w+|fbclid|gclid|mc_[ce]id|igshid|ref|cmpid|ns_\w+")


def content_key(article: Article) -> str:
    """The SHA-256 of a story's words: blanks, kinds of quotes in the headline and Markdown marks make no difference."""
    words = " ".join(plain_text(article.body).split())
    return sha256_hex(f"{title_key(article.headline)}\n{unicodedata.normalize('NFC', words)}".encode())


def url_key(link: str | None) -> str | None:
    """An address for comparison only: no scheme, ``www.``, fragment, final slash or tracking parameters."""
    if not link:
        return None
    try:
        parts = urlsplit(link.strip())
        query = [
            (k, v) for k, v in parse_qsl(parts.query, keep_blank_values=True) if not _TRACKING.fullmatch(k.lower())
        ]
    except ValueError:
        return link.strip()
    host = (parts.netloc or "").lower().rpartition("@")[2].removeprefix("www.")
    return f"{host}{parts.path.rstrip('/')}" + (f"?{urlencode(sorted(query))}" if query else "")


def guid_key(article: Article) -> str | None:
    """What the source itself calls the story, for comparison."""
    return (article.origin.guid or "").strip() or None


def host_of(url: str | None) -> str | None:
    """``estuary.example``: what a source is called that has no name of its own."""
    return (url_key(url) or "").partition("/")[0].partition("?")[0] or None
