"""The public addresses of a publication and the signed tokens in them.

``/u/<token>`` leads to unsubscribing and preferences, ``/v/<slug>`` to the web copy, ``/m/<name>`` to a picture.
A token is ``v1.<purpose>.<subscriber public id>.<key id>.<mac>``: whoever holds it may do that one thing for that
one subscriber, and it never expires, because an unsubscribe link in an old mail must work (RFC 8058 names no
end, and the law of most countries neither).

The mac is HMAC-SHA256 over everything before it, cut to 128 bits: guessing is hopeless online at that length
(RFC 2104, 5, allows half of the hash), and 22 letters keep the address short.
"""

from __future__ import annotations

import base64
import functools
import hmac
import re
from collections.abc import Mapping
from typing import Literal, Protocol, get_args
from urllib.parse import quote

from newsletter.errors import BadData, ConfigurationError

Purpose = Literal["unsubscribe", "preferences"]
PURPOSES: tuple[Purpose, ...] = get_args(Purpose)
"""What a token allows. A token of one purpose is refused for the other."""

_TOKEN = re.compile(
    r"(?P<signed>v1\.(?P<purpose>[a-z]{1,20})\.(?P<id>[0-9a-f]{32})\.(?P<key>[A-Za-z0-9_-]{1,40}))"
    r"\.(?P<mac>[A-Za-z0-9_-]{22})",
    re.ASCII,
)


class SigningKeys(Protocol):
    """Key material: secrets by key id, and which of them signs. Old ones still verify (``workspace.keys.Keys``)."""

    @property
    def current(self) -> str:
        """The id of the key that signs new tokens."""
        ...

    @property
    def secrets(self) -> Mapping[str, bytes]:
        """Every key that may verify, by id."""
        ...


def make_token(purpose: Purpose, public_id: str, keys: SigningKeys) -> str:
    """Sign a token for one purpose and one subscriber (``public_id``: 32 hex digits) with the current key."""
    secret = keys.secrets.get(keys.current)
    if not secret:
        raise ConfigurationError(
            f'the signing key "{keys.current}" is missing',
            where=".newsletter/keys.json",
            fix="restore the file from a backup: without it, links in mails already sent stop working",
        )
    signed = f"v1.{purpose}.{public_id}.{keys.current}"
    token = f"{signed}.{_mac(secret, signed)}"
    if purpose not in PURPOSES or not _TOKEN.fullmatch(token):
        raise BadData("a link for this subscriber cannot be signed", fix="this is a bug: please report it")
    return token


def read_token(token: str, purpose: Purpose, keys: SigningKeys) -> str:
    """The subscriber's public id, when the token was signed by one of our keys for this purpose.

    Raises BadData otherwise, always with the same words: an attacker learns nothing from them.
    """
    found = _TOKEN.fullmatch(token)
    secret = keys.secrets.get(found["key"]) if found else None
    if found and secret and found["purpose"] == purpose:
        right = hmac.compare_digest(_mac(secret, found["signed"]).encode(), found["mac"].encode())
        if right:
            return found["id"]
    raise BadData("this link is not valid", fix="use the link in the newest mail, or write to the publication")


def public_links(site_url: str | None, keys: SigningKeys, subscriber_public_id: str, slug: str) -> dict[str, str]:
    """The values of the three link fields for one reader; empty while the publication has no site."""
    if not site_url:
        return {}
    start = page(site_url, "u", "")  # a token has no character that would have to be quoted
    return {
        "unsubscribe_url": start + make_token("unsubscribe", subscriber_public_id, keys),
        "preferences_url": start + make_token("preferences", subscriber_public_id, keys),
        "web_url": web_copy(site_url, slug),
    }


def web_copy(site_url: str, slug: str) -> str:
    """Where the web copy of an issue lives."""
    return page(site_url, "v", slug)


def media(site_url: str, name: str) -> str:
    """Where a hosted picture lives."""
    return page(site_url, "m", name)


@functools.lru_cache(maxsize=256)
def page(site_url: str, kind: Literal["u", "v", "m"], name: str) -> str:
    """``<site>/<kind>/<name>``; the site's own path is kept, a trailing slash does not matter."""
    return f"{site_url.rstrip('/')}/{kind}/{quote(name, safe='')}"


def _mac(secret: bytes, signed: str) -> str:
    digest = hmac.digest(secret, signed.encode("ascii"), "sha256")[:16]
    return base64.urlsafe_b64encode(digest).decode("ascii").rstrip("=")
