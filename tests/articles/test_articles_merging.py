"""Three ways: what was imported, what the source says now, what the editor made of it."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from newsletter.articles.merging import FIELDS, OPEN, chosen, declined, kept, taken_over, three_way, value_of
from newsletter.articles.schema import article_from_document, article_to_data
from newsletter.errors import BadData
from newsletter.models import Article, Picture, Provenance
from newsletter.workspace.frontmatter import Document, dump


def story(headline: str = "Pier opens", body: str = "It opened.\n", **more: Any) -> Article:
    return Article("pier", headline, body, **more)


def changes(known: list[Article], now: Article, mine: Article) -> dict[str, str]:
    return {change.name: change.change for change in three_way(known, now, mine)}


def test_each_field_is_judged_by_itself() -> None:
    """Only the source; only the editor; both alike; both otherwise."""
    then = story(byline="Ada", kicker="Quay", standfirst="One.", agency="PTI")
    now = story(byline="Ada Reyes", kicker="Quay", standfirst="Two.", agency="AFP")
    mine = story(byline="Ada", kicker="Harbour", standfirst="Three.", agency="AFP")
    assert changes([then], now, mine) == {"byline": "changed", "kicker": "edited", "standfirst": "conflict"}
    (kicker, standfirst, byline) = three_way([then], now, mine)
    assert (kicker.imported, kicker.now, kicker.mine) == ("Quay", "Quay", "Harbour")
    assert (standfirst.imported, standfirst.now, standfirst.mine) == ("One.", "Two.", "Three.")
    assert (byline.imported, byline.now, byline.mine) == ("Ada", "Ada Reyes", "Ada")


def test_what_was_taken_over_from_a_later_version_is_not_the_editors() -> None:
    """The source changes twice; the editor took the first change and has written nothing."""
    one, two, three = story("One"), story("Two"), story("Three")
    assert changes([one, two], three, two) == {"headline": "changed"}
    assert changes([one, two], one, two) == {"headline": "changed"}
    assert changes([one, two], three, story("Mine")) == {"headline": "conflict"}


def test_without_a_known_import_any_difference_may_be_the_editors() -> None:
    assert changes([], story("Two"), story("One")) == {"headline": "conflict"}
    assert changes([], story("One"), story("One")) == {}


def test_line_ends_and_the_place_of_a_picture_file_are_no_difference() -> None:
    now = story(body="It opened.\r\n\r\nToday.", image=Picture(url="https://x.example/p.jpg"))
    mine = story(body="\nIt opened.\n\nToday.\n\n", image=Picture(file="pier.jpg", url="https://x.example/p.jpg"))
    assert changes([now], now, mine) == {}


def test_fields_are_chosen_by_name_and_all_spares_the_editors() -> None:
    found = three_way([story(byline="A", kicker="K")], story("New", byline="B"), story("Mine", byline="A", kicker="L"))
    assert chosen(found, ["all"]) == ["byline"]
    assert chosen(found, ["all", "headline"]) == ["headline", "byline"]
    assert chosen(found, ["kicker", "tags"]) == ["kicker"]
    with pytest.raises(BadData, match='did you mean "headline"'):
        chosen((), ["headlin"])


def test_taking_over_changes_these_fields_and_no_other_byte() -> None:
    """Comments, unknown keys and their order stay; provenance is the source's; another picture has no file yet."""
    document = Document.parse(
        "---\n# the desk's\nheadline: Mine\ndesk: harbour\n"
        "image: {file: pier.jpg, url: https://x.example/1, alt: One}\n"
        "provenance:\n  headline: {from: editor, confirmed: true}\n  image: {from: editor, confirmed: true}\n"
        "---\nText.\n",
        "pier.md",
    )
    now = story(
        "Theirs",
        image=Picture(url="https://x.example/2", alt="Two"),
        provenance={"headline": Provenance("h1")},
        tags=("a", "b"),
    )
    taken = taken_over(document, now, ["image.url", "headline", "tags"])
    assert taken.text.startswith("---\n# the desk's\nheadline: Theirs\ndesk: harbour\n")
    assert taken.get("image") == {"url": "https://x.example/2", "alt": "One"}
    assert taken.get("tags") == ["a", "b"]
    assert taken.get("provenance") == {"headline": {"from": "h1", "confirmed": "true"}}
    assert taken.body == "Text.\n"
    assert taken_over(document, now, ["body"]).body == "It opened.\n"
    gone = taken_over(document, story("x"), ["image.url", "image.alt"])
    assert article_from_document(gone, "pier").image is None
    one_word = Document.parse("---\nheadline: A\nimage: https://x.example/1\n---\nText.\n", "a.md")
    assert taken_over(one_word, now, ["image.alt"]).get("image") == {"url": "https://x.example/1", "alt": "Two"}


TEXT = st.sampled_from(["One", "Two: a colon", "“Three”", '"quoted" # no comment', "{{ braces", "हिन्दी"])
PICTURES = st.none() | st.builds(
    Picture,
    url=st.sampled_from(["https://x.example/1", "https://x.example/2"]),
    alt=st.none() | TEXT,
    credit=st.none() | TEXT,
)
ARTICLES = st.builds(
    Article,
    slug=st.just("s"),
    headline=TEXT,
    body=st.sampled_from(["One.\n", "Two.\n\nThree.\n", "---\n\nFour.\n"]),
    kicker=st.none() | TEXT,
    standfirst=st.none() | TEXT,
    byline=st.none() | TEXT,
    tags=st.sampled_from([(), ("a",), ("a", "b")]),
    image=PICTURES,
)


@given(
    known=st.lists(ARTICLES, max_size=3),
    now=ARTICLES,
    mine=ARTICLES,
    names=st.sets(st.sampled_from(FIELDS), max_size=3),
)
def test_an_editors_own_words_are_never_given_up_unless_they_are_named(
    known: list[Article], now: Article, mine: Article, names: set[str]
) -> None:
    """``all`` leaves what only the editor has said; what is taken is the source's; then there is no more to take."""
    found = three_way(known, now, mine)
    by_name = {change.name: change for change in found}
    document = Document.parse(dump(article_to_data(mine), mine.body), "s.md")
    take = chosen(found, ["all", *names])
    after = article_from_document(taken_over(document, now, take), "s")
    for name in FIELDS:
        before, said = value_of(mine, name), value_of(now, name)
        if name in take:
            assert value_of(after, name) == said
        else:
            assert value_of(after, name) == before
        own = before not in [value_of(version, name) for version in known] and before != said
        assert not (own and name in take and name not in names)
        assert (name in by_name) == (before != said)
    keep = declined(found, ["all"], take)
    settled = article_from_document(kept(taken_over(document, now, take), now, keep), "s")
    assert [change.name for change in three_way(known, now, settled) if change.change in OPEN] == []
    assert all(value_of(settled, name) == value_of(after, name) for name in FIELDS)
    again = three_way(known, now, after)
    assert not [change for change in again if change.change == "changed"]
    assert taken_over(document, now, []) is document
