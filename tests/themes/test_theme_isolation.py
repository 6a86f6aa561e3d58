"""A reader's name of the other direction in a real browser."""

from __future__ import annotations

from pathlib import Path

import pytest
from playwright.sync_api import Browser

from newsletter.message.merge import fill
from tests.themes.conftest import READER, Copy
from tests.themes.test_theme_chromium import Tab

PLACES = """() => {
    const span = document.querySelector('span[dir=auto]'), line = span.parentNode, after = span.nextSibling;
    const middle = (node, from, to) => {
        const range = document.createRange();
        range.setStart(node, from);
        range.setEnd(node, to);
        const box = range.getBoundingClientRect();
        return (box.left + box.right) / 2;
    };
    const at = after.data.indexOf('3');
    return [middle(line.firstChild, 0, 3), middle(span.firstChild, 0, 2), middle(after, at, at + 1)];
}"""


@pytest.mark.chromium
@pytest.mark.parametrize(
    ("lang", "before", "after", "name"),
    [("en-GB", "Good morning", ", 3 stories wait.", "مریم"), ("ur", "سلام", "، 3 خبریں ہیں۔", "Ada (Wex)")],
)
def test_the_words_around_a_name_keep_their_order(
    copy: Copy, browser: Browser, tmp_path: Path, lang: str, before: str, after: str, name: str
) -> None:
    """A number after the name stays on the far side of it, seen from the words before."""
    copy.edit("newsletter.toml", ('language = "en-GB"', f'language = "{lang}"'))
    issue = copy.issue / "issue.md"
    head = issue.read_text(encoding="utf-8").rpartition("---\n")[0]
    field = '{{ subscriber.first_name | default("you") }}'
    issue.write_text(f"{head}---\n{before} {field}{after}\n", encoding="utf-8")
    email = copy.render().email
    file = tmp_path / "email.html"
    file.write_text(fill(email.html, email.fields, {**READER, "first_name": name}), encoding="utf-8")
    tab = Tab(browser, file, 700)
    try:
        words, reader, number = tab.page.evaluate(PLACES)
        assert (words < reader < number) if lang == "en-GB" else (words > reader > number)
    finally:
        tab.context.close()
