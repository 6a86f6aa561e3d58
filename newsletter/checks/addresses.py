"""Where links lead: to machines without a name, through shorteners, to strangers; and what statistics they carry."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from urllib.parse import parse_qsl, urlsplit

from newsletter.checks import examples as eg
from newsletter.checks.context import CheckContext
from newsletter.checks.links import links_of
from newsletter.checks.page import Element, cut
from newsletter.checks.registry import Example, Problem, check
from newsletter.checks.web import asked, host_of, ip_of, within
from newsletter.message.merge import TOKEN
from newsletter.models import Severity

SHORTENERS = frozenset(
    """adf.ly bit.do bit.ly bl.ink buff.ly cutt.ly dlvr.it fb.me goo.gl is.gd lnkd.in ow.ly qr.ae rb.gy rebrand.ly
    s.id shorturl.at shorte.st snip.ly t.co t.ly t2m.io tiny.cc tinyurl.com trib.al v.gd x.gd""".split()  # noqa: SIM905 - a list of thirty names reads better unquoted
)
"""Hosts that only send readers on; filters score them because spam hides behind them (SURBL, URIBL lists)."""

_PRIVATE = ("localhost", "local", "internal", "intranet", "lan", "corp", "home.arpa")
_UTM = ("utm_source", "utm_medium", "utm_campaign", "utm_content")
_OUR_PAGES = ("/u/", "/v/", "/m/")


def web_links(context: CheckContext) -> Iterator[tuple[Element, str, str]]:
    """Every link to a host that is known by now, but for our own pages: (element, address, host)."""
    site = context.config.site.url
    own = tuple(f"{site}{page}" for page in _OUR_PAGES) if site else ()
    for element, address in links_of(context):
        host = host_of(address)
        if host and not TOKEN.search(host) and not (own and address.strip().startswith(own)):
            yield element, address.strip(), host


def place(context: CheckContext, element: Element, address: str) -> tuple[str | None, str | None]:
    """(article, field) of a link: its field where the story's own link is meant."""
    for article in context.issue.articles():
        if article.slug == element.article and article.link and asked(article.link) == asked(address):
            return article.slug, "link"
    return element.article, None


def _once(context: CheckContext) -> Iterator[tuple[str | None, str | None, str, str]]:
    """Every address of each story once: (article, field, address, host)."""
    seen: set[tuple[str | None, str]] = set()
    for element, address, host in web_links(context):
        if (element.article, asked(address)) not in seen:
            seen.add((element.article, asked(address)))
            yield *place(context, element, address), address, host


@check(
    id="link-ip-address",
    severity=Severity.WARNING,
    family="links",
    why="Honest sites have names; a link to a bare number is what phishing looks like, to readers and to filters.",
    source="SpamAssassin NUMERIC_HTTP_ADDR and NORMAL_HTTP_TO_IP",
    failing=Example("`https://8.8.8.8/ferry`", eg.html("https://estuary.example/ferry", "https://8.8.8.8/ferry")),
    passing=Example("`https://estuary.example/ferry`", eg.as_it_is),
)
def link_ip_address(context: CheckContext) -> Iterator[Problem]:
    """A public IP address in place of a host name."""
    for article, field, address, host in _once(context):
        number = ip_of(host)
        if number is not None and number.is_global:
            yield Problem(
                f"The link leads to a number, not to a name: {cut(address, 80)}",
                "Write the site's name.",
                article,
                field,
                phrase=host,
            )


@check(
    id="link-not-public",
    severity=Severity.ERROR,
    family="links",
    why="An address of the newsroom's own network opens at the desk where it was copied, and nowhere else. A warning "
    "while the provider is local.",
    source="RFC 6761, RFC 6762, RFC 8375; IANA special-purpose address registries",
    failing=Example(
        "`http://localhost:3000/ferry`",
        eg.both(
            eg.html("https://estuary.example/ferry", "http://localhost:3000/ferry"), eg.given(provider_local=False)
        ),
    ),
    passing=Example("`https://estuary.example/ferry`", eg.as_it_is),
)
def link_not_public(context: CheckContext) -> Iterator[Problem]:
    """A private address, or a name that only a private network knows."""
    for article, field, address, host in _once(context):
        if _is_private(host):
            yield Problem(
                f"The link opens only in your own network: {cut(address, 80)}",
                "Write the address that readers use.",
                article,
                field,
                Severity.WARNING if context.provider_local else None,
                phrase=host,
            )


def _is_private(host: str) -> bool:
    number = ip_of(host)
    if number is not None:
        return not number.is_global
    return any(host == name or host.endswith(f".{name}") for name in _PRIVATE)


@check(
    id="link-shortened",
    severity=Severity.WARNING,
    family="links",
    why="Readers cannot see where a shortened link leads, filters distrust it, and it dies with the company behind it.",
    source="URIBL and SURBL list shorteners; SpamAssassin's plugin DecodeShortURLs",
    failing=Example("`https://bit.ly/3ferry`", eg.html("https://estuary.example/ferry", "https://bit.ly/3ferry")),
    passing=Example("`https://estuary.example/ferry`", eg.as_it_is),
)
def link_shortened(context: CheckContext) -> Iterator[Problem]:
    """A host that only sends readers on."""
    for article, field, address, host in _once(context):
        if host.removeprefix("www.") in SHORTENERS:
            yield Problem(
                f"The link hides where it leads: {cut(address, 80)}",
                "Write the address that it ends at.",
                article,
                field,
                phrase=host,
            )


