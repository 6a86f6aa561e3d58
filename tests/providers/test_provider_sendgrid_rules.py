"""What SendGrid refuses is refused before the request leaves, rule by rule."""

from __future__ import annotations

import json
from copy import deepcopy
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from newsletter.errors import BadData
from newsletter.providers.sendgrid_request import plan_requests, shared_body
from newsletter.providers.sendgrid_rules import MAX_REQUEST, addresses_of, personalization_problems, validate

NOW = 1_800_000_000.0


def good() -> dict[str, Any]:
    return {
        "personalizations": [
            {"to": [{"email": "ada@post.example"}], "substitutions": {"a": "b"}, "custom_args": {"delivery": "1"}},
            {"to": [{"email": "bo@post.example"}], "headers": {"List-Unsubscribe": "<https://a.example>"}},
        ],
        "from": {"email": "weekly@lantern.example", "name": "Lantern"},
        "reply_to": {"email": "desk@lantern.example"},
        "subject": "Hello",
        "content": [{"type": "text/plain", "value": "a"}, {"type": "text/html", "value": "<p>a</p>"}],
        "attachments": [
            {"content": "YQ==", "filename": "a.jpg", "type": "image/jpeg", "disposition": "inline", "content_id": "a"}
        ],
        "headers": {"List-Id": "<a.b>"},
        "categories": ["weekly"],
        "custom_args": {"mailing": "1"},
        "send_at": int(NOW) + 3600,
    }


def put(request: dict[str, Any], path: str, value: Any) -> dict[str, Any]:
    """``request`` with one value changed; ``...`` removes it."""
    request = deepcopy(request)
    *way, last = path.split("/")
    place: Any = request
    for step in way:
        place = place[int(step)] if isinstance(place, list) else place[step]
    if value is ...:
        del place[int(last) if isinstance(place, list) else last]
    else:
        place[int(last) if isinstance(place, list) else last] = value
    return request


def test_a_good_request_has_no_problem() -> None:
    assert validate(good(), now=NOW) == []


BROKEN: list[tuple[str, Any, str]] = [
    ("personalizations", [], "nobody gets this mail"),
    ("personalizations", ..., "nobody gets this mail"),
    ("personalizations/0", "ada", "personalizations.0: it is not an object"),
    ("personalizations/0/to", [], "to is empty"),
    ("personalizations/0/to", [{"email": "no address"}], "not a plain mail address"),
    ("personalizations/0/to", ["ada@post.example"], "not a plain mail address"),
    ("personalizations/0/to", [{"email": "jürgen@post.example"}], "not a plain mail address"),
    ("personalizations/1/to", [{"email": "ADA@post.example"}], "the same address is in personalizations.0"),
    ("personalizations/1/cc", [{"email": "ada@post.example"}], "the same address is in personalizations.0"),
    ("personalizations/0/subject", " ", "subject is empty"),
    ("personalizations/0/substitutions", {"a": 1}, "substitutions is not an object of strings"),
    ("personalizations/0/substitutions", ["a"], "substitutions is not an object of strings"),
    ("personalizations/0/substitutions", {"a": "ü" * 5000}, "substitutions has 10,001 bytes"),
    ("personalizations/0/custom_args", {"a": None}, "custom_args is not an object of strings"),
    ("personalizations/0/custom_args", {"a": "b" * 9992}, "custom_args has 10,001 bytes"),
    ("custom_args", {"a": 1}, "custom_args is not an object of strings"),
    ("custom_args", {"a": "b" * 10_000}, "custom_args has 10,001 bytes"),
    ("personalizations/1/headers", {"X-SG-ID": "a"}, "X-SG-ID is reserved"),
    ("personalizations/1/headers", ["a"], "headers is not an object"),
    ("personalizations/0/send_at", True, "personalizations.0: send_at is not a whole number"),
    ("from", ..., "from has no plain mail address"),
    ("from", {"email": "weekly"}, "from has no plain mail address"),
    ("reply_to", {"name": "Desk"}, "reply_to has no plain mail address"),
    ("reply_to_list", [], "exclude each other"),
    ("subject", ..., "the subject is missing"),
    ("subject", " ", "the subject is missing"),
    ("content", ..., "the content is missing"),
    ("content", [], "the content is missing"),
    ("content/0", "text", "content.0: its type is not a media type"),
    ("content/0/type", "text/plain; charset=utf-8", "content.0: its type is not a media type"),
    ("content/1/value", "", "content.1: its value is empty"),
    ("content/1/type", "text/plain", "two parts have the same type"),
    ("content", [{"type": "text/html", "value": "a"}, {"type": "text/plain", "value": "b"}], "text/plain comes first"),
    ("content/0/type", "text/calendar", "text/plain comes first"),
    ("attachments", "a", "attachments is not a list"),
    ("attachments/0/content", "a b", "content in Base64"),
    ("attachments/0/content", "", "content in Base64"),
    ("attachments/0/filename", ..., "it needs a filename"),
    ("attachments/0/disposition", "floating", "neither inline nor attachment"),
    ("attachments/0/content_id", ..., "has no content_id"),
    *[
        ("headers", {name: "x"}, f"{name} is reserved")
        for name in (
            "x-sg-id", "x-sg-eid", "Received", "DKIM-Signature", "Content-Type", "Content-Transfer-Encoding",
            "Content-Language", "To", "From", "Subject", "Reply-To", "CC", "BCC",
        )
    ],
    ("headers", {"List-Id": "Café"}, "not one line of ASCII"),
    ("headers", {"List-Id": "a\r\nTo: b"}, "not one line of ASCII"),
    ("headers", {"List-Id": 5}, "not one line of ASCII"),
    ("headers", {"List Id": "a"}, "not a header name"),
    ("headers", {"Líst": "a"}, "not a header name"),
    ("categories", "weekly", "not a list of strings"),
    ("categories", [str(n) for n in range(11)], "there are 11 categories"),
    ("categories", ["a" * 256], "from 1 to 255"),
    ("categories", ["a", "a"], "named twice"),
    ("send_at", "1800000000", "send_at is not a whole number"),
    ("send_at", int(NOW) + 72 * 3600 + 1, "more than 72 hours ahead"),
]  # fmt: skip


