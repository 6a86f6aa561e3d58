"""A theme's own mistakes: each names its file, its line, and the story that was being set."""

from __future__ import annotations

from typing import Any

import pytest

from newsletter.errors import BadData, RenderError, ThemeError
from newsletter.models import Section

LAYOUTS = (
    '{{% from "base/layouts.html.j2" import lead, grid, brief, sponsor, text %}}\n'
    "{{% macro list(section) %}}\n"
    "{{% for article in section.articles %}}\n"
    "<tr><td>{}</td></tr>\n"
    "{{% endfor %}}\n"
    "{{% endmacro %}}\n"
)
SET = "{{ article.open }}%s{{ article.close }}"


def failing(desk: Any, issue: Any, story: Any, **files: str) -> BadData:
    """What rendering two stories with a theme of these files raises."""
    desk.write("house/theme.toml", 'api = 1\nextends = "weekly"\n')
    for name, text in files.items():
        desk.write(f"house/{name.replace('_', '.')}.j2", text)
    with pytest.raises(BadData) as caught:
        desk.render(issue(Section("list", (story("ferry"), story("library")))), "house")
    assert caught.value.fix and caught.value.where
    return caught.value


@pytest.mark.parametrize(
    ("row", "words", "slug"),
    [
        (SET % "{{ article.headlin }}", "article has no attribute 'headlin'", "ferry"),
        ("{{ article.headlin }}" + SET % "", "article has no attribute 'headlin'", "ferry"),
        (SET % "{{ wether }}", "'wether' is undefined", "ferry"),
        ("{% if article.slug == 'library' %}{{ 1 / 0 }}{% endif %}" + SET % "", "division by zero", "library"),
        (SET % "{{ article.headline | truncate('x') }}", "not supported", "ferry"),
        (SET % "{{ article.headline.shout() }}", "no attribute 'shout'", "ferry"),
        (SET % "{% for x in article.minutes %}{% endfor %}", "not iterable", "ferry"),
        (SET % "{% include 'gone.html.j2' %}", "no template 'gone.html.j2'", "ferry"),
        (SET % "{{ article.t() }}", "missing 1 required", "ferry"),
        ("{{ article.open }}", "story library starts before ferry has ended", "ferry"),
        ("{{ article.close }}", "story ferry ends without", "ferry"),
    ],
)
def test_a_fault_in_a_storys_row(desk: Any, issue: Any, story: Any, row: str, words: str, slug: str) -> None:
    """In a macro inside the loop over the stories, before and after the story's mark: file, line, story, cure."""
    error = failing(desk, issue, story, layouts_html=LAYOUTS.format(row))
    assert isinstance(error, ThemeError) and words in error.what and slug in error.what
    assert error.where == str(desk.root / "templates/house/layouts.html.j2") + ":4"


def test_a_name_that_is_nearly_right_is_hinted_at(desk: Any, issue: Any, story: Any) -> None:
    """With the documents' name for the thing, not the program's."""
    error = failing(desk, issue, story, layouts_html=LAYOUTS.format(SET % "{{ article.standfrist }}"))
    assert 'did you mean "standfirst"?' in error.fix and "docs/themes.md" in error.fix and "Shown" not in str(error)


def test_a_syntax_error(desk: Any, issue: Any, story: Any) -> None:
    """Its own line; where the file is included by a story, the story too."""
    error = failing(desk, issue, story, layouts_html=LAYOUTS.format("{% if %}"))
    assert "does not parse" in error.what and error.where.endswith("layouts.html.j2:4")
    desk.write("house/box.html.j2", "\n\n{{ article.headline")
    error = failing(desk, issue, story, layouts_html=LAYOUTS.format(SET % '{% include "box.html.j2" %}'))
    assert "does not parse" in error.what and "(while setting the story ferry)" in error.what
    assert error.where.endswith("box.html.j2:3")


def test_a_fault_in_the_text_part(desk: Any, issue: Any, story: Any) -> None:
    """The text template is named, with the story."""
    text = "{% for one in sections %}{% for article in one.articles %}\n{{ article.adress }}{% endfor %}{% endfor %}"
    error = failing(desk, issue, story, email_txt=text)
    assert error.where.endswith("house/email.txt.j2:2") and "(while setting the story ferry)" in error.what


@pytest.mark.parametrize(
    ("row", "words"),
    [
        (SET % "{% if article.slug == 'library' %}<!--[if mso]>x{% endif %}", "conditional comments"),
        (SET % "{% if article.slug == 'library' %}{{ '{' }}{ x }}{% endif %}", "template syntax is left"),
        (SET % "{% if article.slug == 'library' %}<![if !mso]>{% endif %}", "breaks the inliner"),
    ],
)
def test_a_fault_that_shows_in_the_finished_page(desk: Any, issue: Any, story: Any, row: str, words: str) -> None:
    """What only the page as a whole shows names the theme's page and the story in which it happens."""
    error = failing(desk, issue, story, layouts_html=LAYOUTS.format(row))
    assert words in error.what and error.what.endswith("(in the story library)") and "email.html.j2" in error.where


def test_a_fault_between_the_stories_names_none(desk: Any, issue: Any, story: Any) -> None:
    """A page of its own with a fault outside every story."""
    page = '{% extends "weekly/email.html.j2" %}\n{% block intro %}<!--[if mso]>{% endblock %}'
    error = failing(desk, issue, story, email_html=page)
    assert isinstance(error, RenderError) and "(in the story" not in error.what


def test_a_page_that_cannot_be_read_to_its_end_is_refused(desk: Any, issue: Any, story: Any) -> None:
    """Elements thousands deep inside each other would be lost without a word."""
    page = '{% extends "weekly/email.html.j2" %}\n{% block intro %}{{ ("<div>" * 3000) | safe }}{% endblock %}'
    error = failing(desk, issue, story, email_html=page)
    assert isinstance(error, RenderError) and "not read to its end" in error.what
