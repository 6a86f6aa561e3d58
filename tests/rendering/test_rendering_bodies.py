"""Bodies: what Markdown becomes, what never gets through, and that no text takes longer than its length."""

from __future__ import annotations

import re

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from lxml import etree, html

from newsletter.errors import BadData, MergeFieldError
from newsletter.message.merge import Tokeniser
from newsletter.rendering import guard
from newsletter.rendering.authored import Authored
from newsletter.rendering.bodies import MAX_HTML, TAGS, body_of

KB = 1024


def set_body(text: str, links: frozenset[str] = frozenset()) -> str:
    body = body_of(guard.clean(text), links)
    return str(body.html) if body else ""


@pytest.mark.parametrize(
    ("markdown", "wanted"),
    [
        ("# A\n\n## B\n\n### C\n\n#### D", "<h4>A</h4><h4>B</h4><h5>C</h5><h6>D</h6>"),
        ("### A\n\n##### B\n\n### C", "<h4>A</h4><h5>B</h5><h4>C</h4>"),
        ("A *b* **c** `d`", "<p>A <em>b</em> <strong>c</strong> <code>d</code></p>"),
        ("[x](https://a.example/?a=1&b=2)", '<p><a href="https://a.example/?a=1&amp;b=2">x</a></p>'),
        ("[m](mailto:a@b.example) [t](tel:+44)", '<p><a href="mailto:a@b.example">m</a> <a href="tel:+44">t</a></p>'),
        ("[x](javascript:alert(1))", "<p>x</p>"),
        ("[x](/local) [y](data:text/html,x)", "<p>x y</p>"),
        (
            "![Alt](https://a.example/a.png)",
            '<p><img alt="Alt" src="https://a.example/a.png" class="image" width="536"></p>',
        ),
        (
            '![Alt](https://a.example/a.png "The quay, \\*before\\*")\n\nb',
            '<p class="shown"><img alt="Alt" src="https://a.example/a.png" class="image" width="536"></p>'
            '<p class="muted caption">The quay, *before*</p><p>b</p>',
        ),
        (
            '[![Alt](https://a.example/a.png "The quay")](https://a.example/)',
            '<p class="shown"><a href="https://a.example/">'
            '<img alt="Alt" src="https://a.example/a.png" class="image" width="536"></a></p>'
            '<p class="muted caption">The quay</p>',
        ),
        (
            'a ![Alt](https://a.example/a.png "T")',
            '<p>a <img alt="Alt" src="https://a.example/a.png" title="T" class="image" width="536"></p>',
        ),
        ("![Alt](http://a.example/a.png) x", "<p>Alt x</p>"),
        (
            '<img src="https://a.example/a.png" onerror="x">',
            '<p><img src="https://a.example/a.png" class="image" alt="" width="536"></p>',
        ),
        (
            '<figure><img src="https://a.example/a.png" alt="A">'
            "<figcaption><p>The <b>quay</b></p></figcaption></figure>\n\nb",
            '<p class="shown"><img src="https://a.example/a.png" alt="A" class="image" width="536"></p>'
            '<p class="muted caption">The <b>quay</b> </p><p>b</p>',
        ),
        (
            "<figure><blockquote><p>a</p></blockquote><figcaption>Ada</figcaption></figure>",
            '<blockquote><p>a</p></blockquote><p class="muted caption">Ada</p>',
        ),
        ("> a\n> > b", "<blockquote><p>a</p><blockquote><p>b</p></blockquote></blockquote>"),
        ("> a\n>\n> b\n\n> c", "<blockquote><p>a</p><p>b</p></blockquote><blockquote><p>c</p></blockquote>"),
        (
            "> a\n> — Ada\n\n> b\n> — Bo",
            '<blockquote class="pull"><p>a</p><p class="muted by">— Ada</p></blockquote>'
            '<blockquote class="pull"><p>b</p><p class="muted by">— Bo</p></blockquote>',
        ),
        ("- a\n\n> b\n\n    c", "<ul><li>a</li></ul><blockquote><p>b</p></blockquote><pre><code>c\n</code></pre>"),
        ("3. a\n4. b", '<ol start="3"><li>a</li><li>b</li></ol>'),
        ("a  \nb", "<p>a<br>b</p>"),
        ("<b onclick='x' style='y' id='z' class='w' lang='ur'>t</b>", '<p><b lang="ur">t</b></p>'),
        ("a <script>alert(1)</script>b <style>p{}</style>c", "<p>a b c</p>"),
        ("a <iframe src='https://x.example'>in</iframe>b", "<p>a b</p>"),
        ("a <form action='x'><input>t</form>", "<p>a </p>t"),
        ("a <b>never closed", "<p>a <b>never closed</b></p>"),
        ("a </div></td></table> b", "<p>a  b</p>"),
        ("<!-- hidden --> a", "<p>a</p>"),
        ("a\u202eb\u2066c\x00d\x08e\ufefff", "<p>abcdef</p>"),
        ("<script>only()</script>", ""),
        ("   \n\n  ", ""),
        ("a &amp; b &copy; < c", "<p>a &amp; b © &lt; c</p>"),
    ],
)
def test_markdown_becomes_clean_html(markdown, wanted):
    assert re.sub(r">\s+<", "><", set_body(markdown)).replace("<br>\n", "<br>") == wanted.replace("> <", "><")


