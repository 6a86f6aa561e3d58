"""For every reader: headings, tables, languages; size, shape and links of words; and where an editor wrote them."""

from __future__ import annotations

import dataclasses

import pytest

from newsletter.checks import examples as eg
from newsletter.checks.authored import field_of
from newsletter.models import Severity
from tests.checks.asking import before_library, found

STORY = "library-opens-on-sundays"


def library(**changes: object) -> eg.Change:
    """Change fields of the second story."""
    lead, also = eg.example().issue.sections
    story = dataclasses.replace(eg.LIBRARY, **changes)  # type: ignore[arg-type]  # a test names fields in words
    return eg.issue(sections=(lead, dataclasses.replace(also, articles=(story,))))


@pytest.mark.parametrize(
    ("words", "field"),
    [
        ("The library opens on Sundays", "headline"),
        ("volunteers KEEP the doors", "teaser"),
        ("Inside it is warm", "body"),
        ("A lit window", "image.caption"),
        ("nothing of the kind", None),
        ("…", None),
    ],
)
def test_words_lead_back_to_their_field(words: str, field: str | None) -> None:
    """Whatever marks and capitals the page has made of them."""
    picture = eg.FERRY.image
    assert picture
    context = library(body="Inside it is **warm**.", image=dataclasses.replace(picture, caption="A lit window."))(
        eg.example()
    )
    assert field_of(context, STORY, words) == field


def test_words_outside_stories_are_the_intros_or_the_themes() -> None:
    """And a story that is not in the issue has no fields."""
    assert field_of(eg.example(), None, "here is the week") == "intro"
    assert field_of(eg.example(), None, "Unsubscribe") is None
    assert field_of(eg.example(), "nobody", "The ferry") is None


def test_capitals_are_told_with_the_field_that_has_them() -> None:
    """So that the editor knows where to write them small."""
    shout = "THE LIBRARY OPENS ON SUNDAYS"
    (finding,) = found(
        "text-capitals", library(headline=shout), eg.html("<h3>The library opens on Sundays", f"<h3>{shout}")
    )
    assert (finding.article, finding.field) == (STORY, "headline")
    (theme,) = found("text-capitals", before_library("<p>READ MORE HERE</p><p>READ MORE HERE</p>"))
    assert theme.field is None


@pytest.mark.parametrize(
    "words", ["NATO and UNESCO", "BBC NEWS", "EX99 1EW", "فیری واپس آ گئی", "A.B.C.D.E.F.", "GALE"]
)
def test_names_in_capitals_are_no_shouting(words: str) -> None:
    """A word or two is not a line; scripts without capitals have none."""
    assert not found("text-capitals", before_library(f"<p>{words}</p>"))


def test_capitals_by_style_are_the_themes() -> None:
    """Told once for each story; a rule without words is nobody's."""
    style = 'style="text-transform:uppercase"'
    (finding,) = found("text-capitals", before_library(f"<p {style}>Tides</p><p {style}>Winds</p>"))
    assert (finding.article, finding.field) == (STORY, None) and "text-transform" in finding.message
    assert not found("text-capitals", before_library(f"<p {style}></p>"))


def test_small_words_in_a_body_are_the_editors() -> None:
    """Elsewhere the theme has set them; each size is told once for each story."""
    small = before_library("<p style='font-size:14px'><small>Tide tables</small> <small>and winds</small></p>")
    (finding,) = found("text-small", small, library(body="<small>Tide tables</small> and winds"))
    assert (finding.article, finding.field) == (STORY, "body")
    assert (
        "11.67 pixels" in finding.message and "<small>" in (finding.fix or "") and "without it" in (finding.fix or "")
    )
    (theme,) = found("text-small", small)
    assert theme.field is None and "without it" not in (theme.fix or "")


