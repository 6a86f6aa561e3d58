"""The live preview: one issue in the browser, rebuilt at every save.

Read-only, on loopback only, and only for the Host it listens on (a web page elsewhere cannot reach it by
rebinding a name). The mail sits in a frame with its own policy: no scripts, images from here and from https.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, MutableMapping
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.datastructures import MutableHeaders
from starlette.middleware import Middleware
from starlette.middleware.trustedhost import TrustedHostMiddleware
from starlette.requests import Request
from starlette.responses import FileResponse, HTMLResponse, JSONResponse, PlainTextResponse, Response, StreamingResponse
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles
from starlette.types import ASGIApp, Lifespan, Receive, Scope, Send

from newsletter.errors import NotFound, UsageProblem

if TYPE_CHECKING:
    from newsletter.app.preview import Preview
    from newsletter.web.live import Live

STATIC = Path(__file__).with_name("static")
HOSTS = ["127.0.0.1", "localhost"]

_PAGE_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; frame-src 'self'; "
    "img-src data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
_MAIL_POLICY = (
    "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'; frame-ancestors 'self'"
)
_HEADERS = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}
# A picture is named by what is in it, and one that is fetched again at each save flickers.
_KEEP = "private, max-age=86400, immutable"


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
        return JSONResponse(_state(live, slug, root, _reader(request)))

    def mail_html(request: Request, preview: Preview) -> Response:
        images = "img-src 'none'" if request.query_params.get("images") == "off" else "img-src 'self' https:"
        dark = request.query_params.get("scheme") == "dark"
        reader = _known(preview, _reader(request))
        client = request.query_params.get("client")
        if client is None:
            html = preview.html_for(reader, dark=dark, media="/media/")
        else:
            html = preview.html_in(client, reader, dark=dark, media="/media/")
        return HTMLResponse(html, headers={"Content-Security-Policy": f"{_MAIL_POLICY}; {images}"})

    def mail_text(request: Request, preview: Preview) -> Response:
        return PlainTextResponse(preview.text_for(_known(preview, _reader(request))))

    def taken(request: Request, preview: Preview) -> Response:
        reader = _known(preview, _reader(request))
        names = request.query_params.getlist("client")
        return JSONResponse({name: preview.taken_by(name, reader) for name in names})

    def media(request: Request, preview: Preview) -> Response:
        image = preview.image(request.path_params["name"])
        return FileResponse(image.path, media_type=image.content_type, headers={"Cache-Control": _KEEP})

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
            Route("/mail.txt", with_mail(mail_text)),
            Route("/taken", with_mail(taken)),
            Route("/media/{name}", with_mail(media)),
            Route("/events", events),
            Mount("/static", StaticFiles(directory=STATIC)),
        ],
        middleware=[
            Middleware(_WithHeaders),
            Middleware(TrustedHostMiddleware, allowed_hosts=HOSTS, www_redirect=False),
        ],
        lifespan=lifespan,
    )


def _reader(request: Request) -> str | None:
    return request.query_params.get("as", "").strip() or None


def _known(preview: Preview, reader: str | None) -> str | None:
    """The reader, or nobody in particular while this one's copy cannot be shown; ``/state`` says why."""
    return None if preview.problem_with(reader) else reader


def _state(live: Live, slug: str, root: Path, reader: str | None) -> dict[str, object]:
    """What the page shows around the mail: ``error`` is a Problem or null, ``mail`` the summary or null."""
    from newsletter.app.clients import LABEL, known_clients
    from newsletter.app.preview import problem_of

    shown = live.shown
    problem = None if shown.error is None else problem_of(shown.error, root)
    mail = None
    if shown.preview is not None:
        unknown = shown.preview.problem_with(reader)
        mail = shown.preview.summary(None if unknown else reader)
        if problem is None and unknown is not None:
            problem = problem_of(unknown, root, kind="reader")
    return {
        "version": shown.version,
        "issue": slug,
        "clients": known_clients(),
        "label": LABEL,
        "error": None if problem is None else asdict(problem),
        "mail": mail,
    }
