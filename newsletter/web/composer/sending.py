"""The Send screen of an issue: what is still missing, the test, the approval with its time, and what becomes of it.

The composer sends nothing to readers. It approves and schedules; ``newsletter run-due`` sends, in a process of its own
that no closed browser and no restart of the composer can cut off.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Final
from urllib.parse import quote

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, RedirectResponse, Response
from starlette.routing import BaseRoute, Route

from newsletter.app import mailings, readiness
from newsletter.app.approve import approve_issue, unapprove_issue
from newsletter.app.composing import file_of
from newsletter.app.corrections import correct_issue
from newsletter.app.desk import Desk, open_desk
from newsletter.app.issues import list_issues
from newsletter.app.retract import restore_story, retract_story
from newsletter.app.testmail import send_test
from newsletter.app.words import plural
from newsletter.errors import NewsletterError, NotFound, UsageProblem
from newsletter.web.composer.access import Visitor, visitor_of
from newsletter.web.composer.answers import as_json, read_form, status_of
from newsletter.web.composer.once import Done, Once
from newsletter.web.composer.pages import Pages

Form = Mapping[str, str]
_WINDOW: Final = 60.0
"""Seconds over which the pace is measured."""
_LONGEST: Final = 500
_FIELDS: Final = ("to", "when", "date", "time", "name", "note", "article")
"""What a form that was refused shows again."""
_SHOWN: Final = 200
"""So many uncertain deliveries are listed; all of them are settled at once all the same."""


class Pace:
    """How fast mailings go, from what the pages that look at them saw."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._seen: dict[str, deque[tuple[float, int]]] = {}

    def words(self, issue: str, done: int, total: int) -> str:
        """``12 a second, about 3 minutes left``; empty while nothing can be said."""
        now = self._clock()
        seen = self._seen.setdefault(issue, deque(maxlen=600))
        if seen and seen[-1][1] > done:
            seen.clear()
        seen.append((now, done))
        while now - seen[0][0] > _WINDOW:
            seen.popleft()
        since, before = seen[0]
        if done <= before or now - since < 1:
            return ""
        rate = (done - before) / (now - since)
        each = f"{rate:,.0f} a second" if rate >= 2 else f"{rate * 60:,.0f} a minute"
        return f"{each}, {_left((total - done) / rate)}"


def _left(seconds: float) -> str:
    if seconds < 90:
        return "less than two minutes left"
    minutes = round(seconds / 60)
    return f"about {minutes} minutes left" if minutes < 90 else f"about {minutes / 60:.1f} hours left"


