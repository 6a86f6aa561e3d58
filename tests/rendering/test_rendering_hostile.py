"""Any text in any field, however hostile, is a safe and valid mail, or refused with its place and a cure."""

from __future__ import annotations

import datetime
import shutil
from collections.abc import Iterator
from email import message_from_bytes, policy
from functools import lru_cache
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from lxml import etree
from playwright.sync_api import Browser

from newsletter.delivery.approval import MessageFacts, outgoing_from_email
from newsletter.errors import BadData
from newsletter.message.compile import compile_message
from newsletter.message.outgoing import Addressed
from newsletter.models import Article, Email, Issue, Picture, Section
from newsletter.rendering import guard
from newsletter.rendering.bodies import body_of
from newsletter.rendering.nesting import MAX_NESTED
from newsletter.rendering.plaintext import plain_text
from tests.rendering.conftest import THEMES, Desk
from tests.rendering.hostile import HOSTILE, LINES, REFUSED, TEXTS, assert_balanced, assert_whole, unsubscribing, way_to

FUZZ = settings(
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture, HealthCheck.data_too_large],
)
STORIES = ["lead", "full", "list", "grid", "advert"]
FACTS = MessageFacts(
    "The Paper", "post@paper.example", "The Paper <the-paper.paper.example>", None, "https://paper.example"
)


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Desk:
    root = tmp_path_factory.mktemp("hostile")
    shutil.copytree(THEMES, root / "templates")
    desk = Desk(root)
    desk.picture()
    return desk


def an_issue(root: Path, fields: dict[str, str], theme: str = "weekly") -> Issue:
    """An issue of five layouts with ``fields`` wherever an author writes: every story has all of them."""

    def story(slug: str) -> Article:
        picture = Picture(file="a.jpg", alt=fields["alt"], caption=fields["caption"], credit=fields["credit"])
        names = ("kicker", "standfirst", "teaser", "byline", "agency", "link", "link_text", "sponsor", "lang")
        return Article(
            slug=slug,
            headline=fields["headline"] or "x",
            body=fields["body"],
            image=picture,
            path=root / "issues" / "x" / f"{slug}.md",
            **{name: fields[name] or None for name in names},
        )

    return Issue(
        slug="2026-11-27",
        date=datetime.date(2026, 11, 27),
        subject=fields["subject"] or "x",
        preheader=fields["preheader"],
        correction=fields["correction"],
        number=fields["number"],
        intro=fields["intro"],
        path=root / "issues" / "x",
        theme=theme,
        sections=tuple(
            Section(layout, (story(slug),), title=fields["title"])
            for layout, slug in zip(("lead", "text", "list", "grid", "sponsor"), STORIES, strict=True)
        ),
    )


BODIES = ("body", "intro", "correction")
ONE_LINE = (
    "headline", "kicker", "standfirst", "teaser", "byline", "agency", "link", "link_text", "sponsor", "lang", "alt",
    "caption", "credit", "subject", "preheader", "number", "title",
)  # fmt: skip
PLAIN = dict.fromkeys((*BODIES, *ONE_LINE), "Harbour words") | {"link": "https://paper.example/1", "lang": ""}
FIELDS = st.fixed_dictionaries(dict.fromkeys(BODIES, TEXTS) | dict.fromkeys(ONE_LINE, LINES))


@lru_cache
def usual_way(root: Path, theme: str) -> list[tuple[str, str]]:
    """The elements around the footer's link in a harmless issue."""
    return way_to(unsubscribing(Desk(root).render(an_issue(root, PLAIN), theme)))


def mailed(made: Email) -> None:
    """It can be compiled and read again as a mail of two parts with the very same words."""
    outgoing = outgoing_from_email(
        made, FACTS, mailing="0" * 32, date=datetime.datetime(2026, 11, 27, tzinfo=datetime.UTC)
    )
    wire = compile_message(outgoing).splice(Addressed("0" * 32, "reader@post.example", {}, ()))
    assert max(map(len, wire.split(b"\r\n"))) <= 998 and b"\0" not in wire
    message = message_from_bytes(wire, policy=policy.SMTP)
    assert not message.defects
    text, html = (message.get_body((kind,)) for kind in ("plain", "html"))
    assert text is not None and html is not None and not text.defects and not html.defects
    assert "</html>" in html.get_content() and text.get_content().strip()


@settings(FUZZ, max_examples=120)
@given(FIELDS, st.sampled_from(["weekly", "digest", "letter", "bulletin"]))
@example(PLAIN, "weekly")
def test_every_field_is_hostile_and_the_mail_is_ours(house: Desk, fields: dict[str, str], theme: str) -> None:
    """Rendered through a real theme: one balanced document, every story in it, the footer where it always is."""
    try:
        email = house.render(an_issue(house.root, fields), theme)
    except BadData as refused:
        assert refused.where and refused.where.startswith("issues/x/") and refused.fix
        return
    assert_whole(email, STORIES)
    assert way_to(unsubscribing(email)) == usual_way(house.root, theme)
    mailed(email)


