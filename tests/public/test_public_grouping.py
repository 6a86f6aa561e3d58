"""Waiting calls that share one piece of work: each gets its own result, and nobody is forgotten when it fails."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Coroutine, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from newsletter.errors import Busy
from newsletter.web import grouping
from newsletter.web.grouping import Grouped


def run_apart(main: Callable[[], Coroutine[Any, Any, None]]) -> None:
    """In a thread of its own: the browser of other tests may have a loop in this one."""
    with ThreadPoolExecutor(1) as apart:
        apart.submit(lambda: asyncio.run(main())).result()


def test_calls_that_come_together_are_one_piece_of_work() -> None:
    """In order, with at most so many in one, never two at a time."""
    groups: list[int] = []
    busy = threading.Lock()

    def work(items: Sequence[int]) -> list[int]:
        assert busy.acquire(blocking=False), "two at a time"
        groups.append(len(items))
        busy.release()
        return [item * 2 for item in items]

    async def main() -> None:
        grouped = Grouped(work)
        results = await asyncio.gather(*(grouped(number) for number in range(600)))
        assert results == [number * 2 for number in range(600)]
        assert await grouped(1) == 2, "and it begins again after a rest"
        grouped.close()

    run_apart(main)
    assert groups == [256, 256, 88, 1]


def test_what_the_work_raises_everybody_in_it_gets_and_the_next_do_not() -> None:
    failing = [True]

    def work(items: Sequence[int]) -> list[int]:
        if failing[0]:
            raise Busy("the database is taken")
        return list(items)

    async def main() -> None:
        grouped = Grouped(work)
        results = await asyncio.gather(*(grouped(number) for number in range(3)), return_exceptions=True)
        assert [type(result) for result in results] == [Busy] * 3
        failing[0] = False
        assert await grouped(7) == 7
        grouped.close()

    run_apart(main)


def test_a_caller_who_went_away_takes_nobody_along() -> None:
    """Neither when the work succeeds nor when it fails."""
    begun, go = threading.Event(), threading.Event()

    def work(items: Sequence[int]) -> list[int]:
        begun.set()
        go.wait(10)
        if items[0] == 0:
            raise Busy("taken")
        return list(items)

    async def main() -> None:
        grouped = Grouped(work)
        for first in (0, 1):
            begun.clear()
            go.clear()
            calls = [asyncio.create_task(grouped(first)), asyncio.create_task(grouped(2))]
            await asyncio.to_thread(begun.wait, 10)
            calls[0].cancel()
            await asyncio.sleep(0)
            go.set()
            results = await asyncio.gather(*calls, return_exceptions=True)
            assert isinstance(results[0], asyncio.CancelledError)
            assert isinstance(results[1], Busy) if first == 0 else results[1] == 2
        grouped.close()

    run_apart(main)


def test_too_many_are_told_to_come_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(grouping, "MOST_WAITING", 2)

    async def main() -> None:
        grouped: Grouped[int, int] = Grouped(list)
        results = await asyncio.gather(*(grouped(number) for number in range(4)), return_exceptions=True)
        assert results[:2] == [0, 1]
        assert [type(result) for result in results[2:]] == [Busy] * 2
        grouped.close()

    run_apart(main)
