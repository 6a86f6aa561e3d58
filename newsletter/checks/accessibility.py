"""For every reader: who listens, who sees badly, who cannot tell colours apart, who reads from the right."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from newsletter.checks import examples as eg
from newsletter.checks.authored import field_of
from newsletter.checks.context import CheckContext
from newsletter.checks.page import cut, plain, visible_words
from newsletter.checks.registry import Example, Problem, check
from newsletter.checks.sheets import pixels
from newsletter.checks.tables import has_headers, holds_data, is_silent
from newsletter.models import Severity

SMALLEST = 14
"""CSS pixels: nothing in a mail is set smaller."""

_LETTERS = re.compile(r"[^\W\d_]+")
_BLOCKS = ("p", "li", "td", "th", "div", "blockquote", "h1", "h2", "h3", "h4", "h5", "h6", "body")
_IN_THEME = "Put it right in the theme's email.html.j2."


@check(
    id="lang-missing",
    severity=Severity.ERROR,
    family="accessibility",
    why="Screen readers choose their voice by the language. Many clients cut off `<html>`, so a child of the body "
    "has it too.",
    source="WCAG 2.2, 3.1.1",
    failing=Example("`<html>` without `lang`", eg.html('<html lang="en-GB" dir="ltr"', '<html dir="ltr"')),
    passing=Example('`<html lang="en-GB" dir="ltr">` and the same on the body\'s child', eg.as_it_is),
)
def lang_missing(context: CheckContext) -> Iterator[Problem]:
    """No language on ``<html>``, or on no child of the body."""
    yield from _on_both(context, "lang", "language")


@check(
    id="dir-missing",
    severity=Severity.WARNING,
    family="accessibility",
    why="Text in Arabic or Urdu is set from the right; a client that is told nothing guesses.",
    source="HTML standard, 3.2.6.4",
    failing=Example("`<html>` without `dir`", eg.html('<html lang="en-GB" dir="ltr"', '<html lang="en-GB"')),
    passing=Example('`<html lang="en-GB" dir="ltr">` and the same on the body\'s child', eg.as_it_is),
)
def dir_missing(context: CheckContext) -> Iterator[Problem]:
    """No writing direction on ``<html>``, or on no child of the body."""
    yield from _on_both(context, "dir", "writing direction")


def _on_both(context: CheckContext, attribute: str, called: str) -> Iterator[Problem]:
    root, body = context.page.first("html"), context.page.first("body")
    if root is None or not root.attributes.get(attribute):
        yield Problem(f"The HTML does not say its {called} on <html>.", _IN_THEME)
    if body is None or not any(child.get(attribute) for child in body.node):
        yield Problem(f"The HTML does not say its {called} on a child of <body>.", _IN_THEME)


@check(
    id="heading-order",
    severity=Severity.WARNING,
    family="accessibility",
    why="Screen readers walk by headings: one h1 for the publication, h2 for sections, h3 for stories, none left out.",
    source="WCAG 2.2, 1.3.1 and technique G141",
    failing=Example("no `<h1>`", eg.html("<h1>The Estuary Weekly</h1>", "<p>The Estuary Weekly</p>")),
    passing=Example("one `<h1>`, then `<h2>` and `<h3>`", eg.html("<h3>The ferry", "<h2>The ferry")),
)
def heading_order(context: CheckContext) -> Iterator[Problem]:
    """Not exactly one h1, or a step down of more than one level (h3 under h1 is right for the lead)."""
    levels = [int(e.tag[1]) for e in context.page.every("h1", "h2", "h3", "h4", "h5", "h6")]
    if levels.count(1) != 1:
        number = levels.count(1) or "no"
        yield Problem(f"The HTML has {number} h1; it should have one, the publication's name.", _IN_THEME)
    for before, level in zip([1, *levels], levels, strict=False):
        if level > before + 1 and (before, level) != (1, 3):
            yield Problem(f"A heading of level {level} follows one of level {before}.", _IN_THEME)
            return


@check(
    id="headline-not-heading",
    severity=Severity.WARNING,
    family="accessibility",
    why="Who listens to a mail walks from headline to headline: one that is only large and bold is not found.",
    source="WCAG 2.2, 1.3.1, failure F2",
    failing=Example("`<p>The ferry is back</p>`", eg.html("<h3>The ferry is back</h3>", "<p>The ferry is back</p>")),
    passing=Example("`<h3>The ferry is back</h3>`", eg.as_it_is),
)
def headline_not_heading(context: CheckContext) -> Iterator[Problem]:
    """A story whose headline is in the mail and in no heading."""
    headings: dict[str | None, str] = {}
    for element in context.page.every("h1", "h2", "h3", "h4", "h5", "h6"):
        headings[element.article] = f"{headings.get(element.article, '')} {plain(element.text)}"
    for slug in context.email.sizes:
        article = next((one for one in context.issue.articles() if one.slug == slug), None)
        if article is not None and plain(article.headline) and plain(article.headline) not in headings.get(slug, ""):
            yield Problem(
                f"The headline “{cut(article.headline)}” stands in no heading.",
                "Use the macro headline of the base theme.",
                slug,
            )


@check(
    id="mail-not-labelled",
    severity=Severity.WARNING,
    family="accessibility",
    why="Webmail takes the mail out of its page: without a labelled article around it a screen reader does not say "
    "where the mail begins and ends, and in which language it is.",
    source="WAI-ARIA 1.2, role article; many clients cut off `<html>` and `<body>`",
    failing=Example("a wrapper without `role=article`", eg.html('role="article" ', "")),
    passing=Example('`<div role="article" aria-roledescription="email" aria-label="The ferry is back">`', eg.as_it_is),
)
def mail_not_labelled(context: CheckContext) -> Iterator[Problem]:
    """No article with description and label around the words of the mail."""
    article = next((e for e in context.page.elements if e.attributes.get("role") == "article"), None)
    if article is None:
        yield Problem('No role="article" is around the mail.', _IN_THEME)
        return
    missing = [name for name in ("aria-roledescription", "aria-label") if not article.attributes.get(name, "").strip()]
    if missing:
        yield Problem(f"The article around the mail has no {' and no '.join(missing)}.", _IN_THEME)
    outside = [
        run for run in context.page.runs if article.node not in (run.element.node, *run.element.node.iterancestors())
    ]
    if outside:
        yield Problem(f"“{cut(outside[0].text)}” stands outside the article of the mail.", _IN_THEME)


@check(
    id="layout-table-role",
    severity=Severity.ERROR,
    family="accessibility",
    why="A screen reader announces rows and columns of every table, and a mail is built of dozens. Those for looks "
    "alone say so.",
    source="WCAG 2.2, 1.3.1; WAI-ARIA 1.2, role presentation",
    failing=Example(
        "a layout table without `role`", eg.html('<table class="card" role="presentation"', '<table class="card"')
    ),
    passing=Example('`<table role="presentation">`', eg.as_it_is),
)
def layout_table_role(context: CheckContext) -> Iterator[Problem]:
    """A table that holds no data and does not say so; told once for the frame and once for each story."""
    told: set[str | None] = set()
    for table in context.page.every("table"):
        if table.article not in told and not is_silent(table) and not holds_data(table):
            told.add(table.article)
            words = cut(visible_words(table.text), 40)
            yield Problem(
                f"A table for looks has no role=presentation{f': “{words}”' if words else ''}.",
                "Write it in the theme's templates; a table of data gets a row of headers.",
                table.article,
                field_of(context, table.article, words.rstrip("…")),
            )


@check(
    id="table-header-missing",
    severity=Severity.WARNING,
    family="accessibility",
    why="A screen reader says each figure of a table with the header of its column. Without headers they are numbers "
    "without a name.",
    source="WCAG 2.2, 1.3.1, technique H51",
    failing=Example(
        "rows without a row of headers",
        eg.html(
            "<p>Volunteers",
            "<table><tr><td>Mon</td><td>4</td></tr><tr><td>Tue</td><td>6</td></tr></table><p>Volunteers",
        ),
    ),
    passing=Example(
        "`| Day | Visitors |` above the rows",
        eg.html(
            "<p>Volunteers",
            "<table><tr><th>Day</th><th>Visitors</th></tr><tr><td>Tue</td><td>6</td></tr></table><p>Volunteers",
        ),
    ),
)
def table_header_missing(context: CheckContext) -> Iterator[Problem]:
    """A table of data without header cells."""
    for table in context.page.every("table"):
        if not is_silent(table) and holds_data(table) and not has_headers(table):
            first = visible_words(next(table.node.iter("td")).text_content())
            yield Problem(
                f"The table that begins with “{cut(first, 30)}” has no headers.",
                "Name each column in its first row; in Markdown, the row above the dashes.",
                table.article,
                "body" if table.article else field_of(context, None, first),
                phrase=first or None,
            )


@check(
    id="paragraph-by-breaks",
    severity=Severity.WARNING,
    family="accessibility",
    why="Two line breaks look like a paragraph and are none: who listens cannot step from one to the next, and Word "
    "spaces them differently.",
    source="WCAG 2.2, 1.3.1; HTML standard, 4.5.27",
    failing=Example("`<br><br>` between sentences", eg.html("runs again.</p>", "runs again.<br><br>Bring a coat.</p>")),
    passing=Example(
        "an empty line between them in Markdown", eg.html("runs again.</p>", "runs again.</p><p>Bring a coat.</p>")
    ),
)
def paragraph_by_breaks(context: CheckContext) -> Iterator[Problem]:
    """Two ``<br>`` in a row with words after them; told once for the frame and once for each story."""
    told: set[str | None] = set()
    for element in context.page.shown:
        if element.tag != "br" or element.article in told:
            continue
        before = element.node.getprevious()
        if before is not None and before.tag == "br" and not visible_words(before.tail or ""):
            words = visible_words(element.node.tail or "")
            if words:
                told.add(element.article)
                yield Problem(
                    f"“{cut(words, 40)}” begins after two line breaks.",
                    "Write an empty line in its place: that makes a paragraph.",
                    element.article,
                    field_of(context, element.article, words),
                    phrase=words,
                )


@check(
    id="link-colour-only",
    severity=Severity.WARNING,
    family="accessibility",
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
def link_colour_only(context: CheckContext) -> Iterator[Problem]:
    """A link with words beside it that is neither underlined nor bold nor boxed; told once for each story."""
    light = context.page.light
    told: set[str | None] = set()
    for link in context.page.shown:
        if link.tag != "a" or "href" not in link.attributes or link.article in told:
            continue
        words = visible_words(link.text)
        if not _LETTERS.search(words) or not _LETTERS.search(_beside(link.node)):
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


def _beside(link: Any) -> str:
    """The words of the block that a link stands in, without those of its links."""
    block = next((above for above in link.iterancestors() if above.tag in _BLOCKS), None)
    if block is None:
        return ""
    links = {node for above in block.iter("a") for node in above.iter()}
    words = [] if block in links else [block.text or ""]
    for node in block.iterdescendants():
        if node not in links and isinstance(node.tag, str):
            words.append(node.text or "")
        if node.getparent() not in links:
            words.append(node.tail or "")
    return visible_words(" ".join(words))


@check(
    id="text-small",
    severity=Severity.WARNING,
    family="accessibility",
    why="Words under 14 pixels are hard to read for many, and mail is read on telephones, in trains, over fifty.",
    source="Apple, Human Interface Guidelines: 11 points at the very least; newsroom practice: nothing under 14 pixels",
    failing=Example("`font-size:12px`", eg.html("<h2>", '<p style="font-size:12px">Tides</p><h2>')),
    passing=Example("`font-size:14px`", eg.html("<h2>", '<p style="font-size:14px">Tides</p><h2>')),
)
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
            # A theme sizes every field but the body, where an editor's <small> or code counts too.
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
    family="accessibility",
    why="Justified text on a narrow screen has rivers of white between its words, which readers with dyslexia lose "
    "their way in.",
    source="WCAG 2.2, 1.4.8",
    failing=Example("`text-align:justify`", eg.html("<p>Volunteers", '<p style="text-align:justify">Volunteers')),
    passing=Example("`text-align:left`", eg.as_it_is),
)
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
    family="accessibility",
    why="Words in capitals have no shape: they are read letter by letter, and some screen readers spell them out.",
    source="British Dyslexia Association, style guide; WCAG 2.2, 3.1.5 advises the same",
    failing=Example("`headline: THE FERRY IS BACK`", eg.html("<h3>The ferry is back", "<h3>THE FERRY IS BACK")),
    passing=Example("`headline: The ferry is back`", eg.as_it_is),
)
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
