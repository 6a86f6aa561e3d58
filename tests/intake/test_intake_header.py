"""What a page's header shows of a story, where nothing says it to machines: names, a day, a standfirst."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from newsletter.articles.page import read_page
from newsletter.articles.page_dates import stated_date, told_date
from newsletter.articles.page_names import people
from newsletter.models import Article

NOW = datetime(2026, 11, 26, 12, tzinfo=UTC)
BODY = """<div class="article-body"><p>It hangs lower than the old one, and two clerks have been given hats for it.</p>
<p>The harbour office has a new lamp, and nobody has complained about it since Monday.</p>
<p>“We could see it from the bar,” said a pilot on 3 June 2021, “and we were not even looking.”</p></div>"""


def article(header: str, head: str = "", body: str = BODY) -> Article:
    page = f"<html lang=en><head><title>The lamp is back</title>{head}</head><body><main>"
    page += f"<article><h1>The lamp is back</h1>{header}{body}</article></main></body></html>"
    return read_page(page.encode(), url="https://quaypost.example/lamp", now=NOW).article


@pytest.mark.parametrize(
    ("words", "day"),
    [
        ("Wednesday January 18, 2017 11:44 am PST by Ada Reyes", "2017-01-18"),
        ("Dec. 9, 2016", "2016-12-09"),
        ("Thursday January 12th, 2017", "2017-01-12"),
        ("22 Dec 2016 at 14:27 ET", "2016-12-22"),
        ("Saltford, 20. November 2026, 7 Uhr", "2026-11-20"),
        ("Le 5 février 2024 à 10 h", "2024-02-05"),
        ("18 de marzo de 2025", "2025-03-18"),
        ("2016年12月7日 08:00", "2016-12-07"),
        ("20.11.2026", "2026-11-20"),
        ("Submitted on Mon, 2019-01-21 13:49", "2019-01-21"),
        ("18/11/2026", "2026-11-18"),
        ("11/18/2026", "2026-11-18"),
        ("03/04/2026", None),  # in March or in April
        ("Published May 1, 2026. Updated May 3, 2026", "2026-05-01"),
        ("Updated: May 3, 2026", None),
        ("Last updated 3 May 2026 | Originally posted 1 May 2026", "2026-05-01"),
        ("May 1, 2026 to May 9, 2026", None),
        ("3 hours ago", None),
        ("November 20", None),
        ("May 30, 2044", None),  # ahead
        ("99 Mai 2024", None),
        ("Room 20 Novel 2026", None),
    ],
)
def test_a_line_tells_a_day_when_it_names_one_with_its_year(words: str, day: str | None) -> None:
    """In the languages of newsrooms; never a day of change, and not one of two."""
    assert told_date(words, NOW) == day


@pytest.mark.parametrize(
    ("value", "date"),
    [
        ("2018-10-29T10:15-500", "2018-10-29T10:15:00-05:00"),
        ("Mon Aug 03 12:45:00 EDT 2015", "2015-08-03T12:45:00-04:00"),
        ("2021-01-03T17:40:00EET", "2021-01-03T17:40:00+02:00"),
        ("2021-01-03T17:40:00IST", "2021-01-03T17:40:00"),  # India's, Ireland's or Israel's
    ],
)
def test_times_as_systems_write_them_for_machines(value: str, date: str) -> None:
    assert stated_date(value, NOW) == date


@pytest.mark.parametrize(
    ("header", "byline", "published"),
    [
        ('<div class="byline">Nov 18, 2026 by <a href="/a">Ada Reyes</a></div>', "Ada Reyes", "2026-11-18"),
        ('<div class="byline"><span><a>Ada Reyes</a></span> | QPN | Updated: Nov 9, 2026</div>', "Ada Reyes", None),
        ('<a class="cnt__author"><span>By</span>Ada Reyes</a>', "Ada Reyes", None),
        ('<div class="post-info">by Ada Reyes / November 19, 2026 / <a>Comment</a></div>', "Ada Reyes", "2026-11-19"),
        ('<span class="story__info">By <a href="/x"> Ada Reyes </a></span>', "Ada Reyes", None),
        ('<footer class="meta"><p class="byline">By <a rel="author">Ada Reyes</a></p>'
         '<time datetime="2026-11-20T05:07-0400">11/20/26</time></footer>', "Ada Reyes", "2026-11-20T05:07:00-04:00"),
        ('<aside class="left-rail"><div class="by-line">By <a>Ada Reyes</a></div><time class="published">9 May 2026'
         "</time></aside>", "Ada Reyes", "2026-05-09"),
        ('<time data-published="2026-11-09 09:13:00Z">Nov 9</time>', None, "2026-11-09T09:13:00Z"),
        ('<div class="date">May 1, 2026</div><div class="date">May 9, 2026</div>', None, None),
        ('<div class="updated-date">May 9, 2026</div>', None, None),
        ('<p class="lead">On May 1, 2026 the lamp went out.</p>', None, None),
        ('<div class="event-box">The fair is on May 1, 2026</div>', None, None),
    ],
)  # fmt: skip
def test_a_header_shows_names_and_a_day_in_elements_made_for_them(
    header: str, byline: str | None, published: str | None
) -> None:
    """What was read from words is a guess for the editor to confirm; the running text is never asked."""
    found = article(header)
    assert (found.byline, found.published) == (byline, published)
    if published and len(published) == 10:
        assert found.provenance["published"].confirmed is False
    assert "hangs lower" in found.body
    assert "3 June 2021" in found.body


def test_of_a_long_list_of_credits_the_byline_is_what_readers_see() -> None:
    credits = '<meta name="author" content="Ada Reyes, Noor Haddad, Piet Vos, Ines Calder, Tom Oyelaran">'
    assert article('<p class="byline">By Ada Reyes</p>', credits).byline == "Ada Reyes"
    assert article("", credits).byline == "Ada Reyes, Noor Haddad, Piet Vos, Ines Calder and Tom Oyelaran"
    both = '<p class="byline">By Noor Haddad</p>'
    assert article(both, '<meta name="author" content="Ada Reyes, Noor Haddad">').byline == "Ada Reyes and Noor Haddad"


def test_a_library_writes_the_last_name_first() -> None:
    assert article("", '<meta name="dcterms.creator" content="Reyes, Ada M.">').byline == "Ada M. Reyes"
    assert article("", '<meta name="author" content="Ada Reyes, Noor Haddad">').byline == "Ada Reyes and Noor Haddad"


def test_the_author_of_a_video_on_the_page_is_not_the_storys() -> None:
    video = (
        '<div itemscope itemtype="http://schema.org/VideoObject"><meta itemprop="author" content="Quinn Other"></div>'
    )
    assert article(video).byline is None
    whole = '<div itemscope itemtype="http://schema.org/NewsArticle"><meta itemprop="author" content="Ada Reyes"></div>'
    assert article(whole).byline == "Ada Reyes"


@pytest.mark.parametrize(
    ("end", "byline"),
    [
        ('<div id="author-box"><a href="/author/ada">Ada Reyes</a> keeps the lamp.</div>', "Ada Reyes"),
        ('<div id="author-box"><a href="/author/a">Ada Reyes</a> <a href="/author/n">Noor Haddad</a></div>', None),
        ('<p>As <a href="/author/ada">Ada Reyes</a> wrote of it.</p>', None),  # in the text
        ('<aside class="sidebar"><div class="author-box"><a href="/author/q">Quinn Other</a></div></aside>', None),
    ],
)
def test_a_box_about_the_author_at_the_end_names_one_person(end: str, byline: str | None) -> None:
    found = article("", body=BODY + end)
    assert found.byline == byline
    assert byline is None or found.provenance["byline"].confirmed is False


@pytest.mark.parametrize("role", ["Senior Saltford Correspondent", "Ediciones La Ría", "Publicado por La Ría"])
def test_what_somebody_is_is_no_name(role: str) -> None:
    assert people([f"Ada Reyes, {role}"], strict=True).names == ("Ada Reyes",)


TOLD = '<meta name="description" content="Two clerks of the harbour office have hats now.">'


@pytest.mark.parametrize(
    ("header", "standfirst"),
    [
        ('<h2 class="subtitle">A lamp, two clerks, and a ladder</h2>', "A lamp, two clerks, and a ladder"),
        ('<p class="content-description">A lamp, two clerks, and a ladder</p>', "A lamp, two clerks, and a ladder"),
        ('<div class="share"><p class="subtitle">Let the people you know see what you read</p></div>', None),
        ('<div class="author-top"><div class="summary">Ada Reyes writes about the harbour and keeps hens.</div></div>',
         None),
        ('<div><div class="ad"><b>Wine</b></div><div class="summary">Twelve bottles of the autumn, mixed</div></div>',
         None),
        ('<div class="summary"><a href="/x">Another story, about a whale in the harbour</a></div>', None),
        ('<div class="with-summary"><p class="intro">Two clerks of the harbour office have hats now.</p>'
         "<p>They are blue, and the office has ordered more of them for the winter.</p></div>",
         "Two clerks of the harbour office have hats now."),
    ],
)  # fmt: skip
def test_a_standfirst_below_the_headline_is_told_from_what_else_stands_there(
    header: str, standfirst: str | None
) -> None:
    """A doubtful class is not believed against the page's own description."""
    assert article(header, TOLD).standfirst == (standfirst or "Two clerks of the harbour office have hats now.")


