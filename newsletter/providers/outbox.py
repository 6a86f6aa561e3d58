"""The outbox: a Maildir on this machine, the default provider. Nothing leaves.

Any mail reader that opens a Maildir shows it (``mutt -f .newsletter/outbox``), and every file is a complete message
with the CRLF that a mail server would have got. A file is written under ``tmp/``, synced and renamed into ``new/``:
there is never half a message. Its name comes from the delivery's key, so the same delivery submitted again after a
crash is found (in ``new/``, or in ``cur/`` where a mail reader has moved it) and not written twice.
"""

from __future__ import annotations

import contextlib
import errno
import os
import re
import time
from collections.abc import Mapping
from pathlib import Path

from newsletter.delivery.ports import Batch, Capabilities, Event, Outcome, Provider, Result, Wire
from newsletter.errors import BadData
from newsletter.message.outgoing import Addressed, Outgoing
from newsletter.providers.mime import Compiler, mime_of
from newsletter.providers.options import Options

MAX_BATCH = 100

# Waiting does not cure these, a person does.
_NEEDS_A_PERSON = frozenset({errno.EACCES, errno.EPERM, errno.EROFS, errno.ENOTDIR, errno.EISDIR, errno.EEXIST})
_KEY = re.compile(r"[A-Za-z0-9]{1,64}")


def create(options: Mapping[str, object]) -> Provider:
    """Options: ``path`` of the Maildir (required)."""
    checked = Options("outbox", options, ("path",))
    return OutboxProvider(Path(checked.required("path", 'give a folder: path = ".newsletter/outbox"')))


class OutboxProvider:
    """Writes each mail as a file. One thread submits at a time."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._compiler = Compiler()
        self._seen: tuple[int, frozenset[str]] | None = None

    def __repr__(self) -> str:
        return f"OutboxProvider({str(self.path)!r})"

    @property
    def capabilities(self) -> Capabilities:
        """Idempotent and local: no guard rail for real readers applies."""
        return Capabilities(name="outbox", max_batch=MAX_BATCH, idempotency=True, smtputf8=True, local=True)

    def submit(self, batch: Batch) -> list[Result]:
        """Write every message. A full disk is RETRY, a folder that is not ours is FAILED; neither leaves a file."""
        try:
            compiled = self._compiler.compiled(batch.outgoing)
        except BadData as error:
            return [Result(a.key, Outcome.FAILED, error.what) for a in batch.recipients]
        try:
            self._make_folders()
            moved = self._moved()
        except OSError as error:
            return [_refused(addressed.key, error, self.path) for addressed in batch.recipients]
        results: list[Result] = []
        for addressed in batch.recipients:
            try:
                name = file_name(batch.outgoing, addressed)
                self._write(name, mime_of(compiled, addressed), moved)
                results.append(Result(addressed.key, Outcome.ACCEPTED, provider_id=name))
            except BadData as error:
                results.append(Result(addressed.key, Outcome.REJECTED, error.what))
            except OSError as error:
                results.append(_refused(addressed.key, error, self.path))
        return self._synced(results)

    def _write(self, name: str, message: bytes, moved: frozenset[str]) -> None:
        if name in moved or (self.path / "new" / name).exists():
            return
        temporary = self.path / "tmp" / name
        try:
            _write_synced(temporary, message)
            temporary.rename(self.path / "new" / name)
        except OSError:
            with contextlib.suppress(OSError):
                temporary.unlink(missing_ok=True)
            raise

    def _synced(self, results: list[Result]) -> list[Result]:
        """The names in ``new/`` must survive a power cut before anybody hears "accepted"; once per batch."""
        try:
            _sync_folder(self.path / "new")
        except OSError as error:
            return [_refused(r.key, error, self.path) if r.outcome is Outcome.ACCEPTED else r for r in results]
        return results

    def _make_folders(self) -> None:
        for folder in ("tmp", "new", "cur"):
            (self.path / folder).mkdir(mode=0o700, parents=True, exist_ok=True)

    def _moved(self) -> frozenset[str]:
        """Names in ``cur/`` without their flags (``:2,S``). Listed again only when the folder may have changed."""
        folder = self.path / "cur"
        changed = folder.stat().st_mtime_ns
        if self._seen is not None and self._seen[0] == changed:
            return self._seen[1]
        names = frozenset(entry.name.partition(":")[0] for entry in os.scandir(folder))
        # A folder that changed within the last second may change again within the same tick of its clock.
        self._seen = (changed, names) if time.time_ns() - changed > 1_000_000_000 else None
        return names

    def preview(self, batch: Batch) -> list[Wire]:
        """The files that ``submit`` would write."""
        compiled = self._compiler.compiled(batch.outgoing)
        return [Wire("message/rfc822", mime_of(compiled, a), str(self.path / "new")) for a in batch.recipients]

    def parse_events(self, raw: bytes, headers: Mapping[str, str]) -> list[Event]:  # noqa: ARG002 - the protocol's
        """A folder reports nothing back: always BadData."""
        raise BadData("the outbox has no events", fix="events come from the provider that sends")

    def check(self) -> list[str]:
        """Try to write a file of one byte."""
        probe = self.path / "tmp" / f"check.{os.getpid()}"
        try:
            self._make_folders()
            _write_synced(probe, b"\n")
            probe.unlink()
        except OSError as error:
            return [f"The outbox {self.path} cannot be written: {error.strerror or error}."]
        return []

    def close(self) -> None:
        """Nothing is open."""


def file_name(outgoing: Outgoing, addressed: Addressed) -> str:
    """``<seconds>.<key>.newsletter``: the Maildir form, and the same in every retry (the date is frozen)."""
    if not _KEY.fullmatch(addressed.key):
        raise BadData(f"{addressed.key[:60]!r} is not a delivery's id", fix="this is a bug: please report it")
    return f"{int(outgoing.date.timestamp())}.{addressed.key}.newsletter"


def _write_synced(path: Path, data: bytes) -> None:
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "wb") as stream:
        stream.write(data)
        stream.flush()
        os.fsync(stream.fileno())


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _refused(key: str, error: OSError, path: Path) -> Result:
    detail = f"cannot write {path}: {error.strerror or error}"
    if error.errno in _NEEDS_A_PERSON:
        return Result(key, Outcome.FAILED, detail)
    return Result(key, Outcome.RETRY, detail, retry_after=60.0)
