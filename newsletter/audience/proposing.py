"""What the columns of a CSV file seem to be, for a person to confirm before anything is imported."""

from __future__ import annotations

import difflib
import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType

from newsletter.audience.addresses import normalise
from newsletter.audience.attributes import unguard_cell
from newsletter.audience.columns import ADDRESS, STATUS, choose_columns, has_address_column, squash
from newsletter.audience.csvfile import open_csv
from newsletter.errors import BadData, ImportRefused

ROWS = 200
"""Records that are looked at."""
SAMPLES = 3
_MOSTLY = 0.8
_NEAR = 0.75


@dataclass(frozen=True, slots=True)
class ProposedColumn:
    """One column: its name, what it becomes (``address``, ``status``, an attribute, or "" for ignored) and why.

    ``sure`` is False for a guess. ``samples`` are the first different values.
    """

    name: str
    target: str
    why: str
    sure: bool
    samples: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Proposal:
    """The columns of a file in their order. ``records`` counts the lines looked at, ``more`` says there are more."""

    columns: tuple[ProposedColumn, ...]
    encoding: str
    delimiter: str
    records: int
    more: bool

    @property
    def mapping(self) -> dict[str, str]:
        """What ``import_csv`` takes, once somebody has looked at it."""
        return {column.name: column.target for column in self.columns if column.name}

    @property
    def address(self) -> ProposedColumn | None:
        """The column of the addresses, None when no column looks like it."""
        return next((column for column in self.columns if column.target == ADDRESS), None)


def propose(path: Path, *, attributes: Sequence[str], mapping: Mapping[str, str] = MappingProxyType({})) -> Proposal:
    """Read the first records of a file and say what its columns seem to be; nothing is imported.

    ``mapping`` is what a person said already, and goes first. The address is found by the column's name, else by its
    content; attributes by their name in the languages we know, else by a near one. Raises ``ImportRefused`` and
    ``NotFound`` for a file that cannot be read, for a mapping that cannot be meant.
    """
    csv_file = open_csv(path, has_address_column)
    records = csv_file.records()
    first = next(records, None)
    if first is None or first[2] is not None:
        raise ImportRefused("the column names cannot be read", where=str(path), fix="correct the first line")
    header = first[1]
    read = [cells for _, cells, problem in itertools.islice(records, ROWS) if problem is None]
    more = next(records, None) is not None
    names = [unguard_cell(cell).strip() for cell in header]
    content = {} if ADDRESS in mapping.values() else _address_by_content(names, read)
    said = {**mapping}
    try:
        chosen = choose_columns(header, read, attributes=attributes, mapping=said, where=str(path))
    except ImportRefused:
        if not content:
            # Without any address there is nothing to choose; what is wrong with the mapping itself is said.
            choose_columns(["email", *header], [], attributes=attributes, mapping=said, where=str(path))
            used: Mapping[str, str] = dict(mapping)
        else:
            said |= content
            chosen = choose_columns(header, read, attributes=attributes, mapping=said, where=str(path))
            used = chosen.used
    else:
        content, used = {}, chosen.used
    near = _near([n for n in names if n not in used and n not in mapping], set(attributes) - set(used.values()))
    columns = []
    for position, name in enumerate(names):
        target = used.get(name, near.get(name, ""))
        why, sure = _why(name, target, mapping, content, near)
        samples = dict.fromkeys(cells[position].strip() for cells in read if position < len(cells))
        columns.append(ProposedColumn(name, target, why, sure, tuple(itertools.islice(filter(None, samples), SAMPLES))))
    return Proposal(tuple(columns), csv_file.encoding, csv_file.delimiter, len(read), more)


def _why(
    name: str, target: str, mapping: Mapping[str, str], content: Mapping[str, str], near: Mapping[str, str]
) -> tuple[str, bool]:
    if name in mapping:
        return "you said so", True
    if name in content:
        return "there are addresses in it", False
    if name in near:
        return f"the name is near {target}", False
    if target == STATUS:
        return "it says who is subscribed; whoever is not stays out", True
    return ("by its name", True) if target else ("no attribute has this name", True)


def _address_by_content(names: Sequence[str], read: Sequence[Sequence[str]]) -> dict[str, str]:
    """The column most of whose cells are addresses, and more than any other's."""
    best: tuple[float, str] = (_MOSTLY, "")
    for position, name in enumerate(names):
        cells = [cell for row in read if position < len(row) and (cell := row[position].strip())]
        share = sum(map(_is_address, cells)) / len(cells) if cells else 0.0
        if name and names.count(name) == 1 and share > best[0]:
            best = (share, name)
    return {best[1]: ADDRESS} if best[1] else {}


def _is_address(cell: str) -> bool:
    try:
        normalise(unguard_cell(cell))
    except BadData:
        return False
    return True


def _near(names: Sequence[str], free: set[str]) -> dict[str, str]:
    """Columns whose name is nearly that of an attribute that no column has yet: ``first nam``, ``city name``."""
    found: dict[str, str] = {}
    for attribute in sorted(free):
        words = {squash(name): name for name in names if name and name not in found}
        close = difflib.get_close_matches(squash(attribute), words, n=1, cutoff=_NEAR)
        if close:
            found[words[close[0]]] = attribute
    return found