def test_a_description_as_long_as_a_story_is_cut_at_a_sentence() -> None:
    long = " ".join(f"Sentence number {n} of the lamp says that clerks have hats." for n in range(20))
    found = article("", f'<meta property="og:description" content="{long}">')
    assert found.standfirst is not None
    assert found.standfirst.startswith("Sentence number 0")
    assert found.standfirst.endswith("hats.")
    assert len(found.standfirst) <= 300


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("Justice et faits divers - Quay Post", ()),
        ("Ada Reyes and Noor Haddad", ("Ada Reyes", "Noor Haddad")),
        ("Ada Reyes and agencies", ("Ada Reyes",)),
        ("Ana Vidal y de la Cruz Mora", ("Ana Vidal", "de la Cruz Mora")),
        ("Ada Reyes, with Noor Haddad", ("Ada Reyes", "Noor Haddad")),
    ],
)
def test_two_names_are_told_from_one_desk(text: str, names: tuple[str, ...]) -> None:
    """What follows "and" in small letters makes a department of it, not half a person."""
    assert people([text]).names == names


@pytest.mark.parametrize(
    ("header", "byline"),
    [
        ('<div class="_x1"><div class="_x2">By <span class="_x3">Ada Reyes</span></div></div>', "Ada Reyes"),
        ("<p>By Ada Reyes in Saltford 2026</p>", None),
        ("<ul><li>By Ada Reyes</li></ul>", None),
        ('<figure><img src="/a.jpg"><p>By Ada Reyes</p></figure>', None),
        ('<figure itemscope itemtype="http://schema.org/ImageObject"><span itemprop="author">Ada Reyes</span></figure>',
         None),
    ],
)  # fmt: skip
def test_a_line_that_is_by_somebody_alone_is_a_byline_whatever_its_class(header: str, byline: str | None) -> None:
    """Some systems scramble their classes; whose picture it is says nothing of the text."""
    assert article(header).byline == byline


