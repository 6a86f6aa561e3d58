"""The parts that decide: names, dates, encodings, addresses, titles, pictures. What is not stated stays unknown."""

from __future__ import annotations

import json
import logging
import re
import subprocess
import sys
from datetime import UTC, datetime
from typing import Any

import lxml.html
import pytest

from newsletter.articles.page import read_page
from newsletter.articles.page_address import same_page, site_of, without_counters
from newsletter.articles.page_dates import stated_date
from newsletter.articles.page_encoding import decode_page
from newsletter.articles.page_names import People, people
from newsletter.articles.plain import plain_text
from newsletter.models import Article, Provenance

NOW = datetime(2026, 11, 26, 12, tzinfo=UTC)
SITES = ("Quay Post", "quaypost.example", "Slack Water")
BODY = (
    "<p>The harbour office has a new lamp, and nobody has complained about it since Monday.</p>"
    "<p>It hangs lower than the old one, and two clerks have been given hats.</p>"
)


def article(
    head: str = "", body: str = "", title: str = "The lamp is back", url: str = "https://quaypost.example/lamp"
) -> Article:
    page = f"<html lang=en><head>{title and f'<title>{title}</title>'}{head}</head><body><main><article>{body}"
    page += f'<div class="article-body">{BODY}</div></article></main></body></html>'
    return read_page(page.encode(), url=url, now=NOW).article


def og(title: str) -> str:
    return f'<meta property="og:title" content="{title}">'


def linked(**story: Any) -> str:
    return f'<script type="application/ld+json">{json.dumps({"@type": "NewsArticle", **story})}</script>'


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("By Ada Reyes", ("Ada Reyes",)),
        ("by Ada Reyes and Tom Oyelaran", ("Ada Reyes", "Tom Oyelaran")),
        ("Ada Reyes, Tom Oyelaran & Noor Haddad", ("Ada Reyes", "Tom Oyelaran", "Noor Haddad")),
        ("Words by Ada Reyes", ("Ada Reyes",)),
        ("Von Jonas Feld", ("Jonas Feld",)),
        ("Par Camille Roux et Hugo Lenoir", ("Camille Roux", "Hugo Lenoir")),
        ("Por Lucía Ortega y Inés Calder", ("Lucía Ortega", "Inés Calder")),
        ("作者：林晓雨", ("林晓雨",)),
        ("بقلم: ليلى حداد", ("ليلى حداد",)),
        ("Ada Reyes, Science Correspondent", ("Ada Reyes",)),
        ("Ada Reyes | Political Editor", ("Ada Reyes",)),
        ("Ada Reyes in Berlin", ("Ada Reyes",)),
        ("Ada Reyes for the Quay Post", ("Ada Reyes",)),
        ("Ada Reyes, London", ("Ada Reyes",)),
        ("Ada Reyes (ada@quay.example)", ("Ada Reyes",)),
        ("Ada Reyes Updated: 9 November 2026", ("Ada Reyes",)),
        ("Ada Reyes, 9 November 2026", ("Ada Reyes",)),
        ("Ada Reyes • November 9, 2026", ("Ada Reyes",)),
        ("Dr. Amara Nwosu", ("Dr. Amara Nwosu",)),
        ("Piet van der Berg", ("Piet van der Berg",)),
        ("D'Arcy O’Neill-Smith", ("D'Arcy O’Neill-Smith",)),
        ("Quay Post", ()),
        ("The Quay Post", ()),
        ("quaypost", ()),
        ("Quay Post Newsroom", ()),
        ("Slack Water", ()),
        ("Staff Writer", ()),
        ("Web Desk", ()),
        ("admin", ()),
        ("Our Special Correspondent", ()),
        ("Harbour Media GmbH, Hamburg, Germany", ()),
        ("https://quay.example/ada", ()),
        ("ada@quay.example", ()),
        ("@adareyes", ()),
        ("CDU", ()),
        ("On the council’s own server", ()),
        ("the lamp that would not stay on", ()),
        ("12 November 2026", ()),
        ("", ()),
    ],
)
def test_a_byline_is_names_of_people(text: str, names: tuple[str, ...]) -> None:
    assert people([text], sites=SITES).names == names


def test_an_agency_is_no_person_and_a_mononym_needs_structured_data() -> None:
    assert people(["PTI"]) == People((), "PTI")
    assert people(["Ada Reyes, Reuters"]) == People(("Ada Reyes",), "Reuters")
    assert people(["Ravish"]).names == ("Ravish",)
    assert people(["Ravish"], strict=True).names == ()


