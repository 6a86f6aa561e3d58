"""What changed in the generated text since an own text was right for it."""

from __future__ import annotations

import datetime

from newsletter.message.texts import stale_of, text_changes
from newsletter.models import Article, Email, Issue, Section, TextPiece

AROUND = TextPiece(None, "The Paper\n\n1 Quay")
FERRY = TextPiece("ferry", "The ferry stays\nIt runs from Friday\nat eight.\n\nhttps://paper.example/ferry")
BELL = TextPiece("bell", "A bell is found\nIn the mud.")
HEADLINES = {"ferry": "The ferry stays", "bell": "A bell is found"}


def changes(of: tuple[TextPiece, ...], now: tuple[TextPiece, ...]) -> list[tuple[str | None, str, str]]:
    return [(c.article, c.change, c.title) for c in text_changes(of, now, HEADLINES)]


def test_the_same_words_in_other_lines_are_no_change() -> None:
    """A theme or a new version that wraps elsewhere, or sets other rules, makes no text stale."""
    wrapped = TextPiece("ferry", "The ferry\nstays It runs from Friday at\neight.\n\n\nhttps://paper.example/ferry\n")
    ruled = TextPiece(None, "The Paper\n\n----------\n\n1 Quay\n")
    assert text_changes((AROUND, FERRY), (ruled, wrapped), HEADLINES) == ()


def test_a_changed_story_is_named_with_its_words() -> None:
    """The runs have the old and the new words."""
    now = TextPiece("ferry", FERRY.text.replace("Friday", "Saturday"))
    (change,) = text_changes((AROUND, FERRY), (AROUND, now), HEADLINES)
    assert (change.article, change.title, change.change) == ("ferry", "The ferry stays", "changed")
    assert [run.text for run in change.runs if run.op != "same"] == ["Friday", "Saturday"]


def test_added_dropped_and_moved_stories_and_what_stands_around() -> None:
    """A dropped story is called by its first line; an order that changed names what moved."""
    assert changes((AROUND, FERRY), (AROUND, FERRY, BELL)) == [("bell", "added", "A bell is found")]
    assert changes((AROUND, FERRY, BELL), (AROUND, FERRY)) == [("bell", "dropped", "A bell is found")]
    assert changes((AROUND, FERRY, BELL), (AROUND, BELL, FERRY)) in (
        [("bell", "moved", "A bell is found")], [("ferry", "moved", "The ferry stays")],
    )  # fmt: skip
    other = TextPiece(None, "The Paper\n\n2 Quay")
    assert changes((AROUND, FERRY), (other, FERRY)) == [(None, "changed", "Around the stories")]


def test_long_unchanged_stretches_are_shortened() -> None:
    """The page shows the change, not the story."""
    long = "word " * 200
    (change,) = text_changes(
        (TextPiece("bell", f"{long} Friday {long}"),), (TextPiece("bell", f"{long} Saturday {long}"),), HEADLINES
    )
    assert sum(len(run.text) for run in change.runs) < 300


def test_a_generated_text_is_never_stale_and_one_that_nobody_confirmed_says_so() -> None:
    """() is fresh, None is not known."""
    issue = Issue("x", datetime.date(2026, 11, 27), (Section("lead", (Article("ferry", "The ferry stays"),)),))
    email = Email("x", "", "", "", "", "en", "ltr", "base", pieces=(AROUND, FERRY))

    def stale(**own: object) -> object:
        import dataclasses

        return stale_of(dataclasses.replace(issue, **own), email)  # type: ignore[arg-type]  # fields of an Issue

    assert stale() == ()
    assert stale(own_text="x") is None
    assert stale(own_text="x", text_of=email.pieces) == ()
    assert stale(own_text="x", text_of=(AROUND,)) != ()
