"""Sponsors' files and bookings: what they say, what is refused, and which two bookings clash."""

from __future__ import annotations

from datetime import date, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from newsletter.errors import BadData, FrontMatterError, NotFound
from newsletter.issues.bookings import Run, clashes, overlap, rivals, slot_of
from newsletter.issues.sponsors import (
    LABEL,
    Proof,
    approval_of,
    digest_of,
    load_sponsor,
    record_proof,
    sponsor_from_document,
    sponsor_names,
)
from newsletter.workspace.frontmatter import Document
from newsletter.workspace.paths import Workspace

DAY = date(2026, 11, 27)
HEAD = "sponsor: The Quay Hotel\nheadline: Rooms\n"


def read(keys: str, ws: Path = Path("/w")) -> object:
    return sponsor_from_document(Document.parse(f"---\n{keys}---\nWords.\n", "sponsors/x.md"), "x", ws / "x.md")


@pytest.mark.parametrize(
    ("keys", "runs"),
    [
        ("", ()),
        ("runs: 2026-11-27\n", (Run("2026-11-27", DAY, DAY),)),
        ("runs: [2026-11-27, special]\n", (Run("2026-11-27", DAY, DAY), Run("special"))),
        ("runs: {issue: special, slot: 2}\n", (Run("special", slot=2),)),
        ("runs:\n  - {from: 2026-11-27, to: 2026-11-28}\n", (Run(None, DAY, DAY + timedelta(1)),)),
        ("runs: [2026-13-01]\n", (Run("2026-13-01"),)),
    ],
)
def test_a_booking_is_an_issue_a_day_or_days(keys: str, runs: tuple[Run, ...]) -> None:
    """A slug that is a day is both: the issue of that name, and any issue of that day."""
    assert read(HEAD + keys).runs == runs  # type: ignore[attr-defined]  # a Sponsor


@pytest.mark.parametrize(
    ("keys", "says"),
    [
        ("headline: Rooms\n", "sponsor"),
        ("sponsor: ' '\nheadline: Rooms\n", "sponsor: this key is empty"),
        ("sponsor: The Quay Hotel\n", "headline"),
        (HEAD + "runs: ['../up']\n", "runs"),
        (HEAD + "runs: [{from: 2026-11-27}]\n", "no booking"),
        (HEAD + "runs: [{from: 2026-11-27, to: 2026-11-26}]\n", "no booking"),
        (HEAD + "runs: [{issue: a, from: 2026-11-27, to: 2026-11-28}]\n", "no booking"),
        (HEAD + "runs: [{}]\n", "no booking"),
        (HEAD + "runs: [{issue: a, slot: 0}]\n", "no place"),
        (HEAD + "runs: [{isue: a}]\n", "isue"),
        (HEAD + "proof: {approved_by: A}\n", "approved_at"),
    ],
)
def test_a_file_that_says_too_little_is_refused_with_its_line(keys: str, says: str) -> None:
    """File, line, key and fix, as everywhere."""
    with pytest.raises(FrontMatterError) as refused:
        read(keys)
    assert says in str(refused.value)
    assert "sponsors/x.md:" in str(refused.value)
    assert refused.value.fix or "missing" in refused.value.what


def test_the_default_label_is_in_the_issues_language_and_another_is_as_written() -> None:
    """The default leaves the kicker empty, so that the theme's own translated words stand."""
    plain, own = read(HEAD + "kicker: Not this\n"), read(HEAD + "label: Partner content\n")
    assert (plain.label, plain.article.kicker) == (LABEL, None)  # type: ignore[attr-defined]  # a Sponsor
    assert (own.label, own.article.kicker) == ("Partner content", "Partner content")  # type: ignore[attr-defined]  # a Sponsor


def test_words_say_a_booking_to_an_editor() -> None:
    """An issue's slug, one day, days, and the slot where it is not the first."""
    later = DAY + timedelta(1)
    runs = [Run("special", slot=2), Run("2026-11-27", DAY, DAY), Run(None, DAY, later), Run(None, DAY, DAY)]
    assert [r.words for r in runs] == ["special (slot 2)", "2026-11-27", "2026-11-27 to 2026-11-28", "2026-11-27"]


DATES = {"special": DAY, "2026-12-04": date(2026, 12, 4)}


@pytest.mark.parametrize(
    ("one", "other", "both"),
    [
        (Run("x"), Run("x"), True),
        (Run("x"), Run("y"), False),
        (Run("x"), Run("x", slot=2), False),
        (Run("special"), Run("2026-11-27", DAY, DAY), True),
        (Run("special"), Run(None, DAY, DAY + timedelta(9)), True),
        (Run("unmade"), Run(None, DAY, DAY), False),
        (Run(None, DAY, DAY), Run(None, DAY + timedelta(1), DAY + timedelta(2)), False),
    ],
)
def test_two_bookings_clash_on_one_slot_of_one_issue_or_day(one: Run, other: Run, both: bool) -> None:
    """Another slot, another day and an issue whose day nobody knows do not clash."""
    assert overlap(one, other, DATES) is overlap(other, one, DATES) is both