def test_names_are_joined_in_the_language_of_the_story() -> None:
    three = People(("A", "B", "C"))
    assert [three.byline(lang) for lang in ("en", "de-DE", "fr", "ur")] == [
        "A, B and C",
        "A, B und C",
        "A, B et C",
        "A, B, C",
    ]
    assert People().byline() == ""


@pytest.mark.parametrize(
    ("value", "date"),
    [
        ("2026-11-20", "2026-11-20"),
        ("2026-11-20T07:05:00Z", "2026-11-20T07:05:00Z"),
        ("2026-11-20T07:05:00.123+0530", "2026-11-20T07:05:00+05:30"),
        ("2026-11-20 07:05", "2026-11-20T07:05:00"),
        ("20261120", "2026-11-20"),
        ("2026/11/20", "2026-11-20"),
        ("20.11.2026", "2026-11-20"),
        ("Fri, 20 Nov 2026 07:05:00 GMT", "2026-11-20T07:05:00Z"),
        ("November 20, 2026", "2026-11-20"),
        ("20 November 2026", "2026-11-20"),
        (1795158300, "2026-11-20T07:05:00Z"),
        ("1795158300000", "2026-11-20T07:05:00Z"),
        ("2026-11-27T11:00:00Z", "2026-11-27T11:00:00Z"),  # a zone can be a day ahead
        ("2026-11-28", None),
        ("2044-01-01", None),
        ("1970-01-01", None),
        ("0000-00-00", None),
        ("2026-13-01", None),
        ("2026-02-30", None),
        ("11/20/2026", None),  # or the 11th of a month 20: nobody knows
        ("Friday", None),
        ("3 hours ago", None),
        ("2026", None),
        (True, None),
        (None, None),
        ("9" * 60, None),
    ],
)
def test_a_date_is_what_is_stated_exactly_and_not_ahead(value: object, date: str | None) -> None:
    assert stated_date(value, NOW) == date


TEXT = "Grüße: “été” – naïve"


@pytest.mark.parametrize(
    ("data", "header", "text"),
    [
        (b"\xef\xbb\xbf" + TEXT.encode(), "text/html; charset=iso-8859-1", TEXT),
        (TEXT.encode(), "text/html; charset=iso-8859-1", TEXT),  # valid UTF-8 is UTF-8
        (TEXT.encode("utf-16"), None, TEXT),
        (("<html>" + TEXT).encode("utf-16-le"), None, "<html>" + TEXT),
        (b"<meta charset=iso-8859-1>" + TEXT.encode("cp1252"), None, "<meta charset=iso-8859-1>" + TEXT),
        (b"<meta charset=windows-1252>\xe9", "text/html; charset=windows-1251", "<meta charset=windows-1252>é"),
        ("夜の船①".encode("cp932"), "text/html; charset=Shift_JIS", "夜の船①"),
        ("渡輪".encode("big5"), "text/html; charset=big5", "渡輪"),
        ("渡轮㐀".encode("gb18030"), "text/html; charset=gb2312", "渡轮㐀"),
        (TEXT.encode("cp1252"), "text/html; charset=utf-7", TEXT),  # no encoding for pages
        (TEXT.encode("cp1252"), "text/html; charset=hex", TEXT),
        ("so\u00adft&shy; and\u200bgone".encode(), None, "soft andgone"),
    ],
)
def test_bytes_are_read_as_browsers_read_them(data: bytes, header: str | None, text: str) -> None:
    assert decode_page(data, header)[0] == text


def test_a_guessed_encoding_and_damage_are_told() -> None:
    assert "Windows-1252" in decode_page(b"caf\xe9")[1][0]
    text, notes = decode_page(b"<meta charset=utf-8>" + b"good words " * 20 + b"\xe2\x80", None)
    assert text.endswith("\ufffd")
    assert "damaged" in notes[0]
    assert decode_page(TEXT.encode())[1] == []


