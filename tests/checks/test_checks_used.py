"""Which features a mail uses, and how the table of them stands to the facts."""

from __future__ import annotations

import re

import pytest

from newsletter.checks import examples as eg
from newsletter.checks import features as table
from newsletter.checks.features import Loss
from newsletter.checks.used_styles import Use
from newsletter.clients import facts

KNOWN = set(facts.features())


def used(html: str, style: str = "") -> tuple[Use, ...]:
    """The uses of the example page with some HTML in its first story and a kept style sheet."""
    change = eg.both(
        eg.html("<p>After eight months", f"{html}<p>After eight months"), eg.html(".lead {", style + ".lead {")
    )
    return change(eg.example()).uses


def losses(html: str, style: str = "") -> dict[str, Loss]:
    """What is lost with each feature that nothing stands in for; of several uses the worst."""
    found: dict[str, Loss] = {}
    for use in used(html, style):
        if use.loss is not Loss.FINE and not use.cured:
            found[use.feature] = max(found.get(use.feature, use.loss), use.loss, key=lambda loss: loss.value)
    return found


def test_the_table_names_only_features_of_which_there_are_facts() -> None:
    """And nearly all of them: what is left out is said in its docstring."""
    assert table.mapped() <= KNOWN
    assert KNOWN - table.mapped() == {"amp", "bimi", "image-hdr", "image-mp4"}
    assert len(table.mapped()) > 300
    for names in (table.LOSSES, table.WITH, table.SEEN, *table.WITH.values()):
        assert set(names) <= table.mapped()


@pytest.mark.parametrize("feature", [f for f, loss in table.LOSSES.items()])
def test_what_counts_as_a_loss_is_lost_by_somebody(feature: str) -> None:
    """A row for what every client does would never find anything."""
    assert any(support.level == "n" for support in facts.support(feature).values())


LIMITS = [
    '<p style="display:contents">', '<p style="display:flow-root">', '<p style="position:absolute">',
    '<p style="position:fixed">', '<p style="position:sticky">', '<p style="white-space:pre">',
    '<p style="text-align:end">', '<p style="text-transform:lowercase">', '<p style="text-decoration:overline">',
    '<p style="list-style:url(x.png)">', '<p style="margin-top:-4px">', '<p style="text-indent:-1em">',
    '<p style="border-left:12px solid #000000">', "<ol reversed><li>x</ol>", '<ol><li value="4">x</ol>',
    '<a href="mailto:a@e.org?bcc=b@e.org">', '<img style="display:none" src="cid:ferry">',
    '<div style="display:none"><table><tr><td>x</table></div>',
]  # fmt: skip


@pytest.mark.parametrize("html", LIMITS)
def test_the_end_of_partial_support_is_one_that_the_tests_name(html: str) -> None:
    """A pattern that no note matches would never find anything."""
    (use,) = [use for use in used(html) if use.limit]
    partial = [support for support in facts.support(use.feature).values() if support.level == "a"]
    assert any(re.search(use.limit or "", note) for support in partial for note in support.notes)


FEATURES = [
    ('<p style="accent-color:red;-webkit-hyphens:auto">', {"css-accent-color", "css-hyphens"}),
    (
        '<p style="width:calc(1rem + 2vw);color:rgb(1,2,3)">',
        {"css-unit-calc", "css-unit-rem", "css-unit-vw", "css-rgb"},
    ),
    ('<p style="font-family:system-ui;width:50%!important">', {"css-sytem-ui", "css-unit-percent", "css-important"}),
    ('<p style="background:linear-gradient(oklch(1 2 3),var(--x))">', {"css-linear-gradient", "css-modern-color"}),
    ('<p style="display:inline-grid/* x */">', {"css-display", "css-display-grid", "css-comments"}),
    ('<nav aria-label="x" dir="ltr">', {"html-semantics", "html-aria-label", "html-dir"}),
    ('<img usemap="#m" srcset="a 2x" loading="lazy" alt="x">', {"html-image-maps", "html-srcset", "html-img"}),
    ('<a href="#top" target="_blank">', {"html-anchor-links", "html-target"}),
    ('<input type="email"><button type="reset">', {"html-input-text", "html-button-reset"}),
    ('<img src="data:image/png;base64,AAAA" alt="x">', {"image-base64"}),
    (
        '<img src="https://e.org/a.JPG?x=1" alt="x"><img src="https://e.org/b.heic" alt="x">',
        {"image-jpg", "image-heif"},
    ),
    ("<h4>x</h4><dl></dl><!-- x -->", {"html-h1-h6", "html-lists", "html-comments"}),
]