@check(
    id="link-host-unexpected",
    severity=Severity.INFO,
    family="links",
    why="A link to somebody else's site is often meant, and sometimes left over from a copied text. A warning once "
    "`[links] expected_hosts` says which other sites are meant. A sponsor's links are its own.",
    source="newsroom practice",
    failing=Example(
        "`https://elsewhere.example/ferry`",
        eg.html("https://estuary.example/ferry", "https://elsewhere.example/ferry"),
    ),
    passing=Example(
        '`expected_hosts = ["elsewhere.example"]` under `[links]`',
        eg.both(
            eg.html("https://estuary.example/ferry", "https://elsewhere.example/ferry"),
            eg.links(expected_hosts=["elsewhere.example"]),
        ),
    ),
)
def link_host_unexpected(context: CheckContext) -> Iterator[Problem]:
    """A host that is neither the publication's own nor expected; said once for each story and host."""
    config = context.config
    own = {host_of(config.site.url or ""), config.sender.email.rpartition("@")[2].lower()}
    known = {host for host in own if host} | {*config.links.utm_hosts, *config.links.expected_hosts}
    told: set[tuple[str | None, str]] = set()
    for article, field, address, host in _once(context):
        # What hides its host, or has none, has a finding of its own.
        named = host.removeprefix("www.") not in SHORTENERS and ip_of(host) is None and not _is_private(host)
        meant = article in context.paid or within(host, known)
        if known and named and not meant and (article, host) not in told:
            told.add((article, host))
            yield Problem(
                f"A link leads to {host}, which is not a site of the publication.",
                f'If that is meant, add "{host}" to expected_hosts under [links] in newsletter.toml.',
                article,
                field,
                Severity.WARNING if config.links.expected_hosts else None,
                phrase=address,
            )


def _parameters(address: str) -> list[str]:
    pairs = parse_qsl(urlsplit(address).query, keep_blank_values=True)
    return [name.lower() for name, _ in pairs if name.lower().startswith("utm_")]


@check(
    id="utm-missing",
    severity=Severity.INFO,
    family="links",
    why="A visit through a link without the publication's `utm_` parameters is counted as if it came from nowhere.",
    source="[links] in newsletter.toml; where it is empty, what the other links to the same host carry",
    failing=Example(
        "one link with `utm_source` and one without",
        eg.html("https://estuary.example/ferry", "https://estuary.example/ferry?utm_source=weekly"),
    ),
    passing=Example(
        "`utm_source` on every link to the site",
        eg.both(
            eg.html("https://estuary.example/ferry", "https://estuary.example/ferry?utm_source=weekly"),
            eg.html("https://estuary.example/library", "https://estuary.example/library?utm_source=weekly"),
        ),
    ),
)
def utm_missing(context: CheckContext) -> Iterator[Problem]:
    """A link that lacks a parameter which is configured, or which another link to its host has."""
    links = context.config.links
    configured = [name for name in _UTM if getattr(links, name)]
    hosts = [host.lower() for host in links.utm_hosts] or [host_of(context.config.site.url or "") or ""]
    carried: dict[str, set[str]] = {}
    for _, address, host in web_links(context):
        carried.setdefault(host, set()).update(name for name in _parameters(address) if name in _UTM)
    for article, field, address, host in _once(context):
        expected = configured if configured and host in hosts else sorted(carried[host])
        lacking = [name for name in expected if name not in _parameters(address)]
        if lacking and article not in context.paid:
            yield Problem(
                f"The link has no {' and no '.join(lacking)}: {cut(address, 80)}",
                "Take its own utm_ parameters out and let [links] add them, or give every link the same.",
                article,
                field,
                phrase=address,
            )


@check(
    id="utm-doubled",
    severity=Severity.INFO,
    family="links",
    why="Of two values for one parameter the statistics take either, and which one nobody knows.",
    source="newsroom practice; links copied from a campaign carry its parameters along",
    failing=Example(
        "`…/ferry?utm_source=weekly&utm_source=daily`",
        eg.html("https://estuary.example/ferry", "https://estuary.example/ferry?utm_source=a&amp;utm_source=b"),
    ),
    passing=Example("`…/ferry?utm_source=weekly`", eg.as_it_is),
)
def utm_doubled(context: CheckContext) -> Iterator[Problem]:
    """The same ``utm_`` parameter twice in one address."""
    for element, address, _ in web_links(context):
        twice = [name for name, times in Counter(_parameters(address)).items() if times > 1]
        if twice:
            article, field = place(context, element, address)
            yield Problem(
                f"The link has {' and '.join(twice)} twice: {cut(address, 80)}",
                "Keep one.",
                article,
                field,
                phrase=address,
            )
