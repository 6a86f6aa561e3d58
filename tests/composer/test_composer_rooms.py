"""A room: it builds what is newest, checks in the pauses, and follows files only while somebody looks."""

from __future__ import annotations

import asyncio
import hashlib
import threading
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest

from newsletter.errors import NotFound
from newsletter.web.composer import rooms
from newsletter.web.composer.answers import Gone
from newsletter.web.composer.rooms import Room, Rooms

ISSUE = "2026-11-27"


def run(work: Callable[[], Awaitable[None]]) -> None:
    """In a loop of its own: the browser's tests have one in this thread."""
    failed: list[BaseException] = []

    def go() -> None:
        try:
            asyncio.run(asyncio.wait_for(work(), 60))  # type: ignore[arg-type]  # any awaitable will do
        except BaseException as error:
            failed.append(error)

    thread = threading.Thread(target=go)
    thread.start()
    thread.join()
    if failed:
        raise failed[0]


def test_a_burst_is_one_build_more_and_the_findings_come_after_it(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    built: list[str] = []
    real = rooms.preview_issue
    monkeypatch.setattr(rooms, "preview_issue", lambda *a, **k: built.append("build") or real(*a, **k))

    async def work() -> None:
        room = Room(root, ISSUE)
        await room.built()
        assert room.preview is not None and room.preview.findings == ()
        first = len(built)
        for _ in range(20):
            room.touch()
        news = room.stream()
        async for seen in news:
            if seen.checked == seen.mail and len(built) > first:
                break
        assert len(built) - first <= 2
        await room.close()
        assert [each async for each in room.stream()] == []

    run(work)


def test_an_error_keeps_the_last_mail_and_a_mended_file_is_seen(root: Path) -> None:
    async def work() -> None:
        room = Room(root, ISSUE)
        await room.built()
        good = room.preview
        path = root / "issues" / ISSUE / "issue.md"
        text = path.read_text(encoding="utf-8")
        path.write_text("---\nsubject: a: b\n---\n", encoding="utf-8")
        async for _ in room.stream():
            if room.error is not None:
                break
        assert room.preview is not None and room.preview.rendered is good.rendered  # type: ignore[union-attr]  # built
        path.write_text(text, encoding="utf-8")
        async for _ in room.stream():
            if room.error is None:
                break
        await room.close()

    run(work)


def test_nobody_looking_nothing_is_followed(root: Path) -> None:
    async def work() -> None:
        room = Room(root, ISSUE)
        room.idle_seconds = 0.05
        await room.built()
        stream = room.stream()
        await anext(stream)
        await stream.aclose()  # type: ignore[attr-defined]  # it is a generator
        while room._tasks:
            await asyncio.sleep(0.02)
        version = room.news.mail
        room.open()
        while room.news.mail == version:
            await asyncio.sleep(0.02)
        await room.close()

    run(work)


def test_what_files_once_were_is_remembered_up_to_a_limit(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rooms, "REMEMBERED_BYTES", 1000)
    room = Room(root, ISSUE)
    states = [bytes([n]) * 400 for n in range(3)]
    keys = [hashlib.sha256(state).hexdigest() for state in states]
    room.remember(keys[0], states[0])
    room.remember(keys[1], states[1])
    room.remember(keys[0], states[0])  # seen again: the other one is older now
    room.remember(keys[2], states[2])
    assert (room.recall(keys[0]), room.recall(keys[2])) == (states[0], states[2])
    with pytest.raises(Gone):
        room.recall(keys[1])


@pytest.mark.parametrize("slug", ["2031-01-01", "..", "a/b", ""])
def test_there_is_no_room_for_what_is_no_issue(root: Path, slug: Any) -> None:
    from newsletter.errors import BadData

    with pytest.raises((NotFound, BadData)):
        Rooms(root).of(slug)
