"""From a batch to the request bodies of SendGrid's ``POST /v3/mail/send``, as plain dicts.

The mail is said once; each recipient is a personalization with its ``substitutions`` (our merge tokens are the
keys), its own headers and two custom_args, by which an event of the webhook finds its delivery: ids, no personal
data. Every tracking setting is sent as off, and so is the account's footer: what was approved is what is read.
"""

from __future__ import annotations

import base64
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import msgspec

from newsletter.delivery.ports import Batch
from newsletter.errors import BadData
from newsletter.message.headers import ascii_address, one_line
from newsletter.message.merge import TOKEN, escaped_value
from newsletter.message.outgoing import Addressed, Outgoing
from newsletter.models import MergeField
from newsletter.providers.sendgrid_rules import (
    MAX_PERSONALIZATIONS,
    MAX_REQUEST,
    addresses_of,
    personalization_problems,
)

TRACKING_OFF = {
    "click_tracking": {"enable": False, "enable_text": False},
    "open_tracking": {"enable": False},
    "subscription_tracking": {"enable": False},
    "ganalytics": {"enable": False},
}
SETTINGS_OFF = {"footer": {"enable": False}, "sandbox_mode": {"enable": False}}


@dataclass(frozen=True, slots=True, repr=False)
class Request:
    """One request: whose it is, in the order of its personalizations, and its body.

    ``people`` are its personalizations as JSON, and ``shared`` is everything else as one JSON object.
    """

    keys: tuple[str, ...]
    body: dict[str, Any]
    people: tuple[bytes, ...]
    shared: bytes

    def encoded(self) -> bytes:
        """The bytes of the body, joined from pieces that were encoded once."""
        return b'{"personalizations":[' + b",".join(self.people) + b"]," + self.shared[1:]


@dataclass(slots=True)
class Plan:
    """The requests of a batch, and the recipients that no request can hold, with the reason by key."""

    requests: list[Request] = field(default_factory=list)
    refused: dict[str, str] = field(default_factory=dict)


def plan_requests(batch: Batch, categories: Sequence[str] = ()) -> Plan:
    """Split a batch into requests that the API takes.

    Usually one. An address that a request has already goes into the next, and so does what is over 1,000 or
    30 MB. A recipient that breaks a rule alone is refused alone. Raises BadData for a sender that cannot be
    written and for a mail that is too big by itself.
    """
    shared = shared_body(batch.outgoing, categories)
    as_json = msgspec.json.encode(shared)
    fixed = len(as_json) + len('"personalizations":[],')
    if fixed >= MAX_REQUEST:
        raise BadData(
            f"the mail has {fixed:,} bytes with its pictures; SendGrid takes less than {MAX_REQUEST:,}",
            fix='use smaller pictures, or images.delivery = "hosted"',
        )
    fields = used_fields(batch.outgoing)
    plan = Plan()
    boxes: list[_Box] = []
    for addressed in batch.recipients:
        try:
            one = personalization(batch.outgoing, addressed, fields)
            problems = personalization_problems(one)
        except BadData as error:
            problems, one = [error.what], {}
        if problems:
            plan.refused[addressed.key] = "; ".join(problems)
            continue
        _pack(boxes, addressed.key, one, MAX_REQUEST - fixed)
    plan.requests = [
        Request(tuple(box.keys), {"personalizations": box.people, **shared}, tuple(box.encoded), as_json)
        for box in boxes
    ]
    return plan


def shared_body(outgoing: Outgoing, categories: Sequence[str] = ()) -> dict[str, Any]:
    """Everything of a request that is the same for every recipient; BadData for a bad sender."""
    sender = {"email": ascii_address(outgoing.sender_email)}
    if name := one_line(outgoing.sender_name).strip():
        sender["name"] = name
    body: dict[str, Any] = {"from": sender}
    if outgoing.reply_to:
        body["reply_to"] = {"email": ascii_address(outgoing.reply_to)}
    body["subject"] = outgoing.subject
    body["content"] = [
        {"type": "text/plain", "value": outgoing.text},
        {"type": "text/html", "value": outgoing.html},
    ]
    if outgoing.parts:
        body["attachments"] = [
            {
                "content": base64.b64encode(part.data).decode("ascii"),
                "type": part.content_type,
                "filename": part.name,
                "disposition": "inline",
                "content_id": part.content_id,
            }
            for part in outgoing.parts
        ]
    body["headers"] = dict(_shared_headers(outgoing))
    if categories:
        body["categories"] = list(categories)
    body["tracking_settings"] = TRACKING_OFF
    body["mail_settings"] = SETTINGS_OFF
    return body


def _shared_headers(outgoing: Outgoing) -> Iterator[tuple[str, str]]:
    yield "List-Id", outgoing.list_id
    if outgoing.feedback_id:
        yield "Feedback-ID", outgoing.feedback_id
    yield "X-Auto-Response-Suppress", "OOF, AutoReply"


def used_fields(outgoing: Outgoing) -> tuple[MergeField, ...]:
    """The merge fields whose token stands in the mail; BadData for a token that no field explains."""
    used = set(TOKEN.findall("\n".join((outgoing.subject, outgoing.text, outgoing.html))))
    unknown = used - {field.token for field in outgoing.fields}
    if unknown:
        raise BadData(
            f"the mail holds the token {min(unknown)}, and no merge field is known for it",
            fix="build the issue again and approve it anew",
        )
    return tuple(field for field in outgoing.fields if field.token in used)


def personalization(outgoing: Outgoing, addressed: Addressed, fields: Sequence[MergeField]) -> dict[str, Any]:
    """One recipient; BadData for an address that the API cannot take (letters beyond ASCII before the @)."""
    one: dict[str, Any] = {"to": [{"email": ascii_address(addressed.address)}]}
    if addressed.headers:
        one["headers"] = dict(addressed.headers)
    if fields:
        one["substitutions"] = {field.token: _inert(field, escaped_value(field, addressed.values)) for field in fields}
    one["custom_args"] = {"delivery": addressed.key, "mailing": outgoing.mailing}
    return one


def _inert(field: MergeField, value: str) -> str:
    """A value that looks like a token is no token: whether SendGrid reads a value again is written nowhere."""
    return TOKEN.sub(lambda found: ("&#110;" if field.context == "html" else "n\u2060") + found.group()[1:], value)


@dataclass(slots=True)
class _Box:
    """A request that is being filled. ``room`` is the bytes that are left."""

    room: int
    keys: list[str] = field(default_factory=list)
    people: list[dict[str, Any]] = field(default_factory=list)
    encoded: list[bytes] = field(default_factory=list)
    addresses: set[str] = field(default_factory=set)


def _pack(boxes: list[_Box], key: str, one: dict[str, Any], room: int) -> None:
    """Into the first request that has room and not this address."""
    encoded = msgspec.json.encode(one)
    size = len(encoded) + 1
    addresses = addresses_of(one)
    for box in boxes:
        if len(box.keys) < MAX_PERSONALIZATIONS and box.room > size and box.addresses.isdisjoint(addresses):
            break
    else:
        box = _Box(room)
        boxes.append(box)
    box.keys.append(key)
    box.people.append(one)
    box.encoded.append(encoded)
    box.room -= size
    box.addresses.update(addresses)
