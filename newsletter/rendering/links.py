"""What ``[links]`` adds to the address of a story link, so that a site's statistics know the issue it came from."""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import parse_qsl, quote, urlsplit

from newsletter.message.merge import TOKEN
from newsletter.workspace.settings import Config

NAMES = ("utm_source", "utm_medium", "utm_campaign", "utm_content")
"""The parameters in the order in which they are added; each is a key of ``[links]``."""

_OUR_PAGES = ("/u/", "/v/", "/m/")


@dataclass(frozen=True, slots=True)
class LinkParameters:
    """``query`` is ready to stand in an address (``utm_source=…&utm_medium=…``); empty: nothing is added.

    ``hosts`` are the lower-case host names whose links get it. ``own`` are the beginnings of the publication's
    unsubscribe, web and picture addresses, which never do.
    """

    query: str = ""
    hosts: frozenset[str] = frozenset()
    own: tuple[str, ...] = ()


NONE = LinkParameters()


def parameters_of(config: Config, issue: str) -> LinkParameters:
    """What is added to the links of the issue with this slug; ``{issue}`` in ``utm_campaign`` is the slug."""
    links, site = config.links, config.site.url or ""
    values = {name: getattr(links, name) for name in NAMES}
    values["utm_campaign"] = links.utm_campaign.replace("{issue}", issue)
    query = "&".join(f"{name}={quote(value, safe='')}" for name, value in values.items() if value)
    hosts = links.utm_hosts or [_host(site) or ""]
    return LinkParameters(query, frozenset(host.lower() for host in hosts), tuple(site + page for page in _OUR_PAGES))


def with_parameters(address: str, parameters: LinkParameters) -> str:
    """The address with the parameters at the end of its query; its fragment stays last, and every other byte stays.

    Left alone: other schemes and hosts, our own pages, a host that is a reader's value, and a link that has a
    ``utm_`` parameter already, whoever gave it.
    """
    if not parameters.query or _host(address) not in parameters.hosts:
        return address
    base, hash_, fragment = address.partition("#")
    _, _, query = base.partition("?")
    has_its_own = any(name.lower().startswith("utm_") for name, _ in parse_qsl(query, keep_blank_values=True))
    if has_its_own or base.startswith(parameters.own):
        return address
    joint = "?" if "?" not in base else "" if not query or query.endswith("&") else "&"
    return f"{base}{joint}{parameters.query}{hash_}{fragment}"


def _host(address: str) -> str | None:
    """The lower-case host of an http(s) address; None for anything else, and where a merge field decides it."""
    try:
        parts = urlsplit(address)
    except ValueError:
        return None
    known = parts.scheme.lower() in ("http", "https") and not TOKEN.search(parts.netloc)
    return parts.hostname if known else None
