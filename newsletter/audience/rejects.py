"""The file of lines that could not be imported: corrected, it can be imported as it is."""

from __future__ import annotations

import contextlib
import csv
import os
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import TextIO

from newsletter.audience.attributes import guard_cell
from newsletter.errors import CannotWrite
from newsletter.workspace.files import cannot_write

SHOWN = 20
"""Refused lines that are told with the result; all of them are in the file."""


class Rejects:
    """Collects refused lines beside their place; ``publish`` puts the file there in one step.

    ``first`` are the first ``SHOWN`` of them: line and reason.

    UTF-8 with a BOM, because editors open it in a spreadsheet; 0600, because it names readers.
    """

    def __init__(self, path: Path, header: Sequence[str]) -> None:
        self.path = path
        self.count = 0
        self.first: list[tuple[int, str]] = []
        self._header = header
        self._temporary = path.with_name(f".{path.name}.{os.getpid()}.{os.urandom(4).hex()}.tmp")
        self._file: TextIO | None = None
        self._published = False

    def add(self, line: int, reason: str, cells: Sequence[str]) -> None:
        """Keep one refused record: the physical line it starts on, why, and its cells as they were."""
        try:
            if self._file is None:
                self._file = self._open()
            self._write(self._file, [str(line), reason, *cells])
        except OSError as error:
            raise cannot_write(self.path, error) from error
        self.count += 1
        if len(self.first) < SHOWN:
            self.first.append((line, reason))

    def publish(self) -> None:
        """Put the file in its place; without a refused line there is none, also none of an earlier import."""
        try:
            if self._file is None:
                self.path.unlink(missing_ok=True)
                return
            self._file.flush()
            os.fsync(self._file.fileno())
            self._file.close()
            self._temporary.rename(self.path)
            self._published = True
        except OSError as error:
            raise cannot_write(self.path, error) from error

    def __enter__(self) -> Rejects:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        if self._file is not None:
            # A full disk was told already, by `add` or `publish`.
            with contextlib.suppress(OSError):
                self._file.close()
            with contextlib.suppress(OSError):
                self._temporary.unlink(missing_ok=True)
        if self._published and isinstance(error, Exception):
            # The commit that followed failed: nobody was imported, so nobody was left out either.
            with contextlib.suppress(OSError):
                self.path.unlink(missing_ok=True)

    def _open(self) -> TextIO:
        self.path.parent.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(self._temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        file = os.fdopen(descriptor, "w", encoding="utf-8-sig", newline="")
        self._write(file, ["line", "reason", *self._header])
        return file

    @staticmethod
    def _write(file: TextIO, cells: Sequence[str]) -> None:
        csv.writer(file).writerow([guard_cell(cell) for cell in cells])


def check_place(path: Path, source: Path) -> None:
    """Raise ``CannotWrite`` when the rejects would overwrite the very file that is being imported."""
    with contextlib.suppress(OSError):
        if path.exists() and path.samefile(source):
            raise CannotWrite("the rejected lines would overwrite the import", where=str(path), fix="name another file")