@pytest.mark.parametrize(("html", "features"), FEATURES)
def test_features_in_the_page_are_found(html: str, features: set[str]) -> None:
    """In styles, at any depth of their values, in elements, attributes and addresses."""
    assert features <= {use.feature for use in used(html)}


SHEETS = [
    ("@media (orientation:portrait) and (-webkit-min-device-pixel-ratio:2) { a { gap: 1px } }",
     {"css-at-media", "css-at-media-orientation", "css-at-media-device-pixel-ratio", "css-gap"}),
    ("@supports (display:grid) { a { display: grid } } @font-face { font-family: x } @-webkit-keyframes y {}",
     {"css-at-supports", "css-display-grid", "css-at-font-face", "css-at-keyframes"}),
    ("#a.b > td[align] + p:hover, * ~ i::before { color: red }",
     {"css-selector-id", "css-selector-class", "css-selector-chaining", "css-selector-child", "css-selector-attribute",
      "css-selector-adjacent-sibling", "css-pseudo-class-hover", "css-selector-grouping", "css-selector-universal",
      "css-selector-general-sibling", "css-pseudo-element-before", "css-selector-type"}),
    (".a .b { & .c { color: red } }", {"css-nesting", "css-selector-descendant"}),
]  # fmt: skip


@pytest.mark.parametrize(("sheet", "features"), SHEETS)
def test_features_in_a_kept_style_sheet_are_found(sheet: str, features: set[str]) -> None:
    """In at-rules, media features, selectors and declarations."""
    assert features <= {use.feature for use in used("", sheet)}


LOST = [
    ('<p style="position:absolute">', {"css-position": Loss.LOST}),
    ('<p style="display:inline-flex">', {"css-display-flex": Loss.LAYOUT}),
    ('<p style="color:var(--x)">', {"css-variables": Loss.VALUE}),
    ('<p style="background:radial-gradient(red,blue)">', {"css-radial-gradient": Loss.GRADIENT}),
    ('<p style="background:#ffffff linear-gradient(red,blue)">', {"css-linear-gradient": Loss.GRADIENT}),
    ('<p style="background:transparent url(x.png)">', {"css-background-image": Loss.LOST}),
    ('<p style="background:url(x.png)">', {"css-background-image": Loss.LOST}),
    ('<p style="border-radius:3px">', {"css-border-radius": Loss.LOOK}),
    ('<p style="color:rgba(0,0,0,.5)">', {"css-rgba": Loss.LOST}),
    ('<p style="max-height:0;overflow:hidden">', {"css-max-height": Loss.LOOK, "css-overflow": Loss.LOST}),
    ('<p style="color:oklch(1 2 3)">', {"css-modern-color": Loss.BREAKS}),
    ('<div style="display:none"><table><tr><td>x</table></div>', {"css-display-none": Loss.LOST}),
    ("<p hidden>", {"html-hidden": Loss.LOST}),
    ("<ruby>x<rt>y</rt></ruby>", {"html-ruby": Loss.LOST}),
    ('<img src="https://e.org/a.svg" alt="x">', {"image-svg": Loss.LOST}),
]


@pytest.mark.parametrize(("html", "lost"), LOST)
def test_what_nothing_stands_in_for_is_lost(html: str, lost: dict[str, Loss]) -> None:
    """By how much it matters to the reader."""
    assert losses(html) == lost


STANDS_IN = [
    ("a plain value before it", '<p style="width:95%;width:calc(100% - 2rem)">'),
    ("the shorthand before it", '<p style="background:#ffffff;background-color:rgba(0,0,0,.5)">'),
    ("the physical property before it", '<p style="margin:0 4px;margin-inline:4px">'),
    ("the physical side before it", '<p style="padding-left:4px;padding-inline-start:4px">'),
    ("a colour beside the gradient", '<p style="background-image:linear-gradient(red,blue);background-color:red">'),
    ("bgcolor", '<td bgcolor="#ff0000" style="background:linear-gradient(red,blue)">'),
    ("align", '<img src="cid:ferry" alt="x" align="left" style="float:left">'),
    ("the width attribute", '<img src="cid:ferry" alt="x" width="90" style="width:6rem">'),
    ("pre", '<pre style="white-space:pre-wrap">x</pre>'),
    ("rp", "<ruby>x<rp>(</rp><rt>y</rt><rp>)</rp></ruby>"),
    ("mso-hide", '<div style="display:none;max-height:0;overflow:hidden;mso-hide:all"><table></table></div>'),
    ("nothing to cut off", '<td style="overflow:hidden">x</td>'),
    ("relative alone moves nothing", '<p style="position:relative">'),
    ("a variable that is only declared", '<p style="--x:calc(1rem + 2px)">'),
    ("a refinement of type", '<p style="text-wrap:balance;hyphens:auto;font-kerning:normal">'),
]