@pytest.mark.parametrize(
    ("html", "small"),
    [
        ("CO<sub>2</sub> and m<sup>2</sup>", False),
        ('<span style="font-size:13px;display:none">x</span>', False),
        ('<td style="font-size:1px;line-height:1px">&#8203;</td>', False),
        ('<td style="font-size:1px">\u034f</td>', False),
        ('<span style="font-size:80%">x</span>', True),
        ('<span style="font-size:10pt">x</span>', True),
        ('<font size="2">x</font>', True),
        ('<span style="font-size:medium"><code>x</code></span>', True),
        ("<code>x</code>", False),  # browsers shrink it only where no size above is given in pixels
    ],
)
def test_only_words_that_are_seen_and_small_count(html: str, small: bool) -> None:
    """Raised and lowered signs, spacers and what is switched off do not."""
    assert bool(found("text-small", before_library(f"<p>{html}</p>"))) is small


def test_a_rule_for_telephones_may_not_make_words_small() -> None:
    """Nor may any other rule in @media."""
    rule = "@media (max-width: 480px) {\n.page p { font-size: 12px !important }"
    (finding,) = found("text-small", eg.html("@media (max-width: 480px) {", rule))
    assert finding.message == "“.page p” is 12 pixels high under @media (max-width: 480px)."
    assert not found("text-small", eg.html("@media (max-width: 480px) {", rule.replace("12px", "14px")))


def test_justified_is_found_as_style_and_as_attribute() -> None:
    """Told once for each story."""
    both = '<p style="text-align:justify">a</p><p align="JUSTIFY">b</p>'
    assert [f.article for f in found("text-justified", before_library(both))] == [STORY]
    assert found("text-justified", before_library('<p align="justify">b</p>'))


LINK = '<a href="https://estuary.example/x" style="{}">{}</a>'


@pytest.mark.parametrize(
    ("html", "lost"),
    [
        (f"<p>See {LINK.format('text-decoration:none', 'the tables')} first.</p>", True),
        (f"<p>See {LINK.format('text-decoration-line:none', 'the tables')} first.</p>", True),
        (f"<p>See {LINK.format('', 'the tables')} first.</p>", False),
        (f"<p>See {LINK.format('text-decoration:none;font-weight:700', 'the tables')} first.</p>", False),
        (f"<p>See {LINK.format('text-decoration:none;border-bottom:1px solid', 'the tables')} first.</p>", False),
        (f"<p>See {LINK.format('text-decoration:none', '<u>the tables</u>')} first.</p>", False),
        (f"<p>See {LINK.format('text-decoration:none', '<span style=text-decoration:underline>x</span>')}.</p>", False),
        (f"<p>{LINK.format('text-decoration:none', 'the tables')}</p>", False),
        (f"<p>{LINK.format('text-decoration:none', 'a')} · {LINK.format('text-decoration:none', 'b')}</p>", False),
        (f"<p><b>See</b> {LINK.format('text-decoration:none', 'the tables')}</p>", True),
        (f"<p>See {LINK.format('text-decoration:none', '<img src=cid:x width=9 alt=x>')} first.</p>", False),
        ("<p>See <a style='text-decoration:none'>the tables</a> first.</p>", False),
    ],
)  # fmt: skip
def test_a_link_among_words_needs_more_than_a_colour(html: str, lost: bool) -> None:
    """A line, weight or box; a link that stands alone, or among other links, is known by its place."""
    assert bool(found("link-colour-only", before_library(html))) is lost


def test_links_of_one_paragraph_are_told_once() -> None:
    """A paragraph with ten thousand links is looked at once as well."""
    many = LINK.format("text-decoration:none", "x") * 500
    assert len(found("link-colour-only", before_library(f"<p>See {many}</p>"))) == 1
    assert not found("link-colour-only", eg.email(html=f"<html><body>{many}</body></html>", spans=()))


def test_a_headline_may_stand_in_any_heading_of_its_story() -> None:
    """Not in that of another, and a merge field in it is a token on the page."""
    moved = eg.html("<h3>The library opens on Sundays</h3>", "<h3>Opening</h3><p>The library opens on Sundays</p>")
    (finding,) = found("headline-not-heading", moved)
    assert finding.article == STORY
    assert not found("headline-not-heading", moved, library(headline="{{ subscriber.first_name }}, it opens"))
    assert not found("headline-not-heading", eg.email(spans=()), moved)


