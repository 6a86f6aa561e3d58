"""Room between stories: what belongs together stands closer than what does not, with titles and without."""

from __future__ import annotations

import itertools
import re
from pathlib import Path

import pytest
from playwright.sync_api import Browser

from tests.themes.conftest import Copy
from tests.themes.samples import set_sample
from tests.themes.test_theme_chromium import Tab

THEMES = ("weekly", "digest", "letter", "bulletin")
LEAST = 22
"""Pixels above whatever begins: the eye sees 16, a paragraph's, as going on."""

ORDER = (
    ("text", "a-century-in-the-harbour-log"),
    ("list", "sixth-formers-map-the-potholes"),
    ("grid", "seven-miles-by-the-tide, curlews-after-dark"),
    ("brief", "lifeboat-bell-found"),
    ("list", "library-opens-on-sundays"),
    ("text", "sea-wall-to-move-inland, market-moves-to-the-quay"),
)
"""Sections without titles, as a quick issue has them."""

ROOM = """() => {
    const out = {};
    let bottom = 0, titled;
    for (const e of document.querySelectorAll('h1, h2, h3, p, img, td.stack, td.muted, .wide')) {
        const box = e.getBoundingClientRect();
        if (!box.height) continue;
        const room = titled ?? box.top - bottom;  // a title has its room for the story below it
        titled = e.matches('.title') ? room : undefined;
        if (e.matches('h2, h3')) out[e.innerText.trim()] ??= room;
        bottom = Math.max(bottom, box.bottom - parseFloat(getComputedStyle(e).paddingBottom));
    }
    return out;
}"""


def hasty(theme: str, folder: Path) -> Copy:
    """The sample's stories in sections without titles and without an intro; none has a kicker or a picture."""
    copy = Copy(set_sample("english", theme, folder / "ws")[0])
    sections = "".join(f"  - layout: {layout}\n    articles: [{slugs}]\n" for layout, slugs in ORDER)
    head = f"---\nsubject: In haste\npreheader: Without titles\ndate: 2026-11-27\ntheme: {theme}\nsections:\n"
    (copy.issue / "issue.md").write_text(f"{head}{sections}---\n", encoding="utf-8")
    for file in copy.issue.glob("*-*.md"):
        text = re.sub(r"^kicker: .*\n|^image:\n(?:  .*\n)+", "", file.read_text(encoding="utf-8"), flags=re.M)
        file.write_text(text, encoding="utf-8")
    return copy


@pytest.mark.chromium
@pytest.mark.parametrize("width", [700, 360])
@pytest.mark.parametrize("theme", THEMES)
def test_what_begins_has_room_above_it(browser: Browser, theme: str, width: int, tmp_path: Path) -> None:
    """The first story below the date, the first of each untitled section, and each further full text."""
    tab = Tab(browser, hasty(theme, tmp_path).render().write(tmp_path), width)
    room = tab.page.evaluate(ROOM)
    tab.context.close()
    begins = (
        "A century of winters",
        "Sixth-formers",
        "Seven miles",
        "Lost lifeboat",
        "Library to open",
        "The sea wall",
        "Christmas market",
    )
    found = {words: next(gap for headline, gap in room.items() if headline.startswith(words)) for words in begins}
    assert {words: gap for words, gap in found.items() if gap < LEAST} == {}


def test_two_sponsors_of_a_letter_share_a_line(tmp_path: Path) -> None:
    """One above each and one below both, not two of them with a gap; and the one above the footer."""
    copy = hasty("letter", tmp_path).edit("issue.md", ("  - layout: brief\n", "  - layout: sponsor\n"))
    copy.edit("issue.md", ("[lifeboat-bell-found]", "[bring-last-winters-coat-back, dredger-due-in-december]"))
    assert len(copy.render().tree.find_class("row")) == 2 + 1 + 1


@pytest.mark.chromium
def test_a_line_in_a_text_is_a_hairline(browser: Browser, copy: Copy, tmp_path: Path) -> None:
    """In the theme's own colour on a light screen, on a dark one and in Outlook's dark mode, not a browser's groove."""
    copy.edit("a-century-in-the-harbour-log.md", ("## What you can ask", "---\n\n## What you can ask"))
    file = copy.render().write(tmp_path)
    for dark, outlook, colour in (
        (False, False, "218, 213, 202"),
        (True, False, "59, 57, 54"),
        (False, True, "59, 57, 54"),
    ):
        tab = Tab(browser, file, 700, dark=dark)
        if outlook:
            tab.page.evaluate("document.documentElement.setAttribute('data-ogsb', '')")
        looks = [tab.computed("hr", f"border-{what}")[0] for what in ("top-color", "top-style", "bottom-width")]
        tab.context.close()
        assert looks == [f"rgb({colour})", "solid", "0px"]


@pytest.mark.chromium
def test_a_list_in_a_list_keeps_the_step(browser: Browser, copy: Copy, tmp_path: Path) -> None:
    """Whatever is in whatever: 8 pixels between one item's words and the next."""
    items = "- one\n    - two\n        - three\n        - four\n    - five\n- six\n"
    copy.edit("a-century-in-the-harbour-log.md", ("- the morning you were born;\n", items))
    tab = Tab(browser, copy.render().write(tmp_path), 700)
    lines = tab.page.evaluate("""() => [...document.querySelectorAll('.prose li')].map(item => {
        const range = document.createRange();
        range.selectNodeContents(item.firstChild);
        return range.getBoundingClientRect().top;
    })""")
    tab.context.close()
    assert {round(after - before) for before, after in itertools.pairwise(lines[:6])} == {28 + 8}


@pytest.mark.parametrize("theme", THEMES)
def test_no_level_of_the_outline_is_left_out(theme: str, tmp_path: Path) -> None:
    """Subheads of the intro and of a text in an untitled section stand one below what they belong to."""
    copy = hasty(theme, tmp_path)
    file = copy.issue / "issue.md"
    file.write_text(f"{file.read_text(encoding='utf-8')}Words.\n\n### From the post\n\nWords.\n", encoding="utf-8")
    levels = [int(heading.tag[1]) for heading in copy.render().tree.iter("h1", "h2", "h3", "h4", "h5", "h6")]
    assert levels[0] == 1 and levels.count(1) == 1
    assert all(after <= before + 1 for before, after in itertools.pairwise(levels))
    assert 3 in levels, "the subheads of the full text"
