"""What every endpoint of the composer shares: bodies that are JSON or a form, and errors that say what to do."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable
from typing import Any, Final, TypeVar
from urllib.parse import parse_qs

import msgspec
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from newsletter.errors import (
    BadData,
    Busy,
    CannotWrite,
    Conflict,
    IllegalState,
    NeedsEditor,
    NewsletterError,
    NotAllowed,
    NotFound,
    RemoteError,
    UsageProblem,
)
from newsletter.web.hardening import TooMuch, TooSlow, read_body

Handler = Callable[[Request], Awaitable[Response]]
T = TypeVar("T")

JSON_BYTES: Final = 1024 * 1024
"""A story's front matter and its body have at most 256 KB each; JSON may write a letter with six."""
FORM_BYTES: Final = 768 * 1024


class Gone(NotFound):
    """An earlier state of a file that this process does not remember."""


async def read_json(request: Request, kind: type[T]) -> T:
    """The body as ``kind`` (a msgspec type). Raises UsageProblem for anything else, TooMuch, TooSlow."""
    media = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if media != "application/json":
        raise UsageProblem("the body is not JSON", where=request.url.path, fix="send application/json")
    raw = await read_body(request, JSON_BYTES)
    try:
        return msgspec.convert(json.loads(raw), kind, strict=True)
    except (ValueError, RecursionError) as error:
        raise UsageProblem(f"the body cannot be used: {_short(error)}", where=request.url.path) from error


def _short(error: Exception) -> str:
    return str(error)[:200] if isinstance(error, msgspec.ValidationError) else "it is not well-formed JSON"


async def read_form(request: Request, *, most: int = 50) -> dict[str, str]:
    """The fields of a form, at most ``most`` of them, each once. Raises UsageProblem, TooMuch, TooSlow."""
    raw = await read_body(request, FORM_BYTES)
    try:
        fields = parse_qs(raw.decode("ascii"), keep_blank_values=True, max_num_fields=most)
    except ValueError as error:
        raise UsageProblem("the body is not a form", where=request.url.path) from error
    return {name: values[0] for name, values in fields.items()}


def status_of(error: NewsletterError) -> int:
    """The HTTP status of one of our errors."""
    kinds: tuple[tuple[type[NewsletterError] | tuple[type[NewsletterError], ...], int], ...] = (
        (TooMuch, 413),
        (TooSlow, 408),
        (Gone, 410),
        (Conflict, 409),
        (IllegalState, 423),
        (NotAllowed, 403),
        (NotFound, 404),
        (UsageProblem, 400),
        (BadData, 422),
        (NeedsEditor, 422),
        (RemoteError, 502),
        (Busy, 503),
        (CannotWrite, 507),
    )
    return next((status for kind, status in kinds if isinstance(error, kind)), 500)


def as_json(handler: Handler) -> Handler:
    """An endpoint whose errors are JSON: ``{"error": {"what": …, "where": …, "fix": …}}``."""

    async def endpoint(request: Request) -> Response:
        try:
            return await handler(request)
        except NewsletterError as error:
            close = {"Connection": "close"} if isinstance(error, TooMuch | TooSlow) else None
            return JSONResponse({"error": told(error)}, status_code=status_of(error), headers=close)

    return endpoint


def told(error: NewsletterError) -> dict[str, Any]:
    """An error as JSON."""
    return {"kind": type(error).__name__, "what": error.what, "where": error.where, "fix": error.fix}