def twice(text: str) -> str:
    """A text whose UTF-8 somebody took for Windows-1252, as browsers read that: five bytes stand for themselves."""
    return "".join(bytes([byte]).decode("cp1252", "ignore") or chr(byte) for byte in text.encode())


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        (twice("L’été à l’écluse"), "L’été à l’écluse"),
        (twice("Grüße “hier”"), "Grüße “hier”"),
        (twice("रात की नाव"), "रात की नाव"),
        (twice("Ночной паром"), "Ночной паром"),
        ("CAFÉ» et «À TABLE»", "CAFÉ» et «À TABLE»"),  # looks like it, and is not
        ("Ã© stands alone", "Ã© stands alone"),  # once is no proof
        ("Ã© and Ã", "Ã© and Ã"),
        ("São João, à vóvó", "São João, à vóvó"),
    ],
)
def test_text_that_was_encoded_twice_is_read_again_only_where_that_is_proven(written: str, meant: str) -> None:
    assert decode_page(written.encode())[0] == meant


@pytest.mark.parametrize(
    ("url", "site"),
    [
        ("https://www.quay.example/a", "quay.example"),
        ("https://news.quay.co.uk/a", "quay.co.uk"),
        ("https://quay.co.uk", "quay.co.uk"),
        ("https://mira.substack.com/p/x", "mira.substack.com"),
        ("https://127.0.0.1/x", "127.0.0.1"),
        ("http://[::1", ""),
        ("", ""),
    ],
)
def test_the_site_of_an_address(url: str, site: str) -> None:
    assert site_of(url) == site


def test_addresses_are_compared_and_shortened_without_losing_the_page() -> None:
    assert same_page("https://www.quay.example/a/", "http://quay.example/a?x=1#y")
    assert same_page("https://quay.example/a/amp", "https://amp.quay.example/a")
    assert not same_page("https://quay.example/a", "https://quay.example/b")
    assert not same_page("a", "a")
    assert without_counters("https://q.example/a?id=7&utm_source=x&fbclid=y#z") == "https://q.example/a?id=7"
    assert without_counters("https://q.example/a?b=0%2C58&c") == "https://q.example/a?b=0%2C58&c"


@pytest.mark.parametrize(
    ("head", "body", "title", "headline", "confirmed"),
    [
        (og("The lamp is back"), "<h1>The lamp is back</h1>", "x", "The lamp is back", True),
        ("", "<h1>Opinion The lamp is back</h1>", "The lamp is back", "The lamp is back", True),  # a kicker
        (og("The lamp is…"), "<h1>The lamp is back</h1>", "", "The lamp is back", True),
        ('<meta property="og:site_name" content="Quay">', "", "The lamp | Quay", "The lamp", False),
        ("", "", "The lamp - Quay", "The lamp - Quay", False),  # no proof that Quay is the site
        ("", "", "The lamp | Quaypost", "The lamp", False),  # the host's name
        ("", "<h1>THE LAMP IS BACK</h1>", "The lamp is back", "The lamp is back", True),
        ("", "<h1>Quay</h1><h2>The lamp is back</h2>", "The lamp is back | Quay", "The lamp is back", True),
        (linked(headline="The lamp is back"), "", "", "The lamp is back", True),
        ("", "<h1>The lamp</h1><h1>Another</h1>", "", "The lamp", False),
        (og("See: a lamp is back!"), "<h1>The lamp is back</h1>", "", "The lamp is back", True),
        (og("Hats for clerks"), "<h1>The lamp is back</h1>", "", "Hats for clerks", False),
    ],
)  # fmt: skip
def test_the_headline_is_what_most_places_agree_on(
    head: str, body: str, title: str, headline: str, confirmed: bool
) -> None:
    found = article(head, body, title)
    assert (found.headline, found.provenance["headline"].confirmed) == (headline, confirmed)


@pytest.mark.parametrize(
    ("head", "body", "url", "source"),
    [
        ("/media/lamp.jpg", "", "https://quaypost.example/media/lamp.jpg", "meta og:image"),
        ("/static/logo.png", "", None, None),
        ("/img/default-share.png", "", None, None),
        ("/logo.png", '<figure><img src="/a/hat.jpg"></figure>', "https://quaypost.example/a/hat.jpg", "first picture"),
        ("", '<img src="/avatars/ada.jpg">', None, None),
        ("", '<figure><img src="/a/hat.jpg" width="60"></figure>', None, None),
        ("data:image/png;base64,AA", "", None, None),
        ("javascript:alert(1)", "", None, None),
    ],
)  # fmt: skip
def test_the_lead_image_is_a_picture_of_the_story(head: str, body: str, url: str | None, source: str | None) -> None:
    found = article(f'<meta property="og:image" content="{head}">', f"<h1>The lamp is back</h1>{body}")
    assert (found.image and found.image.url) == url
    assert (found.provenance["image"].source if found.image else None) == source


