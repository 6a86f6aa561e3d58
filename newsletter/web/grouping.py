"""Many waiting calls, one piece of work: a transaction costs its fsync however many readers are in it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Generic, TypeVar

from newsletter.errors import Busy

T = TypeVar("T")
R = TypeVar("R")

MOST_TOGETHER = 256
MOST_WAITING = 4_096
LINGER_SECONDS = 0.002
"""The first of a group waits so long for others: less than the disk takes, and a rush needs fewer transactions."""


class Grouped(Generic[T, R]):
    """Call it with one item and get its result; items that come while work is being done wait and go together.

    ``work`` runs in a thread of its own, never twice at a time, and gives one result per item, in order. What it
    raises, all of its callers get. Nobody is answered before the work that holds them has returned.
    """

    def __init__(self, work: Callable[[Sequence[T]], Sequence[R]]) -> None:
        self._work = work
        self._waiting: list[tuple[T, asyncio.Future[R]]] = []
        self._running: asyncio.Task[None] | None = None
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="grouped")

    async def __call__(self, item: T) -> R:
        """Raises what ``work`` raises, and Busy when too many wait already."""
        if len(self._waiting) >= MOST_WAITING:
            raise Busy("too many are waiting", fix="try again in a moment")
        loop = asyncio.get_running_loop()
        future: asyncio.Future[R] = loop.create_future()
        self._waiting.append((item, future))
        if self._running is None:
            self._running = loop.create_task(self._run())
        return await future

    def close(self) -> None:
        """End the thread, after the work that it is doing."""
        self._thread.shutdown()

    async def _run(self) -> None:
        loop = asyncio.get_running_loop()
        try:
            while self._waiting:
                await asyncio.sleep(LINGER_SECONDS)
                together, self._waiting = self._waiting[:MOST_TOGETHER], self._waiting[MOST_TOGETHER:]
                try:
                    results = await loop.run_in_executor(self._thread, self._work, [item for item, _ in together])
                except Exception as error:  # noqa: BLE001 - handed to everybody who waits for it
                    for _, future in together:
                        if not future.done():
                            future.set_exception(error)
                else:
                    for (_, future), result in zip(together, results, strict=True):
                        # A caller may have gone away meanwhile; the work is done all the same.
                        if not future.done():
                            future.set_result(result)
        finally:
            self._running = None
