"""Nobody reads the same sentence twice: the standfirst above a text that begins with it."""

from __future__ import annotations

from dataclasses import replace
from types import MappingProxyType

import pytest
from hypothesis import given
from hypothesis import strategies as st

from newsletter.articles.teaser import teaser_of
from newsletter.models import Provenance, Section
from newsletter.rendering.doubling import says_first, standfirst_for

BODY = "The harbour office has a new lamp, and it can be seen from Saltford. Two clerks keep it."


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ("The harbour office has a new lamp, and it can be seen from Saltford.", True),
        ("“The harbour office has a new lamp”, and it can be seen from Saltford", True),  # other marks
        ("THE HARBOUR OFFICE  has a new lamp", True),
        ("The harbour office has a new lamp, and it can be…", True),
        ("The harbour office has a new lamp, and it can be seen from Sal...", True),  # half a word
        ("The harbour office has a new lamp, and it can be seen from Saltford. Two clerks keep it.", True),
        ("A lamp that can be seen from Saltford.", False),
        ("The harbour office has a new lamp, and nobody asked for it.", False),
        ("Two clerks keep it.", False),  # later in the text
        ("", False),
        ("…", False),
    ],
)
def test_a_text_begins_with_words_however_they_are_marked(words: str, said: bool) -> None:
    """A dateline may stand before them; a sentence from further down is no doubling."""
    assert says_first(BODY + " Nobody has complained, which is rare here." * 3, words) is said
    assert says_first(f"SALTFORD, 20 November (ENS) — {BODY}" + " More." * 30, words) is said or words.startswith("Two")


def test_a_standfirst_that_the_text_begins_with_is_shown_only_where_the_text_is_not() -> None:
    first = BODY.split(". ")[0] + "."
    assert standfirst_for(first, body=BODY) == ""
    assert standfirst_for(first, body=None) == first
    assert standfirst_for("Clerks were asked.", body=BODY) == "Clerks were asked."


def test_an_imported_description_that_was_cut_gives_way_to_whole_words() -> None:
    """An editor's own ellipsis stays; and half a sentence is better than nothing."""
    cut = "Three weeks on the boats, and what the skippers would not say about the…"
    assert standfirst_for(cut, body=BODY, guess=True) == ""
    assert standfirst_for(cut, body=None, instead=BODY, guess=True) == ""
    assert standfirst_for(cut, body=None, instead=cut, guess=True) == cut
    assert standfirst_for(cut, body=None, guess=True) == cut
    assert standfirst_for(cut, body=BODY, instead=BODY) == cut


@given(st.text(max_size=80), st.text(max_size=80))
def test_any_text_begins_with_its_own_beginning(start: str, rest: str) -> None:
    if any(c.isalnum() for c in start) and not start.rstrip().endswith(("…", "...", "]", ")")):
        assert says_first(start + rest, start)


def guessed(story, standfirst, **more):
    marks = MappingProxyType({"standfirst": Provenance("og:description", confirmed=False)})
    return replace(story(standfirst=standfirst, body=f"{BODY}\n", **more), provenance=marks)


def shown(seen, issue, article, layout):
    (section,) = seen(issue(Section(layout, (article,))), teasers={article.slug: teaser_of(article)})["sections"]
    return section.articles[0]


def test_a_mail_shows_a_sentence_once_and_whole(seen, issue, story):
    """In a list, a lead and a full text: the sentence that describes the story is there once, and never half."""
    whole, cut = BODY.split(". ")[0] + ".", "The harbour office has a new lamp, and it can be seen from…"
    full = shown(seen, issue, guessed(story, whole), "text")
    assert full.standfirst == ""
    assert "can be seen from Saltford" in full.body
    lead = shown(seen, issue, guessed(story, whole), "lead")
    assert (lead.standfirst, lead.body) == (whole, None)
    assert shown(seen, issue, guessed(story, whole), "list").short_teaser == whole
    for layout in ("lead", "text", "list", "brief"):
        article = shown(seen, issue, guessed(story, cut), layout)
        assert article.standfirst == ""
        assert article.teaser == BODY
    lead = shown(seen, issue, guessed(story, cut, teaser="The lamp, and who keeps it."), "lead")
    assert (lead.standfirst, lead.teaser) == ("", "The lamp, and who keeps it.")
    hard = "The harbour office has a new lamp, and it can be seen"
    assert shown(seen, issue, guessed(story, hard), "lead").standfirst == ""
