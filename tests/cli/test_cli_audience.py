"""Readers from the command line."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

Run = Callable[..., Any]


def test_an_import_says_what_became_of_every_line(run: Run, weekly: Path, tmp_path: Path) -> None:
    """The sum of an import closes, refused lines are in a file with their number and reason."""
    path = tmp_path / "list.csv"
    path.write_bytes(
        "Mail;Vorname;Stadt\nada@readers.test;Ada;Ulm\nADA@readers.test;;\nkein Konto;X;Y\nö@readers.test;Ö;Z\n".encode(
            "cp1252"
        )
    )
    done = run("audience", "import", str(path), "--map", "Vorname=first_name")
    assert done.out.startswith("4 lines = ")
    assert "cp1252" in done.out
    assert "Stadt" in done.out
    rejected = (tmp_path / "list.rejected.csv").read_text(encoding="utf-8")
    assert "4" in rejected
    assert "kein Konto" in rejected
    shown = run("audience", "show", "ada@readers.test").out
    assert "first_name: Ada" in shown
    assert "imported" in shown
    assert run("audience", "import", str(path), "--map", "Vorname=first_name", "--json").json["unchanged"] >= 1
    run("audience", "import", str(path), "--map", "Vorname", code=2)


def test_a_file_without_an_address_column_imports_nothing(run: Run, weekly: Path, tmp_path: Path) -> None:
    """Exit 65, the columns that were seen, and --map as the way out."""
    path = tmp_path / "list.csv"
    path.write_text("name,city\nAda,Ulm\n", encoding="utf-8")
    refused = run("audience", "import", str(path), code=65)
    assert "--map" in refused.err
    assert run("audience", "list", "--json").json["total"] == 0


def test_readers_are_added_found_exported_and_let_go(run: Run, weekly: Path, tmp_path: Path, readers: int) -> None:
    """add, list, export, unsubscribe, suppress, erase."""
    run("audience", "add", "dee@readers.test", "first_name==SUM(1)")
    assert "4 readers" in run("audience", "list").out
    assert "1 of 4 readers" in run("audience", "list", "--limit", "1").out
    assert "dee@" in run("audience", "list", "--search", "DEE").out
    out = tmp_path / "all.csv"
    run("audience", "export", "--out", str(out))
    assert "'=SUM(1)" in out.read_text(encoding="utf-8")
    assert out.stat().st_mode & 0o077 == 0
    assert "ada@readers.test" in run("audience", "export").out

    assert "unsubscribed" in run("audience", "unsubscribe", "ada@readers.test").out
    assert "suppressed" in run("audience", "suppress", "nobody@readers.test", "--reason", "by letter").out
    run("audience", "suppress", "nobody@readers.test", "--reason", " ", code=65)
    run("audience", "erase", "bo@readers.test", "--yes")
    run("audience", "show", "bo@readers.test", code=65)
    assert run("audience", "list", "--status", "subscribed", "--json").json["total"] == 2
    run("audience", "add", "ada@readers.test", code=1)
    assert "did you mean" in run("audience", "add", "x@readers.test", "firstname=X", code=2).err
    run("audience", "add", "x@readers.test", "first_name", code=2)
    run("audience", "add", "not an address", code=65)


def test_an_export_to_a_place_that_cannot_be_written_leaves_nothing(run: Run, weekly: Path, tmp_path: Path) -> None:
    """Exit 73, no half file."""
    run("audience", "export", "--out", str(tmp_path / "nowhere" / "all.csv"), code=73)
    assert not list(tmp_path.rglob("*.part"))
