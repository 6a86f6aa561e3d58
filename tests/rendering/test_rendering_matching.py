"""The index matches what cssselect matches."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lxml import html
from lxml.cssselect import CSSSelector

from newsletter.rendering.matching import Page, compounds_of

PAGE = html.document_fromstring("""
<div class="a b" id="top"><p class="a">1<b class="c">2</b></p><p dir="rtl" class="b">3</p>
<table class="a c"><tr><td class="b"><p class="c a" lang="ur">4</p><!-- x --></td><td>5</td></tr></table></div>
<div class="b"><div class="c"><p>6</p></div></div>""")

part = st.sampled_from(
    ["p", "div", "td", ".a", ".b", ".c", "p.a", ".a.b", "#top", "[dir=rtl]", "[lang]", "p[lang=ur]", "b", ".c.a", "DIV"]
)
selector = st.lists(st.tuples(st.sampled_from([" ", " > ", ">", "  "]), part), min_size=1, max_size=4).map(
    lambda parts: "".join(combinator + word for combinator, word in parts).strip(" >")
)


@settings(max_examples=300)
@given(selector)
def test_the_index_agrees_with_cssselect(text):
    assert compounds_of(text) is not None
    # cssselect leaves the case of tags to the document; HTML's are lower.
    wanted = CSSSelector(text.replace("DIV", "div"))(PAGE)
    found = Page(PAGE).matching(text)
    assert set(found) == set(wanted) and len(found) == len(wanted)


@pytest.mark.parametrize("text", ["p + p", "p ~ p", "p:first-child", '[dir="rtl"]', "*", "[class~=a]"])
def test_what_the_index_does_not_know_goes_to_cssselect(text):
    assert compounds_of(text) is None
    assert list(Page(PAGE).matching(text)) == CSSSelector(text)(PAGE)


@pytest.mark.parametrize("text", ["", "p >", "> p", "p..a"])
def test_no_selector_has_no_compounds(text):
    assert compounds_of(text) is None
