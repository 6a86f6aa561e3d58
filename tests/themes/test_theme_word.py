"""Classic Outlook for Windows, by its simulation: each theme's words in the one font of their role."""

from __future__ import annotations

import unicodedata
from pathlib import Path
from typing import Any

import pytest
from lxml import html as lxml_html

from newsletter.clients.outlook_word import outlook_word
from newsletter.workspace.paths import Workspace
from newsletter.workspace.themes import load_theme
from tests.themes.conftest import Copy, Page, rendered
from tests.themes.samples import set_sample

ROOT = Path(__file__).parents[2]
THEMES = ("base", "weekly", "digest", "letter", "bulletin")
LOG = "a-century-in-the-harbour-log.md"
COAT = "bring-last-winters-coat-back"
ICE, ZIPS = "https://estuary.example/ice.jpg", "https://estuary.example/zips.jpg"

HEADLINE, PROSE, SANS = "mso_headline", "mso_prose", "mso_sans"
ROLES = {
    "A century of winters, in eleven words a day": HEADLINE,
    "Fewer frosts, longer gales": HEADLINE,
    "Good morning": PROSE,
    "What has grown is the wind.": PROSE,
    "the morning you were born;": PROSE,
    "the harbour office": PROSE,  # a link in the running words
    "Ice to the bar.": PROSE,
    "— The log, 1929": SANS,
    "The bar in 1929": SANS,
    "Days of ice": SANS,
    "1951–1975": SANS,
    "Our three menders": SANS,  # a sponsor's words are never in the voice of the paper
    "Unsubscribe": SANS,
}
"""How some words of the sample issue begin, and the token of the font that they are set in."""


@pytest.fixture(scope="module", params=THEMES)
def theme(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(scope="module")
def page(theme: str, tmp_path_factory: pytest.TempPathFactory) -> Page:
    """The sample issue with a link in a full text and a sponsor who has a file of its own."""
    copy = Copy(set_sample("english", theme, tmp_path_factory.mktemp(theme) / "ws")[0])
    copy.edit(LOG, ("## What you can ask", f'![Ice]({ICE} "The bar in 1929")\n\n## What you can ask'))
    copy.edit(LOG, ("at the library and", "at [the harbour office](https://estuary.example/office) and"))
    sponsors = copy.root / "sponsors"
    (sponsors / "images").mkdir(parents=True)
    (copy.issue / "images" / "ropewalk-repairs.jpg").rename(sponsors / "images" / "ropewalk-repairs.jpg")
    (copy.issue / f"{COAT}.md").rename(sponsors / f"{COAT}.md")
    copy.edit(f"sponsors/{COAT}.md", ("Every repair is", f"![Zips]({ZIPS})\n\nEvery repair is"))
    return copy.edit("issue.md", (f"articles: [{COAT}]", f"sponsor: {COAT}")).render()


def font_of(words: str, root: lxml_html.HtmlElement) -> str:
    """The font of the element whose own text begins with ``words``, as Word reads it."""
    (element,) = {one for one in root.find("body").iter("*") if (one.text or "").strip().startswith(words)}
    return font_at(element)


def font_at(element: Any) -> str:
    """The font of an element, its own or inherited."""
    for one in (element, *element.iterancestors()):
        declared = [d.split(":", 1) for d in one.get("style", "").split(";") if d.startswith("font-family:")]
        if declared:
            return declared[-1][1].split(",")[0].strip("'\" ")
    return ""


@pytest.mark.parametrize("words", ROLES)
def test_every_role_has_its_font(page: Page, theme: str, words: str) -> None:
    """Lists and links are set as the paragraphs around them, tables and sources in the sans, subheads as headlines."""
    root = lxml_html.document_fromstring(outlook_word(page.filled).html)
    assert font_of(words, root) == load_theme(Workspace(ROOT), theme).tokens[ROLES[words]]


def test_a_picture_in_a_text_is_no_wider_than_its_column(page: Page) -> None:
    """Word draws a picture without a width at its full size; nobody has measured one that stays on another server."""
    widths = {image.get("src"): image.get("width") for image in page.tree.iter("img")}
    assert (widths[ICE], widths[ZIPS]) == ("536", "486")
    assert all(width and width.isdecimal() for width in widths.values())


@pytest.mark.parametrize("name", ["urdu", "urdu-mixed", "english-mixed"])
def test_urdu_is_set_in_nastaliq_and_its_neighbours_are_not(theme: str, name: str, tmp_path: Path) -> None:
    """Word takes one font and reads no list: Georgia has no Urdu letters, and Nastaliq's Latin is an afterthought."""
    root = lxml_html.document_fromstring(outlook_word(rendered(name, theme, tmp_path / "ws").filled).html)
    fonts: dict[bool, set[str]] = {True: set(), False: set()}
    for element in root.find("body").iter("p", "h1", "h2", "h3", "h4", "li", "th", "td", "a"):
        lang = next(one.get("lang") for one in (element, *element.iterancestors()) if one.get("lang"))
        letters = [letter for letter in element.text or "" if letter.isalpha()]
        urdu = all(unicodedata.bidirectional(letter) == "AL" for letter in letters)
        if letters and (urdu or lang.startswith(("en", "hi"))):
            fonts[urdu].add(font_at(element))
    assert fonts[True] == {"Urdu Typesetting"}
    assert "Urdu Typesetting" not in fonts[False]
