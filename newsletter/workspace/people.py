"""``[composer]``: whether who is named there, and the proxy that is believed, can be what was meant."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterator
from urllib.parse import urlsplit

from newsletter.workspace.settings import Composer

_HEADER = re.compile(r"[A-Za-z][A-Za-z0-9-]{0,63}")
# What a browser or a proxy sends anyway names nobody, and whoever believed it would let everybody in.
_NO_HEADERS = frozenset({"host", "cookie", "authorization", "origin", "referer", "user-agent", "x-forwarded-for"})


def composer_complaints(composer: Composer) -> Iterator[tuple[str, str, str | None]]:
    """The dotted key, what is wrong with its value, and a hint; addresses and URLs are looked at elsewhere."""
    people = composer.people
    seen: set[str] = set()
    for person in people:
        if not person.email:
            yield "composer.people", "a person has no address", '{email = "ada@example.org", role = "editor"}'
        if person.email.casefold() in seen:
            yield "composer.people", f"{person.email!r} is there twice", "keep one, with one role"
        seen.add(person.email.casefold())
        if any(ord(letter) < 32 for letter in person.name):
            yield "composer.people", "a name has line breaks or control characters", "write it on one line"
    if people and all(person.role != "publisher" for person in people):
        yield "composer.people", "nobody is publisher, so nobody could approve", 'give somebody role = "publisher"'
    yield from _link(composer)
    yield from _proxies(composer)


def _link(composer: Composer) -> Iterator[tuple[str, str, str | None]]:
    parts = urlsplit(composer.url or "")
    if parts.scheme == "http" and parts.hostname not in ("localhost", "127.0.0.1", "::1"):
        yield "composer.url", "without https anybody on the way could sign in as them", "write https://…"
    if parts.path.strip("/"):
        what = "the composer cannot stand below a path: it needs a name (or a port) of its own"
        yield "composer.url", what, f'url = "{parts.scheme}://{parts.netloc}"'


def _proxies(composer: Composer) -> Iterator[tuple[str, str, str | None]]:
    header = composer.user_header
    if header is not None and (not _HEADER.fullmatch(header) or header.lower() in _NO_HEADERS):
        yield "composer.user_header", f"{header!r} is no header that names a user", 'user_header = "X-Forwarded-User"'
    if header is not None and not composer.trusted_proxies:
        hint = 'trusted_proxies = ["10.0.0.5"], or no user_header'
        yield "composer.trusted_proxies", "a header is believed only from a named proxy", hint
    for proxy in composer.trusted_proxies:
        try:
            network = ipaddress.ip_network(proxy, strict=False)
        except ValueError:
            yield "composer.trusted_proxies", f"{proxy!r} is no address or network", '["10.0.0.5", "fd00::/64"]'
            continue
        if network.prefixlen == 0:
            yield "composer.trusted_proxies", f"{proxy!r} is everybody", "name the proxy's own address"
