"""What a domain's SPF record says, and whether a receiver would understand it (RFC 7208).

The whole tree of ``include`` and ``redirect`` is read, as a receiver reads it in the worst case: it may cost ten
look-ups and two that find nothing; one more, and the record is worth nothing.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator
from dataclasses import dataclass, field

from newsletter.net.dns import Resolver

MOST_LOOKUPS = 10
MOST_VOID = 2
MOST_MX = 10
"""RFC 7208, 4.6.4: more of any is a permanent error."""

_STOP = 3 * MOST_LOOKUPS
"""What is this far beyond the limit need not be counted to its end."""
_QUALIFIERS = "+-~?"

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
Network = ipaddress.IPv4Network | ipaddress.IPv6Network


@dataclass(slots=True)
class Spf:
    """``records`` are the domain's own SPF records: a receiver wants exactly one.

    ``rest`` is what becomes of everybody else: "-" refused, "~" suspected, "?" or "" nothing, "+" let through.
    ``lookups`` and ``void`` count the whole tree; ``errors`` make the record void, ``includes`` are all domains that
    it takes in. ``unsure``: some of it could not be read from here, or depends on the mail.
    """

    domain: str
    records: tuple[str, ...] = ()
    known: bool = True
    rest: str = ""
    lookups: int = 0
    void: int = 0
    errors: list[str] = field(default_factory=list)
    includes: list[str] = field(default_factory=list)
    uses_ptr: bool = False
    unsure: bool = False
    allowed: list[tuple[str, Network]] = field(default_factory=list)

    def verdict(self, address: Address) -> str:
        """The qualifier of the first network that holds the address, else ``rest``."""
        for qualifier, network in self.allowed:
            if address.version == network.version and address in network:
                return qualifier
        return self.rest


def read_spf(resolver: Resolver, domain: str) -> Spf:
    """Read a domain's SPF record with all that it takes in. Never raises; ``known`` is False when nobody answered."""
    spf = Spf(domain)
    found = _records(resolver, domain)
    if found is None:
        spf.known = False
        return spf
    spf.records = tuple(found)
    if len(found) == 1:
        spf.rest = _Walk(resolver, spf).read(domain, found[0], _At((domain.lower(),)))
        if spf.lookups > MOST_LOOKUPS:
            more = "more than " if spf.lookups >= _STOP else ""
            spf.errors.append(f"it costs {more}{spf.lookups} look-ups, and receivers stop after {MOST_LOOKUPS}")
        if spf.void > MOST_VOID:
            spf.errors.append(f"{spf.void} of its look-ups find nothing, and receivers stop after {MOST_VOID}")
    return spf


def _records(resolver: Resolver, domain: str) -> list[str] | None:
    answer = resolver.ask(domain, "TXT")
    if answer.unknown:
        return None
    return [text for text in answer.records if text.lower() == "v=spf1" or text.lower().startswith("v=spf1 ")]


@dataclass(frozen=True, slots=True)
class _At:
    """Where the reading is. ``path`` are the domains that led there: one of them again is a loop.

    ``inside`` an include only a pass counts, and it counts as the include does: ``qualifier``.
    """

    path: tuple[str, ...]
    inside: bool = False
    qualifier: str = "+"

    def means(self, own: str) -> str:
        """What a match of a mechanism with the qualifier ``own`` means for the whole; "" when nothing."""
        if not self.inside:
            return own
        return self.qualifier if own == "+" else ""


