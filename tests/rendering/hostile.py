"""What the tests of hostile text share: fragments that break things, and what a mail must be whatever they do."""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Iterator
from html.parser import HTMLParser
from types import FrameType
from typing import Any

from hypothesis import strategies as st
from lxml import html as lxml_html

from newsletter.models import Email

PWNED = "pwned"
"""In every fragment's style sheet, class and id: it may be read as a word, and may style nothing."""

HOSTILE = (
    "<script>alert(1)</script>", "<script", "</script>", "<SCRIPT SRC=//x.example>", "<img src=x onerror=alert(1)>",
    "<svg/onload=alert(1)>", "<svg><style>", "<math><mi//xlink:href='data:x,<script>'>", "<iframe srcdoc='x'>",
    "<object data=x>", "<embed src=x>", "<form action=//x.example><input name=x>", "<base href=//x.example>",
    "<meta http-equiv=refresh content=0>", "<link rel=stylesheet href=//x.example>",
    "<style>*{color:pwned}</style>", "<style>", "</style>",
    "<p style='background:url(pwned)' class=pwned id=pwned>", "<b style=pwned:expression(1)>", "<div onclick=x>",
    "<a href='javascript:alert(1)'>x</a>", "<a href=vbscript:x>x</a>", "<a href=data:text/html,x>x</a>",
    "<a href=' java\nscript:x'>x</a>", "<a href='java&#x0a;script:x'>x</a>", "[x](javascript:alert(1))",
    "[x](data:x,y)", "[x](JaVaScRiPt:alert(1))", "![x](javascript:x)", "<javascript:alert(1)>",
    "[x]: javascript:alert(1)\n\n[x]", "<img src='data:image/png;base64,AAAA' alt=x>",
    "<img src=http://x.example/y.png alt=x>", "<a name=x id=pwned>", "</td></tr></table>", "</body></html>",
    "<html><body onload=x>", "<head><title>", "</div></div></div>", "<plaintext>", "<table><tr><td>", "<table><b>",
    "<table>x<tr>y<td>z", "<caption>x", "<select><option>", "<textarea>", "<noscript>", "<template>", "<title>",
    "<xmp>", "<frameset>", "<button>", "<video src=x>", "<marquee>", "<dialog open>", "<nlx-b>", "<!--", "-->",
    "<!-- x --!>", "<!--[if mso]>", "<![endif]-->", "<!--nl:open 0-->", "<!--nl:close 0-->", "<![CDATA[", "]]>",
    "<!DOCTYPE html>", "<?php x ?>", "<![if !mso]>", "&lt;script&gt;", "&#60;script&#62;", "&#x202e;", "&#0;",
    "&#xD800;", "&#xE03C;", "&#xE0F1;{", "\u202e", "\u2066", "\u2069", "\u200f", "\u202dx", "\x00", "\x08",
    "\x1b[2J", "\ufeff", "\ufffe", "\ue03c", "\ue0f1", "\ud800", "\x85", "\u2028", "\x0b", "\r", "{{",
    "\\{{", "{{ subscriber.first_name }}", "{{ unsubscribe_url }}", "[u]({{ unsubscribe_url }})",
    "\u0301" * 9, "\u200b", "\U000e0041", "\u061c",
)  # fmt: skip

REFUSED = ("nlf9999q", "{{", "}}", "{%", "{#", "{{ x }}", "nlf<b>0001q</b>", "[x]({{ subscriber.first_name }})")
"""What is no text of a story at all: each is refused wherever it stands, so the fuzzing leaves it out."""

MARKS = (
    "[", "](", "](x)", "![", "[a]: https://x.example 'y'\n", "*", "**", "_", "`", "``", "```\n", "~~~\n", "> ",
    ">>>>>>>> ", "- ", "* ", "1. ", "1926. ", "    ", "\t", "|a|b|\n|-|-|\n|c|d|\n", "|", "# ", "###### ",
    "===\n", "---\n", "- - -\n", "  \n", "\\", "&", "&amp;", "&nbsp;", "<", ">", "<b>", "</b>", "<i lang=ur>",
    "<blockquote>", "</blockquote>", "<ul><li>", "<q>", "</p>", "<p>", "<h1>", "<br>", "<hr>",
    "<a href=https://x.example>", "</a>", "<https://x.example>", "a@b.example", "\u2014 ", "-- ", '"', "'", "=",
    ":", "~", "\n", "\n\n", " ",
)  # fmt: skip

WORDS = (
    "word ", "Harbour ", "caf\u00e9 ", "\u0645\u0631\u06cc\u0645 ", "\u0939\u093f\u0928\u094d\u0926\u0940 ",
    "\u6587\u5b57", "3 ", "\u201cSaid.\u201d ", "https://x.example/y ",
)  # fmt: skip

PIECES = st.sampled_from(HOSTILE) | st.sampled_from(MARKS) | st.sampled_from(WORDS)


def _repeated(pieces: list[str], count: int) -> str:
    return "".join(pieces) * count


