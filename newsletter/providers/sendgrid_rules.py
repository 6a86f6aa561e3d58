"""What SendGrid's ``POST /v3/mail/send`` refuses, checked before the request leaves.

Sources: the API reference of Mail Send (limits of personalizations, substitutions, custom_args, categories,
headers, send_at) and the published OpenAPI contract. The contract is silent on the order of contents, on
recipients named twice, on reserved headers, on the 72 hours of send_at and on a missing subject or content, so
these are written down here. Every rule is a function of the plain request; it never raises, whatever it is given.
"""

from __future__ import annotations

import base64
import binascii
import json
import re
import time
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

MAX_PERSONALIZATIONS = 1000
MAX_REQUEST = 30_000_000
"""Bytes of a request; the API says "less than 30 MB" and does not say of which kind."""
MAX_SUBSTITUTIONS = 10_000
"""Bytes of keys and values of one personalization."""
MAX_CUSTOM_ARGS = 10_000
"""Bytes of keys and values of one personalization, those of the request included."""
MAX_CATEGORIES = 10
MAX_CATEGORY = 255
MAX_AHEAD = 72 * 3600
"""Seconds that ``send_at`` may lie ahead."""
RESERVED_HEADERS = frozenset(
    {"x-sg-id", "x-sg-eid", "received", "dkim-signature", "to", "from", "subject", "reply-to", "cc", "bcc"}
)
"""Refused besides everything that starts with ``Content-``."""

_HEADER_NAME = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]{1,200}")
_HEADER_VALUE = re.compile(r"[\x20-\x7e]*")
_ADDRESS = re.compile(r"[^@\s<>]+@[^@\s<>]+")


def validate(
    request: Mapping[str, Any], *, now: float | None = None, size: int | None = None, people_checked: bool = False
) -> list[str]:
    """One sentence per problem of a request body, none when the API would take it.

    ``now`` is seconds since 1970 (default: the clock). ``size`` is the bytes on the wire, where they are known.
    ``people_checked``: each personalization went through ``personalization_problems`` already.
    """
    now = time.time() if now is None else now
    problems = [
        *_personalizations(request, people_checked),
        *_sender(request),
        *_subject(request),
        *_content(request),
        *_attachments(request),
        *_headers(request.get("headers"), "headers"),
        *_categories(request),
        *_send_times(request, now),
    ]
    size = len(json.dumps(request, default=str)) if size is None else size
    if size >= MAX_REQUEST:
        problems.append(f"the request has {size:,} bytes; it must stay under {MAX_REQUEST:,}")
    return problems


def personalization_problems(one: Any, shared_args: Any = None) -> list[str]:
    """What is wrong with one personalization by itself; ``shared_args`` are the request's own custom_args."""
    if not isinstance(one, dict):
        return ["it is not an object"]
    problems = list(_recipients(one))
    problems += _strings(one, "substitutions", MAX_SUBSTITUTIONS, 0)
    problems += _strings(one, "custom_args", MAX_CUSTOM_ARGS, _bytes_of(shared_args))
    problems += _headers(one.get("headers"), "headers")
    if "subject" in one and not _filled(one["subject"]):
        problems.append("subject is empty")
    return problems


def addresses_of(personalization: Any) -> list[str]:
    """Every address of a personalization, in the form in which the API compares them."""
    if not isinstance(personalization, dict):
        return []
    found: list[str] = []
    for kind in ("to", "cc", "bcc"):
        people = personalization.get(kind)
        if isinstance(people, Sequence) and not isinstance(people, str):
            emails = [person.get("email") for person in people if isinstance(person, dict)]
            found += [email.casefold() for email in emails if isinstance(email, str)]
    return found


def _personalizations(request: Mapping[str, Any], checked: bool) -> Iterator[str]:
    people = request.get("personalizations")
    if not isinstance(people, list) or not people:
        yield "personalizations is empty: nobody gets this mail"
        return
    if len(people) > MAX_PERSONALIZATIONS:
        yield f"there are {len(people):,} personalizations; at most {MAX_PERSONALIZATIONS:,} fit into a request"
    seen: dict[str, int] = {}
    for index, one in enumerate(people):
        if not checked:
            for problem in personalization_problems(one, request.get("custom_args")):
                yield f"personalizations.{index}: {problem}"
        for address in addresses_of(one):
            if address in seen:
                yield f"personalizations.{index}: the same address is in personalizations.{seen[address]}"
            seen.setdefault(address, index)


def _recipients(one: Mapping[str, Any]) -> Iterator[str]:
    people = one.get("to")
    if not isinstance(people, list) or not people:
        yield "to is empty"
        return
    for person in people:
        address = person.get("email") if isinstance(person, dict) else None
        if not isinstance(address, str) or not address.isascii() or not _ADDRESS.fullmatch(address):
            yield "to holds something that is not a plain mail address"


def _sender(request: Mapping[str, Any]) -> Iterator[str]:
    for key in ("from", "reply_to"):
        person = request.get(key)
        if person is None and key == "reply_to":
            continue
        address = person.get("email") if isinstance(person, dict) else None
        if not isinstance(address, str) or not address.isascii() or not _ADDRESS.fullmatch(address):
            yield f"{key} has no plain mail address"
    if "reply_to" in request and "reply_to_list" in request:
        yield "reply_to and reply_to_list exclude each other"


