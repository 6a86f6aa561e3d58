"""The composer's pages as HTML: no inline script or style, one policy for all of them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import date as Date
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlencode

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from starlette.requests import Request
from starlette.responses import HTMLResponse

from newsletter.app.people import Deed
from newsletter.app.words import plural
from newsletter.web.composer.access import visitor_of

FOLDER: Final = Path(__file__).parent
STATIC: Final = FOLDER / "static"

POLICY: Final = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
    "frame-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'; "
    "require-trusted-types-for 'script'; trusted-types 'none'"
)
HEADERS: Final = {"Content-Security-Policy": POLICY, "Referrer-Policy": "same-origin"}
"""Forms are sent to ourselves with their Origin; to anybody else goes nothing."""

SCREENS: Final[Sequence[tuple[str, str, Deed]]] = (
    ("/", "Issues", "report"),
    ("/inbox", "Inbox", "report"),
    ("/audience", "Audience", "audience"),
    ("/settings", "Settings", "settings"),
)
"""What the navigation shows to whoever may open it. A screen that is added goes here, in the order of the week."""


class Pages:
    """Makes each page; ``publication`` gives the name that stands at the top, as it is configured now."""

    def __init__(self, publication: Callable[[], str]) -> None:
        self._publication = publication
        self._environment = Environment(
            loader=FileSystemLoader(FOLDER / "templates"),
            autoescape=True,
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
            auto_reload=False,
        )
        self._environment.globals.update(screens=SCREENS, plural=plural)
        self._environment.filters.update(day=_day, moment=_moment, short=_short, field_words=field_words)

    def page(self, request: Request, template: str, status: int = 200, **values: Any) -> HTMLResponse:
        """A page for whoever is signed in."""
        html = self._environment.get_template(template).render(
            publication=self._publication(), here=request.url.path, visitor=visitor_of(request), **values
        )
        return HTMLResponse(html, status_code=status, headers=HEADERS)

    def piece(self, template: str, **values: Any) -> HTMLResponse:
        """A part of a page, for a script that puts its elements into the page that is open."""
        return self.alone(template, **values)

    def problem(self, request: Request, status: int, *, what: str, where: str | None, fix: str | None) -> HTMLResponse:
        """An error as a page."""
        return self.page(request, "problem.html.j2", status, what=what, where=where, fix=fix)

    def alone(self, template: str, status: int = 200, **values: Any) -> HTMLResponse:
        """A page for whoever is not signed in: without a word about the publication."""
        return HTMLResponse(
            self._environment.get_template(template).render(**values), status_code=status, headers=HEADERS
        )

    def stranger(self) -> HTMLResponse:
        """For a browser without a session: how to get one. Says nothing about the publication."""
        return self.alone("stranger.html.j2", 403)

    def step(self, request: Request) -> HTMLResponse:
        """A page that goes on to the address that was asked for, so that the next request comes from here."""
        onward = f"{request.url.path}?{urlencode(request.query_params.multi_items())}"
        html = self._environment.get_template("step.html.j2").render(onward=onward)
        return HTMLResponse(html, headers=HEADERS)


_FIELDS: Final = {
    "body": "Text", "link_text": "Words of the link", "image.url": "Picture", "image.alt": "What the picture shows",
    "image.caption": "Caption", "image.credit": "Credit",
}  # fmt: skip


def field_words(name: str) -> str:
    """A story's field as the screens name it."""
    return _FIELDS.get(name) or name.replace("_", " ").replace(".", " ").capitalize()


def _day(day: Date | None) -> str:
    return f"{day:%A} {day.day} {day:%B %Y}" if day else ""


def _short(day: Date | str | None) -> str:
    """``27 Nov 2026``, as one line of a list has it."""
    if day is None:
        return ""
    try:
        known = Date.fromisoformat(day[:10]) if isinstance(day, str) else day
    except ValueError:
        return str(day)
    return f"{known.day} {known:%b %Y}"


def _moment(local: str | None) -> str:
    """``2026-11-27T07:00`` as it is said."""
    if not local:
        return ""
    day, _, time = local.partition("T")
    return f"{_day(Date.fromisoformat(day))}, {time[:5]}"
