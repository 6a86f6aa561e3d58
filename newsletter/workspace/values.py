"""The values of ``newsletter.toml`` that are more than a type: durations, rates, zones, addresses, URLs."""

from __future__ import annotations

import math
import re
import zoneinfo
from collections.abc import Callable, Iterator
from datetime import timedelta
from functools import partial
from typing import Any
from urllib.parse import urlsplit

from newsletter.errors import ConfigurationError, did_you_mean
from newsletter.workspace.people import composer_complaints
from newsletter.workspace.settings import CLIENT_FAMILIES, Config, DkimSettings, Draft, Schedule

LANGUAGE = re.compile(r"[A-Za-z]{2,3}(?:-[A-Za-z0-9]{2,8})*")
"""The shape of a BCP 47 language tag."""

_DAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
_UNITS = {"d": 86_400, "h": 3_600, "m": 60, "s": 1}
_PER = {"s": 1, "m": 60, "h": 3_600}
_CONTROL = re.compile("[\x00-\x1f\x7f\x85\u2028\u2029]")
_ADDRESS = re.compile(r"[^@\s<>,;:\"()\[\]]+@[^@\s<>,;:\"()\[\]]+")
_ATTRIBUTE = re.compile(r"[a-z][a-z0-9_]*")
_HOST = re.compile(r"[A-Za-z0-9.:_-]+")
_DOMAIN = re.compile(r"[A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)+")
_VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_THEME = re.compile(r"(?:builtin/)?[a-z0-9][a-z0-9_-]*")
_WEB = re.compile(r"https?://[^\s/@?#]+(?:[/?]\S*)?")
_NOT_ATTRIBUTES = {"unsubscribe_url", "preferences_url", "web_url"}

LEAST_CANARY = 20
"""Readers in a canary that is given as a share: of fewer, each one would decide."""

Complaint = tuple[str, str, str | None]
"""The dotted key, what is wrong with its value, and a hint."""


def parse_duration(text: str, key: str) -> timedelta:
    """``"2h"``, ``"30m"``, ``"45s"``, ``"1d"``, ``"1h30m"``, ``"0"``; ``key`` is for the message.

    Raises ``ConfigurationError``.
    """
    if text == "0":
        return timedelta(0)
    if not re.fullmatch(r"(?:[0-9]{1,6}[dhms])+", text):
        fix = 'write a number and d, h, m or s: "2h", "30m", "45s"'
        raise ConfigurationError(f"{key}: {text!r} is no duration", where=key, fix=fix)
    return timedelta(seconds=sum(int(n) * _UNITS[unit] for n, unit in re.findall(r"(\d+)([dhms])", text)))


def parse_rate(text: str, key: str) -> float:
    """``"20/s"``, ``"600/m"``, ``"5000/h"`` as mails per second; ``"0"`` (no limit) as 0.0.

    Raises ``ConfigurationError``.
    """
    if text == "0":
        return 0.0
    match = re.fullmatch(r"([0-9]{1,9}(?:\.[0-9]{1,6})?) ?/ ?([smh])", text)
    if match is None or float(match[1]) == 0:
        fix = 'write a number and /s, /m or /h: "20/s", "600/m"; "0" is no limit'
        raise ConfigurationError(f"{key}: {text!r} is no rate", where=key, fix=fix)
    return float(match[1]) / _PER[match[2]]


def parse_share(text: str, key: str) -> float:
    """``"5%"``, ``"0.3%"`` as a share of 1; ``"0"`` as 0.0. Raises ``ConfigurationError``."""
    if text == "0":
        return 0.0
    match = re.fullmatch(r"([0-9]{1,3}(?:\.[0-9]{1,6})?) ?%", text)
    if match is None or float(match[1]) > 100:
        raise ConfigurationError(f"{key}: {text!r} is no share", where=key, fix='write per cent: "5%", "0.3%"')
    return float(match[1]) / 100


def canary_size(canary: str | int, readers: int) -> int:
    """How many of ``readers`` ``[schedule] canary`` means, at least ``LEAST_CANARY`` of a share; 0: none.

    Who are not more than that have no canary: it would be all of them. Raises ``ConfigurationError``.
    """
    if isinstance(canary, str) and canary.isdecimal():
        canary = int(canary)
    if isinstance(canary, int):
        size = canary
    else:
        share = parse_share(canary, "schedule.canary")
        size = max(LEAST_CANARY, math.ceil(share * readers)) if share else 0
    return size if size < readers else 0


