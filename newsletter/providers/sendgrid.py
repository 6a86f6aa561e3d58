"""SendGrid through its own package: one request for up to 1,000 readers.

What is promised: SendGrid has no idempotency key, so a request that was written and not answered (a timeout, a
reset, a 5xx) leaves its recipients *uncertain*; they are never sent again by themselves and are settled by the
event webhook or by an editor. What failed while connecting or while writing was certainly not sent and is tried
later. SendGrid composes the MIME itself and chooses the Message-ID; the approved bytes are its content fields, with
tracking off.

The ``sendgrid`` package is imported by the first use, not by this module: that takes longer than the rest of the
program. Its traps are kept out here: no timeout by default, headers of one call that leak into the next (a
client per request), DEBUG records that print the key and every address (dropped), a connection per request
(``sendgrid_http``), exceptions of four libraries.
"""

from __future__ import annotations

import contextlib
import http.client
import ipaddress
import logging
import re
import ssl
from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import urlsplit

from newsletter.delivery.ports import Batch, Capabilities, Event, Outcome, Provider, Result, Wire
from newsletter.errors import BadData, ConfigurationError
from newsletter.providers import sendgrid_http as transport
from newsletter.providers.options import Options
from newsletter.providers.sendgrid_answers import RETRY_AFTER, judge, settings_problems, tracking_problems
from newsletter.providers.sendgrid_events import SignedEvents
from newsletter.providers.sendgrid_request import Request, plan_requests
from newsletter.providers.sendgrid_rules import MAX_PERSONALIZATIONS, MAX_REQUEST, validate

CONNECTIONS = 2
"""Requests in flight: each may be uncertain as a whole after a crash, and one answer takes much less than a second."""
_OPTIONS = ("api_key", "host", "timeout", "categories", "connections", "webhook_key")
_HOST = "https://api.sendgrid.com"
_KEY = re.compile(r"[!-~]+")


def create(options: Mapping[str, object]) -> Provider:
    """Options: those of ``[provider.sendgrid]``, the key as a plain string; ``webhook_key`` verifies events."""
    checked = Options("sendgrid", options, _OPTIONS)
    return SendgridProvider(
        checked.required("api_key", 'name the key: api_key = {env = "SENDGRID_API_KEY"}'),
        host=checked.text("host") or _HOST,
        timeout=checked.seconds("timeout", 30.0),
        categories=checked.texts("categories"),
        connections=checked.whole("connections", CONNECTIONS, 1, 20),
        webhook_key=checked.text("webhook_key"),
    )


class _NoDebug(logging.Filter):
    """python_http_client writes the API key and the whole request into its DEBUG records."""

    def filter(self, record: logging.LogRecord) -> bool:
        return record.levelno >= logging.WARNING


_NO_DEBUG = _NoDebug()


