"""A theme may ask for square pictures, layout by layout; nothing else of it changes."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from PIL import Image
from playwright.sync_api import Browser

from newsletter.errors import ThemeError
from newsletter.models import PICTURED, Layout
from newsletter.rendering.recipes import BY_LAYOUT, recipe_for
from newsletter.workspace.paths import Workspace
from newsletter.workspace.themes import load_theme
from tests.themes.conftest import Copy, Page
from tests.themes.test_theme_chromium import Tab

HEAD = 'api = 1\nextends = "weekly"\n'


def sizes(page: Page) -> list[tuple[str | None, str | None]]:
    return [(image.get("width"), image.get("height")) for image in page.tree.iter("img")]


def themed(copy: Copy, text: str) -> Page:
    return copy.theme("mine", {"theme.toml": HEAD + text}).render()


@pytest.mark.parametrize("layout", PICTURED)
def test_a_square_is_as_wide_as_the_layout_s_own_picture_and_no_heavier(layout: Layout) -> None:
    """On the page and in the file; a brief has no picture of any shape."""
    own, square = BY_LAYOUT[layout], recipe_for(layout, {layout: "square"})
    assert square is not None
    assert (square.width, square.height, square.shown_width, square.shown_height) == (
        own.width, own.width, own.shown_width, own.shown_width
    )  # fmt: skip
    assert square.budget == own.budget and square.key != own.key
    assert recipe_for(layout, {}) is own
    assert recipe_for("brief", {"brief": "square"}) is None


def test_a_theme_asks_for_squares(copy: Copy, sample: Page) -> None:
    """Lists and grids get them, the lead and the sponsor keep theirs; the files are twice as large."""
    page = themed(copy, '[shapes]\nlist = "square"\ngrid = "square"\n')
    assert {("160", "107"), ("256", "171"), ("600", "338")} <= {*sizes(sample)}
    assert sizes(page) == [(width, width if width in ("160", "256") else height) for width, height in sizes(sample)]
    shown = {image.get("src"): image.get("width") for image in page.tree.iter("img")}
    for image in page.email.images:
        with Image.open(image.path) as made:
            if shown[image.src] == "160":
                assert made.size == (320, 320) and image.size <= 25 * 1024
            if shown[image.src] == "256":
                assert made.size == (640, 640) and image.size <= 60 * 1024


def test_an_odd_last_story_of_a_grid_has_the_shape_of_a_list(copy: Copy) -> None:
    """It is set as a list row, and so is its picture."""
    copy.edit("issue.md", ("curlews-after-dark]", "]"), ("seven-miles-by-the-tide, ]", "seven-miles-by-the-tide]"))
    page = themed(copy, 'shapes = {list = "square"}\n')
    assert sizes(page)[-3:] == [("256", "171"), ("256", "171"), ("160", "160")]


def test_shapes_are_inherited_until_a_theme_says_its_own(copy: Copy) -> None:
    """The nearest table counts as a whole, as with `pictures`; an empty one takes all back."""
    templates = copy.root / "templates"
    for name, text in {
        "one": HEAD + 'shapes = {list = "square"}\n',
        "two": 'api = 1\nextends = "one"\n',
        "three": 'api = 1\nextends = "one"\nshapes = {grid = "square"}\n',
        "four": 'api = 1\nextends = "three"\nshapes = {}\n',
    }.items():
        (templates / name).mkdir(parents=True)
        (templates / name / "theme.toml").write_text(text, encoding="utf-8")
    found = {
        name: dict(load_theme(Workspace(copy.root), name).shapes) for name in ("base", "one", "two", "three", "four")
    }
    assert found == {
        "base": {}, "one": {"list": "square"}, "two": {"list": "square"}, "three": {"grid": "square"}, "four": {}
    }  # fmt: skip


@pytest.mark.parametrize(
    ("text", "line", "words"),
    [
        ('[shapes]\nlist = "round"\n', 4, "'round' is none of square"),
        ('[shapes]\nlist = "square"\nlisst = "square"\n', 5, 'did you mean "list"'),
        ('[shapes]\nbrief = "square"\n', 4, "unknown key"),
        ('shapes = "square"\n', 3, "shapes"),
    ],
)
def test_a_mistake_is_named_with_its_line(copy: Copy, text: str, line: int, words: str) -> None:
    """An unknown shape, an unknown layout, one without pictures."""
    with pytest.raises(ThemeError, match=re.escape(words)) as refused:
        themed(copy, text)
    assert refused.value.where and refused.value.where.endswith(f"mine/theme.toml:{line}")


def test_a_picture_left_on_its_cdn_is_asked_for_as_a_square(copy: Copy) -> None:
    """The address says the shape; the file is not ours to cut."""
    copy.edit("newsletter.toml", ('delivery = "embedded"', 'delivery = "remote"'))
    copy.edit(
        "sea-wall-to-move-inland.md", ("image:\n", "image:\n  url: https://paper.imgix.net/wall.jpg?rect=0,0,900,900\n")
    )
    page = themed(copy, 'shapes = {list = "square"}\n')
    assert "https://paper.imgix.net/wall.jpg?rect=0,0,900,900&amp;w=320&amp;h=320&amp;fit=crop" in page.html
    (image,) = (image for image in page.tree.iter("img") if "imgix" in (image.get("src") or ""))
    assert (image.get("width"), image.get("height")) == ("160", "160")


@pytest.mark.chromium
@pytest.mark.parametrize("width", [360, 700])
def test_squares_fit_the_screen_and_stay_square(browser: Browser, copy: Copy, tmp_path: Path, width: int) -> None:
    """On a phone a list's thumbnail is 96 pixels wide and as tall."""
    page = themed(copy, "[shapes]\n" + "".join(f'{layout} = "square"\n' for layout in PICTURED))
    tab = Tab(browser, page.write(tmp_path), width)
    assert tab.sticking_out() == []
    boxes = tab.page.evaluate("[...document.images].map(i => [i.clientWidth, i.clientHeight])")
    assert boxes and all(abs(wide - high) <= 1 for wide, high in boxes), boxes
    assert ([96, 96] if width == 360 else [160, 160]) in boxes
    tab.context.close()
