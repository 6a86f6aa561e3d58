"""Signing in from another machine: ask for a link, look at your mail, press the button, sign out.

A link in a mail is opened by scanners too, and by whoever the mail is forwarded to: opening it does nothing. The
button does, and only in the browser that asked.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Final

from starlette.background import BackgroundTask
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import BaseRoute, Route

from newsletter.app import signin
from newsletter.app.desk import open_desk
from newsletter.app.people import caller, person_from_proxy
from newsletter.errors import NewsletterError, NotAllowed
from newsletter.web.composer.access import Visitor, link_needed, visitor_of
from newsletter.web.composer.answers import read_form
from newsletter.web.composer.pages import Pages
from newsletter.workspace.settings import Composer

OPEN: Final = "/sign-in"
"""All below it is answered without a session."""
_LINK_SECONDS: Final = signin.GOOD_FOR // 1_000_000
_LONGEST_SESSION: Final = 400 * 24 * 3600
"""Browsers keep a cookie no longer; the server ends a session long before."""


class Gate:
    """Tells who sent a request, and has the pages for signing in. ``port`` keeps two composers of a host apart."""

    def __init__(self, root: Path, pages: Pages, *, port: int, complain: Callable[[Exception], None]) -> None:
        self._root = root
        self._pages = pages
        self._port = port
        self.complain = complain

    def routes(self) -> list[BaseRoute]:
        """Where it is found."""
        return [
            Route(OPEN, self.show, methods=["GET"]),
            Route(OPEN, self.ask, methods=["POST"]),
            Route(f"{OPEN}/{{token}}", self.landing, methods=["GET"]),
            Route(f"{OPEN}/{{token}}", self.enter, methods=["POST"]),
            Route("/sign-out", self.leave, methods=["POST"]),
        ]

    # -- who is there

    async def visitor(self, request: Request) -> Visitor | None:
        """Who signed in with this browser, or at the proxy; else None. Raises for a broken newsletter.toml."""
        return await run_in_threadpool(self._visitor, request)

    def _visitor(self, request: Request) -> Visitor | None:
        token = request.cookies.get(self._name(request, "person"))
        with open_desk(self._root) as desk:
            composer = desk.config.composer
            if not composer.people:
                return None
            if composer.user_header is not None:
                values = request.headers.getlist(composer.user_header)
                person = person_from_proxy(composer, _peer(request), values)
                if person is not None:
                    return Visitor(person, others=composer.people)
            if not token or (found := signin.who(desk, token)) is None:
                return None
            return Visitor(found.person, found.public_id, found.token, composer.people)

    def renewed(self, request: Request, visitor: Visitor) -> str | None:
        """The ``Set-Cookie`` of a session whose token has changed."""
        if visitor.token is None:
            return None
        response = Response()
        self._keep(request, response, "person", visitor.token, _LONGEST_SESSION)
        return response.headers["set-cookie"]

    def stranger(self) -> Response:
        """For a browser that has not signed in."""
        return self._page("ask", 403)

    def _name(self, request: Request, what: str) -> str:
        # The prefix lets no other host of this domain, and no page without https, set such a cookie.
        return f"{'__Host-' if _secure(request) else ''}newsletter_{what}_{self._port}"

    def _keep(self, request: Request, response: Response, what: str, value: str, seconds: int) -> None:
        response.set_cookie(
            self._name(request, what),
            value,
            max_age=seconds,
            httponly=True,
            samesite="strict",
            secure=_secure(request),
            path="/",
        )

    def _drop(self, request: Request, response: Response, what: str) -> None:
        self._keep(request, response, what, "", 0)

    # -- the pages

    async def show(self, _: Request) -> Response:
        """Ask for a link."""
        return await run_in_threadpool(self._page, "ask", 200)

    async def ask(self, request: Request) -> Response:
        """The same answer for everybody; the mail, if there is one, goes after it."""
        address = (await read_form(request)).get("address", "").strip()[:254]

        def work() -> tuple[Response, signin.Asked]:
            with open_desk(self._root) as desk:
                asked = signin.ask(desk, address, peer=_caller(request, desk.config.composer))
            return self._page("sent", 200, address=address), asked

        try:
            response, asked = await run_in_threadpool(work)
        except NewsletterError as error:
            self.complain(error)
            return await run_in_threadpool(lambda: self._page("ask", 503, broken=True))
        self._keep(request, response, "asked", asked.browser, _LINK_SECONDS)
        response.background = BackgroundTask(self._post, asked)
        return response

    def _post(self, asked: signin.Asked) -> None:
        try:
            with open_desk(self._root) as desk:
                signin.send(desk, asked)
        except Exception as error:  # noqa: BLE001 - the answer is given; the operator hears of it, the asker must not
            self.complain(error)

    async def landing(self, request: Request) -> Response:
        """What the mailed link opens. It does nothing by itself."""
        token = request.path_params["token"]
        return await run_in_threadpool(lambda: self._page("press", 200, token=token))

    async def enter(self, request: Request) -> Response:
        """The button: the link is used up, and this browser is signed in."""
        token = request.path_params["token"]
        browser = request.cookies.get(self._name(request, "asked"), "")

        def work() -> signin.SignedIn:
            with open_desk(self._root) as desk:
                return signin.sign_in(desk, token, browser)

        try:
            entered = await run_in_threadpool(work)
        except NotAllowed as error:
            what = error.what
            return await run_in_threadpool(lambda: self._page("ask", 403, refused=what))
        response = RedirectResponse("/", status_code=303)
        assert entered.token is not None
        self._drop(request, response, "asked")
        self._keep(request, response, "person", entered.token, _LONGEST_SESSION)
        return response

    async def leave(self, request: Request) -> Response:
        """Sign out of this browser."""
        visitor = visitor_of(request)

        def work() -> Response:
            if visitor.public_id is not None:
                with open_desk(self._root) as desk:
                    signin.end(desk, public_id=visitor.public_id)
            return self._page("out", 200)

        response = await run_in_threadpool(work)
        self._drop(request, response, "person")
        return response

    def _page(self, step: str, status: int, **values: object) -> Response:
        asks = True
        try:
            with open_desk(self._root) as desk:
                composer = desk.config.composer
            if not composer.people:
                return self._pages.stranger()
            asks = link_needed(composer)
        except NewsletterError as error:
            self.complain(error)
        given = {"address": "", "token": "", "refused": None, "broken": False, **values}
        return self._pages.alone("sign-in.html.j2", status, step=step, asks=asks, **given)


def _peer(request: Request) -> str:
    return request.client.host if request.client else ""


def _caller(request: Request, composer: Composer) -> str:
    """Where a request comes from, also from behind a trusted proxy."""
    headers = request.headers
    return caller(composer, _peer(request), headers.getlist("x-forwarded-for"), headers.getlist("forwarded"))


def _secure(request: Request) -> bool:
    """Whether the browser speaks https with us: then the guard has found our own https address in the Host."""
    return bool(request.scope.get("newsletter.https"))
