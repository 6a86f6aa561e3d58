"""Importing readers from a CSV file: all of it or nothing, and nobody who has left is brought back.

The file is read, checked and staged first, without any lock; then one short transaction applies it. So a large
import does not keep a mailing that is under way from writing its ledger.
"""

from __future__ import annotations

import contextlib
import itertools
import tempfile
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import IO, TYPE_CHECKING, NamedTuple

import msgspec

from newsletter.audience.addresses import address_hash, normalise
from newsletter.audience.applying import Counts, StagedRow, apply_batches, let_go
from newsletter.audience.attributes import clean_value, unguard_cell
from newsletter.audience.columns import Columns, choose_columns, has_address_column
from newsletter.audience.csvfile import Record, open_csv
from newsletter.audience.rejects import Rejects, check_place
from newsletter.audience.standing import Left, require_there
from newsletter.errors import BadData, ImportRefused
from newsletter.workspace.files import cannot_write

if TYPE_CHECKING:
    from newsletter.store.engine import Store
    from newsletter.workspace.keys import Keys

BATCH = 1_000
_SAMPLE_RECORDS = 20
# A batch is a line of JSON: several times faster than the standard library's, which matters at a million rows.
_ENCODE = msgspec.json.Encoder().encode
_DECODE = msgspec.json.Decoder(tuple[list[StagedRow], dict[str, str]]).decode


@dataclass(frozen=True)
class ImportReport:
    """What became of every record below the header; the seven counts sum to ``records``.

    ``duplicates`` are records whose address stood further up, merged into that reader; ``unsubscribed`` and
    ``suppressed`` are records of readers who have left (or were erased) and stay so. ``left`` are readers who came by a
    file and of whom this one says that they are no subscribers: they left by it. ``columns`` is column: attribute.
    ``rejects`` is the file with the rejected lines, None when there are none; ``first_refused`` are the first of them
    as (line, reason).
    """

    added: int
    updated: int
    unchanged: int
    duplicates: int
    rejected: int
    suppressed: int
    unsubscribed: int
    encoding: str
    delimiter: str
    columns: Mapping[str, str]
    ignored_columns: tuple[str, ...]
    rejects: Path | None
    first_refused: tuple[tuple[int, str], ...] = ()
    left: int = 0

    @property
    def records(self) -> int:
        """Records below the header that are not blank."""
        taken = self.added + self.updated + self.unchanged + self.duplicates
        return taken + self.rejected + self.suppressed + self.unsubscribed


class _TakenBack(Exception):
    """Ends the transaction of a dry run, whose rows the database then forgets."""


def import_csv(
    store: Store,
    path: Path,
    *,
    attributes: Sequence[str],
    rejects: Path,
    basis: str = "imported",
    mapping: Mapping[str, str] = MappingProxyType({}),
    keys: Keys,
    progress: Callable[[int, int], None] | None = None,
    dry_run: bool = False,
    publish_rejects: bool = True,
) -> ImportReport:
    """Import a CSV file into the audience, all of it in one transaction.

    Empty cells change nothing. ``basis`` is why these readers may be written to; it goes into the consent log with
    the file's name. ``mapping`` is column: attribute (or ``address``, or ``""`` to leave the column out). ``progress``
    is called with bytes read and bytes in all. With ``dry_run`` all of it is done and taken back, so that what it says
    is what would happen; without ``publish_rejects`` refused lines are counted and written nowhere. Raises
    ``ImportRefused``, ``NotFound``, ``CannotWrite``, ``Busy``.
    """
    check_place(rejects, path)
    csv_file = open_csv(path, has_address_column)
    records = csv_file.records(None if progress is None else lambda done: progress(done, csv_file.size))
    columns, header, rows = _columns_of(records, attributes, mapping, str(path))
    with _staging(store.database.parent) as stage, Rejects(rejects, header) as refused:
        anybody_gone = _stage(_checked(rows, columns, refused, keys), stage)
        with contextlib.suppress(_TakenBack), store.write() as connection:
            batches = (rows for rows, _ in _staged(stage))
            counts = apply_batches(connection, batches, basis=basis, source=path.name)
            if anybody_gone:
                # Behind the others: of two lines about one reader the one that says no counts.
                counts.left = let_go(connection, (said for _, said in _staged(stage)), source=path.name)
            if publish_rejects:
                # Before the commit: were the process killed in between, the list must not be what is missing.
                refused.publish()
            if dry_run:
                raise _TakenBack
    if progress is not None:
        progress(csv_file.size, csv_file.size)
    return _report(counts, refused, csv_file.encoding, csv_file.delimiter, columns, written=publish_rejects)


