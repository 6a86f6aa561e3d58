"""The fifteen points of the base theme, each on the finished HTML of the sample issue."""

from __future__ import annotations

import itertools
import re
from typing import Any

import pytest
from lxml import html as lxml_html


def style(element: lxml_html.HtmlElement) -> dict[str, str]:
    """The declarations of a style attribute; the last of a name wins."""
    pairs = (part.split(":", 1) for part in element.get("style", "").split(";") if ":" in part)
    return {name.strip(): value.strip() for name, value in pairs}


def word_markup(html: str) -> str:
    """Everything that only Outlook's Word engine reads."""
    return "\n".join(re.findall(r"<!--\[if mso\]>(.*?)<!\[endif\]-->", html, re.S))


def test_1_doctype_language_and_namespaces(sample: Any) -> None:
    """The page has a doctype; lang and dir stand on html and on the body's child; v and o are declared."""
    assert sample.html.startswith("<!DOCTYPE html>")
    wrapper = sample.tree.find("body")[0]
    for element in (sample.tree, wrapper):
        assert (element.get("lang"), element.get("dir")) == ("en-GB", "ltr")
    assert 'xmlns:v="urn:schemas-microsoft-com:vml"' in sample.html
    assert 'xmlns:o="urn:schemas-microsoft-com:office:office"' in sample.html


def test_2_the_head_says_what_clients_must_not_guess(sample: Any) -> None:
    """Charset, viewport, no re-scaling, no link detection, both colour schemes; the title is the subject."""
    metas = {meta.get("name"): meta.get("content") for meta in sample.tree.iter("meta")}
    assert sample.tree.find("head/meta").get("charset") == "utf-8"
    assert metas["viewport"] == "width=device-width,initial-scale=1"
    assert "x-apple-disable-message-reformatting" in metas
    assert "telephone=no" in metas["format-detection"]
    assert metas["color-scheme"] == metas["supported-color-schemes"] == "light dark"
    assert ":root{color-scheme:light dark" in sample.kept[0]
    assert sample.tree.findtext("head/title") == sample.email.subject


def test_3_word_gets_its_own_block(sample: Any) -> None:
    """96 pixels an inch, PNGs, exact line heights and one safe font per role."""
    word = word_markup(sample.html)
    for part in (
        "PixelsPerInch>96<",
        "<o:AllowPNG/>",
        "mso-line-height-rule:exactly",
        "font-family:Georgia !important",
    ):
        assert part in word


def test_4_kept_styles_are_small_and_apart(sample: Any) -> None:
    """Resets, phones, dark screens and Outlook's dark mode are blocks of their own; none nests an @ in an @."""
    assert len(sample.kept) == 4
    for block, sign in zip(
        sample.kept, ("#MessageViewBody", "max-width:480px", "prefers-color-scheme", "[data-ogsc]"), strict=True
    ):
        assert sign in block.replace(": ", ":")
        assert len(block.encode()) < 16 * 1024
        depth = 0
        for mark in re.finditer(r"[{}]|@[a-z-]+", block):
            assert not (mark[0].startswith("@") and depth), f"nested {mark[0]}"
            depth += {"{": 1, "}": -1}.get(mark[0], 0)
    assert ".im{" in sample.kept[0] and "x-apple-data-detectors" in sample.kept[0]


def test_4_what_is_kept_wins(sample: Any) -> None:
    """Every override for a phone or a dark screen is !important: it has to beat an inlined style."""
    for block in sample.kept[1:]:
        declarations = [d for d in re.findall(r"[{;]([a-z-]+:[^;{}]+)", block) if not d.startswith("prefers")]
        assert declarations
        assert [d for d in declarations if "!important" not in d] == []


def test_5_the_ground_is_painted_three_times(sample: Any) -> None:
    """Body, wrapper and table carry the page colour as style, and as bgcolor where that exists; Word's table too."""
    body = sample.tree.find("body")
    table = body[0].find("table")
    for element in (body, body[0], table):
        assert style(element)["background-color"].upper() == "#F4F1EA"
    assert body.get("bgcolor") == table.get("bgcolor") == "#F4F1EA"
    assert 'width="600" align="center"' in word_markup(sample.html)
    assert 'bgcolor="#F4F1EA"' in word_markup(sample.html)


def test_6_the_mail_is_one_labelled_article(sample: Any) -> None:
    """The wrapper is role=article, described as an email and labelled with the subject."""
    wrapper = sample.tree.find("body")[0]
    assert wrapper.get("role") == "article"
    assert wrapper.get("aria-roledescription") == "email"
    assert wrapper.get("aria-label") == sample.email.subject


def test_7_the_preheader_is_hidden_and_fills_the_inbox_line(sample: Any) -> None:
    """First in the mail, hidden from Word too, about 200 characters long."""
    preheader = sample.tree.find("body")[0][0]
    assert style(preheader)["display"] == "none"
    assert style(preheader)["mso-hide"] == "all"
    words = preheader.text_content()
    assert words.startswith(sample.email.preheader)
    assert 180 <= len(words) <= 220


def test_8_layout_tables_are_silent_and_columns_need_no_media_query(sample: Any) -> None:
    """Every layout table is presentational with zeroed spacing; the grid is inline-block with ghost tables."""
    layout = [t for t in sample.tree.iter("table") if t.find(".//th") is None or t.find(".//table") is not None]
    assert len(layout) > 20
    for table in layout:
        assert table.get("role") == "presentation"
        assert (table.get("cellpadding"), table.get("cellspacing"), table.get("border")) == ("0", "0", "0")
    columns = sample.tree.find_class("column")
    assert len(columns) == 4
    for column in columns:
        assert style(column)["display"] == "inline-block"
        assert style(column)["max-width"] == "256px"
    assert word_markup(sample.html).count('<td width="256" valign="top">') == 4


