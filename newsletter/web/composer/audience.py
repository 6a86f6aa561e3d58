"""The audience screen: find readers, add one, see what is known of one, let one go.

An address is never part of a URL: those are kept in histories and logs. What is searched for comes in a form's body,
and a reader is named by the public id.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator, Sequence
from io import TextIOWrapper
from pathlib import Path
from typing import IO, Any, Final

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response, StreamingResponse
from starlette.routing import BaseRoute, Route

from newsletter.app.audience import (
    add_reader,
    erase_reader,
    export_readers,
    suppress_address,
    unsubscribe_reader,
)
from newsletter.app.desk import Desk, open_desk
from newsletter.app.readers import EVERYBODY, ReaderPage, ReaderRow, list_readers, said_in_words, segments, show_reader
from newsletter.errors import BadData, NewsletterError, NotFound, UsageProblem
from newsletter.web.composer.answers import Handler, read_form, status_of
from newsletter.web.composer.pages import Pages

BASES: Final = ("signed up on our site", "signed up on paper", "asked by mail", "is a customer", "asked in person")
"""Offered as the reason why a reader may be written to; any other words will do."""
STATES: Final = ("subscribed", "unsubscribed", "suppressed", "erased")
_SHOWN: Final = 50
_OFFERED: Final = 20
_CHUNK: Final = 64 * 1024
_PAST: Final = {"unsubscribe": "unsubscribed", "suppress": "suppressed", "erase": "erased"}
_TRIED: Final = ("form", "address", "basis", "reason")
_DID: Final = {
    "added": "In the audience.",
    "unsubscribed": "Unsubscribed. No issue goes to this reader any more, not even one that is being sent.",
    "suppressed": "Suppressed. Nothing is mailed to this address any more.",
    "erased": "Erased. Name, address and attributes are gone from everywhere here.",
}


class AudienceScreen:
    """The endpoints of the screen."""

    def __init__(self, root: Path, pages: Pages) -> None:
        self._root = root
        self._pages = pages

    def routes(self) -> list[BaseRoute]:
        """Where it is found."""
        return [
            Route("/audience", self.show, methods=["GET"]),
            Route("/audience", self.find, methods=["POST"]),
            Route("/audience/names", self.names, methods=["POST"]),
            Route("/audience/add", self.add, methods=["POST"]),
            Route("/audience/suppress", self.bar, methods=["POST"]),
            Route("/audience/export", self.export, methods=["POST"]),
            Route("/audience/{reader}", self.reader, methods=["GET"]),
            *(Route(f"/audience/{{reader}}/{deed}", self._act(deed), methods=["POST"]) for deed in _PAST),
        ]

    async def show(self, request: Request) -> Response:
        """Everybody."""
        return await run_in_threadpool(self._page, request, {})

    async def find(self, request: Request) -> Response:
        """What the search form asks for, as a page."""
        return await run_in_threadpool(self._page, request, await read_form(request))

    async def names(self, request: Request) -> Response:
        """The first readers that have what was typed, to choose one of: at most ``_OFFERED``, and none for nothing."""
        typed = (await read_form(request)).get("q", "").strip()

        def find() -> Sequence[ReaderRow]:
            with open_desk(self._root) as desk:
                return list_readers(desk, search=typed, state="subscribed", limit=_OFFERED).rows if typed else ()

        return self._pages.piece("names.html.j2", rows=await run_in_threadpool(find))

    async def add(self, request: Request) -> Response:
        """A new reader; then the browser goes to the page of that one."""
        form = await read_form(request)

        def work(desk: Desk) -> str:
            basis = form.get("basis", "").strip()
            if not basis:
                raise UsageProblem("nobody is added without a reason", fix="say why you may write to this reader")
            given = {name.removeprefix("is."): value for name, value in form.items() if name.startswith("is.")}
            add_reader(desk, form.get("address", ""), given, basis=basis)
            return show_reader(desk, form.get("address", "")).reader.public_id

        return await self._done(request, form, "add", work, "added")

    async def bar(self, request: Request) -> Response:
        """Suppress an address, whether it is a reader's or not."""
        form = await read_form(request)

        def work(desk: Desk) -> str:
            suppress_address(desk, form.get("address", ""), form.get("reason", ""))
            return ""

        return await self._done(request, form, "bar", work, "suppressed")

    async def export(self, _: Request) -> Response:
        """Every reader as a CSV file. A form's button asks for it, so that no link can."""

        def work() -> IO[bytes]:
            with open_desk(self._root) as desk:
                file = tempfile.TemporaryFile(dir=desk.workspace.state)  # noqa: SIM115 - the answer closes it
                text = TextIOWrapper(file, encoding="utf-8", newline="", write_through=True)
                export_readers(desk, None, text)
                text.detach()
                file.seek(0)
            return file

        file = await run_in_threadpool(work)
        headers = {"Content-Disposition": 'attachment; filename="readers.csv"'}
        return StreamingResponse(_pieces(file), media_type="text/csv; charset=utf-8", headers=headers)

    async def reader(self, request: Request) -> Response:
        """One reader."""
        return await run_in_threadpool(self._reader, request)

    def _act(self, deed: str) -> Handler:
        """Unsubscribe, suppress or erase a reader, once somebody said that they are sure."""

        async def endpoint(request: Request) -> Response:
            return await self._do(request, deed, await read_form(request))

        return endpoint

    async def _do(self, request: Request, deed: str, form: dict[str, str]) -> Response:
        which = request.path_params["reader"]

        def run() -> Response:
            try:
                if form.get("sure") != "yes":
                    raise UsageProblem("nothing was done", fix="tick the box that says that you are sure")
                with open_desk(self._root) as desk:
                    reader = show_reader(desk, which).reader
                    if reader.status == "erased":
                        raise BadData("this reader is erased already", fix="there is nothing left to do")
                    if deed == "unsubscribe":
                        unsubscribe_reader(desk, reader.address)
                    elif deed == "suppress":
                        suppress_address(desk, reader.address, form.get("reason", ""))
                    else:
                        erase_reader(desk, reader.address)
            except NewsletterError as error:
                return self._reader(request, error=error, deed=deed, form=form)
            return RedirectResponse(f"/audience/{which}?did={_PAST[deed]}", status_code=303)

        return await run_in_threadpool(run)

    async def _done(
        self, request: Request, form: dict[str, str], which: str, work: Callable[[Desk], str], did: str
    ) -> Response:
        def run() -> Response:
            try:
                with open_desk(self._root) as desk:
                    public_id = work(desk)
            except NewsletterError as error:
                return self._page(request, {}, error=error, asked={"form": which, **form})
            place = f"/audience/{public_id}" if public_id else "/audience"
            return RedirectResponse(f"{place}?did={did}", status_code=303)

        return await run_in_threadpool(run)

    def _page(
        self,
        request: Request,
        form: dict[str, str],
        *,
        error: NewsletterError | None = None,
        asked: dict[str, str] | None = None,
    ) -> Response:
        with open_desk(self._root) as desk:
            try:
                page = _found(desk, form)
            except NewsletterError as wrong:
                error, page = wrong, ReaderPage((), 0, None)
            parts = segments(desk)
            attributes = list(desk.config.audience.attributes)
        return self._pages.page(
            request,
            "audience.html.j2",
            status_of(error) if error else 200,
            page=page,
            asked={name: form.get(name, "") for name in ("q", "state", "segment")},
            rows=[(row, _words(row)) for row in page.rows],
            segments=parts,
            states=STATES,
            attributes=attributes,
            bases=BASES,
            anybody=parts[0].count > 0 or bool(page.rows) or bool(form),
            error=error,
            tried={name: (asked or {}).get(name, "") for name in (*_TRIED, *(f"is.{name}" for name in attributes))},
            did=_DID.get(request.query_params.get("did", "")),
        )

    def _reader(
        self,
        request: Request,
        *,
        error: NewsletterError | None = None,
        deed: str = "",
        form: dict[str, str] | None = None,
    ) -> Response:
        try:
            with open_desk(self._root) as desk:
                shown = show_reader(desk, request.path_params["reader"])
        except (NotFound, BadData):
            fix = "Look for the reader in the audience."
            return self._pages.problem(request, 404, what="There is no such reader.", where=None, fix=fix)
        return self._pages.page(
            request,
            "reader.html.j2",
            status_of(error) if error else 200,
            shown=shown,
            reader=shown.reader,
            said=said_in_words,
            error=error,
            deed=deed,
            reason=(form or {}).get("reason", ""),
            did=_DID.get(request.query_params.get("did", "")),
        )


def _found(desk: Desk, form: dict[str, str]) -> ReaderPage:
    state, after = form.get("state", ""), form.get("after", "")
    if state and state not in STATES:
        raise UsageProblem(f"there is no state {state[:40]!r}", fix=f"choose one of {', '.join(STATES)}")
    return list_readers(
        desk,
        search=form.get("q", "").strip() or None,
        state=state or None,  # type: ignore[arg-type]  # one of STATES
        segment=form.get("segment") or EVERYBODY,
        limit=_SHOWN,
        after=int(after) if after.isascii() and after.isdigit() and len(after) < 19 else 0,
    )


def _words(row: Any) -> str:
    return " · ".join(value for value in row.attributes.values() if value)


def _pieces(file: IO[bytes]) -> Iterator[bytes]:
    with file:
        while piece := file.read(_CHUNK):
            yield piece
