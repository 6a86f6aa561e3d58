"""Tags that do not pair up, as a browser and as Outlook's Word engine read them."""

from __future__ import annotations

import pytest

from newsletter.message.markup import as_word_reads, unpaired, word_only


@pytest.mark.parametrize(
    "html",
    [
        "",
        "<p>one<p>two<ul><li>a<li>b</ul>",
        '<div><img src="a>b"><br><hr/><input></div>',
        "<!-- <div> --><p></p>",
        "<style>a > b { content: '<div>' }</style><title><b></title>",
        "<DIV></div>",
        "<v:rect/><o:p></o:p>",
        "<table><tr><td>a</td></tr></table>",
        "a < b and c > d",
    ],
)
def test_what_pairs_up_is_passed_over(html: str) -> None:
    """Void elements, paragraphs and items that end by themselves, comments, style sheets."""
    assert unpaired(html) == ()


@pytest.mark.parametrize(
    ("html", "told"),
    [
        ("<div><p>x", ("<div> is not closed",)),
        ("<p></div>", ("</div> closes nothing",)),
        ("<div><b></div>", ("<b> is not closed",)),
        ("<table><tr><td>a</tr></table>", ("<td> is not closed",)),
        ("<b></b></b>", ("</b> closes nothing",)),
        ('<div class="a\n  b">', ('<div class="a b"> is not closed',)),
        ("<i><div><b>", ("<b> is not closed", "<div> is not closed", "<i> is not closed")),
    ],
)
def test_what_does_not_is_named(html: str, told: tuple[str, ...]) -> None:
    """The tag as it was written, so that it can be found in the template."""
    assert unpaired(html) == told


def test_a_long_tag_is_cut_and_a_hopeless_page_is_told_in_ten() -> None:
    """The list is for reading."""
    (told,) = unpaired(f'<div title="{"x" * 90}">')
    assert len(told) < 80 and told.endswith("… is not closed")
    assert len(unpaired("<div>" * 500)) == 10


PAGE = (
    "<!--[if mso]><table><tr><td><![endif]--><div>x</div><!--[if mso]></td></tr></table><![endif]-->"
    "<!--[if !mso]><!--><b>y</b><!--<![endif]--><!--[if gte mso 9]><i></i><![endif]-->"
)


def test_word_reads_its_own_parts_and_not_those_kept_from_it() -> None:
    """Two readers, two pages."""
    assert as_word_reads(PAGE) == "<table><tr><td><div>x</div></td></tr></table><i></i>"
    assert word_only(PAGE) == "<table><tr><td>\n</td></tr></table>\n<i></i>"


def test_a_ghost_table_that_is_closed_wrongly_is_seen_with_words_eyes() -> None:
    """Everybody else sees comments."""
    wrong = PAGE.replace("</td></tr></table>", "</td></table>")
    assert unpaired(wrong) == ()
    assert unpaired(as_word_reads(wrong)) == ("<tr> is not closed",)


def test_many_open_tags_are_counted_quickly() -> None:
    """A page of nothing but tags is no reason to wait."""
    assert unpaired("<b>" * 20_000 + "</b>" * 20_000) == ()
