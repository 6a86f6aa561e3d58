"""Every change that the composer makes to an issue. Each names the SHA-256 of the file that the editor saw."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final, Literal

import msgspec
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route

from newsletter.app import composing
from newsletter.app.desk import Desk, open_desk
from newsletter.app.issues import pick_articles
from newsletter.app.sponsors import pick_sponsor
from newsletter.errors import NewsletterError
from newsletter.models import TEXT_FILE
from newsletter.web.composer.answers import as_json, read_json
from newsletter.web.composer.rooms import Room, Rooms


class Save(msgspec.Struct, forbid_unknown_fields=True):
    """Fields of a story, or of the issue; ``text`` is its body, or the intro."""

    expected: str
    fields: dict[str, str] = {}
    text: str | None = None


class Restore(msgspec.Struct, forbid_unknown_fields=True):
    """A file as it was at ``to``."""

    article: str | None
    to: str
    expected: str


class Waive(msgspec.Struct, forbid_unknown_fields=True):
    """A finding that the editor accepts."""

    article: str | None
    check: str
    reason: str
    expected: str


class Fix(msgspec.Struct, forbid_unknown_fields=True):
    """A finding to put right."""

    article: str | None
    check: str
    field: str | None = None


class TextPart(msgspec.Struct, forbid_unknown_fields=True):
    """The text part: written by oneself, said to be right, or generated again."""

    do: Literal["write", "confirm", "drop"]
    expected: str
    seen: str | None = None


class _Step(msgspec.Struct, forbid_unknown_fields=True, tag_field="do", kw_only=True):
    expected: str


class Pick(_Step, tag="pick"):
    """A story from the inbox, at the end of a section; without one, where it fits."""

    article: str
    section: int | None = None


class Back(_Step, tag="back"):
    """A story that was dropped, into a section again."""

    article: str
    section: int
    to: int


class PickSponsor(_Step, tag="pick-sponsor"):
    """A creative into an empty section for sponsors."""

    name: str
    section: int


class Move(_Step, tag="move"):
    """A story to another place."""

    article: str
    section: int
    to: int


class Drop(_Step, tag="drop"):
    """A story out of the issue."""

    article: str


class AddSection(_Step, tag="add-section"):
    """A new section."""

    at: int
    layout: str
    title: str | None = None


class SetSection(_Step, tag="set-section"):
    """Another title or layout."""

    section: int
    values: dict[str, str]


class MoveSection(_Step, tag="move-section"):
    """A section to another place."""

    section: int
    to: int


class RemoveSection(_Step, tag="remove-section"):
    """A section, with its stories, out of the issue."""

    section: int


Step = Pick | Back | PickSponsor | Move | Drop | AddSection | SetSection | MoveSection | RemoveSection


def _pick(desk: Desk, slug: str, step: Pick) -> str:
    return pick_articles(desk, slug, [step.article], section=step.section, expected=step.expected).sha256


def _pick_sponsor(desk: Desk, slug: str, step: PickSponsor) -> str:
    return pick_sponsor(desk, slug, step.name, section=step.section, expected=step.expected).sha256


_DO: Final[dict[type, Callable[[Desk, str, Any], str]]] = {
    Pick: _pick,
    PickSponsor: _pick_sponsor,
    Back: lambda d, i, s: composing.take_back(d, i, s.article, s.section, s.to, expected=s.expected),
    Move: lambda d, i, s: composing.move_story(d, i, s.article, s.section, s.to, expected=s.expected),
    Drop: lambda d, i, s: composing.drop_story(d, i, s.article, expected=s.expected),
    AddSection: lambda d, i, s: composing.add_section(d, i, s.at, s.layout, s.title, expected=s.expected),
    SetSection: lambda d, i, s: composing.set_section(d, i, s.section, s.values, expected=s.expected),
    MoveSection: lambda d, i, s: composing.move_section(d, i, s.section, s.to, expected=s.expected),
    RemoveSection: lambda d, i, s: composing.remove_section(d, i, s.section, expected=s.expected),
}


class Writing:
    """The endpoints that write. Each answers ``{"files": [{"article": …, "was": sha256, "now": sha256}]}``."""

    def __init__(self, rooms: Rooms) -> None:
        self._rooms = rooms

    @property
    def root(self) -> Path:
        """The workspace."""
        return self._rooms.root

    def routes(self) -> list[BaseRoute]:
        """Where it is found."""
        return [
            Route("/issues/{slug}/text", as_json(self.save_issue), methods=["PUT"]),
            # No story has such a slug.
            Route(f"/issues/{{slug}}/stories/{TEXT_FILE}", as_json(self.save_text), methods=["PUT"]),
            Route("/issues/{slug}/text-part", as_json(self.text_part), methods=["POST"]),
            Route("/issues/{slug}/stories/{article}", as_json(self.save_story), methods=["PUT"]),
            Route("/issues/{slug}/arrange", as_json(self.arrange), methods=["POST"]),
            Route("/issues/{slug}/restore", as_json(self.restore), methods=["POST"]),
            Route("/issues/{slug}/waive", as_json(self.waive), methods=["POST"]),
            Route("/issues/{slug}/fix", as_json(self.fix), methods=["POST"]),
        ]

    async def save_issue(self, request: Request) -> Response:
        """Subject, preheader and the like."""
        save = await read_json(request, Save)
        return await self.write(
            request,
            None,
            save.expected,
            lambda desk, slug: composing.save_issue(desk, slug, save.fields, save.text, expected=save.expected),
        )

    async def save_story(self, request: Request) -> Response:
        """The words of a story."""
        save = await read_json(request, Save)
        article = request.path_params["article"]
        return await self.write(
            request,
            article,
            save.expected,
            lambda desk, slug: composing.save_story(
                desk, slug, article, save.fields, save.text, expected=save.expected
            ),
        )

    async def save_text(self, request: Request) -> Response:
        """The text part as an editor writes it."""
        save = await read_json(request, Save)
        return await self.write(
            request,
            TEXT_FILE,
            save.expected,
            lambda desk, slug: composing.save_text(desk, slug, save.text or "", expected=save.expected),
        )

    async def text_part(self, request: Request) -> Response:
        """Write the text part oneself, say that it is right, or have it generated again."""
        asked = await read_json(request, TextPart)
        return await self.write(
            request,
            TEXT_FILE,
            asked.expected,
            lambda desk, slug: composing.do_text(desk, slug, asked.do, expected=asked.expected, seen=asked.seen),
        )

    async def arrange(self, request: Request) -> Response:
        """One step: pick a story or a sponsor, back, move, drop; add, set, move or remove a section."""
        step: Any = await read_json(request, Step)  # type: ignore[arg-type]  # msgspec takes a union for a type
        return await self.write(request, None, step.expected, lambda desk, slug: _DO[type(step)](desk, slug, step))

    async def restore(self, request: Request) -> Response:
        """Undo and redo: a file as it was, if nobody has changed it since."""
        back = await read_json(request, Restore)
        nothing = back.article == TEXT_FILE and not back.to
        data = None if nothing else self._room(request).recall(back.to)
        return await self.write(
            request,
            back.article,
            back.expected,
            lambda desk, slug: composing.restore_file(desk, slug, back.article, data, expected=back.expected),
        )

    async def waive(self, request: Request) -> Response:
        """Accept a finding, with a reason."""
        asked = await read_json(request, Waive)
        return await self.write(
            request,
            asked.article,
            asked.expected,
            lambda desk, slug: composing.waive_finding(
                desk, slug, asked.article, asked.check, asked.reason, expected=asked.expected
            ),
        )

    async def fix(self, request: Request) -> Response:
        """Put a finding right."""
        asked = await read_json(request, Fix)
        room, slug = self._room(request), request.path_params["slug"]

        def work() -> dict[str, Any]:
            with open_desk(self._rooms.root) as desk:
                written, done = composing.fix_finding(desk, slug, asked.check, asked.article, asked.field)
            for wrote in written:
                room.remember(wrote.was, wrote.before)
            return {"files": [{"article": w.article, "was": w.was, "now": w.now} for w in written], "done": done}

        answer = await run_in_threadpool(work)
        room.touch()
        return JSONResponse(answer)

    def _room(self, request: Request) -> Room:
        return self._rooms.of(request.path_params["slug"])

    async def write(
        self, request: Request, article: str | None, expected: str, change: Callable[[Desk, str], str]
    ) -> Response:
        """Make the change, and remember what the file was before it."""
        room, slug = self._room(request), request.path_params["slug"]

        def work() -> str:
            with open_desk(self._rooms.root) as desk:
                # Where that does not work the change says why.
                with contextlib.suppress(NewsletterError):
                    room.remember(*composing.read_file(desk, slug, article))
                return change(desk, slug)

        now = await run_in_threadpool(work)
        room.touch()
        return JSONResponse({"files": [{"article": article, "was": expected, "now": now}]})
