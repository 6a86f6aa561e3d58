"""What a paper puts around its stories, in all four themes, in HTML and in the text part."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser

from newsletter.message.merge import fill
from newsletter.workspace.create import create_demo
from tests.themes.conftest import READER, Copy, Page, unmarked
from tests.themes.test_theme_chromium import Tab
from tests.themes.test_theme_points import style

THEMES = ("weekly", "digest", "letter", "bulletin")
PICTURELESS = ("digest",)
TOML = 'api = 1\nextends = "{theme}"\n[tokens]\nin_this_issue = "yes"\n'

ISSUE_HEAD = """---
subject: The harbour in one letter
preheader: Everything a page can have
date: 2026-11-27
theme: house
correction: Last week we put the swing bridge on the *wrong* bank. [It is on the east](https://estuary.example/bridge).
sections:
  - layout: lead
    articles: [quay]
  - title: In full
    layout: text
    articles: [harbour-log]
  - title: Also
    layout: list
    articles: [library, market]
  - layout: sponsor
    articles: [bring-last-winters-coat-back]
---
Good morning,
"""
STORY = """---
headline: {headline}
kicker: {kicker}
standfirst: {standfirst}
byline: {byline}
agency: Coast News Agency
link: https://estuary.example/{slug}
image: {{file: oyster-road.jpg, alt: Boats at low water, caption: The road at noon, credit: H. Okoro}}
---
{body}
"""
BODY = """The log has no room for feelings, only for wind and sea, and it was never meant to be read by anybody.

> Ice to the bar. Skipper *asleep*.
> — Ines Calder, harbour master

The next one has no source.

> A plain quotation stays one,
> without a source.

| Winters | Days of ice | Longest gale | Skippers | Geese counted | Soup | Lanterns lit |
|---|---:|:-:|---|---:|---|---|
| 1926–1950 | 61 | 3 days | Hollingsworthy | 1,204 | Wednesdays | Pumpernickel |
| 1951–1975 | 7 | 3 days | Featherstonehaugh | 98 | Thursdays | Quarterdeck |
"""
WORDS = "word " * 460  # two minutes


def write(copy: Copy, slug: str, **fields: str) -> None:
    given = {
        "slug": slug,
        "kicker": "Harbour",
        "standfirst": "One sentence more.",
        "byline": "Nell Farrow",
        "body": WORDS,
    }
    (copy.issue / f"{slug}.md").write_text(STORY.format(**(given | fields)), encoding="utf-8")


def furnished(folder: Path, theme: str, lang: str = "en-GB") -> Page:
    copy = Copy(create_demo(folder / "ws").root)
    house = copy.root / "templates" / "house"
    house.mkdir(parents=True)
    (house / "theme.toml").write_text(TOML.format(theme=theme), encoding="utf-8")
    copy.edit("newsletter.toml", ('language = "en-GB"', f'language = "{lang}"'))
    copy.edit(
        "newsletter.toml",
        ('url = "https://estuary.example"', 'url = "https://estuary.example"\n[links]\nutm_source = "letter"'),
    )
    (copy.issue / "issue.md").write_text(ISSUE_HEAD, encoding="utf-8")
    write(copy, "quay", headline="The quay is open")
    write(copy, "harbour-log", headline="A century of winters", body=f"{BODY}\n{WORDS}")
    write(copy, "library", headline="The library opens on Sundays", byline="")
    write(copy, "market", headline="The market moves")
    return copy.render()


@pytest.fixture(scope="module", params=THEMES)
def theme(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(scope="module")
def page(theme: str, tmp_path_factory: pytest.TempPathFactory) -> Page:
    return furnished(tmp_path_factory.mktemp(theme), theme)


def said(page: Page) -> str:
    return " ".join(page.tree.find("body").text_content().split())


def test_each_piece_is_in_both_parts(page: Page, theme: str) -> None:
    """Kicker, headline, standfirst, byline, agency, reading time, link, full text, sponsor, contents, correction."""
    text = " ".join(page.text.split())
    for words in (
        "Harbour",
        "The quay is open",
        "One sentence more.",
        "By Nell Farrow · Coast News Agency · 2 min read",
        "Read the full story",
        "The log has no room for feelings",
        "Advertisement feature · Paid for by Ropewalk Repairs",
        "In this issue",
        "The library opens on Sundays",
        "Coast News Agency",
        "Correction",
        "Last week we put the swing bridge on the wrong bank.",
    ):
        assert words in said(page) and words in text, words
    assert ("The road at noon. Picture: H. Okoro" in said(page)) == (theme not in PICTURELESS)
    assert ("The road at noon. Picture: H. Okoro" in text) == (theme not in PICTURELESS)


def test_the_correction_is_a_band_above_the_stories(page: Page) -> None:
    """Its mark is at the start side in the accent's colour, its inline marks and its link are set, once."""
    (band,) = page.tree.find_class("band")
    bar = band.getprevious()
    assert bar.get("width") == "4" and bar.get("bgcolor")
    assert band.find(".//em").text == "wrong"
    assert band.find(".//a").get("href") == "https://estuary.example/bridge?utm_source=letter"
    assert page.html.index("swing bridge") < page.html.rindex("The quay is open")
    assert "\n\nCorrection\n\nLast week we put the swing bridge" in page.text
    assert "(https://estuary.example/bridge?utm_source=letter)" in page.text
    assert page.text.index("Correction") < page.text.index("The quay is open")


def test_links_that_are_called_alike_are_told_apart(page: Page) -> None:
    """Whoever hears the links one by one hears the story's headline; what is read begins what is heard."""
    alike = [link for link in page.tree.iter("a") if "Read the full story" in link.text_content()]
    assert alike
    labels = [link.get("aria-label") for link in alike]
    assert labels == ["Read the full story: The quay is open"]
    other = next(link for link in page.tree.iter("a") if "Book a repair" in link.text_content())
    assert other.get("aria-label") is None


def test_a_quotation_with_its_source_is_another_thing_than_a_quotation(page: Page) -> None:
    """20/30 italic with the source in 14/21 under it; the plain one is set as the text around it."""
    pull, plain = page.tree.findall(".//blockquote")
    quoted, by = pull.findall("p")
    assert (
        quoted.text_content() == "Ice to the bar. Skipper asleep."
        and by.text_content() == "— Ines Calder, harbour master"
    )
    assert style(pull)["font"].startswith("italic 20px/30px") and "font" not in style(plain)
    assert style(by)["font"].startswith("14px/2") and "muted" in by.get("class")
    for quotation in (pull, plain):
        assert (
            style(quotation)["border-left"].startswith("3px solid #") and style(quotation)["padding"] == "8px 0 0 16px"
        )
    assert "\n\n> Ice to the bar. Skipper asleep.\n> — Ines Calder, harbour master\n\n" in page.text
    assert "\n\n> A plain quotation stays one, without a source.\n\n" in page.text


def test_a_table_says_what_its_cells_are(page: Page) -> None:
    """Headings with a scope, columns aligned as written; in the text part each row is named by its headings."""
    (table,) = [
        table for table in page.tree.iter("table") if table.find(".//th") is not None and not table.findall(".//table")
    ]
    heads = list(table.iter("th"))
    assert {head.get("scope") for head in heads} == {"col"} and len(heads) == 7
    assert style(heads[0])["text-align"] == "left" and style(heads[1])["text-align"] == "right"
    assert [cell.get("align") for cell in table.findall(".//tbody/tr")[0]] == [
        None,
        "right",
        "center",
        None,
        "right",
        None,
        None,
    ]
    assert table.get("role") is None
    assert "Winters: 1926–1950\nDays of ice: 61\nLongest gale: 3 days\n" in page.text


def test_our_own_links_stay_as_they_are(page: Page) -> None:
    """Every story's link has the parameter once; unsubscribe, preferences and web copy have none."""
    tracked = re.findall(r'href="(https://estuary\.example/[^"]*)"', page.filled)
    ours = [link for link in tracked if re.match(r"https://estuary\.example/[upv]/", link)]
    assert len(ours) >= 3 and not any("utm" in link for link in ours)
    stories = [link for link in tracked if link not in ours and "/2026/" not in link]
    assert len(stories) > 3 and all(link.count("utm_source=letter") == 1 for link in stories)


@pytest.mark.chromium
@pytest.mark.parametrize("lang", ["en-GB", "ur"])
@pytest.mark.parametrize("width", [360, 700])
def test_a_wide_table_stays_in_the_card(theme: str, lang: str, width: int, browser: Browser, tmp_path: Path) -> None:
    """Seven columns of long words: the page does not move sideways, the words are whole, the table moves in its box."""
    tab = Tab(browser, furnished(tmp_path, theme, lang).write(tmp_path), width)
    try:
        assert tab.page.evaluate("document.documentElement.scrollWidth") == width
        (card,) = tab.boxes(".card")
        (box,) = tab.boxes("div.scroll")
        assert card["w"] == min(width, 600)
        assert box["x"] >= card["x"] and box["x"] + box["w"] <= card["x"] + card["w"]
        inside, shown = tab.page.eval_on_selector("div.scroll", "e => [e.scrollWidth, e.clientWidth]")
        assert inside > shown and shown <= width
    finally:
        tab.context.close()


@pytest.mark.chromium
def test_the_bars_stand_at_the_start_side(browser: Browser, tmp_path: Path) -> None:
    """In an Urdu issue the correction's bar is at the right edge, and so is the bar of a quotation."""
    tab = Tab(browser, furnished(tmp_path, "weekly", "ur").write(tmp_path), 700)
    try:
        ((bar,), (band,)) = (tab.boxes("td.bar"), tab.boxes("td.band"))
        assert bar["x"] == band["x"] + band["w"] and bar["w"] == 4
        assert set(tab.computed("blockquote", "border-right-width")) == {"3px"}
        assert set(tab.computed("blockquote", "border-left-width")) == {"0px"}
        assert set(tab.computed("blockquote", "font-style")) == {"normal"}
    finally:
        tab.context.close()


def test_a_theme_can_still_set_its_own_correction(tmp_path: Path) -> None:
    """The block of a theme goes before what issue.md says; parts.correction needs only the words."""
    copy = Copy(create_demo(tmp_path / "ws").root)
    copy.edit("issue.md", ("subject:", "correction: From the issue.\nsubject:"))
    block = "{% block correction %}{{ parts.correction(words) }}{% endblock %}".replace("words", '"From the theme."')
    files = {
        "theme.toml": 'api = 1\nextends = "weekly"\n',
        "email.html.j2": '{% extends "weekly/email.html.j2" %}' + block,
    }
    page = copy.theme("mine", files).render()
    (band,) = page.tree.find_class("band")
    assert band.text_content() == "From the theme." and "From the issue." not in page.html
    assert "From the issue." in page.text


def test_a_correction_is_one_line_whatever_it_starts_with(copy: Any) -> None:
    """Neither a list nor a heading nor a picture comes out of it; a merge field works as it does elsewhere."""
    for written, wanted in (
        ("1926. It was **frozen**.", "1926. It was frozen."),
        ("'# Not a heading'", "# Not a heading"),
        ("'- no list, {{ subscriber.first_name | default(\"reader\") }}'", "- no list, Amina"),
        ("'<script>x</script><ul><li>a<li>b</ul> ![pic](https://x.example/y.png)'", "a b pic"),
    ):
        issue = copy.issue / "issue.md"
        text = re.sub(r"(?m)^correction:.*\n", "", issue.read_text(encoding="utf-8"))
        issue.write_text(text.replace("subject:", f"correction: {written}\nsubject:", 1), encoding="utf-8")
        page = copy.render()
        (band,) = page.tree.find_class("band")
        assert [element.tag for element in band] == ["p", "p"]
        assert " ".join(unmarked(fill(band[1].text_content(), page.email.fields, READER)).split()) == wanted
        assert f"Correction\n\n{wanted}" in page.text


@pytest.mark.chromium
def test_a_link_in_the_correction_can_be_read_on_a_dark_screen(browser: Browser, tmp_path: Path) -> None:
    """It is repainted like the links of running text."""
    tab = Tab(browser, furnished(tmp_path, "weekly").write(tmp_path), 700, dark=True)
    try:
        assert tab.computed(".band a", "color") == ["rgb(255, 158, 143)"]
    finally:
        tab.context.close()
