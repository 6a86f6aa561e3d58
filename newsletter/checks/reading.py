"""How words are set: large enough, in a shape that can be read, and links that everybody sees."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from newsletter.checks import examples as eg
from newsletter.checks.authored import field_of
from newsletter.checks.context import CheckContext
from newsletter.checks.folding import told_once
from newsletter.checks.page import cut, visible_words
from newsletter.checks.registry import Example, Problem, check
from newsletter.checks.sheets import pixels
from newsletter.models import Severity

SMALLEST = 14
"""CSS pixels: nothing in a mail is set smaller."""

_LETTERS = re.compile(r"[^\W\d_]+")
_BLOCKS = ("p", "li", "td", "th", "div", "blockquote", "h1", "h2", "h3", "h4", "h5", "h6", "body")


@check(
    id="link-colour-only",
    severity=Severity.WARNING,
    family="reading",
    why="One man in twelve does not see red as others do: a link among words that only has another colour is no link "
    "to him.",
    source="WCAG 2.2, 1.4.1, failure F73",
    failing=Example(
        "`text-decoration:none` on a link in a sentence",
        eg.html(
            'style="color:#9B1C1C">Read on about the library</a>', 'style="text-decoration:none">Read on</a> inside.'
        ),
    ),
    passing=Example("an underlined link, or one that stands alone", eg.as_it_is),
)
@told_once
def link_colour_only(context: CheckContext) -> Iterator[Problem]:
    """A link with words beside it that is neither underlined nor bold nor boxed; told once for each story."""
    light = context.page.light
    told: set[str | None] = set()
    known: dict[Any, bool] = {}
    for link in context.page.shown:
        if link.tag != "a" or "href" not in link.attributes or link.article in told:
            continue
        words = visible_words(link.text)
        if not _LETTERS.search(words) or not _among_words(link.node, known):
            continue
        style = light.style(link.node)
        underlined = any(
            "underline" in _decoration(light.style(node)) for node in link.node.iterdescendants("u", "span")
        )
        plain_link = "none" in _decoration(style) and not underlined and next(link.node.iter("u"), None) is None
        boxed = any(name in style for name in ("border", "border-bottom", "background-color"))
        parent = link.node.getparent()
        bold = parent is not None and light.weight(link.node) > light.weight(parent)
        if plain_link and not boxed and not bold:
            told.add(link.article)
            yield Problem(
                f"The link “{cut(words, 40)}” differs from the words beside it by its colour alone.",
                "Underline it: take text-decoration: none out of the theme's style.css.",
                link.article,
            )


def _decoration(style: Mapping[str, str]) -> str:
    return f"{style.get('text-decoration', '')} {style.get('text-decoration-line', '')}".lower()


def _among_words(link: Any, known: dict[Any, bool]) -> bool:
    """Whether the block that a link stands in has words outside its links; ``known`` remembers blocks."""
    block = next(above for above in link.iterancestors() if above.tag in _BLOCKS)
    if block not in known:
        links = {node for above in block.iter("a") for node in above.iter()}
        words = [block.text or ""]
        for node in block.iterdescendants():
            if node not in links and isinstance(node.tag, str):
                words.append(node.text or "")
            if node.getparent() not in links:
                words.append(node.tail or "")
        known[block] = _LETTERS.search(" ".join(words)) is not None
    return known[block]


@check(
    id="text-small",
    severity=Severity.WARNING,
    family="reading",
    why="Words under 14 pixels are hard to read for many, and mail is read on telephones, in trains, over fifty.",
    source="Apple, Human Interface Guidelines: 11 points at the very least; newsroom practice: nothing under 14 pixels",
    failing=Example("`font-size:12px`", eg.html("<h2>", '<p style="font-size:12px">Tides</p><h2>')),
    passing=Example("`font-size:14px`", eg.html("<h2>", '<p style="font-size:14px">Tides</p><h2>')),
)
@told_once
def text_small(context: CheckContext) -> Iterator[Problem]:
    """Visible words under ``SMALLEST`` pixels, here or by a rule for telephones; each size once for each story."""
    light = context.page.light
    told: set[tuple[str | None, float]] = set()
    for run in context.page.runs:
        size = light.size(run.element.node)
        key = (run.element.article, size)
        # A raised or lowered sign is small by nature: m², CO₂.
        if (
            size < SMALLEST
            and light.shown(run.element.node)
            and key not in told
            and run.element.tag not in ("sub", "sup")
        ):
            told.add(key)
            # A theme sizes every field but the body, where an editor's <small> counts too.
            written = field_of(context, run.element.article, run.text) == "body"
            yield Problem(
                f"“{cut(run.text, 40)}” is {size:.4g} pixels high.",
                f"Give <{run.element.tag}> {SMALLEST} pixels or more in the theme's style.css"
                + (", or write the words without it." if written else "."),
                run.element.article,
                "body" if written else None,
                phrase=run.text if written else None,
            )
    for sheet in context.page.styles:
        for one in sheet.declared:
            size_there = pixels(one.value) if one.name == "font-size" and one.under else None
            if size_there is not None and 1 < size_there < SMALLEST:
                yield Problem(
                    f"“{cut(one.selector)}” is {size_there:g} pixels high under {cut(one.under[0])}.",
                    "Give it 14 pixels or more in the theme's client.css.",
                )


@check(
    id="text-justified",
    severity=Severity.WARNING,
    family="reading",
    why="Justified text on a narrow screen has rivers of white between its words, which readers with dyslexia lose "
    "their way in.",
    source="WCAG 2.2, 1.4.8",
    failing=Example("`text-align:justify`", eg.html("<p>Volunteers", '<p style="text-align:justify">Volunteers')),
    passing=Example("`text-align:left`", eg.as_it_is),
)
@told_once
def text_justified(context: CheckContext) -> Iterator[Problem]:
    """An element with words that is justified; told once for the frame and once for each story."""
    light = context.page.light
    told: set[str | None] = set()
    for element in context.page.shown:
        said = light.style(element.node).get("text-align", element.attributes.get("align", ""))
        if said.lower() == "justify" and element.article not in told:
            told.add(element.article)
            yield Problem(
                f"“{cut(visible_words(element.text), 40)}” is justified.",
                "Take text-align: justify out of the theme's style.css.",
                element.article,
            )


@check(
    id="text-capitals",
    severity=Severity.WARNING,
    family="reading",
    why="Words in capitals have no shape: they are read letter by letter, and some screen readers spell them out.",
    source="British Dyslexia Association, style guide; WCAG 2.2, 3.1.5 advises the same",
    failing=Example("`headline: THE FERRY IS BACK`", eg.html("<h3>The ferry is back", "<h3>THE FERRY IS BACK")),
    passing=Example("`headline: The ferry is back`", eg.as_it_is),
)
@told_once
def text_capitals(context: CheckContext) -> Iterator[Problem]:
    """Words that are written, or set by ``text-transform``, in capitals; names such as NATO apart."""
    light = context.page.light
    told: set[tuple[str | None, str]] = set()
    for run in context.page.runs:
        long = [word for word in _LETTERS.findall(run.text) if len(word) > 3]
        key = (run.element.article, run.text)
        if len(long) > 1 and run.text.isupper() and key not in told:
            told.add(key)
            yield Problem(
                f"“{cut(run.text, 40)}” is written in capitals.",
                "Write it as in a sentence.",
                run.element.article,
                field_of(context, run.element.article, run.text),
                phrase=run.text,
            )
    for element in context.page.shown:
        style = light.style(element.node)
        set_so = style.get("text-transform", "").lower() == "uppercase"
        if set_so and visible_words(element.text) and (element.article, "set") not in told:
            told.add((element.article, "set"))
            yield Problem(
                f"“{cut(visible_words(element.text), 40)}” is set in capitals by text-transform.",
                "Take text-transform out of the theme's style.css; weight and colour make a label as well.",
                element.article,
            )
