"""Drafting an issue: which stories, in which section, in what order, and why the others were left out."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from newsletter.articles.listing import Line
from newsletter.issues.drafting import Proposal, propose
from newsletter.issues.uses import Use, Uses
from newsletter.workspace.settings import Draft, DraftSection

NOW = datetime(2026, 11, 27, 7, tzinfo=UTC)
NONE = Uses({}, {}, ())


def line(number: int, **other: Any) -> Line:
    """A story that came in ``number`` hours ago."""
    known: dict[str, Any] = {
        "id": 1000 - number, "slug": f"s{number}", "headline": f"Story {number}", "teaser": "", "state": "new",
        "added_at": NOW - timedelta(hours=number), "source": None, "section": None, "lang": None, "published": None,
        "priority": None, "tags": (), "minutes": 1, "original": None, "keys": (f"story {number}", None, None),
    }  # fmt: skip
    return Line(**{**known, **other})


def draft(lines: Sequence[Line], rules: Draft | None = None, used: Uses = NONE, **other: Any) -> Proposal:
    return propose(lines, rules or Draft(), used, language="en-GB", now=NOW, **other)


def taken(proposal: Proposal) -> list[list[str]]:
    return [[choice.line.slug for choice in section.taken] for section in proposal.sections]


def left(proposal: Proposal) -> dict[str, str]:
    return {choice.line.slug: choice.why for choice in proposal.left}


def test_without_rules_the_newest_leads_and_the_others_follow() -> None:
    """By when they appeared, if that is known, else by when they came in."""
    old_news = line(1, published=NOW - timedelta(days=9))
    assert taken(draft([line(3), old_news, line(2)])) == [["s2"], ["s3", "s1"]]


def test_the_top_tag_goes_first_then_priority_then_the_newest() -> None:
    lines = [line(1), line(2, priority=5), line(3, priority=1), line(4, tags=("top",)), line(5, priority=5)]
    proposal = draft(lines)
    assert taken(proposal) == [["s4"], ["s3", "s2", "s5", "s1"]]
    assert [c.why for s in proposal.sections for c in s.taken] == [
        "its tag top", "priority 1", "priority 5", "priority 5", "newest",
    ]  # fmt: skip


def test_the_lead_chooses_first_and_a_section_with_from_before_one_without() -> None:
    """Sections, tags and sources by name in any case; the catch-all takes what is left, wherever it stands."""
    rules = Draft(
        section=[
            DraftSection(title="All"),
            DraftSection(layout="lead"),
            DraftSection(title="Games", from_=["SPORT", "chess"], most=2, order="newest"),
            DraftSection(title="Wire", from_=["The Wire"]),
        ]
    )
    lines = [
        line(1), line(2, section="Sport"), line(3, tags=("chess",), priority=1), line(4, section="sport"),
        line(5, source="the wire"), line(6, section="sport"),
    ]  # fmt: skip
    proposal = draft(lines, rules)
    assert taken(proposal) == [["s1", "s6"], ["s3"], ["s2", "s4"], ["s5"]]
    assert [c.why for c in proposal.sections[2].taken] == ["newest, its section SPORT", "newest, its section SPORT"]
    assert proposal.sections[3].taken[0].why == "newest, from The Wire"


def test_why_a_story_is_left_out() -> None:
    """One reason each: later, used, alike, its language, its age, twice, no section, full."""
    use = Use("2026-11-20", "41", date(2026, 11, 20), "old")
    used = Uses({"s2": [use]}, {"link:x.example/a": [use]}, ())
    rules = Draft(most=2, age="3d", languages=["en"], section=[DraftSection(layout="lead", from_=["a"]), DraftSection(from_=["a"])])
    lines = [
        line(1, state="later"),
        line(2),
        line(3, keys=("three", "x.example/a", None)),
        line(4, lang="ur"),
        line(5, published=NOW - timedelta(days=4)),
        line(6, tags=("a",), lang="en-us", keys=("six", "x.example/6", None)),
        line(7, tags=("a",), keys=("seven", "x.example/6", None)),
        line(8),
        line(9, tags=("a",)),
        line(10, tags=("a",)),
    ]
    proposal = draft(lines, rules, used, age=timedelta(days=3))
    assert taken(proposal) == [["s6"], ["s9"]]
    assert left(proposal) == {
        "s1": "saved for later",
        "s2": "used in issue 41",
        "s3": "a story with the same link is used in issue 41",
        "s4": "its language is ur",
        "s5": "older than 3d",
        "s7": "it looks like s6",
        "s8": "no section of the draft takes it",
        "s10": "the draft has its 2 stories",
    }
    rules = Draft(section=[DraftSection(layout="lead", from_=["a"])])
    assert left(draft(lines[-2:], rules)) == {"s10": "the sections that it fits are full"}


@pytest.mark.parametrize(
    ("spoken", "wanted", "takes"),
    [(None, "en", True), (None, "en-gb", True), ("en-us", "en-GB", False), ("ur", "ur", True), ("urd", "ur", False)],
)
def test_languages_by_their_tags(spoken: str | None, wanted: str, takes: bool) -> None:
    """A story without a language speaks the publication's."""
    proposal = draft([line(1, lang=spoken)], Draft(languages=[wanted]))
    assert bool(proposal.count) is takes


STORIES = st.lists(
    st.builds(
        lambda n, **more: (n, more),
        st.integers(0, 40),
        state=st.sampled_from(["new", "new", "new", "later"]),
        section=st.sampled_from([None, "Sport", "News"]),
        tags=st.sampled_from([(), ("top",), ("a",)]),
        priority=st.sampled_from([None, 1, 2]),
    ),
    max_size=25,
    unique_by=lambda story: story[0],
)
RULES = st.builds(
    Draft,
    most=st.integers(1, 8),
    section=st.lists(
        st.builds(
            DraftSection,
            layout=st.sampled_from(["lead", "list", "grid"]),
            from_=st.lists(st.sampled_from(["sport", "a", "news"]), max_size=2),
            most=st.none() | st.integers(1, 4),
            order=st.sampled_from(["priority", "newest"]),
        ),
        min_size=1,
        max_size=4,
    ),
)


@given(stories=STORIES, rules=RULES, seed=st.randoms())
def test_every_story_is_either_taken_once_or_left_out_with_a_reason(stories: Any, rules: Draft, seed: Any) -> None:
    """Never more than the limits, never a story that is saved for later, whatever the order that they come in."""
    lines = [line(number, **more) for number, more in stories]
    proposal = draft(lines, rules)
    slugs = [slug for section in taken(proposal) for slug in section]
    assert sorted([*slugs, *left(proposal)]) == sorted(item.slug for item in lines)
    assert all(left(proposal).values())
    assert len(slugs) <= rules.most
    for section in proposal.sections:
        assert len(section.taken) <= (section.rule.most or (1 if section.rule.layout == "lead" else rules.most))
        assert all(choice.line.state == "new" for choice in section.taken)
    shuffled = list(lines)
    seed.shuffle(shuffled)
    assert taken(draft(shuffled, rules)) == taken(proposal)
