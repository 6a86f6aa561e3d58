"""The public pages: unsubscribe and preferences, web copy, pictures, providers' events, health. No script, no cookie.

They rest on signed tokens and signed events, not on where a request comes from: mail programs (RFC 8058) and providers
send no cookies and no Origin. A GET changes nothing, because mail scanners follow every link before the reader does.
"""

from __future__ import annotations

import contextlib
import hashlib
from collections.abc import AsyncIterator, Awaitable, Callable
from functools import partial
from typing import TYPE_CHECKING, Final
from urllib.parse import parse_qs

from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import FileResponse, HTMLResponse, JSONResponse, PlainTextResponse, Response
from starlette.routing import Route, Router
from starlette.types import ASGIApp, Receive, Scope, Send

from newsletter.app import public as use
from newsletter.app.webcopy import NOBODY, web_copy
from newsletter.errors import BadData, NewsletterError, NotAuthentic, NotFound
from newsletter.web.grouping import Grouped
from newsletter.web.hardening import Complaints, Hardened, HeadTooBig, Room, TooMuch, TooSlow, read_body, status_of
from newsletter.web.pages import Pages

if TYPE_CHECKING:
    from newsletter.app.public import ReaderPage, Who, Wish
    from newsletter.app.publicdesk import PublicDesk

Handler = Callable[[Request], Awaitable[Response]]

FORM_BYTES: Final = 16 * 1024
EVENTS_BYTES: Final = 5 * 1024 * 1024
ROOM_BYTES: Final = 64 * 1024 * 1024
"""For the bodies of all events that are being read: whoever sends them has not shown a signature yet."""
INERT: Final = "test"
"""The token of test mails: signed by nobody."""

# A name is made of its picture, so what it names never changes; webmail shows it on pages of another origin.
_KEEP: Final = {
    "Cache-Control": "public, max-age=31536000, immutable",
    "Cross-Origin-Resource-Policy": "cross-origin",
}
_COPY_POLICY: Final = (
    "default-src 'none'; style-src 'unsafe-inline'; img-src 'self'{}; base-uri 'none'; form-action 'none'; "
    "frame-ancestors 'none'"
)


class PublicPages:
    """The endpoints on one ``PublicDesk``. ``complain`` hears of what the operator should know."""

    def __init__(self, public: PublicDesk, complain: Complaints) -> None:
        self._public = public
        self._complain = complain
        self._pages = Pages(public)
        self._room = Room(ROOM_BYTES)
        self._grant: Grouped[Wish, ReaderPage | None] = Grouped(partial(use.grant, public))

    def app(self) -> ASGIApp:
        """The ASGI app."""
        router = Router(
            [
                Route("/u/{token}", _ByMethod(get=self.ask, post=self.obey)),
                Route("/v/{slug}", _ByMethod(get=self.copy)),
                Route("/m/{name}", _ByMethod(get=self.picture)),
                Route("/events/{provider}", _ByMethod(post=self.events)),
                Route("/health", _ByMethod(get=self.health)),
            ],
            redirect_slashes=False,
            default=self._nothing,
            lifespan=self._lifespan,
        )
        hardened = Hardened(
            router,
            prefix=lambda: self._public.look.prefix,
            wrong=self._wrong,
            complain=self._complain,
        )

        async def app(scope: Scope, receive: Receive, send: Send) -> None:
            await (router if scope["type"] == "lifespan" else hardened)(scope, receive, send)

        return app

    # -- a reader's own page ------------------------------------------------------------------------------------------

    async def ask(self, request: Request) -> Response:
        """GET: show how the reader stands, and the button. Changes nothing."""
        token = request.path_params["token"]
        if token in (INERT, NOBODY):
            return self._pages.notice("test" if token == INERT else "copy")
        who = self._who(token)
        reader = None if who is None else await run_in_threadpool(self._look_up, who.public_id)
        if who is None or reader is None:
            return self._pages.notice("link")
        asked = who.purpose == "unsubscribe" and reader.standing == "subscribed"
        return self._reader(who, reader, asked=asked)

    async def obey(self, request: Request) -> Response:
        """POST: what a button of our page says; without one it is one-click unsubscribing.

        The body of one-click is ``List-Unsubscribe=One-Click``, as a form or multipart (RFC 8058, 3.2). Whoever posts
        to a signed unsubscribe link without it means the same.
        """
        body = await read_body(request, FORM_BYTES)
        token = request.path_params["token"]
        if token in (INERT, NOBODY):
            return self._pages.notice("test" if token == INERT else "copy")
        who = self._who(token)
        if who is None:
            return self._pages.notice("link")
        pressed = _pressed(body)
        wish = _wish(who, pressed)
        reader = await (self._grant(wish) if wish else run_in_threadpool(self._look_up, who.public_id))
        if reader is None:
            return self._pages.notice("link")
        if wish is not None and wish.source == use.ONE_CLICK:
            t = self._public.plain_words
            return PlainTextResponse(f"{t('You are unsubscribed')}\n")
        return self._reader(who, reader, status=200 if wish else 400)

    def _who(self, token: str) -> Who | None:
        try:
            return use.read_who(self._public, token)
        except BadData:
            return None

    def _look_up(self, public_id: str) -> ReaderPage | None:
        try:
            return use.look_up(self._public, public_id)
        except NotFound:
            return None

    def _reader(self, who: Who, reader: ReaderPage, *, asked: bool = False, status: int = 200) -> Response:
        again = use.preferences_token(self._public, who.public_id)
        return self._pages.reader(reader, again=again, asked=asked, status=status)

    # -- what a mail leads to -----------------------------------------------------------------------------------------

    async def copy(self, request: Request) -> Response:
        """The web copy of an issue."""
        slug = request.path_params["slug"]
        found = await run_in_threadpool(lambda: web_copy(self._public.desk, slug))
        html = found.html.encode()
        headers = {
            # Asked for anew each time, so that what is taken off it is gone.
            "Cache-Control": "no-cache",
            "Content-Security-Policy": _COPY_POLICY.format("".join(f" {origin}" for origin in found.pictures)),
            "ETag": f'"{hashlib.sha256(html).hexdigest()[:32]}"',
        }
        return _unless_known(request, headers) or HTMLResponse(html, headers=headers)

    async def picture(self, request: Request) -> Response:
        """A hosted picture."""
        name = request.path_params["name"]
        try:
            path, content_type = await run_in_threadpool(use.picture, self._public, name)
        except use.Withdrawn:
            return self._pages.notice("missing", 410)
        headers = {**_KEEP, "ETag": f'"{name.partition(".")[0]}"'}
        return _unless_known(request, headers) or FileResponse(path, media_type=content_type, headers=headers)

    # -- machines -----------------------------------------------------------------------------------------------------

    async def events(self, request: Request) -> Response:
        """A provider's webhook. Anything but 2xx makes it come again, so that is the answer only where it helps."""
        provider = request.path_params["provider"]
        try:
            raw = await read_body(request, EVENTS_BYTES, self._room)
            said = await run_in_threadpool(use.read_events, self._public, provider, raw, dict(request.headers))
        except NotAuthentic:
            return PlainTextResponse("Forbidden\n", status_code=403)
        except (NotFound, TooMuch, TooSlow) as error:
            return _refused(error)
        except BadData:
            return PlainTextResponse("Not a list of events\n", status_code=400)
        except NewsletterError as error:
            return self._later(error)
        try:
            await run_in_threadpool(use.take_events, self._public, provider, said)
        except NewsletterError as error:
            return self._later(error)
        return Response(status_code=204)

    def _later(self, error: NewsletterError) -> Response:
        """Busy, a full disk, no key to verify with: all of that passes, and the provider keeps the events till then."""
        self._complain(error)
        return PlainTextResponse("Later\n", status_code=503, headers={"Retry-After": "30", "Connection": "close"})

    async def health(self, _: Request) -> Response:
        """200 when the database answers, else 503."""
        try:
            await run_in_threadpool(use.health, self._public)
        except Exception as error:  # noqa: BLE001 - whatever it is, we are not well
            self._complain(error)
            return JSONResponse({"status": "unavailable"}, status_code=503)
        return JSONResponse({"status": "ok"})

    # -- the rest -----------------------------------------------------------------------------------------------------

    async def _nothing(self, scope: Scope, receive: Receive, send: Send) -> None:
        await self._pages.notice("missing")(scope, receive, send)

    def _wrong(self, error: Exception) -> Response:
        status = status_of(error)
        if isinstance(error, TooMuch | TooSlow | HeadTooBig):
            return _refused(error)
        response = self._pages.notice("missing" if status == 404 else "later", status)
        if status == 503:
            response.headers["Retry-After"] = "5"
        return response

    @contextlib.asynccontextmanager
    async def _lifespan(self, _: Starlette) -> AsyncIterator[None]:
        yield
        self._grant.close()
        self._public.close()


