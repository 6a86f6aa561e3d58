"""The issues screen: drafts, what is approved and when it goes, what was sent; make one, copy one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import BaseRoute, Route

from newsletter.app.desk import open_desk
from newsletter.app.issues import IssueRow, day_for_new, duplicate_issue, list_issues, new_issue
from newsletter.errors import NewsletterError
from newsletter.web.composer.answers import read_form, status_of
from newsletter.web.composer.pages import Pages

_PAST = ("completed", "cancelled")
_SHOWN = 60
"""So many drafts, and so many of those that are over, are listed at once; the rest on request."""


@dataclass(frozen=True, slots=True)
class Groups:
    """The issues as the screen shows them: what needs work, what will go, what is over."""

    drafts: Sequence[IssueRow]
    ahead: Sequence[IssueRow]
    past: Sequence[IssueRow]


def grouped(rows: Sequence[IssueRow]) -> Groups:
    """The rows by what an editor does with them; what stands next is first, what is over begins with the latest."""
    drafts = [row for row in rows if row.state in ("draft", "broken")]
    past = [row for row in rows if row.state in _PAST]
    ahead = [row for row in rows if row not in drafts and row not in past]
    return Groups(drafts, sorted(ahead, key=lambda row: row.send_at or "9"), past)


class IssuesScreen:
    """The endpoints of the screen."""

    def __init__(self, root: Path, pages: Pages) -> None:
        self._root = root
        self._pages = pages

    def routes(self) -> list[BaseRoute]:
        """Where it is found."""
        return [Route("/", self.show), Route("/issues", self.make, methods=["POST"])]

    async def show(self, request: Request) -> Response:
        """Every issue."""
        return await run_in_threadpool(self._page, request)

    async def make(self, request: Request) -> Response:
        """A new issue, or a copy of one (``of``); then the browser goes there."""
        form = await read_form(request)
        slug = form.get("slug", "").strip() or form.get("date", "").strip()
        try:
            await run_in_threadpool(self._make, slug, form.get("date", "").strip() or None, form.get("of", ""))
        except NewsletterError as error:
            return await run_in_threadpool(self._page, request, error, form)
        return RedirectResponse(f"/issues/{quote(slug)}", status_code=303)

    def _make(self, slug: str, date: str | None, copied: str) -> None:
        with open_desk(self._root) as desk:
            if copied:
                duplicate_issue(desk, copied, slug, date=date)
            else:
                new_issue(desk, slug, date=date)

    def _page(
        self, request: Request, error: NewsletterError | None = None, form: dict[str, str] | None = None
    ) -> Response:
        most = None if request.query_params.get("all") == "1" else _SHOWN
        with open_desk(self._root) as desk:
            rows = list_issues(desk)
            suggested = day_for_new(desk, rows)
        groups = grouped(rows)
        return self._pages.page(
            request,
            "issues.html.j2",
            status_of(error) if error else 200,
            groups=groups,
            drafts=groups.drafts[:most],
            past=groups.past[:most],
            hidden={
                name: len(getattr(groups, name)) - len(getattr(groups, name)[:most]) for name in ("drafts", "past")
            },
            any=bool(rows),
            suggested=suggested.isoformat(),
            error=error,
            asked={name: (form or {}).get(name, "") for name in ("date", "slug", "of")},
        )
