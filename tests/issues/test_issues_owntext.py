"""``email.txt`` and ``text.json`` in an issue's folder: read gracefully, written whole under the lock, never copied."""

from __future__ import annotations

from pathlib import Path

import pytest

from newsletter.errors import BadData, Busy, Conflict, IllegalState, NotFound
from newsletter.issues import editing, owntext
from newsletter.issues.folder import load_issue
from newsletter.issues.summaries import list_issues
from newsletter.issues.textfile import MEMORY_FILE, load_text, memory_of
from newsletter.models import TextPiece
from newsletter.workspace.files import file_lock, sha256_hex
from newsletter.workspace.paths import Workspace

SLUG = "2022-02-25"
PIECES = (TextPiece(None, "The Paper\n\n1 Quay\n"), TextPiece("flood", 'It “rained”\n\n  {{ web_url }}\n'))


@pytest.fixture
def ws(tmp_path: Path) -> Workspace:
    (tmp_path / "newsletter.toml").write_text("")
    ws = Workspace(tmp_path)
    ws.ensure_state()
    editing.new_issue(ws, SLUG)
    return ws


def file(ws: Workspace, name: str = "email.txt") -> Path:
    return ws.issue_dir(SLUG) / name


def save(ws: Workspace, text: str | bytes, expected: str | None = None, memory: bytes | None = None) -> str:
    return owntext.save_text(ws, SLUG, text, expected=expected, memory=memory)


def test_without_the_file_the_text_is_generated(ws: Workspace) -> None:
    """Also where only the memory is left over."""
    file(ws, MEMORY_FILE).write_bytes(memory_of(PIECES))
    issue = load_issue(ws, SLUG)
    assert (issue.own_text, issue.text_of) == (None, None)


def test_a_byte_order_mark_and_other_line_ends_are_taken_gracefully(ws: Workspace) -> None:
    """Editors on Windows write both; the text has neither."""
    file(ws).write_bytes("\ufeffDear reader\r\n\r\nGrüße\rx\n".encode())
    assert load_issue(ws, SLUG).own_text == "Dear reader\n\nGrüße\nx\n"


@pytest.mark.parametrize(
    ("data", "wrong", "line"),
    [
        (b"one\ntwo\nGr\xfc\xdfe\n", "not UTF-8", ":3"),
        (b"one\nt\0wo\n", "NUL", ":2"),
        (b"x" * (256 * 1024 + 1), "larger than 256 KB", ""),
        ("Dear".encode("utf-16"), "not UTF-8", ":1"),
    ],
)
def test_what_is_no_text_is_refused_with_file_and_line(ws: Workspace, data: bytes, wrong: str, line: str) -> None:
    """Read or written; and the list of issues says so and shows the others."""
    file(ws).write_bytes(data)
    with pytest.raises(BadData, match=wrong) as refused:
        load_issue(ws, SLUG)
    assert refused.value.where == f"issues/{SLUG}/email.txt{line}"
    (row,) = list_issues(ws)
    assert wrong in (row.problem or "")
    file(ws).write_bytes(b"fine\n")
    with pytest.raises(BadData, match=wrong):
        save(ws, data)
    assert file(ws).read_bytes() == b"fine\n"


def test_the_list_of_issues_notices_the_file(ws: Workspace) -> None:
    """An email.txt that is broken later is not hidden by what was remembered of the issue."""
    import os

    issue = file(ws, "issue.md")
    os.utime(issue, ns=(1, 1))
    assert list_issues(ws)[0].problem is None
    file(ws).write_bytes(b"\xff")
    assert list_issues(ws)[0].problem


def test_saving_keeps_line_ends_and_byte_order_mark(ws: Workspace) -> None:
    """What the browser sends has \\n alone; the file stays as its editor's program writes it."""
    file(ws).write_bytes("\ufeffone\r\ntwo\r\n".encode())
    save(ws, "one\nthree")
    assert file(ws).read_bytes() == "\ufeffone\r\nthree\r\n".encode()


def test_another_file_than_expected_is_a_conflict_and_nothing_is_written(ws: Workspace) -> None:
    """ "" expects that there is none."""
    first = save(ws, "one\n", "")
    for wrong in ("", "0" * 64):
        for change in (
            lambda wrong=wrong: save(ws, "two\n", wrong),
            lambda wrong=wrong: owntext.confirm_text(ws, SLUG, memory_of(PIECES), expected=wrong),
            lambda wrong=wrong: owntext.drop_text(ws, SLUG, expected=wrong),
        ):
            with pytest.raises(Conflict):
                change()
    assert file(ws).read_bytes() == b"one\n" and not file(ws, MEMORY_FILE).exists()
    assert save(ws, "two\n", first) == sha256_hex(b"two\n")


def test_the_memory_is_read_as_it_was_written(ws: Workspace) -> None:
    """A line of text is a line of the file; what is no memory of ours is as if nobody had confirmed."""
    save(ws, "one\n", memory=memory_of(PIECES))
    own, of = load_text(ws.issue_dir(SLUG))
    assert own == "one\n"
    assert of is not None and [(p.article, p.text) for p in of] == [(p.article, p.text.strip("\n")) for p in PIECES]
    assert memory_of(of) == memory_of(PIECES)
    assert '    "The Paper",\n' in file(ws, MEMORY_FILE).read_text()
    for broken in (b"", b"{", b'{"schema": "newsletter/text/2", "of": []}', b"\xff"):
        file(ws, MEMORY_FILE).write_bytes(broken)
        assert load_text(ws.issue_dir(SLUG)) == ("one\n", None)


def test_dropping_takes_both_files_away_and_there_must_be_one(ws: Workspace) -> None:
    """The text part is generated again."""
    save(ws, "one\n", memory=memory_of(PIECES))
    owntext.drop_text(ws, SLUG, expected=None)
    assert not file(ws).exists() and not file(ws, MEMORY_FILE).exists()
    with pytest.raises(NotFound, match="is generated"):
        owntext.drop_text(ws, SLUG, expected=None)
    with pytest.raises(NotFound, match="is generated"):
        owntext.confirm_text(ws, SLUG, memory_of(PIECES), expected=None)


def test_an_approved_issue_and_a_held_lock_refuse(ws: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    """As for every file of an issue."""
    monkeypatch.setattr(editing, "LOCK_SECONDS", 0.05)
    with file_lock(ws.locks / f"issue-{SLUG}.lock"), pytest.raises(Busy):
        save(ws, "one\n")
    (ws.issue_dir(SLUG) / "approved").mkdir()
    (ws.issue_dir(SLUG) / "approved" / "approval.json").write_text("{}")
    for change in (
        lambda: save(ws, "one\n"),
        lambda: owntext.drop_text(ws, SLUG, expected=None),
        lambda: owntext.confirm_text(ws, SLUG, b"", expected=None),
    ):
        with pytest.raises(IllegalState, match="approved"):
            change()
    assert not file(ws).exists()


def test_a_copied_issue_does_not_carry_it(ws: Workspace) -> None:
    """It was written for other stories and another day."""
    save(ws, "one\n", memory=memory_of(PIECES))
    editing.duplicate(ws, SLUG, "2022-03-04")
    assert not {"email.txt", MEMORY_FILE} & {p.name for p in ws.issue_dir("2022-03-04").iterdir()}
    assert load_issue(ws, "2022-03-04").own_text is None