def _wish(who: Who, pressed: str | None) -> Wish | None:
    """What a POST asks for; None for what this token does not allow or nobody can make out."""
    if who.purpose == "unsubscribe":
        source = use.ONE_CLICK if pressed is None else "unsubscribe page"
        return use.Wish(who.public_id, "unsubscribe", source) if pressed in (None, "unsubscribe") else None
    if pressed == "unsubscribe":
        return use.Wish(who.public_id, "unsubscribe", "preferences page")
    if pressed == "subscribe":
        return use.Wish(who.public_id, "subscribe", "preferences page")
    return None


def _pressed(body: bytes) -> str | None:
    """The button of our form, or None when this is no form of ours."""
    try:
        fields = parse_qs(body.decode("ascii"), max_num_fields=20)
    except ValueError:
        return None
    values = fields.get("do")
    return None if values is None else values[0]


def _refused(error: NewsletterError) -> Response:
    """Without waiting for the rest of the body."""
    return PlainTextResponse("Refused\n", status_code=status_of(error), headers={"Connection": "close"})


def _unless_known(request: Request, headers: dict[str, str]) -> Response | None:
    """304 where the browser has it already (RFC 9110, 13.1.2)."""
    known = [tag.strip().removeprefix("W/") for tag in request.headers.get("if-none-match", "").split(",")]
    return Response(status_code=304, headers=headers) if headers["ETag"] in known or "*" in known else None


class _ByMethod:
    """One address: GET (and HEAD), POST, what it answers to OPTIONS and to every other method."""

    def __init__(self, *, get: Handler | None = None, post: Handler | None = None) -> None:
        self._handlers = {"GET": get, "HEAD": get, "POST": post}
        self._allow = ", ".join([method for method, handler in self._handlers.items() if handler] + ["OPTIONS"])

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        request = Request(scope, receive)
        handler = self._handlers.get(request.method)
        if handler is not None:
            response = await handler(request)
        else:
            status = 204 if request.method == "OPTIONS" else 405
            response = Response(status_code=status, headers={"Allow": self._allow})
        await response(scope, receive, send)


def make_app(public: PublicDesk, say: Callable[[str], None]) -> ASGIApp:
    """The public pages of a workspace; ``say`` gets a line for the operator when something is wrong."""
    return PublicPages(public, Complaints(say)).app()
