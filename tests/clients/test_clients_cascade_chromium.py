"""Our cascade and Chromium's give the same colours, sizes and weights for every element of every theme."""

from __future__ import annotations

from typing import Any

import pytest
from lxml import html as lxml_html
from playwright.sync_api import Browser

from newsletter.clients.cascade import Cascade
from newsletter.clients.colours import parse_colour

pytestmark = pytest.mark.chromium

ASK = """() => [...document.querySelectorAll('body, body *')].map(e => {
    const s = getComputedStyle(e), tag = e.tagName.toLowerCase();
    return [tag, s.color, s.backgroundColor, parseFloat(s.fontSize), Number(s.fontWeight), s.display];
})"""


@pytest.mark.parametrize(("scheme", "width"), [("light", 700), ("dark", 700), ("light", 360), ("dark", 360)])
def test_every_element_is_as_in_chromium(
    sample: Any, browser: Browser, page_file: Any, scheme: Any, width: int
) -> None:
    context = browser.new_context(viewport={"width": width, "height": 800}, color_scheme=scheme, offline=True)
    tab = context.new_page()
    tab.goto(page_file(sample.filled))
    # Chromium's own serialisation: both then speak of the same elements.
    root = lxml_html.document_fromstring(tab.content().encode())
    theirs = tab.evaluate(ASK)
    context.close()
    cascade = Cascade(root, scheme=scheme, width=width)
    ours = [e for e in root.find("body").iter() if isinstance(e.tag, str)]
    assert [e.tag for e in ours] == [row[0] for row in theirs]
    assert len(ours) > 150
    for element, (tag, color, ground, size, weight, display) in zip(ours, theirs, strict=True):
        said = (tag, element.get("class"), element.text)
        assert cascade.text(element).colour == parse_colour(color), said
        assert cascade.size(element) == pytest.approx(size, abs=0.01), said
        assert cascade.weight(element) == weight, said
        declared = cascade.style(element).get("background-color")
        assert (parse_colour(declared) if declared else None) in (parse_colour(ground), None), said
        assert (parse_colour(ground).alpha == 0) or declared, said
        assert (cascade.style(element).get("display") == "none") is (display == "none"), said


def test_a_typewriters_letters_shrink_as_in_chromium(browser: Browser) -> None:
    """13 pixels for 16 where nobody gave a size in pixels, and once only."""
    code = "<code>a <b>b <samp>c</samp></b></code>"
    styles = ("", "font-size:17px", "font-size:12pt", "font-size:120%", "font-size:17px;font-size:1.5em")
    page = "<!DOCTYPE html><html><body>" + "".join(f"<div style='{style}'><p>{code}</p></div>" for style in styles)
    page += f"<div style='font-size:20px'><p style='font-size:150%'>{code}</p></div><h2>{code}</h2><pre>{code}</pre>"
    tab = browser.new_page()
    tab.set_content(page)
    root = lxml_html.document_fromstring(tab.content().encode())
    theirs = tab.eval_on_selector_all("code, samp", "all => all.map(e => parseFloat(getComputedStyle(e).fontSize))")
    tab.close()
    cascade = Cascade(root)
    assert [cascade.size(e) for e in root.iter("code", "samp")] == pytest.approx(theirs, abs=0.01)
