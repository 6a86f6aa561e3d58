"""The inbox screen: stories that wait to be picked; bring one in, pick it, dismiss it."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route

from newsletter.app.articles import InboxRow, list_articles
from newsletter.app.desk import open_desk
from newsletter.web.composer.answers import as_json
from newsletter.web.composer.pages import Pages


def found(rows: Sequence[InboxRow], query: str) -> list[InboxRow]:
    """The rows whose headline or slug has every word of ``query``, in whatever case."""
    words = query.casefold().split()
    return [row for row in rows if all(word in f"{row.headline} {row.slug}".casefold() for word in words)]


class InboxScreen:
    """The endpoints of the inbox."""

    def __init__(self, root: Path, pages: Pages) -> None:
        self._root = root
        self._pages = pages

    def routes(self) -> list[BaseRoute]:
        """Where it is found."""
        return [Route("/inbox.json", as_json(self.rows))]

    async def rows(self, request: Request) -> Response:
        """The inbox, newest first, or what ``?q=`` finds in it."""
        rows = await run_in_threadpool(self._rows, request.query_params.get("q", ""))
        return JSONResponse({"stories": [row.as_row() for row in rows]})

    def _rows(self, query: str) -> list[InboxRow]:
        with open_desk(self._root) as desk:
            return found(list_articles(desk), query)
