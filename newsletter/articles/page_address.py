"""Addresses of a page: whether two are of one site or of one page, and a link without what only counts clicks."""

from __future__ import annotations

import re
from urllib.parse import parse_qsl, urlencode, urljoin, urlsplit

_MOBILE = re.compile(r"^(?:www\d?|m|mobile|amp|touch|wap)\.")
_SECOND_LEVEL = frozenset({"ac", "co", "com", "edu", "gob", "gov", "gouv", "net", "nic", "or", "org", "ne", "go", "in"})
_SHARED = ("blogspot", "wordpress", "substack", "github", "medium", "tumblr", "ghost", "netlify", "vercel", "pages")
_COUNTED = re.compile(r"utm_\w+|fbclid|gclid|dclid|msclkid|mc_[ce]id|igshid|cmpid|ns_\w+|at_\w+|xtor|ocid|amp", re.I)


def site_of(url: str | None) -> str:
    """The registrable name of a URL's host as well as can be told without a list: ``news.x.co.uk`` is ``x.co.uk``.

    Hosts that many publish on (``NAME.substack.com``) keep their first name; an IP address is its own site.
    """
    try:
        host = (urlsplit((url or "").strip()).hostname or "").rstrip(".").lower()
    except ValueError:
        return ""
    labels = host.split(".")
    if len(labels) < 3 or ":" in host or labels[-1].isdigit():
        return host
    keep = 3 if len(labels[-1]) == 2 and labels[-2] in _SECOND_LEVEL else 2
    if labels[-2] in _SHARED:
        keep = 3
    return ".".join(labels[-keep:])


def same_page(one: str, other: str) -> bool:
    """Whether two addresses name one page: scheme, ``www.``, query, fragment and a final slash make no difference."""
    first, second = _bare(one), _bare(other)
    return first is not None and first == second


def _bare(url: str) -> tuple[str, str] | None:
    try:
        parts = urlsplit(url.strip())
    except ValueError:
        return None
    if parts.scheme not in ("https", "http") or not parts.hostname:
        return None
    path = re.sub(r"(?:/amp|\.amp)?/*$", "", parts.path)
    return _MOBILE.sub("", parts.hostname.lower()), path


def joined(base: str | None, address: str) -> str:
    """An address made absolute; what cannot be one is empty."""
    if not address.strip():
        return ""
    try:
        found = urljoin(base or "", address.strip())
        parts = urlsplit(found)
    except ValueError:
        return ""
    fine = parts.scheme in ("https", "http") and parts.netloc and "@" not in parts.netloc
    return found if fine and not re.search(r"[\s\x00-\x1f\x7f\\]", found) else ""


def without_counters(url: str) -> str:
    """A URL without fragment and without the parameters that only say where a reader came from."""
    parts = urlsplit(url.strip())
    kept = [(k, v) for k, v in parse_qsl(parts.query, keep_blank_values=True) if not _COUNTED.fullmatch(k)]
    unchanged = len(kept) == len(parse_qsl(parts.query, keep_blank_values=True))
    return parts._replace(fragment="", query=parts.query if unchanged else urlencode(kept)).geturl()


def is_home(url: str) -> bool:
    """Whether an address is a site's front page, perhaps in a language or a section of one word."""
    try:
        parts = urlsplit(url)
    except ValueError:
        return False
    return (
        not parts.query
        and re.fullmatch(r"/?(?:index\.\w+|home|[a-z]{2}(?:[-_][a-z]{2})?)?/?", parts.path, re.I) is not None
    )
