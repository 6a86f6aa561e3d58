"""Notes on a web copy: every story of every built-in theme can be cut out, and the page stays whole."""

from __future__ import annotations

import pytest
from lxml import html as lxml_html

from newsletter.app.desk import open_desk
from newsletter.app.render import render
from newsletter.message.markup import unpaired
from newsletter.models import Email, Span
from newsletter.rendering.finish import serialise
from newsletter.rendering.notes import Band, Tongue, bare_page, headline_of, with_band, without_stories, words_of
from tests.themes.samples import set_sample

ENGLISH, URDU = Tongue("en-GB", "ltr"), Tongue("ur", "rtl")
BAND = Band("#FFF4CE", "#333333", "#9B1C1C")
NOTE = "This story was withdrawn."
SETS = [(name, theme) for theme in ("weekly", "bulletin", "digest", "letter") for name in ("english", "awkward")]


@pytest.fixture(scope="module", params=[*SETS, ("urdu", "weekly"), ("english-mixed", "weekly")], ids="-".join)
def email(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Email:
    """A sample issue in a theme: lead, list, grid, brief, sponsor and text between them."""
    root, slug = set_sample(*request.param, tmp_path_factory.mktemp("notes") / "ws")
    with open_desk(root) as desk:
        return render(desk, slug).email


def cut(email: Email, *articles: str) -> str:
    found = without_stories(email.html, email.spans, dict.fromkeys(articles, NOTE), ENGLISH, name="The Paper")
    assert found is not None
    return found


def well_formed(html: str) -> bool:
    """Every tag pairs up, and a parser that mends pages finds nothing to mend: what it writes is what it read."""
    parsed = lxml_html.document_fromstring(html)
    again = lxml_html.document_fromstring(serialise(parsed))
    same = [element.tag for element in parsed.iter()] == [element.tag for element in again.iter()]
    rows = all(row.getparent().tag in {"table", "tbody", "thead"} for row in parsed.iter("tr"))
    cells = all(cell.getparent().tag == "tr" for cell in parsed.iter("td"))
    return not unpaired(html) and same and rows and cells


def test_each_story_alone_leaves_a_note_and_no_word_of_it(email: Email) -> None:
    """Its headline stands nowhere on the page, all others do."""
    stories = {span.article: headline_of(email.html[span.start : span.end]) for span in email.spans}
    assert len(stories) >= 5 and all(stories.values())
    for slug, headline in stories.items():
        page = cut(email, slug)
        assert page.count(NOTE) == 1
        assert well_formed(page), slug
        said = words_of(page)
        assert headline not in said
        assert all(other in said for other in stories.values() if other and other != headline)


def test_all_stories_at_once_leave_a_whole_page(email: Email) -> None:
    page = cut(email, *{span.article for span in email.spans})
    assert page.count(NOTE) == len(email.spans)
    assert well_formed(page)


def test_a_band_stands_above_everything_and_the_page_stays_whole(email: Email) -> None:
    page = with_band(email.html, ['Corrected: <a href="/v/x">what</a>', "Second"], ENGLISH, BAND)
    assert well_formed(page)
    assert page.index("Corrected:") < page.index('class="pad"')
    assert page.count('class="band"') == email.html.count('class="band"') + 1
    assert with_band(email.html, [], ENGLISH, BAND) == email.html


def test_the_note_has_its_own_language_in_a_story_of_another() -> None:
    html = '<table><tr><td class="row" lang="ur" dir="rtl" align="right"><h3>خبر</h3><p>x</p></td></tr></table>'
    start, end = html.index("<h3"), html.index("</td>")
    page = without_stories(html, [Span("a", start, end)], {"a": NOTE}, ENGLISH, name="N")
    assert page is not None and '<p class="muted" lang="en-GB" dir="ltr"' in page and "text-align:left" in page
    other = without_stories(html, [Span("a", start, end)], {"a": "واپس"}, URDU, name="N")
    assert other is not None and 'lang="ur" dir="rtl"' in other and "text-align:right" in other


@pytest.mark.parametrize(
    ("story", "expected"),
    [
        ("<tr><td>a</td></tr>", "<tr><td><p"),
        ("<tr><td>a</td></tr><tr><td>b</td></tr>", "<tr><td><p"),
        ("<td>a</td>", "<td><p"),
        ("<li>a</li>", "<li><p"),
        ("<h3>a</h3><p>b</p>", "<p"),
        ("words", "<p"),
    ],
)
def test_the_note_stands_in_the_element_that_its_place_asks_for(story: str, expected: str) -> None:
    page = without_stories(f"[{story}]", [Span("a", 1, 1 + len(story))], {"a": NOTE}, ENGLISH, name="N")
    assert page is not None and page.startswith(f"[{expected}") and page.endswith("]") and not unpaired(page)


@pytest.mark.parametrize(
    "story", ["<td>a", "a</td>", "<b><i>a</b></i>", "</td><td>a</td><td>", "<table><tr><td>a</table>"]
)
def test_a_story_that_is_no_whole_element_is_not_cut(story: str) -> None:
    assert without_stories(story, [Span("a", 0, len(story))], {"a": NOTE}, ENGLISH, name="N") is None


@pytest.mark.parametrize(
    "spans",
    [[], [Span("b", 0, 3)], [Span("a", 0, 99)], [Span("a", 3, 3)], [Span("a", -1, 3)], [Span("a", 0, 3)] * 2],
    ids=["none", "another", "beyond the page", "empty", "before the page", "overlapping"],
)
def test_spans_that_cannot_be_right_cut_nothing(spans: list[Span]) -> None:
    assert without_stories("<p>a</p>", spans, {"a": NOTE}, ENGLISH, name="N") is None


def test_what_repeats_the_story_goes_with_it() -> None:
    """The line in "In this issue", the title and label that are its headline, the preheader; nothing else."""
    html = (
        '<title>Fire &amp; water</title><div style="display:none;x">Fire at the mill&#847; </div>'
        '<div aria-label="Fire &amp; water"><p class="x">Fire &amp; water</p>\n<p>Fire &amp; water, and more</p>'
        '<p><span lang="en">Other</span></p><h2>Fire &amp; water</h2></div>'
    )
    start = html.index("<h2")
    page = without_stories(html, [Span("a", start, html.index("</h2>") + 5)], {"a": NOTE}, ENGLISH, name="The <Paper>")
    assert page is not None
    assert page.startswith('<title>The &lt;Paper&gt;</title><div style="display:none;x"></div>')
    assert 'aria-label="The &lt;Paper&gt;"' in page
    assert '<p class="x">' not in page
    assert "<p>Fire &amp; water, and more</p>" in page and "Other" in page


def test_a_page_of_its_own_is_whole_and_escapes_the_name() -> None:
    page = bare_page("A & <B>", [NOTE], URDU, BAND)
    assert well_formed(page) and "A &amp; &lt;B&gt;" in page and '<html lang="ur" dir="rtl">' in page


def test_a_page_without_our_classes_gets_its_band_at_the_top() -> None:
    page = with_band('<html><body bgcolor="#FFFFFF">\n<p>a</p></body></html>', ["Corrected"], ENGLISH, BAND)
    assert page.index("<body") < page.index("Corrected") < page.index("<p>a</p>")
    assert well_formed(f"<!DOCTYPE html>{page}")
