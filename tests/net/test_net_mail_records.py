"""SPF, DKIM and DMARC as a receiver reads them, against a real DNS server on loopback."""

from __future__ import annotations

import base64
import ipaddress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from newsletter.net.dns import Resolver
from newsletter.net.mail_records import read_dkim, read_dmarc
from newsletter.net.spf import MOST_LOOKUPS, Spf, read_spf
from tests.net.dns_server import DnsServer, txt

DOMAIN = "saltford.org"


def spf_of(server: DnsServer, domain: str = DOMAIN) -> Spf:
    return read_spf(Resolver([server.address]), domain)


def verdict(spf: Spf, address: str) -> str:
    return spf.verdict(ipaddress.ip_address(address))


# -- SPF --------------------------------------------------------------------------------------------------------


def test_a_good_record_names_who_may_send(dns_server: DnsServer) -> None:
    """Networks, hosts, mail servers and what others' records let through, in the order of the record."""
    dns_server.zone.update(
        {
            DOMAIN: {"A": ["192.0.2.1"], "MX": ["10 mx.saltford.org."], **txt(
                "google-site-verification=x",
                "v=spf1 ip4:198.51.100.0/24 ip6:2001:db8::/32 a mx/28 -ip4:203.0.113.9 include:_spf.post.net ~all",
            )},
            "mx.saltford.org": {"A": ["192.0.2.40"], "AAAA": ["2001:db9::40"]},
            "_spf.post.net": txt("v=spf1 ip4:203.0.113.0/24 -ip4:192.0.2.200 -all"),
        }
    )  # fmt: skip
    spf = spf_of(dns_server)
    assert (spf.known, len(spf.records), spf.errors, spf.rest) == (True, 1, [], "~")
    assert (spf.lookups, spf.void, spf.includes, spf.unsure) == (3, 0, ["_spf.post.net"], False)
    passes = ("198.51.100.7", "2001:db8::1", "192.0.2.1", "192.0.2.47", "2001:db9::40", "203.0.113.10")
    assert [verdict(spf, address) for address in passes] == ["+"] * 6
    assert verdict(spf, "203.0.113.9") == "-"
    # What an included record refuses is not refused by the one that includes it.
    assert verdict(spf, "192.0.2.200") == "~"


def test_a_redirect_is_the_record_of_another_domain(dns_server: DnsServer) -> None:
    """With its networks and its end; it counts only where nothing else ends the record."""
    dns_server.zone.update(
        {
            DOMAIN: txt("v=spf1 ip4:192.0.2.1 redirect=_spf.post.net"),
            "_spf.post.net": txt("v=spf1 ip4:203.0.113.0/24 -all"),
            "ended.org": txt("v=spf1 redirect=_spf.post.net ?all"),
        }
    )
    spf = spf_of(dns_server)
    assert (spf.rest, spf.lookups, verdict(spf, "203.0.113.1"), verdict(spf, "8.8.8.8")) == ("-", 1, "+", "-")
    assert spf_of(dns_server, "ended.org").rest == "?"


def test_no_record_several_records_and_nobody_to_ask(dns_server: DnsServer) -> None:
    """One record that begins like SPF and is none does not count."""
    dns_server.zone.update(
        {"none.org": txt("v=spf10 all"), "two.org": txt("v=spf1 -all", "V=SPF1 mx -all"), "bare.org": txt("v=spf1")}
    )
    dns_server.broken.add("broken.org")
    assert spf_of(dns_server, "nowhere.org").records == ()
    assert spf_of(dns_server, "none.org").records == ()
    assert len(spf_of(dns_server, "two.org").records) == 2
    assert (spf_of(dns_server, "bare.org").rest, spf_of(dns_server, "bare.org").errors) == ("", [])
    assert not spf_of(dns_server, "broken.org").known


@pytest.mark.parametrize(("count", "good"), [(MOST_LOOKUPS, True), (MOST_LOOKUPS + 1, False)])
def test_ten_look_ups_are_allowed_and_eleven_are_not(dns_server: DnsServer, count: int, good: bool) -> None:
    """RFC 7208, 4.6.4: the look-ups of included records count too."""
    inner = [f"include:i{n}.post.net" for n in range(count - 1)]
    dns_server.zone[DOMAIN] = txt("v=spf1 include:all.post.net -all")
    dns_server.zone["all.post.net"] = txt(f"v=spf1 {' '.join(inner)} -all")
    for n in range(count - 1):
        dns_server.zone[f"i{n}.post.net"] = txt(f"v=spf1 ip4:192.0.2.{n} -all")
    spf = spf_of(dns_server)
    assert spf.lookups == count
    assert (spf.errors == []) == good
    if not good:
        assert spf.errors == ["it costs 11 look-ups, and receivers stop after 10"]


def test_a_record_that_takes_in_a_thousand_others_is_not_read_to_its_end(dns_server: DnsServer) -> None:
    """What is far beyond the limit need not be counted exactly, and nobody's name server is flooded."""
    for n in range(200):
        dns_server.zone[f"i{n}.post.net"] = txt(f"v=spf1 include:i{n + 1}.post.net include:i{n + 2}.post.net -all")
    dns_server.zone[DOMAIN] = txt("v=spf1 include:i0.post.net -all")
    spf = spf_of(dns_server)
    assert "it costs more than" in spf.errors[-1]
    assert sum(dns_server.asked.values()) <= 31


