"""The DNS of the sending domain: what receivers look up before they believe that a mail is from the newsletter."""

from __future__ import annotations

import ipaddress
from collections.abc import Callable, Iterator

from newsletter.app.doctor.facts import Facts
from newsletter.app.doctor.probe import Look, Told
from newsletter.delivery.guards import nobodys
from newsletter.net.mail_records import read_dkim, read_dmarc
from newsletter.net.spf import Spf, read_spf
from newsletter.workspace.settings import Config

_SECTION = "Mail domain"
_UNREACHABLE = "the DNS cannot be reached from here"
_NO_ANSWER = "the DNS gave no answer, so nothing can be told"

# What the providers' own instructions ask to include, by the end of the server's name.
_INCLUDES = {
    "sendgrid.net": "sendgrid.net",
    "gmail.com": "_spf.google.com",
    "google.com": "_spf.google.com",
    "amazonaws.com": "amazonses.com",
    "mailgun.org": "mailgun.org",
    "office365.com": "spf.protection.outlook.com",
    "outlook.com": "spf.protection.outlook.com",
}
_SECOND_LEVEL = frozenset(["ac", "co", "com", "edu", "gov", "net", "org"])
_SENDGRID_SELECTORS = ("s1", "s2")
_KEYS = {
    "short": "{0} is a short RSA key; receivers ask for 2,048 bits",
    "too-short": "{0} is an RSA key of less than 1,024 bits, which receivers ignore",
    "testing": "{0} is marked as a test (t=y): receivers treat the mail as unsigned",
    "revoked": "{0} is revoked: its p= is empty",
    "broken": "{0} is no key: its p= is no Base64",
    "none": "there is no key at {0}",
    "several": "there are several keys at {0}, and receivers take any one of them",
}


def _about(see: Callable[[Facts, str], Iterator[Told]]) -> Callable[[Facts], Iterator[Told]]:
    """A look at the sender's domain, if it can be looked up at all. Into the outbox nothing is an error yet."""

    def look(facts: Facts) -> Iterator[Told]:
        domain = facts.sender_domain
        if _is_placeholder(domain) or facts.resolver.ask(domain, "MX").state in ("no-name", "unreachable"):
            return  # the probe of the domain itself has said so
        for told in see(facts, domain):
            yield _weighed(told, facts)

    return look


def _weighed(told: Told, facts: Facts) -> Told:
    return Told("warning", told.sentence, told.fix) if told.state == "error" and not facts.real else told


def _is_placeholder(domain: str) -> bool:
    return not domain or nobodys(domain) or domain.endswith(".test")


def _domain(facts: Facts) -> Iterator[Told]:
    """Answers and bounces must arrive, and many receivers refuse a sender whose domain takes no mail."""
    domain = facts.sender_domain
    if _is_placeholder(domain):
        yield Told("unknown", f"{domain or 'no domain'} is a placeholder and has no DNS", "set sender.email")
        return
    yield _weighed(_of_hosts(facts, domain), facts)


def _of_hosts(facts: Facts, domain: str) -> Told:
    mail = facts.resolver.ask(domain, "MX")
    check = "check sender.email, and that the domain is registered"
    if mail.state == "no-name":
        top = domain.rpartition(".")[2]
        if facts.resolver.ask(top, "MX").state == "no-name":
            # As a name server says that is cut off from the world and denies every name.
            return Told("unknown", f"the name server here knows nothing of .{top}, nor of {domain}", check)
        return Told("error", f"there is no domain {domain}", check)
    if mail.state == "failed":
        return Told("unknown", f"the name servers of {domain} answer with an error", "ask whoever runs the domain")
    if mail.unknown:
        return Told("unknown", f"{_UNREACHABLE}, so nothing can be told about {domain}")
    hosts = [record.split()[-1] for record in mail.records]
    add = "give it an MX record"
    if hosts == ["."]:  # RFC 7505
        return Told("warning", f"{domain} takes no mail (a null MX), so answers and bounces are lost", add)
    if hosts:
        return Told("ok", f"{domain} takes mail at {hosts[0]}")
    if facts.resolver.ask(domain, "A").records or facts.resolver.ask(domain, "AAAA").records:
        return Told("warning", f"{domain} has no MX record; mail to it goes to its web server", add)
    return Told("error", f"{domain} has neither MX nor address: receivers refuse mail from it", add)


