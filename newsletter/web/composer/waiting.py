"""A story of the inbox on a page of its own; and, there and in an issue, what its source says now."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from urllib.parse import quote

import msgspec
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import BaseRoute, Route

from newsletter.app.articles import show_article
from newsletter.app.desk import Desk, open_desk
from newsletter.app.issues import list_issues, show_issue
from newsletter.app.refresh import Compared, refresh
from newsletter.app.words import runs_between
from newsletter.errors import BadData, NewsletterError, NotFound
from newsletter.web.composer.answers import as_json, read_form, read_json, status_of
from newsletter.web.composer.once import Told
from newsletter.web.composer.pages import Pages, field_words
from newsletter.web.composer.writing import Writing


class Take(msgspec.Struct, forbid_unknown_fields=True):
    """Fields of a story that are to be as its source says; in the others yours is kept. ``seen`` is what was shown."""

    expected: str
    seen: str
    take: list[str]


class WaitingScreen:
    """The endpoints. A GET asks no source: it shows what is known; a button asks."""

    def __init__(self, root: Path, pages: Pages, writing: Writing) -> None:
        self._root = root
        self._pages = pages
        self._writing = writing
        self._told: Told[Sequence[str]] = Told()

    def routes(self) -> list[BaseRoute]:
        """Where it is found."""
        return [
            Route("/inbox/{slug}/story", self.show),
            Route("/inbox/{slug}/ask", self.ask, methods=["POST"]),
            Route("/inbox/{slug}/take", self.take, methods=["POST"]),
            Route("/issues/{slug}/stories/{article}/source", self.compared),
            Route("/issues/{slug}/stories/{article}/ask", self.asked, methods=["POST"]),
            Route("/issues/{slug}/stories/{article}/source", as_json(self.taken), methods=["POST"]),
        ]

    # -- in the inbox

    async def show(self, request: Request) -> Response:
        """The story, and what its source is known to have changed."""
        notes = self._told.said(request.query_params.get("said", "")) or ()
        return await run_in_threadpool(lambda: self._page(request, notes=notes))

    async def ask(self, request: Request) -> Response:
        """Ask its source now."""
        return await run_in_threadpool(self._page, request, ask=True)

    async def take(self, request: Request) -> Response:
        """Take fields over (``f.NAME=theirs``) as they were ``seen``; in the others the story's own words are kept."""
        form = await read_form(request)
        slug = request.path_params["slug"]
        names = [name[2:] for name, choice in form.items() if name.startswith("f.") and choice == "theirs"]

        def run() -> Response:
            try:
                with open_desk(self._root) as desk:
                    done = refresh(desk, [slug], take=names, keep=["all"], seen=form.get("seen", ""), ask=False)
            except NewsletterError as error:
                return self._page(request, error=error)
            if done.problems:
                return self._page(request, error=done.problems[0][1])
            (compared,) = done.stories
            decided = (("Taken over", compared.taken), ("Yours is kept", compared.kept))
            notes = [f"{what}: {', '.join(map(field_words, names))}." for what, names in decided if names]
            notes = notes or ["Nothing was changed."]
            notes += compared.notes
            return RedirectResponse(f"/inbox/{quote(slug)}/story?said={self._told.keep(notes)}", status_code=303)

        return await run_in_threadpool(run)

    def _page(
        self,
        request: Request,
        *,
        ask: bool = False,
        error: NewsletterError | None = None,
        notes: Sequence[str] = (),
    ) -> Response:
        slug = request.path_params["slug"]
        with open_desk(self._root) as desk:
            try:
                story = show_article(desk, slug)
            except NewsletterError as missing:
                status = status_of(error or missing)
                return self._pages.problem(
                    request, status, what=missing.what, where=None, fix="look for it in the inbox"
                )
            compared, problem = _look(desk, slug, None, ask)
            drafts = [row for row in list_issues(desk) if row.state == "draft"]
        return self._pages.page(
            request,
            "waiting.html.j2",
            status_of(error) if error else 200,
            story=story,
            compared=compared,
            fields=_fields(compared),
            problem=problem if ask else None,
            asked=ask,
            error=error,
            notes=notes,
            drafts=drafts,
        )

    # -- in an issue

    async def compared(self, request: Request) -> Response:
        """A part of a page: what its source is known to have changed, each field with a choice."""
        return await run_in_threadpool(self._piece, request, False)

    async def asked(self, request: Request) -> Response:
        """The same after the source was asked."""
        return await run_in_threadpool(self._piece, request, True)

    def _piece(self, request: Request, ask: bool) -> Response:
        slug, article = request.path_params["slug"], request.path_params["article"]
        try:
            with open_desk(self._root) as desk:
                approved = show_issue(desk, slug).state != "draft"
                compared, problem = _look(desk, article, slug, ask)
        except NewsletterError as error:
            return self._pages.problem(request, status_of(error), what=error.what, where=error.where, fix=error.fix)
        return self._pages.piece(
            "source.html.j2",
            compared=compared,
            fields=_fields(compared),
            problem=problem if ask or compared is None else None,
            asked=ask,
            approved=approved,
        )

    async def taken(self, request: Request) -> Response:
        """Take fields over or keep them, as one change of the story's file that undo takes back."""
        wanted = await read_json(request, Take)
        article = request.path_params["article"]

        def change(desk: Desk, slug: str) -> str:
            done = refresh(
                desk,
                [article],
                issue=slug,
                take=wanted.take,
                keep=["all"],
                seen=wanted.seen,
                expected=wanted.expected,
                ask=False,
            )
            if done.problems:
                raise done.problems[0][1]
            return done.stories[0].sha256

        return await self._writing.write(request, article, wanted.expected, change)


def _look(desk: Desk, slug: str, issue: str | None, ask: bool) -> tuple[Compared | None, NewsletterError | None]:
    """The comparison, or why there is none. Raises NotFound for a story that is not there."""
    try:
        done = refresh(desk, [slug], issue=issue, ask=ask)
    except NotFound:
        raise
    except BadData as error:
        return None, error
    return _only(done.stories), done.problems[0][1] if done.problems else None


def _only(stories: list[Compared]) -> Compared | None:
    return stories[0] if stories else None


Runs = list[tuple[str, str]]


def _fields(compared: Compared | None) -> list[tuple[str, str, str, str, str, Runs, Runs]]:
    """(name, word, change, words about it, imported, the editor's words and the source's against the imported ones)."""
    return [
        (c.name, field_words(c.name), c.change, c.about, c.imported or "", runs_between(c.imported, c.mine),
         runs_between(c.imported, c.now))
        for c in (compared.changes if compared else ())
    ]  # fmt: skip
