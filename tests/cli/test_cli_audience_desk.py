"""Readers at a desk: found and paged, each with their history; an import that is tried before it is made."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

Run = Callable[..., Any]


@pytest.fixture
def many(run: Run, weekly: Path, tmp_path: Path) -> None:
    names = ["Ada Reyes", "Bo", "Ömer", "Maren O'Dowd", "Adalbert"]
    lines = [f"reader{n}@readers.test,{name}\n" for n, name in enumerate(names)]
    path = tmp_path / "many.csv"
    path.write_text("email,first_name\n" + "".join(lines), encoding="utf-8")
    run("audience", "import", str(path))


def found(run: Run, *arguments: str) -> list[str]:
    return [reader["address"][6] for reader in run("audience", "list", *arguments, "--json").json["readers"]]


@pytest.mark.parametrize(
    ("words", "who"),
    [("ada", "04"), ("ADA reyes", "0"), ("reyes", "0"), ("ömer", "2"), ("reader3", "3"), ("dalbert", ""),
     ("first_name", ""), ("%", ""), ("o'dowd", "3"), ('"', ""), ("\\", "")],
)  # fmt: skip
def test_words_are_looked_for_in_addresses_and_at_the_beginning_of_names(
    run: Run, many: None, words: str, who: str
) -> None:
    """All words must be there; what is special to the database is a letter like others; no attribute's name is read."""
    assert found(run, "--search", words) == list(who)


def test_pages_follow_each_other_without_gap_or_repeat(run: Run, many: None) -> None:
    """Also while somebody joins; the last page names no next one."""
    seen: list[str] = []
    after = "0"
    for size in (2, 2, 1):
        page = run("audience", "list", "--limit", "2", "--after", after, "--json").json
        assert len(page["readers"]) == size
        seen += [reader["address"][6] for reader in page["readers"]]
        after = str(page["after"])
    assert (seen, after) == (list("01234"), "None")
    assert "Go on with: --after 2" in run("audience", "list", "--limit", "2").out


def test_the_suppressed_are_shown_as_such_and_found(run: Run, many: None, monkeypatch: pytest.MonkeyPatch) -> None:
    """They are subscribed, and get nothing."""
    run("audience", "suppress", "reader1@readers.test", "--reason", "by letter")
    run("audience", "suppress", "reader4@readers.test")
    run("audience", "unsubscribe", "reader2@readers.test")
    rows = run("audience", "list", "--json").json["readers"]
    assert [row["status"] for row in rows] == ["subscribed", "suppressed", "unsubscribed", "subscribed", "suppressed"]
    assert found(run, "--state", "suppressed") == ["1", "4"]
    assert found(run, "--state", "suppressed", "--search", "adalbert") == ["4"]
    page = run("audience", "list", "--state", "suppressed", "--limit", "1", "--json").json
    assert found(run, "--state", "suppressed", "--after", str(page["after"])) == ["4"]
    monkeypatch.setattr("newsletter.app.readers._CHUNK", 1)
    monkeypatch.setattr("newsletter.app.readers._SCAN", 1)
    page = run("audience", "list", "--state", "suppressed", "--json").json
    assert (page["readers"], page["after"]) == ([], 1), "one page reads so many, and says where to go on"
    assert found(run, "--state", "suppressed", "--after", "1") == ["1"]


