"""Pictures of stories: put in, fetched, taken out; and what the mail makes of them while the focal point is moved."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, TypeVar

import msgspec
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route

from newsletter.app import picturing
from newsletter.app.desk import Desk, open_desk
from newsletter.errors import Busy, UsageProblem
from newsletter.web.composer.answers import as_json, read_json
from newsletter.web.composer.writing import Writing
from newsletter.web.hardening import Room, TooMuch, read_body

_SECONDS: Final = 120.0
"""25 MB through a slow tunnel."""
_AT_ONCE: Final = 4 * picturing.MOST_BYTES
T = TypeVar("T")
_TYPES: Final = {".jpg": "image/jpeg", ".png": "image/png"}


class Fetch(msgspec.Struct, forbid_unknown_fields=True):
    """The picture at ``url``; without one, at the address that the story names."""

    expected: str
    url: str | None = None


class Remove(msgspec.Struct, forbid_unknown_fields=True):
    """No picture."""

    expected: str


class Picturing:
    """The endpoints of pictures; those that write answer as ``Writing`` does."""

    def __init__(self, writing: Writing) -> None:
        self._writing = writing
        self._space = Room(_AT_ONCE)

    def routes(self) -> list[BaseRoute]:
        """Where it is found."""
        story = "/issues/{slug}/stories/{article}"
        return [
            Route("/issues/{slug}/cuts", as_json(self.cuts)),
            Route(f"{story}/cut", as_json(self.cut)),
            Route(f"{story}/picture", as_json(self.put), methods=["PUT"]),
            Route(f"{story}/remove-picture", as_json(self.remove), methods=["POST"]),
            Route(f"{story}/fetch-picture", as_json(self.fetch), methods=["POST"]),
        ]

    async def put(self, request: Request) -> Response:
        """The body is the file; ``?expected=`` the SHA-256 of the story's file."""
        article, expected = request.path_params["article"], request.query_params.get("expected", "")
        try:
            data = await read_body(request, picturing.MOST_BYTES, self._space, seconds=_SECONDS)
        except Busy as error:
            raise Busy("several large pictures come in at once", fix="try again in a moment") from error
        except TooMuch as error:
            most = f"the picture has more than {picturing.MOST_BYTES // 1024 // 1024} MB"
            raise TooMuch(most, fix="use one that is about 1600 pixels wide") from error
        return await self._writing.write(
            request, article, expected, lambda d, i: picturing.put_picture(d, i, article, data, expected=expected)
        )

    async def fetch(self, request: Request) -> Response:
        """From the web into the issue's folder."""
        asked, article = await read_json(request, Fetch), request.path_params["article"]
        return await self._writing.write(
            request,
            article,
            asked.expected,
            lambda d, i: picturing.fetch_picture(d, i, article, asked.url, expected=asked.expected),
        )

    async def remove(self, request: Request) -> Response:
        """Out of the story; the file stays."""
        asked, article = await read_json(request, Remove), request.path_params["article"]
        return await self._writing.write(
            request,
            article,
            asked.expected,
            lambda d, i: picturing.remove_picture(d, i, article, expected=asked.expected),
        )

    async def cuts(self, request: Request) -> Response:
        """The shapes that the theme has."""
        rows = await self._look(request, lambda d, i: [cut.as_row() for cut in picturing.cuts_of(d, i)])
        return JSONResponse({"cuts": rows, "most": picturing.MOST_BYTES})

    async def cut(self, request: Request) -> Response:
        """``?layout=lead&focal=0.5,0.3``: as it would be in the mail. Without a layout, all of the picture."""
        asked, article = request.query_params, request.path_params["article"]
        layout, focal = asked.get("layout"), _focal(asked.get("focal", ""))
        data, suffix = await self._look(request, lambda d, i: picturing.show_cut(d, i, article, layout, focal))
        # The same name may be another picture soon.
        return Response(data, media_type=_TYPES[suffix], headers={"Cache-Control": "no-store"})

    async def _look(self, request: Request, work: Callable[[Desk, str], T]) -> T:
        def run() -> T:
            with open_desk(self._writing.root) as desk:
                return work(desk, request.path_params["slug"])

        return await run_in_threadpool(run)


def _focal(text: str) -> tuple[float, float] | None:
    if not text:
        return None
    try:
        across, down = (float(part) for part in text.split(","))
    except ValueError as error:
        raise UsageProblem("focal is two numbers from 0 to 1", fix="?focal=0.5,0.3") from error
    if not (0 <= across <= 1 and 0 <= down <= 1):
        raise UsageProblem("focal is two numbers from 0 to 1", fix="?focal=0.5,0.3")
    return across, down