def test_a_label_is_named_where_it_is_missing() -> None:
    """The article around the mail, its description, its label, and everything inside it."""
    assert "no aria-label" in found("mail-not-labelled", eg.html(' aria-label="The ferry is back"', ""))[0].message
    (finding,) = found(
        "mail-not-labelled", eg.html('<div class="page text"', '<p>Read online</p><div class="page text"')
    )
    assert "“Read online” stands outside" in finding.message


def test_a_story_says_its_language() -> None:
    """On itself or around it, in whatever variety."""
    said = eg.html("<h2>Also this week</h2>", '<h2 lang="ur-PK">Also this week</h2>')
    assert not found("story-lang-missing", library(lang="ur"), said)
    (finding,) = found("story-lang-missing", library(lang="ur"))
    assert (finding.article, finding.field) == (STORY, "lang") and "“en-GB” around it" in finding.message
    assert not found("story-lang-missing", library(lang="ur"), eg.email(spans=()))


ROWS = "<tr><td>Mon</td><td>4</td></tr><tr><td>Tue</td><td>6</td></tr>"


@pytest.mark.parametrize(
    ("table", "role", "header"),
    [
        (f"<table>{ROWS}</table>", False, True),
        (f"<table><thead><tr><th>Day</th><th>In</th></tr></thead><tbody>{ROWS}</tbody></table>", False, False),
        (f'<table role="presentation">{ROWS}</table>', False, False),
        (f'<table role="none">{ROWS}</table>', False, False),
        ("<table><tr><td>Alone</td></tr></table>", True, False),
        (f"<table>{ROWS.replace('Mon', '<p>Mon</p>')}</table>", True, False),
        (f"<table><tr><td><table>{ROWS}</table></td></tr></table>", True, True),
    ],
)
def test_tables_of_data_and_for_looks_are_told_apart(table: str, role: bool, header: bool) -> None:
    """Headers, or rows and columns of nothing but words, are data."""
    assert bool(found("layout-table-role", before_library(table))) is role
    assert bool(found("table-header-missing", before_library(table))) is header


def test_a_table_that_an_editor_wrote_is_a_warning_with_its_field() -> None:
    """A body keeps no roles, so the editor cannot write one."""
    table = "<table><tr><td>Low water at noon</td></tr></table>"
    (finding,) = found("layout-table-role", before_library(table), library(body=table))
    assert (finding.severity, finding.article, finding.field) == (Severity.WARNING, STORY, "body")
    (theme,) = found("layout-table-role", before_library(f"{table}{table}"))
    assert (theme.severity, theme.field) == (Severity.ERROR, None)
    assert found("layout-table-role", before_library("<table></table>"))[0].message.endswith("presentation.")
    rows = f"<table>{ROWS}</table>"
    assert found("table-header-missing", before_library(rows))[0].field == "body"
    assert found("table-header-missing", eg.html("<h1>", f"{rows}<h1>"))[0].field is None


@pytest.mark.parametrize(
    ("html", "told"),
    [
        ("One.<br><br>Two.", True),
        ("One.<br> \u200b <br>Two.", True),
        ("One.<br>Two.<br>Three.", False),
        ("One.<br><br>", False),
        ("One.<b></b><br>Two.", False),
    ],
)
def test_two_breaks_before_words_are_a_paragraph_that_is_none(html: str, told: bool) -> None:
    """One break is a line, and breaks at the end are nothing."""
    assert bool(found("paragraph-by-breaks", before_library(f"<p>{html}</p>"))) is told


def test_breaks_name_the_field_and_each_story_once() -> None:
    """A poem of many stanzas is told once."""
    html = "<p>One.<br><br>Two.<br><br>Three.</p>"
    (finding,) = found("paragraph-by-breaks", before_library(html), library(body="One.<br><br>Two.<br><br>Three."))
    assert (finding.article, finding.field) == (STORY, "body")