def _subject(request: Mapping[str, Any]) -> Iterator[str]:
    people = request.get("personalizations")
    own = isinstance(people, list) and people and all(isinstance(p, dict) and _filled(p.get("subject")) for p in people)
    if not own and not _filled(request.get("subject")) and "template_id" not in request:
        yield "the subject is missing"


def _content(request: Mapping[str, Any]) -> Iterator[str]:
    contents = request.get("content")
    if "template_id" in request and contents is None:
        return
    if not isinstance(contents, list) or not contents:
        yield "the content is missing"
        return
    types: list[str] = []
    for index, one in enumerate(contents):
        kind, value = (one.get("type"), one.get("value")) if isinstance(one, dict) else (None, None)
        types.append(kind if isinstance(kind, str) else "")
        if not isinstance(kind, str) or not re.fullmatch(r"[a-z]+/[a-z0-9.+-]+", kind):
            yield f"content.{index}: its type is not a media type"
        if not isinstance(value, str) or not value:
            yield f"content.{index}: its value is empty"
    if len(set(types)) < len(types):
        yield "content: two parts have the same type"
    order = {"text/plain": 0, "text/html": 1}
    if [order.get(kind, 2) for kind in types] != sorted(order.get(kind, 2) for kind in types):
        yield "content: text/plain comes first, then text/html, then the rest"


def _attachments(request: Mapping[str, Any]) -> Iterator[str]:
    attachments = request.get("attachments")
    if attachments is None:
        return
    if not isinstance(attachments, list):
        yield "attachments is not a list"
        return
    for index, one in enumerate(attachments):
        if not isinstance(one, dict) or not _filled(one.get("filename")) or not _is_base64(one.get("content")):
            yield f"attachments.{index}: it needs a filename and content in Base64"
        elif one.get("disposition", "attachment") not in ("inline", "attachment"):
            yield f"attachments.{index}: its disposition is neither inline nor attachment"
        elif one.get("disposition") == "inline" and not _filled(one.get("content_id")):
            yield f"attachments.{index}: it is inline and has no content_id"


def _headers(headers: Any, where: str) -> Iterator[str]:
    if headers is None:
        return
    if not isinstance(headers, dict):
        yield f"{where} is not an object"
        return
    for name, value in headers.items():
        shown = str(name)[:60]
        if not isinstance(name, str) or not _HEADER_NAME.fullmatch(name):
            yield f"{where}: {shown!r} is not a header name"
        elif name.lower() in RESERVED_HEADERS or name.lower().startswith("content-"):
            yield f"{where}: {shown} is reserved"
        elif not isinstance(value, str) or not _HEADER_VALUE.fullmatch(value):
            yield f"{where}: the value of {shown} is not one line of ASCII"


def _strings(one: Mapping[str, Any], key: str, most: int, shared: int) -> Iterator[str]:
    values = one.get(key)
    if values is None:
        return
    if not isinstance(values, dict) or not all(
        isinstance(name, str) and isinstance(value, str) for name, value in values.items()
    ):
        yield f"{key} is not an object of strings"
        return
    size = _bytes_of(values) + shared
    if size > most:
        yield f"{key} has {size:,} bytes; at most {most:,} are allowed"


def _categories(request: Mapping[str, Any]) -> Iterator[str]:
    categories = request.get("categories")
    if categories is None:
        return
    if not isinstance(categories, list) or not all(isinstance(name, str) for name in categories):
        yield "categories is not a list of strings"
        return
    if len(categories) > MAX_CATEGORIES:
        yield f"there are {len(categories)} categories; at most {MAX_CATEGORIES} are allowed"
    if len(set(categories)) < len(categories):
        yield "categories: one is named twice"
    if any(not 1 <= len(name) <= MAX_CATEGORY for name in categories):
        yield f"categories: a name has from 1 to {MAX_CATEGORY} characters"


def _send_times(request: Mapping[str, Any], now: float) -> Iterator[str]:
    people = request.get("personalizations")
    places: list[tuple[str, Any]] = [("send_at", request)]
    places += [(f"personalizations.{i}: send_at", p) for i, p in enumerate(people if isinstance(people, list) else [])]
    for where, holder in places:
        if not isinstance(holder, dict) or "send_at" not in holder:
            continue
        at = holder["send_at"]
        if isinstance(at, bool) or not isinstance(at, int):
            yield f"{where} is not a whole number of seconds"
        elif at > now + MAX_AHEAD:
            yield f"{where} is more than 72 hours ahead"
    args = request.get("custom_args")
    yield from _strings({"custom_args": args}, "custom_args", MAX_CUSTOM_ARGS, 0)


def _bytes_of(values: Any) -> int:
    if not isinstance(values, dict):
        return 0
    return len("".join(map(str, (*values.keys(), *values.values()))).encode("utf-8", "replace"))


def _filled(value: Any) -> bool:
    return isinstance(value, str) and bool(value.strip())


def _is_base64(value: Any) -> bool:
    if not isinstance(value, str) or not value:
        return False
    try:
        base64.b64decode(value, validate=True)
    except (binascii.Error, ValueError):
        return False
    return True
