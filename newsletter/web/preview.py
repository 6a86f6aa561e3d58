"""The live preview: one issue in the browser, rebuilt at every save.

Read-only, on loopback only, and only for the Host it listens on (a web page elsewhere cannot reach it by
rebinding a name). The mail sits in a frame with its own policy: no scripts, images from here and from https.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, MutableMapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.datastructures import MutableHeaders
from starlette.middleware import Middleware
from starlette.middleware.trustedhost import TrustedHostMiddleware
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, PlainTextResponse, Response, StreamingResponse
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles
from starlette.types import ASGIApp, Lifespan, Receive, Scope, Send

from newsletter.errors import NotFound, UsageProblem
from newsletter.web import mailview

if TYPE_CHECKING:
    from newsletter.app.preview import Preview
    from newsletter.web.live import Live

STATIC = Path(__file__).with_name("static")
HOSTS = ["127.0.0.1", "localhost"]

_PAGE_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; frame-src 'self'; "
    "img-src data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
_HEADERS = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}


class _WithHeaders:
    """Puts our headers on every answer that has not its own."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def answer(message: MutableMapping[str, Any]) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in _HEADERS.items():
                    headers.setdefault(name, value)
            await send(message)

        await self._app(scope, receive, answer)


def make_app(live: Live, slug: str, root: Path, *, lifespan: Lifespan[Starlette] | None = None) -> Starlette:
    """The preview's ASGI app for the issue ``slug`` of the workspace ``root``."""

    def with_mail(answer: Callable[[Request, Preview], Response]) -> Callable[[Request], Awaitable[Response]]:
        async def endpoint(request: Request) -> Response:
            preview = live.shown.preview
            if preview is None:
                return PlainTextResponse("No mail could be built yet.", status_code=503)
            try:
                return await run_in_threadpool(answer, request, preview)
            except (NotFound, UsageProblem) as error:
                return PlainTextResponse(str(error), status_code=404)

        return endpoint

    def page(_: Request) -> Response:
        body = (STATIC / "preview.html").read_text(encoding="utf-8")
        return HTMLResponse(body, headers={"Content-Security-Policy": _PAGE_POLICY})

    def state(request: Request) -> Response:
        shown = live.shown
        return JSONResponse(
            mailview.mail_state(
                shown.preview,
                shown.error,
                version=shown.version,
                slug=slug,
                root=root,
                reader=mailview.reader_of(request),
            )
        )

    def mail_html(request: Request, preview: Preview) -> Response:
        return mailview.mail_html(request, preview, "/media/")

    async def events(_: Request) -> Response:
        async def stream() -> AsyncIterator[str]:
            yield "retry: 1000\n\n"
            async for version in live.versions():
                yield f"data: {version}\n\n"

        return StreamingResponse(stream(), media_type="text/event-stream")

    return Starlette(
        routes=[
            Route("/", page),
            Route("/state", state),
            Route("/mail.html", with_mail(mail_html)),
            Route("/mail.txt", with_mail(mailview.mail_text)),
            Route("/taken", with_mail(mailview.taken)),
            Route("/media/{name}", with_mail(mailview.picture)),
            Route("/events", events),
            Mount("/static", StaticFiles(directory=STATIC)),
        ],
        middleware=[
            Middleware(_WithHeaders),
            Middleware(TrustedHostMiddleware, allowed_hosts=HOSTS, www_redirect=False),
        ],
        lifespan=lifespan,
    )