class SendgridProvider:
    """An account at SendGrid. ``submit`` may be called from several threads: each request has a client of its own."""

    def __init__(
        self,
        api_key: str,
        *,
        host: str = _HOST,
        timeout: float = 30.0,
        categories: Sequence[str] = (),
        connections: int = CONNECTIONS,
        webhook_key: str | None = None,
    ) -> None:
        if not _KEY.fullmatch(api_key):  # a line break in it would end up, key and all, in an error message
            raise ConfigurationError(
                "the API key has blanks or characters beyond ASCII",
                where="newsletter.toml: provider.sendgrid.api_key",
                fix="copy it again; it starts with SG. and is one word",
            )
        self.host = _checked_host(host)
        self.timeout = timeout
        self.categories = tuple(categories)
        self.connections = connections
        self._open = transport.Connections(self.host)
        self._api_key = api_key
        self._webhook_key = webhook_key

    def __repr__(self) -> str:
        return f"SendgridProvider(host={self.host!r})"

    @property
    def capabilities(self) -> Capabilities:
        """No idempotency: ``connections`` whole requests may become uncertain."""
        return Capabilities(
            name="sendgrid",
            max_batch=MAX_PERSONALIZATIONS,
            concurrency=self.connections,
            max_bytes=MAX_REQUEST,
            merge="substitution",
            keeps_message_id=False,
        )

    def submit(self, batch: Batch) -> list[Result]:
        """Send the batch, in one request unless an address is in it twice; stops at the first request not taken."""
        try:
            plan = plan_requests(batch, self.categories)
        except BadData as error:
            return [Result(a.key, Outcome.FAILED, error.what) for a in batch.recipients]
        results = {key: Result(key, Outcome.REJECTED, why) for key, why in plan.refused.items()}
        stopped = False
        for request in plan.requests:
            if stopped:
                why = "not tried: an earlier request of the same batch was not taken"
                answers = [Result(key, Outcome.RETRY, why) for key in request.keys]
            else:
                answers = self._submit(request)
                stopped = any(answer.outcome is not Outcome.ACCEPTED for answer in answers)
            results.update((answer.key, answer) for answer in answers)
        return [results[addressed.key] for addressed in batch.recipients]

    def _submit(self, request: Request) -> list[Result]:
        payload = request.encoded()
        problems = validate(request.body, size=len(payload), people_checked=True)
        if problems:
            detail = "SendGrid would refuse this: " + "; ".join(problems[:5])
            return [Result(key, Outcome.FAILED, detail) for key in request.keys]
        outcome, retry_after = Outcome.UNKNOWN, None
        try:
            answer = self._client(payload).mail.send.post(request_body={}, timeout=self.timeout)
            return judge(request.keys, answer.status_code, answer.headers, answer.body)
        except _sdk_error() as error:
            return judge(request.keys, error.status_code, error.headers, error.body)
        except (OSError, http.client.HTTPException) as error:
            detail = f"no answer from {self.host}: {_reason(error)}"
            if isinstance(error, transport.NotConnectedError):
                outcome, retry_after = Outcome.RETRY, RETRY_AFTER
                detail = f"cannot connect to {self.host}: {_reason(error)}"
            elif isinstance(error, transport.NotWrittenError):
                outcome, retry_after = Outcome.RETRY, RETRY_AFTER
                detail = f"{self.host} broke off while the request was written: {_reason(error)}"
        return [Result(key, outcome, detail, retry_after=retry_after) for key in request.keys]

    def preview(self, batch: Batch) -> list[Wire]:
        """Each request body, byte for byte; BadData for a recipient that no request can hold."""
        plan = plan_requests(batch, self.categories)
        for why in plan.refused.values():
            raise BadData(f"SendGrid would refuse this recipient: {why}")
        target = f"POST {self.host}/v3/mail/send"
        return [Wire("application/json", request.encoded(), target) for request in plan.requests]

    def parse_events(self, raw: bytes, headers: Mapping[str, str]) -> list[Event]:
        """Verify one call of the event webhook and read it; see ``sendgrid_events``."""
        return SignedEvents(self._webhook_key)(raw, headers)

    def check(self) -> list[str]:
        """Ask for the key's scopes: is it good, and may it send? Where it may look, the account's settings too."""
        problems = [f"{problem[:1].upper()}{problem[1:]}." for problem in _category_problems(self.categories)]
        try:
            answer = self._client().scopes.get(timeout=self.timeout)
            scopes = (answer.to_dict or {}).get("scopes", ())
        except _sdk_error() as error:
            if error.status_code in (401, 403):
                return [*problems, f"SendGrid refuses the API key ({error.status_code})."]
            return [*problems, f"SendGrid answers {error.status_code} to the question what the key may do."]
        except (OSError, http.client.HTTPException) as error:
            return [*problems, f"Cannot reach {self.host}: {_reason(error)}."]
        except (ValueError, AttributeError):
            return [*problems, f"{self.host} does not answer as SendGrid does: is provider.sendgrid.host right?"]
        if "mail.send" not in scopes:
            problems.append('The API key may not send mail: give it the permission "Mail Send".')
        return problems + self._account_problems(scopes)

    def _account_problems(self, scopes: Sequence[str]) -> list[str]:
        """What the account does to every mail and no mail can switch off. What we may not read we do not guess."""
        problems = []
        for name, wrong in (("mail_settings", settings_problems), ("tracking_settings", tracking_problems)):
            if f"{name}.read" not in scopes:
                continue
            with contextlib.suppress(_sdk_error(), OSError, http.client.HTTPException, ValueError, AttributeError):
                answer = getattr(self._client(), name).get(timeout=self.timeout)
                problems += wrong(answer.to_dict or {})
        return problems

    def close(self) -> None:
        """Close the connections that are open and idle."""
        self._open.close()

    def _client(self, payload: bytes | None = None) -> Any:
        quiet_sdk()
        return transport.client(self._api_key, self.host, self._open, payload)


def quiet_sdk() -> None:
    """Drop what the SDK logs below WARNING, whatever level anybody sets."""
    for name in ("python_http_client", "python_http_client.client"):
        logger = logging.getLogger(name)
        logger.setLevel(logging.WARNING)
        logger.addFilter(_NO_DEBUG)


def _sdk_error() -> type[Any]:
    from python_http_client.exceptions import HTTPError

    found: type[Any] = HTTPError
    return found


def _reason(error: BaseException) -> str:
    """Why there was no answer, without anything of the request in it."""
    known = isinstance(error, transport.NotConnectedError | transport.NotWrittenError)
    reason = error.__cause__ if known else error
    if isinstance(reason, TimeoutError):
        return "no answer in time"
    if isinstance(reason, ssl.SSLCertVerificationError):
        return f"its certificate is not trusted ({getattr(reason, 'verify_message', '')})"
    if isinstance(reason, OSError) and reason.strerror:
        return reason.strerror
    return type(reason).__name__ if isinstance(reason, BaseException) else str(reason)[:100]


def _category_problems(categories: Sequence[str]) -> list[str]:
    probe = {"categories": list(categories)}
    return [problem for problem in validate(probe) if "categories" in problem]


def _checked_host(host: str) -> str:
    """The base URL: https, or http on this machine alone, because the key is in every request."""
    try:
        parts = urlsplit(host)
        plain = parts.scheme in ("https", "http") and parts.hostname and parts.port != 0
    except ValueError as error:
        raise _bad_host("is not the address of an API") from error
    extra = parts.username or parts.query or parts.fragment or parts.path not in ("", "/")
    if not plain or extra or not host.isascii():
        raise _bad_host("is not the address of an API")
    if parts.scheme == "http" and not _on_this_machine(parts.hostname or ""):
        raise _bad_host("would show the API key to everybody on the way")
    return host.rstrip("/")


def _bad_host(why: str) -> ConfigurationError:
    return ConfigurationError(
        f"the host {why}",
        where="newsletter.toml: provider.sendgrid.host",
        fix='use "https://api.sendgrid.com", or "https://api.eu.sendgrid.com" for an account in the EU',
    )


def _on_this_machine(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
