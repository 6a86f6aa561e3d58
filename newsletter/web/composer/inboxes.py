"""The inbox screen: stories that wait to be picked; bring one in, pick it, dismiss it."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Final

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from newsletter.app.articles import add_article
from newsletter.app.desk import Desk, open_desk
from newsletter.app.inbox import InboxQuery, list_inbox, send_to_inbox, set_state
from newsletter.app.issues import list_issues, pick_articles
from newsletter.errors import NewsletterError, UsageProblem
from newsletter.web.composer.answers import read_form, status_of
from newsletter.web.composer.guard import CLIP
from newsletter.web.composer.pages import Pages

_SHOWN: Final = 100
"""So many stories are listed at once; the search finds the rest."""
_ADDRESS: Final = re.compile(r"\s*https?://\S+\s*", re.IGNORECASE)
_LONGEST: Final = 2_000


def bookmarklet(base: str) -> str:
    """The address of a bookmark that opens our page about the one that the editor looks at."""
    return (
        f"javascript:void(open('{base}{CLIP}?url='+encodeURIComponent(location.href)+'&title='+"
        "encodeURIComponent(document.title)+'&words='+encodeURIComponent(getSelection())))"
    )


class InboxScreen:
    """The endpoints of the inbox."""

    def __init__(self, root: Path, pages: Pages) -> None:
        self._root = root
        self._pages = pages

    def routes(self) -> list[BaseRoute]:
        """Where it is found."""
        return [
            Route("/inbox", self.show, methods=["GET"]),
            Route("/inbox", self.add, methods=["POST"]),
            Route("/inbox/picks", self.picks),
            Route(CLIP, self.clip),
            Route("/inbox/{slug}/dismiss", self.dismiss, methods=["POST"]),
            Route("/inbox/{slug}/pick", self.pick, methods=["POST"]),
        ]

    async def picks(self, request: Request) -> Response:
        """The inbox as a list to pick from, newest first, or what ``?q=`` finds in it: a part of a page."""
        query = request.query_params.get("q", "")

        def work() -> Response:
            with open_desk(self._root) as desk:
                page = list_inbox(desk, InboxQuery(search=query, limit=_SHOWN))
            return self._pages.piece("picks.html.j2", rows=page.rows, more=page.next is not None, query=query)

        return await run_in_threadpool(work)

    async def show(self, request: Request) -> Response:
        """The page."""
        return await run_in_threadpool(self._page, request)

    async def clip(self, request: Request) -> Response:
        """What the bookmarklet opens. It comes from another site, so nothing is done before a button is pressed."""
        said = {name: request.query_params.get(name, "")[:_LONGEST] for name in ("url", "title", "words")}
        usable = _ADDRESS.fullmatch(said["url"]) is not None
        return await run_in_threadpool(
            lambda: self._pages.page(request, "clip.html.j2", 200 if usable else 400, said=said, usable=usable)
        )

    async def add(self, request: Request) -> Response:
        """Bring in a story: ``story`` is an address or a text, ``title`` and ``words`` come from the bookmarklet."""
        form = await read_form(request)
        text = form.get("story", "")

        def work(desk: Desk) -> list[str]:
            if not text.strip():
                raise UsageProblem("there is nothing to bring in", fix="paste an address, or the text of a story")
            if _ADDRESS.fullmatch(text):
                added = send_to_inbox(desk, text.strip(), form.get("title"), form.get("words"))
            else:
                added = add_article(desk, None, text.replace("\r\n", "\n").encode())
            what = "It is in the inbox already" if added.already else "Now in the inbox"
            return [f"{what}: {added.article.headline}", *added.notes]

        return await self._done(request, work, form)

    async def dismiss(self, request: Request) -> Response:
        """Take a story out of the inbox."""
        slug = request.path_params["slug"]

        def work(desk: Desk) -> list[str]:
            set_state(desk, [slug], "dismissed")
            return [f"{slug} is dismissed; issues that have it keep it."]

        return await self._done(request, work, {})

    async def pick(self, request: Request) -> Response:
        """Put a story into an ``issue``, where it fits."""
        form = await read_form(request)
        slug, issue = request.path_params["slug"], form.get("issue", "")
        return await self._done(request, lambda desk: pick_articles(desk, issue, [slug]), {"issue": issue})

    async def _done(self, request: Request, work: Callable[[Desk], list[str]], form: dict[str, str]) -> Response:
        def run() -> Response:
            try:
                with open_desk(self._root) as desk:
                    notes = work(desk)
            except NewsletterError as error:
                return self._page(request, error=error, form=form)
            return self._page(request, notes=notes, form={"issue": form.get("issue", "")})

        return await run_in_threadpool(run)

    def _page(
        self,
        request: Request,
        *,
        notes: Sequence[str] = (),
        error: NewsletterError | None = None,
        form: dict[str, Any] | None = None,
    ) -> Response:
        query = request.query_params.get("q", "")
        with open_desk(self._root) as desk:
            page = list_inbox(desk, InboxQuery(search=query, limit=_SHOWN))
            drafts = [row for row in list_issues(desk) if row.state == "draft"]
        return self._pages.page(
            request,
            "inbox.html.j2",
            status_of(error) if error else 200,
            rows=page.rows,
            more=page.next is not None,
            total=page.counts["new"],
            query=query,
            drafts=drafts,
            notes=notes,
            error=error,
            story=(form or {}).get("story", "") if error else "",
            into=(form or {}).get("issue", ""),
            bookmarklet=bookmarklet(
                f"http{'s' if request.scope.get('newsletter.https') else ''}://{request.headers['host']}"
            ),
        )
