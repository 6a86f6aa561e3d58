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
    sample: Any, chromium: Browser, page_file: Any, scheme: Any, width: int
) -> None:
    context = chromium.new_context(viewport={"width": width, "height": 800}, color_scheme=scheme, offline=True)
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
