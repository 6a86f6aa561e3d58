"""The composer as an ASGI app: which address is answered by what. The guard stands before all of it."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator, Callable
from pathlib import Path

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware.exceptions import ExceptionMiddleware
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import BaseRoute, Mount, Router
from starlette.staticfiles import StaticFiles
from starlette.types import ASGIApp, Receive, Scope, Send

from newsletter.app.desk import open_desk
from newsletter.errors import NewsletterError
from newsletter.web.composer.answers import status_of
from newsletter.web.composer.audience import AudienceScreen
from newsletter.web.composer.feeding import SourcesScreen
from newsletter.web.composer.guard import Guarded
from newsletter.web.composer.importing import ImportScreen
from newsletter.web.composer.inboxes import InboxScreen
from newsletter.web.composer.issues import IssuesScreen
from newsletter.web.composer.looking import Looking
from newsletter.web.composer.pages import STATIC, Pages
from newsletter.web.composer.picturing import Picturing
from newsletter.web.composer.reports import ReportScreen
from newsletter.web.composer.rooms import Rooms
from newsletter.web.composer.sending import Sending
from newsletter.web.composer.session import Sessions
from newsletter.web.composer.settings import SettingsScreen
from newsletter.web.composer.signing import Gate
from newsletter.web.composer.theming import ThemeScreen
from newsletter.web.composer.waiting import WaitingScreen
from newsletter.web.composer.writing import Writing
from newsletter.web.hardening import Complaints, Hardened, HeadTooBig, TooMuch, TooSlow
from newsletter.web.hardening import status_of as hard_status
from newsletter.web.preview import STATIC as SHARED


class Composer:
    """The composer of the workspace at ``root``. ``say`` gets a line for the operator when something is wrong."""

    def __init__(
        self,
        root: Path,
        sessions: Sessions,
        *,
        port: int,
        say: Callable[[str], None],
        url: str | None = None,
        keyed: bool = True,
    ) -> None:
        self.root = root
        self._url = url
        self._keyed = keyed
        self._sessions = sessions
        # Cookies of one host are shared by all its ports: another workspace's composer has another name for its own.
        self._cookie = f"newsletter_composer_{port}"
        self.routes: list[BaseRoute] = []
        """Every address but those of files, once there is an ``app()``."""
        self._rooms = Rooms(root)
        self._pages = Pages(self._publication)
        self._complain = Complaints(say)
        self._gate = Gate(root, self._pages, port=port, complain=self._complain)

    def app(self) -> ASGIApp:
        """The ASGI app."""
        self.routes = self._screens()
        router = Router(
            [
                *self.routes,
                Mount("/static/mail", StaticFiles(directory=SHARED)),
                Mount("/static", StaticFiles(directory=STATIC)),
            ],
            redirect_slashes=False,
            default=self._nothing,
            lifespan=self._lifespan,
        )
        # Starlette's own answer to a bug would come before ours.
        inner = ExceptionMiddleware(router, handlers={404: self._missing, 405: self._not_allowed})
        guarded = Guarded(
            inner,
            sessions=self._sessions,
            cookie=self._cookie,
            pages=self._pages,
            gate=self._gate,
            url=self._url,
            keyed=self._keyed,
        )
        hardened = Hardened(guarded, prefix=lambda: "", wrong=self._wrong, complain=self._complain)

        async def app(scope: Scope, receive: Receive, send: Send) -> None:
            await (router if scope["type"] == "lifespan" else hardened)(scope, receive, send)

        return app

    async def close(self) -> None:
        """End every event stream."""
        await self._rooms.close()

    def _screens(self) -> list[BaseRoute]:
        writing = Writing(self._rooms)
        return [
            *IssuesScreen(self.root, self._pages).routes(),
            *InboxScreen(self.root, self._pages).routes(),
            *SourcesScreen(self.root, self._pages).routes(),
            *WaitingScreen(self.root, self._pages, writing).routes(),
            # Before the audience, whose readers have addresses of one part, too.
            *ImportScreen(self.root, self._pages).routes(),
            *AudienceScreen(self.root, self._pages).routes(),
            *ReportScreen(self.root, self._pages).routes(),
            *SettingsScreen(self.root, self._pages).routes(),
            *ThemeScreen(self.root, self._pages).routes(),
            *Looking(self._rooms, self._pages).routes(),
            *writing.routes(),
            *Picturing(writing).routes(),
            *Sending(self.root, self._pages).routes(),
            *self._gate.routes(),
        ]

    def _publication(self) -> str:
        try:
            with open_desk(self.root) as desk:
                return desk.config.publication.name
        except NewsletterError:
            # An editor in the middle of a line of newsletter.toml: what is wrong there is said where it matters.
            return "Newsletter"

    async def _nothing(self, _: Scope, __: Receive, ___: Send) -> None:
        raise HTTPException(404)

    async def _missing(self, request: Request, _: Exception) -> Response:
        what = "There is nothing at this address."
        if request.url.path.startswith("/static/"):
            # Whoever has not signed in may ask for these, and is told nothing about the publication.
            return PlainTextResponse(f"{what}\n", status_code=404)
        return self._pages.problem(request, 404, what=what, where=None, fix="Go to the issues and start there.")

    async def _not_allowed(self, _: Request, __: Exception) -> Response:
        return PlainTextResponse("That cannot be done at this address.\n", status_code=405)

    def _wrong(self, error: Exception) -> Response:
        """Whatever nobody answered: in our own words, and never with those of a bug."""
        if isinstance(error, TooMuch | TooSlow | HeadTooBig):
            return PlainTextResponse("Refused\n", status_code=hard_status(error), headers={"Connection": "close"})
        if isinstance(error, NewsletterError):
            return PlainTextResponse(f"{error}\n", status_code=status_of(error))
        return PlainTextResponse("A bug in newsletter. The terminal that serves it says more.\n", status_code=500)

    @contextlib.asynccontextmanager
    async def _lifespan(self, _: Starlette) -> AsyncIterator[None]:
        yield
