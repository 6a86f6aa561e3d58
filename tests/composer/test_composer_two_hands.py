"""Two people on one file: what one of them writes is never taken for what the other saw, nor undone by the other."""

from __future__ import annotations

import contextlib
import dataclasses
import hashlib
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest

from newsletter.app import refresh
from newsletter.app.desk import open_desk
from newsletter.articles import inbox, versions
from newsletter.articles.story import Story
from newsletter.issues import editing

ISSUE = "2026-11-27"
AT = f"/issues/{ISSUE}"
HERONS = "herons-nest-on-the-gasworks"
SECOND = "sea-wall-to-move-inland"
OTHERS = "# The other hand was here.\n"


def sha(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


class Steps:
    """Each way of changing a file: prepared, and then as it is asked for."""

    def __init__(self, served: Any) -> None:
        self.served = served

    def pick(self) -> tuple[str, dict[str, Any]]:
        return f"{AT}/arrange", {"do": "pick", "article": HERONS}

    def pick_sponsor(self) -> tuple[str, dict[str, Any]]:
        sections = self.served.state()["sections"]
        at = next(n for n, section in enumerate(sections) if section["layout"] == "sponsor")
        (standing,) = sections[at]["stories"]
        asked = {"expected": self.served.state()["sha256"], "do": "drop", "article": standing["slug"]}
        assert self.served.send("POST", f"{AT}/arrange", asked).status == 200
        folder = self.served.root / "sponsors"
        folder.mkdir(exist_ok=True)
        head = f"sponsor: Chandler\nheadline: What he sells\nlink: https://ads.example/\nruns: [{ISSUE}]"
        (folder / "chandler.md").write_text(f"---\n{head}\n---\nBuy it.\n", encoding="utf-8")
        return f"{AT}/arrange", {"do": "pick-sponsor", "section": at, "name": "chandler"}

    def drop(self) -> tuple[str, dict[str, Any]]:
        return f"{AT}/arrange", {"do": "drop", "article": SECOND}

    def fix(self) -> tuple[str, dict[str, Any]]:
        path = self.served.issue / f"{SECOND}.md"
        path.write_text(path.read_text(encoding="utf-8") + "\nIt runs again.  Nobody was late.\n", encoding="utf-8")
        return f"{AT}/fix", {"check": "double-space", "article": SECOND}

    def take(self) -> tuple[str, dict[str, Any]]:
        form = urlencode({"issue": ISSUE})
        assert self.served.form(f"/inbox/{HERONS}/pick", form, Accept="text/html").status == 303
        with open_desk(self.served.root) as desk:
            article = inbox.get(desk.store, HERONS).article
            assert versions.record(desk.store, HERONS, Story(dataclasses.replace(article, teaser="Thirteen pairs.")))
        piece = self.served.get(f"{AT}/stories/{HERONS}/source", Accept="text/html").text
        (seen,) = re.findall(r'name="seen" value="(\w+)"', piece)
        return f"{AT}/stories/{HERONS}/source", {"seen": seen, "take": ["teaser"]}


@pytest.fixture
def next_hand(monkeypatch: pytest.MonkeyPatch) -> Callable[[Path], list[bytes]]:
    """Somebody who waits for the issue's lock writes into a file as soon as it is free; what stood there before."""

    def wait_for(path: Path) -> list[bytes]:
        lock, found = editing.file_lock, []

        @contextlib.contextmanager
        def locked(*args: Any, **more: Any) -> Iterator[None]:
            with lock(*args, **more):
                yield
            if not found:
                found.append(path.read_bytes())
                path.write_bytes(found[0].replace(b"\n", b"\n" + OTHERS.encode(), 1))

        monkeypatch.setattr(editing, "file_lock", locked)
        return found

    return wait_for


@pytest.mark.parametrize(
    ("way", "article"),
    [("pick", None), ("pick_sponsor", None), ("drop", None), ("fix", SECOND), ("take", HERONS)],
)
def test_what_is_answered_is_what_was_written_and_an_undo_takes_no_others_words_back(
    served: Any, next_hand: Callable[[Path], list[bytes]], way: str, article: str | None
) -> None:
    """An edit between the write and the answer: the page would save over it, believing that it saw it."""
    address, asked = getattr(Steps(served), way)()
    path = served.issue / (f"{article}.md" if article else "issue.md")
    if way != "fix":
        asked["expected"] = sha(path)
    before = sha(path)
    written = next_hand(path)
    answer = served.send("POST", address, asked)
    assert answer.status == 200, answer.text
    (change,) = answer.json["files"]
    assert (change["article"], change["was"]) == (article, before)
    assert change["now"] == hashlib.sha256(written[0]).hexdigest() != sha(path)
    back = {"article": article, "to": change["was"], "expected": change["now"]}
    assert served.send("POST", f"{AT}/restore", back).status == 409
    assert OTHERS in path.read_text(encoding="utf-8")


def test_words_written_while_a_source_is_compared_are_not_given_up(
    served: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """``--take all`` takes what only the source has changed: the comparison is with the bytes that are written over."""
    Steps(served).take()
    path = served.issue / f"{HERONS}.md"
    load, done = refresh.load_issue, []

    def look(*args: Any) -> Any:
        found = load(*args)
        if not done:
            done.append(path.write_bytes(path.read_bytes().replace(b"---\n", b"---\nteaser: An editor's.\n", 1)))
        return found

    assert "teaser" not in path.read_text(encoding="utf-8")
    monkeypatch.setattr(refresh, "load_issue", look)
    with open_desk(served.root) as desk:
        (story,) = refresh.refresh(desk, [HERONS], issue=ISSUE, take=["all"], ask=False).stories
    assert story.taken == () and "teaser: An editor's." in path.read_text(encoding="utf-8")
