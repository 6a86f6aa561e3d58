"""Asking the DNS: what there is, what there is not, and what nobody can say. Against a real server on loopback."""

from __future__ import annotations

import socket

import dns.resolver
import pytest

from newsletter.errors import UsageProblem
from newsletter.net.dns import Answer, Resolver, parse_server
from tests.net.dns_server import DnsServer, txt


def ask(server: DnsServer, name: str, kind: str, **options: float) -> Answer:
    return Resolver([server.address], **options).ask(name, kind)


def test_records_are_read_as_text(dns_server: DnsServer) -> None:
    """MX with their preference, TXT with their strings joined, names without the final dot and in lower case."""
    dns_server.zone["saltford.org"] = {
        "MX": ["20 b.saltford.org.", "10 A.saltford.org."], "A": ["192.0.2.7"], "AAAA": ["2001:db8::7"],
        **txt("v=spf1 " + "a" * 300, "other"),
    }  # fmt: skip
    dns_server.zone["www.saltford.org"] = {"CNAME": ["saltford.org."]}
    assert ask(dns_server, "saltford.org", "MX").records == ("10 a.saltford.org", "20 b.saltford.org")
    assert ask(dns_server, "Saltford.ORG.", "A").records == ("192.0.2.7",)
    assert ask(dns_server, "saltford.org", "AAAA").records == ("2001:db8::7",)
    assert ask(dns_server, "saltford.org", "TXT").records == ("other", "v=spf1 " + "a" * 300)
    assert ask(dns_server, "www.saltford.org", "CNAME").records == ("saltford.org",)
    assert ask(dns_server, "www.saltford.org", "A").records == ("192.0.2.7",)


def test_none_no_name_and_a_failing_server_are_three_things(dns_server: DnsServer) -> None:
    """Only the last one is unknown."""
    dns_server.zone["saltford.org"] = {"A": ["192.0.2.7"]}
    dns_server.broken.add("broken.org")
    assert ask(dns_server, "saltford.org", "TXT") == Answer("none")
    assert ask(dns_server, "nowhere.org", "TXT") == Answer("no-name")
    assert ask(dns_server, "broken.org", "TXT") == Answer("failed")
    assert [Answer(state).unknown for state in ("none", "no-name", "failed", "unreachable")] == [
        False,
        False,
        True,
        True,
    ]


def test_a_question_is_asked_once(dns_server: DnsServer) -> None:
    """SPF, DKIM and DMARC look at the same names; the answer stays the same within one look."""
    dns_server.zone["saltford.org"] = {"A": ["192.0.2.7"]}
    resolver = Resolver([dns_server.address])
    assert resolver.ask("saltford.org", "A") == resolver.ask("SALTFORD.org.", "A")
    assert dns_server.asked["saltford.org", "A"] == 1


def test_a_resolver_that_is_silent_twice_is_not_asked_again(
    dns_server: DnsServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nine more questions would be nine more waits; an answer in between is a sign of life."""
    monkeypatch.setattr("newsletter.net.dns.PATIENCE", 0.2)
    names = [f"silent{n}.org" for n in range(5)]
    dns_server.silent.update(names)
    dns_server.zone["saltford.org"] = {"A": ["192.0.2.7"]}
    resolver = Resolver([dns_server.address])
    assert resolver.ask(names[0], "A") == Answer("unreachable")
    assert resolver.ask("saltford.org", "A").state == "found"
    assert [resolver.ask(name, "A").state for name in names[1:]] == ["unreachable"] * 4
    assert {name for name, _ in dns_server.asked} == {*names[:3], "saltford.org"}
    assert resolver.ask("saltford.org", "TXT").state == "unreachable"


def test_after_the_deadline_nothing_is_asked(dns_server: DnsServer) -> None:
    """The time is for all questions together."""
    assert ask(dns_server, "saltford.org", "A", seconds=0.0) == Answer("unreachable")
    assert not dns_server.asked


def test_a_port_where_nobody_listens_is_unreachable() -> None:
    """The system says so at once; that is no answer about the name."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as free:
        free.bind(("127.0.0.1", 0))
        address = free.getsockname()
    assert Resolver([address], seconds=2.0).ask("saltford.org", "A") == Answer("unreachable")


def test_a_machine_without_a_name_server_is_unreachable(monkeypatch: pytest.MonkeyPatch) -> None:
    """A container without resolv.conf."""

    def none(self: object, filename: str) -> None:
        raise dns.resolver.NoResolverConfiguration

    monkeypatch.setattr(dns.resolver.Resolver, "read_resolv_conf", none)
    assert Resolver().ask("saltford.org", "A") == Answer("unreachable")


@pytest.mark.parametrize("name", ["a" * 64 + ".org", "a..org", "x" * 300, "\ud800.org", "b\u00fccher-.org-"])
def test_a_name_that_cannot_be_one_is_no_error(dns_server: DnsServer, name: str) -> None:
    """It is answered like a name whose servers fail: nothing is known."""
    assert ask(dns_server, name, "A").records == ()


def test_a_name_beyond_ascii_is_asked_in_its_dns_form(dns_server: DnsServer) -> None:
    dns_server.zone["xn--bcher-kva.org"] = {"A": ["192.0.2.7"]}
    assert ask(dns_server, "bücher.org", "A").records == ("192.0.2.7",)


def test_what_the_dns_says_cannot_steer_a_terminal(dns_server: DnsServer) -> None:
    """Escapes and other bytes are question marks, and a record of ten thousand characters is cut."""
    dns_server.zone["evil.org"] = {"TXT": ['"v=spf1 \\027[31m \\200"', " ".join(f'"{"x" * 250}"' for _ in range(12))]}
    first, second = ask(dns_server, "evil.org", "TXT").records
    assert first == "v=spf1 ?[31m ?"
    assert len(second) == 2_000


@pytest.mark.parametrize(
    ("text", "server"),
    [
        ("9.9.9.9", ("9.9.9.9", 53)),
        ("127.0.0.1:5353", ("127.0.0.1", 5353)),
        ("[::1]:54", ("::1", 54)),
        ("::1", ("::1", 53)),
    ],
)
def test_a_name_server_is_an_address_with_or_without_a_port(text: str, server: tuple[str, int]) -> None:
    assert parse_server(text) == server


@pytest.mark.parametrize("text", ["dns.saltford.org", "1.2.3", "127.0.0.1:99999", "127.0.0.1:x", "", "127.0.0.1:0"])
def test_anything_else_is_a_usage_problem(text: str) -> None:
    with pytest.raises(UsageProblem, match="no address of a name server"):
        parse_server(text)
