"""DKIM keys and DMARC policies in the DNS (RFC 6376, RFC 7489)."""

from __future__ import annotations

import base64
import binascii
import re
from dataclasses import dataclass
from typing import Literal

from newsletter.net.dns import Resolver

# RSA keys of 1,024 bits take 140 or 162 bytes, by the form they are written in, those of 2,048 bits 270 or 294.
_TOO_SHORT, _SHORT = 130, 260
_MOST_STEPS = 8
"""Labels that the search for a DMARC policy goes up at most."""

KeyState = Literal["good", "short", "too-short", "testing", "revoked", "broken", "none", "several", "unknown"]


@dataclass(frozen=True, slots=True)
class DkimKey:
    """The key of one selector. ``alias`` is where its name points to, when it is a CNAME."""

    selector: str
    state: KeyState
    alias: str | None = None


@dataclass(frozen=True, slots=True)
class Dmarc:
    """The policy for a domain, and at which ``domain`` it was found: that is the organisation's.

    ``policy`` is that for the domain that was asked for: none, quarantine, reject, or "" for a record without one.
    ``known`` is False when nobody answered; ``count`` is how many records there are: receivers want exactly one.
    ``unheard`` are addresses for reports whose domain does not say that it takes them.
    """

    known: bool
    count: int = 0
    domain: str = ""
    policy: str = ""
    reports: tuple[str, ...] = ()
    unheard: tuple[str, ...] = ()
    strict_dkim: bool = False
    strict_spf: bool = False


def read_dkim(resolver: Resolver, domain: str, selector: str) -> DkimKey:
    """Look at ``<selector>._domainkey.<domain>``."""
    name = f"{selector}._domainkey.{domain}"
    answer = resolver.ask(name, "TXT")
    aliases = resolver.ask(name, "CNAME").records
    alias = aliases[0].rstrip(".") if aliases else None
    if answer.unknown:
        return DkimKey(selector, "unknown", alias)
    keys = [_tags(record) for record in answer.records]
    keys = [tags for tags in keys if "p" in tags]
    if not keys:
        return DkimKey(selector, "none", alias)
    return DkimKey(selector, _key_state(keys[0]) if len(keys) == 1 else "several", alias)


def _key_state(tags: dict[str, str]) -> KeyState:
    text = re.sub(r"\s", "", tags["p"])
    if not text:
        return "revoked"
    try:
        size = len(base64.b64decode(text, validate=True))
    except binascii.Error:
        return "broken"
    if "y" in tags.get("t", "").split(":"):
        return "testing"
    if tags.get("k", "rsa") != "rsa":
        return "good"
    return "too-short" if size < _TOO_SHORT else "short" if size < _SHORT else "good"


def read_dmarc(resolver: Resolver, domain: str) -> Dmarc:
    """The policy at ``_dmarc.<domain>``, or at the nearest domain above that has one."""
    labels = domain.rstrip(".").split(".")
    for step in range(min(len(labels) - 1, _MOST_STEPS)):
        here = ".".join(labels[step:])
        answer = resolver.ask(f"_dmarc.{here}", "TXT")
        if answer.unknown:
            return Dmarc(known=False)
        records = [tags for text in answer.records if (tags := _tags(text)).get("v") == "DMARC1"]
        if len(records) > 1:
            return Dmarc(known=True, count=len(records), domain=here)
        if records:
            return _policy(resolver, records[0], here, own=not step)
    return Dmarc(known=True)


def _policy(resolver: Resolver, tags: dict[str, str], domain: str, *, own: bool) -> Dmarc:
    policy = tags.get("p", "") if own else tags.get("sp", tags.get("p", ""))
    reports = tuple(address.strip().partition("!")[0] for address in tags.get("rua", "").split(",") if address.strip())
    return Dmarc(
        known=True,
        count=1,
        domain=domain,
        policy=policy.lower() if policy.lower() in ("none", "quarantine", "reject") else "",
        reports=reports,
        unheard=tuple(address for address in reports if not _takes_reports(resolver, address, domain)),
        strict_dkim=tags.get("adkim", "").lower() == "s",
        strict_spf=tags.get("aspf", "").lower() == "s",
    )


def _takes_reports(resolver: Resolver, address: str, domain: str) -> bool:
    """Whether reports arrive: at the domain itself, or where the receiving domain allows it (RFC 7489, 7.1)."""
    host = address.rpartition("@")[2].lower().rstrip(".")
    if not address.lower().startswith("mailto:") or "." not in host:
        return False
    if host == domain or host.endswith(f".{domain}") or domain.endswith(f".{host}"):
        return True
    answer = resolver.ask(f"{domain}._report._dmarc.{host}", "TXT")
    return answer.unknown or any(_tags(text).get("v") == "DMARC1" for text in answer.records)


def _tags(record: str) -> dict[str, str]:
    """``v=DMARC1; p=none`` as a mapping; names in lower case, the first of a name counts."""
    tags: dict[str, str] = {}
    for part in record.split(";"):
        name, equals, value = part.partition("=")
        if equals:
            tags.setdefault(name.strip().lower(), value.strip())
    return tags