@pytest.mark.parametrize("html", [html for _, html in STANDS_IN], ids=[why for why, _ in STANDS_IN])
def test_what_something_stands_in_for_is_not_lost(html: str) -> None:
    """The page says the same in a way that every client reads, or there is nothing to lose."""
    assert losses(f"<table><tr>{html}</table>" if html.startswith("<td") else html) == {}


def test_a_value_that_comes_after_is_no_fallback() -> None:
    """The last declaration that a client knows wins: a plain one at the end is the value for all."""
    assert losses('<p style="width:calc(1px + 1px);width:95%">') == {"css-unit-calc": Loss.VALUE}
    assert losses('<p style="width:2rem;width:calc(1px + 1px)">').keys() == {"css-unit-rem", "css-unit-calc"}


def test_a_picture_on_a_coloured_ground_is_decoration() -> None:
    """The words over it can still be read."""
    assert losses('<p style="background:#ffffff url(x.png)">') == {"css-background-image": Loss.LOOK}
    assert losses('<table><tr><td bgcolor="#ffffff" style="background-image:url(x.png)">x</table>') == {
        "css-background-image": Loss.LOOK
    }


def test_of_a_decoration_only_its_own_loss_counts() -> None:
    """A shadow with a see-through colour is one shadow less, and no colour less."""
    assert losses('<p style="box-shadow:0 0 1rem rgba(0,0,0,.5)">') == {"css-box-shadow": Loss.LOOK}
    assert losses('<p style="border:1px solid rgba(0,0,0,.5)">') == {"css-rgba": Loss.LOOK}
    assert losses('<p style="border-radius:12px">') == {"css-border-radius": Loss.LOOK}


def test_a_kept_style_sheet_loses_at_most_decoration() -> None:
    """What is inlined stays; a media query only chooses; but nested rules hit the wrong element."""
    flex = ".lead { display: flex; position: absolute; width: calc(1px + 1px); color: oklch(1 2 3) }"
    assert set(losses("", flex).values()) == {Loss.LOOK}
    assert losses("", f"@media (max-width: 480px) {{ {flex} }}") == {}
    assert losses("", f"@supports (display: flex) {{ {flex} }}") == {}
    assert losses("", ".a { .b { color: red } }")["css-nesting"] is Loss.BREAKS


FLEX = '<div style="display:flex">x</div>'
GHOSTS = [
    ("before it", f"<!--[if mso]><table><tr><td><![endif]-->{FLEX}<!--[if mso]></td></tr></table><![endif]-->", True),
    ("inside it", '<div style="display:flex"><!--[if mso | IE]><table><tr><td><![endif]--><p>x</p></div>', True),
    ("hidden from Word", '<!--[if !mso]><!--><div style="display:flex">x</div><!--<![endif]-->', True),
    ("VML", '<div style="display:flex"><!--[if gte mso 9]><v:rect fill="true"><v:textbox><![endif]-->x</div>', True),
    ("closed before it", '<!--[if mso]></td></tr></table><![endif]--><div style="display:flex">x</div>', False),
    ("words between", '<!--[if mso]><table><tr><td><![endif]-->and <div style="display:flex">x</div>', False),
    ("after what is hidden from Word", f"<!--[if !mso]><!--><p>x</p><!--<![endif]-->{FLEX}", False),
    ("for another program", '<!--[if IE]><table><tr><td><![endif]--><div style="display:flex">x</div>', False),
]  # fmt: skip


@pytest.mark.parametrize(("html", "spared"), [(h, s) for _, h, s in GHOSTS], ids=[why for why, *_ in GHOSTS])
def test_conditional_comments_take_care_of_outlook_for_windows(html: str, spared: bool) -> None:
    """And of no other client."""
    (use,) = [use for use in used(html) if use.feature == "css-display-flex"]
    assert use.spared == ({"outlook-windows"} if spared else set())


def test_pictures_that_travel_along_are_left_to_picture_format() -> None:
    """One finding for one picture."""
    assert {use.loss for use in eg.example().uses if use.feature == "image-jpg"} == {Loss.FINE}
    inside = eg.both(eg.html('src="cid:ferry"', 'src="https://e.org/media/a.webp"'))(eg.example())
    assert {use.loss for use in inside.uses if use.feature == "image-webp"} == {Loss.LOST}


def test_a_use_knows_its_story_and_an_empty_page_has_none() -> None:
    """In the order of the page."""
    assert [u.article for u in used('<p style="float:left">') if u.feature == "css-float"] == ["the-ferry-is-back"]
    assert eg.email(html="", spans=())(eg.example()).uses == ()
