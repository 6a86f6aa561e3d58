"""The composer's screen and all that it reads: the issue as forms, the mail, what is known about it, and the news."""

from __future__ import annotations

from collections import Counter
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import asdict
from json import dumps
from typing import Any
from urllib.parse import quote

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response, StreamingResponse
from starlette.routing import BaseRoute, Route

from newsletter.app.clients import LABEL, known_clients
from newsletter.app.composing import finding_rows, text_state
from newsletter.app.desk import open_desk
from newsletter.app.forms import issue_form
from newsletter.app.issues import changed_stories
from newsletter.app.preview import Preview
from newsletter.app.sponsors import offers
from newsletter.app.words import plural, runs_between
from newsletter.errors import NewsletterError, NotFound, UsageProblem
from newsletter.models import LAYOUTS
from newsletter.web import mailview
from newsletter.web.composer.answers import Handler, as_json, read_json, status_of
from newsletter.web.composer.pages import Pages, field_words
from newsletter.web.composer.rooms import Room, Rooms


class Looking:
    """What is read of an issue."""

    def __init__(self, rooms: Rooms, pages: Pages) -> None:
        self._rooms = rooms
        self._pages = pages

    def routes(self) -> list[BaseRoute]:
        """Where it is found."""
        return [
            Route("/issues/{slug}", self.screen),
            Route("/issues/{slug}/state", as_json(self.state)),
            Route("/issues/{slug}/sponsors", self._as_piece(self.sponsors)),
            Route("/issues/{slug}/findings", self._as_piece(self.findings)),
            Route("/issues/{slug}/difference", self._as_piece(self.difference), methods=["POST"]),
            Route("/issues/{slug}/mail", as_json(self.mail)),
            Route("/issues/{slug}/news", as_json(self.news)),
            Route("/issues/{slug}/mail.html", self._of_mail(self._html)),
            Route("/issues/{slug}/mail.txt", self._of_mail(mailview.mail_text)),
            Route("/issues/{slug}/taken", self._of_mail(self._taken)),
            Route("/issues/{slug}/media/{name}", self._of_mail(mailview.picture)),
        ]

    def _room(self, request: Request) -> Room:
        return self._rooms.of(request.path_params["slug"])

    async def screen(self, request: Request) -> Response:
        """The page; its script fetches the rest."""
        slug = request.path_params["slug"]
        try:
            room = self._room(request)
        except NewsletterError as error:
            return self._pages.problem(request, status_of(error), what=error.what, where=error.where, fix=error.fix)
        room.open()
        return self._pages.page(
            request, "compose.html.j2", slug=slug, clients=known_clients(), label=LABEL, layouts=LAYOUTS
        )

    async def state(self, request: Request) -> Response:
        """The files as forms."""
        room, slug = self._room(request), request.path_params["slug"]

        def read() -> dict[str, object]:
            with open_desk(self._rooms.root) as desk:
                changed = {
                    name: [field_words(field).lower() for field in fields]
                    for name, fields in changed_stories(desk, slug).items()
                }
                return {**issue_form(desk, slug).as_row(), "changed": changed}

        form = await run_in_threadpool(read)
        return JSONResponse({**form, "files": room.news.files})

    def _as_piece(self, handler: Handler) -> Handler:
        """An endpoint that answers with a part of a page; its errors are pages."""

        async def endpoint(request: Request) -> Response:
            try:
                return await handler(request)
            except NewsletterError as error:
                return self._pages.problem(request, status_of(error), what=error.what, where=error.where, fix=error.fix)

        return endpoint

    async def sponsors(self, request: Request) -> Response:
        """The creatives for the issue's places: who is booked, approved, and booked twice."""
        slug = request.path_params["slug"]

        def read() -> Response:
            with open_desk(self._rooms.root) as desk:
                return self._pages.piece("sponsors.html.j2", offers=offers(desk, slug))

        return await run_in_threadpool(read)

    async def findings(self, request: Request) -> Response:
        """What the checks found in the newest mail, as a list."""
        room = self._room(request)
        await room.built()
        rows = _findings_of(room.preview) if room.preview else []
        return await run_in_threadpool(self._pages.piece, "findings.html.j2", findings=rows)

    async def difference(self, request: Request) -> Response:
        """Pairs of texts as [label, mine, theirs], with what is different in them marked."""
        self._room(request)
        pairs = await read_json(request, list[tuple[str, str, str]])

        def compared() -> Response:
            texts = [(label, runs_between(theirs, mine)) for label, mine, theirs in pairs]
            return self._pages.piece("difference.html.j2", texts=texts)

        return await run_in_threadpool(compared)

    async def mail(self, request: Request) -> Response:
        """What stands around the mail: subject, inbox lines, sizes, findings, or the error."""
        room, slug = self._room(request), request.path_params["slug"]
        await room.built()
        preview, error, news = room.preview, room.error, room.news

        def describe() -> dict[str, object]:
            reader = mailview.reader_of(request)
            said = mailview.mail_state(
                preview, error, version=news.mail, slug=slug, root=self._rooms.root, reader=reader
            )
            if preview is None:
                return said
            email = preview.rendered.email
            rows = _findings_of(preview)
            said["mail"]["findings"] = rows if news.checked else None
            said["mail"]["found"], said["mail"]["heavy"] = _summed(rows)
            said["mail"]["checked"] = news.checked == news.mail
            said["mail"]["text"] = text_state(preview)
            said["mail"]["sizes"] = email.sizes
            said["mail"]["pictures"] = {image.article: image.name for image in email.images if image.article}
            return said

        return JSONResponse(await run_in_threadpool(describe))

    def _html(self, request: Request, preview: Preview) -> Response:
        return mailview.mail_html(request, preview, f"/issues/{quote(request.path_params['slug'])}/media/")

    def _taken(self, request: Request, preview: Preview) -> Response:
        """What ``?client=`` takes away, as a list."""
        reader = mailview.known(preview, mailview.reader_of(request))
        return self._pages.piece("taken.html.j2", gone=preview.taken_by(request.query_params.get("client", ""), reader))

    def _of_mail(self, answer: Callable[[Request, Preview], Response]) -> Handler:
        async def endpoint(request: Request) -> Response:
            room = self._room(request)
            await room.built()
            if room.preview is None:
                return PlainTextResponse("No mail could be built yet.", status_code=503)
            try:
                return await run_in_threadpool(answer, request, room.preview)
            except (NotFound, UsageProblem) as error:
                return PlainTextResponse(str(error), status_code=404)

        return endpoint

    async def news(self, request: Request) -> Response:
        """An event for every new mail, for its findings, and for files that somebody else wrote."""
        room = self._room(request)
        room.open()

        async def stream() -> AsyncIterator[str]:
            yield "retry: 1000\n\n"
            async for news in room.stream():
                yield f"data: {dumps(asdict(news))}\n\n"

        return StreamingResponse(stream(), media_type="text/event-stream")


def _findings_of(preview: Preview) -> list[dict[str, Any]]:
    """The findings as rows, each with the ``name`` of the story that it is about."""
    names = {article.slug: article.headline for article in preview.rendered.issue.articles()}
    return [{**row, "name": names.get(row["article"], row["article"])} for row in finding_rows(preview.findings)]


def _summed(rows: Sequence[dict[str, Any]]) -> tuple[str, int]:
    """How many there are, in words, and how many ask for something to be done."""
    kinds = Counter("waived" if row["waived"] else row["severity"] for row in rows)
    said = [
        plural(kinds[name], word)
        for name, word in (("error", "error"), ("warning", "warning"), ("info", "note"))
        if kinds[name]
    ]
    said += [f"{kinds['waived']} waived"] if kinds["waived"] else []
    return ", ".join(said) or "Nothing to object to.", kinds["error"] + kinds["warning"]
