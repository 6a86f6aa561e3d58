"""What may be missing, and what may be different: no site, no number, no link, a logo, other languages, overrides."""

from __future__ import annotations

from typing import Any

import pytest
from PIL import Image

LEAD = "passengers-buy-the-last-ferry.md"


def words(page: Any) -> str:
    return " ".join(page.tree.text_content().split())


def test_without_a_site_there_are_no_links_to_it(copy: Any) -> None:
    """No unsubscribe, preferences or web copy in either part, and no separator left standing."""
    page = copy.edit("newsletter.toml", ("[site]\n", ""), ('url = "https://estuary.example"\n', "")).render()
    for part in (words(page), page.text):
        assert "Unsubscribe" not in part and "Preferences" not in part and "Read online" not in part
    assert page.tree.find_class("dot") == []
    assert "No. 48" in words(page) and "No. 48 ·" not in words(page)


def test_without_number_and_site_the_date_stands_alone(copy: Any) -> None:
    """The date row has one cell then."""
    copy.edit("newsletter.toml", ("[site]\n", ""), ('url = "https://estuary.example"\n', ""))
    page = copy.edit("issue.md", ("number: 48\n", "")).render()
    assert [cell.text_content() for cell in page.tree.find_class("stack")] == ["Friday 27 November 2026"]
    assert "Friday 27 November 2026\n" in page.text


def test_a_story_without_a_page_has_no_link_and_no_button(copy: Any) -> None:
    """Its headline is plain words and so is its picture."""
    copy.edit(LEAD, ("link: https://estuary.example/2026/11/passengers-buy-the-last-ferry\n", ""))
    page = copy.render()
    lead = page.email.html_of("passengers-buy-the-last-ferry")
    assert "<a" not in lead and "<h2" in lead and "<img" in lead
    assert "Read the full story" not in page.text


def test_a_story_without_a_picture_leaves_no_hole(copy: Any) -> None:
    """A lead, a list row, a grid story and a sponsor without image keep no empty cells for one."""
    for file in (
        LEAD,
        "sea-wall-to-move-inland.md",
        "night-train-stops-here-again.md",
        "bring-last-winters-coat-back.md",
    ):
        text = (copy.issue / file).read_text(encoding="utf-8")
        head, _, rest = text.partition("image:\n")
        (copy.issue / file).write_text(head + rest[rest.index("---\n") :], encoding="utf-8")
    page = copy.render()
    assert len(page.tree.findall(".//img")) == 4
    assert page.html.count('class="thumb"') == page.html.count('class="gap"') == 1


def test_an_odd_grid_ends_in_a_list_row(copy: Any) -> None:
    """Three stories: two columns and a row with a thumbnail, below a hairline."""
    page = copy.edit("issue.md", (", curlews-after-dark]", "]")).render()
    assert len(page.tree.find_class("column")) == 2
    row = page.email.html_of("seven-miles-by-the-tide")
    assert 'width="160"' in row and 'class="thumb"' in row
    assert page.html.count('<td width="256" valign="top">') == 2


def test_a_logo_stands_for_the_name(copy: Any) -> None:
    """The heading holds the logo, with the name as its alt text, at most 280 × 48."""
    Image.new("RGBA", (560, 80), (0, 0, 0, 0)).save(copy.root / "masthead.png")
    page = copy.edit("newsletter.toml", ('# logo = "masthead.png"', 'logo = "masthead.png"')).render()
    logo = page.tree.find(".//h1//img")
    assert logo.get("alt") == "The Estuary Weekly"
    assert int(logo.get("width")) <= 280 and int(logo.get("height")) <= 48
    assert "background" not in logo.get("style")


def test_in_this_issue_is_a_switch(copy: Any, sample: Any) -> None:
    """Off in weekly; a token turns it on."""
    assert "In this issue" not in words(sample)
    page = copy.theme("mine", {"theme.toml": 'api = 1\nextends = "weekly"\n[tokens]\nin_this_issue = "yes"\n'}).render()
    assert "In this issue Passengers buy the last ferry" in words(page)


def test_a_correction_is_a_band(copy: Any) -> None:
    """A theme that overrides the block gets the bar and the ground, repainted on dark screens."""
    page = copy.theme(
        "mine",
        {
            "theme.toml": 'api = 1\nextends = "weekly"\n',
            "email.html.j2": '{% extends "weekly/email.html.j2" %}\n'
            '{% block correction %}{{ parts.correction("The bridge is on the east side.") }}{% endblock %}',
        },
    ).render()
    band = page.tree.find_class("band")[0]
    assert band.text_content() == "The bridge is on the east side."
    assert band.get("bgcolor") == "#FFF4CE"
    assert page.tree.find_class("bar")[0].get("width") == "4"