@pytest.mark.parametrize(
    ("description", "standfirst"),
    [
        ("Two clerks of the office have been given hats, and the harbour keeps its old lamp as well.", True),
        ("The harbour office has a new lamp, and nobody has complained…", True),  # cut off: who shows it looks
        ("The harbour office has a new lamp, and nobody has complained about it since Monday.", True),  # how it begins
        ("The latest news, weather and sport from both banks of the estuary, every day.", False),  # the site
        ("The lamp is back", False),  # the headline
        ("Best lamps ✓ cheap lamps ✓ read now ▶ harbour office lamp hats clerks", False),  # for machines
    ],
)
def test_a_description_is_the_standfirst_unless_it_is_plainly_none(description: str, standfirst: bool) -> None:
    """Also one that begins like the text, which keeps its own sentence; nobody has confirmed it."""
    found = article(f'<meta name="description" content="{description}">', "<h1>The lamp is back</h1>")
    assert (found.standfirst is not None) == standfirst
    assert "The harbour office has a new lamp, and nobody has complained about it since Monday." in found.body
    assert not standfirst or found.provenance["standfirst"].confirmed is False


def test_of_several_descriptions_a_whole_one_is_taken() -> None:
    """Many a system cuts for one network what it gives whole to another; a standfirst on the page wins over all."""
    head = """<meta property="og:description" content="Two clerks of the office have been given…">
        <meta name="description" content="Two clerks of the office have been given hats.">"""
    heading = "<h1>The lamp is back</h1>"
    found = article(head, heading)
    assert found.standfirst == "Two clerks of the office have been given hats."
    assert found.provenance["standfirst"] == Provenance("description", confirmed=False)
    seen = article(head, f'{heading}<p class="standfirst">The clerks have hats, and the harbour a lamp.</p>')
    assert seen.standfirst == "The clerks have hats, and the harbour a lamp."


def test_linked_data_of_another_story_is_not_believed() -> None:
    other = linked(
        headline="Council passes its budget", url="https://quaypost.example/budget", datePublished="2026-11-01"
    )
    mine = linked(headline="The lamp is back", datePublished="2026-11-20", author={"@id": "#ada"})
    person = '{"@type": "Person", "@id": "#ada", "name": "Ada Reyes", "url": "x",}'  # a comma too many
    person = f'<script type="application/ld+json">{person}</script>'
    assert article(other, "<h1>The lamp is back</h1>").published is None
    found = article(other + mine + person, "<h1>The lamp is back</h1>")
    assert (found.published, found.byline) == ("2026-11-20", "Ada Reyes")


@pytest.mark.parametrize(
    "other",
    [
        '<aside><a rel="author" href="/x">Quinn Other</a><time datetime="2026-10-02">2 October</time></aside>',
        '<div class="related-story"><a rel="author">Quinn Other</a><time datetime="2026-10-02"></time></div>',
        '<section class="comments"><p class="author">By Quinn Other</p><time datetime="2026-10-02"></time></section>',
        '<div class="author-bio"><span class="author-bio-name">By Quinn Other</span></div>',
        '<a href="/x"><time datetime="2026-10-02">2 October</time> Another story</a>',
        '<p id="fn1">Quinn Other</p>',
        "<p>By Quinn Other, on 2 October 2026</p>",
    ],
)
def test_names_and_dates_of_other_stories_are_not_this_ones(other: str) -> None:
    """Inside the story's own element stand teasers, comments and boxes about people."""
    found = article(body=f"<h1>The lamp is back</h1>{other}")
    assert (found.byline, found.published) == (None, None)


@pytest.mark.parametrize(
    "canonical", ["https://evil.example/lamp", "https://quaypost.example/", "ftp://quaypost.example/x", "http://[::1"]
)
def test_a_canonical_address_elsewhere_is_not_believed(canonical: str) -> None:
    found = article(f'<link rel="canonical" href="{canonical}">')
    assert (found.link, found.provenance["link"].source) == ("https://quaypost.example/lamp", "the address")


