"""Style sheets, style attributes and what a story costs, as Gmail and Outlook take them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from newsletter.checks import examples as eg
from newsletter.checks.context import CheckContext
from newsletter.checks.folding import told_once
from newsletter.checks.page import cut, visible_words
from newsletter.checks.registry import Example, Problem, check
from newsletter.checks.sheets import Declared, inline, same_property
from newsletter.checks.sizes import FULL_TEXT_SHARE, STORY_BUDGET, kilobytes
from newsletter.clients.gmail import CLIP
from newsletter.models import Severity

STYLE_LIMIT = 16 * 1024

_SPACED_COLOUR = re.compile(r"\b(?:rgb|hsl)a?\(\s*[\d.]+(?:%|deg)?\s+[\d.]", re.IGNORECASE)
_SIX_DIGITS = re.compile(r"#[0-9a-f]{6}|[a-z]+", re.IGNORECASE)
_IMPORTANT = re.compile(r"!\s*important", re.IGNORECASE)
_IN_CLIENT = "Put it right in the theme's client.css."
_IN_STYLE = "Put it right in the theme's style.css or template."

_KINDS = {
    "the resets for Gmail, Apple and Samsung": re.compile(r"\.im(?![\w-])|x-apple-data-detectors|#MessageViewBody"),
    "what telephones get": re.compile(r"@media[^{]*max-width"),
    "what dark screens get": re.compile(r"@media[^{]*prefers-color-scheme:\s*dark"),
    "what Outlook's dark mode gets": re.compile(r"\[data-ogs[cb]\]"),
}
"""The parts of a mail's kept styles, each known by a sign."""
_RESETS = {
    "Gmail (.im)": re.compile(r"\.im(?![\w-])"),
    "Apple Mail (a[x-apple-data-detectors])": re.compile(r"\[x-apple-data-detectors\]"),
    "Samsung Mail (#MessageViewBody)": re.compile(r"#MessageViewBody"),
}


def _kept(context: CheckContext) -> Iterator[str]:
    return (element.node.text or "" for element in context.page.every("style"))


@check(
    id="style-too-large",
    severity=Severity.ERROR,
    family="css",
    why="Gmail drops a style block that makes its styles exceed 16 KB, and with it the phone and dark views.",
    source="Gmail; measured by the community at 16,384 characters",
    failing=Example("a `<style>` of 17 KB", eg.html(".lead {", "/*" + "x" * 17_000 + "*/ .lead {")),
    passing=Example("a `<style>` of 3 KB", eg.as_it_is),
)
def style_too_large(context: CheckContext) -> Iterator[Problem]:
    """Kept style sheets over Gmail's limit."""
    size = sum(map(len, _kept(context)))
    if size > STYLE_LIMIT:
        yield Problem(
            f"The style sheets in the head have {size:,} characters; Gmail drops them past {STYLE_LIMIT:,}.",
            "Move rules that can be inlined from client.css to style.css.",
        )


@check(
    id="style-nested-at",
    severity=Severity.ERROR,
    family="css",
    why="Gmail drops a whole style block for one @-rule inside another, and with it everything else in the block.",
    source="github.com/hteumeuleu/caniemail, issue 144",
    failing=Example(
        "`@media` in `@supports`", eg.html(".lead {", "@supports (a:b){@media print{p{color:red}}} .lead {")
    ),
    passing=Example("both conditions in one `@media`", eg.as_it_is),
)
def style_nested_at(context: CheckContext) -> Iterator[Problem]:
    """An @-rule inside an @-rule."""
    for sheet in context.page.styles:
        for rule in dict.fromkeys(sheet.nested):
            yield Problem(f"“{cut(rule)}” stands inside another @-rule.", "Write the two conditions into one @media.")


@check(
    id="style-blocks-together",
    severity=Severity.WARNING,
    family="css",
    why="Gmail and others drop a whole style block for one thing they dislike. What telephones, dark screens and "
    "Outlook get are apart, so that one lost block costs one view.",
    source="github.com/hteumeuleu/email-bugs; Gmail drops blocks, not rules",
    failing=Example(
        "rules for telephones and for dark screens in one `<style>`",
        eg.html("</style>\n<style>\n@media (prefers", "\n@media (prefers"),
    ),
    passing=Example("`/* next block */` between them in client.css", eg.as_it_is),
)
def style_blocks_together(context: CheckContext) -> Iterator[Problem]:
    """Two parts of the kept styles in one block."""
    for css in _kept(context):
        together = [name for name, sign in _KINDS.items() if sign.search(css)]
        if len(together) > 1:
            yield Problem(
                f"One style block holds {' and '.join(together)}.",
                "Write a comment that starts with “next block” between them in client.css.",
            )


