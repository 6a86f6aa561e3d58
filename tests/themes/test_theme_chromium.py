"""The sample issue in a real browser: what stands where, at 600 and at 360 pixels, light and dark."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, ViewportSize

from newsletter.app.build import as_page
from newsletter.clients.gmail_no_style import gmail_no_style

pytestmark = pytest.mark.chromium

LONG = (
    "Harbour commissioners promise that the crack in the slipway, first reported in 2019, will be mended before the "
    "spring tides arrive in Wexmouth-next-the-Saltings-and-Gannet-Point-with-Lowmarsh"
)


class Tab:
    """One page in one window."""

    def __init__(self, browser: Browser, file: Path, width: int, *, dark: bool = False, pictures: bool = True) -> None:
        size: ViewportSize = {"width": width, "height": 800}
        self.context = browser.new_context(viewport=size, color_scheme="dark" if dark else "light", offline=True)
        self.page = self.context.new_page()
        if not pictures:
            self.page.route("**/*.jpg", lambda route: route.abort())
        self.page.goto(file.as_uri())
        self.width = width

    def boxes(self, selector: str) -> list[dict[str, float]]:
        return self.page.eval_on_selector_all(
            selector,
            "all => all.map(e => e.getBoundingClientRect()).map(r => ({x: r.x, y: r.y, w: r.width, h: r.height}))",
        )

    def computed(self, selector: str, name: str) -> list[str]:
        script = f"all => all.map(e => getComputedStyle(e).getPropertyValue('{name}'))"
        return self.page.eval_on_selector_all(selector, script)

    def sticking_out(self) -> list[str]:
        """Elements that reach over the window's edges; the hidden preheader and what moves in a box do not count."""
        return self.page.evaluate(
            """width => [...document.querySelectorAll('body *')].filter(e => {
                if (e.parentElement.closest('.scroll')) return false;
                const r = e.getBoundingClientRect();
                return r.width > 0 && (r.right > width + 0.5 || r.left < -0.5);
            }).map(e => e.tagName + '.' + e.className + ' ' + e.textContent.slice(0, 40))""",
            self.width,
        )


