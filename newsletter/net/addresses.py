"""Which addresses on the network may be fetched from, and how a URL is read before anything is opened.

``ipaddress.is_global`` alone is not enough: on Python 3.11 it is True for NAT64 (``64:ff9b::/96``), 6to4
(``2002::/16``), site-local (``fec0::/10``) and parts of ``192.0.0.0/24``; each can lead into a private network.
"""

from __future__ import annotations

import ipaddress
import re
import socket
import threading
from collections.abc import Collection
from dataclasses import dataclass
from typing import Any
from urllib.parse import SplitResult, quote, urlsplit

import idna

from newsletter.errors import FetchRefused, RemoteError

IPAddress = ipaddress.IPv4Address | ipaddress.IPv6Address

DENIED = tuple(
    ipaddress.ip_network(network)
    for network in (
        "0.0.0.0/8",  # this host on this network (RFC 1122)
        "10.0.0.0/8",  # private (RFC 1918)
        "100.64.0.0/10",  # carrier-grade NAT (RFC 6598)
        "127.0.0.0/8",  # loopback
        "169.254.0.0/16",  # link-local, where clouds keep their metadata service
        "172.16.0.0/12",  # private (RFC 1918)
        "192.0.0.0/24",  # IETF protocol assignments (RFC 6890)
        "192.0.2.0/24",  # documentation
        "192.31.196.0/24",  # AS112
        "192.52.193.0/24",  # AMT
        "192.88.99.0/24",  # 6to4 relays
        "192.168.0.0/16",  # private (RFC 1918)
        "192.175.48.0/24",  # AS112
        "198.18.0.0/15",  # benchmarking
        "198.51.100.0/24",  # documentation
        "203.0.113.0/24",  # documentation
        "224.0.0.0/4",  # multicast
        "240.0.0.0/4",  # reserved, and broadcast
        "::/96",  # unspecified, loopback and IPv4-compatible
        "::ffff:0:0/96",  # IPv4-mapped
        "::ffff:0:0:0/96",  # IPv4-translated (RFC 2765)
        "64:ff9b::/96",  # NAT64 (RFC 6052)
        "64:ff9b:1::/48",  # local NAT64 (RFC 8215)
        "100::/64",  # discard
        "2001::/23",  # IETF protocol assignments, with Teredo
        "2001:db8::/32",  # documentation
        "2002::/16",  # 6to4
        "3fff::/20",  # documentation (RFC 9637)
        "5f00::/16",  # segment routing
        "fc00::/7",  # unique local
        "fe80::/10",  # link-local
        "fec0::/10",  # site-local
        "ff00::/8",  # multicast
    )
)
"""Networks that are refused whatever the standard library thinks of them (IANA special-purpose registries)."""

SCHEMES = {"http": 80, "https": 443}
_UNSAFE = re.compile(r"[\x00-\x20\x7f\\]")
_ALLOWED_PORTS_FIX = "Use an address on port 80 or 443."