@pytest.mark.parametrize(
    "loop",
    [
        {DOMAIN: "v=spf1 include:saltford.org -all"},
        {DOMAIN: "v=spf1 include:b.org -all", "b.org": "v=spf1 include:SALTFORD.org. -all"},
        {DOMAIN: "v=spf1 redirect=b.org", "b.org": "v=spf1 redirect=saltford.org"},
        {DOMAIN: "v=spf1 redirect=b.org", "b.org": "v=spf1 redirect=b.org"},
    ],
)
def test_a_circle_is_an_error_and_comes_to_an_end(dns_server: DnsServer, loop: dict[str, str]) -> None:
    dns_server.zone.update({name: txt(record) for name, record in loop.items()})
    (error,) = spf_of(dns_server).errors
    assert error.startswith("it goes round in a circle: saltford.org > ")


def test_look_ups_that_find_nothing_are_counted(dns_server: DnsServer) -> None:
    """Two are allowed (RFC 7208, 4.6.4)."""
    dns_server.zone[DOMAIN] = txt("v=spf1 a:no1.org mx:no2.org -all")
    assert (spf_of(dns_server).void, spf_of(dns_server).errors) == (2, [])
    dns_server.zone[DOMAIN] = txt("v=spf1 a:no1.org mx:no2.org a:no3.org -all")
    assert spf_of(dns_server).errors == ["3 of its look-ups find nothing, and receivers stop after 2"]


@pytest.mark.parametrize(
    ("record", "error"),
    [
        ("v=spf1 ipv4:192.0.2.1 -all", '"ipv4" is no mechanism of SPF'),
        ("v=spf1 ip4:192.0.2.300 -all", '"ip4:192.0.2.300" is no ip4 network'),
        ("v=spf1 ip4:2001:db8::1 -all", '"ip4:2001:db8::1" is no ip4 network'),
        ("v=spf1 include:nowhere.org -all", "include:nowhere.org has no SPF record"),
        ("v=spf1 include:two.org -all", "include:two.org has 2 SPF records"),
        ("v=spf1 redirect=nowhere.org", "redirect=nowhere.org has no SPF record"),
        ("v=spf1 a/99 -all", '"/99" is no size of a network'),
        ("v=spf1 mx:many.org -all", "many.org has 11 mail servers, and receivers look at 10"),
    ],
)
def test_what_makes_a_record_void(dns_server: DnsServer, record: str, error: str) -> None:
    """A receiver answers permerror, and DMARC has to do without SPF."""
    dns_server.zone[DOMAIN] = {"A": ["192.0.2.1"], **txt(record)}
    dns_server.zone["two.org"] = txt("v=spf1 -all", "v=spf1 mx")
    dns_server.zone["many.org"] = {"MX": [f"10 m{n}.many.org." for n in range(11)]}
    dns_server.zone |= {f"m{n}.many.org": {"A": ["192.0.2.9"]} for n in range(11)}
    assert spf_of(dns_server).errors == [error]


def test_macros_ptr_and_silent_servers_leave_it_open(dns_server: DnsServer) -> None:
    """What depends on the mail or could not be read is not held against the record, but it is counted."""
    dns_server.zone[DOMAIN] = txt("v=spf1 exists:%{i}._spf.post.net include:%{d}.post.net ptr a:%{h} exp=x.org -all")
    spf = spf_of(dns_server)
    assert (spf.unsure, spf.uses_ptr, spf.lookups, spf.errors) == (True, True, 4, [])
    dns_server.zone[DOMAIN] = txt("v=spf1 include:broken.org a:broken.org mx:broken.org ~all")
    dns_server.broken.add("broken.org")
    spf = spf_of(dns_server)
    assert (spf.unsure, spf.void, spf.errors, spf.rest) == (True, 0, [], "~")


@given(st.text(alphabet=st.sampled_from("v=spf1 +-~?all:includeipmx4/.%{d}0123456789redirect"), max_size=80))
def test_any_record_is_read_without_an_error(text: str) -> None:
    """Nobody is asked here, so this is about the reading alone."""
    resolver = Resolver([("127.0.0.1", 9)], seconds=0.0)
    from newsletter.net.spf import _At, _Walk

    _Walk(resolver, Spf(DOMAIN)).read(DOMAIN, f"v=spf1 {text}", _At((DOMAIN,)))


# -- DKIM -------------------------------------------------------------------------------------------------------

RSA_1024, RSA_2048, RSA_512 = (base64.b64encode(b"k" * size).decode() for size in (162, 294, 94))


