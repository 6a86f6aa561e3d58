"""Writing files so that a crash, a full disk or a second process never leaves half of one."""

from __future__ import annotations

import contextlib
import errno
import fcntl
import hashlib
import os
import stat
import time
from collections.abc import Iterator
from pathlib import Path

from newsletter.errors import Busy, CannotWrite

_POLL_SECONDS = 0.02

_FIXES = {
    errno.ENOSPC: "the disk is full: make room and try again; the old file is untouched",
    errno.EDQUOT: "the disk quota is used up: make room and try again; the old file is untouched",
    errno.EACCES: "this account may not write there: check who owns the folder",
    errno.EPERM: "this account may not write there: check who owns the folder",
    errno.EROFS: "the file system is read-only: mount it for writing",
    errno.ENOTDIR: "a part of the path is a file: move that file away",
}


def cannot_write(path: Path, error: OSError) -> CannotWrite:
    """Translate an operating system's refusal into our error, with what to do about it."""
    reason = error.strerror or str(error)
    return CannotWrite(
        f"cannot write: {reason}", where=str(path), fix=_FIXES.get(error.errno or 0, "check the disk and the folder")
    )


def sha256_hex(data: bytes) -> str:
    """The SHA-256 of some bytes as 64 lower-case hex digits."""
    return hashlib.sha256(data).hexdigest()


def line_ends_as(before: str, text: str) -> str:
    """A text, as a browser sends it, in the line ends that a file has had ``before``; it ends with one."""
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    text = text if not text or text.endswith("\n") else f"{text}\n"
    return text.replace("\n", "\r\n") if "\r\n" in before else text


def make_folder(path: Path, mode: int = 0o755) -> None:
    """Make a folder and its parents unless it is there; raises ``CannotWrite``."""
    try:
        path.mkdir(mode=mode, parents=True, exist_ok=True)
    except OSError as error:
        raise cannot_write(path, error) from error


def write_atomic(path: Path, data: bytes | str, mode: int = 0o644, *, durable: bool = True) -> None:
    """Write a whole file or nothing: temporary file in the same folder, fsync, rename, fsync of the folder.

    A ``str`` is written as UTF-8 with its line ends as they are; missing folders are made. A file that exists
    keeps its permissions unless ``mode`` is given. Not ``durable``: without the two fsyncs, for what a power cut may
    take. Raises ``CannotWrite``; what stood there before then still stands.
    """
    payload = data.encode("utf-8") if isinstance(data, str) else data
    make_folder(path.parent)
    temporary = path.with_name(f".{path.name}.{os.getpid()}.{os.urandom(4).hex()}.tmp")
    try:
        _write(temporary, payload, _mode_for(path, mode), durable=durable)
        temporary.rename(path)
        if durable:
            _sync_folder(path.parent)
    except OSError as error:
        raise cannot_write(path, error) from error
    finally:
        # After the rename it is gone; after Ctrl-C or a full disk it must go.
        with contextlib.suppress(OSError):
            temporary.unlink(missing_ok=True)


def _mode_for(path: Path, mode: int) -> int | None:
    """The permissions to force on the new file, or None to let the umask decide."""
    if mode != 0o644:
        return mode
    with contextlib.suppress(OSError):
        return stat.S_IMODE(path.stat().st_mode)
    return None


def _write(path: Path, payload: bytes, mode: int | None, *, durable: bool) -> None:
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o644 if mode is None else 0o600)
    with os.fdopen(descriptor, "wb") as file:
        if mode is not None:
            os.fchmod(descriptor, mode)
        file.write(payload)
        file.flush()
        if durable:
            os.fsync(descriptor)


def _sync_folder(folder: Path) -> None:
    """Make the rename itself durable (POSIX leaves that to an fsync of the folder)."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


@contextlib.contextmanager
def file_lock(path: Path, *, timeout: float = 0.0) -> Iterator[None]:
    """Hold an exclusive lock on ``path`` while the block runs; the kernel frees it when the process dies.

    ``timeout`` is in seconds; 0 tries once. Raises ``Busy`` when another holder keeps it that long. The lock
    file stays behind, empty: deleting it would let two processes lock two different files of one name.
    """
    make_folder(path.parent)
    try:
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except OSError as error:
        raise cannot_write(path, error) from error
    try:
        _acquire(descriptor, path, timeout)
        yield
    finally:
        os.close(descriptor)


def _acquire(descriptor: int, path: Path, timeout: float) -> None:
    deadline = time.monotonic() + timeout
    while True:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if time.monotonic() >= deadline:
                raise Busy(
                    "another process is working on this", where=str(path), fix="wait for it to finish, then try again"
                ) from None
            time.sleep(_POLL_SECONDS)
        else:
            return