@dataclass(frozen=True, slots=True)
class Target:
    """A checked URL. ``host`` is ASCII, lower case, without brackets or final dot; ``path`` starts with ``/``."""

    scheme: str
    host: str
    port: int
    path: str

    @property
    def netloc(self) -> str:
        """The Host header: brackets around IPv6, the port unless it is the scheme's own."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == SCHEMES[self.scheme] else f"{host}:{self.port}"

    @property
    def url(self) -> str:
        """The URL as it is asked for."""
        return f"{self.scheme}://{self.netloc}{self.path}"


def shown(url: str) -> str:
    """The URL for messages: no credentials, no query (signed URLs are secrets), one line, at most 120 characters."""
    plain = _UNSAFE.sub("", url.split("?", 1)[0].split("#", 1)[0])
    plain = re.sub(r"//[^/]*@", "//", plain)
    return plain if len(plain) <= 120 else plain[:119] + "…"


def read_url(url: str, *, ports: Collection[int], allow_hosts: Collection[str]) -> Target:
    """Take a URL apart and refuse what is never fetched; a host of ``allow_hosts`` may use any port.

    Raises FetchRefused for another scheme, credentials, control characters, a host that is no host, a closed port.
    """
    parts, host = _split(url)
    try:
        port = parts.port or SCHEMES[parts.scheme]
    except ValueError as wrong:
        raise FetchRefused("the port is not a number from 1 to 65535", where=shown(url)) from wrong
    if port not in ports and not allowed(host, allow_hosts):
        raise FetchRefused(f"port {port} is not fetched from", where=shown(url), fix=_ALLOWED_PORTS_FIX)
    # What is already percent-encoded stays; only characters that may not travel in a request line are encoded.
    path = quote(parts.path or "/", safe="/%:@!$&'()*+,;=~-._")
    query = quote(parts.query, safe="/%:@!$&'()*+,;=~-._?[]|")
    return Target(parts.scheme, host, port, f"{path}?{query}" if parts.query else path)


def _split(url: str) -> tuple[SplitResult, str]:
    if _UNSAFE.search(url.strip()):
        raise FetchRefused("the address holds a space, a backslash or a control character", where=shown(url))
    try:
        parts = urlsplit(url.strip())
        name = parts.hostname
    except ValueError as wrong:
        raise FetchRefused("this is no web address", where=shown(url)) from wrong
    if parts.scheme not in SCHEMES:
        what = f"{parts.scheme}: addresses are not fetched" if parts.scheme else "this is no web address"
        raise FetchRefused(what, where=shown(url), fix="Use an address that starts with https:// or http://.")
    if "@" in parts.netloc:
        raise FetchRefused(
            "the address holds a user name or a password",
            where=shown(url),
            fix="Take out what stands before the @: credentials in addresses end up in logs and mails.",
        )
    if not name:
        raise FetchRefused("the address names no host", where=shown(url))
    return parts, ascii_host(name, url)


def ascii_host(name: str, url: str | None = None) -> str:
    """A host name in ASCII (IDNA 2008, UTS 46), lower case and without its final dot; an IP literal as it is."""
    name = name.rstrip(".").lower()
    if ":" in name:
        if "%" in name:
            raise FetchRefused("an address with a zone is not fetched", where=shown(url or name))
        return name
    if name.isascii() and re.fullmatch(r"[a-z0-9_.-]{1,253}", name):
        return name
    try:
        return idna.encode(name, uts46=True).decode("ascii")
    except (idna.IDNAError, UnicodeError) as wrong:
        raise FetchRefused("the host name cannot be one", where=shown(url or name)) from wrong


def allowed(host: str, allow_hosts: Collection[str]) -> bool:
    """Whether the configuration names this host: case and a final dot make no difference, subdomains are not meant."""
    return host in {listed.strip().strip("[]").rstrip(".").lower() for listed in allow_hosts}


def is_denied(address: IPAddress) -> bool:
    """Whether an address belongs to a private, local, reserved or translated network."""
    if not address.is_global or address.is_multicast or address.is_reserved:
        return True
    return any(address in network for network in DENIED if network.version == address.version)


def resolve(target: Target, *, allow_hosts: Collection[str], timeout: float) -> tuple[str, ...]:
    """The addresses of a host, each checked, as text for ``connect``; ``timeout`` is in seconds.

    One denied address refuses the host: a name that points both ways is an attack, not a choice. Raises FetchRefused,
    or RemoteError when the name does not resolve or the resolver does not answer in time.
    """
    found = _look_up(target, timeout)
    addresses = tuple(dict.fromkeys(str(entry[4][0]) for entry in found))
    if allowed(target.host, allow_hosts):
        return addresses
    for address in addresses:
        if "%" in address or is_denied(ipaddress.ip_address(address)):
            raise FetchRefused(
                f"{target.host} is on a private or reserved network ({address})",
                where=shown(target.url),
                fix=f'If the server is yours, add "{target.host}" to allow_hosts under [images] in newsletter.toml.',
            )
    return addresses


def _look_up(target: Target, timeout: float) -> list[tuple[Any, ...]]:
    """``getaddrinfo`` in a thread of its own, because it knows no timeout and the deadline counts for it too."""
    outcome: list[list[tuple[Any, ...]] | Exception] = []

    def ask() -> None:
        try:
            outcome.append(socket.getaddrinfo(target.host, target.port, type=socket.SOCK_STREAM))
        except (OSError, UnicodeError, ValueError) as wrong:
            outcome.append(wrong)

    worker = threading.Thread(target=ask, daemon=True, name="newsletter-resolve")
    worker.start()
    worker.join(timeout)
    answer = outcome[0] if outcome else None
    if isinstance(answer, list) and answer:
        return answer
    what = "does not resolve" if outcome else f"was not resolved within {timeout:.0f} s"
    cause = answer if isinstance(answer, Exception) else None
    raise RemoteError(
        f"the host name {target.host} {what}",
        where=shown(target.url),
        fix="Check the spelling of the host and this machine's DNS.",
    ) from cause
