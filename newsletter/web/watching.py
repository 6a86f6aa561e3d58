"""Seeing saves: in whatever way an editor writes, and in folders that come later.

A watch on a single file is lost when an editor saves by renaming another file over it, so only folders are
watched. A folder's own watch is lost when the folder is replaced, so the folders above are watched as well.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from watchfiles import awatch

if TYPE_CHECKING:
    from newsletter.app.preview import Watched

# Measured: 15–25 ms from a save to the call. One quiet step ends a burst (a checkout, a formatter's run).
_QUIET_MS = 20
_BURST_MS = 400
_POLL_MS = 300
_AGAIN_SECONDS = 0.5

# Vim's probe, Emacs's locks and backups, temporary files on their way to be renamed.
_STARTS = (".", "#")
_ENDS = ("~", ".tmp", ".swp", ".swx", ".part", ".crdownload", "___jb_tmp___", "___jb_old___")


def is_scratch(path: Path) -> bool:
    """Whether an editor made this file for itself."""
    return path.name.startswith(_STARTS) or path.name.endswith(_ENDS) or path.name == "4913"


Changes = frozenset[Path]


async def follow(
    watched: Watched, changed: Callable[[], Awaitable[None]], failed: Callable[[Exception], Awaitable[None]]
) -> None:
    """Call ``changed`` once now and once after each burst of saves, never twice at a time, until cancelled.

    Where the system refuses to watch (it has a limit), folders are polled; ``failed`` hears that this failed as well.
    """
    polling = False
    while True:
        try:
            await _follow_folders(watched, changed, polling=polling)
        except FileNotFoundError:
            # A folder went between our look and the watch; the next round sees what is left.
            await asyncio.sleep(_AGAIN_SECONDS)
        except Exception as error:  # noqa: BLE001 - whatever the watcher has: polling needs less of the system
            if polling:
                await failed(error)
                return
            polling = True


async def _follow_folders(watched: Watched, changed: Callable[[], Awaitable[None]], *, polling: bool) -> None:
    """Follow the folders that are there now; return when one of them came, went or was replaced."""
    deep = [folder for folder in watched.deep if folder.is_dir()]
    near = [folder for folder in watched.near if folder.is_dir()]
    deep = [folder for folder in deep if not any(folder != other and folder.is_relative_to(other) for other in deep)]
    stop = asyncio.Event()
    seen: asyncio.Queue[Changes | Exception] = asyncio.Queue()
    pumps = [
        asyncio.create_task(_pump(deep, seen, stop, recursive=True, polling=polling)),
        asyncio.create_task(_pump(near, seen, stop, recursive=False, polling=polling)),
    ]
    # Both watches are in place before the build: a save during it is not lost.
    await asyncio.sleep(0)
    try:
        await changed()
        while True:
            changes = await _burst(seen)
            if any(path in watched.deep or path in watched.near for path in changes):
                return
            await changed()
    finally:
        stop.set()
        await asyncio.gather(*pumps)


async def _burst(seen: asyncio.Queue[Changes | Exception]) -> Changes:
    """Everything that changed since the last call; waits for the first change. Raises what a pump met."""
    gathered: set[Path] = set()
    while not gathered or not seen.empty():
        item = await seen.get()
        if isinstance(item, Exception):
            raise item
        gathered |= item
    return frozenset(gathered)


async def _pump(
    folders: Sequence[Path],
    seen: asyncio.Queue[Changes | Exception],
    stop: asyncio.Event,
    *,
    recursive: bool,
    polling: bool,
) -> None:
    try:
        async for changes in awatch(
            *folders,
            watch_filter=lambda _, path: not is_scratch(Path(path)),
            debounce=_BURST_MS,
            step=_QUIET_MS,
            stop_event=stop,
            recursive=recursive,
            force_polling=polling,
            poll_delay_ms=_POLL_MS,
            ignore_permission_denied=True,
        ):
            seen.put_nowait(frozenset(Path(path) for _, path in changes))
    except Exception as error:  # noqa: BLE001 - handed to whoever waits for changes
        seen.put_nowait(error)
