"""A small DNS server on loopback, which answers from a table, with an error, or not at all."""

from __future__ import annotations

import contextlib
import socket
import threading
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence

import dns.flags
import dns.message
import dns.rcode
import dns.rdatatype
import dns.rrset
import pytest


class DnsServer:
    """``zone`` is {name: {type: [records]}}; names in ``broken`` answer SERVFAIL, names in ``silent`` nothing."""

    def __init__(self, zone: Mapping[str, Mapping[str, Sequence[str]]] | None = None) -> None:
        self.zone = dict(zone or {})
        self.broken: set[str] = set()
        self.silent: set[str] = set()
        self.asked: Counter[tuple[str, str]] = Counter()
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.bind(("127.0.0.1", 0))
        self.address: tuple[str, int] = self._socket.getsockname()
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()

    def close(self) -> None:
        self._socket.sendto(b"", self.address)
        self._thread.join()
        self._socket.close()

    def _serve(self) -> None:
        while True:
            data, client = self._socket.recvfrom(4096)
            if not data:
                return
            query = dns.message.from_wire(data)
            question = query.question[0]
            name = question.name.to_text(omit_final_dot=True).lower()
            kind = dns.rdatatype.to_text(question.rdtype)
            self.asked[name, kind] += 1
            if name not in self.silent:
                self._socket.sendto(self._answer(query, name, kind).to_wire(), client)

    def _answer(self, query: dns.message.Message, name: str, kind: str) -> dns.message.Message:
        response = dns.message.make_response(query)
        response.flags |= dns.flags.RA
        if name in self.broken:
            response.set_rcode(dns.rcode.SERVFAIL)
            return response
        for _ in range(8):
            known = self.zone.get(name)
            if known is None:
                # A name that has others below it exists.
                if not any(other.endswith(f".{name}") for other in self.zone):
                    response.set_rcode(dns.rcode.NXDOMAIN)
                return response
            if kind in known:
                response.answer.append(dns.rrset.from_text_list(f"{name}.", 60, "IN", kind, list(known[kind])))
                return response
            if "CNAME" not in known:
                return response
            response.answer.append(dns.rrset.from_text_list(f"{name}.", 60, "IN", "CNAME", list(known["CNAME"])))
            name = known["CNAME"][0].rstrip(".").lower()
        return response


def txt(*records: str) -> dict[str, list[str]]:
    """TXT records as a zone has them: quoted, in strings of at most 255 characters."""
    return {"TXT": [" ".join(f'"{r[at : at + 255]}"' for at in range(0, max(1, len(r)), 255)) for r in records]}


@pytest.fixture
def dns_server() -> Iterator[DnsServer]:
    with contextlib.closing(DnsServer()) as server:
        yield server
