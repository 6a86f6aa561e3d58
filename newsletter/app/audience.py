"""Readers: import, look at, export, and let go."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TextIO

from newsletter.app import trail
from newsletter.app.desk import Desk
from newsletter.app.words import plural
from newsletter.audience import importing, subscribers
from newsletter.audience.columns import ADDRESS, STATUS
from newsletter.audience.exporting import export_csv
from newsletter.audience.importing import ImportReport
from newsletter.audience.proposing import Proposal, propose
from newsletter.errors import BadData, CannotWrite, UsageProblem, did_you_mean

_COUNTS = ("added", "updated", "unchanged", "duplicates", "rejected", "suppressed", "unsubscribed", "left")


@dataclass(frozen=True, slots=True)
class Imported:
    """What became of every record of a file."""

    file: str
    report: ImportReport
    dry_run: bool = False

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
            "left": done.left,
            "encoding": done.encoding,
            "columns": dict(done.columns),
            "ignored_columns": list(done.ignored_columns),
            "rejects": str(done.rejects) if done.rejects else None,
            "dry_run": self.dry_run,
            "refused": [{"line": line, "reason": reason} for line, reason in done.first_refused],
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
        if self.dry_run:
            lines[0] = f"Nothing was imported. This would happen: {lines[0]}"
        if done.left:
            would = "would leave" if self.dry_run else "left"
            lines.append(f"  {plural(done.left, 'reader')} of an earlier file {would}: this one says so of them")
        columns = ", ".join(f"{column} → {attribute}" for column, attribute in done.columns.items())
        lines.append(f"  columns: {columns}")
        if done.ignored_columns:
            lines.append(
                f"  ignored: {', '.join(done.ignored_columns)} (add them to [audience] attributes to keep them)"
            )
        if done.encoding not in {"utf-8", "utf-8-sig", "ascii"}:
            lines.append(f"  read as {done.encoding}")
        if self.dry_run:
            lines += [f"  line {line}: {reason}" for line, reason in done.first_refused]
            if done.rejected > len(done.first_refused):
                lines.append(f"  and {done.rejected - len(done.first_refused):,} more; --rejects FILE has all of them")
        if done.rejects:
            lines.append(f"  rejected lines, with the reason: {done.rejects}")
        return lines


def import_readers(
    desk: Desk,
    file: Path,
    *,
    mapping: Mapping[str, str],
    basis: str,
    progress: Callable[[int, int], None] | None = None,
    rejects: Path | None = None,
    dry_run: bool = False,
) -> Imported:
    """Import a CSV file, all of it or nothing; refused lines go to ``rejects``, or ``<file>.rejected.csv`` beside it.

    With ``dry_run`` all of it is done and taken back: the counts are what would happen. Refused lines are then written
    only where ``rejects`` says so.
    """
    hidden = desk.workspace.cache / "import.rejected.csv" if dry_run else None
    report = importing.import_csv(
        desk.store,
        file,
        attributes=desk.config.audience.attributes,
        rejects=rejects or hidden or file.with_name(f"{file.stem}.rejected.csv"),
        basis=basis,
        mapping=mapping,
        keys=desk.keys,
        progress=progress,
        dry_run=dry_run,
        publish_rejects=not dry_run or rejects is not None,
    )
    if not dry_run:
        counts = {name: getattr(report, name) for name in _COUNTS}
        trail.note(desk, "import readers", file=file.name, basis=basis, **counts)
    return Imported(str(file), report, dry_run)


def propose_columns(desk: Desk, file: Path, *, mapping: Mapping[str, str]) -> Proposal:
    """What the columns of a CSV file seem to be, for somebody to confirm; nothing is imported."""
    return propose(file, attributes=desk.config.audience.attributes, mapping=mapping)


def import_targets(desk: Desk) -> list[tuple[str, str]]:
    """What a column of a file can become, and the same in words; an attribute goes before what we call so ourselves."""
    own = {ADDRESS: ADDRESS, STATUS: "whether subscribed"}
    return list({**own, **{name: name.replace("_", " ") for name in desk.config.audience.attributes}}.items())


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
    trail.note(desk, "add a reader")
    return f"{added.address}: {added.status}."


def export_readers(desk: Desk, out: Path | None, stdout: TextIO) -> int:
    """Write all readers as CSV to ``out`` (whole or not at all) or to ``stdout``; how many."""
    # Before a line of it is out: whoever ends a pipe early has read readers, too.
    trail.note(desk, "export readers")
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
    trail.note(desk, "unsubscribe a reader")
    return f"{reader.address}: {reader.status}."


def suppress_address(desk: Desk, address: str, reason: str) -> str:
    """Never mail this address again, whoever imports it."""
    if not reason.strip():
        raise BadData("a suppression needs a reason", fix='--reason "asked by letter"')
    new = subscribers.suppress(desk.store, address, reason, "by hand", desk.keys)
    trail.note(desk, "suppress an address")
    return f"{address}: {'suppressed' if new else 'was suppressed already'}."


def erase_reader(desk: Desk, address: str) -> str:
    """Erase a reader's data everywhere; the sums of past mailings still close."""
    subscribers.erase(desk.store, address, desk.keys)
    trail.note(desk, "erase a reader")
    return f"{address}: erased. A keyed hash stays, so that no import brings them back."
