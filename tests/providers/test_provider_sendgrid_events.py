"""SendGrid's event webhook: only signed and fresh calls are believed, and each event gets our word."""

from __future__ import annotations

import base64
import json
import re
import time
from typing import Any, get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from newsletter.delivery.ports import Event, Kind
from newsletter.errors import BadData, ConfigurationError, NotAuthentic
from newsletter.providers.sendgrid import SendgridProvider
from newsletter.providers.sendgrid_events import event_reader, read_events
from tests.webhooks import Signer

KEY = "SG.canary-key-that-must-not-leak"
DELIVERY = "ab" * 16


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
        (raw, signer.headers(raw, time.time() - 26 * 3600), "too old"),
        (raw, signer.headers(raw, time.time() + 700), "from the future"),
    ]
    for body, headers, words in forged:
        with pytest.raises(NotAuthentic, match=words):
            provider.parse_events(body, headers)


def test_a_call_that_sendgrid_repeats_for_a_day_is_still_read(signer: Signer) -> None:
    """Ours may have been away: it repeats for 24 hours, and nowhere says that it signs anew."""
    raw = json.dumps([event("delivered")]).encode()
    read = event_reader({"webhook_key": signer.public})
    assert len(read(raw, signer.headers(raw, time.time() - 24 * 3600))) == 1
    assert len(read(raw, signer.headers(raw, time.time() + 500))) == 1


def test_reading_needs_no_key_that_can_send(signer: Signer) -> None:
    """The page that the world can reach is made from the verification key alone."""
    with pytest.raises(ConfigurationError, match="api_key"):
        event_reader({"webhook_key": signer.public, "api_key": KEY})


@pytest.mark.parametrize("key", [None, "not a key", "YQ=="])
def test_without_a_key_no_event_is_believed(signer: Signer, key: str | None) -> None:
    raw = b"[]"
    with pytest.raises(ConfigurationError, match="verify SendGrid"):
        SendgridProvider(KEY, webhook_key=key).parse_events(raw, signer.headers(raw))


def test_a_key_of_another_kind_is_no_key(signer: Signer) -> None:
    """RSA is not what SendGrid signs with; a key in PEM without its frame may have line breaks."""
    from cryptography.hazmat.primitives import serialization as forms
    from cryptography.hazmat.primitives.asymmetric import rsa

    other = rsa.generate_private_key(65537, 2048).public_key()
    der = other.public_bytes(forms.Encoding.DER, forms.PublicFormat.SubjectPublicKeyInfo)
    with pytest.raises(ConfigurationError, match="not a public key"):
        event_reader({"webhook_key": base64.b64encode(der).decode()})
    broken = f"{signer.public[:40]}\n{signer.public[40:]}\n"
    assert event_reader({"webhook_key": broken})(b"[]", signer.headers(b"[]")) == []


@pytest.mark.parametrize(
    ("said", "kind"),
    [
        (event("delivered"), "delivered"),
        (event("bounce", type="bounce", status="5.1.1", reason="550 no such mailbox"), "bounced"),
        (event("bounce", type="blocked"), "blocked"),
        (event("dropped"), "dropped"),
        (event("deferred"), "deferred"),
        (event("open"), "opened"),
        (event("click", url="https://a.example"), "clicked"),
        (event("spamreport"), "complained"),
        (event("unsubscribe"), "unsubscribed"),
        (event("group_unsubscribe"), "unsubscribed"),
        (event("processed"), "processed"),
        (event("group_resubscribe"), None),
        (event("delivered", delivery="someone else's"), None),
        (event("delivered", delivery=None), None),
        (event("open", event=5), None),
        (event("account_status_change", type="compliance_suspend"), None),
    ],
)
def test_an_event_has_our_word_for_it(said: dict[str, Any], kind: str | None) -> None:
    assert [e.kind for e in read_events(json.dumps([said]).encode())] == ([] if kind is None else [kind])


def test_the_detail_of_a_bounce_says_why() -> None:
    (found,) = read_events(
        json.dumps([event("bounce", type="bounce", status="5.1.1", reason="550 no\r\none")]).encode()
    )
    assert (found.detail, found.code) == ("550 no one", "5.1.1")


@pytest.mark.parametrize(
    ("said", "cause"),
    [
        (event("bounce", bounce_classification="Invalid Address"), "unknown"),
        (event("bounce", type="blocked", bounce_classification="Reputation"), "policy"),
        (event("bounce", bounce_classification="Technical"), None),
        (event("bounce", bounce_classification=["Invalid Address"]), None),
        (event("dropped", reason="Spam Reporting Address"), "complained"),
        (event("dropped", reason="Unsubscribed Address"), "unsubscribed"),
        (event("dropped", reason="Bounced Address"), None),
        (event("delivered", bounce_classification="Invalid Address"), None),
    ],
)
def test_what_sendgrid_itself_says_of_the_cause(said: dict[str, Any], cause: str | None) -> None:
    (found,) = read_events(json.dumps([said]).encode())
    assert found.cause == cause


@pytest.mark.parametrize("at", ["x", None, True, 0, -5, 1e300, 10**400, float("inf"), float("nan"), [], 4_200_000_000])
def test_one_event_without_a_time_does_not_take_the_others_with_it(at: Any) -> None:
    """A whole call that was refused for it would come again for a day, and then be lost."""
    raw = json.dumps([event("open", timestamp=at), event("delivered")]).encode()
    assert [found.kind for found in read_events(raw)] == ["delivered"]


@pytest.mark.parametrize(
    "raw",
    [b"", b"{}", b"[5]", b"\xff", b"[" * 100_000, b'[{"a":' * 50_000, b"[" + b"9" * 5_000 + b"]", b"[{]", b'[{"a":1}'],
    ids=["empty", "object", "number", "no text", "deep", "deep objects", "long number", "broken", "cut off"],
)
def test_what_is_not_a_list_of_events_is_refused(raw: bytes) -> None:
    with pytest.raises(BadData, match="not a list of SendGrid events"):
        read_events(raw)


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)
_NAMES = st.sampled_from(
    ["event", "timestamp", "delivery", "type", "status", "reason", "response", "url", "bounce_classification", "email"]
)
_WORDS = st.sampled_from(["bounce", "dropped", "processed", "blocked", "delivered", "Unsubscribed Address", DELIVERY])


@given(st.lists(st.dictionaries(_NAMES, _JSON | _WORDS)))
def test_whatever_stands_in_an_event_it_is_read_or_skipped(events: list[dict[str, Any]]) -> None:
    """Nothing but our own kinds, keys of ours, times that the database can keep, one line of bounded detail."""
    for found in read_events(json.dumps(events).encode()):
        assert found.key == DELIVERY
        assert found.kind in get_args(Kind)
        assert 0 < found.at < 2**63
        assert len(found.detail) <= 300
        assert not re.search(r"[\x00-\x1f\x7f]", found.detail)


@given(st.binary(max_size=300))
def test_any_bytes_are_events_or_refused(raw: bytes) -> None:
    try:
        assert isinstance(read_events(raw), list)
    except BadData:
        return