@pytest.mark.parametrize(
    ("records", "state"),
    [
        ((f"v=DKIM1; k=rsa; p={RSA_2048}",), "good"),
        ((f"p={RSA_2048[:200]} {RSA_2048[200:]}",), "good"),
        (("v=DKIM1; k=ed25519; p=" + base64.b64encode(b"e" * 32).decode(),), "good"),
        ((f"v=DKIM1; p={RSA_1024}",), "short"),
        ((f"v=DKIM1; p={RSA_512}",), "too-short"),
        ((f"v=DKIM1; t=s:y; p={RSA_2048}",), "testing"),
        (("v=DKIM1; p=",), "revoked"),
        (("v=DKIM1; p=???",), "broken"),
        (("hello",), "none"),
        ((f"p={RSA_2048}", f"p={RSA_1024}"), "several"),
        ((f"p={RSA_2048}", "a note"), "good"),
    ],
)
def test_the_key_of_a_selector(dns_server: DnsServer, records: tuple[str, ...], state: str) -> None:
    dns_server.zone["m1._domainkey.saltford.org"] = txt(*records)
    key = read_dkim(Resolver([dns_server.address]), DOMAIN, "m1")
    assert (key.selector, key.state, key.alias) == ("m1", state, None)


def test_a_selector_that_is_an_alias_a_missing_and_a_silent_one(dns_server: DnsServer) -> None:
    """SendGrid's selectors point to keys that SendGrid keeps."""
    dns_server.zone["s1._domainkey.saltford.org"] = {"CNAME": ["s1.domainkey.u1.wl.sendgrid.net."]}
    dns_server.zone["s1.domainkey.u1.wl.sendgrid.net"] = txt(f"k=rsa; p={RSA_2048}")
    dns_server.broken.add("m9._domainkey.saltford.org")
    resolver = Resolver([dns_server.address])
    assert read_dkim(resolver, DOMAIN, "s1").alias == "s1.domainkey.u1.wl.sendgrid.net"
    assert read_dkim(resolver, DOMAIN, "s1").state == "good"
    assert read_dkim(resolver, DOMAIN, "s2").state == "none"
    assert read_dkim(resolver, DOMAIN, "m9").state == "unknown"


# -- DMARC ------------------------------------------------------------------------------------------------------


def dmarc_of(server: DnsServer, domain: str = DOMAIN):
    return read_dmarc(Resolver([server.address]), domain)


def test_a_policy_with_its_reports_and_alignment(dns_server: DnsServer) -> None:
    dns_server.zone["_dmarc.saltford.org"] = txt(
        "v=DMARC1; p=Quarantine; sp=reject; rua=mailto:d@saltford.org!10m; adkim=s; aspf=s"
    )
    dmarc = dmarc_of(dns_server)
    assert (dmarc.known, dmarc.count, dmarc.domain, dmarc.policy) == (True, 1, DOMAIN, "quarantine")
    assert (dmarc.reports, dmarc.unheard) == (("mailto:d@saltford.org",), ())
    assert (dmarc.strict_dkim, dmarc.strict_spf) == (True, True)


def test_the_policy_of_the_domain_above_holds_below(dns_server: DnsServer) -> None:
    """With the policy for subdomains where there is one."""
    dns_server.zone["_dmarc.saltford.org"] = txt("v=DMARC1; p=reject; sp=none")
    assert (
        dmarc_of(dns_server, "post.news.saltford.org").policy,
        dmarc_of(dns_server, "news.saltford.org").domain,
    ) == ("none", DOMAIN)
    dns_server.zone["_dmarc.saltford.org"] = txt("v=DMARC1; p=reject")
    assert dmarc_of(dns_server, "news.saltford.org").policy == "reject"


@pytest.mark.parametrize(
    ("records", "count", "policy"),
    [
        (("v=DMARC1; p=none",), 1, "none"),
        (("v=DMARC1; rua=mailto:d@saltford.org",), 1, ""),
        (("v=DMARC1; p=whatever",), 1, ""),
        (("v=DMARC1; p=none", "v=DMARC1; p=reject"), 2, ""),
        (("v=spf1 -all", "v=dmarc1"), 0, ""),
    ],
)
def test_records_that_do_less_than_they_seem(
    dns_server: DnsServer, records: tuple[str, ...], count: int, policy: str
) -> None:
    dns_server.zone["_dmarc.saltford.org"] = txt(*records)
    dmarc = dmarc_of(dns_server)
    assert (dmarc.known, dmarc.count, dmarc.policy) == (True, count, policy)


def test_reports_to_another_domain_need_its_consent(dns_server: DnsServer) -> None:
    """RFC 7489, 7.1: without it they are not sent, and nobody says so."""
    dns_server.zone["_dmarc.saltford.org"] = txt(
        "v=DMARC1; p=none; rua=mailto:a@yes.net, mailto:b@no.net,https://c.net,mailto:x@org"
    )
    dns_server.zone["saltford.org._report._dmarc.yes.net"] = txt("v=DMARC1")
    assert dmarc_of(dns_server).unheard == ("mailto:b@no.net", "https://c.net", "mailto:x@org")


def test_no_policy_and_nobody_to_ask(dns_server: DnsServer) -> None:
    assert (dmarc_of(dns_server).known, dmarc_of(dns_server).count) == (True, 0)
    dns_server.broken.add("_dmarc.saltford.org")
    assert not dmarc_of(dns_server).known