@pytest.fixture(scope="module")
def file(sample: Any, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return sample.write(tmp_path_factory.mktemp("page"))


@pytest.fixture
def phone(browser: Browser, file: Path) -> Iterator[Tab]:
    tab = Tab(browser, file, 360)
    yield tab
    tab.context.close()


@pytest.fixture
def desk(browser: Browser, file: Path) -> Iterator[Tab]:
    tab = Tab(browser, file, 700)
    yield tab
    tab.context.close()


def test_nothing_sticks_out_of_a_phone(phone: Tab) -> None:
    """At 360 pixels no element reaches over the edge and the page does not scroll sideways."""
    assert phone.sticking_out() == []
    assert phone.page.evaluate("document.documentElement.scrollWidth") == 360


def test_columns_stack_on_a_phone(phone: Tab) -> None:
    """Four grid stories below each other, as wide as the text, pictures 320 wide; 32 pixels apart."""
    columns = phone.boxes(".column")
    assert [(c["x"], c["w"]) for c in columns] == [(20, 320)] * 4
    assert all(after["y"] == before["y"] + before["h"] for before, after in itertools.pairwise(columns))
    assert set(phone.computed(".foot", "padding-bottom")) == {"32px"}
    assert {(b["w"], round(b["h"])) for b in phone.boxes(".column img")} == {(320, 214)}


def test_the_grid_has_two_columns_on_a_desk(desk: Tab) -> None:
    """Two by two, 256 wide, 24 apart, each pair at one height."""
    columns = desk.boxes(".column")
    assert {c["w"] for c in columns} == {256}
    for left, right in (columns[:2], columns[2:]):
        assert left["y"] == right["y"]
        assert right["x"] - left["x"] == 280


def test_the_card_is_600_wide_and_the_lead_fills_it(desk: Tab) -> None:
    """600 pixels in the middle of the page, the lead's picture 600 × 338."""
    (card,) = desk.boxes(".card")
    assert (card["x"], card["w"]) == (50, 600)
    lead = desk.boxes("img")[0]
    assert (lead["x"], lead["w"], round(lead["h"])) == (50, 600, 338)


def test_a_phone_has_no_margin_and_the_lead_fills_it(phone: Tab) -> None:
    """The card is as wide as the screen, the lead's picture 360 × 203, text 20 from the edges."""
    (card,) = phone.boxes(".card")
    assert (card["x"], card["y"], card["w"]) == (0, 0, 360)
    lead = phone.boxes("img")[0]
    assert (lead["w"], lead["h"]) == (360, pytest.approx(203, abs=0.6))
    assert phone.boxes("h1")[0]["x"] == 20


def test_a_list_row_keeps_its_picture_at_the_side(phone: Tab, desk: Tab) -> None:
    """Thumbnails are 160 × 107 on a desk and 96 × 64 on a phone, at the end of the row, level with the headline."""
    for tab, size, end in ((desk, (160, 107), 618), (phone, (96, 64), 340)):
        for box in tab.boxes(".thumb img"):
            assert (box["w"], box["h"]) == (size[0], pytest.approx(size[1], abs=0.6))
            assert box["x"] + box["w"] == end
    assert {round(b["w"]) for b in phone.boxes(".gap")} == {16}
    assert {round(b["w"]) for b in desk.boxes(".gap")} == {24}


def test_a_list_row_leaves_room_for_words_where_no_style_sheet_is_read(
    browser: Browser, sample: Any, file: Path
) -> None:
    """Gmail's apps with another provider's account: the picture takes three tenths of the row, not half of it."""
    page = file.with_name("no-style.html")
    page.write_text(as_page(sample.email, "media/", gmail_no_style(sample.filled).html), encoding="utf-8")
    tab = Tab(browser, page, 360)
    rows = tab.boxes("td:has(> h3 + p):has(+ td[width='24'])")
    tab.context.close()
    assert len(rows) == 2 and all(row["w"] > 170 for row in rows)


def test_fingers_find_buttons_and_links(phone: Tab, desk: Tab) -> None:
    """A button is 48 high and as wide as the text on a phone; the footer's links are rows of 44."""
    assert [(b["w"], b["h"]) for b in phone.boxes(".fill .button")] == [(320, 48)]
    assert [b["h"] for b in desk.boxes(".button")] == [48, 48]
    assert {b["h"] for b in phone.boxes(".tap")} == {44}


def test_the_date_row_stacks_on_a_phone(phone: Tab, desk: Tab) -> None:
    """Date and number share a line on a desk and have one each on a phone, both at the start."""
    date, number = desk.boxes(".stack")
    assert date["y"] == number["y"] and number["x"] > date["x"]
    date, number = phone.boxes(".stack")
    assert number["y"] > date["y"] and number["x"] == date["x"] == 20


def test_type_shrinks_for_a_phone(phone: Tab, desk: Tab) -> None:
    """Wordmark 36 → 28, lead 34 → 28, list 22 → 19, grid 20 → 22; nothing under 14 pixels."""
    for selector, wide, narrow in ((".wordmark", 36, 28), (".lead", 34, 28), (".list", 22, 19), (".grid", 20, 22)):
        assert desk.computed(selector, "font-size")[0] == f"{wide}px"
        assert phone.computed(selector, "font-size")[0] == f"{narrow}px"
    for tab in (phone, desk):
        sizes = {float(size[:-2]) for size in tab.computed("h1,h2,h3,h4,p,a,li,th,.prose td,.meta", "font-size")}
        assert min(sizes) >= 14


def test_a_dark_screen_is_dark(browser: Browser, file: Path) -> None:
    """Ground, headlines, text, kickers, sponsor, buttons: each takes its dark token, whatever was inlined."""
    tab = Tab(browser, file, 700, dark=True)
    expected = {
        ("body", "background-color"): "rgb(20, 20, 20)",
        (".card", "background-color"): "rgb(30, 30, 30)",
        (".ink", "color"): "rgb(242, 239, 233)",
        (".text", "color"): "rgb(214, 210, 203)",
        (".muted", "color"): "rgb(168, 162, 153)",
        ("p.accent", "color"): "rgb(255, 158, 143)",
        (".prose > p", "color"): "rgb(214, 210, 203)",
        (".box", "background-color"): "rgb(42, 38, 28)",
        (".fill", "background-color"): "rgb(255, 158, 143)",
        (".fill .button", "color"): "rgb(30, 30, 30)",
        (".line .button", "color"): "rgb(255, 158, 143)",
        ("blockquote", "border-left-color"): "rgb(255, 158, 143)",
        ("th", "border-bottom-color"): "rgb(59, 57, 54)",
    }
    found = {key: set(tab.computed(*key)) for key in expected}
    tab.context.close()
    assert found == {key: {value} for key, value in expected.items()}


def test_outlooks_dark_mode_is_met(browser: Browser, file: Path) -> None:
    """With Outlook's own attributes on the page, text and ground take the dark tokens too."""
    tab = Tab(browser, file, 700)
    tab.page.evaluate("for (const a of ['data-ogsc', 'data-ogsb']) document.documentElement.setAttribute(a, '')")
    assert set(tab.computed(".card", "background-color")) == {"rgb(30, 30, 30)"}
    assert set(tab.computed(".ink", "color")) == {"rgb(242, 239, 233)"}
    assert set(tab.computed(".fill .button", "color")) == {"rgb(30, 30, 30)"}
    tab.context.close()


def test_without_pictures_the_mail_still_reads(browser: Browser, file: Path) -> None:
    """Alt texts stand in text colour on the placeholder, not underlined, and nothing sticks out."""
    tab = Tab(browser, file, 360, pictures=False)
    assert tab.sticking_out() == []
    assert set(tab.computed("img", "color")) == {"rgb(51, 51, 51)"}
    assert set(tab.computed("img", "background-color")) == {"rgb(233, 229, 220)"}
    assert set(tab.computed("a:has(> img)", "text-decoration-line")) == {"none"}
    tab.context.close()


def test_long_words_and_headlines_wrap(browser: Browser, copy: Any, tmp_path: Path) -> None:
    """A headline of twenty words and a word of seventy letters stay inside, in every layout, on a phone."""
    for file, headline in (
        ("passengers-buy-the-last-ferry.md", "Passengers buy the last ferry on the Wex, and nobody gets a discount"),
        ("sea-wall-to-move-inland.md", "The sea wall at Lowmarsh will move a quarter of a mile inland"),
        ("night-train-stops-here-again.md", "The night train will stop at Wexmouth again"),
        ("bring-last-winters-coat-back.md", "Bring last winter’s coat back to life"),
        ("lifeboat-bell-found.md", "Lost lifeboat bell turns up in a primary school"),
        ("a-century-in-the-harbour-log.md", "A century of winters, in eleven words a day"),
    ):
        copy.edit(file, (f"headline: {headline}", f"headline: {LONG}"))
    tab = Tab(browser, copy.render().write(tmp_path), 360)
    assert tab.sticking_out() == []
    tab.context.close()


def test_a_table_and_code_in_a_full_text_stay_inside(browser: Browser, copy: Any, tmp_path: Path) -> None:
    """Wide tables move in their box and long lines of code wrap on a phone: neither pushes the page."""
    long = "antidisestablishmentarianism" * 4
    copy.edit(
        "a-century-in-the-harbour-log.md",
        ("| Winters | Days of ice | Longest gale |", f"| Winters | Days of {long} | Longest gale |"),
        ("## What you can ask", f"```\n{long} {long}\n```\n\n    {long}\n\n## What you can ask"),
    )
    tab = Tab(browser, copy.render().write(tmp_path), 360)
    assert tab.sticking_out() == []
    assert tab.page.evaluate("document.documentElement.scrollWidth") == 360
    tab.context.close()


def test_a_landscape_phone_stacks_too(browser: Browser, file: Path) -> None:
    """Between phone and card width the columns fill the row: no half-empty lines."""
    tab = Tab(browser, file, 540)
    assert {c["w"] for c in tab.boxes(".column")} == {476}
    assert tab.sticking_out() == []
    tab.context.close()


@pytest.mark.parametrize("width", [360, 700])
def test_right_to_left_mirrors(browser: Browser, urdu: Any, tmp_path: Path, width: int) -> None:
    """Text starts at the right, thumbnails and the date row's end are at the left; nothing sticks out."""
    tab = Tab(browser, urdu.write(tmp_path), width)
    (card,) = tab.boxes(".card")
    padding = 20 if width == 360 else 32
    assert tab.sticking_out() == []
    assert {box["x"] for box in tab.boxes(".thumb")} == {card["x"] + padding}
    assert tab.computed("h1", "text-align") == ["right"]
    first, second = tab.boxes(".column")[:2]
    assert first["x"] > second["x"] if width == 700 else first["y"] < second["y"]
    tab.context.close()


@pytest.mark.parametrize("width", [360, 700])
def test_nastaliq_has_room(browser: Browser, urdu: Any, tmp_path: Path, width: int) -> None:
    """Urdu lines are twice as high as their letters, also where a phone shrinks the type."""
    tab = Tab(browser, urdu.write(tmp_path), width)
    for selector in (".lead", ".standfirst", ".teaser", ".prose p"):
        size, line = tab.computed(selector, "font-size")[0], tab.computed(selector, "line-height")[0]
        assert float(line[:-2]) == 2 * float(size[:-2]), selector
    assert "Noto Nastaliq Urdu" in tab.computed(".teaser", "font-family")[0]
    tab.context.close()