def parse_rule(text: str, key: str) -> tuple[int | None, int, int]:
    """``"Fri 07:00"``, or ``"07:00"`` for every day, as (weekday from Monday = 0 or None, hour, minute).

    Raises ``ConfigurationError``.
    """
    match = re.fullmatch(r"(?:([a-z]{3,9}) +)?(\d{1,2}):(\d{2})", text.strip().lower())
    days = [n for n, day in enumerate(_DAYS) if match and match[1] and day.startswith(match[1])]
    if match is None or (match[1] and not days) or int(match[2]) > 23 or int(match[3]) > 59:
        fix = 'write "Fri 07:00", "07:00" for every day, or a list of them'
        raise ConfigurationError(f"{key}: {text!r} is no time of the week", where=key, fix=fix)
    return (days[0] if days else None), int(match[2]), int(match[3])


def rules_of(config: Config) -> list[str]:
    """``[schedule] every`` as a list, each rule once."""
    every = config.schedule.every
    return list(dict.fromkeys([every] if isinstance(every, str) else every))


def complaints(config: Config) -> Iterator[Complaint]:
    """Everything that is wrong with the values, in the order of the file."""
    publication, sender, provider = config.publication, config.sender, config.provider
    if not publication.name.strip():
        yield "publication.name", "the newsletter needs a name", 'name = "The Weekly"'
    for key, value in _single_lines(config):
        if _CONTROL.search(value):
            yield key, "line breaks and control characters are not allowed here", "write it on one line"
    if not LANGUAGE.fullmatch(publication.language):
        hint = "write a language tag such as en-GB, ur or hi"
        yield "publication.language", f"{publication.language!r} is no language tag", hint
    yield from _zone(publication.timezone)
    if not _THEME.fullmatch(publication.theme):
        hint = "themes are folder names such as weekly, or builtin/weekly"
        yield "publication.theme", f"{publication.theme!r} is no name of a theme", hint
    if publication.logo.startswith("/") or ".." in publication.logo.split("/"):
        yield "publication.logo", "the picture must lie in the workspace", "write a path relative to newsletter.toml"
    for key, address in (("sender.email", sender.email), ("sender.reply_to", sender.reply_to or "")):
        yield from _address(key, address)
    yield from _url("site.url", config.site.url)
    yield from _number(lambda: parse_rate(provider.rate, "provider.rate"))
    for domain, rate in provider.per_domain.items():
        if domain != "*" and not _DOMAIN.fullmatch(domain):
            hint = 'per_domain = {"gmail.com" = "10/s", "*" = "2/s"}'
            yield "provider.per_domain", f"{domain!r} is no mailbox domain", hint
        yield from _number(partial(parse_rate, rate, "provider.per_domain"))
    yield from _provider(config)
    for key, hosts in (
        ("links.utm_hosts", config.links.utm_hosts),
        ("links.expected_hosts", config.links.expected_hosts),
        ("images.allow_hosts", config.images.allow_hosts),
    ):
        for host in hosts:
            if not _HOST.fullmatch(host):
                yield key, f"{host!r} is no host name", "write the name alone: pictures.example.org"
    if set(re.findall(r"[{}]|\{\w*\}", config.links.utm_campaign.replace("{issue}", ""))):
        yield "links.utm_campaign", "the only word in braces is {issue}", 'utm_campaign = "weekly-{issue}"'
    for address in config.test.to:
        yield from _address("test.to", address or " ")
    yield from _attributes(config.audience.attributes)
    yield from _clients(config.audience.clients)
    yield from _draft(config.draft)
    yield from _durations(config.schedule)
    for address in config.schedule.seeds:
        yield from _address("schedule.seeds", address or " ")
    yield from _who_goes_first(config.schedule)
    yield from _number(lambda: parse_duration(config.schedule.remind, "schedule.remind"))
    yield from _number(lambda: [parse_rule(rule, "schedule.every") for rule in rules_of(config)])
    for address in config.alerts.to:
        yield from _address("alerts.to", address or " ")
    # A webhook's token is often behind the ?, and all of it is as good as a secret: it is not quoted.
    if config.alerts.webhook is not None and not _WEB.fullmatch(config.alerts.webhook):
        yield "alerts.webhook", "this is no absolute http(s) URL", 'webhook = "https://hooks.example.org/…"'
    yield from _url("alerts.heartbeat", config.alerts.heartbeat)
    yield from _url("composer.url", config.composer.url)
    for person in config.composer.people:
        yield from _address("composer.people", person.email)
    yield from _session(config.composer.session)
    yield from composer_complaints(config.composer)
    yield from _secrets(config)


