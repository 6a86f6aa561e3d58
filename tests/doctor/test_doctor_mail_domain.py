"""The DNS of the sender's domain, against a real DNS server on loopback."""

from __future__ import annotations

import base64
import functools

import pytest

from newsletter.app.doctor import mail_domain
from newsletter.workspace.paths import Workspace
from tests.doctor.conftest import Look, configure
from tests.net.dns_server import DnsServer, txt

SMTP = '[provider]\nname = "smtp"\n[provider.smtp]\nhost = "{0}"\nport = 1\nsecurity = "none"\n{1}'
SENDGRID = '[provider]\nname = "sendgrid"\n[provider.sendgrid]\napi_key = {file = "none"}'
KEY = base64.b64encode(b"k" * 294).decode()
DMARC = "v=DMARC1; p=reject; rua=mailto:d@saltford.org"


@pytest.fixture
def look(look: Look) -> Look:
    """Only at the domain: the providers of these tests are real ones, which are not to be asked."""
    return functools.partial(look, looks=mail_domain.LOOKS)


@pytest.fixture
def good(ws: Workspace, dns_server: DnsServer) -> DnsServer:
    """A domain in order, sending through a server of its own."""
    configure(ws, more=SMTP.format("smtp.saltford.org", ""))
    dns_server.zone.update(
        {
            "saltford.org": {"MX": ["10 mx.saltford.org."], **txt("v=spf1 ip4:9.9.9.0/24 -all")},
            "smtp.saltford.org": {"A": ["9.9.9.9"]},
            "m1._domainkey.saltford.org": txt(f"v=DKIM1; p={KEY}"),
            "_dmarc.saltford.org": txt(DMARC),
        }
    )
    return dns_server


def states(look: Look, **options: object) -> dict[str, list[str]]:
    found = look(**options)
    return {name: [p.state for p in found.get(name, [])] for name in ("domain", "spf", "dkim", "dmarc")}


def test_a_domain_in_order(look: Look, good: DnsServer) -> None:
    """Mail arrives, SPF names the server, the key is there, DMARC refuses others."""
    found = look(selectors=["m1"])
    assert states(look, selectors=["m1"]) == {"domain": ["ok"], "spf": ["ok"], "dkim": ["ok"], "dmarc": ["ok"]}
    assert found["domain"][0].sentence == "saltford.org takes mail at mx.saltford.org"
    assert found["spf"][0].sentence == "SPF of saltford.org: 0 of 10 look-ups, others are refused"
    assert found["dmarc"][0].sentence == "DMARC of saltford.org: p=reject, with reports"


@pytest.mark.parametrize("address", ["post@example.com", "post@estuary.example", "post@breakwater.test", ""])
def test_a_placeholder_is_not_looked_up(look: Look, ws: Workspace, dns_server: DnsServer, address: str) -> None:
    """Nobody has it, and one line says so."""
    ws.config_file.write_text(ws.config_file.read_text().replace("post@saltford.org", address))
    found = look()
    assert found["domain"][0].state == "unknown"
    assert not {"spf", "dkim", "dmarc"} & set(found)
    assert not dns_server.asked