@pytest.mark.parametrize("fragment", HOSTILE, ids=lambda one: repr(one)[:40])
def test_each_fragment_alone_in_every_field(house: Desk, fragment: str) -> None:
    """What the fuzzing mixes is also tried by itself, first thing in a text and in the middle of a line."""
    for text in (fragment, f"before {fragment} after\n\n{fragment}\n\nafter **that**"):
        fields = {name: text if name in BODIES else " ".join(text.split()) for name in PLAIN}
        try:
            email = house.render(an_issue(house.root, fields), "weekly")
        except BadData as refused:
            assert refused.where and refused.fix
            continue
        assert_whole(email, STORIES)


@pytest.mark.parametrize("fragment", REFUSED)
@pytest.mark.parametrize("name", BODIES)
def test_what_is_no_text_is_refused_wherever_it_stands(house: Desk, fragment: str, name: str) -> None:
    """Template syntax, broken fields and our own tokens: file, line and cure, never a mail."""
    with pytest.raises(BadData) as refused:
        house.render(an_issue(house.root, PLAIN | {name: f"words {fragment}\n\nmore"}))
    assert refused.value.where and refused.value.where.startswith("issues/x/") and refused.value.fix


@settings(FUZZ, max_examples=300)
@given(TEXTS)
def test_a_body_reads_the_same_when_it_is_read_again(text: str) -> None:
    """Its HTML is a tree that a parser builds anew without moving anything, no deeper than it may be."""
    try:
        body = body_of(guard.clean(text))
    except BadData:
        return
    if body is None:
        return
    assert_balanced(str(body.html))
    again = etree.fromstring(f"<html><body>{body.html}</body></html>", etree.HTMLParser(huge_tree=True))
    # Not the addresses themselves: serialising percent-encodes the blanks in them.
    found = [(one.tag, sorted(one.attrib), one.get("class")) for one in again.find("body").iterdescendants()]
    assert found == [(one.tag, sorted(one.attrib), one.get("class")) for one in body.tree.iterdescendants()]
    assert max((len(list(one.iterancestors())) for one in body.tree.iter()), default=0) <= MAX_NESTED + 6
    assert "\x0b" not in plain_text(body.tree)


@pytest.mark.chromium
def test_a_browser_builds_the_same_tree(house: Desk, browser: Browser) -> None:
    """Chromium reads each hostile mail as the tree that was written: nothing is moved, closed early or swallowed."""
    page = browser.new_page(java_script_enabled=True, offline=True)
    for fragment in HOSTILE:
        for email in _renders(house, fragment):
            page.set_content(email.html)
            seen = page.evaluate("[...document.querySelectorAll('*')].map(e => e.localName)")
            tree = etree.fromstring(email.html, etree.HTMLParser(huge_tree=True))
            written = [one.tag for one in tree.iter("*")]
            assert [one for one in seen if one != "tbody"] == [one for one in written if one != "tbody"], fragment
    page.close()


def _renders(house: Desk, fragment: str) -> Iterator[Email]:
    body = f"> {fragment}\n> — Ada\n\n- {fragment}\n\n|a|b|\n|-|-|\n|{fragment}|x|\n\n**{fragment}** [{fragment}](https://x.example)"
    fields = PLAIN | {"body": body, "intro": fragment, "headline": " ".join(f"x {fragment}".split())}
    try:
        yield house.render(an_issue(house.root, fields))
    except BadData:
        return


@pytest.mark.parametrize("depth", [400, 10_000])
@pytest.mark.parametrize(
    "mark",
    [
        *("> ", "- ", "1. ", "<blockquote>", "<b>", "<i lang=ur>", "<ul><li>", "<table><tr><td>", "<q>"),
        *("**a *b ", "[", "![", "`", "(", "<div>"),
    ],
)
def test_however_deep_the_words_are_still_there(house: Desk, mark: str, depth: int) -> None:
    """Ten thousand of anything inside each other: the last word is in HTML and in text, and no recursion ends it."""
    email = house.render(
        an_issue(house.root, PLAIN | {"body": f"{mark * depth}innermost\n\nlast", "correction": mark * depth})
    )
    assert_whole(email, STORIES)
    full = email.html_of("full")
    assert "innermost" in full and "last" in full and "innermost" in email.text


def test_what_one_story_leaves_open_ends_with_its_paragraph(house: Desk) -> None:
    """An unclosed tag does not run on: not into the next paragraph, not into the next story, not into the footer."""
    for name in ("b", "i", "a href=https://x.example", "code", "small", "u", "s", "em", "strong", "font color=red"):
        body = body_of(f"one <{name}>two\n\nthree\n\n- four")
        assert body is not None
        html = str(body.html)
        assert html.index("</p>") < html.index("three") and "<p>three</p>" in html and "<li>four</li>" in html


