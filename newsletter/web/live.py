"""What the preview page shows at this moment, and telling whoever waits that it changed."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from starlette.concurrency import run_in_threadpool

if TYPE_CHECKING:
    from newsletter.app.preview import Preview


@dataclass(frozen=True, slots=True)
class Shown:
    """The last mail that could be built and the error since then. ``version`` grows with every build."""

    version: int
    preview: Preview | None = None
    error: Exception | None = None


class Live:
    """Builds one at a time. ``shown`` is replaced as a whole, so that any thread may read it."""

    def __init__(self, build: Callable[[], Preview]) -> None:
        self._build = build
        self._building = asyncio.Lock()
        self._changed = asyncio.Condition()
        self._closed = False
        # Versions also grow from one run to the next: a page that is still open notices that we are back.
        self.shown = Shown(time.time_ns() // 1_000_000)

    async def rebuild(self) -> None:
        """Build anew; on an error keep the last good mail and remember what went wrong."""
        async with self._building:
            try:
                preview = await run_in_threadpool(self._build)
            except Exception as error:  # noqa: BLE001 - also a bug of ours belongs on the page, and the server lives on
                await self.fail(error)
            else:
                await self._show(Shown(self.shown.version + 1, preview))

    async def fail(self, error: Exception) -> None:
        """Show an error over the last good mail."""
        await self._show(Shown(self.shown.version + 1, self.shown.preview, error))

    async def _show(self, shown: Shown) -> None:
        async with self._changed:
            self.shown = shown
            self._changed.notify_all()

    async def close(self) -> None:
        """End every ``versions()``."""
        async with self._changed:
            self._closed = True
            self._changed.notify_all()

    async def versions(self) -> AsyncIterator[int]:
        """The version now and after every build, until ``close()``."""
        seen = -1
        while True:
            async with self._changed:
                await self._changed.wait_for(lambda: self._closed or self.shown.version != seen)  # noqa: B023 - awaited here
                if self._closed:
                    return
                seen = self.shown.version
            yield seen
