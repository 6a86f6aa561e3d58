"""Reading a CSV file as it comes: its encoding, its delimiter, and its records with their line numbers."""

from __future__ import annotations

import codecs
import csv
import io
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TextIO

from newsletter.errors import ImportRefused, NotFound

DELIMITERS = (",", ";", "\t", "|")
MAX_LINE = 1_000_000
"""Characters: no reader takes that much, so it is another kind of file, or one quote is not closed."""

_CHUNK = 1 << 20
_SAMPLE = 1 << 16
_NAMES = {"utf-8": "utf-8", "utf-8-sig": "utf-8", "utf-16": "utf-16", "cp1252": "cp1252"}
_BINARY = re.compile(r"[\x00-\x08\x0e-\x1a\x1c-\x1f]")
_NUL = re.compile("\x00")
_QUOTED = re.compile(r'"[^"]*"?')
_LINE_END = re.compile(r"\r\n?|\n")
_BARE = "\udc0d"
"""Stands for a carriage return within a line while ``csv`` reads it; no codec makes it, so it is in no file."""
_AS_CSV = "save it as CSV in UTF-8 (spreadsheets: File > Save as > CSV UTF-8)"

Record = tuple[int, list[str], str | None]
"""The physical line it starts on (from 1), its cells, and why it cannot be read (its only cell is then raw text)."""


@dataclass(frozen=True)
class CsvFile:
    """A CSV file that was read through once: its text decodes. ``encoding`` is the name to show."""

    path: Path
    codec: str
    delimiter: str
    size: int
    newline: str = "\n"
    """What ``open`` takes: lines end in LF or CRLF, or ("") in CR as well, as old Macs wrote them."""

    @property
    def encoding(self) -> str:
        """``utf-8``, ``utf-16`` or ``cp1252``."""
        return _NAMES[self.codec]

    def records(self, read: Callable[[int], None] | None = None) -> Iterator[Record]:
        """Every record that is not blank, the header first. ``read`` is told the bytes read so far, now and then.

        Raises ``ImportRefused`` where what follows cannot be read: a quote that is never closed, an endless line.
        """
        try:
            with self.path.open("rb") as raw, io.TextIOWrapper(raw, encoding=self.codec, newline=self.newline) as file:
                for count, record in enumerate(_records(file, self.delimiter, str(self.path))):
                    if read is not None and count % 1000 == 0:
                        read(raw.tell())
                    yield record
        except (OSError, UnicodeError) as error:
            raise ImportRefused(f"cannot read the file: {error}", where=str(self.path), fix="try again") from error


def open_csv(path: Path, looks_right: Callable[[list[str]], bool]) -> CsvFile:
    """Find out how a file is written. ``looks_right`` says whether a header has a column that we look for.

    UTF-8 with or without BOM, UTF-16 with BOM, else cp1252; comma, semicolon, tab or bar, whichever makes a header
    that looks right with the most columns. Raises ``NotFound`` and ``ImportRefused``.
    """
    try:
        if not path.is_file():
            what = "this is not a file" if path.exists() else "there is no such file"
            raise NotFound(what, where=str(path), fix="name a CSV file")
        codec = _codec_of(path)
        with path.open("r", encoding=codec, newline="") as file:
            sample = file.read(_SAMPLE)
        size = path.stat().st_size
    except OSError as error:
        raise ImportRefused(
            f"cannot read the file: {error.strerror}", where=str(path), fix="check that this account may read it"
        ) from error
    if not sample.strip():
        raise ImportRefused("the file is empty", where=str(path), fix="export it again")
    newline = _newline_of(sample)
    return CsvFile(path, codec, _delimiter_of(sample, newline, looks_right), size, newline)


def _codec_of(path: Path) -> str:
    with path.open("rb") as file:
        start = file.read(4)
    if start.startswith((b"PK\x03\x04", b"\xd0\xcf\x11\xe0")):
        raise ImportRefused("this is a spreadsheet or an archive, not a CSV file", where=str(path), fix=_AS_CSV)
    if start.startswith(codecs.BOM_UTF8):
        candidates = ["utf-8-sig"]
    elif start.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        candidates = ["utf-16"]
    else:
        candidates = ["utf-8", "cp1252"]
    for codec in candidates:
        try:
            _decode_through(path, codec)
        except UnicodeDecodeError:
            continue
        return codec
    tried = " nor ".join(_NAMES[codec].replace("utf", "UTF") for codec in candidates)
    raise ImportRefused(f"the text is not {tried}", where=str(path), fix=_AS_CSV)


