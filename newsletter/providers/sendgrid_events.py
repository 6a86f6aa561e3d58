"""SendGrid's event webhook: verified, then said in our words. Needs the verification key and no secret.

The signature is ECDSA with SHA-256 over timestamp and body (Twilio SendGrid, "Event Webhook Security Features"). A call
stays good for a day: SendGrid repeats what we did not take for 24 hours, and nowhere promises to sign it anew. A call
that somebody else repeats changes nothing, because each event counts once.
"""

from __future__ import annotations

import base64
import binascii
import json
import math
import re
import time
from collections.abc import Mapping
from typing import Any, Final

from newsletter.delivery.ports import Cause, Event, Kind
from newsletter.errors import BadData, ConfigurationError, NotAuthentic
from newsletter.message.headers import one_line
from newsletter.providers.options import Options

OLDEST: Final = 25 * 3600.0
"""Seconds that a signed call stays good."""
AHEAD: Final = 600.0
"""Seconds by which SendGrid's clock may be before ours."""

_SIGNATURE = "x-twilio-email-event-webhook-signature"
_TIMESTAMP = "x-twilio-email-event-webhook-timestamp"
_SHOWN = 300
_KEY = re.compile(r"[0-9a-f]{32}")
_LAST = 4_102_444_800  # the year 2100: nothing that is told has happened after that
_KINDS: Mapping[str, Kind] = {
    "processed": "processed",
    "delivered": "delivered",
    "bounce": "bounced",
    "dropped": "dropped",
    "deferred": "deferred",
    "open": "opened",
    "click": "clicked",
    "spamreport": "complained",
    "unsubscribe": "unsubscribed",
    "group_unsubscribe": "unsubscribed",
}
# "Technical", "Mailbox Unavailable", "Frequency or Volume Too High" and "Unclassified" say nothing to act on.
_CLASSES: Mapping[str, Cause] = {"invalid address": "unknown", "reputation": "policy", "content": "policy"}
_DROPS: Mapping[str, Cause] = {"spam reporting address": "complained", "unsubscribed address": "unsubscribed"}


def event_reader(options: Mapping[str, object]) -> SignedEvents:
    """Options: ``webhook_key``, the public key that SendGrid shows; ConfigurationError when it is none."""
    return SignedEvents(Options("sendgrid", options, ("webhook_key",)).text("webhook_key"))


class SignedEvents:
    """Believes only what SendGrid signed. Without a key it believes nothing."""

    def __init__(self, webhook_key: str | None) -> None:
        self._key = None if webhook_key is None else _public_key(webhook_key)

    def __call__(self, raw: bytes, headers: Mapping[str, str]) -> list[Event]:
        """Verify one call and read it; raises NotAuthentic, BadData, and ConfigurationError without a key."""
        given = {name.lower(): value for name, value in headers.items()}
        self._verify(raw, given.get(_SIGNATURE, ""), given.get(_TIMESTAMP, ""))
        return read_events(raw)

    def _verify(self, raw: bytes, signature: str, timestamp: str) -> None:
        if not re.fullmatch(r"[0-9]{1,12}", timestamp) or not signature:
            raise NotAuthentic("this webhook call is not signed", fix="switch on the signed event webhook at SendGrid")
        if self._key is None:
            raise ConfigurationError(
                "there is no key to verify SendGrid's events with",
                where="newsletter.toml: provider.sendgrid.webhook_key",
                fix="take the verification key from SendGrid's Mail Settings, Event Webhook",
            )
        from cryptography.exceptions import InvalidSignature
        from cryptography.hazmat.primitives import hashes
        from cryptography.hazmat.primitives.asymmetric import ec

        try:
            signed = base64.b64decode(signature, validate=True)
            self._key.verify(signed, timestamp.encode() + raw, ec.ECDSA(hashes.SHA256()))
        except (binascii.Error, ValueError, InvalidSignature) as error:
            fix = "compare webhook_key with SendGrid's"
            raise NotAuthentic("the signature of this webhook call is wrong", fix=fix) from error
        age = time.time() - int(timestamp)
        if not -AHEAD <= age <= OLDEST:
            raise NotAuthentic("this webhook call is too old or from the future", fix="check this machine's clock")


def read_events(raw: bytes) -> list[Event]:
    """The events of one webhook call that are about our deliveries, in its order.

    Skipped: mail of the account that is not ours, what says nothing about a mail (group_resubscribe, account changes),
    and a single event that is not of the documented form. A bounce of type ``blocked`` is ours of that name: the server
    refused this mail, the address is not bad. Raises BadData when the whole is not a JSON array of objects.
    """
    try:
        found = json.loads(raw)
    except (ValueError, RecursionError) as error:
        raise _not_events() from error
    if not isinstance(found, list) or not all(isinstance(event, dict) for event in found):
        raise _not_events()
    return [event for event in map(_event, found) if event is not None]


def _event(raw: Mapping[str, Any]) -> Event | None:
    key, said, at = raw.get("delivery"), raw.get("event"), _microseconds(raw.get("timestamp"))
    if at is None or not isinstance(key, str) or not _KEY.fullmatch(key) or not isinstance(said, str):
        return None
    kind = _KINDS.get(said)
    if kind is None:
        return None
    detail = one_line(_text(raw, "reason") or _text(raw, "response") or _text(raw, "url")).strip()[:_SHOWN]
    if kind == "bounced" and raw.get("type") == "blocked":
        kind = "blocked"
    if kind == "dropped":
        return Event(key, kind, at, detail, cause=_DROPS.get(_text(raw, "reason").lower()), raw=raw)
    if kind not in ("bounced", "blocked"):
        return Event(key, kind, at, detail, raw=raw)
    cause = _CLASSES.get(_text(raw, "bounce_classification").lower())
    return Event(key, kind, at, detail, code=_text(raw, "status")[:20], cause=cause, raw=raw)


def _text(raw: Mapping[str, Any], name: str) -> str:
    text = raw.get(name)
    return text[: 4 * _SHOWN].strip() if isinstance(text, str) else ""


def _microseconds(at: object) -> int | None:
    """UTC microseconds of a time in seconds; None for what is none."""
    if isinstance(at, bool) or not isinstance(at, int | float):
        return None
    if isinstance(at, float) and not math.isfinite(at):
        return None
    return int(at * 1_000_000) if 0 < at < _LAST else None


def _public_key(text: str) -> Any:
    from cryptography.hazmat.primitives.asymmetric import ec
    from cryptography.hazmat.primitives.serialization import load_der_public_key

    try:
        key = load_der_public_key(base64.b64decode("".join(text.split()), validate=True))
    except Exception as error:  # whatever the library raises for a key that is none
        raise _no_key() from error
    if not isinstance(key, ec.EllipticCurvePublicKey):
        raise _no_key()
    return key


def _no_key() -> ConfigurationError:
    return ConfigurationError(
        "the key to verify SendGrid's events with is not a public key",
        where="newsletter.toml: provider.sendgrid.webhook_key",
        fix="copy it again from SendGrid's Mail Settings, Event Webhook",
    )


def _not_events() -> BadData:
    return BadData("this is not a list of SendGrid events", fix="point only SendGrid's event webhook at this address")