def _spf(facts: Facts, domain: str) -> Iterator[Told]:
    smtp = facts.config.provider.smtp if facts.config.provider.name == "smtp" else None
    envelope = (smtp.bounce_domain if smtp else None) or domain
    spf = read_spf(facts.resolver, envelope)
    if not spf.known:
        yield Told("unknown", _NO_ANSWER)
    elif not spf.records:
        yield Told("error", f"{envelope} has no SPF record", f'publish a TXT record at {envelope}: "{_example(facts)}"')
    elif len(spf.records) > 1:
        yield Told("error", f"{envelope} has {len(spf.records)} SPF records, so receivers use none", "make one of them")
    elif spf.errors:
        yield Told(
            "error", f"the SPF record of {envelope} is void: {'; '.join(dict.fromkeys(spf.errors))}", "correct it"
        )
    else:
        yield from _spf_of_use(facts, spf)


def _spf_of_use(facts: Facts, spf: Spf) -> Iterator[Told]:
    """A record that works: does it let anybody through, and does it name who sends?"""
    if spf.rest == "+":
        yield Told(
            "error", f'the SPF record of {spf.domain} ends with "+all": anybody may send as you', 'end it with "-all"'
        )
        return
    lack = _names_sender(facts, spf)
    if lack:
        yield lack
    elif spf.rest in ("", "?"):
        yield Told(
            "warning", f"the SPF record of {spf.domain} says nothing about others", 'end it with "~all" or "-all"'
        )
    elif spf.uses_ptr:
        yield Told("warning", "the SPF record uses ptr, which many receivers ignore", "take it out")
    else:
        yield Told("ok", f"SPF of {spf.domain}: {spf.lookups} of 10 look-ups, others are {_others(spf)}")


def _others(spf: Spf) -> str:
    return "refused" if spf.rest == "-" else "suspected"


def _names_sender(facts: Facts, spf: Spf) -> Told | None:
    """Whether the record lets the provider's servers send, as far as that can be known."""
    host = _host(facts)
    include = _include(host)
    if include is not None:
        if include in spf.includes:
            return None
        # With its automatic security SendGrid's return path is a domain of theirs under ours, with an SPF of its own.
        aliases = (read_dkim(facts.resolver, spf.domain, selector).alias for selector in _SENDGRID_SELECTORS)
        if facts.config.provider.name == "sendgrid" and all(aliases):
            return None
        fix = f'add "include:{include}" to it'
        return Told(
            "unknown" if spf.unsure else "warning", f"the SPF record of {spf.domain} does not include {include}", fix
        )
    for address in _addresses(facts, host):
        if spf.verdict(address) != "+" and not spf.unsure:
            fix = f"add ip{address.version}:{address}, or the network that it sends from"
            return Told("warning", f"the SPF record of {spf.domain} does not name {host} ({address})", fix)
    return None


def _host(facts: Facts) -> str:
    provider = facts.config.provider
    if provider.name == "sendgrid":
        return "sendgrid.net"
    return provider.smtp.host.lower().rstrip(".") if provider.name == "smtp" and provider.smtp else ""


def _include(host: str) -> str | None:
    return next((name for end, name in _INCLUDES.items() if host == end or host.endswith(f".{end}")), None)


def _addresses(facts: Facts, host: str) -> list[ipaddress.IPv4Address | ipaddress.IPv6Address]:
    """The public addresses of the mail server; from which one it sends on is its own affair."""
    if not host or host == "localhost":
        return []
    try:
        found = [ipaddress.ip_address(host)]
    except ValueError:
        found = [ipaddress.ip_address(record) for record in facts.resolver.ask(host, "A").records]
    return [address for address in found if address.is_global]


def _example(facts: Facts) -> str:
    include = _include(_host(facts))
    return f"v=spf1 include:{include} ~all" if include else "v=spf1 mx ~all"