def test_open_tags_do_not_multiply(house: Desk) -> None:
    """Hundreds of open formatting elements and thousands of paragraphs: browsers would make two million elements."""
    opened = "\n\n".join(
        "".join(f"<i lang=a{n}>" for n in range(start, start + 120)) + "x" for start in (100, 300, 500)
    )
    body = body_of(opened + "\n\ny" * 3_000)
    assert body is not None
    assert len(body.html) < 10 * (len(opened) + 3 * 3_000) and len(body.tree.findall(".//p")) == 3_003


def test_definitions_do_not_multiply() -> None:
    """One long address named by thousands of words is letters; a list of references stays one."""
    long = f"[a]: https://x.example/{'y' * 50_000}\n\n" + "[a]\n\n" * 5_000
    body = body_of(long)
    assert body is not None and len(body.html) < 3 * len(long) and ">a</a>" not in body.html
    plain = (
        "".join(f"[{n}]: https://x.example/{n}\n" for n in range(90)) + "\n" + ", ".join(f"[{n}]" for n in range(90))
    )
    body = body_of(plain)
    assert body is not None and body.html.count("<a ") == 90


def test_tables_do_not_multiply() -> None:
    """A hundred columns of heading over short rows, again and again, are lines with bars after the body's share."""
    table = "|a" * 100 + "|\n" + "|-" * 100 + "|\n" + "|\n" * 60 + "\n"
    body = body_of(table * 40)
    assert body is not None and 0 < body.html.count("<td") <= guard.MAX_CELLS and len(body.html) < 40 * 60 * 400


def test_what_is_too_large_as_html_is_refused_with_file_and_line(house: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    """The last line of defence says which story and where its text starts."""
    monkeypatch.setattr("newsletter.rendering.bodies.MAX_HTML", 2_000)
    path = house.root / "issues" / "x" / "full.md"
    path.parent.mkdir(parents=True, exist_ok=True)
    text = "word\n\n" * 500
    path.write_text(f"---\nheadline: x\n---\n{text}", encoding="utf-8")
    with pytest.raises(BadData, match="characters of HTML; at most 2,000") as caught:
        house.render(an_issue(house.root, PLAIN | {"body": text}))
    assert caught.value.where == "issues/x/full.md:4" and caught.value.fix
    path.unlink()


def test_a_recursion_that_nobody_thought_of_is_refused_with_file_and_line(
    house: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    """RecursionError never leaves the rendering."""

    def deep(text: str) -> Any:
        return deep(text)

    monkeypatch.setattr("newsletter.rendering.bodies._markdown", deep)
    with pytest.raises(BadData, match="inside each other") as caught:
        house.render(an_issue(house.root, PLAIN | {"intro": "", "correction": "", "body": "never set before"}))
    assert caught.value.where == "issues/x/full.md:1" and caught.value.fix


TAGS = (
    "b",
    "i",
    "div",
    "span",
    "script",
    "style",
    "table",
    "td",
    "form",
    "section",
    "u",
    "p",
    "h2",
    "ul",
    "li",
    "font",
)


@settings(FUZZ, max_examples=100)
@given(st.lists(st.sampled_from(TAGS), max_size=12), st.randoms(use_true_random=False))
def test_no_tag_is_left_in_the_text_part(names: list[str], chance: Any) -> None:
    """Whole tags in any order, opened and closed at will, leave nothing of themselves in text, not even a bracket."""
    pieces = [f"<{name} x='y'>" for name in names] + [f"</{name}>" for name in names] + ["words", " ", "\n\n"] * 3
    chance.shuffle(pieces)
    body = body_of("".join(pieces))
    assert body is None or not set(plain_text(body.tree)) & set("<>")


@pytest.mark.parametrize("control", ["\u202e", "\u202b", "\u2067", "\u2066", "&#x202e;", "&#8238;", "&#x2067;"])
def test_no_control_of_direction_leaves_its_line(house: Desk, control: str) -> None:
    """An override that is never ended would turn the rest of the mail around: it is not in it at all."""
    fields = PLAIN | dict.fromkeys(("body", "intro", "correction"), f"a {control}b")
    if not control.startswith("&"):
        fields |= dict.fromkeys(("headline", "standfirst", "alt", "subject", "preheader", "title"), f"a {control}b")
    email = house.render(an_issue(house.root, fields))
    assert_whole(email, STORIES)
    assert not set(email.html + email.text + email.subject) & set(
        "\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069"
    )
    assert "&#8238;" not in email.html and "&#8295;" not in email.html
