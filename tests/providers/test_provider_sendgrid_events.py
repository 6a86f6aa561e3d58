"""SendGrid's event webhook: only signed and fresh calls are believed, and each event gets our word."""

from __future__ import annotations

import base64
import json
import time
from typing import Any

import pytest

from newsletter.delivery.ports import Event
from newsletter.errors import BadData, ConfigurationError
from newsletter.providers.sendgrid import SendgridProvider
from newsletter.providers.sendgrid_answers import read_events

KEY = "SG.canary-key-that-must-not-leak"
DELIVERY = "ab" * 16


class Signer:
    """SendGrid's side of the signed event webhook."""

    def __init__(self) -> None:
        from cryptography.hazmat.primitives import serialization
        from cryptography.hazmat.primitives.asymmetric import ec

        self._key = ec.generate_private_key(ec.SECP256R1())
        der = self._key.public_key().public_bytes(
            serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
        )
        self.public = base64.b64encode(der).decode()

    def headers(self, raw: bytes, at: float | None = None) -> dict[str, str]:
        from cryptography.hazmat.primitives import hashes
        from cryptography.hazmat.primitives.asymmetric import ec

        stamp = str(int(time.time() if at is None else at))
        signature = self._key.sign(stamp.encode() + raw, ec.ECDSA(hashes.SHA256()))
        return {
            "X-Twilio-Email-Event-Webhook-Signature": base64.b64encode(signature).decode(),
            "x-twilio-email-event-webhook-timestamp": stamp,
        }


@pytest.fixture(scope="module")
def signer() -> Signer:
    return Signer()


def event(kind: str, **more: Any) -> dict[str, Any]:
    return {"event": kind, "timestamp": 1_700_000_000, "delivery": DELIVERY, "email": "a@b.example", **more}


def test_a_signed_call_is_read(signer: Signer) -> None:
    raw = json.dumps([event("delivered", response="250 ök"), event("open")], ensure_ascii=False).encode()
    events = SendgridProvider(KEY, webhook_key=signer.public).parse_events(raw, signer.headers(raw))
    assert [(e.key, e.kind, e.at, e.detail) for e in events] == [
        (DELIVERY, "delivered", 1_700_000_000_000_000, "250 ök"),
        (DELIVERY, "opened", 1_700_000_000_000_000, ""),
    ]
    assert isinstance(events[0], Event)
    assert events[0].raw["response"] == "250 ök"


def test_a_call_that_is_not_sendgrids_is_refused(signer: Signer) -> None:
    """Another body, another key, a broken or missing signature, an old one: BadData, never anything else."""
    raw = json.dumps([event("delivered")]).encode()
    provider = SendgridProvider(KEY, webhook_key=signer.public)
    good = signer.headers(raw)
    name = "X-Twilio-Email-Event-Webhook-Signature"
    forged: list[tuple[bytes, dict[str, str], str]] = [
        (raw + b" ", good, "signature"),
        (b"\xff", good, "signature"),
        (raw, Signer().headers(raw), "signature"),
        (raw, {**good, name: "%%%"}, "signature"),
        (raw, {**good, name: "YQ=="}, "signature"),
        (raw, {**good, name: ""}, "not signed"),
        (raw, {}, "not signed"),
        (raw, {**good, "x-twilio-email-event-webhook-timestamp": "now"}, "not signed"),
        (raw, signer.headers(raw, time.time() - 700), "older than ten minutes"),
        (raw, signer.headers(raw, time.time() + 700), "older than ten minutes"),
    ]
    for body, headers, words in forged:
        with pytest.raises(BadData, match=words):
            provider.parse_events(body, headers)
    assert len(provider.parse_events(raw, signer.headers(raw, time.time() - 500))) == 1


@pytest.mark.parametrize("key", [None, "not a key", "YQ=="])
def test_without_a_key_no_event_is_believed(signer: Signer, key: str | None) -> None:
    raw = b"[]"
    with pytest.raises(ConfigurationError, match="verify SendGrid"):
        SendgridProvider(KEY, webhook_key=key).parse_events(raw, signer.headers(raw))


@pytest.mark.parametrize(
    ("said", "kind"),
    [
        (event("delivered"), "delivered"),
        (event("bounce", type="bounce", status="5.1.1", reason="550 no such mailbox"), "bounced"),
        (event("bounce", type="blocked"), "dropped"),
        (event("dropped"), "dropped"),
        (event("deferred"), "deferred"),
        (event("open"), "opened"),
        (event("click", url="https://a.example"), "clicked"),
        (event("spamreport"), "complained"),
        (event("unsubscribe"), "unsubscribed"),
        (event("group_unsubscribe"), "unsubscribed"),
        (event("processed"), None),
        (event("group_resubscribe"), None),
        (event("delivered", delivery="someone else's"), None),
        (event("delivered", delivery=None), None),
        (event("open", event=5), None),
    ],
)
def test_an_event_has_our_word_for_it(said: dict[str, Any], kind: str | None) -> None:
    assert [e.kind for e in read_events(json.dumps([said]).encode())] == ([] if kind is None else [kind])


def test_the_detail_of_a_bounce_says_why() -> None:
    (found,) = read_events(
        json.dumps([event("bounce", type="bounce", status="5.1.1", reason="550 no\r\none")]).encode()
    )
    assert found.detail == "bounce 5.1.1 550 no one"


@pytest.mark.parametrize("raw", [b"", b"{}", b"[5]", b"\xff", json.dumps([event("open", timestamp="x")]).encode()])
def test_what_is_not_a_list_of_events_is_refused(raw: bytes) -> None:
    with pytest.raises(BadData, match="not a list of SendGrid events"):
        read_events(raw)
