"""People, and the audit of everything, from the command line."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from newsletter.app import signin
from newsletter.app.desk import open_desk

Run = Callable[..., Any]

COMPOSER = """
[composer]
url = "https://desk.breakwater.test"
people = [{email = "maren@breakwater.test", name = "Maren", role = "publisher"}, {email = "ines@breakwater.test"}]
"""


def test_people_are_listed_and_signed_out(run: Run, weekly: Path) -> None:
    assert "this machine only" in run("people", "list").out
    with (weekly / "newsletter.toml").open("a", encoding="utf-8") as file:
        file.write(COMPOSER)
    with open_desk() as desk:
        asked = signin.ask(desk, "maren@breakwater.test", peer="192.0.2.1")
        assert asked.letter
        token = asked.letter.text.split("/sign-in/")[1].split()[0]
        held = signin.sign_in(desk, token, asked.browser).token or ""
    said = run("people", "list").out
    assert "signed in since" in said.splitlines()[0]
    assert "signed in" not in said.splitlines()[1]
    row = run("people", "list", "--json").json["people"]
    assert [(p["role"], len(p["sessions"])) for p in row] == [("publisher", 1), ("editor", 0)]
    run("people", "sign-out", code=2)
    run("people", "sign-out", "x@y.test", "--all", code=2)
    run("people", "sign-out", "--all", code=1)
    assert "Ended 0 sessions" in run("people", "sign-out", "ines@breakwater.test").out
    assert "Ended 1 session." in run("people", "sign-out", "maren@breakwater.test", "--by", "Tove").out
    with open_desk() as desk:
        assert signin.who(desk, held) is None
    assert "Tove: end sessions: sessions 1" in run("audit", "--all").out


@pytest.mark.parametrize(
    ("lines", "key"),
    [
        ('people = [{email = "a@b.test"}]', "nobody is publisher"),
        ('people = [{email = "a@b.test", role = "publisher"}, {email = "A@b.test"}]', "there twice"),
        ('people = [{email = "a", role = "publisher"}]', "no email address"),
        ('people = [{email = "", role = "publisher"}]', "no address"),
        ('people = [{email = "a@b.test", role = "boss"}]', "editor, publisher"),
        ('people = [{email = "a@b.test", name = "A\\nB", role = "publisher"}]', "one line"),
        ('url = "http://desk.example.org"', "without https"),
        ('user_header = "X-User"', "trusted_proxies"),
        ('url = "https://example.org/composer/"', "cannot stand below a path"),
        ('url = "https://example.org:8443/composer"', 'Fix: url = "https://example.org:8443"'),
        ('user_header = "Cookie"\ntrusted_proxies = ["10.0.0.5"]', "no header that names a user"),
        ('user_header = "X-User"\ntrusted_proxies = ["10.0.0.500"]', "no address or network"),
        ('user_header = "X-User"\ntrusted_proxies = ["0.0.0.0/0"]', "everybody"),
        ('session = "1m"', "too short"),
        ('session = "soon"', "no duration"),
    ],
)
def test_what_would_let_in_somebody_else_is_refused(run: Run, weekly: Path, lines: str, key: str) -> None:
    with (weekly / "newsletter.toml").open("a", encoding="utf-8") as file:
        file.write(f"\n[composer]\n{lines}\n")
    assert key in run("people", "list", code=78).err


def test_everything_that_changes_something_is_noted_with_who_and_names_no_reader(
    run: Run, weekly: Path, issue: str, readers: int, tmp_path: Path
) -> None:
    """In the order of time, across issues; --by, else the user of the machine; pages further back."""
    run("audience", "add", "dee@readers.test", "--by", "Maren")
    run("audience", "suppress", "dee@readers.test", "--by", "Maren")
    run("audience", "erase", "cy@readers.test", "--yes", "--by", "Maren")
    run("audience", "export", "--out", str(tmp_path / "all.csv"))
    run("approve", issue, "--by", "Ines")
    run("send", issue, "--yes", "--by", "Tove")
    said = run("audit", "--all").out
    assert "@" not in said
    assert "imported readers.csv: 3 added" in said
    order = ["imported", "Maren: add a reader", "Maren: suppress", "Maren: erase", "export", "Ines: ", "Tove: "]
    assert [said.index(word) for word in order] == sorted(said.index(word) for word in order)
    assert f"Ines: {issue}: approved" in said
    assert f"Tove: {issue}: scheduled" in said
    row = run("audit", "--all", "--limit", "2", "--json").json
    assert row["schema"] == "newsletter/audit-all/1"
    assert len(row["events"]) == 2
    earlier = run("audit", "--all", "--limit", "1000", "--before", str(row["before"]), "--json").json
    assert earlier["before"] is None
    assert len(earlier["events"]) + 2 == len(run("audit", "--all", "--json").json["events"])
    assert "Further back: --before" in run("audit", "--all", "--limit", "2").out
    run("audit", code=2)
    run("audit", issue, "--all", code=2)
    run("audience", "add", "x@y.test", "--by", " ", code=2)