class Sending:
    """The endpoints of the screen."""

    def __init__(self, root: Path, pages: Pages) -> None:
        self._root = root
        self._pages = pages
        self._once = Once()
        self._pace = Pace()
        self._acts: Mapping[str, Callable[[Desk, str, Form, Visitor], Done]] = {
            "test": _test,
            "approve": _approve,
            "unapprove": lambda desk, slug, _form, _who: Done([unapprove_issue(desk, slug)]),
            "pause": lambda desk, slug, _form, _who: Done([mailings.pause_mailing(desk, slug)]),
            "resume": lambda desk, slug, _form, _who: Done([mailings.resume_mailing(desk, slug)]),
            "cancel": lambda desk, slug, _form, _who: Done([mailings.cancel_mailing(desk, slug)]),
            "settle": _settle,
            "retract": _retract,
            "correct": _correct,
        }

    def routes(self) -> list[BaseRoute]:
        """Where it is found. Every act is a form that is posted to ``…/send/ACT``."""
        return [
            Route("/issues/{slug}/send", self.show, methods=["GET"]),
            Route("/issues/{slug}/send/audience", as_json(self.audience)),
            Route("/issues/{slug}/send/moment", as_json(self.moment)),
            Route("/issues/{slug}/send/now", as_json(self.now)),
            *(
                Route(f"/issues/{{slug}}/send/{act}", self._acting(act), methods=["POST"], name=f"send-{act}")
                for act in self._acts
            ),
        ]

    # -- what is read

    async def show(self, request: Request) -> Response:
        """The page."""
        done = self._once.said(request.query_params.get("said", ""))
        return await run_in_threadpool(self._page, request, done)

    async def audience(self, request: Request) -> Response:
        """How many readers get it, and why others do not. It is counted anew each time, and a million take a while."""
        slug = request.path_params["slug"]

        def work() -> dict[str, Any]:
            with open_desk(self._root) as desk:
                _known(desk, slug)
                found = readiness.audience_preview(desk, slug)
            _, *more = found.lines()
            return {
                "count": found.planned.pending,
                "words": plural(found.planned.pending, "reader"),
                "lines": [line.strip() for line in more],
            }

        return JSONResponse(await run_in_threadpool(work))

    async def moment(self, request: Request) -> Response:
        """A date and a time in words; what is past or none is an answer too (``wrong``): editors try times."""
        asked = request.query_params

        def work() -> dict[str, Any]:
            with open_desk(self._root) as desk:
                try:
                    return readiness.moment(desk, asked.get("date", ""), asked.get("time", "")).as_row()
                except UsageProblem as error:
                    return {"wrong": error.what}

        return JSONResponse(await run_in_threadpool(work))

    async def now(self, request: Request) -> Response:
        """How far it is."""
        slug = request.path_params["slug"]

        def work() -> dict[str, Any]:
            with open_desk(self._root) as desk:
                _known(desk, slug)
                return self._moving(readiness.going(desk, slug))

        return JSONResponse(await run_in_threadpool(work))

    def _moving(self, going: readiness.Going) -> dict[str, Any]:
        state = going.status.state
        moves = state in {"sending", "planning"}
        return {
            "key": going.key,
            "state": state,
            "live": moves,
            "sentence": going.status.status.why if state == "held" else going.status.sentence,
            "pace": self._pace.words(going.status.issue, going.done, going.total) if state == "sending" else "",
            "at": going.at or "",
            "done": going.done,
            "total": going.total,
            "told": list(going.told),
            "trouble": going.trouble or "",
        }

    # -- what is done

    def _acting(self, act: str) -> Callable[[Request], Any]:
        async def endpoint(request: Request) -> Response:
            try:
                form = await read_form(request)
            except UsageProblem as error:
                return await run_in_threadpool(self._page, request, Done(error=error))
            return await run_in_threadpool(self._act, request, act, form)

        return endpoint

    def _act(self, request: Request, act: str, form: Form) -> Response:
        slug, visitor = request.path_params["slug"], visitor_of(request)
        token = form.get("token", "")

        def work() -> Done:
            with open_desk(self._root) as desk:
                _known(desk, slug)
                return self._acts[act](desk, slug, form, visitor)

        try:
            done = self._once.do(token, work)
        except NewsletterError as error:
            done = Done(error=error)
        if done.error is not None:
            return self._page(request, done, form)
        address = done.onward or f"/issues/{quote(slug)}/send?said={quote(token)}"
        return RedirectResponse(address, status_code=303)

    # -- the page

    def _page(self, request: Request, done: Done | None, form: Form | None = None) -> Response:
        slug = request.path_params["slug"]
        visitor = visitor_of(request)
        ready = error = None
        values: dict[str, Any] = {"empty": False}
        try:
            with open_desk(self._root) as desk:
                _known(desk, slug)
                going = readiness.going(desk, slug)
                draft = going.status.state in {"draft", "cancelled"} and not going.status.status.approved
                if draft:
                    try:
                        ready = readiness.look(desk, slug)
                    except NewsletterError as problem:
                        error = problem
                        rows = (row for row in list_issues(desk) if row.slug == slug)
                        values["empty"] = any(not row.stories and not row.problem for row in rows)
                else:
                    values = self._after(desk, slug, going, visitor)
                values["mine"] = visitor.name or desk.actor
                values["zone"] = desk.config.publication.timezone
                values["provider"] = desk.config.provider.name
                values["receivers"] = ", ".join(desk.config.test.to)
        except NewsletterError as problem:
            return self._pages.problem(
                request, status_of(problem), what=problem.what, where=problem.where, fix=problem.fix
            )
        failed = done.error if done is not None else None
        return self._pages.page(
            request,
            "send.html.j2",
            status_of(failed) if failed else 200,
            slug=slug,
            draft=draft,
            going=going,
            now=self._moving(going),
            ready=ready,
            unbuilt=error,
            done=done,
            failed=failed,
            typed={name: (form or {}).get(name, "") for name in _FIELDS},
            token=Once.token,
            **values,
        )

    def _after(self, desk: Desk, slug: str, going: readiness.Going, visitor: Visitor) -> dict[str, Any]:
        """What only an issue has that is approved or was sent."""
        rows = mailings.reconcile_mailing(desk, slug, went_out=(), again=()).uncertain if going.uncertain else []
        return {
            "uncertain": [row.address for row in rows[:_SHOWN]] if visitor.may("audience") else [],
            "stories": readiness.stories_of(desk, slug),
        }


