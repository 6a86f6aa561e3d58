"""One issue that is open in the composer: its newest mail, its findings, who waits for news, what files once were."""

from __future__ import annotations

import asyncio
import contextlib
import threading
import time
from collections import OrderedDict
from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

from starlette.concurrency import run_in_threadpool

from newsletter.app.composing import file_of
from newsletter.app.desk import open_desk
from newsletter.app.preview import Preview, Watched, checked, fingerprint, preview_issue, watched
from newsletter.errors import ConfigurationError, NotFound
from newsletter.web.composer.answers import Gone
from newsletter.web.watching import follow

QUIET_SECONDS: Final = 0.4
"""Checks wait for a pause in the typing: they take as long as a mail, which must not wait for them."""
REMEMBERED_BYTES: Final = 64 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class News:
    """What there is to see: each number grows with the thing that it counts. ``checked`` is a number of ``mail``."""

    mail: int
    checked: int
    files: int


class Room:
    """An open issue. Everything but ``remember`` and ``recall`` belongs to the event loop."""

    idle_seconds = 60.0
    """A page that is reloaded, or hidden for a moment, comes back sooner."""

    def __init__(self, root: Path, slug: str) -> None:
        self._root = root
        self._slug = slug
        self.preview: Preview | None = None
        self.error: Exception | None = None
        # Versions also grow from one run to the next: a page that is still open notices that we are back.
        began = time.time_ns() // 1_000_000
        self.news = News(began, 0, began)
        self._changed = asyncio.Condition()
        self._wanted = asyncio.Event()
        self._built: tuple[object, ...] = ()
        self._tasks: list[asyncio.Task[None]] = []
        self._closed = False
        self._listeners = 0
        self._memory = _Memory()

    def open(self) -> None:
        """Begin to follow the files, unless that is done already."""
        if not self._tasks:
            self._tasks = [asyncio.create_task(self._build_on()), asyncio.create_task(self._follow())]

    async def close(self) -> None:
        """End every stream, and stop following."""
        self._closed = True
        async with self._changed:
            self._changed.notify_all()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def touch(self) -> None:
        """Something of ours was written: build anew at once, without waiting to see it on the disk."""
        self._wanted.set()

    async def stream(self) -> AsyncIterator[News]:
        """The news now and whenever there are new ones, until the room is closed."""
        seen: News | None = None
        self._listeners += 1
        try:
            while True:
                async with self._changed:
                    await self._changed.wait_for(lambda: self._closed or self.news != seen)  # noqa: B023 - awaited here
                    if self._closed:
                        return
                    seen = self.news
                yield seen
        finally:
            self._listeners -= 1
            asyncio.get_running_loop().call_later(self.idle_seconds, self._rest)

    def _rest(self) -> None:
        """Nobody has listened for a while: follow no more, until somebody opens the room again."""
        if not self._listeners:
            for task in self._tasks:
                task.cancel()
            self._tasks = []

    async def built(self) -> None:
        """Wait until there is a mail, or a reason why there is none."""
        self.open()
        async with self._changed:
            await self._changed.wait_for(lambda: self._closed or self.preview is not None or self.error is not None)

    # -- what the files once said

    def remember(self, sha256: str, data: bytes) -> None:
        """Keep the bytes of a file, so that an edit can be undone."""
        self._memory.keep(sha256, data)

    def recall(self, sha256: str) -> bytes:
        """Bytes that were kept; raises Gone."""
        return self._memory.get(sha256)

    # -- building

    async def _tell(self, **changed: int) -> None:
        async with self._changed:
            self.news = replace(self.news, **changed)
            self._changed.notify_all()

    async def _build_on(self) -> None:
        self._wanted.set()
        while True:
            due = self.preview is not None and self.error is None and self.news.checked != self.news.mail
            try:
                # Not wait_for: before Python 3.12 it forgets a cancellation that comes with what was waited for.
                async with asyncio.timeout(QUIET_SECONDS if due else None):
                    await self._wanted.wait()
            except TimeoutError:
                await self._check()
                continue
            self._wanted.clear()
            await self._build()

    async def _build(self) -> None:
        try:
            self._built = await run_in_threadpool(self._mark)
            self.preview = await run_in_threadpool(preview_issue, self._root, self._slug, checks=False)
            self.error = None
        except Exception as error:  # noqa: BLE001 - also a bug of ours belongs on the page, and the server lives on
            self.error = error
        await self._tell(mail=self.news.mail + 1)

    async def _check(self) -> None:
        preview, version = self.preview, self.news.mail
        assert preview is not None
        try:
            found = await run_in_threadpool(checked, preview)
        except Exception as error:  # noqa: BLE001 - as above
            self.error = error
        else:
            self.preview = found
        await self._tell(checked=version)

    def _watched(self) -> Watched:
        with open_desk(self._root) as desk:
            return watched(desk, self._slug)

    def _mark(self) -> tuple[object, ...]:
        return fingerprint(self._watched())

    # -- following

    async def _follow(self) -> None:
        await follow(await run_in_threadpool(self._watched), self._saw, self._cannot_follow)

    async def _saw(self) -> None:
        """Files changed, perhaps by ourselves: then what is built is built from them already."""
        with contextlib.suppress(NotFound):
            if self._built and await run_in_threadpool(self._mark) == self._built:
                return
        await self._tell(files=self.news.files + 1)
        self._wanted.set()

    async def _cannot_follow(self, error: Exception) -> None:
        self.error = ConfigurationError(
            f"this machine does not let us see saves any more: {error}", fix="start the composer again"
        )
        await self._tell(mail=self.news.mail + 1)


class _Memory:
    """Bytes by their SHA-256; of too many the oldest go. Safe in threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._kept: OrderedDict[str, bytes] = OrderedDict()
        self._size = 0

    def keep(self, sha256: str, data: bytes) -> None:
        with self._lock:
            # With the same text there may be another memory of what it was right for.
            self._size += len(data) - len(self._kept.pop(sha256, b""))
            self._kept[sha256] = data
            while self._size > REMEMBERED_BYTES:
                _, old = self._kept.popitem(last=False)
                self._size -= len(old)

    def get(self, sha256: str) -> bytes:
        with self._lock:
            if sha256 not in self._kept:
                raise Gone("this earlier state is not remembered any more", fix="write it again by hand")
            return self._kept[sha256]


class Rooms:
    """The rooms of a workspace, made when an issue is first opened."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self._rooms: dict[str, Room] = {}

    def of(self, slug: str) -> Room:
        """The room of an issue; raises NotFound and BadData for a name without one."""
        room = self._rooms.get(slug)
        if room is None:
            with open_desk(self.root) as desk:
                if not file_of(desk, slug, None).is_file():
                    raise NotFound(f"there is no issue {slug!r}", where="issues", fix="choose one from the issues")
            room = self._rooms[slug] = Room(self.root, slug)
        return room

    async def close(self) -> None:
        """Close all of them."""
        for room in self._rooms.values():
            await room.close()