def test_a_reader_is_shown_with_everything_that_happened(run: Run, weekly: Path, issue: str, readers: int) -> None:
    """Each issue with its state, each event in words; why nothing comes any more."""
    run("approve", issue, "--send-at", "now")
    run("run-due")
    assert "gets the next issue" in run("audience", "show", "ada@readers.test").out
    with closing(sqlite3.connect(weekly / ".newsletter" / "newsletter.db")) as raw, raw:
        raw.execute(
            "insert into event select d.id, 'bounced', d.updated_at + 5, d.mailing_id, 'unknown', '550 5.1.1 gone', 0"
            " from delivery d where d.address = 'ada@readers.test'"
        )
    run("audience", "suppress", "ada@readers.test", "--reason", "unknown mailbox")
    said = run("audience", "show", "ADA@readers.test").out
    assert "gets no issue: suppressed, unknown mailbox" in said
    assert f"{issue}  submitted" in said
    assert "bounced: no such mailbox (550 5.1.1 gone)" in said
    row = run("audience", "show", "ada@readers.test", "--json").json
    assert (row["gets_next"], row["suppressed"]["reason"]) == (False, "unknown mailbox")
    assert [(i["issue"], i["events"][0]["kind"]) for i in row["issues"]] == [(issue, "bounced")]
    run("audience", "unsubscribe", "bo@readers.test")
    assert "gets no issue: unsubscribed" in run("audience", "show", "bo@readers.test").out


def test_the_parts_of_the_audience_are_listed_and_can_be_looked_at(run: Run, issue: str, readers: int) -> None:
    """Everybody, and who got an issue; one who came later did not."""
    run("approve", issue, "--send-at", "now")
    run("run-due")
    run("audience", "add", "new@readers.test")
    rows = run("audience", "segments", "--json").json["segments"]
    assert [(row["name"], row["count"]) for row in rows] == [("everybody", readers + 1), (f"got:{issue}", readers)]
    assert run("audience", "list", "--segment", f"got:{issue}", "--json").json["total"] == readers
    assert run("audience", "list", "--segment", "everybody", "--json").json["total"] == readers + 1
    run("issue", "duplicate", issue, "2026-12-04")
    run("approve", "2026-12-04", "--send-at", "now")
    run("run-due")
    assert [row["count"] for row in run("audience", "segments", "--json").json["segments"]] == [4, 4, 3]
    assert run("audience", "list", "--segment", f"got:{issue}", "--json").json["total"] == readers
    assert "segments" in run("audience", "list", "--segment", "vips", code=65).err
    run("audience", "list", "--segment", "got:2020-01-01", code=65)


def test_a_dry_run_says_what_the_import_then_does_and_changes_nothing(
    run: Run, weekly: Path, tmp_path: Path, readers: int
) -> None:
    """The same numbers, refused lines with their reasons, a file of them where it is asked for."""
    run("audience", "suppress", "lost@readers.test")
    run("audience", "unsubscribe", "bo@readers.test")
    path = tmp_path / "list.csv"
    path.write_text(
        "E-mail,Vorname,Shoe\nada@readers.test,Adele,1\nbo@readers.test,Bo,2\nnew@readers.test,Nev,3\n"
        "lost@readers.test,L,4\nnobody,X,5\n",
        encoding="utf-8",
    )
    call = ("audience", "import", str(path), "--map", "E-mail=address", "--map", "Vorname=first_name")
    before = run("audience", "export").out
    said = run(*call, "--dry-run").out
    assert "Nothing was imported. This would happen: 5 lines = 1 added + 1 updated" in said
    assert "line 6: there is no @ in the address" in said
    assert "you said so" in said
    assert "no attribute has this name" in said
    tried = run(*call, "--dry-run", "--json").json
    assert [c["target"] for c in tried["proposed"]] == ["address", "first_name", ""]
    assert run("audience", "export").out == before
    assert not list(tmp_path.rglob("*.rejected.csv"))
    rejects = tmp_path / "refused.csv"
    run(*call, "--dry-run", "--rejects", str(rejects))
    assert "nobody" in rejects.read_text(encoding="utf-8")
    rejects.unlink()
    done = run(*call, "--rejects", str(rejects), "--json").json
    counts = ("records", "added", "updated", "unchanged", "duplicates", "rejected", "suppressed", "unsubscribed")
    assert {name: done[name] for name in counts} == {name: tried[name] for name in counts}
    assert (done["added"], done["updated"], done["rejected"], done["suppressed"], done["unsubscribed"]) == (1,) * 5
    assert rejects.exists()
    assert run("audience", "export").out != before
