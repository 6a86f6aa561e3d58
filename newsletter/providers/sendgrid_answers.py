"""What SendGrid's answers mean for the recipients of a request. No network here."""

from __future__ import annotations

import json
import math
import re
import time
from collections.abc import Mapping, Sequence
from email.utils import parsedate_to_datetime
from typing import Any

from newsletter.delivery.ports import Outcome, Result

RETRY_AFTER = 60.0
"""Seconds to wait where SendGrid says "not now" without saying until when."""
_LONGEST_WAIT = 3600.0
_SHOWN = 300
_FIELD = re.compile(r"personalizations[.\[](\d+)(?:\D|$)")
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]+")


def judge(keys: Sequence[str], status: int, headers: Mapping[str, str], body: bytes) -> list[Result]:
    """One result per key for an HTTP answer. ``headers`` must find names whatever their case.

    202 is the only yes. 4xx is a definite no: 429 and 408 for now, 400 for the recipients that it names, else for
    the whole request. Everything else, 5xx above all, may have been taken: UNKNOWN.
    """
    if status == 202:
        return [Result(key, Outcome.ACCEPTED, provider_id=headers.get("X-Message-Id")) for key in keys]
    detail = f"SendGrid answers {status}{_words(body)}"
    if status in (408, 429):
        wait = retry_after(headers, time.time())
        return [Result(key, Outcome.RETRY, detail, retry_after=wait, slow_down=status == 429) for key in keys]
    if status == 400:
        return _refused_by_name(keys, body, detail)
    if 300 <= status < 500:
        return [Result(key, Outcome.FAILED, detail) for key in keys]
    return [Result(key, Outcome.UNKNOWN, detail) for key in keys]


def _refused_by_name(keys: Sequence[str], body: bytes, detail: str) -> list[Result]:
    """A 400 refuses the whole request. Those it names are rejected, and the others may go without them."""
    named: dict[int, str] = {}
    for error in _errors(body):
        found = _FIELD.search(str(error.get("field") or ""))
        if found is None or int(found[1]) >= len(keys):
            return [Result(key, Outcome.FAILED, detail) for key in keys]
        named.setdefault(int(found[1]), _clean(f"SendGrid answers 400: {error.get('message')} ({error.get('field')})"))
    if not named:
        return [Result(key, Outcome.FAILED, detail) for key in keys]
    others = "not taken, because SendGrid refused another recipient of the same request"
    return [
        Result(key, Outcome.REJECTED, named[index]) if index in named else Result(key, Outcome.RETRY, others)
        for index, key in enumerate(keys)
    ]


def retry_after(headers: Mapping[str, str], now: float) -> float:
    """Seconds to wait by ``Retry-After`` (seconds or a date) or ``X-RateLimit-Reset`` (seconds since 1970).

    Between one second and an hour; a minute when neither says anything that makes sense.
    """
    said = (headers.get("Retry-After") or "").strip()
    reset = (headers.get("X-RateLimit-Reset") or "").strip()
    wait = _number(said)
    if wait is None and said:
        try:
            wait = parsedate_to_datetime(said).timestamp() - now
        except (ValueError, OverflowError):
            wait = None
    if wait is None and (at := _number(reset)) is not None:
        wait = at - now
    return RETRY_AFTER if wait is None else min(max(wait, 1.0), _LONGEST_WAIT)


_OURS_OFF = frozenset({"open", "click", "subscription", "google_analytics", "ganalytics"})
_CHANGES = {
    "template": "wraps every mail in a template of the account (Legacy Email Template)",
    "plain_content": "changes the text part of every mail (Plain Content)",
    "bcc": "copies every mail to another address (BCC)",
}


def settings_problems(said: Mapping[str, Any]) -> list[str]:
    """Of the answer to ``GET /v3/mail_settings`` those that change mails and that no request can switch off."""
    return [
        f"The account {_CHANGES[name]}: switch it off, or what arrives is not what was approved."
        for name in _enabled(said)
        if name in _CHANGES
    ]


def tracking_problems(said: Mapping[str, Any]) -> list[str]:
    """Of ``GET /v3/tracking_settings`` those that we do not know to switch off; the others are off in each request."""
    return [
        f"The account tracks by a setting that no mail can switch off ({_clean(name)}): switch it off there."
        for name in _enabled(said)
        if name not in _OURS_OFF
    ]


def _enabled(said: Mapping[str, Any]) -> list[str]:
    rows = said.get("result")
    rows = rows if isinstance(rows, list) else []
    return [str(row.get("name")) for row in rows if isinstance(row, dict) and row.get("enabled") is True]


def _errors(body: bytes) -> list[Mapping[str, Any]]:
    try:
        found = json.loads(body)
    except ValueError:
        return []
    errors = found.get("errors") if isinstance(found, dict) else None
    return [error for error in errors if isinstance(error, dict)] if isinstance(errors, list) else []


def _words(body: bytes) -> str:
    errors = _errors(body)
    words = "; ".join(
        f"{error.get('message')} ({error['field']})" if error.get("field") else str(error.get("message"))
        for error in errors
    )
    return f": {_clean(words)}" if words else ""


def _clean(text: str) -> str:
    return _CONTROL.sub(" ", text).strip()[:_SHOWN]


def _number(text: str) -> float | None:
    try:
        value = float(text)
    except ValueError:
        return None
    return value if math.isfinite(value) else None