def _draft(draft: Draft) -> Iterator[Complaint]:
    yield from _number(partial(parse_duration, draft.age, "draft.age"))
    for key, most in [("draft.most", draft.most), *(("draft.section.most", section.most) for section in draft.section)]:
        if most is not None and not 1 <= most <= 500:
            yield key, f"{most} stories", "write 1 to 500"
    for language in draft.languages:
        if not LANGUAGE.fullmatch(language):
            yield "draft.languages", f"{language!r} is no language tag", "write language tags such as en-GB, ur or hi"
    if not draft.section:
        yield "draft.section", "a draft needs a section", "take the line out for a lead and a list"


def _durations(schedule: Schedule) -> Iterator[Complaint]:
    for key in ("lateness", "undo", "spread"):
        yield from _number(partial(parse_duration, getattr(schedule, key), f"schedule.{key}"))


def _who_goes_first(schedule: Schedule) -> Iterator[Complaint]:
    if isinstance(schedule.canary, int) and schedule.canary < 0:
        yield "schedule.canary", f"{schedule.canary} is no number of readers", 'write canary = "5%", or 200'
    yield from _number(lambda: canary_size(schedule.canary, 1))
    yield from _number(lambda: parse_duration(schedule.canary_wait, "schedule.canary_wait"))
    if schedule.canary_wait in ("0", "0d", "0h", "0m", "0s"):
        yield "schedule.canary_wait", "nothing is known of a canary at once", 'canary_wait = "10m"'
    for key in ("complaints_warn", "complaints_pause", "bounces_pause"):
        yield from _number(partial(parse_share, getattr(schedule, key), f"schedule.{key}"))
    steps = schedule.warm_up
    if any(step < 1 for step in steps) or steps != sorted(steps):
        hint = "warm_up = [500, 1000, 2000, 5000]"
        yield "schedule.warm_up", "each day allows at least as many mails as the one before, and one at least", hint
    if not 1 <= schedule.approvals_required <= 9:
        yield "schedule.approvals_required", f"{schedule.approvals_required} people", "write 1 to 9"


def _session(text: str) -> Iterator[Complaint]:
    try:
        lasts = parse_duration(text, "composer.session")
    except ConfigurationError as error:
        yield "composer.session", error.what.partition(": ")[2], error.fix
        return
    if not timedelta(minutes=5) <= lasts <= timedelta(days=30):
        yield "composer.session", f"{text!r} is too short or too long", "write five minutes to 30 days, such as 12h"


def _single_lines(config: Config) -> Iterator[tuple[str, str]]:
    """What ends in a header, where a line break would begin another one."""
    yield "publication.name", config.publication.name
    yield "sender.name", config.sender.name


def _zone(name: str) -> Iterator[Complaint]:
    try:
        zoneinfo.ZoneInfo(name)
    except (zoneinfo.ZoneInfoNotFoundError, ValueError, OSError):
        known = sorted(zoneinfo.available_timezones())
        hint = did_you_mean(name, known) or "write an IANA name such as Europe/London or Asia/Colombo"
        yield "publication.timezone", f"{name!r} is no time zone", hint


def _address(key: str, address: str) -> Iterator[Complaint]:
    if address and not _ADDRESS.fullmatch(address):
        yield key, f"{address!r} is no email address", "write name@example.org alone, without a display name"


def _url(key: str, url: str | None) -> Iterator[Complaint]:
    if url is None or url == "":
        return
    hint = 'write an absolute address such as "https://news.example.org"'
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname, parts.port
    except ValueError:
        yield key, f"{url!r} is no URL", hint
        return
    if parts.scheme not in ("http", "https") or not host or re.search(r"\s", url):
        yield key, f"{url!r} is no absolute http(s) URL", hint
    elif parts.query or parts.fragment or parts.username is not None:
        yield key, "the URL must have no user name, no ? and no #", hint


def _number(parse: Callable[[], Any]) -> Iterator[Complaint]:
    try:
        parse()
    except ConfigurationError as error:
        assert error.where
        yield error.where, error.what.partition(": ")[2], error.fix