@pytest.mark.parametrize(("path", "value", "words"), BROKEN)
def test_a_broken_rule_is_one_sentence(path: str, value: Any, words: str) -> None:
    problems = validate(put(good(), path, value), now=NOW)
    assert any(words in problem for problem in problems), problems
    assert len(problems) <= 3, "a broken rule does not bring down the others"


def test_a_thousand_personalizations_fit_and_one_more_does_not() -> None:
    people = [{"to": [{"email": f"reader{n}@post.example"}]} for n in range(1001)]
    assert validate({**good(), "personalizations": people[:1000]}, now=NOW) == []
    (problem,) = validate({**good(), "personalizations": people}, now=NOW)
    assert "at most 1,000" in problem


def test_thirty_megabytes_are_too_many() -> None:
    request = put(good(), "content/1/value", "a" * MAX_REQUEST)
    (problem,) = validate(request, now=NOW)
    assert "must stay under 30,000,000" in problem
    assert validate(good(), now=NOW, size=MAX_REQUEST - 1) == []


def test_a_template_brings_subject_and_content() -> None:
    request = put(put(good(), "subject", ...), "content", ...)
    assert validate({**request, "template_id": "abc"}, now=NOW) == []


def test_each_personalization_may_have_its_own_subject() -> None:
    request = put(good(), "subject", ...)
    for index in (0, 1):
        request = put(request, f"personalizations/{index}/subject", "Hello")
    assert validate(request, now=NOW) == []


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)


@settings(deadline=None)
@given(key=st.sampled_from(sorted(good())), value=_JSON)
def test_no_request_makes_the_validator_raise(key: str, value: Any) -> None:
    assert isinstance(validate({**good(), key: value}, now=NOW), list)
    assert isinstance(personalization_problems(value), list)
    assert isinstance(addresses_of(value), list)


# -- from a batch to requests --------------------------------------------------------------------------------------


def test_the_mail_is_said_once_and_each_reader_is_a_personalization(mail: Any) -> None:
    batch = mail.batch(1, mail.addressed(2, first_name=""), parts=mail.big(3))
    (request,) = plan_requests(batch, ["weekly"]).requests
    body = request.body
    assert validate(body) == []
    assert json.loads(request.encoded()) == body
    assert body["from"] == {"email": "weekly@lantern.example", "name": "The Lantern Weekly"}
    assert body["reply_to"] == {"email": "desk@lantern.example"}
    assert body["subject"] == batch.outgoing.subject
    assert [c["value"] for c in body["content"]] == [batch.outgoing.text, batch.outgoing.html]
    assert body["headers"] == {
        "List-Id": batch.outgoing.list_id,
        "Feedback-ID": batch.outgoing.feedback_id,
        "X-Auto-Response-Suppress": "OOF, AutoReply",
    }
    assert body["attachments"] == [
        {
            "content": "////",
            "type": "image/jpeg",
            "filename": "big.jpg",
            "disposition": "inline",
            "content_id": "big@lantern",
        }
    ]
    assert body["categories"] == ["weekly"]
    first, second = body["personalizations"]
    url = batch.recipients[0].values["unsubscribe_url"]
    assert first == {
        "to": [{"email": "reader1@post.example"}],
        "headers": {"List-Unsubscribe": f"<{url}>", "List-Unsubscribe-Post": "List-Unsubscribe=One-Click"},
        "substitutions": {
            "nlf0001q": "Zoë 1",
            "nlf0002q": "Zo&#235; 1",
            "nlf0003q": url,
            "nlf0004q": "Zoë 1",
            "nlf0005q": url,
        },
        "custom_args": {"delivery": batch.recipients[0].key, "mailing": batch.outgoing.mailing},
    }
    assert second["substitutions"]["nlf0001q"] == "Reader"
    assert second["substitutions"]["nlf0002q"] == "reader"
    assert "send_at" not in json.dumps(body)


