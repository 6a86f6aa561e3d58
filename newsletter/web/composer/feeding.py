"""The sources of the inbox: how each fares, a refresh now, and a new one by its address."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import BaseRoute, Route

from newsletter.app.desk import Desk, open_desk
from newsletter.app.sources import Wanted, add_source, list_sources, refresh_now
from newsletter.errors import NewsletterError, UsageProblem
from newsletter.web.composer.answers import read_form, status_of
from newsletter.web.composer.once import Told
from newsletter.web.composer.pages import Pages

PATIENCE: Final = 30.0
"""Seconds that a page waits for a refresh; what was not asked by then is asked by the next one."""


class SourcesScreen:
    """The endpoints. ``closing`` says when the composer ends: nobody waits for a slow server then."""

    def __init__(self, root: Path, pages: Pages, closing: Callable[[], bool]) -> None:
        self._root = root
        self._pages = pages
        self._closing = closing
        self._told: Told[Sequence[str]] = Told()

    def routes(self) -> list[BaseRoute]:
        """Where it is found."""
        return [
            Route("/inbox/sources", self.show),
            Route("/inbox/sources/add", self.add, methods=["POST"]),
            Route("/inbox/sources/refresh", self.refresh, methods=["POST"]),
        ]

    async def show(self, request: Request) -> Response:
        """Every source."""
        notes = self._told.said(request.query_params.get("said", "")) or ()
        return await run_in_threadpool(lambda: self._page(request, notes=notes))

    async def refresh(self, request: Request) -> Response:
        """Ask one source (``name``), or all of them, and say what came in."""
        form = await read_form(request)
        name = form.get("name") or None

        def work(desk: Desk) -> Sequence[str]:
            return refresh_now(desk, name, deadline=PATIENCE, stop=self._closing).lines()

        return await self._done(request, work, {})

    async def add(self, request: Request) -> Response:
        """Add the source at ``url``, or that a page there names; ``feed`` says which, where it names several."""
        form = {name: value.strip() for name, value in (await read_form(request)).items()}

        def work(desk: Desk) -> Sequence[str]:
            if not form.get("url"):
                raise UsageProblem("there is no address", fix="paste that of a feed, or of a home page")
            section, full = form.get("section") or None, bool(form.get("full"))
            wanted = Wanted(section=section, full=full, feed=form.get("feed") or None)
            added = add_source(desk, form["url"], wanted, deadline=PATIENCE, stop=self._closing)
            title = added.source.title or added.source.name
            if added.already or added.refreshed is None:
                return [f"{title} is a source already; nothing was added."]
            return [f"{title} is a source now.", *added.refreshed.lines()]

        return await self._done(request, work, form)

    async def _done(
        self, request: Request, work: Callable[[Desk], Sequence[str]], form: dict[str, str]
    ) -> Response:  # fmt: skip
        def run() -> Response:
            try:
                with open_desk(self._root) as desk:
                    notes = work(desk)
            except NewsletterError as error:
                return self._page(request, error=error, form=form)
            return RedirectResponse(f"/inbox/sources?said={self._told.keep(notes)}", status_code=303)

        return await run_in_threadpool(run)

    def _page(
        self,
        request: Request,
        *,
        notes: Sequence[str] = (),
        error: NewsletterError | None = None,
        form: dict[str, str] | None = None,
    ) -> Response:
        with open_desk(self._root) as desk:
            rows = list_sources(desk)
        return self._pages.page(
            request,
            "sources.html.j2",
            status_of(error) if error else 200,
            rows=rows,
            notes=notes,
            error=error,
            tried={name: (form or {}).get(name, "") for name in ("url", "section", "full", "feed")},
        )