def test_a_dns_that_cannot_be_reached_is_never_an_error(
    look: Look, good: DnsServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One line, and not long to wait."""
    monkeypatch.setattr("newsletter.net.dns.PATIENCE", 0.2)
    good.silent.add("saltford.org")
    found = look()
    (probe,) = found["domain"]
    assert probe.state == "unknown"
    assert probe.sentence.startswith("the DNS cannot be reached from here")
    assert not {"spf", "dkim", "dmarc"} & set(found)


def test_a_name_server_that_denies_every_name_is_none(look: Look, good: DnsServer) -> None:
    """Where machines are cut off from the world, theirs knows not even .org."""
    good.zone.clear()
    found = look()
    assert (found["domain"][0].state, "knows nothing of .org" in found["domain"][0].sentence) == ("unknown", True)
    assert not {"spf", "dkim", "dmarc"} & set(found)


def test_servers_that_fail_in_between_are_unknown(look: Look, good: DnsServer) -> None:
    good.broken |= {"_dmarc.saltford.org", "m1._domainkey.saltford.org"}
    assert states(look, selectors=["m1"]) == {
        "domain": ["ok"],
        "spf": ["ok"],
        "dkim": ["unknown"],
        "dmarc": ["unknown"],
    }
    good.broken.add("saltford.org")
    found = look()
    assert found["domain"][0].sentence == "the name servers of saltford.org answer with an error"
    assert found["spf"][0].state == "unknown"


@pytest.mark.parametrize(
    ("records", "state", "said"),
    [
        (None, "error", "there is no domain saltford.org"),
        ({"MX": ["0 ."]}, "warning", "a null MX"),
        ({"A": ["192.0.2.1"]}, "warning", "no MX record"),
        ({"AAAA": ["2001:db8::1"]}, "warning", "no MX record"),
        ({"TXT": ['"x"']}, "error", "neither MX nor address"),
    ],
)
def test_a_domain_that_takes_no_mail(look: Look, good: DnsServer, records: dict | None, state: str, said: str) -> None:
    """Receivers refuse mail that they could not answer."""
    if records is None:
        good.zone.clear()
        good.zone["other.org"] = {"A": ["192.0.2.1"]}
    else:
        good.zone["saltford.org"] = records
    (probe,) = look()["domain"]
    assert (probe.state, said in probe.sentence, bool(probe.fix)) == (state, True, True)


@pytest.mark.parametrize(
    ("records", "state", "said"),
    [
        ((), "error", "saltford.org has no SPF record"),
        (("v=spf1 -all", "v=spf1 mx -all"), "error", "2 SPF records"),
        (("v=spf1 include:saltford.org -all",), "error", "is void: it goes round in a circle"),
        (("v=spf1 ip4:9.9.9.9 +all",), "error", "anybody may send as you"),
        (("v=spf1 ip4:8.8.8.8 -all",), "warning", "does not name smtp.saltford.org (9.9.9.9)"),
        (("v=spf1 ip4:9.9.9.9",), "warning", "says nothing about others"),
        (("v=spf1 ip4:9.9.9.9 ?all",), "warning", "says nothing about others"),
        (("v=spf1 ip4:9.9.9.9 ptr ~all",), "warning", "ptr"),
        (("v=spf1 exists:%{i}.x.org ~all",), "ok", "others are suspected"),
    ],
)
def test_spf(look: Look, good: DnsServer, records: tuple[str, ...], state: str, said: str) -> None:
    good.zone["saltford.org"] = {"MX": ["10 mx.saltford.org."], **(txt(*records) if records else {})}
    (probe,) = look()["spf"]
    assert (probe.state, probe.fix is None) == (state, state == "ok")
    assert said in probe.sentence


def test_eleven_look_ups_are_an_error(look: Look, good: DnsServer) -> None:
    terms = " ".join(f"include:i{n}.post.net" for n in range(11))
    good.zone["saltford.org"] = {"MX": ["10 mx.saltford.org."], **txt(f"v=spf1 {terms} -all")}
    good.zone |= {f"i{n}.post.net": txt("v=spf1 ip4:9.9.9.9 -all") for n in range(11)}
    (probe,) = look()["spf"]
    assert (probe.state, "it costs 11 look-ups" in probe.sentence) == ("error", True)


@pytest.mark.parametrize(
    ("host", "record", "state"),
    [
        ("smtp.sendgrid.net", "v=spf1 include:sendgrid.net ~all", "ok"),
        ("email-smtp.eu-west-1.amazonaws.com", "v=spf1 include:sendgrid.net ~all", "warning"),
        ("email-smtp.eu-west-1.amazonaws.com", "v=spf1 include:amazonses.com ~all", "ok"),
        ("email-smtp.eu-west-1.amazonaws.com", "v=spf1 include:broken.net ~all", "unknown"),
        ("127.0.0.1", "v=spf1 mx ~all", "ok"),
        ("localhost", "v=spf1 mx ~all", "ok"),
        ("9.9.9.10", "v=spf1 mx ~all", "warning"),
    ],
)
def test_spf_names_the_provider_as_far_as_that_is_known(
    look: Look, good: DnsServer, ws: Workspace, host: str, record: str, state: str
) -> None:
    """A known provider by what it asks to include, another by its address; one on this machine can be anywhere."""
    configure(ws, more=SMTP.format(host, ""))
    good.zone["saltford.org"] = {"MX": ["10 mx.saltford.org."], **txt(record)}
    good.zone |= {name: txt("v=spf1 ip4:9.9.9.0/24 -all") for name in ("sendgrid.net", "amazonses.com")}
    good.zone["mx.saltford.org"] = {"A": ["192.0.2.1"]}
    good.broken.add("broken.net")
    (probe,) = look()["spf"]
    assert (probe.state, probe.sentence) == (state, probe.sentence)


def test_spf_is_that_of_the_bounce_domain(look: Look, good: DnsServer, ws: Workspace) -> None:
    """The envelope's domain is the one that SPF is about, and DMARC wants it to be of the same house."""
    configure(ws, more=SMTP.format("smtp.saltford.org", 'bounce_domain = "bounces.saltford.org"'))
    found = look()
    assert found["spf"][0].sentence == "bounces.saltford.org has no SPF record"
    assert found["dmarc"][0].state == "ok"
    good.zone["_dmarc.saltford.org"] = txt(f"{DMARC}; aspf=s")
    (probe,) = look()["dmarc"]
    assert (probe.state, "only DKIM does" in probe.sentence) == ("warning", True)
    configure(ws, more=SMTP.format("smtp.saltford.org", 'bounce_domain = "bounces.post.net"'))
    good.zone["_dmarc.saltford.org"] = txt(DMARC)
    assert look()["dmarc"][0].state == "warning"


def test_sendgrid_signs_with_keys_that_it_keeps(look: Look, good: DnsServer, ws: Workspace) -> None:
    """Its two selectors are aliases; with them its return path has an SPF of its own."""
    configure(ws, more=SENDGRID)
    assert states(look)["dkim"] == ["error", "error"]
    (spf,) = look()["spf"]
    assert (spf.state, spf.fix) == ("warning", 'add "include:sendgrid.net" to it')
    for selector in ("s1", "s2"):
        good.zone[f"{selector}._domainkey.saltford.org"] = {"CNAME": [f"{selector}.domainkey.u1.wl.sendgrid.net."]}
        good.zone[f"{selector}.domainkey.u1.wl.sendgrid.net"] = txt(f"k=rsa; p={KEY}")
    found = look()
    assert states(look) == {"domain": ["ok"], "spf": ["ok"], "dkim": ["ok", "ok"], "dmarc": ["ok"]}
    assert found["dkim"][0].sentence.endswith("is there, at s1.domainkey.u1.wl.sendgrid.net")


def test_dkim_needs_a_selector(look: Look, good: DnsServer) -> None:
    """Which one signs is the mail server's affair; it can be named."""
    (probe,) = look()["dkim"]
    assert (probe.state, "--selector" in (probe.fix or "")) == ("unknown", True)
    good.zone["old._domainkey.saltford.org"] = txt("v=DKIM1; p=" + base64.b64encode(b"k" * 162).decode())
    missing, short = look(selectors=["m2", "old"])["dkim"]
    assert (missing.state, missing.sentence) == ("error", "there is no key at m2._domainkey.saltford.org")
    assert (short.state, "2,048 bits" in short.sentence) == ("warning", True)


@pytest.mark.parametrize(
    ("records", "state", "said"),
    [
        ((), "error", "has no DMARC record"),
        (("v=DMARC1; p=none", "v=DMARC1; p=reject"), "error", "2 DMARC records"),
        (("v=DMARC1; rua=mailto:d@saltford.org",), "error", "no policy"),
        (("v=DMARC1; p=reject",), "warning", "no rua"),
        (("v=DMARC1; p=reject; rua=mailto:d@post.net",), "warning", "post.net does not say that it takes them"),
        (("v=DMARC1; p=none; rua=mailto:d@saltford.org",), "warning", "only watches (p=none)"),
        (("v=DMARC1; p=quarantine; rua=mailto:d@saltford.org",), "ok", "p=quarantine"),
    ],
)
def test_dmarc(look: Look, good: DnsServer, records: tuple[str, ...], state: str, said: str) -> None:
    del good.zone["_dmarc.saltford.org"]
    if records:
        good.zone["_dmarc.saltford.org"] = txt(*records)
    (probe,) = look()["dmarc"]
    assert (probe.state, probe.fix is None) == (state, state == "ok")
    assert said in probe.sentence


def test_into_the_outbox_nothing_of_it_is_an_error_yet(look: Look, ws: Workspace, dns_server: DnsServer) -> None:
    """Nobody gets mail from it."""
    dns_server.zone["saltford.org"] = {"TXT": ['"x"']}
    assert states(look) == {"domain": ["warning"], "spf": ["warning"], "dkim": ["unknown"], "dmarc": ["warning"]}
