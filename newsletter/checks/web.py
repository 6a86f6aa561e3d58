"""Addresses on the web, taken apart: whose host it is, and which address is asked whether it answers."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterable, Iterator
from urllib.parse import urlsplit, urlunsplit

_WRITTEN = re.compile(r"https?://[^\s<>()\[\]\"'`|\\{}]+", re.IGNORECASE)
_TRAILING = ".,;:!?*_"
# Second levels under which names are given out, as in example.co.uk; a full list would be a dependency.
_SECOND_LEVELS = {
    "ac",
    "co",
    "com",
    "edu",
    "go",
    "gob",
    "gov",
    "ltd",
    "me",
    "net",
    "ne",
    "nom",
    "or",
    "org",
    "plc",
    "sch",
}


def host_of(address: str) -> str | None:
    """The lower-case host of an http(s) address, without a final dot; None for anything else."""
    try:
        parts = urlsplit(address.strip())
        host = parts.hostname
    except ValueError:
        return None
    return host.rstrip(".") if host and parts.scheme.lower() in ("http", "https") else None


def ip_of(host: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    """The address that a host is, however it is written: browsers read ``2130706433`` and ``0x7f.1`` as IPv4 too."""
    try:
        return ipaddress.ip_address(host)
    except ValueError:
        pass
    parts = host.split(".")
    if not 1 <= len(parts) <= 4 or not all(re.fullmatch(r"0x[0-9a-f]*|[0-9]+", part) for part in parts):
        return None
    try:
        *first, last = [int(p, 16 if p[:2] == "0x" else 8 if p[:1] == "0" and p != "0" else 10) for p in parts]
        if any(part > 255 for part in first) or last >= 256 ** (4 - len(first)):
            return None
    except ValueError:
        return None
    return ipaddress.IPv4Address(sum(part << (24 - 8 * place) for place, part in enumerate(first)) + last)


def within(host: str, hosts: Iterable[str]) -> bool:
    """Whether a host is one of these, or below one of them; ``www.`` makes no difference."""
    bare = host.removeprefix("www.")
    return any(bare == (own := known.lower().removeprefix("www.")) or bare.endswith(f".{own}") for known in hosts)


def organisation(domain: str) -> str:
    """The part of a domain that somebody registered: ``estuary.example`` of ``news.estuary.example``."""
    labels = domain.lower().rstrip(".").split(".")
    second = len(labels) > 2 and len(labels[-1]) == 2 and labels[-2] in _SECOND_LEVELS
    return ".".join(labels[-3 if second else -2 :])


def asked(address: str) -> str:
    """What a server is asked for: without the fragment, and without ``utm_`` parameters, which count a reader.

    An address that cannot be taken apart comes back as it is.
    """
    try:
        parts = urlsplit(address.strip())
    except ValueError:
        return address.strip()
    pairs = [pair for pair in parts.query.split("&") if not pair.lower().startswith("utm_")]
    return urlunsplit((parts.scheme.lower(), parts.netloc, parts.path or "/", "&".join(pairs), ""))


def secure(address: str) -> str:
    """The same address over https."""
    return re.sub(r"(?i)^\s*http:", "https:", address, count=1)


def written_in(text: str) -> Iterator[tuple[int, str]]:
    """The addresses that stand in a text: (place of the first character, address)."""
    for found in _WRITTEN.finditer(text):
        yield found.start(), found.group().rstrip(_TRAILING)