@pytest.mark.parametrize("nothing", ["undefined", "null", "Article", "Quay Post"])
def test_a_section_that_says_nothing_is_none(nothing: str) -> None:
    head = f'<meta property="og:site_name" content="Quay Post"><meta property="article:section" content="{nothing}">'
    assert article("", head).section is None
    assert article("", head.replace(f'section" content="{nothing}', 'section" content="Harbour')).section == "Harbour"


LONG = "It took the office three years to find a lamp that fits the hook, and the hook turned out to be the wrong one."


def test_a_standfirst_stands_before_the_text() -> None:
    """A subtitle behind its first paragraph is a heading of the text; the headline again is no standfirst."""
    within = f'<div class="x"><p>{LONG} {LONG}</p><h4 class="subtitle">How they found it</h4></div>'
    later = article("", TOLD, within + BODY)
    assert later.standfirst == "Two clerks of the harbour office have hats now."
    assert article('<p class="dek">The lamp is back</p>', TOLD).standfirst == later.standfirst


def test_a_box_with_the_description_is_the_standfirst_and_leaves_the_text() -> None:
    """Whatever it is called; a paragraph of the text that says the same stays where it is."""
    box = '<div class="lead-box"><p>Two clerks of the harbour office have hats now.</p></div>'
    found = article(box, TOLD)
    assert found.provenance["standfirst"].confirmed is True
    assert "hats now" not in found.body
    first = BODY.replace("<p>It hangs", "<p>Two clerks of the harbour office have hats now.</p><p>It hangs")
    found = article("", TOLD, first)
    assert found.provenance["standfirst"].confirmed is False
    assert found.body.startswith("Two clerks of the harbour office have hats now.")
    wrapped = "".join(f'<div class="par"><p>{text}</p></div>' for text in (
        "Two clerks of the harbour office have hats now.", LONG, LONG.replace("three", "four")))  # fmt: skip
    assert "hats now" in article("", TOLD, wrapped).body


