"""What stands between the open network and the public pages: headers, limits, time, and no word of our insides.

A proxy in front does some of it again; this is for the day on which it does not.
"""

from __future__ import annotations

import asyncio
import time
import traceback
from collections.abc import Callable, Mapping, MutableMapping
from pathlib import Path
from typing import Any, Final

from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send
from uvicorn.protocols.http.h11_impl import H11Protocol, RequestResponseCycle

from newsletter.errors import BadData, Busy, ConfigurationError, NewsletterError, NotFound

HEAD_BYTES: Final = 16 * 1024
"""Of a request's line and headers; a token is 90 characters."""
HEAD_SECONDS: Final = 30.0
"""For a request to arrive after the connection was opened or the last answer given."""
BODY_SECONDS: Final = 20.0
_QUIET_SECONDS: Final = 60.0

_HEADERS: Final[Mapping[str, str]] = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    # The address of a page is the key to it.
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "X-Robots-Tag": "noindex",
}
_RAW: Final = [(name.lower().encode(), value.encode()) for name, value in _HEADERS.items()]


class TooMuch(BadData):
    """A body over the limit."""


class HeadTooBig(BadData):
    """A request line and headers over the limit."""


class TooSlow(BadData):
    """A body that does not arrive in time."""


class Room:
    """Memory for bodies that are being read, all together."""

    def __init__(self, most: int) -> None:
        self._left = most

    def take(self, size: int) -> None:
        """Raises Busy when there is no room for ``size`` bytes more."""
        if size > self._left:
            raise Busy("too many large requests at once", fix="none, if it passes: the provider comes again")
        self._left -= size

    def give_back(self, size: int) -> None:
        """The bytes of a body that is read, or never will be."""
        self._left += size


async def read_body(request: Request, most: int, room: Room | None = None, *, seconds: float | None = None) -> bytes:
    """The body, if it has at most ``most`` bytes, comes in time, and there is room for it while it comes.

    In time is within ``seconds``, else BODY_SECONDS.

    Raises TooMuch, TooSlow, Busy, ClientDisconnect.
    """
    limit = BODY_SECONDS if seconds is None else seconds
    said = request.headers.get("content-length", "")
    if said.isdigit() and int(said[:12]) > most:
        raise TooMuch(f"more than {most:,} bytes")
    chunks: list[bytes] = []
    size = taken = 0
    try:
        async with asyncio.timeout(limit):
            async for chunk in request.stream():
                size += len(chunk)
                if size > most:
                    raise TooMuch(f"more than {most:,} bytes")
                if room is not None:
                    room.take(len(chunk))
                    taken += len(chunk)
                chunks.append(chunk)
    except TimeoutError as error:
        raise TooSlow(f"not there after {limit:g} seconds") from error
    finally:
        if room is not None:
            room.give_back(taken)
    return b"".join(chunks)


class Complaints:
    """Tells the operator what is wrong, the same thing at most once a minute, and never whose token it was."""

    def __init__(self, say: Callable[[str], None]) -> None:
        self._say = say
        self._last: dict[str, float] = {}

    def __call__(self, error: Exception) -> None:
        """One line: what our own error says, or the kind of a bug and its place in the code."""
        line = str(error) if isinstance(error, NewsletterError) else _bug(error)
        now = time.monotonic()
        if now - self._last.get(line, float("-inf")) >= _QUIET_SECONDS:
            self._last = {known: at for known, at in self._last.items() if now - at < _QUIET_SECONDS}
            self._last[line] = now
            self._say(line)


def _bug(error: Exception) -> str:
    frames = traceback.extract_tb(error.__traceback__)
    places = " < ".join(f"{Path(frame.filename).name}:{frame.lineno}" for frame in reversed(frames[-4:]))
    # Without the error's own words: they may hold a path of a request, and with it a token.
    return f"This is a bug in newsletter ({type(error).__name__} at {places}). Please report it."


class Hardened:
    """Puts our headers on every answer, takes the site's path off every request, and answers whatever goes wrong.

    ``prefix`` is the path of ``site.url`` now: a proxy may pass it on or not. ``wrong`` makes the answer to an error.
    """

    def __init__(
        self,
        app: ASGIApp,
        *,
        prefix: Callable[[], str],
        wrong: Callable[[Exception], Response],
        complain: Callable[[Exception], None],
    ) -> None:
        self._app = app
        self._prefix = prefix
        self._wrong = wrong
        self._complain = complain

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One request."""
        if scope["type"] != "http":
            return
        started = False

        async def answer(message: MutableMapping[str, Any]) -> None:
            nonlocal started
            if message["type"] == "http.response.start":
                started = True
                own = {name for name, _ in message["headers"]}
                message["headers"] = [*message["headers"], *(pair for pair in _RAW if pair[0] not in own)]
            await send(message)

        try:
            _weigh_head(scope)
            await self._app({**scope, "path": self._path(scope["path"])}, receive, answer)
        except ClientDisconnect:
            return
        except Exception as error:  # noqa: BLE001 - nothing may reach the reader but a page of ours
            if status_of(error) >= 500:
                self._complain(error)
            if not started:
                await self._wrong(error)(scope, receive, answer)

    def _path(self, path: str) -> str:
        prefix = self._prefix()
        if prefix and path.startswith(f"{prefix}/"):
            path = path[len(prefix) :]
        return path.rstrip("/") if len(path) > 1 else path


def _weigh_head(scope: Scope) -> None:
    """h11 looks at the size of a head only while it is incomplete: one that comes in a single piece is any size."""
    size = len(scope.get("raw_path") or b"") + len(scope.get("query_string") or b"")
    if size + sum(len(name) + len(value) for name, value in scope["headers"]) > HEAD_BYTES:
        raise HeadTooBig(f"more than {HEAD_BYTES:,} bytes of headers")


def status_of(error: Exception) -> int:
    """The HTTP status of an error that nobody answered."""
    if isinstance(error, HeadTooBig):
        return 431
    if isinstance(error, TooMuch):
        return 413
    if isinstance(error, TooSlow):
        return 408
    if isinstance(error, NotFound):
        return 404
    # Ours and passing, as far as anybody out there need know: asking again later is right.
    return 503 if isinstance(error, NewsletterError) and not isinstance(error, ConfigurationError) else 500


class Impatient(H11Protocol):
    """uvicorn's own protocol with an end to waiting: it has none for a request whose head never becomes complete."""

    _since = 0.0

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as in uvicorn's own
        """Begin to wait for the first request."""
        super().connection_made(transport)
        self._since = self.loop.time()
        self._look_later()

    def on_response_complete(self) -> None:
        """Begin to wait for the next one."""
        self._since = self.loop.time()
        super().on_response_complete()

    def _look_later(self) -> None:
        self.loop.call_later(HEAD_SECONDS / 3, self._look)

    def _look(self) -> None:
        if self.transport.is_closing():
            return
        cycle: RequestResponseCycle | None = self.cycle
        waiting = cycle is None or cycle.response_complete
        if waiting and self.loop.time() - self._since > HEAD_SECONDS:
            self.transport.close()
        else:
            self._look_later()
