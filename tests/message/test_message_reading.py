"""The finished HTML as its reader gets it, story by story."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from newsletter.message.reading import Link, Part, Shown, as_written, marked, read_parts
from newsletter.models import MergeField, Span

FIELDS = (
    MergeField("nlf0001q", "first_name", "reader", "html"),
    MergeField("nlf0002q", "city", "", "html"),
    MergeField("nlf0003q", "unsubscribe_url", "", "html"),
)


def read(body: str) -> Part:
    (part,) = read_parts(f"<!DOCTYPE html><html><body>{body}</body></html>", (), FIELDS)
    return part


def texts(body: str) -> list[str]:
    return [block.text for block in read(body).blocks]


def test_paragraphs_headings_and_breaks_are_blocks() -> None:
    """What stands on a line of its own is a block; what runs on is not."""
    part = read("<h2>Ta<b>ll</b> tide</h2><p>One <i>two</i>\n three</p>loose<div>in<br>two</div><ul><li>x<li>y</ul>")
    assert [(b.text, b.heading) for b in part.blocks] == [
        ("Tall tide", True), ("One two three", False), ("loose", False), ("in", False), ("two", False), ("x", False),
        ("y", False),
    ]  # fmt: skip
    assert part.title == "Tall tide"


def test_what_no_reader_sees_is_no_word() -> None:
    """The hidden preheader, style sheets, Outlook's conditional comments, zero-width fillers."""
    body = (
        "<div style='display:none'>pre</div><div style='color:red; mso-hide: all'>x</div><p hidden>h</p>"
        "<style>p{}</style><!--[if mso]><p>word</p><![endif]--><td>\u200b</td><p>seen\u200b</p>&nbsp;"
    )
    assert texts(body) == ["seen\u200b"]


def test_the_words_behind_what_is_hidden_are_still_there() -> None:
    """Skipping an element skips what is in it and nothing else."""
    assert texts("<p>before<span hidden>no</span> after</p>") == ["before after"]


def test_a_row_of_a_table_of_figures_is_one_block_and_a_layout_table_is_none() -> None:
    """A changed figure stands beside its label; tables with role=presentation only set the page."""
    figures = "<table><tr><th>Year</th><th>Ice</th></tr> <tr> <td>1963</td> <td>19 <b>days</b></td></tr></table>"
    assert texts(figures) == ["Year | Ice", "1963 | 19 days"]
    assert texts("<table role=presentation><tr><td>a</td><td>b</td></tr></table>") == ["a", "b"]


def test_links_have_their_words_and_pictures_their_alt() -> None:
    """Nested markup, a picture inside a link, a link inside a story; addresses keep their query."""
    part = read(
        '<p>Read <a href=" https://a.test/?x=1&amp;y=2 ">the <b>story</b></a></p>'
        '<a href="https://b.test/"><img src="cid:1@x" alt="A  quay" width="600" height="338"></a><a name="top">no</a>'
    )
    assert part.links == (
        Link("https://a.test/?x=1&y=2", "the story"),
        Link("https://b.test/", "", "A quay"),
    )
    assert part.pictures == (Shown("cid:1@x", "A quay", "600", "338"),)
    assert part.text == "Read the story\nno"


def test_merge_fields_stand_as_they_are_written() -> None:
    """Another numbering of the tokens is no change; an unknown token is left alone."""
    part = read('<p>Dear nlf0001q of nlf0002q nlf0009q</p><a href="nlf0003q">out</a>')
    assert part.blocks[0].text == (
        'Dear {{ subscriber.first_name | default("reader") }} of {{ subscriber.city }} nlf0009q'
    )
    assert part.links[0].href == "{{ unsubscribe_url }}"
    assert as_written("nlf0001q", FIELDS) == '{{ subscriber.first_name | default("reader") }}'


def test_each_story_gets_what_is_between_its_marks() -> None:
    """Around the stories first, then each story, also one that stands twice."""
    html = "<body><h1>Top</h1><p>tide one</p><p>bell</p><p>tide two</p><p>foot</p></body>"
    where = {word: html.index(f"<p>{word}") for word in ("tide one", "bell", "tide two", "foot")}
    spans = (
        Span("tide", where["tide one"], where["bell"]),
        Span("bell", where["bell"], where["tide two"]),
        Span("tide", where["tide two"], where["foot"]),
    )
    parts = read_parts(html, spans, ())
    assert [(p.article, [b.text for b in p.blocks]) for p in parts] == [
        (None, ["Top", "foot"]), ("tide", ["tide one", "tide two"]), ("bell", ["bell"]),
    ]  # fmt: skip
    assert parts[1].title == "tide one"


@pytest.mark.parametrize("spans", [(Span("a", 5, 3),), (Span("a", -4, 2),), (Span("a", 0, 9999),), (Span("a", 2, 2),)])
def test_a_span_that_cannot_be_is_left_out(spans: tuple[Span, ...]) -> None:
    """A damaged record costs the grouping, not the words."""
    html = "<p>one</p><p>two</p>"
    assert marked(html, spans) == html


def test_what_is_nested_a_thousand_deep_is_read() -> None:
    """The parser's default would leave it out, uncompared; recursion would end in a crash."""
    assert texts("<blockquote>" * 1_000 + "<p>deep</p>" + "</blockquote>" * 1_000 + "<p>after</p>") == ["deep", "after"]


@given(st.text(alphabet=st.sampled_from(list("<>/=\"'&; abpdivtrhleg!-")), max_size=120))
def test_any_html_is_read_without_an_error(html: str) -> None:
    """Broken markup is repaired as a browser would."""
    read_parts(html, (Span("a", 0, max(1, len(html) // 2)),), FIELDS)


def test_nothing_at_all_is_one_empty_part() -> None:
    assert read_parts("", (), ()) == (Part(None, (), (), ()),)
    assert Part("tide", (), (), ()).title == "tide"