def test_a_description_loses_the_section_before_it_and_is_none_when_it_begins_in_the_middle() -> None:
    title = "<title>The lamp is back | Harbour News</title>"
    told = '<meta name="description" content="Harbour News: Two clerks of the harbour office have got hats now.">'
    page = f"<html><head>{title}{told}</head><body><article><h1>The lamp is back</h1>{BODY}</article></body></html>"
    found = read_page(page.encode(), url="https://quaypost.example/lamp", now=NOW).article
    assert found.standfirst == "Two clerks of the harbour office have got hats now."
    middle = '<meta name="description" content="…two clerks of the harbour office have got hats…">'
    assert article("", middle).standfirst is None


def test_a_headline_that_a_page_says_twice_is_one_headline() -> None:
    """In a bar that stays at the top, and above the story; networks are told other words."""
    bar = '<header class="bar"><h1>The lamp is back</h1></header>'
    head = '<meta property="og:title" content="See how the lamp is back in the harbour">'
    page = f"<html><head>{head}</head><body>{bar}<article><h1>The lamp is back</h1>{BODY}</article></body></html>"
    assert read_page(page.encode(), url="https://quaypost.example/lamp", now=NOW).article.headline == "The lamp is back"


def test_the_writers_portrait_and_the_lead_image_again_are_not_in_the_text() -> None:
    head = '<meta property="og:image" content="https://quaypost.example/img/lamp-on-a-hook.jpg">'
    inside = """<div class="author-block"><a href="/author/ada"><img src="/faces/ada.jpg" width="200"></a></div>
        <img src="https://cdn.example/resize/1160/?url=https%3A%2F%2Fquaypost.example%2Fimg%2Flamp-on-a-hook.jpg">
        <p><img src="/img/clerks.jpg" alt="Two clerks"></p>"""
    found = article("", head, BODY.replace("<p>It hangs", inside + "<p>It hangs"))
    assert "ada.jpg" not in found.body
    assert "lamp-on-a-hook" not in found.body
    assert "clerks.jpg" in found.body


@pytest.mark.parametrize(
    ("header", "byline"),
    [
        ('<div class="x7"><a href="/about/editors/ada-reyes/">Ada Reyes</a></div>', "Ada Reyes"),
        ('<p><a href="/users/tom-hale">Tom Hale</a></p><a href="/people/ada-reyes">Ada Reyes</a>', "Tom Hale"),
        ('<div class="x7"><a href="/editors/week">Our best stories of the week</a></div>', None),
        ('<div class="x7"><a href="/harbour">Ada Reyes</a></div>', None),
        ('<figure><img src="/p.jpg"><a href="/people/ada-reyes">Ada Reyes</a></figure>', None),
    ],
)  # fmt: skip
def test_a_name_that_leads_to_a_profile_is_a_byline(header: str, byline: str | None) -> None:
    """In the header alone, and as a guess; what else is linked there is not."""
    read = article(header)
    assert read.byline == byline
    assert byline is None or not read.provenance["byline"].confirmed


def test_a_house_in_the_author_s_place_gives_way_to_who_is_shown() -> None:
    """Two statements for machines disagree, and readers see one of them. Where nothing is shown, the first counts."""
    head = '<meta name="author" content="Condor Lane"><meta property="article:author" content="Ada Reyes">'
    shown = '<p class="byline">By Ada Reyes</p>'
    assert article(shown, head).byline == "Ada Reyes"
    assert article("", head).byline == "Condor Lane"
    assert article('<p class="byline">By Tom Hale</p>', head).byline == "Condor Lane", "nobody else says so"
