"""Files that a browser sends: streamed into the workspace's own state, private, and gone after a day at the latest."""

from __future__ import annotations

import asyncio
import re
import secrets
import shutil
import time
from email.message import Message
from pathlib import Path
from typing import IO, Final

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request

from newsletter.errors import NotFound, UsageProblem
from newsletter.web.hardening import TooMuch, TooSlow
from newsletter.workspace.files import cannot_write

MOST_BYTES: Final = 100 * 1024 * 1024
"""About two million lines of addresses and names."""
SECONDS: Final = 600.0
KEPT_SECONDS: Final = 24 * 3600.0
_ID: Final = re.compile(r"[0-9a-f]{32}")
_HEAD_BYTES: Final = 8 * 1024
_NOT_IN_NAMES: Final = re.compile(r"[^\w.() -]")
_IN: Final = "in"


class Uploads:
    """The folder of uploads. Each has an id that cannot be guessed, and a folder of that name."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    async def take(self, request: Request) -> str:
        """The id of the file that a form brings; raises UsageProblem, TooMuch, TooSlow, CannotWrite."""
        await run_in_threadpool(self.prune)
        name = secrets.token_hex(16)
        folder = self._folder / name
        try:
            (folder / _IN).mkdir(mode=0o700, parents=True)
            folder.chmod(0o700)
            part = folder / "part"
            part.touch(mode=0o600)
            with part.open("wb") as file:
                called = await _receive(request, file)
                if not file.tell():
                    raise UsageProblem("no file came", fix="choose a file that is not empty")
            part.rename(folder / _IN / called)
        except OSError as error:
            shutil.rmtree(folder, ignore_errors=True)
            raise cannot_write(folder, error) from error
        except BaseException:
            # Also when the browser goes away in the middle.
            shutil.rmtree(folder, ignore_errors=True)
            raise
        return name

    def folder(self, upload: str) -> Path:
        """The folder of an upload; raises NotFound."""
        folder = self._folder / upload
        if not _ID.fullmatch(upload) or not folder.is_dir():
            raise NotFound("this file is not here any more", fix="upload it again; files are kept for a day")
        return folder

    def file(self, upload: str) -> Path:
        """The file, under the name that it had; raises NotFound."""
        found = next((self.folder(upload) / _IN).glob("*"), None)
        if found is None:
            raise NotFound("this file is not here any more", fix="upload it again; files are kept for a day")
        return found

    def remove_file(self, upload: str) -> None:
        """Remove the file itself; what became of it stays."""
        shutil.rmtree(self.folder(upload) / _IN, ignore_errors=True)

    def remove(self, upload: str) -> None:
        """Remove it with all that is known of it."""
        shutil.rmtree(self.folder(upload), ignore_errors=True)

    def prune(self) -> None:
        """Remove what is older than a day."""
        if not self._folder.is_dir():
            return
        for folder in self._folder.iterdir():
            if time.time() - folder.stat().st_mtime > KEPT_SECONDS:
                shutil.rmtree(folder, ignore_errors=True)


async def _receive(request: Request, file: IO[bytes]) -> str:
    """Write the first file of a ``multipart/form-data`` body to ``file``; the name that it had, made harmless."""
    said = request.headers.get("content-length", "")
    if said.isdigit() and int(said[:15]) > MOST_BYTES + _HEAD_BYTES:
        raise _too_much()
    end = b"\r\n--" + _boundary(request)
    # The first delimiter has no line before it.
    held, name = b"\r\n", None
    try:
        async with asyncio.timeout(SECONDS):
            async for chunk in request.stream():
                held += chunk
                if name is None:
                    head, blank, rest = held.partition(b"\r\n\r\n")
                    if not blank:
                        if len(held) > _HEAD_BYTES:
                            raise _no_file()
                        continue
                    name, held = _name(head, end), rest
                content, found, _ = held.partition(end)
                if found:
                    _write(file, content)
                    return name
                # The delimiter may have begun at the end of what is here.
                keep = len(end) - 1
                _write(file, held[:-keep])
                held = held[-keep:]
    except TimeoutError as error:
        raise TooSlow(f"not there after {SECONDS:g} seconds") from error
    raise _no_file()


def _write(file: IO[bytes], content: bytes) -> None:
    if file.tell() + len(content) > MOST_BYTES:
        raise _too_much()
    file.write(content)


def _boundary(request: Request) -> bytes:
    told = Message()
    told["content-type"] = request.headers.get("content-type", "")
    boundary = told.get_boundary()
    if told.get_content_type() != "multipart/form-data" or not boundary or len(boundary) > 200:
        raise _no_file()
    return boundary.encode("latin-1", "replace")


def _name(head: bytes, end: bytes) -> str:
    if not head.startswith(end):
        raise _no_file()
    told = re.search(rb'filename="([^"\r\n]*)"', head, re.IGNORECASE)
    if told is None:
        raise _no_file()
    base = told[1].decode("utf-8", "replace").replace("\\", "/").rpartition("/")[2]
    clean = _NOT_IN_NAMES.sub("_", base).strip(" .")[-80:].strip(" .")
    return clean or "readers.csv"


def _no_file() -> UsageProblem:
    return UsageProblem("no file came", fix="choose a file and send the form again")


def _too_much() -> TooMuch:
    return TooMuch(
        f"the file has more than {MOST_BYTES // 1024**2} MB", fix="newsletter audience import FILE takes any"
    )
