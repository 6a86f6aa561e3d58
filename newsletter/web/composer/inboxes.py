"""The inbox screen: stories that wait to be picked; bring in, look for, pick, save for later, dismiss them."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final, get_args
from urllib.parse import quote, urlencode

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import BaseRoute, Route

from newsletter.app.articles import add_article, show_article
from newsletter.app.desk import Desk, open_desk
from newsletter.app.draft import draft_issue
from newsletter.app.inbox import InboxPage, InboxQuery, State, filter_names, list_inbox, send_to_inbox, set_state
from newsletter.app.issues import day_for_new, list_issues, pick_articles
from newsletter.app.sources import sources_in_short
from newsletter.app.words import plural
from newsletter.errors import NewsletterError, UsageProblem
from newsletter.web.composer.answers import read_form, status_of
from newsletter.web.composer.guard import CLIP
from newsletter.web.composer.once import Told
from newsletter.web.composer.pages import Pages

_SHOWN: Final = 100
"""So many stories are listed at once."""
_ADDRESS: Final = re.compile(r"\s*https?://\S+\s*", re.IGNORECASE)
_LONGEST: Final = 2_000
_DEEDS: Final[dict[str, tuple[State, str]]] = {
    "later": ("later", "saved for later"),
    "dismiss": ("dismissed", "dismissed; issues that have it keep it"),
    "back": ("new", "back in the inbox"),
}
"""What a button does to a story: the state it has then, and what the page says."""
_BEFORE: Final = {state: deed for deed, (state, _) in _DEEDS.items()}
_ASKED: Final = ("view", "q", "source", "section", "since", "from", "used")


def bookmarklet(base: str) -> str:
    """The address of a bookmark that opens our page about the one that the editor looks at."""
    return (
        f"javascript:void(open('{base}{CLIP}?url='+encodeURIComponent(location.href)+'&title='+"
        "encodeURIComponent(document.title)+'&words='+encodeURIComponent(getSelection())))"
    )


@dataclass(frozen=True, slots=True)
class Done:
    """What a form did: lines for the editor, the ``issue`` it was done to, and the stories that one button can put back
    by which deed.
    """

    notes: Sequence[str] = ()
    stories: Sequence[str] = ()
    undo: str = ""
    issue: str = ""


class InboxScreen:
    """The endpoints of the inbox. What is looked for stands in the address of each, so that it stays."""

    def __init__(self, root: Path, pages: Pages) -> None:
        self._root = root
        self._pages = pages
        self._told: Told[Done] = Told()

    def routes(self) -> list[BaseRoute]:
        """Where it is found."""
        return [
            Route("/inbox", self.show, methods=["GET"]),
            Route("/inbox", self.add, methods=["POST"]),
            Route("/inbox/picks", self.picks),
            Route(CLIP, self.clip),
            Route("/inbox/several", self.several, methods=["POST"]),
            Route("/inbox/draft", self.draft, methods=["POST"]),
            *(Route(f"/inbox/{{slug}}/{deed}", self._one(deed), methods=["POST"]) for deed in _DEEDS),
            Route("/inbox/{slug}/pick", self.pick, methods=["POST"]),
        ]

    async def picks(self, request: Request) -> Response:
        """What is new or saved for later to pick from, newest first, or what ``?q=`` finds in it: a piece.

        A story that ``?issue=`` has already is not to be picked again.
        """
        query, issue = request.query_params.get("q", ""), request.query_params.get("issue", "")

        def work() -> Response:
            with open_desk(self._root) as desk:
                page = list_inbox(desk, InboxQuery(search=query, states=("new", "later"), limit=_SHOWN))
            return self._pages.piece(
                "picks.html.j2", rows=page.rows, more=page.next is not None, query=query, issue=issue
            )

        return await run_in_threadpool(work)

    async def show(self, request: Request) -> Response:
        """The page."""
        done = self._told.said(request.query_params.get("said", ""))
        form = {"issue": done.issue} if done else None
        return await run_in_threadpool(lambda: self._page(request, done=done, form=form))

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

        def work(desk: Desk) -> Done:
            if not text.strip():
                raise UsageProblem("there is nothing to bring in", fix="paste an address, or the text of a story")
            if _ADDRESS.fullmatch(text):
                added = send_to_inbox(desk, text.strip(), form.get("title"), form.get("words"))
            else:
                added = add_article(desk, None, text.replace("\r\n", "\n").encode())
            what = "It is in the inbox already" if added.already else "Now in the inbox"
            return Done([f"{what}: {added.article.headline}", *added.notes])

        return await self._done(request, work, form)

    def _one(self, deed: str) -> Callable[[Request], object]:
        """Do one thing to one story."""

        async def endpoint(request: Request) -> Response:
            return await self._done(request, lambda desk: _moved(desk, request, deed, [request.path_params["slug"]]))

        return endpoint

    async def several(self, request: Request) -> Response:
        """``do`` one thing to every story that is ticked (``s.SLUG``): all of them or none."""
        form = await read_form(request, most=_SHOWN + 50)
        slugs = [name[2:] for name in form if name.startswith("s.")]
        deed, issue = form.get("do", ""), form.get("issue", "")

        def work(desk: Desk) -> Done:
            if not slugs:
                raise UsageProblem("no story is ticked", fix="tick the stories first")
            if deed == "pick":
                return _picked(desk, issue, slugs)
            return _moved(desk, request, deed, slugs)

        return await self._done(request, work, {"issue": issue})

    async def pick(self, request: Request) -> Response:
        """Put a story into an ``issue``, where it fits."""
        form = await read_form(request, most=_SHOWN + 50)
        slug, issue = request.path_params["slug"], form.get("issue", "")
        return await self._done(request, lambda desk: _picked(desk, issue, [slug]), {"issue": issue})

    async def draft(self, request: Request) -> Response:
        """Propose a whole issue from the inbox; then the browser goes there. An empty one is not made."""
        form = {name: value.strip() for name, value in (await read_form(request)).items()}
        date = form.get("date", "")
        slug = form.get("slug", "") or date

        def run() -> Response:
            try:
                with open_desk(self._root) as desk:
                    since = None if form.get("all") else "last"
                    draft_issue(desk, slug, date=date or None, since=since, empty=False)
            except NewsletterError as error:
                return self._page(request, error=error, form={**form, "draft": "yes"})
            return RedirectResponse(f"/issues/{quote(slug)}", status_code=303)

        return await run_in_threadpool(run)

    async def _done(
        self, request: Request, work: Callable[[Desk], Done], form: dict[str, str] | None = None
    ) -> Response:  # fmt: skip
        form = form or {}

        def run() -> Response:
            try:
                with open_desk(self._root) as desk:
                    done = work(desk)
            except NewsletterError as error:
                return self._page(request, error=error, form=form)
            token = self._told.keep(replace(done, issue=form.get("issue", "")))
            return RedirectResponse(f"/inbox{_address({**_asked(request), 'said': token})}", status_code=303)

        return await run_in_threadpool(run)

    def _page(
        self,
        request: Request,
        *,
        done: Done | None = None,
        error: NewsletterError | None = None,
        form: dict[str, str] | None = None,
    ) -> Response:
        asked = _asked(request)
        tried = {name: (form or {}).get(name, "") for name in ("story", "issue", "date", "slug", "all", "draft")}
        wrong: NewsletterError | None = None
        with open_desk(self._root) as desk:
            try:
                page = list_inbox(desk, query_of(request))
            except NewsletterError as problem:
                # What is looked for cannot be: the counts are true all the same.
                wrong, page = problem, replace(list_inbox(desk, InboxQuery(limit=1)), rows=(), next=None)
            issues = list_issues(desk)
            names, sources = filter_names(desk), sources_in_short(desk)
            suggested = day_for_new(desk, issues)
        return self._pages.page(
            request,
            "inbox.html.j2",
            status_of(error or wrong) if error or wrong else 200,  # type: ignore[arg-type]  # one of them is there
            page=page,
            views=_views(page),
            asked=asked,
            filtered=any(asked[name] for name in _ASKED if name != "view"),
            narrowed=any(asked[name] for name in _ASKED if name not in ("view", "q")),
            here_again=_address(asked),
            older=_address({**asked, "after": str(page.next or "")}),
            paged="after" in request.query_params,
            sources=names[0],
            sections=names[1],
            watched=sources,
            drafts=[row for row in issues if row.state == "draft"],
            suggested=suggested.isoformat(),
            done=done or Done(),
            error=error or wrong,
            tried=tried,
            bookmarklet=bookmarklet(
                f"http{'s' if request.scope.get('newsletter.https') else ''}://{request.headers['host']}"
            ),
        )


def _asked(request: Request) -> dict[str, str]:
    """What is looked for, as the address says it."""
    return {name: request.query_params.get(name, "").strip() for name in _ASKED} | {"view": view_of(request)}


def view_of(request: Request) -> State:
    """Which stories are looked at."""
    asked = request.query_params.get("view", "")
    return next((state for state in get_args(State) if state == asked), "new")


def query_of(request: Request) -> InboxQuery:
    """What the address asks for."""
    asked = request.query_params
    after = asked.get("after", "")
    used = {"yes": True, "no": False}.get(asked.get("used", ""))
    return InboxQuery(
        search=asked.get("q", ""),
        source=asked.get("source") or None,
        section=asked.get("section") or None,
        since=asked.get("from", "").strip() or asked.get("since", "").strip() or None,
        used=used,
        states=(view_of(request),),
        limit=_SHOWN,
        after=int(after) if re.fullmatch(r"[0-9]{1,18}", after, re.ASCII) else None,
        doubts=True,
    )


def _views(page: InboxPage) -> list[tuple[str, str, str]]:
    """(state, word, number) of each view."""
    words = {"new": "New", "later": "Later", "dismissed": "Dismissed"}
    return [(state, words[state], f"{page.counts[state]:,}") for state in get_args(State)]


def _address(asked: dict[str, str]) -> str:
    """The part of an address that asks for this, from its question mark."""
    return f"?{urlencode({name: value for name, value in asked.items() if value}, errors='surrogatepass')}"


def _picked(desk: Desk, issue: str, slugs: Sequence[str]) -> Done:
    """Pick stories; each is named by its headline, which is what an editor knows it by."""
    notes = pick_articles(desk, issue, slugs).notes
    for slug in slugs:
        before, name = f"{slug}: ", f"{_headline(desk, slug)}: "
        notes = [name + note.removeprefix(before) if note.startswith(before) else note for note in notes]
    return Done(notes)


def _headline(desk: Desk, slug: str) -> str:
    return f"“{show_article(desk, slug).headline}”"


def _moved(desk: Desk, request: Request, deed: str, slugs: Sequence[str]) -> Done:
    if deed not in _DEEDS:
        raise UsageProblem("it is not known what to do with them", fix="press one of the buttons")
    state, words = _DEEDS[deed]
    set_state(desk, slugs, state)
    what = _headline(desk, slugs[0]) if len(slugs) == 1 else plural(len(slugs), "story", "stories")
    return Done([f"{what}: {words}."], slugs, _BEFORE[view_of(request)] if view_of(request) != state else "")