def test_every_tracking_setting_and_the_footer_are_sent_as_off(mail: Any) -> None:
    body = shared_body(mail.outgoing())
    assert set(body["tracking_settings"]) == {"click_tracking", "open_tracking", "subscription_tracking", "ganalytics"}
    switches = [*body["tracking_settings"].values(), *body["mail_settings"].values()]
    assert all(value is False for switch in switches for value in switch.values())
    assert {"footer", "sandbox_mode"} == set(body["mail_settings"])


def test_only_fields_that_stand_in_the_mail_are_substituted(mail: Any) -> None:
    (request,) = plan_requests(mail.batch(1, subject="Plain", html="<p>a</p>", text="nlf0004q", parts=())).requests
    assert set(request.body["personalizations"][0]["substitutions"]) == {"nlf0004q"}
    (request,) = plan_requests(mail.batch(1, subject="Plain", html="<p>a</p>", text="a", feedback_id=None)).requests
    assert "substitutions" not in request.body["personalizations"][0]
    assert "Feedback-ID" not in request.body["headers"]


def test_a_reader_without_headers_of_their_own_has_none(mail: Any) -> None:
    (request,) = plan_requests(mail.batch(replace(mail.addressed(1), headers=()))).requests
    assert "headers" not in request.body["personalizations"][0]


def test_what_is_not_there_is_left_out(mail: Any) -> None:
    body = shared_body(mail.batch(1, sender_name="", reply_to=None).outgoing)
    assert body["from"] == {"email": "weekly@lantern.example"}
    assert not {"reply_to", "attachments", "categories"} & set(body)


def test_an_address_twice_goes_into_a_second_request(mail: Any) -> None:
    batch = mail.batch("ada@post.example", "bo@post.example", "Ada@post.example", "ada@POST.example")
    keys = [addressed.key for addressed in batch.recipients]
    assert [list(r.keys) for r in plan_requests(batch).requests] == [keys[:2], [keys[2]], [keys[3]]]


def test_a_recipient_that_breaks_a_rule_is_refused_alone(mail: Any) -> None:
    long = {f"f{n}": "x" * 900 for n in range(12)}
    fields = tuple(type(mail.outgoing().fields[0])(f"nlf{n + 1:04d}q", f"f{n}", "", "text") for n in range(12))
    text = " ".join(field.token for field in fields)
    people = [
        mail.addressed(1, **long),
        mail.addressed(2),
        mail.addressed(3, "jürgen@post.example"),
        type(mail.addressed(4))(key="4", address="d@post.example", values={}, headers=(("Subject", "mine"),)),
    ]
    plan = plan_requests(mail.batch(*people, fields=fields, text=text, subject="Hello", html="<p>a</p>"))
    assert [list(r.keys) for r in plan.requests] == [[people[1].key]]
    assert "substitutions has" in plan.refused[people[0].key]
    assert people[1].key not in plan.refused
    assert "ASCII" in plan.refused[people[2].key]
    assert "reserved" in plan.refused["4"]


def test_a_batch_over_thirty_megabytes_is_split(mail: Any) -> None:
    batch = mail.batch(1, 2, 3, parts=mail.big(22_498_800), html="<p>a</p>", text="a", subject="a")
    requests = plan_requests(batch).requests
    assert len(requests) == 2
    assert all(len(request.encoded()) < MAX_REQUEST for request in requests)
    assert [key for request in requests for key in request.keys] == [a.key for a in batch.recipients]


def test_a_mail_too_big_by_itself_says_what_to_do(mail: Any) -> None:
    with pytest.raises(BadData, match="with its pictures") as caught:
        plan_requests(mail.batch(1, parts=mail.big(22_500_000)))
    assert "smaller pictures" in str(caught.value.fix)


def test_a_token_without_its_field_is_never_sent(mail: Any) -> None:
    with pytest.raises(BadData, match="nlf0009q"):
        plan_requests(mail.batch(1, text="nlf0009q"))