@given(st.integers(0, 9), st.integers(0, 9), st.integers(0, 9), st.integers(0, 9))
def test_days_overlap_exactly_when_they_share_one(a: int, length: int, b: int, other: int) -> None:
    """Both ends are counted."""
    one = Run(None, DAY + timedelta(a), DAY + timedelta(a + length))
    two = Run(None, DAY + timedelta(b), DAY + timedelta(b + other))
    shared = set(range(a, a + length + 1)) & set(range(b, b + other + 1))
    assert overlap(one, two, {}) is bool(shared)
    assert all(one.covers("i", DAY + timedelta(n)) == (a <= n <= a + length) for n in range(20))


@pytest.fixture
def ws(tmp_path: Path) -> Workspace:
    (tmp_path / "newsletter.toml").write_text("")
    found = Workspace(tmp_path)
    found.ensure_state()
    for name, runs in (("hotel", "[2026-11-27]"), ("rope", "[{issue: 2026-11-27, slot: 2}]"), ("boat", "[2026-12-04]")):
        path = found.sponsors / f"{name}.md"
        path.parent.mkdir(exist_ok=True)
        image = "image: {file: room.png}\n" if name == "hotel" else ""
        path.write_text(f"---\n# keep me\nsponsor: {name}\nheadline: H\n{image}runs: {runs}\n---\nText\n")
    return found


def test_the_place_in_an_issue_is_the_booked_slot_else_the_position(ws: Workspace) -> None:
    """Whoever stands unbooked in somebody's slot is a rival; two slots of one issue are none."""
    everyone = [load_sponsor(ws, name) for name in sponsor_names(ws)]
    boat, hotel, rope = everyone
    assert list(clashes(everyone, {})) == []
    assert [slot_of(s, "2026-11-27", DAY, 1) for s in everyone] == [1, 1, 2]
    assert rivals(boat, everyone, "2026-11-27", DAY, 1) == ("hotel",)
    assert rivals(boat, everyone, "2026-11-27", DAY, 2) == ("rope",)
    assert rivals(boat, everyone, "2026-11-27", DAY, 3) == ()
    assert rivals(hotel, everyone, "2026-11-27", DAY, 2) == rivals(rope, everyone, "2026-11-27", DAY, 1) == ()


def test_an_approval_holds_for_exactly_one_creative(ws: Workspace) -> None:
    """Text, link and picture are part of it; bookings and comments are not. The rest of the file keeps every byte."""
    path, picture = ws.sponsors / "hotel.md", ws.sponsors / "images" / "room.png"
    picture.parent.mkdir()
    picture.write_bytes(b"one")
    before = path.read_text()
    assert approval_of(ws, load_sponsor(ws, "hotel")) == "not approved"
    digest = digest_of(ws, load_sponsor(ws, "hotel"))
    record_proof(ws, "hotel", Proof("M. Penrose", "2026-11-20T09:00:00Z", digest))
    approved = path.read_text()
    assert approved.replace(approved[approved.index("proof:") : approved.index("---\nText")], "") == before

    def state() -> str:
        return approval_of(ws, load_sponsor(ws, "hotel"))

    assert state() == "approved"
    path.write_text(approved.replace("[2026-11-27]", "[2026-12-25]").replace("# keep me", "# other"))
    assert state() == "approved"
    edits = {
        "Text": "Txt",
        "headline: H": "headline: I",
        "sponsor: hotel": "sponsor: h",
        "---\n#": "---\nlink: https://x.example\n#",
    }
    for old, new in edits.items():
        assert old in approved
        path.write_text(approved.replace(old, new))
        assert state() == "changed since", old
    path.write_text(approved)
    picture.write_bytes(b"two")
    assert state() == "changed since"
    picture.unlink()
    assert state() == "changed since"


def test_an_approval_of_something_else_is_not_recorded(ws: Workspace) -> None:
    """What was shown and what is approved are the same, also when somebody saves in between."""
    before = (ws.sponsors / "boat.md").read_bytes()
    with pytest.raises(BadData, match="changed while it was read"):
        record_proof(ws, "boat", Proof("A", "2026-11-20T09:00:00Z", "sha256:0"))
    assert (ws.sponsors / "boat.md").read_bytes() == before


def test_an_unknown_sponsor_is_named_with_the_closest(ws: Workspace) -> None:
    """And a name that is no slug is refused."""
    with pytest.raises(NotFound, match="hotel"):
        load_sponsor(ws, "hotl")
    with pytest.raises(NotFound, match="sponsor add zzz"):
        load_sponsor(ws, "zzz")
    with pytest.raises(BadData):
        load_sponsor(ws, "../hotel")