@check(
    id="style-part-missing",
    severity=Severity.WARNING,
    family="css",
    why="A mail needs styles of its own for telephones, for dark screens, for Outlook's dark mode, and against what "
    "Gmail, Apple and Samsung do to links and widths.",
    source="measured in Gmail, Apple Mail, Samsung Mail and Outlook.com",
    failing=Example(
        "no `@media (prefers-color-scheme: dark)`", eg.html("(prefers-color-scheme: dark)", "(min-width: 4000px)")
    ),
    passing=Example("the four blocks of the base theme's client.css", eg.as_it_is),
)
def style_part_missing(context: CheckContext) -> Iterator[Problem]:
    """One of the four parts of the kept styles is not there; the resets are asked for one by one."""
    everything = "\n".join(_kept(context))
    for name, sign in _KINDS.items():
        if not sign.search(everything):
            yield Problem(f"The kept styles lack {name}.", "Extend base/client.css, which has it.")
    missing = [name for name, sign in _RESETS.items() if not sign.search(everything)]
    if 0 < len(missing) < len(_RESETS):
        yield Problem(f"The kept styles lack the resets for {', '.join(missing)}.", "Extend base/client.css.")


@check(
    id="style-in-body",
    severity=Severity.WARNING,
    family="css",
    why="Gmail reads style sheets in the head alone.",
    source="caniemail.com, html-style",
    failing=Example("a `<style>` in a story", eg.html("<h2>", "<style>h2 { color: #1a1a1a }</style><h2>")),
    passing=Example("rules in client.css", eg.as_it_is),
)
def style_in_body(context: CheckContext) -> Iterator[Problem]:
    """A style element outside the head."""
    for element in context.page.every("style"):
        if next(element.node.iterancestors("body"), None) is not None:
            yield Problem("A <style> stands in the body of the mail.", "Move its rules to client.css.", element.article)


@check(
    id="inline-important",
    severity=Severity.WARNING,
    family="css",
    why="An inlined `!important` beats everything that telephones and dark screens are given.",
    source="CSS Cascading, 6.4.4; Outlook's Word engine ignores such a declaration",
    failing=Example('`style="color:#1a1a1a!important"`', eg.html("<h2>", '<h2 style="color:#1a1a1a!important">')),
    passing=Example("`!important` in client.css alone", eg.as_it_is),
)
@told_once
def inline_important(context: CheckContext) -> Iterator[Problem]:
    """``!important`` in a style attribute; told once for the frame and once for each story."""
    yield from _in_attributes(context, _IMPORTANT, "A style attribute says !important")


@check(
    id="style-comment-inline",
    severity=Severity.WARNING,
    family="css",
    why="Some clients, Mail.ru and Orange among them, give up a whole style attribute for a comment in it.",
    source="caniemail.com, css-comments",
    failing=Example('`style="/* red */ color:#9b1c1c"`', eg.html("<h2>", '<h2 style="/* red */ color:#9b1c1c">')),
    passing=Example("comments in style.css, which the inliner leaves there", eg.as_it_is),
)
@told_once
def style_comment_inline(context: CheckContext) -> Iterator[Problem]:
    """A CSS comment in a style attribute."""
    yield from _in_attributes(context, re.compile(r"/\*"), "A style attribute holds a comment")


def _in_attributes(context: CheckContext, sign: re.Pattern[str], what: str) -> Iterator[Problem]:
    told: set[str | None] = set()
    for element in context.page.elements:
        style = element.attributes.get("style", "")
        if element.article not in told and sign.search(style):
            told.add(element.article)
            yield Problem(f'{what}: <{element.tag} style="{cut(style)}">', _IN_STYLE, element.article, phrase=style)


@check(
    id="colour-spaced",
    severity=Severity.ERROR,
    family="css",
    why="Gmail drops the whole style attribute, or the whole style block, that has a colour written with blanks.",
    source="github.com/hteumeuleu/email-bugs, issue 160; caniemail.com, css-rgb",
    failing=Example('`style="color:rgb(26 26 26 / 1)"`', eg.html("<h2>", '<h2 style="color:rgb(26 26 26 / 1)">')),
    passing=Example("`#1a1a1a`", eg.html("<h2>", '<h2 style="color:#1a1a1a">')),
)
@told_once
def colour_spaced(context: CheckContext) -> Iterator[Problem]:
    """``rgb(0 0 0 / 1)``, ``hsl(0 0% 0%)`` and their like in attributes or kept styles."""
    fix = "Write the colour as six hex digits, such as #1A1A1A."
    yield from (
        Problem(problem.message, fix, problem.article, phrase=problem.phrase)
        for problem in _in_attributes(context, _SPACED_COLOUR, "A colour is written with blanks")
    )
    for css in _kept(context):
        if found := _SPACED_COLOUR.search(css):
            yield Problem(f"A colour in a style block is written with blanks: {css[found.start() :][:24]}…", fix)


@check(
    id="bgcolor-not-hex",
    severity=Severity.WARNING,
    family="css",
    why="`bgcolor` is read by the rules of 1997: rgb() comes out as another colour everywhere, and three digits come "
    "out black in Outlook for Windows.",
    source="HTML standard, 2.3.6, legacy colour values; Litmus, background colours in HTML email",
    failing=Example('`bgcolor="#FFF"`', eg.html('bgcolor="#FFFFFF"', 'bgcolor="#FFF"')),
    passing=Example('`bgcolor="#FFFFFF"`', eg.as_it_is),
)
@told_once
def bgcolor_not_hex(context: CheckContext) -> Iterator[Problem]:
    """A ``bgcolor`` that is neither six hex digits nor a name."""
    for element in context.page.elements:
        colour = element.attributes.get("bgcolor")
        if colour is not None and not _SIX_DIGITS.fullmatch(colour.strip()):
            yield Problem(
                f'<{element.tag} bgcolor="{cut(colour)}"> is read wrongly by Outlook for Windows.',
                "Write six hex digits, such as #FFFFFF.",
                element.article,
            )


