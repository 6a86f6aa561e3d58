"""``./dev update-clients``: nothing is read before it is verified, nothing is unpacked."""

from __future__ import annotations

import base64
import hashlib
import io
import json
import tarfile
from pathlib import Path

import pytest

from tools import update_clients as tool

ROOT = Path(__file__).parents[2]
LICENCE = "MIT License\n\nCopyright © A. Nobody\n\nPermission is hereby granted, free of charge …\n"
SOURCE = {
    "last_update_date": "2026-05-13 14:45:41 +0000",
    "data": [
        {
            "slug": "css-float",
            "title": "float ",
            "description": "Prose that stays behind.",
            "category": "css",
            "last_test_date": "2024-05-8",
            "stats": {"gmail": {"ios": {"2019-02": "y", "2024-05": "a #2"}}},
            "notes_by_num": {"1": "Never named.", "2": "Partial. Not [here](https://example.org/x)."},
        },
        {
            "slug": "css-clear",
            "title": "clear",
            "category": "css",
            "last_test_date": "2024-09-06",
            "stats": {},
            "notes_by_num": None,
        },
    ],
}


def packed(files: dict[str, bytes], *, link: str = "", inside: str = "") -> bytes:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w:gz") as archive:
        for name, data in files.items():
            member = tarfile.TarInfo(name)
            member.size = len(data)
            archive.addfile(member, io.BytesIO(data))
        if link:
            member = tarfile.TarInfo(inside)
            member.type, member.linkname = tarfile.SYMTYPE, link
            archive.addfile(member)
    return out.getvalue()


def integrity(data: bytes) -> str:
    return "sha512-" + base64.b64encode(hashlib.sha512(data).digest()).decode()


@pytest.fixture
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The two files are written into a folder of the test."""
    monkeypatch.setattr(tool, "ROOT", tmp_path)
    monkeypatch.setattr(tool, "FACTS", tmp_path / "facts.json")
    monkeypatch.setattr(tool, "NOTICE", tmp_path / "facts.LICENSE")
    return tmp_path


def test_a_package_with_other_bytes_is_refused_and_nothing_is_written(elsewhere: Path) -> None:
    """One changed byte in a package that is otherwise right."""
    package = packed({tool.DATA: json.dumps(SOURCE).encode(), tool.LICENCE: LICENCE.encode()})
    file = elsewhere / "package.tgz"
    file.write_bytes(package + b"\0")
    with pytest.raises(SystemExit, match="not the pinned one"):
        tool.main([str(file)])
    assert sorted(p.name for p in elsewhere.iterdir()) == ["package.tgz"]


def test_a_verified_package_becomes_facts_and_their_licence(elsewhere: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Sorted, without prose, with only the notes that the facts name."""
    package = packed({tool.DATA: json.dumps(SOURCE).encode(), tool.LICENCE: LICENCE.encode()})
    monkeypatch.setattr(tool, "INTEGRITY", integrity(package))
    file = elsewhere / "package.tgz"
    file.write_bytes(package)
    tool.main([str(file)])
    first = tool.FACTS.read_bytes()
    found = json.loads(first)
    assert list(found["features"]) == ["css-clear", "css-float"]
    title, category, tested, support, notes = found["features"]["css-float"]
    assert (title, category, tested) == ("float", "css", "2024-05-08")
    assert support.split()[list(tool.FAMILIES).index("gmail")] == "a@2024-05#2"
    assert notes == {"2": "Partial. Not here."}
    assert "Prose" not in first.decode()
    assert found["copyright"] == ["Copyright © A. Nobody", tool.TESTS_NOTICE]
    notice = tool.NOTICE.read_text(encoding="utf-8")
    assert f"Copyright © A. Nobody\n{tool.TESTS_NOTICE}\n" in notice
    tool.main([str(file)])
    assert tool.FACTS.read_bytes() == first


def test_a_member_that_is_a_link_is_refused() -> None:
    """An archive could point to a file of this machine."""
    with pytest.raises(SystemExit, match="no plain file"):
        tool.read_member(packed({}, link="/etc/passwd", inside=tool.DATA), tool.DATA)


def test_a_huge_member_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """A few kilobytes can unpack to gigabytes."""
    monkeypatch.setattr(tool, "MOST_BYTES", 1000)
    with pytest.raises(SystemExit, match="sensible size"):
        tool.read_member(packed({tool.DATA: b" " * 1001}), tool.DATA)


def test_a_name_that_climbs_out_of_the_archive_is_never_written(tmp_path: Path) -> None:
    """Members are read in memory, by their exact names."""
    package = packed({"../../escaped": b"x", tool.DATA: b"{}"})
    assert tool.read_member(package, tool.DATA) == b"{}"
    assert not list(tmp_path.iterdir())


CELLS = [
    ({"macos": {"9": "y", "16": "n"}}, "n@16", "the last listed version, though 16 sorts before 9 as text"),
    ({"macos": {"16": "n", "9": "y"}}, "y@9", "listed, not largest"),
    ({"macos": {"16": "y"}, "ios": {"17": "n #3 #12"}}, "n1@17#3,12", "the worst platform, named"),
    ({"macos": {"16": "n"}, "ios": {"17": "n"}}, "n@16", "all alike: none is named"),
    ({"macos": {"16": "a #1"}, "ios": {"17": "a #2"}}, "a@16#1,2", "notes of all the worst"),
    ({"macos": {"16": "u"}, "ios": {"17": "y #4"}}, "y@17", "unknown does not count; support needs no note"),
    ({"macos": {"16": "u"}}, "u", "unknown"),
    ({}, "u", "never tested"),
]


@pytest.mark.parametrize(("stats", "cell", "why"), CELLS, ids=[why for *_, why in CELLS])
def test_a_family_is_one_cell(stats: dict[str, dict[str, str]], cell: str, why: str) -> None:
    """Level, platforms, version, notes."""
    assert tool.cell({"apple-mail": stats}, "apple-mail")[0] == cell


@pytest.mark.parametrize(
    ("note", "plain"),
    [
        ("Not supported. See [buttons.cm](https://buttons.cm/) and [docs](https://e.org/a_b).", "Not supported."),
        ("Buggy. (See [email-bugs#1](https://e.org)) It is cut.", "Buggy. It is cut."),
        ("Partial. `url()` only.", "Partial. `url()` only."),
    ],
)
def test_a_note_loses_its_links(note: str, plain: str) -> None:
    """The facts hold no addresses."""
    assert tool.plain(note) == plain


def test_the_repositorys_facts_were_written_by_this_tool() -> None:
    """Not by hand: the same document comes out as the same bytes, and its version and integrity are the pinned ones."""
    text = (ROOT / "newsletter" / "clients" / "facts.json").read_text(encoding="utf-8")
    document = json.loads(text)
    assert tool.as_text(document) == text
    assert (document["version"], document["integrity"]) == (tool.VERSION, tool.INTEGRITY)
    assert document["families"] == {
        name: [title, *(label for *_, label in platforms)] for name, (title, platforms) in tool.FAMILIES.items()
    }