def test_trafilatura_is_loaded_when_a_page_is_read_and_says_nothing(capfd: pytest.CaptureFixture[str]) -> None:
    """Every command would start a fifth of a second later; and what a page lacks is ours to say."""
    code = "import newsletter.app.pages, newsletter.cli.article, sys; print('trafilatura' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"
    loud = (
        "import sys; from newsletter.articles.page import read_page as r; r(sys.argv[1].encode(), url='http://q.io/a')"
    )
    page = "<h1>The lamp</h1><p>It burns.</p>"
    done = subprocess.run([sys.executable, "-c", loud, page], capture_output=True, text=True, check=True)
    assert (done.stdout, done.stderr) == ("", "")
    assert not logging.getLogger("trafilatura").propagate or logging.getLogger("trafilatura").handlers


def test_a_heading_whose_list_of_links_is_gone_goes_too() -> None:
    links = "".join(f'<li><a href="/{n}">Another story about lamps, number {n}</a></li>' for n in range(3))
    text = f"{BODY}<h2>Lamps</h2><ul>{links}</ul>"
    page = f"<article><h1>The lamp is back</h1><div class='article-body'>{text}</div></article>"
    body = read_page(page.encode(), url="https://quaypost.example/lamp", now=NOW).article.body
    assert body.endswith("given hats.\n")


@pytest.mark.parametrize(
    "sentence",
    [
        "<strong>Print</strong> is not dead, says the harbour office, which prints everything twice.",
        'The <a class="inline-link related-link" href="/x">lamp</a> is in the <span class="tags">museum</span> now.',
        "They put it to the <span>comments</span> of the town, and the town said nothing at all.",
        "The lamp <span>–</span> a new one <strong>,</strong> and a bright one <span>|</span> burns.",
        "It cost <em>more</em> than the <b>ad</b> had said, and <span>share</span> holders were told so.",
    ],
)
def test_a_word_of_a_sentence_is_never_taken_for_a_button(sentence: str) -> None:
    words = lxml.html.fromstring(f"<p>{sentence}</p>").text_content()
    for around in ("<p>{}</p>", "<div>{}</div>", "{}<br>"):
        text = f"{BODY}{around.format(sentence)}{BODY}"
        page = f"<article><h1>The lamp is back</h1><div class='article-body'>{text}</div></article>"
        body = read_page(page.encode(), url="https://quaypost.example/lamp", now=NOW).article.body
        assert words in re.sub(r"\*|\[|\]\([^)]*\)", "", body)


MORE = "".join(f"<p>The {n} lamp of the harbour office burns, and the clerks are content with it.</p>" for n in "abcd")


def body_with(text: str) -> str:
    page = f"<article><h1>The lamp is back</h1><div class='article-body'>{text}</div></article>"
    return read_page(page.encode(), url="https://quaypost.example/lamp", now=NOW).article.body


def test_a_caption_is_the_title_of_its_picture_however_it_is_marked() -> None:
    """A paragraph of its own would be read as the story's words."""
    picture = '<img src="/a.jpg" alt="A lamp" width="640">'
    lead = '<figure><img src="/lead.jpg" alt="Lead" width="900"></figure>'
    for told in (
        f"<figure>{picture}<figcaption>The lamp, in May</figcaption></figure>",
        f'<div class="wp-caption">{picture}<p class="wp-caption-text">The lamp, in May</p></div>',
        f'<div class="image"><a href="/big.jpg">{picture}</a><span class="caption">The lamp, in May</span></div>',
    ):
        body = body_with(f"{lead}{BODY}{told}{MORE}")
        assert '![A lamp](https://quaypost.example/a.jpg "The lamp, in May")' in body
        assert body.count("The lamp, in May") == 1


def test_the_words_below_a_picture_that_is_not_there_go_with_it() -> None:
    body = body_with(f"{BODY}<figure><img src=''><figcaption>The lamp, in May</figcaption></figure>{MORE}")
    assert "in May" not in body


def test_a_heading_is_not_judged_by_its_anchor() -> None:
    body = body_with(f'{BODY}<h2 id="nav-for-beginners">Navigation</h2>{MORE}')
    assert "## Navigation" in body


def test_who_else_worked_on_a_story_is_its_last_line() -> None:
    body = body_with(
        f"{BODY}{MORE}<div class='x'><p class='y'>Additional reporting by Ada Reyes; editing by Bo Lund</p></div>"
    )
    assert body.endswith("Additional reporting by Ada Reyes; editing by Bo Lund\n")


def test_the_number_of_a_heading_is_one_of_its_words() -> None:
    assert plain_text("## 2. Eat\n\n2. eat\n\n> - ## b") == "2. Eat\n\neat\n\nb"
