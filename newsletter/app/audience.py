"""Readers: import, look at, export, and let go."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TextIO

from newsletter.app.desk import Desk
from newsletter.app.words import plural
from newsletter.audience import importing, subscribers
from newsletter.audience.exporting import export_csv
from newsletter.audience.importing import ImportReport
from newsletter.audience.subscribers import ConsentRow, Subscriber
from newsletter.errors import BadData, CannotWrite, UsageProblem, did_you_mean
from newsletter.store.clock import from_us


@dataclass(frozen=True, slots=True)
class Imported:
    """What became of every record of a file."""

    file: str
    report: ImportReport

    def as_row(self) -> dict[str, Any]:
        """For ``--json``."""
        done = self.report
        return {
            "file": self.file,
            "records": done.records,
            "added": done.added,
            "updated": done.updated,
            "unchanged": done.unchanged,
            "duplicates": done.duplicates,
            "rejected": done.rejected,
            "suppressed": done.suppressed,
            "unsubscribed": done.unsubscribed,
            "encoding": done.encoding,
            "columns": dict(done.columns),
            "ignored_columns": list(done.ignored_columns),
            "rejects": str(done.rejects) if done.rejects else None,
        }

    def lines(self) -> list[str]:
        """For the terminal: the sum first."""
        done = self.report
        parts = [
            (done.added, "added"),
            (done.updated, "updated"),
            (done.unchanged, "unchanged"),
            (done.duplicates, "in the file twice"),
            (done.unsubscribed, "unsubscribed, and stay so"),
            (done.suppressed, "suppressed, and stay so"),
            (done.rejected, "rejected"),
        ]
        total = " + ".join(f"{count:,} {word}" for count, word in parts if count) or "0"
        lines = [f"{plural(done.records, 'line')} = {total}"]
        columns = ", ".join(f"{column} → {attribute}" for column, attribute in done.columns.items())
        lines.append(f"  columns: {columns}")
        if done.ignored_columns:
            lines.append(
                f"  ignored: {', '.join(done.ignored_columns)} (add them to [audience] attributes to keep them)"
            )
        if done.encoding not in {"utf-8", "utf-8-sig", "ascii"}:
            lines.append(f"  read as {done.encoding}")
        if done.rejects:
            lines.append(f"  rejected lines, with the reason: {done.rejects}")
        return lines


@dataclass(frozen=True, slots=True)
class ReaderRow:
    """One line of the list of readers."""

    address: str
    status: str
    words: str


@dataclass(frozen=True, slots=True)
class ReaderPage:
    """Some readers, and how many there are."""

    rows: Sequence[ReaderRow]
    total: int

    @property
    def sentence(self) -> str:
        """``50 of 12,000 readers``."""
        shown = len(self.rows)
        return plural(self.total, "reader") if shown == self.total else f"{shown:,} of {plural(self.total, 'reader')}"

    def as_row(self) -> dict[str, Any]:
        """For ``--json``."""
        return {"total": self.total, "readers": [{"address": r.address, "status": r.status} for r in self.rows]}


@dataclass(frozen=True, slots=True)
class ShownReader:
    """One reader and everything they agreed to."""

    reader: Subscriber
    consent: Sequence[ConsentRow]

    def as_row(self) -> dict[str, Any]:
        """For ``--json``."""
        return {
            "address": self.reader.address,
            "status": self.reader.status,
            "attributes": dict(self.reader.attributes),
            "consent": [
                {"event": c.event, "basis": c.basis, "source": c.source, "at": from_us(c.at).isoformat()}
                for c in self.consent
            ],
        }

    def lines(self) -> list[str]:
        """For the terminal."""
        lines = [f"{self.reader.address}: {self.reader.status}"]
        lines += [f"  {name}: {value}" for name, value in self.reader.attributes.items()]
        lines += [f"  {from_us(c.at):%Y-%m-%d %H:%M} UTC  {c.event}: {c.basis} ({c.source})" for c in self.consent]
        return lines


def import_readers(
    desk: Desk,
    file: Path,
    *,
    mapping: Mapping[str, str],
    basis: str,
    progress: Callable[[int, int], None] | None = None,
) -> Imported:
    """Import a CSV file, all of it or nothing; refused lines go to ``<file>.rejected.csv`` beside it."""
    rejects = file.with_name(f"{file.stem}.rejected.csv")
    report = importing.import_csv(
        desk.store,
        file,
        attributes=desk.config.audience.attributes,
        rejects=rejects,
        basis=basis,
        mapping=mapping,
        keys=desk.keys,
        progress=progress,
    )
    return Imported(str(file), report)


def add_reader(desk: Desk, address: str, attributes: Mapping[str, str], *, basis: str) -> str:
    """Add one reader; raises BadData for the address or an unknown attribute, IllegalState for one who left."""
    known = desk.config.audience.attributes
    for name in attributes:
        if name not in known:
            hint = did_you_mean(name, known)
            raise UsageProblem(
                f"readers have no attribute {name}" + (f" ({hint})" if hint else ""),
                fix=f"[audience] attributes in newsletter.toml names them: {', '.join(known)}",
            )
    added = subscribers.add(desk.store, address, attributes, basis, desk.keys)
    return f"{added.address}: {added.status}."


def list_readers(desk: Desk, *, search: str | None, status: str | None, limit: int) -> ReaderPage:
    """The first ``limit`` readers that match, and how many do."""
    found = subscribers.list_subscribers(desk.store, search=search, status=status, limit=limit)
    rows = [ReaderRow(r.address, r.status, "  ".join(f"{k}={v}" for k, v in r.attributes.items())) for r in found]
    return ReaderPage(rows, subscribers.count(desk.store, search=search, status=status))


def show_reader(desk: Desk, address: str) -> ShownReader:
    """One reader with the consent log; raises NotFound."""
    return ShownReader(*subscribers.show(desk.store, address))


def export_readers(desk: Desk, out: Path | None, stdout: TextIO) -> int:
    """Write all readers as CSV to ``out`` (whole or not at all) or to ``stdout``; how many."""
    if out is None:
        return export_csv(desk.store, stdout, desk.keys)
    temporary = out.with_name(f".{out.name}.part")
    try:
        with temporary.open("w", encoding="utf-8", newline="") as stream:
            temporary.chmod(0o600)
            count = export_csv(desk.store, stream, desk.keys)
        temporary.replace(out)
    except OSError as error:
        raise CannotWrite(f"cannot write the export: {error.strerror}", where=str(out)) from error
    finally:
        temporary.unlink(missing_ok=True)
    return count


def unsubscribe_reader(desk: Desk, address: str) -> str:
    """Unsubscribe, effective before the next claim of any mailing."""
    reader = subscribers.unsubscribe(desk.store, address, "by hand")
    return f"{reader.address}: {reader.status}."


def suppress_address(desk: Desk, address: str, reason: str) -> str:
    """Never mail this address again, whoever imports it."""
    if not reason.strip():
        raise BadData("a suppression needs a reason", fix='--reason "asked by letter"')
    new = subscribers.suppress(desk.store, address, reason, "by hand", desk.keys)
    return f"{address}: {'suppressed' if new else 'was suppressed already'}."


def erase_reader(desk: Desk, address: str) -> str:
    """Erase a reader's data everywhere; the sums of past mailings still close."""
    subscribers.erase(desk.store, address, desk.keys)
    return f"{address}: erased. A keyed hash stays, so that no import brings them back."
