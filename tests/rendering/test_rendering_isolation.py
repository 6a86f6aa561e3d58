"""A reader's name of the other direction: its place is marked in HTML and in text, and nowhere else."""

from __future__ import annotations

import re
from typing import Any

import pytest
from lxml import etree
from lxml import html as lxml_html

from newsletter.message.merge import fill
from newsletter.models import Section
from newsletter.rendering import isolation
from newsletter.rendering.plaintext import beyond_latin1

LRM, RLM, FSI, PDI = "\u200e", "\u200f", "\u2068", "\u2069"
NAME = '{{ subscriber.first_name | default("you") }}'
MINE = frozenset(["nlf0001q"])


def test_a_value_in_running_words_is_isolated_and_one_in_an_attribute_is_not(desk: Any, issue: Any, story: Any) -> None:
    """In the intro, a headline and a full text; not in an address, an alternative text, the title or the inbox line."""
    made = issue(
        Section(
            "text",
            (story(headline=f"For {NAME}", body=f"Dear {NAME}, *{NAME}*\n\n[x](https://x.example/?c={NAME})"),),
        ),
        subject=f"{NAME}, look",
        preheader=f"Dear {NAME}",
        intro=f"Good morning {NAME}, 3 stories",
    )
    email = desk.render(made, "weekly")
    tokens = {field.token for field in email.fields if field.name == "first_name"}
    page = lxml_html.document_fromstring(email.html)
    alone = [span for span in page.iter("span") if span.get("dir") == "auto"]
    assert len(alone) == 4 and all(span.text in tokens and len(span) == 0 for span in alone)
    assert all((span.tail or "").startswith(LRM) for span in alone)
    inside = re.findall(r'="[^"]*(nlf[0-9]{4}q)[^"]*"', email.html)
    assert set(inside) & tokens
    assert "<span" not in page.findtext("head/title") and page.find("body")[0][0].find("span") is None
    assert email.html.count('dir="auto"') == 4


def test_the_mark_behind_it_has_the_direction_of_its_place() -> None:
    """Left to right in the page, right to left in a story with dir of its own; text before and after stays in order."""
    page = etree.HTML(
        '<html><head><title>nlf0001q</title></head><body dir="ltr"><p>a nlf0001q b<i>c</i>nlf0001q nlf0002q</p>'
        '<div dir="rtl"><p>nlf0001qd</p><!-- x -->nlf0001q<a title="nlf0001q">nlf0001q</a></div>'
        '<div style="display: none">nlf0001q</div></body></html>'
    )
    isolation.in_page(page, MINE)
    found = etree.tostring(page.find("body"), encoding="unicode", method="html")
    span = '<span dir="auto">nlf0001q</span>'
    assert found == (
        f'<body dir="ltr"><p>a {span}{LRM} b<i>c</i>{span}{LRM} nlf0002q</p>'
        f'<div dir="rtl"><p>{span}{RLM}d</p><!-- x -->{span}{RLM}<a title="nlf0001q">{span}{RLM}</a></div>'
        '<div style="display: none">nlf0001q</div></body>'
    )
    assert page.findtext("head/title") == "nlf0001q"


@pytest.mark.parametrize(
    ("line", "wanted"),
    [
        ("Dear nlf0001q,", f"Dear {LRM}nlf0001q{LRM},"),
        ("(nlf0001q) 3", f"({RLM}nlf0001q{RLM}) 3"),
        ("nlf0001q", f"{RLM}nlf0001q{RLM}"),
        ("\u0633\u0644\u0627\u0645 nlf0001q", f"\u0633\u0644\u0627\u0645 {RLM}nlf0001q{RLM}"),
        ("https://x.example/nlf0001q a", "https://x.example/nlf0001q a"),
        ("x?c=nlf0001q a@nlf0001q b", "x?c=nlf0001q a@nlf0001q b"),
        ("nlf0002q b", "nlf0002q b"),
        ("no field", "no field"),
    ],
)
def test_in_text_a_value_stands_between_marks_of_its_lines_direction(line: str, wanted: str) -> None:
    """But not in an address, and a link of ours stays whole; a line without letters has the mail's direction."""
    assert isolation.in_text(line, MINE, "rtl") == wanted


def test_subjects_stay_plain_left_to_right_and_keep_their_direction_right_to_left(desk: Any, issue: Any) -> None:
    """An English subject gets isolates with an Urdu name alone; an Urdu one may begin with a Latin name."""
    email = desk.render(issue(subject=f"{NAME}, look"))
    assert fill(email.subject, email.fields, {"first_name": "Ada"}) == "Ada, look"
    assert fill(email.subject, email.fields, {"first_name": "\u0645\u0631"}) == f"{FSI}\u0645\u0631{PDI}, look"
    email = desk.render(issue(subject=f"{NAME}\u060c \u062f\u06cc\u06a9\u06be\u06cc\u06ba", lang="ur"))
    assert fill(email.subject, email.fields, {"first_name": "Ada"}).startswith(f"{RLM}Ada{RLM}\u060c")


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("caf\u00e9\n", "caf\u00e9\n\n\u2014\n"),
        ("a\n----------\nb\n------------\nc\n", "a\n----------\nb\n\u2014\u2014\u2014\u2014\u2014\u2014\nc\n"),
        ("it\u2019s\n----------\n", "it\u2019s\n----------\n"),
        ("\u0633\n", "\u0633\n"),
    ],
)
def test_a_text_part_has_a_letter_beyond_latin_1(text: str, wanted: str) -> None:
    """Its own where it has one, else the last rule becomes dashes, else a dash ends it."""
    assert beyond_latin1(text) == wanted