TEXTS = st.one_of(
    st.lists(PIECES, max_size=30).map("".join),
    st.builds(_repeated, st.lists(PIECES, min_size=1, max_size=3), st.sampled_from([2, 9, 50, 500])),
    st.text(max_size=120),
)
"""Text as an enemy of the newsroom would write it, among ordinary words."""

LINES = st.lists(PIECES, max_size=8).map(lambda pieces: " ".join("".join(pieces).split()))

_FORBIDDEN = frozenset(
    """script iframe object embed form input button base link frame frameset svg math video audio applet template
    select option textarea noscript plaintext xmp marquee dialog canvas portal""".split()  # noqa: SIM905  # words
)
_VOID = frozenset(["br", "hr", "img", "meta", "col"])
_NOT_IN_P = frozenset("p div table ul ol li blockquote pre h1 h2 h3 h4 h5 h6 hr figure td tr".split())  # noqa: SIM905
_ADDRESS = re.compile(r"(?:https?|mailto|tel):|nlf[0-9]{4}q", re.IGNORECASE)
_CONTROL = re.compile("[\x00-\x09\x0b-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069\ue000-\ue0ff\ufeff\ufffe\ud800-\udfff]")


class _Balance(HTMLParser):
    """Every element that is opened is closed, in order; comments, and so Outlook's conditions, are passed over."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=False)
        self.open: list[str] = []

    def handle_starttag(self, tag: str, attrs: Any) -> None:
        assert len(dict(attrs)) == len(attrs), f"an attribute twice in {tag}"
        if tag not in _VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open and self.open.pop() == tag, f"</{tag}> closes what is not open"


def assert_balanced(html: str) -> None:
    checker = _Balance()
    checker.feed(html)
    checker.close()
    assert checker.open == []


def parsed(html: str) -> Any:
    parser = lxml_html.HTMLParser(huge_tree=True)
    tree = lxml_html.document_fromstring(html, parser=parser)
    assert not [entry for entry in parser.error_log if entry.level_name == "FATAL"]
    return tree


def way_to(element: Any) -> list[tuple[str, str]]:
    """The elements around one: their names and classes."""
    return [(one.tag, one.get("class", "")) for one in element.iterancestors()]


def unsubscribing(email: Email) -> Any:
    """The footer's link: the last one that is the reader's unsubscribe address."""
    tokens = {field.token for field in email.fields if field.name == "unsubscribe_url"}
    return [link for link in parsed(email.html).iter("a") if link.get("href") in tokens][-1]


def assert_whole(email: Email, stories: list[str]) -> None:
    """The page is one document of ours: balanced, with every story's marks turned into spans, nothing active in it."""
    assert email.html.startswith("<!DOCTYPE html>")
    assert_balanced(email.html)
    assert [span.article for span in email.spans] == stories
    for slug in stories:
        assert_balanced(email.html_of(slug))
    assert "<!--nl:" not in email.html and "{{" not in email.html and "{%" not in email.html
    page = parsed(email.html)
    for name in ("html", "head", "body", "title"):
        assert len(list(page.iter(name))) == 1
    assert not list(page.find("body").iter("style", "meta", "link", "title", "base"))
    for element in page.iter("*"):
        _assert_harmless(element)
    for paragraph in page.iter("p"):
        assert not [one.tag for one in paragraph.iterdescendants() if one.tag in _NOT_IN_P]
    for link in page.iter("a"):
        assert next(link.iterdescendants("a"), None) is None
    known = {field.token for field in email.fields}
    assert set(re.findall(r"nlf[0-9]{4}q", email.html + email.text + email.subject)) <= known
    for part in (email.text, page.find("body").text_content(), email.subject):
        assert not _CONTROL.search(part.replace("\n", "")), _CONTROL.search(part.replace("\n", ""))


def _assert_harmless(element: Any) -> None:
    assert element.tag not in _FORBIDDEN
    for name, value in element.attrib.items():
        assert not name.lower().startswith("on") and name not in ("srcdoc", "formaction", "srcset", "background")
        if name in ("style", "class", "id"):
            assert PWNED not in value and "url(" not in value and "expression" not in value
        if name == "href":
            assert _ADDRESS.match(value)
        if name == "src":
            assert value.startswith(("https://", "cid:"))
    if element.tag == "style":
        assert PWNED not in element.text


def lines_run(call: Callable[[], object]) -> int:
    """How many lines of Python a call runs: a measure of its work that no other process can change."""
    count = 0

    def step(frame: FrameType, event: str, argument: object) -> Any:
        nonlocal count
        count += 1
        return step

    before = sys.gettrace()
    sys.settrace(step)
    try:
        call()
    finally:
        sys.settrace(before)
    return count


def growing(unit: str, before: str = "", after: str = "") -> Iterator[str]:
    """A text, and one of twice its length."""
    for size in (12_000, 24_000):
        yield before + unit * max(1, size // len(unit)) + after
