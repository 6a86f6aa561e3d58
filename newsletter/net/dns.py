"""Asking the DNS, within a deadline, and telling "there is none" from "nobody answered".

A name that does not exist is a fact about the publication; a resolver that cannot be reached is one about this machine,
and never held against the publication.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import dns.exception
import dns.nameserver
import dns.rdatatype
import dns.resolver

from newsletter.errors import FetchRefused, UsageProblem
from newsletter.net.addresses import ascii_host

Kind = Literal["A", "AAAA", "CNAME", "MX", "TXT"]
State = Literal["found", "none", "no-name", "failed", "unreachable"]

PATIENCE = 3.0
"""Seconds for one question; a resolver that lets two questions pass is not asked again."""
_MOST_SILENCES = 2
_MOST_TEXT = 2_000


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back: ``records`` in the order of their text (MX: "10 mx.example.org"), without a final dot.

    ``none``: the name exists and has no record of this kind. ``no-name``: it does not exist. ``failed``: its servers
    answer with an error. ``unreachable``: nobody answered, and nothing is known.
    """

    state: State
    records: tuple[str, ...] = ()

    @property
    def unknown(self) -> bool:
        """Whether nothing can be concluded from it."""
        return self.state in ("failed", "unreachable")


class Resolver:
    """Asks the system's name servers, or ``servers`` as (address, port), for ``seconds`` in all. For one thread."""

    def __init__(self, servers: Sequence[tuple[str, int]] = (), *, seconds: float = 10.0) -> None:
        self._end = time.monotonic() + seconds
        self._known: dict[tuple[str, Kind], Answer] = {}
        self._silences = 0
        self._resolver: dns.resolver.Resolver | None = None
        try:
            self._resolver = dns.resolver.Resolver(configure=not servers)
        except (dns.exception.DNSException, OSError):  # no resolv.conf, or one without a server
            return
        if servers:
            self._resolver.nameservers = [dns.nameserver.Do53Nameserver(host, port) for host, port in servers]
        self._resolver.timeout = PATIENCE / 2  # so that a second server gets its turn

    def ask(self, name: str, kind: Kind) -> Answer:
        """The records of a name; each question is asked once. Never raises."""
        key = (name.lower().rstrip("."), kind)
        if key not in self._known:
            self._known[key] = self._ask(*key)
        return self._known[key]

    def _ask(self, name: str, kind: Kind) -> Answer:
        left = self._end - time.monotonic()
        if self._resolver is None or left <= 0 or self._silences >= _MOST_SILENCES:
            return Answer("unreachable")
        try:
            found = self._resolver.resolve(_ascii(name), kind, search=False, lifetime=min(PATIENCE, left))
        except dns.resolver.NXDOMAIN:
            return self._heard(Answer("no-name"))
        except dns.resolver.NoAnswer:
            return self._heard(Answer("none"))
        except dns.exception.Timeout:
            self._silences += 1
            return Answer("unreachable")
        except dns.resolver.NoNameservers as refused:
            # Each of its errors is (server, tcp, port, exception, response); without a response nobody was there.
            if any(len(error) > 4 and error[4] is not None for error in refused.kwargs.get("errors", ())):
                return self._heard(Answer("failed"))
            self._silences += 1
            return Answer("unreachable")
        except (dns.exception.DNSException, OSError, UnicodeError, FetchRefused):  # a name that cannot be one
            return Answer("failed")
        records = sorted(_text(record, kind) for record in found)
        return self._heard(Answer("found", tuple(records)))

    def _heard(self, answer: Answer) -> Answer:
        self._silences = 0
        return answer


def parse_server(text: str) -> tuple[str, int]:
    """``9.9.9.9``, ``127.0.0.1:5353`` or ``[::1]:5353`` as (address, port); raises ``UsageProblem``."""
    import ipaddress

    address, port = text, "53"
    if text.startswith("["):
        address, _, port = text[1:].partition("]")
        port = port.removeprefix(":") or "53"
    elif text.count(":") == 1:
        address, _, port = text.partition(":")
    try:
        ipaddress.ip_address(address)
        number = int(port) if port.isascii() and port.isdigit() else 0
    except ValueError:
        number = 0
    if not 0 < number < 65_536:
        raise UsageProblem(
            f"{text!r} is no address of a name server", fix="write 9.9.9.9, 127.0.0.1:5353 or [::1]:5353"
        )
    return address, number


def _ascii(name: str) -> str:
    """IDNA for the labels that need it; labels such as _dmarc are fine in the DNS and no host names."""
    return name if name.isascii() else ascii_host(name)


def _text(record: object, kind: Kind) -> str:
    """A record as one line. What the DNS says is somebody else's text: printable ASCII alone, of a bounded length."""
    strings = getattr(record, "strings", None)
    if kind == "TXT" and strings is not None:
        text = b"".join(strings).decode("ascii", "replace")
    else:
        text = str(record)
    text = "".join(character if " " <= character <= "~" else "?" for character in text)[:_MOST_TEXT]
    if kind == "TXT":
        return text
    # A null MX is "0 ." and keeps its dot.
    return text.lower() if text.endswith(" .") else text.removesuffix(".").lower()