def _dkim(facts: Facts, domain: str) -> Iterator[Told]:
    """Which key signs is the signing server's affair: ours and SendGrid's selectors are known, others are asked for."""
    sendgrid = facts.config.provider.name == "sendgrid"
    selectors = facts.selectors or _own_selectors(facts.config) or (_SENDGRID_SELECTORS if sendgrid else ())
    if not selectors:
        yield Told(
            "unknown",
            "which key your mail server signs with is not known here",
            "newsletter doctor --selector NAME; the name is the s= in the DKIM-Signature of a test mail",
        )
    for selector in selectors:
        name = f"{selector}._domainkey.{domain}"
        key = read_dkim(facts.resolver, domain, selector)
        if key.state == "good":
            yield Told("ok", f"the key {name} is there" + (f", at {key.alias}" if key.alias else ""))
            continue
        if key.state == "unknown":
            yield Told("unknown", _NO_ANSWER)
            continue
        fix = (
            "SendGrid: Settings, Sender Authentication"
            if sendgrid
            else "publish what `newsletter provider dkim` prints"
            if _own_selectors(facts.config)
            else "publish the key that your mail server signs with"
        )
        mild = key.state in ("short", "several")
        yield Told("warning" if mild else "error", _KEYS[key.state].format(name), fix)


def _own_selectors(config: Config) -> tuple[str, ...]:
    """Those of ``[provider.smtp.dkim]``, where we sign ourselves."""
    dkim = config.provider.smtp.dkim if config.provider.name == "smtp" and config.provider.smtp else None
    return tuple(name for name in (dkim.selector, dkim.ed25519_selector) if name) if dkim else ()


def _dmarc(facts: Facts, domain: str) -> Iterator[Told]:
    dmarc = read_dmarc(facts.resolver, domain)
    example = f'"v=DMARC1; p=none; rua=mailto:dmarc@{domain}"'
    if not dmarc.known:
        yield Told("unknown", _NO_ANSWER)
        return
    if not dmarc.count:
        yield Told("error", f"{domain} has no DMARC record, which Gmail and Yahoo ask bulk senders for",
                   f"publish a TXT record at _dmarc.{domain}: {example}")  # fmt: skip
        return
    if dmarc.count > 1:
        yield Told("error", f"_dmarc.{dmarc.domain} has {dmarc.count} DMARC records, so receivers use none", "keep one")
        return
    if not dmarc.policy:
        yield Told("error", f"the DMARC record of {dmarc.domain} has no policy (p=)", f"write for example {example}")
        return
    smtp = facts.config.provider.smtp if facts.config.provider.name == "smtp" else None
    bounces = smtp.bounce_domain.lower() if smtp and smtp.bounce_domain else domain
    aligned = bounces == domain if dmarc.strict_spf else _of_one_house(bounces, domain)
    if not aligned:
        yield Told("warning", f"bounces go to {bounces}, so SPF does not count for DMARC at {domain}; only DKIM does",
                   f"make provider.smtp.bounce_domain a domain under {dmarc.domain}")  # fmt: skip
    if not dmarc.reports:
        yield Told("warning", "DMARC reports go nowhere: the record has no rua", f"add rua=mailto:dmarc@{dmarc.domain}")
    elif dmarc.unheard:
        host = dmarc.unheard[0].rpartition("@")[2]
        yield Told("warning", f"DMARC reports do not arrive: {host} does not say that it takes them",
                   f"publish a TXT record at {dmarc.domain}._report._dmarc.{host}: \"v=DMARC1\"")  # fmt: skip
    elif dmarc.policy == "none":
        yield Told("warning", f"DMARC of {dmarc.domain} only watches (p=none): anybody's mail as you is delivered",
                   "when the reports show your own mail passing: p=quarantine")  # fmt: skip
    elif aligned:
        yield Told("ok", f"DMARC of {dmarc.domain}: p={dmarc.policy}, with reports")


def _of_one_house(one: str, other: str) -> bool:
    """Whether two domains belong to one organisation, as far as that can be told without a list of public suffixes."""
    labels = other.split(".")
    shared = 3 if len(labels[-1]) == 2 and labels[-2:-1] and labels[-2] in _SECOND_LEVEL else 2
    house = ".".join(labels[-shared:])
    return one == house or one.endswith(f".{house}")


LOOKS = (
    Look("domain", _SECTION, _domain),
    Look("spf", _SECTION, _about(_spf)),
    Look("dkim", _SECTION, _about(_dkim)),
    Look("dmarc", _SECTION, _about(_dmarc)),
)