def test_tables_keep_their_alignment_without_style():
    found = set_body("| a | b |\n|:--|--:|\n| 1 | 2 |")
    assert '<td align="right">2</td>' in found and "style" not in found


def test_our_own_links_may_stand_for_an_address_and_a_readers_attribute_may_not():
    tokeniser = Tokeniser(["city"])
    authored = Authored(tokeniser, "html", root=None)
    body = authored.body("[Web]({{ web_url }}) [C](https://x.example/?c={{ subscriber.city }})")
    assert '<a href="nlf0001q">Web</a>' in body.html and "https://x.example/?c=nlf0002q" in body.html
    with pytest.raises(MergeFieldError, match="starts with a reader's attribute"):
        authored.body("[x]({{ subscriber.city }})")
    assert "<p>x</p>" in authored.body("[x]({{ web_url }}/more)").html


def test_a_body_over_the_limit_is_refused_with_its_size():
    with pytest.raises(BadData, match="262,146 bytes"):
        Authored(Tokeniser([]), "html", root=None).body("é" * (guard.MAX_BODY // 2 + 1))


def test_depth_is_capped():
    for text in (">" * 300 + " x", "- " * 300 + "x", "\n".join("    " * n + "- x" for n in range(60))):
        tree = html.fragment_fromstring(set_body(text), create_parent="div")
        assert max(len(list(one.iterancestors())) for one in tree.iter()) <= 2 * guard.MAX_DEPTH + 4
    assert "x" in set_body("> " * 300 + "x")


def test_more_brackets_than_any_story_has_are_letters():
    text = "[" * (guard.MAX_BRACKETS + 1) + " [a](https://a.example)"
    assert ">a</a>" not in set_body(text) and set_body(text).count("[") == guard.MAX_BRACKETS + 2
    links = "[a](https://a.example) " * 40
    assert set_body(links).count("<a ") == 40


def test_a_long_list_of_links_stays_a_list_of_links():
    items = "\n".join(f"- [**{n}** words](https://a_b.example/{n}?x=1&y=2)" for n in range(150))
    found = set_body(items)
    assert found.count("<li>") == found.count("<a ") == found.count("<strong>") == 150


def test_a_long_table_with_links_stays_a_table():
    rows = "\n".join(f"| **{n}** | [x](https://a.example/{n}) |" for n in range(150))
    found = set_body(f"| No | Link |\n|---|---|\n{rows}\n| {'*x `y ' * 300} | z |")
    assert found.count("<tr>") == 152 and found.count("<a ") == found.count("<strong>") == 150
    assert "*x `y" in found


@pytest.mark.parametrize("heading", ["`a`|b", "a\\|b", "a|b|c", "a"])
def test_what_only_looks_like_a_table_is_bounded_as_a_paragraph(heading):
    found = set_body(f"{heading}\n-|-\n" + "*x|`y\n" * 300)
    assert "<table" not in found and found.count("*x|`y") == 300


def test_reserved_looking_words_of_the_guard_do_not_come_from_authors():
    assert set_body("a\ue03cb\ue0f1c") == "<p>abc</p>"


ATTACKS = {
    "brackets": "[" * 20_000,
    "bracket line": "[" * 100 * KB,
    "open links": "[](" * 30 * KB,
    "stars": "*" * 20_000,
    "strong": "**a " * 20_000,
    "underscores": "_a" * 40_000,
    "backticks": "`" * 100 * KB,
    "quotes": ">" * 200 * KB,
    "list marks": "- " * 100 * KB,
    "headings": "#x" * 100 * KB,
    "ampersands": "&#x" * 60 * KB,
    "tags": "<a " * 50 * KB,
    "comments": "<!--" * 50 * KB,
    "divs": "<div>\n\n" * 390 + "a " * 80_000,
    "long line": "a" * 100 * KB,
    "breaks": "a  \n" * 50 * KB,
    "pipes": "|" * 200 * KB,
    "wide table": "|a" * 500 + "|\n" + "|-" * 500 + "|\n" + "|x|\n" * 3000,
    "many rows": "|a|b|\n|-|-|\n" + "|*x|`y|\n" * 9000,
    "spread stars": ("*" + "a" * 600) * 400,
    "spread strong": ("a**" + "a" * 600) * 390,
    "spread mixed": ("*a _b **c __d ***e `f ![g " + "a" * 4000) * 30,
    "one item of many lines": "- a\n" + "*b\n" * 60_000,
    "many items": "- *a `b [c\n" * 5_000,
    "mixed items": "1. a\n" + "- *b\n1. `c\n" * 5_000,
    "dashes": "a|b\n" + "-" * 100 * KB + "x\n" + "*" * 500,
    "rules": "---\n" * 20_000,
    "rules under a line": "x\n\t---\n- - -\n---\n" * 8_000,
    "no list after all": "x\n" + "- *b\n" * 40_000,
    "backslashes": "\\[" * 100 * KB,
    "blanks": " " * 200 * KB + "a",
    "tabs": "\t" * 60 * KB,
    "ladders": "\n".join(" " * n + "- x" for n in range(600)),
    "bracket paragraphs": "\n\n".join(["[" * 200 + "x" * 500] * 300),
    "mixture": "*a_b`c[d](e)<f>&g " * 14 * KB,
}


@pytest.mark.parametrize("name", ATTACKS)
def test_the_largest_body_is_set_whatever_is_in_it(name):
    """Each of these took Python-Markdown from many seconds to for ever; test_rendering_hostile_work.py counts."""
    body = body_of(guard.clean(ATTACKS[name][: guard.MAX_BODY]))
    assert body is None or len(body.html) < MAX_HTML


PIECES = st.sampled_from(
    [
        *("<script>", "</script>", "<img src=x onerror=alert(1)>", "<a href='javascript:x'>", "javascript:", "</a>"),
        *("<svg/onload=x>", "<style>", "expression(", "<b>", "<p", "<!--", "-->", "<![CDATA[", "]]>", "<?php", "&lt;"),
        *("&#106;", "&", "\x00", "\u202e", "[a](", "[a]: x", "![", "](javascript:alert(1))", ")", "**", "_", "`"),
        *("```\n", "> ", "- ", "1. ", "    ", "|a|b|\n|-|-|\n", "|", "#", "\n", "\n\n", "  \n", "===\n", "word", " "),
        *('"', "'", "=", "nlf0001q", "http://x", "é", "文"),
    ]
)


@settings(max_examples=400, suppress_health_check=[HealthCheck.too_slow], deadline=None)
@given(st.lists(PIECES, max_size=40).map("".join) | st.text(max_size=200))
def test_whatever_is_written_the_result_is_clean_and_parses(text):
    body = body_of(guard.clean(text), frozenset(["nlf0001q"]))
    if body is None:
        return
    tree = html.fragment_fromstring(str(body.html), create_parent="div")
    for element in tree.iterdescendants():
        assert element.tag in TAGS or (element.tag, element.get("class")) == ("div", "scroll")
        for name, value in element.attrib.items():
            assert not name.startswith("on") and name != "style"
            if name == "href":
                assert re.match(r"(?:https?|mailto|tel):|nlf0001q\Z", value, re.IGNORECASE)
            if name == "src":
                assert value.lower().startswith("https:")
    shown = str(body.html).replace(guard.BRACE, "{")  # an escaped brace stays a letter until the mail is finished
    assert not re.search("[\x00\u202a-\u202e\u2066-\u2069\ue000-\ue0ff]", shown)
    again = etree.tostring(tree, method="html", encoding="unicode")
    assert html.fragment_fromstring(again).text_content() == tree.text_content()


@settings(max_examples=200, deadline=None)
@given(st.text(alphabet="> -*+1.)\n a", max_size=200))
def test_bounding_changes_no_letters(text):
    """What the guard hides comes back: the same non-blank characters in the same order."""
    shown = guard.show_specials(guard.bounded(text)).replace("&gt;", ">")
    assert re.sub(r"\s", "", shown) == re.sub(r"\s", "", text)


def test_long_bodies_are_set_in_pieces_without_losing_one():
    text = "\n\n".join(f"p{n}" for n in range(2 * guard.CHUNK + 10))
    assert set_body(text).count("<p>") == 2 * guard.CHUNK + 10
    pieces = list(guard.chunks("\n\n".join(["- a", "    b"] * guard.CHUNK)))
    assert max(piece.count("\n\n") + 1 for piece in pieces) <= guard.CHUNK + 1
