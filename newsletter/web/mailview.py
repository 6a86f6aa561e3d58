"""A built mail in a frame: what the live preview and the composer both answer."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from starlette.requests import Request
from starlette.responses import FileResponse, HTMLResponse, JSONResponse, PlainTextResponse, Response

if TYPE_CHECKING:
    from newsletter.app.preview import Preview

_POLICY: Final = (
    "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'; frame-ancestors 'self'"
)
# A picture is named by what is in it, and one that is fetched again at each save flickers.
_KEEP: Final = "private, max-age=86400, immutable"


def mail_html(request: Request, preview: Preview, media: str) -> Response:
    """The mail for ``?as=``, through ``?client=``, ``?scheme=dark``, ``?images=off``; pictures are under ``media``.

    Raises UsageProblem for an unknown client.
    """
    images = "img-src 'none'" if request.query_params.get("images") == "off" else "img-src 'self' https:"
    dark = request.query_params.get("scheme") == "dark"
    reader = known(preview, reader_of(request))
    client = request.query_params.get("client")
    if client is None:
        html = preview.html_for(reader, dark=dark, media=media)
    else:
        html = preview.html_in(client, reader, dark=dark, media=media)
    headers = {"Content-Security-Policy": f"{_POLICY}; {images}", "X-Frame-Options": "SAMEORIGIN"}
    return HTMLResponse(html, headers=headers)


def mail_text(request: Request, preview: Preview) -> Response:
    """The text part for ``?as=``."""
    return PlainTextResponse(preview.text_for(known(preview, reader_of(request))))


def taken(request: Request, preview: Preview) -> Response:
    """What each ``?client=`` takes away."""
    reader = known(preview, reader_of(request))
    names = request.query_params.getlist("client")
    return JSONResponse({name: preview.taken_by(name, reader) for name in names})


def picture(request: Request, preview: Preview) -> Response:
    """A picture of the mail; raises NotFound."""
    image = preview.image(request.path_params["name"])
    return FileResponse(image.path, media_type=image.content_type, headers={"Cache-Control": _KEEP})


def reader_of(request: Request) -> str | None:
    """The address that was asked for, or None."""
    return request.query_params.get("as", "").strip() or None


def known(preview: Preview, reader: str | None) -> str | None:
    """The reader, or nobody in particular while this one's copy cannot be shown; the state says why."""
    return None if preview.problem_with(reader) else reader


def mail_state(
    preview: Preview | None, error: Exception | None, *, version: int, slug: str, root: Path, reader: str | None
) -> dict[str, Any]:
    """What a page shows around the mail: ``error`` is a Problem or null, ``mail`` the summary or null."""
    from newsletter.app.clients import LABEL, known_clients
    from newsletter.app.preview import problem_of

    problem = None if error is None else problem_of(error, root)
    mail = None
    if preview is not None:
        unknown = preview.problem_with(reader)
        mail = preview.summary(None if unknown else reader)
        if problem is None and unknown is not None:
            problem = problem_of(unknown, root, kind="reader")
    return {
        "version": version,
        "issue": slug,
        "clients": known_clients(),
        "label": LABEL,
        "error": None if problem is None else asdict(problem),
        "mail": mail,
    }
