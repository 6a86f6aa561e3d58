"""Who is at the desk, and what they may do. ``[composer] people`` in ``newsletter.toml`` is the only list of them."""

from __future__ import annotations

import ipaddress
from collections.abc import Mapping, Sequence
from typing import Final, Literal

from newsletter.audience.addresses import normalise
from newsletter.errors import BadData, ConfigurationError, NotAllowed
from newsletter.workspace.settings import Composer, Person, RoleName

Deed = Literal["compose", "test", "report", "approve", "send", "audience", "settings"]
MAY: Final[Mapping[RoleName, frozenset[Deed]]] = {
    "editor": frozenset({"compose", "test", "report"}),
    "publisher": frozenset({"compose", "test", "report", "approve", "send", "audience", "settings"}),
}
_DOES: Final[Mapping[Deed, str]] = {
    "compose": "write issues",
    "test": "send tests",
    "report": "read reports",
    "approve": "approve",
    "send": "send, pause or cancel",
    "audience": "see readers",
    "settings": "change settings",
}


def refuse_open_desk(composer: Composer) -> None:
    """Raise ConfigurationError unless people can sign in: the composer then answers this machine only."""
    if not composer.people:
        raise ConfigurationError(
            "nobody may sign in, so the composer answers this machine only",
            where="newsletter.toml: composer.people",
            fix='people = [{email = "maren@example.org", name = "Maren", role = "publisher"}]',
        )
    if not composer.url and composer.user_header is None:
        raise ConfigurationError(
            "nobody can sign in: there is neither an address for mailed links nor a proxy that says who is there",
            where="newsletter.toml: composer.url",
            fix='url = "https://desk.example.org"',
        )


def may(person: Person, deed: Deed) -> bool:
    """Whether a person's role allows something."""
    return deed in MAY[person.role]


def require(person: Person, deed: Deed) -> None:
    """Raise NotAllowed when a person's role does not allow something."""
    if not may(person, deed):
        able = [role for role, deeds in MAY.items() if deed in deeds]
        raise NotAllowed(
            f"{person.label} is {person.role} and may not {_DOES[deed]}",
            where="newsletter.toml: composer.people",
            fix=f"ask a {' or '.join(able)}",
        )


def person_of(composer: Composer, address: str) -> Person | None:
    """Who has this address, however it is written; None for anybody else."""
    wanted = key_of(address)
    return next((person for person in composer.people if wanted and key_of(person.email) == wanted), None)


def key_of(address: str) -> str | None:
    """What makes two spellings of an address one person; None for what is no address."""
    try:
        return normalise(address)[1]
    except BadData:
        return None


def person_from_proxy(composer: Composer, peer: str, values: Sequence[str]) -> Person | None:
    """Who the proxy says is there. ``peer`` is the address that the connection comes from, ``values`` what the
    requests' headers named ``user_header`` hold.

    None unless the peer is a trusted proxy and there is exactly one such header: a second one came from outside.
    """
    if composer.user_header is None or len(values) != 1 or not is_trusted(composer, peer):
        return None
    return person_of(composer, values[0])


def is_trusted(composer: Composer, peer: str) -> bool:
    """Whether a connection comes from one of ``trusted_proxies``."""
    address = _address(peer)
    return address is not None and any(
        address in ipaddress.ip_network(network, strict=False) for network in composer.trusted_proxies
    )


def caller(composer: Composer, peer: str, passed: Sequence[str], forwarded: Sequence[str]) -> str:
    """The address that a request comes from. ``peer`` is where the connection comes from, ``passed`` the values of its
    ``X-Forwarded-For`` headers, ``forwarded`` those of ``Forwarded`` (RFC 7239).

    Only what a trusted proxy says counts: every proxy adds, on the right, whom it saw, so it is the right-most address
    that is no trusted proxy itself; all to its left anybody may have written. Where both headers are there and name
    two, one of them came from outside, and nobody knows which: then it is the proxy's own address, as where it names
    nobody.
    """
    if not is_trusted(composer, peer):
        return peer
    chains = [
        [hop.strip() for value in passed for hop in value.split(",")],
        [_for(element) for value in forwarded for element in value.split(",")],
    ]
    found = {_nearest(composer, chain) for chain in chains if chain}
    return (found.pop() if len(found) == 1 else None) or peer


def _for(element: str) -> str:
    """Who sent it, of one hop of a ``Forwarded`` header: ``for="[2001:db8::7]:4711";proto=https``."""
    pairs = (pair.partition("=") for pair in element.split(";"))
    return next((value.strip().strip('"') for name, _, value in pairs if name.strip().lower() == "for"), "")


def _nearest(composer: Composer, hops: Sequence[str]) -> str | None:
    """The right-most hop that is no trusted proxy; None when somebody on the way did not say whom they saw."""
    address = None
    for hop in reversed(hops):
        address = _address(hop)
        if address is None or not is_trusted(composer, str(address)):
            break
    return str(address) if address else None


def _address(text: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    """An IP address, without the port, the brackets and the zone that it may have; IPv4 within IPv6 is IPv4."""
    host = text.partition("]")[0].removeprefix("[") if text.startswith("[") else text
    if host.count(":") == 1:
        host = host.partition(":")[0]
    try:
        address = ipaddress.ip_address(host.partition("%")[0])
    except ValueError:
        return None
    mapped = address.ipv4_mapped if isinstance(address, ipaddress.IPv6Address) else None
    return mapped or address