def test_word_markup_can_be_left_out(copy: Any, sample: Any) -> None:
    """mso = false: no conditional comment is left, and the rest is as it was."""
    page = copy.theme("mine", {"theme.toml": 'api = 1\nextends = "weekly"\nmso = false\n'}).render()
    assert "[if mso]" in sample.html
    assert "[if" not in page.html and "mso-font-width" not in page.html
    assert words(page) == words(sample)


def test_base_is_a_theme_too(copy: Any) -> None:
    """The skeleton alone draws the same issue, in the sans and in blue."""
    page = copy.edit("issue.md", ("theme: weekly", "theme: base")).render()
    assert "#1F4E79" in page.html.upper() and "Georgia" not in page.html
    assert len(page.email.spans) == 12


@pytest.mark.parametrize(
    ("language", "script", "font"),
    [
        ("ur", "nastaliq", "Noto Nastaliq Urdu"),
        ("ar", "arabic", "Geeza Pro"),
        ("hi", "indic", "Kohinoor Devanagari"),
        ("bn", "indic", "Kohinoor Bangla"),
        ("gu", "indic", "Gujarati Sangam MN"),
        ("zh-Hans", "chinese", "PingFang SC"),
        ("zh", "chinese", "Microsoft YaHei"),
        ("zh-TW", "traditional", "PingFang TC"),
        ("zh-Hant-HK", "traditional", "Microsoft JhengHei"),
        ("ja", "japanese", "Hiragino Sans"),
        ("ko", "korean", "Malgun Gothic"),
    ],
)
def test_a_story_in_another_script_gets_its_fonts(copy: Any, language: str, script: str, font: str) -> None:
    """Language and direction stand on the story, its fonts on its words, and its neighbours keep theirs."""
    copy.edit("library-opens-on-sundays.md", ("kicker: Town", f"kicker: Town\nlang: {language}"))
    page = copy.render()
    story = page.email.html_of("library-opens-on-sundays")
    cell = next(td for td in page.tree.iter("td") if td.get("lang") == language)
    assert cell.get("dir") == ("rtl" if language in ("ur", "ar") else "ltr")
    assert cell.get("align") == ("right" if language in ("ur", "ar") else "left")
    assert script in cell.get("class").split()
    assert font in story
    assert font not in page.email.html_of("sea-wall-to-move-inland")


def test_scripts_that_are_not_used_cost_nothing(sample: Any) -> None:
    """An English issue carries no font of another script."""
    assert "Nastaliq" not in sample.html and "PingFang" not in sample.html


def test_a_full_text_may_have_a_picture(copy: Any) -> None:
    """It stands under the byline, as wide as the text, with caption and credit."""
    copy.edit(
        "a-century-in-the-harbour-log.md",
        (
            "byline: Ottilie Marsh\n",
            "byline: Ottilie Marsh\nimage:\n  file: oyster-road.jpg\n  alt: Boats\n  credit: H. Okoro\n",
        ),
    )
    story = copy.render().email.html_of("a-century-in-the-harbour-log")
    assert 'width="536"' in story and "Picture: H. Okoro" in story


def test_words_are_escaped(copy: Any) -> None:
    """A headline is text: angle brackets and ampersands do not become markup."""
    copy.edit(
        LEAD, ("headline: Passengers buy the last ferry on the Wex,", "headline: Bread & <b>butter</b> on the Wex,")
    )
    page = copy.render()
    assert "Bread &amp; &lt;b&gt;butter&lt;/b&gt; on the Wex" in page.html
    assert "Bread & <b>butter</b> on the Wex" in page.text


def test_corrections_may_be_a_page(copy: Any, sample: Any) -> None:
    """An address becomes a mail link, a page a link to it, shown without its scheme."""
    page = copy.edit(
        "newsletter.toml", ('"corrections@estuary.example"', '"https://estuary.example/corrections"')
    ).render()
    assert "Tell us: estuary.example/corrections" in words(page)
    assert 'href="https://estuary.example/corrections"' in page.html
    assert "https://estuary.example/corrections" in page.text
    assert 'href="mailto:corrections@estuary.example"' in sample.html