class _Walk:
    """One reading of the tree."""

    def __init__(self, resolver: Resolver, spf: Spf) -> None:
        self._resolver = resolver
        self._spf = spf

    def read(self, domain: str, record: str, at: _At) -> str:
        """Take in one record; what it says of everybody else."""
        redirect = None
        for term in record.split()[1:]:
            name, _, value = term.lstrip(_QUALIFIERS).partition(":")
            if "=" in name:  # a modifier
                modifier, _, target = term.partition("=")
                redirect = target if modifier.lower() == "redirect" else redirect
                continue
            own = term[0] if term[0] in _QUALIFIERS else "+"
            if name.lower() == "all":
                return own
            self._mechanism(domain, name.lower(), value, own, at)
        return self._follow(redirect, "redirect=", at) if redirect is not None else ""

    def _mechanism(self, domain: str, name: str, value: str, own: str, at: _At) -> None:
        means = at.means(own)
        name, _, bits = name.partition("/")
        if name in ("ip4", "ip6"):
            self._network(name, value, means)
        elif name in ("a", "mx"):
            target, _, more = value.partition("/")
            self._hosts(name, target or domain, bits or more, means)
        elif name == "include":
            self._follow(value, "include:", _At(at.path, True, means))
        elif name in ("ptr", "exists"):
            self._spf.lookups += 1
            self._spf.unsure = True
            self._spf.uses_ptr = self._spf.uses_ptr or name == "ptr"
        else:
            self._spf.errors.append(f'"{name[:40]}" is no mechanism of SPF')

    def _network(self, name: str, value: str, means: str) -> None:
        try:
            network = ipaddress.ip_network(value, strict=False)
        except ValueError:
            network = None
        if network is None or network.version != int(name[2]):
            self._spf.errors.append(f'"{name}:{value[:40]}" is no {name} network')
        elif means:
            self._spf.allowed.append((means, network))

    def _hosts(self, name: str, target: str, bits: str, means: str) -> None:
        self._spf.lookups += 1
        if self._skip(target):
            return
        hosts = [target]
        if name == "mx":
            answer = self._resolver.ask(target, "MX")
            self._note(answer.unknown, void=not answer.records)
            hosts = [record.partition(" ")[2].rstrip(".") for record in answer.records]
            if len(hosts) > MOST_MX:
                self._spf.errors.append(f"{target} has {len(hosts)} mail servers, and receivers look at {MOST_MX}")
        found = [address for host in hosts[:MOST_MX] if host for address in self._addresses(host)]
        if name == "a":
            asked = [self._resolver.ask(target, kind) for kind in ("A", "AAAA")]
            self._note(any(answer.unknown for answer in asked), void=not found)
        four, _, six = bits.partition("//")
        for address in found if means else ():
            size = (four if address.version == 4 else six) or str(address.max_prefixlen)
            try:
                self._spf.allowed.append((means, ipaddress.ip_network(f"{address}/{size}", strict=False)))
            except ValueError:
                self._spf.errors.append(f'"/{bits[:40]}" is no size of a network')
                return

    def _addresses(self, host: str) -> Iterator[Address]:
        for kind in ("A", "AAAA"):
            answer = self._resolver.ask(host, kind)
            self._spf.unsure = self._spf.unsure or answer.unknown
            yield from (ipaddress.ip_address(record) for record in answer.records)

    def _follow(self, target: str, how: str, at: _At) -> str:
        """Read what an include or a redirect names; what it says of everybody else, which counts for a redirect."""
        self._spf.lookups += 1
        target = target.lower().rstrip(".")
        if self._skip(target) or self._spf.lookups >= _STOP:
            return ""
        if target in at.path:
            self._spf.errors.append(f"it goes round in a circle: {' > '.join((*at.path, target))}")
            return ""
        found = _records(self._resolver, target)
        if found is None:
            self._spf.unsure = True
            return ""
        self._spf.includes.append(target)
        if len(found) != 1:
            self._note(unknown=False, void=not self._resolver.ask(target, "TXT").records)
            self._spf.errors.append(f"{how}{target[:80]} has {len(found) or 'no'} SPF record{'s' if found else ''}")
            return ""
        return self.read(target, found[0], _At((*at.path, target), at.inside, at.qualifier))

    def _skip(self, target: str) -> bool:
        """A name with a macro is made from each mail; it is counted and cannot be followed from here."""
        if "%" in target:
            self._spf.unsure = True
        return "%" in target or not target

    def _note(self, unknown: bool, *, void: bool) -> None:
        self._spf.unsure = self._spf.unsure or unknown
        self._spf.void += void and not unknown