def _known(desk: Desk, slug: str) -> None:
    if not file_of(desk, slug, None).is_file():
        raise NotFound(f"there is no issue {slug!r}", where="issues", fix="choose one from the issues")


def _test(desk: Desk, slug: str, form: Form, _: Visitor) -> Done:
    asked = [one for one in form.get("to", "").replace(";", ",").replace("\n", ",").split(",") if one.strip()]
    sent = send_test(desk, slug, asked)
    return Done([f"Test {sent.sent.number} is sent.", *(line.strip() for line in sent.lines())])


def _approve(desk: Desk, slug: str, form: Form, visitor: Visitor) -> Done:
    if not form.get("counted", "").isdecimal():
        raise UsageProblem("the readers were not counted yet", fix="wait for their number, then approve")
    if not form.get("seen"):
        raise UsageProblem("the form does not say what was looked at", fix="open the page again, and look at it")
    when = form.get("when", "")
    if when == "at":
        send_at: str | None = f"{form.get('date', '').strip()} {form.get('time', '').strip()[:5]}"
    elif when in ("now", "none"):
        send_at = "now" if when == "now" else None
    else:
        raise UsageProblem("the form does not say when it goes out", fix="choose a time, or none")
    # Who signed in approves in their own name; this machine's user says whose it is.
    name = visitor.name or " ".join(form.get("name", "").split())[:_LONGEST] or None
    note = " ".join(form.get("note", "").split())[:_LONGEST] or None
    approved = approve_issue(desk, slug, send_at=send_at, approver=name, note=note, seen=form["seen"])
    return Done([line.strip() for line in approved.lines() if "newsletter unapprove" not in line])


def _settle(desk: Desk, slug: str, form: Form, _: Visitor) -> Done:
    word, number = form.get("word", ""), form.get("number", "")
    if word not in ("went-out", "send-again"):
        raise UsageProblem("the form does not say what became of them", fix="choose one of the two answers")
    rows = mailings.reconcile_mailing(desk, slug, went_out=(), again=()).uncertain
    if number != str(len(rows)):
        raise UsageProblem(
            f"{len(rows):,} deliveries are uncertain now, and you were asked about another number",
            fix="look at them again",
        )
    # By address, and not all: what becomes uncertain in this moment nobody was asked about.
    chosen = [row.address for row in rows]
    out, again = (chosen, ()) if word == "went-out" else ((), chosen)
    found = mailings.reconcile_mailing(desk, slug, went_out=out, again=again)
    became = "counted as submitted" if word == "went-out" else "sent again by the next newsletter run-due"
    return Done([f"{plural(found.settled, 'delivery', 'deliveries')} settled: {became}."])


def _retract(desk: Desk, slug: str, form: Form, _: Visitor) -> Done:
    article = form.get("article", "")
    if form.get("back"):
        return Done([line.strip() for line in restore_story(desk, slug, article).lines()])
    return Done([line.strip() for line in retract_story(desk, slug, article, reason=form.get("reason")).lines()])


def _correct(desk: Desk, slug: str, _form: Form, _who: Visitor) -> Done:
    return Done(onward=f"/issues/{quote(correct_issue(desk, slug).slug)}")
