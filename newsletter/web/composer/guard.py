"""What a request must be to reach the composer: for our Host, from our own pages, in a browser that has a session.

A web page elsewhere can make a browser send requests to this machine: by a name that it rebinds (so the Host is looked
at), by a form or a fetch (so Sec-Fetch-Site is looked at, else Origin), and with its cookies (so they are SameSite).
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Final

from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, PlainTextResponse, Response
from starlette.types import ASGIApp, Receive, Scope, Send

from newsletter.web.composer.pages import Pages
from newsletter.web.composer.session import Sessions

SAFE: Final = frozenset({"GET", "HEAD"})
LOOPBACK: Final = frozenset({"127.0.0.1", "localhost", "[::1]"})
CLIP: Final = "/inbox/clip"
"""The one page that other sites lead to: the bookmarklet's. It asks for a press of a button there."""


def host_of(header: str) -> str:
    """The name in a Host header, without its port, in lower case."""
    name = header.strip().lower()
    if name.startswith("["):
        return name.partition("]")[0] + "]"
    return name.partition(":")[0]


def is_ours(headers: Mapping[str, str]) -> bool:
    """Whether an unsafe request comes from a page of this very origin. A browser says so in one of two headers."""
    site = headers.get("sec-fetch-site")
    if site is not None:
        return site == "same-origin"
    return headers.get("origin") == f"http://{headers.get('host', '')}"


class Guarded:
    """Refuses what is not for us, from us, or from a browser that we know; ``hosts`` are names without ports."""

    def __init__(
        self, app: ASGIApp, *, sessions: Sessions, cookie: str, pages: Pages, hosts: Collection[str] = LOOPBACK
    ) -> None:
        self._app = app
        self._sessions = sessions
        self._cookie = cookie
        self._pages = pages
        self._hosts = frozenset(hosts)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One request."""
        if scope["type"] != "http":
            return await self._app(scope, receive, send)
        request = Request(scope)
        answer = self._refusal(request) or self._stranger(request)
        await (answer or self._app)(scope, receive, send)
        return None

    def _refusal(self, request: Request) -> Response | None:
        hosts = request.headers.getlist("host")
        if len(hosts) != 1 or host_of(hosts[0]) not in self._hosts:
            return PlainTextResponse("Refused: this is not the address of the composer.\n", status_code=421)
        if request.method not in SAFE and not is_ours(request.headers):
            return PlainTextResponse("Refused: this did not come from a page of the composer.\n", status_code=403)
        return None

    def _stranger(self, request: Request) -> Response | None:
        """What a browser without a session gets."""
        path = request.url.path
        if path == "/enter" and request.method in SAFE:
            return self._enter(request)
        if path.startswith("/static/") or self._sessions.knows(request.cookies.get(self._cookie)):
            return None
        if path == CLIP and request.method in SAFE and request.headers.get("sec-fetch-site") == "cross-site":
            # A cookie that is SameSite=Strict does not come along from another site, but from this page it does.
            return self._pages.step(request)
        if request.method in SAFE and "text/html" in request.headers.get("accept", ""):
            return self._pages.stranger(request)
        return JSONResponse({"error": {"what": "this browser is not signed in to the composer"}}, status_code=403)

    def _enter(self, request: Request) -> Response:
        session = self._sessions.enter(request.query_params.get("key", ""))
        if session is None:
            if self._sessions.knows(request.cookies.get(self._cookie)):
                return _home()
            return self._pages.stranger(request)
        response = _home()
        response.set_cookie(self._cookie, session, httponly=True, samesite="strict", path="/")
        return response


def _home() -> Response:
    # A page that goes on by itself instead of a redirect: a Strict cookie does not follow one that began elsewhere.
    return HTMLResponse(
        '<!doctype html><html lang="en"><title>Composer</title><meta http-equiv="refresh" content="0;url=/">'
        '<p><a href="/">To the composer</a></p>'
    )
