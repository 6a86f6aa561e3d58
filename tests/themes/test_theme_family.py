"""`digest`, `letter` and `bulletin`: what each makes of an issue, in English and Urdu, light and dark."""

from __future__ import annotations

import itertools
import re
from pathlib import Path
from typing import Any

import pytest
from lxml import html as lxml_html
from playwright.sync_api import Browser

from newsletter.app.check import check_issue
from newsletter.app.desk import open_desk
from newsletter.models import LAYOUTS, PICTURED
from newsletter.workspace.paths import Workspace
from newsletter.workspace.themes import load_theme
from tests.themes import test_theme_budgets as budgets
from tests.themes import test_theme_points as points
from tests.themes.conftest import Copy, Page, rendered
from tests.themes.samples import SAMPLES, set_sample
from tests.themes.test_theme_chromium import LONG, Tab

ROOT = Path(__file__).parents[2]
THEMES = ("digest", "letter", "bulletin")
LEAD = "passengers-buy-the-last-ferry.md"


def set_in(theme: str, folder: Path) -> Copy:
    """A copy of the sample workspace whose issue is set in ``theme``."""
    return Copy(set_sample("english", theme, folder / "ws")[0])


@pytest.fixture(scope="module", params=THEMES)
def theme(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(scope="module")
def sample(theme: str, tmp_path_factory: pytest.TempPathFactory) -> Page:
    return rendered("english", theme, tmp_path_factory.mktemp(theme) / "ws")


@pytest.fixture(scope="module")
def urdu(theme: str, tmp_path_factory: pytest.TempPathFactory) -> Page:
    return rendered("urdu", theme, tmp_path_factory.mktemp(theme) / "ws")


@pytest.fixture
def own(theme: str, tmp_path: Path) -> Copy:
    """A copy to be changed."""
    return set_in(theme, tmp_path)


@pytest.mark.parametrize(
    "holds",
    [
        points.test_1_doctype_language_and_namespaces,
        points.test_2_the_head_says_what_clients_must_not_guess,
        points.test_4_kept_styles_are_small_and_apart,
        points.test_4_what_is_kept_wins,
        points.test_6_the_mail_is_one_labelled_article,
        points.test_7_the_preheader_is_hidden_and_fills_the_inbox_line,
        points.test_9_headings_are_an_outline,
        points.test_12_nothing_is_pure_on_a_dark_screen,
        points.test_14_the_footer_has_the_way_out,
        points.test_15_every_story_is_in_both_parts_with_its_link,
        budgets.test_the_sample_stays_far_below_gmails_clip,
        budgets.test_the_shell_is_light,
        budgets.test_a_story_is_light,
    ],
    ids=lambda holds: holds.__name__.removeprefix("test_"),
)
def test_what_base_promises_holds(sample: Page, holds: Any) -> None:
    """The points that do not depend on how a theme looks, and the budgets."""
    holds(sample)


def test_word_gets_its_own_block(sample: Page, theme: str) -> None:
    """Point 3: 96 pixels an inch, PNGs, exact line heights, the theme's one font for headlines."""
    word = points.word_markup(sample.html)
    font = load_theme(Workspace(ROOT), theme).tokens["mso_headline"]
    for part in (
        "PixelsPerInch>96<",
        "<o:AllowPNG/>",
        "mso-line-height-rule:exactly",
        f"font-family:{font} !important",
    ):
        assert part in word


def test_the_ground_is_painted_three_times(sample: Page, theme: str) -> None:
    """Point 5: body, wrapper and table carry the theme's own ground."""
    ground = load_theme(Workspace(ROOT), theme).tokens["page"]
    body = sample.tree.find("body")
    for element in (body, body[0], body[0].find("table")):
        assert points.style(element)["background-color"].upper() == ground
    assert f'bgcolor="{ground}"' in points.word_markup(sample.html)


def test_layout_tables_are_silent(sample: Page) -> None:
    """Point 8: each is presentational with zeroed spacing; nothing stands in columns that would have to stack."""
    for table in sample.tree.iter("table"):
        if table.find(".//th") is None or table.find(".//table") is not None:
            assert table.get("role") == "presentation"
            assert (table.get("cellpadding"), table.get("cellspacing"), table.get("border")) == ("0", "0", "0")
    assert sample.tree.find_class("column") == []


def test_buttons(sample: Page, theme: str) -> None:
    """Point 10: bulletin has exactly one, padded on a coloured cell; the others have links in words."""
    buttons = sample.tree.find_class("button")
    assert [button.text_content().strip() for button in buttons] == ["Read the full story"] * (theme == "bulletin")
    for button in buttons:
        assert points.style(button)["padding"] == "14px 24px"
        assert button.getparent().get("bgcolor") == "#B3131B"
        assert points.word_markup(sample.html).count("mso-font-width") == 2
    said = [link.text_content() for link in sample.tree.iter("a")]
    assert "Read the full story" in "".join(said) and "Book a repair" in "".join(said)


def test_pictures(sample: Page, urdu: Page, theme: str) -> None:
    """Point 11: digest has none; the others keep the lead's, which says its width and fits its place."""
    for page in (sample, urdu):
        pictures = list(page.tree.iter("img"))
        assert [picture.get("width") for picture in pictures] == {"digest": [], "letter": ["536"], "bulletin": ["600"]}[
            theme
        ]
        for picture in pictures:
            assert picture.get("height") == {"536": "302", "600": "338"}[picture.get("width")]
            assert points.style(picture)["max-width"] == f"{picture.get('width')}px"
            assert picture.get("alt") and points.style(picture)["font"].startswith("16px/22px")
        assert len(page.email.images) == len(pictures)


def test_alignment_follows_the_direction(sample: Page, urdu: Page) -> None:
    """Point 13: left becomes right, and nothing of the frame names a side."""
    for page, start in ((sample, "left"), (urdu, "right")):
        card = page.tree.find_class("card")[0]
        assert points.style(card.getparent())["text-align"] == start
    for element in urdu.tree.iter("td", "div", "p", "h1", "h2", "h3"):
        assert not {"padding-left", "margin-left", "border-left"} & set(points.style(element))
    assert "border-right" in points.style(urdu.tree.find(".//blockquote"))


def test_paid_for_is_said_in_both_parts(sample: Page, urdu: Page) -> None:
    """The label stands inside the story, above its headline, in HTML and in text."""
    story = sample.email.html_of("bring-last-winters-coat-back")
    assert story.index("Advertisement feature · Paid for by Ropewalk Repairs".replace("·", "&#183;")) < story.index(
        "<h"
    )
    assert "Advertisement feature · Paid for by Ropewalk Repairs" in sample.text
    assert 'rel="sponsored"' in story
    label = "اشتہاری مضمون · بامعاوضہ، منجانب رفوگر ہاؤس"
    assert label.replace("·", "&#183;") in urdu.email.html_of("marammat") or label in urdu.email.html_of("marammat")
    assert label in urdu.email.text


@pytest.mark.parametrize("name", SAMPLES)
def test_the_checks_find_nothing(theme: str, name: str, tmp_path: Path) -> None:
    """No issue in any language has an error or a warning in any of the themes."""
    root, slug = set_sample(name, theme, tmp_path / "ws")
    with open_desk(root) as desk:
        assert [f.id for f in check_issue(desk, slug).findings if f.severity.value != "info"] == []


def test_text_parts_set_stories_apart(sample: Page) -> None:
    """An empty line stands before every headline of the list."""
    for headline in ("Sixth-formers map every pothole in town", "Library to open on Sundays"):
        assert f"\n\n{headline}" in sample.text


@pytest.mark.parametrize("layout", LAYOUTS)
def test_every_layout_alone(own: Copy, layout: str) -> None:
    """An issue of one section in any layout has both stories, with title and without; neither is lost in the text."""
    for title in ("", "title: Today\n    "):
        issue = own.issue / "issue.md"
        head = issue.read_text(encoding="utf-8").split("sections:")[0]
        stories = "[bring-last-winters-coat-back, sea-wall-to-move-inland]"
        section = f"sections:\n  - {title}layout: {layout}\n    articles: {stories}\n---\nGood morning,\n"
        issue.write_text(head + section, encoding="utf-8")
        page = own.render()
        for part in (page.tree.text_content(), " ".join(page.text.split())):
            assert "Bring last winter’s coat back to life" in part
            assert "The sea wall at Lowmarsh will move a quarter of a mile inland" in part
            assert "Good morning," in part and ("Today" in part) == bool(title)
        assert len(page.tree.find_class("button")) <= 1
        levels = [int(e.tag[1]) for e in page.tree.iter("h1", "h2", "h3")]
        assert levels[0] == 1 and all(after <= before + 1 for before, after in itertools.pairwise(levels))


def test_what_is_missing_leaves_no_trace(own: Copy) -> None:
    """Without site, number, link and picture nothing hangs in the air."""
    own.edit("newsletter.toml", ("[site]\n", ""), ('url = "https://estuary.example"\n', ""))
    own.edit("issue.md", ("number: 48\n", ""))
    story = own.issue / LEAD
    head, _, rest = story.read_text(encoding="utf-8").partition("link: ")
    story.write_text(head + rest[rest.index("---\n") :], encoding="utf-8")
    page = own.render()
    said = " ".join(page.tree.text_content().split())
    for word in ("Read online", "Unsubscribe", "No. 48", "Read the full story", "· ·"):
        assert word not in said and word not in page.text
    lead = page.email.html_of("passengers-buy-the-last-ferry")
    assert "<a" not in lead and "<img" not in lead
    assert not page.text.splitlines()[1].endswith("·")


def test_a_logo_stands_for_the_name(own: Copy) -> None:
    """Each masthead shows it as its heading; on bulletin's card, not on the coloured bar."""
    from PIL import Image

    Image.new("RGBA", (560, 80), (0, 0, 0, 0)).save(own.root / "masthead.png")
    page = own.edit("newsletter.toml", ('# logo = "masthead.png"', 'logo = "masthead.png"')).render()
    assert page.tree.find(".//h1//img").get("alt") == "The Estuary Weekly"
    assert page.tree.find_class("flag") == []


def test_a_letter_is_signed(tmp_path: Path) -> None:
    """By the publication, or by who the token names."""
    copy = set_in("letter", tmp_path)
    assert "\n— The Estuary Weekly\n" in copy.render().text
    mine = 'api = 1\nextends = "letter"\n[tokens]\nsignature = "Maren"\n'
    (copy.root / "templates" / "mine").mkdir(parents=True)
    (copy.root / "templates" / "mine" / "theme.toml").write_text(mine, encoding="utf-8")
    page = copy.edit("issue.md", ("theme: letter", "theme: mine")).render()
    assert "\n— Maren\n" in page.text
    assert "— Maren" in page.tree.text_content()


def test_a_digest_tells_the_time(tmp_path: Path) -> None:
    """Each story its own, the date row the sum of all, without the sponsor's."""
    page = set_in("digest", tmp_path).render()
    assert all("1 min" in page.email.html_of(s.article) for s in page.email.spans if "coat" not in s.article)
    assert "1 min" not in page.email.html_of("bring-last-winters-coat-back")
    assert "No. 48 · 11 min read · Read online" in " ".join(page.tree.text_content().split())


def test_nobody_knows_how_long_a_text_is_that_stayed_on_its_page(tmp_path: Path) -> None:
    """A story of headline and link alone takes no "1 min", in neither part, and adds nothing to the sum."""
    own = set_in("digest", tmp_path)
    file = own.issue / "library-opens-on-sundays.md"
    file.write_text(file.read_text(encoding="utf-8").rpartition("---\n")[0] + "---\n", encoding="utf-8")
    page = own.render()
    assert "min" not in page.tree.xpath("//a[contains(., 'Library to open')]/ancestor::table[1]")[0].text_content()
    assert "10 min read" in page.tree.text_content() and page.text.count("1 min read") == 10
    assert "Estuary News Service\nhttps" in page.text


def test_a_bulletin_says_also(tmp_path: Path) -> None:
    """A list without a title is headed so; the news comes before the intro, in both parts."""
    copy = set_in("bulletin", tmp_path)
    page = copy.edit("issue.md", ("title: Also this week\n    layout", "layout")).render()
    assert [h.text_content() for h in page.tree.iter("h2")][1] == "Also"
    assert "\nAlso\n" in page.text
    for part in (page.tree.find("body")[0].text_content(), page.text):
        assert part.index("Passengers buy the last ferry") < part.index("Good morning")


def test_a_theme_names_the_layouts_that_show_pictures(tmp_path: Path) -> None:
    """`pictures` in theme.toml is inherited and can be changed; every layout but brief where nothing is said."""
    shown = {name: load_theme(Workspace(ROOT), name).pictures for name in ("base", "weekly", *THEMES)}
    assert shown["base"] == shown["weekly"] == PICTURED
    assert (shown["digest"], shown["letter"], shown["bulletin"]) == ((), ("lead", "text"), ("lead", "text"))
    copy = set_in("weekly", tmp_path)
    mine = copy.theme("mine", {"theme.toml": 'api = 1\nextends = "weekly"\npictures = ["grid"]\n'})
    assert [image.get("width") for image in mine.render().tree.iter("img")] == ["256"] * 4


@pytest.mark.parametrize(("words", "ground"), budgets.PAIRS)
@pytest.mark.parametrize("dark", ["", "_dark"])
def test_words_can_be_read(theme: str, words: str, ground: str, dark: str) -> None:
    """Every pair of words and ground has a contrast of at least 4.5."""
    budgets.test_words_can_be_read(theme, words, ground, dark)


@pytest.mark.parametrize("words", ["ink", "text", "muted", "accent"])
@pytest.mark.parametrize("dark", ["", "_dark"])
def test_digests_lead_can_be_read(words: str, dark: str) -> None:
    """It stands on the page's own colour."""
    budgets.test_words_can_be_read("digest", words, "page", dark)


@pytest.mark.parametrize("language", ["en-GB", "ur", "hi"])
def test_colours_and_rules(theme: str, language: str) -> None:
    """Six digits and a dark twin for each colour; at most sixty inlinable rules."""
    budgets.test_colours_have_six_digits_and_a_dark_twin(theme)
    budgets.test_inlined_rules_are_few(theme, language)


@pytest.mark.chromium
@pytest.mark.parametrize("dark", [False, True])
@pytest.mark.parametrize("width", [360, 700])
def test_both_issues_fit_the_screen(
    browser: Browser, sample: Page, urdu: Page, theme: str, tmp_path: Path, width: int, dark: bool
) -> None:
    """Nothing sticks out or is under 14 pixels, the ground is the token's, and right to left starts at the right."""
    tokens = load_theme(Workspace(ROOT), theme).tokens
    ground = tokens["card_dark" if dark else "card"]
    for page, start in ((sample, "left"), (urdu, "right")):
        (folder := tmp_path / start).mkdir()
        tab = Tab(browser, page.write(folder), width, dark=dark, pictures=start == "right")
        assert tab.sticking_out() == []
        assert tab.page.evaluate("document.documentElement.scrollWidth") == width
        sizes = {float(size[:-2]) for size in tab.computed("h1,h2,h3,h4,p,a,li,th,.prose td,.meta", "font-size")}
        assert min(sizes) >= 14
        assert tab.computed("h1", "text-align") == [start]
        red, green, blue = (int(ground[at : at + 2], 16) for at in (1, 3, 5))
        assert set(tab.computed(".card", "background-color")) == {f"rgb({red}, {green}, {blue})"}
        tab.context.close()


@pytest.mark.chromium
def test_long_headlines_wrap(browser: Browser, own: Copy, tmp_path: Path) -> None:
    """Twenty words and a word of seventy letters stay inside a phone."""
    for file in own.issue.glob("*-*.md"):
        text = file.read_text(encoding="utf-8")
        file.write_text(re.sub(r"^headline: .*$", f"headline: {LONG}", text, count=1, flags=re.M), encoding="utf-8")
    tab = Tab(browser, own.render().write(tmp_path), 360)
    assert tab.sticking_out() == []
    tab.context.close()


@pytest.mark.chromium
def test_outlooks_dark_mode_is_met(browser: Browser, sample: Page, theme: str, tmp_path: Path) -> None:
    """With Outlook's own attributes on the page, every dark token that a dark screen gets is there, in lines too."""
    tab = Tab(browser, sample.write(tmp_path), 700, dark=True)
    looked = [(one, "color") for one in (".ink", ".text", ".muted", ".accent", ".on")]
    looked += [(one, "background-color") for one in (".card", ".box", ".flag", ".fill")]
    looked += [(one, "border-top-color") for one in (".rule", ".row", ".box", ".line")]
    looked += [("blockquote", "border-left-color"), ("th", "border-bottom-color")]
    dark = [set(tab.computed(*one)) for one in looked]
    tab.context.close()
    tab = Tab(browser, tmp_path / "email.html", 700)
    tab.page.evaluate("for (const a of ['data-ogsc', 'data-ogsb']) document.documentElement.setAttribute(a, '')")
    assert [set(tab.computed(*one)) for one in looked] == dark
    tab.context.close()


def test_stories_in_another_language_carry_it(own: Copy) -> None:
    """Language, direction and script stand on the story's own cell."""
    own.edit("library-opens-on-sundays.md", ("kicker: Town", "kicker: Town\nlang: ur"))
    cell = next(e for e in own.render().tree.iter("td") if e.get("lang") == "ur")
    assert isinstance(cell, lxml_html.HtmlElement)
    assert (cell.get("dir"), cell.get("align")) == ("rtl", "right") and "nastaliq" in cell.get("class")