def _provider(config: Config) -> Iterator[Complaint]:
    smtp, sendgrid = config.provider.smtp, config.provider.sendgrid
    if not config.provider.outbox.path:
        yield "provider.outbox.path", "the outbox needs a folder", 'path = ".newsletter/outbox"'
    if smtp is not None:
        if not _HOST.fullmatch(smtp.host):
            yield "provider.smtp.host", f"{smtp.host!r} is no host name", 'host = "mail.example.org"'
        if not 1 <= smtp.port <= 65_535:
            yield "provider.smtp.port", f"{smtp.port} is no port", "587 with starttls, 465 with tls"
        if not 1 <= smtp.connections <= 100:
            yield "provider.smtp.connections", f"{smtp.connections} connections", "write 1 to 100"
        if smtp.timeout <= 0:
            yield "provider.smtp.timeout", "the time-out must be more than 0 seconds", "timeout = 60"
        if smtp.bounce_domain is not None and not _HOST.fullmatch(smtp.bounce_domain):
            yield "provider.smtp.bounce_domain", "this is no domain", 'bounce_domain = "bounces.example.org"'
        if smtp.dkim is not None:
            yield from _dkim(smtp.dkim, config.sender.email)
    if sendgrid is not None:
        yield from _url("provider.sendgrid.host", sendgrid.host or " ")
        if sendgrid.timeout <= 0:
            yield "provider.sendgrid.timeout", "the time-out must be more than 0 seconds", "timeout = 30"
        if not 1 <= sendgrid.connections <= 20:
            yield "provider.sendgrid.connections", f"{sendgrid.connections} connections", "write 1 to 20"


def _dkim(dkim: DkimSettings, sender: str) -> Iterator[Complaint]:
    at = "provider.smtp.dkim"
    if dkim.domain is None and "@" not in sender:
        yield f"{at}.domain", "nobody is named to sign for", 'write email under [sender], or domain = "example.org"'
    if dkim.domain is not None and not _HOST.fullmatch(dkim.domain):
        yield f"{at}.domain", "this is no domain", 'domain = "example.org"'
    for name, selector in (("selector", dkim.selector), ("ed25519_selector", dkim.ed25519_selector)):
        if selector is not None and not _HOST.fullmatch(selector):
            yield f"{at}.{name}", f"{selector!r} is no DNS label", f'{name} = "news"'
    if (dkim.ed25519_selector is None) != (dkim.ed25519_key is None):
        missing = "ed25519_key" if dkim.ed25519_key is None else "ed25519_selector"
        yield f"{at}.{missing}", "the second signature needs a selector and a key", f"add {missing}, or remove both"
    if dkim.ed25519_selector == dkim.selector:
        yield f"{at}.ed25519_selector", "two keys cannot have one selector", 'ed25519_selector = "news-ed"'


def _attributes(names: list[str]) -> Iterator[Complaint]:
    for position, name in enumerate(names):
        if not _ATTRIBUTE.fullmatch(name):
            hint = "use a–z, 0–9 and _, as in first_name"
            yield "audience.attributes", f"{name!r} cannot be an attribute", hint
        elif name in _NOT_ATTRIBUTES:
            yield "audience.attributes", f"{name!r} is a merge field of its own", "choose another name"
        elif name in names[:position]:
            yield "audience.attributes", f"{name!r} is there twice", "keep one"


def _clients(shares: dict[str, float]) -> Iterator[Complaint]:
    for name, share in shares.items():
        if name not in CLIENT_FAMILIES:
            hint = did_you_mean(name, CLIENT_FAMILIES) or f"the clients are {', '.join(CLIENT_FAMILIES)}"
            yield f"audience.clients.{name}", "there are no facts about this mail client", hint
        elif not 0 <= share < math.inf:
            yield f"audience.clients.{name}", f"{share:g} is no share", "write per cent of your readers: 5, or 0.5"
    if not any(shares.values()):
        yield "audience.clients", "nobody reads with any of them", "name one, or take the line out for usual shares"


def _secrets(config: Config) -> Iterator[Complaint]:
    """A reference names one place. What is wrong with it is never quoted: it may be the secret, in the wrong slot."""
    smtp, sendgrid = config.provider.smtp, config.provider.sendgrid
    dkim = smtp.dkim if smtp else None
    for key, ref in (
        ("provider.smtp.password", smtp.password if smtp else None),
        ("provider.smtp.dkim.key", dkim.key if dkim else None),
        ("provider.smtp.dkim.ed25519_key", dkim.ed25519_key if dkim else None),
        ("provider.sendgrid.api_key", sendgrid.api_key if sendgrid else None),
        ("provider.sendgrid.webhook_key", sendgrid.webhook_key if sendgrid else None),
    ):
        if ref is None or isinstance(ref, str):
            continue
        hint = 'write {env = "NAME"} or {file = "path"}'
        if (ref.env is None) == (ref.file is None):
            yield key, "a secret has one place", hint
        elif ref.env is not None and not _VARIABLE.fullmatch(ref.env):
            yield key, "env is the name of a variable: letters, digits and _ (never the secret itself)", hint
        elif ref.file == "":
            yield key, "the file of the secret has no name", hint