def _report(
    counts: Counts, refused: Rejects, encoding: str, delimiter: str, columns: Columns, *, written: bool
) -> ImportReport:
    return ImportReport(
        added=counts.added,
        updated=counts.updated,
        unchanged=counts.unchanged,
        duplicates=counts.duplicates,
        rejected=refused.count,
        suppressed=counts.suppressed,
        unsubscribed=counts.unsubscribed,
        encoding=encoding,
        delimiter=delimiter,
        columns=columns.used,
        ignored_columns=columns.ignored,
        rejects=refused.path if refused.count and written else None,
        first_refused=tuple(refused.first),
        left=counts.left,
    )


def _columns_of(
    records: Iterator[Record], attributes: Sequence[str], mapping: Mapping[str, str], where: str
) -> tuple[Columns, list[str], Iterator[Record]]:
    first = next(records, None)
    if first is None:
        raise ImportRefused("the file is empty", where=where, fix="export it again")
    line, header, problem = first
    if problem is not None:
        raise ImportRefused(f"the column names cannot be read: {problem}", where=f"{where}:{line}", fix="correct them")
    sample = list(itertools.islice(records, _SAMPLE_RECORDS))
    columns = choose_columns(
        header, [cells for _, cells, _ in sample], attributes=attributes, mapping=mapping, where=f"{where}:{line}"
    )
    return columns, header, itertools.chain(sample, records)


class _Gone(NamedTuple):
    """Of an address key the file says that this is no subscriber, and how it says so."""

    key: str
    said: str


def _checked(rows: Iterable[Record], columns: Columns, refused: Rejects, keys: Keys) -> Iterator[StagedRow | _Gone]:
    """Every record that can be used, and who is gone by the file; the others, and those too, go to the rejects."""
    for line, cells, problem in rows:
        try:
            if problem is not None:
                raise BadData(problem)
            mailed, key = _address_of(cells, columns)
            try:
                _require_there(cells, columns)
            except Left as left:
                yield _Gone(key, left.said)
                raise
            values = _values_of(cells, columns)
        except BadData as error:
            refused.add(line, error.what, cells)
        else:
            yield StagedRow(mailed, key, address_hash(key, keys.suppression), values, 1)


def _address_of(cells: list[str], columns: Columns) -> tuple[str, str]:
    width = len(cells)
    if width > columns.width and any(cells[columns.width :]):
        raise BadData(f"{width} cells, the header has {columns.width}: a cell with the delimiter in it needs quotes")
    return normalise(unguard_cell(cells[columns.address].strip()) if columns.address < width else "")


def _require_there(cells: list[str], columns: Columns) -> None:
    for position, name, kind in columns.standing:
        if position < len(cells):
            require_there(name, kind, unguard_cell(cells[position]))


def _values_of(cells: list[str], columns: Columns) -> dict[str, str]:
    values = {}
    for position, attribute in columns.attributes:
        if position < len(cells) and (value := clean_value(unguard_cell(cells[position]))):
            values[attribute] = value
    return values


def _stage(rows: Iterator[StagedRow | _Gone], stage: IO[bytes]) -> bool:
    """Write the rows to the stage, a batch a line, with the same address twice in a batch merged.

    With each batch stands who is gone. Whether anybody is.
    """
    anybody = False
    while batch := list(itertools.islice(rows, BATCH)):
        merged: dict[str, StagedRow] = {}
        gone: dict[str, str] = {}
        for row in batch:
            if isinstance(row, _Gone):
                gone[row.key] = row.said
                continue
            former = merged.get(row.key)
            merged[row.key] = row if former is None else former.merged(row)
        try:
            stage.write(_ENCODE((list(merged.values()), gone)) + b"\n")
        except OSError as error:
            raise cannot_write(Path(str(stage.name)), error) from error
        anybody = anybody or bool(gone)
    return anybody


def _staged(stage: IO[bytes]) -> Iterator[tuple[list[StagedRow], dict[str, str]]]:
    try:
        stage.seek(0)
        for line in stage:
            yield _DECODE(line)
    except OSError as error:
        raise cannot_write(Path(str(stage.name)), error) from error


def _staging(folder: Path) -> IO[bytes]:
    """A file without a name, on the database's own disk and as private, gone when the process is."""
    try:
        return tempfile.TemporaryFile(dir=folder)
    except OSError as error:
        raise cannot_write(folder, error) from error
