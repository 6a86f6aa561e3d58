"""What a request must be to reach the composer: for our Host, from our own pages, in a browser that has a session.

A web page elsewhere can make a browser send requests to this machine: by a name that it rebinds (so the Host is looked
at), by a form or a fetch (so Sec-Fetch-Site is looked at, else Origin), and with its cookies (so they are SameSite).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final
from urllib.parse import urlsplit

from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, PlainTextResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from newsletter.app.desk import SEATED
from newsletter.app.people import require
from newsletter.errors import NewsletterError, NotAllowed
from newsletter.web.composer.access import NOBODY, SAFE, Visitor, deed_for
from newsletter.web.composer.answers import status_of, told
from newsletter.web.composer.pages import Pages
from newsletter.web.composer.session import Sessions
from newsletter.web.composer.signing import OPEN, Gate

LOOPBACK: Final = frozenset({"127.0.0.1", "localhost", "[::1]"})
CLIP: Final = "/inbox/clip"
"""The one page that other sites lead to: the bookmarklet's. It asks for a press of a button there."""

SIGNED_OUT: Final = "signed-out"
"""The kind of the refusal that ends when the browser signs in, unlike that of a role."""
_OPEN: Final = re.compile(rf"{OPEN}(/[^/]+)?")
"""The pages for signing in, and nothing else below them."""


def host_of(header: str) -> str:
    """The name in a Host header, without its port, in lower case."""
    name = header.strip().lower()
    if name.startswith("["):
        return name.partition("]")[0] + "]"
    return name.partition(":")[0]


def is_ours(headers: Mapping[str, str], *, https: bool = False) -> bool:
    """Whether an unsafe request comes from a page of this very origin. A browser says so in one of two headers."""
    site = headers.get("sec-fetch-site")
    if site is not None:
        return site == "same-origin"
    return headers.get("origin") == f"http{'s' if https else ''}://{headers.get('host', '')}"


class Guarded:
    """Refuses what is not for us, from us, or from a browser that we know.

    ``url`` is where people reach the composer from other machines; its host is ours as well. ``keyed``: whether a
    printed key opens it, which it does on this machine only.
    """

    def __init__(
        self,
        app: ASGIApp,
        *,
        sessions: Sessions,
        cookie: str,
        pages: Pages,
        gate: Gate,
        url: str | None = None,
        keyed: bool = True,
    ) -> None:
        self._app = app
        self._sessions = sessions
        self._cookie = cookie
        self._pages = pages
        self._gate = gate
        self._keyed = keyed
        parts = urlsplit(url or "")
        self._https = host_of(parts.netloc) if parts.scheme == "https" else None
        self._hosts = LOOPBACK | ({host_of(parts.netloc)} if parts.netloc else set())
        self._with_people = bool(url)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One request."""
        if scope["type"] != "http":
            return await self._app(scope, receive, send)
        request = Request(scope)
        answer = self._refusal(request)
        if answer is None:
            found = await self._let_in(request)
            if isinstance(found, Visitor):
                scope["newsletter.visitor"] = found
                SEATED.set(found.name)
                answer = self._beyond(request, found)
                cookie = self._gate.renewed(request, found)
                send = send if cookie is None else _adding(send, cookie)
            else:
                answer = found
        await (answer or self._app)(scope, receive, send)
        return None

    def _refusal(self, request: Request) -> Response | None:
        hosts = request.headers.getlist("host")
        if len(hosts) != 1 or host_of(hosts[0]) not in self._hosts:
            return PlainTextResponse("Refused: this is not the address of the composer.\n", status_code=421)
        request.scope["newsletter.https"] = https = host_of(hosts[0]) == self._https
        if request.method not in SAFE and not is_ours(request.headers, https=https):
            return PlainTextResponse("Refused: this did not come from a page of the composer.\n", status_code=403)
        return None

    async def _let_in(self, request: Request) -> Visitor | Response:
        """Who it is, or what a browser without a session gets."""
        path = request.url.path
        if path == "/enter" and request.method in SAFE and self._keyed:
            return self._enter(request)
        if path.startswith("/static/") or _OPEN.fullmatch(path):
            return NOBODY
        if self._keyed and self._sessions.knows(request.cookies.get(self._cookie)):
            return NOBODY
        try:
            visitor = await self._gate.visitor(request)
        except NewsletterError as error:
            # Of whom nobody knows who it is nobody learns what is wrong with the file.
            self._gate.complain(error)
            return PlainTextResponse("The desk cannot tell who you are: the terminal says why.\n", status_code=503)
        return visitor or self._stranger(request)

    def _stranger(self, request: Request) -> Response:
        if (
            request.url.path == CLIP
            and request.method in SAFE
            and request.headers.get("sec-fetch-site") == "cross-site"
        ):
            # A cookie that is SameSite=Strict does not come along from another site, but from this page it does.
            return self._pages.step(request)
        if request.method in SAFE and "text/html" in request.headers.get("accept", ""):
            return self._gate.stranger() if self._with_people else self._pages.stranger()
        how = "sign in" if self._with_people else "open the address that newsletter serve shows in its terminal"
        wrong = {
            "kind": SIGNED_OUT,
            "what": "This browser is not signed in to the composer",
            "fix": f"{how}, in another tab of this browser. What you typed is kept here and is saved then.",
        }
        return JSONResponse({"error": wrong}, status_code=403)

    def _beyond(self, request: Request, visitor: Visitor) -> Response | None:
        """The refusal of what a role does not allow."""
        if visitor.person is None:
            return None
        deed = deed_for(request)
        try:
            require(visitor.person, deed)
        except NotAllowed as error:
            if "text/html" not in request.headers.get("accept", ""):
                return JSONResponse({"error": told(error)}, status_code=status_of(error))
            fix = f"ask {visitor.ask(deed)}" if visitor.ask(deed) else error.fix
            return self._pages.problem(request, status_of(error), what=error.what, where=None, fix=fix)
        return None

    def _enter(self, request: Request) -> Response:
        session = self._sessions.enter(request.query_params.get("key", ""))
        if session is None:
            if self._sessions.knows(request.cookies.get(self._cookie)):
                return _home()
            return self._pages.stranger()
        response = _home()
        response.set_cookie(self._cookie, session, httponly=True, samesite="strict", path="/")
        return response


def _adding(send: Send, cookie: str) -> Send:
    async def sending(message: Message) -> None:
        if message["type"] == "http.response.start":
            message["headers"] = [*message.get("headers", []), (b"set-cookie", cookie.encode("latin-1"))]
        await send(message)

    return sending


def _home() -> Response:
    # A page that goes on by itself instead of a redirect: a Strict cookie does not follow one that began elsewhere.
    return HTMLResponse(
        '<!doctype html><html lang="en"><title>Composer</title><meta http-equiv="refresh" content="0;url=/">'
        '<p><a href="/">To the composer</a></p>'
    )