@check(
    id="font-size-zero",
    severity=Severity.WARNING,
    family="css",
    why="Filters take words of no size for hidden spam, and some clients show them at their own smallest size.",
    source="SpamAssassin, HTML_FONT_TINY and its kin; browsers' minimum font size",
    failing=Example('`style="font-size:0"` around words', eg.html("<h2>", '<p style="font-size:0">ferry</p><h2>')),
    passing=Example("`display:none` for the preheader, `font-size:1px` for a spacer", eg.as_it_is),
)
@told_once
def font_size_zero(context: CheckContext) -> Iterator[Problem]:
    """An element of size 0 that is not switched off."""
    light = context.page.light
    told: set[str | None] = set()
    for element in context.page.shown:
        if light.size(element.node) == 0 and light.shown(element.node) and element.article not in told:
            told.add(element.article)
            words = cut(visible_words(element.text), 40)
            yield Problem(
                f"<{element.tag}> has the font size 0{f': “{words}”' if words else ''}.",
                "Put gaps between columns into cells of their own.",
                element.article,
            )


@check(
    id="media-override-weak",
    severity=Severity.ERROR,
    family="css",
    why="An inlined style beats a rule in the head: without `!important` a rule for telephones or dark screens does "
    "nothing at all.",
    source="CSS Cascading, 6.1: style attributes come after every selector",
    failing=Example(
        "`.lead { color: #F0F0F0 }` in a `@media` over an inlined colour",
        eg.both(
            eg.html("<h2>", '<h2 class="lead" style="color:#1a1a1a">'),
            eg.html("@media (max-width: 480px) {", "@media (max-width: 480px) { .lead { color: #333333 }"),
        ),
    ),
    passing=Example("`.lead { color: #F0F0F0 !important }`", eg.as_it_is),
)
def media_override_weak(context: CheckContext) -> Iterator[Problem]:
    """A declaration in an @-rule, or for Outlook's dark mode, that loses to the style attribute of what it matches."""
    seen: set[Declared] = set()
    for sheet in context.page.styles:
        for one in sheet.declared:
            conditional = one.under or "[data-ogs" in one.selector
            if conditional and not one.important and one not in seen:
                seen.add(one)
                if beaten := _beaten_on(context, one):
                    yield Problem(
                        f"“{cut(one.selector)} {{ {one.name}: {cut(one.value, 30)} }}” in the head loses to the "
                        f"inlined {beaten}.",
                        "Add !important to it in client.css.",
                    )


def _beaten_on(context: CheckContext, one: Declared) -> str | None:
    """The first element with a style attribute that beats a declaration, as ``color of <h2>``."""
    from lxml.cssselect import CSSSelector, ExpressionError, SelectorError

    # Outlook puts the attribute on whatever it has repainted: here it stands for "somewhere around it".
    selector = re.sub(r"\[data-ogs[cb]\]\s*", "", one.selector)
    try:
        matching: Any = CSSSelector(selector)(context.page.root) if context.page.root is not None else ()
    except (SelectorError, ExpressionError):  # :hover and the like match nothing in a mail that stands still
        return None
    for node in matching:
        for name in inline(node.get("style", "")):
            if same_property(name, one.name):
                return f"{name} of <{node.tag}>"
    return None


@check(
    id="story-heavy",
    severity=Severity.WARNING,
    family="css",
    why=f"Gmail shows {CLIP // 1024} KB. A teaser that costs more than {kilobytes(STORY_BUDGET)} KB, or a full text "
    "over a third of what there is, takes the room of the stories after it.",
    source="measured: in the built-in themes a teaser with its picture costs 0.5 to 2.7 KB after inlining",
    failing=Example("a teaser of 6 KB", eg.html("<p>Volunteers", "<p>" + "word " * 1_200 + "Volunteers")),
    passing=Example("a teaser of 1.4 KB", eg.as_it_is),
)
def story_heavy(context: CheckContext) -> Iterator[Problem]:
    """A story that costs more bytes than its layout should."""
    sizes = context.email.sizes
    for section, article in context.placed():
        size = sizes.get(article.slug, 0)
        budget = CLIP * FULL_TEXT_SHARE if section.layout == "text" else STORY_BUDGET
        if size > budget:
            fix = (
                "Set it in another layout, with a link to the full text."
                if section.layout == "text"
                else "Shorten its standfirst or teaser."
            )
            yield Problem(
                f"The story costs {kilobytes(size)} KB of HTML, more than the {kilobytes(budget)} KB of its layout.",
                fix,
                article.slug,
            )
