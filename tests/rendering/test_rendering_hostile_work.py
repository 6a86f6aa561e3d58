"""Twice the text is at most twice the work, whatever the text: lines of Python are counted, not seconds.

Below the bounds of guard.py some of these are quadratic and cheap; the texts are long enough to be beyond them. What
runs in C inside one line is not counted; what could grow there was measured and has its own tests by size
(test_rendering_hostile.py: tags, definitions and tables do not multiply).
"""

from __future__ import annotations

import datetime
from typing import Any

import pytest

from newsletter.models import Article, Issue, Section
from newsletter.rendering import guard
from newsletter.rendering.authored import Authored
from newsletter.rendering.bodies import body_of
from newsletter.rendering.plaintext import plain_text, tidy
from tests.rendering.hostile import growing, lines_run

MOST = 2.2
"""How much more work twice the text may be; 2 is linear."""

UNITS = {
    "brackets": "[",
    "open links": "[a](",
    "spread links": "[a](" + "x" * 60,
    "links in links": "[a [b](https://x.example) ",
    "uses of a definition": "[a]\n\n",
    "definitions": "[a]: https://x.example\n\n",
    "pictures": "![a](https://x.example/y.png) ",
    "stars": "*",
    "emphasis": "**a *b ",
    "underscores": "_a",
    "backticks": "`",
    "code": "`a` ",
    "fences": "```\n",
    "quotes": "> a\n",
    "quoted paragraphs": "> a\n\n",
    "deep quotes": ">" * 40 + " a\n\n",
    "list marks": "- ",
    "items": "- *a `b [c\n",
    "spread items": "- a\n\n    b\n\n",
    "items in quotes in items": "1. - > - 1. > a\n",
    "ladder": "".join("    " * step + "- a\n" for step in range(8)),
    "headings": "# a\n",
    "heading marks": "#",
    "underlines": "a\n===\n",
    "rules": "---\n\n",
    "lines": "a\n",
    "breaks": "a  \n",
    "paragraphs": "a\n\n",
    "empty lines": " \n",
    "blanks": " ",
    "tabs": "\t",
    "one word": "a",
    "words": "a ",
    "wide letters": "\u6587",
    "ampersands": "&",
    "entities": "&amp; ",
    "no-break spaces": "\u00a0",
    "backslashes": "\\*",
    "angle brackets": "<",
    "open tags": "<a ",
    "tags": "<b>",
    "spread tags": "<i lang=a>" + "x" * 90 + "\n\n",
    "blocks of HTML": "<div>\n\n",
    "closed tags": "<p>a</p>\n\n",
    "comments": "<!-- a",
    "tables": "a|b\n-|-\nx|y\n\n",
    "rows": "x|y\n",
    "bars": "|",
    "controls": "\u202e\x00",
    "mixture": "*a_b`c[d](e)<f>&g> # \n",
}


def set_whole(text: str) -> None:
    body_of.cache_clear()
    body = body_of(guard.clean(text))
    if body is not None:
        tidy(plain_text(body.tree))


@pytest.mark.parametrize("name", UNITS)
def test_twice_the_text_is_twice_the_work(name: str) -> None:
    """A body of one thing again and again, through Markdown, sanitising and both parts."""
    set_whole("warm")
    once, twice = (lines_run(lambda text=text: set_whole(text)) for text in growing(UNITS[name]))
    assert twice <= MOST * once + 2_000


@pytest.mark.parametrize("name", ["paragraphs", "words", "tables", "items", "quotes"])
def test_the_whole_mail_grows_with_its_stories(desk: Any, name: str) -> None:
    """The theme, the inliner and the finish take their share: twice the text is twice their work too."""
    works = []
    for text in growing(UNITS[name]):
        story = Article(slug="a", headline="A", body=text[:6_000] if len(works) == 0 else text[:12_000])
        issue = Issue(slug="x", date=datetime.date(2026, 11, 27), sections=(Section("text", (story,)),))
        desk.render(issue, "weekly")
        body_of.cache_clear()
        works.append(lines_run(lambda issue=issue: desk.render(issue, "weekly")))
    assert works[1] <= MOST * works[0] + 2_000


@pytest.mark.parametrize("text", ["a " * 40_000, "<" * 80_000, "\u202e" * 80_000, "[](" * 30_000])
def test_a_field_of_one_line_costs_its_length(desk: Any, text: str) -> None:
    """A headline of 80 KB: a few passes over it, no loop of its own."""
    from newsletter.message.merge import Tokeniser

    authored = Authored(Tokeniser([]), "html", desk.root)
    assert lines_run(lambda: authored.line(text)) < 100