def _decode_through(path: Path, codec: str) -> None:
    """Decode the whole file once, so that a bad byte in the last line is found before anything is imported."""
    decoder = codecs.getincrementaldecoder(codec)()
    # Any bytes at all decode as cp1252, or nearly; a picture shows itself by its control characters.
    binary = _BINARY if codec == "cp1252" else _NUL
    line = 1
    with path.open("rb") as file:
        while True:
            chunk = file.read(_CHUNK)
            text = decoder.decode(chunk, final=not chunk)
            found = binary.search(text)
            if found:
                line += text.count("\n", 0, found.start())
                raise ImportRefused(
                    f"there is a control character (U+{ord(found.group()):04X}): "
                    "this is not text, or UTF-16 without its mark",
                    where=f"{path}:{line}",
                    fix=_AS_CSV,
                )
            if not chunk:
                return
            line += text.count("\n")


def _newline_of(sample: str) -> str:
    """How ``open`` is to split lines, by how the first one ends: where LF does it, a CR alone is part of a value."""
    first = _LINE_END.search(_QUOTED.sub("", sample.lstrip("\r\n")))
    return "" if first is not None and first.group() == "\r" else "\n"


def _delimiter_of(sample: str, newline: str, looks_right: Callable[[list[str]], bool]) -> str:
    first = sample.lstrip().partition("\n")[0].strip()
    # Excel's own hint, on a line before the header.
    if re.fullmatch(r"(?i)sep=[,;\t|]", first):
        return first[-1]
    best = ((False, 0), DELIMITERS[0])
    for delimiter in DELIMITERS:
        header: list[str] = []
        try:
            for _, cells, problem in _records(io.StringIO(sample, newline=newline), delimiter, "the header"):
                header = [] if problem else cells
                break
        except ImportRefused:
            # With another delimiter the quotes may fall right.
            continue
        score = (looks_right(header), len(header))
        if score > best[0]:
            best = (score, delimiter)
    return best[1]


def _records(file: TextIO, delimiter: str, where: str) -> Iterator[Record]:
    raw: list[str] = []
    bare: list[int] = []
    reader = csv.reader(_lines(file, raw, bare, where), delimiter=delimiter, strict=True)
    while True:
        start = reader.line_num + 1
        raw.clear()
        try:
            cells = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            # Not strict, the module would take all lines up to the end as one cell, and say nothing.
            if "unexpected end" in str(error) or "field larger" in str(error):
                raise ImportRefused(
                    "a quote is opened here and not closed again",
                    where=f"{where}:{start}",
                    fix='close it, or write a quote inside a cell twice: "the ""Echo"" desk"',
                ) from error
            yield start, ["".join(raw).rstrip("\r\n")], "a quote stands in the middle of a cell"
            continue
        if bare:
            bare.clear()
            cells = [cell.replace(_BARE, "\r") for cell in cells]
        if any(cells) and not (start == 1 and re.fullmatch(r"(?i)sep=.?", delimiter.join(cells))):
            yield start, cells, None


def _lines(file: TextIO, raw: list[str], bare: list[int], where: str) -> Iterator[str]:
    number = 0
    while line := file.readline(MAX_LINE):
        number += 1
        if len(line) >= MAX_LINE:
            raise ImportRefused(f"the line has over {MAX_LINE:,} characters", where=f"{where}:{number}", fix=_AS_CSV)
        raw.append(line)
        # The module takes a CR in the middle of a cell for an error, although it writes them itself.
        end = len(line.rstrip("\n"))
        end -= line.endswith(("\r", "\r\n"))
        if "\r" in line[:end]:
            bare.append(number)
            line = line[:end].replace("\r", _BARE) + line[end:]
        yield line
