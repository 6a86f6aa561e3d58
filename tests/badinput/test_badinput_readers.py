"""Lists of readers in other encodings, without addresses, or no lists at all."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest
from badinput_kit import Run, refused, tree

WORDS = "email;first_name\nzoe@readers.test;Zoë\nrene@readers.test;“René”\n"


def readers(run: Run) -> dict[str, Any]:
    """Address: attributes, of every reader."""
    listed = run("audience", "list", "--json").json["readers"]
    return {r["address"]: run("audience", "show", r["address"], "--json").json["attributes"] for r in listed}


@pytest.mark.parametrize(
    ("encoding", "said"),
    [("utf-8", "utf-8"), ("utf-8-sig", "utf-8"), ("utf-16", "utf-16"), ("utf-16-be", "utf-16"), ("cp1252", "cp1252")],
)
def test_names_survive_every_encoding_a_spreadsheet_writes(
    run: Run, weekly: Path, tmp_path: Path, encoding: str, said: str
) -> None:
    """The same readers with the same names, whatever the file is written in; the answer says what it was read as."""
    mark = b"\xfe\xff" if encoding == "utf-16-be" else b""
    path = tmp_path / "readers.csv"
    path.write_bytes(mark + WORDS.encode(encoding))
    done = run("audience", "import", str(path), "--json").json
    assert (done["added"], done["rejected"], done["encoding"]) == (2, 0, said)
    assert readers(run) == {"zoe@readers.test": {"first_name": "Zoë"}, "rene@readers.test": {"first_name": "“René”"}}


@pytest.mark.parametrize(
    ("name", "data", "words"),
    [
        ("names.csv", b"name,city\nAda,Paris\n", ("names.csv:1:", '"name", "city"', "--map")),
        ("empty.csv", b"", ("the file is empty",)),
        ("random.csv", b"\x81\x8d\x00" + os.urandom(5_000), ("CSV in UTF-8",)),
        ("picture.csv", b"\x89PNG\r\n\x1a\n" + bytes(4_000), ("CSV in UTF-8",)),
        ("book.xlsx", b"PK\x03\x04" + os.urandom(4_000), ("CSV",)),
        ("unmarked.csv", WORDS.encode("utf-16-le"), ("UTF-16 without its mark",)),
        ("quote.csv", b'email,first_name\na@b.test,"never closed\nc@d.test,C\n', ("quote.csv:2:", "close it")),
        ("late.csv", b"email,first_name\n" + b"a@b.test,A\n" * 9 + b'c@d.test,"open\n', ("late.csv:11:",)),
    ],
    ids=lambda value: value if isinstance(value, str) and "." in value else "",
)
def test_a_file_that_cannot_be_read_imports_nobody(
    run: Run, weekly: Path, tmp_path: Path, name: str, data: bytes, words: tuple[str, ...]
) -> None:
    """Exit 65, the file and line, a cure; no reader and no list of rejects, also when the fault comes late."""
    run("audience", "add", "old@readers.test", "first_name=Old")
    (tmp_path / name).write_bytes(data)
    before = tree(tmp_path)
    refused(run("audience", "import", str(tmp_path / name), code=65), name, *words)
    assert tree(tmp_path) == before
    assert readers(run) == {"old@readers.test": {"first_name": "Old"}}


def test_a_column_of_addresses_can_be_named(run: Run, weekly: Path, tmp_path: Path) -> None:
    """What the error says to do works."""
    (tmp_path / "people.csv").write_text("name,where\nAda,ada@readers.test\nBo,bo@readers.test\n")
    run("audience", "import", str(tmp_path / "people.csv"), "--map", "where=address", "--map", "name=first_name")
    assert readers(run) == {"ada@readers.test": {"first_name": "Ada"}, "bo@readers.test": {"first_name": "Bo"}}


def test_bad_lines_are_listed_with_number_and_reason_and_the_others_imported(
    run: Run, weekly: Path, tmp_path: Path
) -> None:
    """One bad line costs one reader, and the file with it can be mended and imported again."""
    path = tmp_path / "mixed.csv"
    path.write_text("email,first_name\nada@readers.test,Ada\nnot an address,Bo\n@readers.test,Cy\n", encoding="utf-8")
    done = run("audience", "import", str(path), "--json").json
    assert (done["added"], done["rejected"]) == (1, 2)
    rejects = Path(done["rejects"]).read_text(encoding="utf-8")
    assert "3" in rejects
    assert "not an address" in rejects
    assert list(readers(run)) == ["ada@readers.test"]