def test_9_headings_are_an_outline(sample: Any) -> None:
    """One h1; no level is skipped; every story's headline is a heading; no link says only "here"."""
    levels = [int(e.tag[1]) for e in sample.tree.iter("h1", "h2", "h3", "h4", "h5", "h6")]
    assert levels.count(1) == 1 and levels[0] == 1
    assert all(after <= before + 1 for before, after in itertools.pairwise(levels))
    assert sum(level in (2, 3) for level in levels) >= 12
    for link in sample.tree.iter("a"):
        said = link.text_content().strip() or link.find("img").get("alt")
        assert said and said.lower() not in ("here", "click here", "more", "link")


def test_10_buttons_are_padded_links_on_coloured_cells(sample: Any) -> None:
    """14 by 24 pixels of padding, a coloured or bordered cell, spacers for Word, no VML."""
    buttons = sample.tree.find_class("button")
    assert [button.text_content().strip() for button in buttons] == ["Read the full story", "Book a repair"]
    lead, sponsor = buttons
    assert style(lead)["padding"] == "14px 24px" and style(lead)["display"] == "inline-block"
    assert lead.getparent().get("bgcolor") == "#9B1C1C"
    assert "border" in style(sponsor.getparent())
    assert word_markup(sample.html).count("mso-font-width") == 4
    assert "<v:" not in sample.html


def test_11_pictures_say_their_size_and_what_they_show(sample: Any) -> None:
    """Numeric width, fluid style, alt text with a style and a ground for when they are off."""
    pictures = list(sample.tree.iter("img"))
    assert len(pictures) == 8
    for picture in pictures:
        rules = style(picture)
        assert picture.get("width").isdigit() and picture.get("alt")
        assert (rules["display"], rules["width"], rules["height"]) == ("block", "100%", "auto")
        assert rules["max-width"] == f"{picture.get('width')}px"
        assert rules["background-color"].upper() == "#E9E5DC" and rules["font"].startswith("16px/22px")


def test_12_nothing_is_pure_on_a_dark_screen(sample: Any) -> None:
    """Off-black and off-white: neither #000 nor #FFF is used once the screen is dark."""
    dark = sample.kept[2] + sample.kept[3]
    assert not re.search(r"#(000|fff)(000|fff)?\b", dark, re.I)


def test_13_alignment_follows_the_direction(sample: Any, urdu: Any) -> None:
    """Left becomes right and the date row swaps sides; no padding or border of the frame names a side."""
    for page, start, end in ((sample, "left", "right"), (urdu, "right", "left")):
        card = page.tree.find_class("card")[0]
        assert style(card.getparent())["text-align"] == start
        assert page.tree.find_class("stack")[1].get("align") == end
    for element in urdu.tree.iter("td", "div", "p", "h1", "h2", "h3"):
        assert not {"padding-left", "margin-left", "border-left"} & set(style(element))
    assert "border-right" in style(urdu.tree.find(".//blockquote"))
    assert "border-left" in style(sample.tree.find(".//blockquote"))


def test_14_the_footer_has_the_way_out(sample: Any) -> None:
    """Unsubscribe, preferences, web copy, why, where from, where to complain, who."""
    fields = {field.token: field.name for field in sample.email.fields}
    links = {link.text_content(): fields.get(link.get("href"), link.get("href")) for link in sample.tree.iter("a")}
    assert links["Unsubscribe"] == "unsubscribe_url"
    assert links["Preferences"] == "preferences_url"
    assert links["Read online"] == "web_url"
    assert links["corrections@estuary.example"] == "mailto:corrections@estuary.example"
    words = sample.tree.text_content()
    for part in ("because you signed up", "4 Quay Street, Wexmouth", "company number 00000048"):
        assert part in words


@pytest.mark.parametrize(
    "part",
    [
        "The Estuary Weekly", "Friday 27 November 2026 · No. 48", "Good morning Amina,", "Maren Holt, editor",
        "Passengers buy the last ferry", "https://estuary.example/2026/11/passengers-buy-the-last-ferry",
        "Also this week", "Library to open on Sundays", "Estuary News Service",
        "Advertisement feature · Paid for by Ropewalk Repairs", "What the curlews say after dark", "In brief",
        "Fewer frosts, longer gales", "the morning you were born", "1926–1950",
        "https://estuary.example/u/1", "4 Quay Street",
    ],
)  # fmt: skip
def test_15_the_text_part_is_whole(sample: Any, part: str) -> None:
    """Masthead, intro, every section, the label of the advertisement, the full text, the way out."""
    assert part in sample.text


def test_15_every_story_is_in_both_parts_with_its_link(sample: Any) -> None:
    """Headlines and addresses of all twelve stories are in HTML and text."""
    headings = [h.text_content() for h in sample.tree.iter("h2", "h3")]
    links = {a.get("href") for a in sample.tree.iter("a") if "/2026/11/" in a.get("href")}
    joined = " ".join(sample.text.split())
    assert len(links) == 11
    assert all(link in sample.text for link in links)
    assert all(heading in joined for heading in headings)


def test_an_agency_stands_where_nobody_signed(sample: Any) -> None:
    """A list row names its author, or the agency."""
    assert "Idris Vaughan" in sample.email.html_of("sea-wall-to-move-inland")
    assert "Estuary News Service" in sample.email.html_of("library-opens-on-sundays")
