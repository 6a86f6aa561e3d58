"""The frame around the words: grounds, widths, tables, columns, buttons and pictures on the page."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from newsletter.checks import examples as eg
from newsletter.checks.context import CheckContext
from newsletter.checks.folding import told_once
from newsletter.checks.page import Element, cut
from newsletter.checks.registry import Example, Problem, check
from newsletter.checks.sheets import inline, pixels, sides
from newsletter.checks.tables import comment_before, holds_data, is_silent
from newsletter.clients.cascade import Cascade
from newsletter.message.markup import word_only
from newsletter.models import Severity

NARROWEST, WIDEST = 320, 720
"""CSS pixels: a mail's column is at least as wide as a telephone and fits the reading pane of a desktop."""
FINGER = 44
"""CSS pixels that a finger needs: WCAG 2.2, 2.5.5, and Apple's and Google's guidelines."""
FITS_ANYWHERE = 280
"""A picture of this width fits the narrowest telephone inside its margins."""

_GROUND = re.compile(r"<table\b[^>]*\bbgcolor=", re.IGNORECASE)
_VML_LINK = re.compile(r"<v:\w+\b[^>]*\bhref=", re.IGNORECASE)
_LINE_HEIGHT = re.compile(r"(\d*\.?\d+)(px|%|em|)")
_IN_LINE = ("a", "b", "strong", "i", "em", "u", "s", "span", "small", "sub", "sup", "code", "font")
_RUNNING = ("p", "li", "blockquote", "h1", "h2", "h3", "h4", "h5", "h6")
_IN_THEME = "Put it right in the theme's email.html.j2; the base theme has it."


def _style(element: Element) -> dict[str, str]:
    return inline(element.attributes.get("style", ""))


def _painted(element: Element) -> bool:
    style = _style(element)
    return bool(element.attributes.get("bgcolor") or style.get("background-color") or style.get("background"))


@check(
    id="page-ground-missing",
    severity=Severity.WARNING,
    family="frame",
    why="Some clients cut off the body, some its wrapper, and Outlook's Word engine reads neither: whoever paints the "
    "page once leaves some readers with white around the mail, or with pale words on white.",
    source="caniemail.com, html-body; measured in Gmail, Outlook.com and Outlook for Windows",
    failing=Example("a wrapper without `background-color`", eg.html("background-color:#F4F1EA;color", "color")),
    passing=Example("the page's colour on the body, on its child and as `bgcolor` on Word's table", eg.as_it_is),
)
def page_ground_missing(context: CheckContext) -> Iterator[Problem]:
    """The body, its first shown child or the outer table for Word has no colour of its own."""
    body = context.page.first("body")
    if body is None:
        return
    wrapper = next((e for e in context.page.shown if e.node.getparent() is body.node), None)
    missing = []
    if not (body.attributes.get("bgcolor") and _painted_by_style(body)):
        missing.append("<body> (as bgcolor and as background-color)")
    if wrapper is not None and not _painted_by_style(wrapper):
        missing.append(f"the <{wrapper.tag}> in it (as background-color)")
    if context.email.mso and not _GROUND.search(word_only(context.email.html)):
        missing.append("the outer table for Outlook's Word engine (as bgcolor)")
    if missing:
        yield Problem(f"The page's colour is missing on {' and on '.join(missing)}.", _IN_THEME)


def _painted_by_style(element: Element) -> bool:
    style = _style(element)
    return bool(style.get("background-color") or style.get("background"))


@check(
    id="page-width-missing",
    severity=Severity.WARNING,
    family="frame",
    why="Lines as wide as a desktop's window cannot be read: the eye does not find the next one.",
    source=f"WCAG 2.2, 1.4.8; a column between {NARROWEST} and {WIDEST} pixels fits reading panes",
    failing=Example("a mail without `max-width`", eg.html("max-width:600px;", "")),
    passing=Example('`<div style="max-width:600px;margin:0 auto">` around everything', eg.as_it_is),
)
def page_width_missing(context: CheckContext) -> Iterator[Problem]:
    """The first words stand in no column of a width."""
    for run in context.page.runs[:1]:
        if not any(_is_column(node) for node in (run.element.node, *run.element.node.iterancestors())):
            yield Problem("Nothing limits the width of the mail.", _IN_THEME)


def _is_column(node: Any) -> bool:
    style = inline(node.get("style", ""))
    widths = (pixels(style.get("max-width")), pixels(style.get("width")), pixels(node.get("width")))
    return any(width is not None and NARROWEST <= width <= WIDEST for width in widths)


@check(
    id="layout-table-spacing",
    severity=Severity.WARNING,
    family="frame",
    why="Every client has its own idea of the space in and between cells. Only zeros in the attributes give all of "
    "them the same page.",
    source="HTML standard, 15.3.9; Outlook's Word engine reads the attributes alone",
    failing=Example("a layout table without `cellpadding`", eg.html(' cellpadding="0"', "")),
    passing=Example('`<table role="presentation" cellpadding="0" cellspacing="0" border="0">`', eg.as_it_is),
)
@told_once
def layout_table_spacing(context: CheckContext) -> Iterator[Problem]:
    """A layout table without one of its three zeros; told once for the frame and once for each story."""
    told: set[str | None] = set()
    for table in context.page.every("table"):
        missing = [n for n in ("cellpadding", "cellspacing", "border") if table.attributes.get(n, "").strip() != "0"]
        if missing and table.article not in told and (is_silent(table) or not holds_data(table)):
            told.add(table.article)
            yield Problem(
                f"A layout table does not say {' '.join(f'{name}=0' for name in missing)}.",
                "Write the three attributes in the theme's templates; base has a macro for such a table.",
                table.article,
            )


@check(
    id="ghost-table-missing",
    severity=Severity.WARNING,
    family="frame",
    why="Outlook's Word engine knows no `max-width`: without a table of that width around it, a column there is as "
    "wide as the window.",
    source="caniemail.com, css-max-width; asked of themes with `mso = true`",
    failing=Example(
        "a column of 600 pixels with something between it and its table for Word",
        eg.html('style="width:600px"><tr><td><![endif]-->', 'style="width:600px"><tr><td><![endif]--><p>x</p>'),
    ),
    passing=Example('`<!--[if mso]><table width="600"><tr><td><![endif]--><div style="max-width:600px">`', eg.as_it_is),
)
@told_once
def ghost_table_missing(context: CheckContext) -> Iterator[Problem]:
    """A ``<div>`` with a ``max-width`` that neither a cell nor a comment for Word keeps to it."""
    if not context.email.mso:
        return
    told: set[str | None] = set()
    for element in context.page.shown:
        width = pixels(_style(element).get("max-width"))
        if element.tag not in ("div", "section", "center", "span") or width is None or element.article in told:
            continue
        before = comment_before(element.node)
        if not ("mso" in before and "<td" in before) and not _in_cell_of(element.node, width):
            told.add(element.article)
            yield Problem(
                f"A <{element.tag}> is at most {width:g} pixels wide, and Outlook's Word engine is not told.",
                "Open a table of that width before it, in <!--[if mso]>…<![endif]-->, and close it behind.",
                element.article,
            )


def _in_cell_of(node: Any, width: float) -> bool:
    """Whether a table or cell around ``node``, itself no wider than ``width``, holds it in Word too."""
    given = (pixels(above.get("width")) for above in node.iterancestors("td", "th", "table"))
    return any(most is not None and most <= width for most in given)


def buttons(context: CheckContext) -> Iterator[tuple[Element, Element]]:
    """Links that are drawn as a button: (link, the painted or bordered cell that holds nothing else)."""
    cells = {e.node: e for e in context.page.shown if e.tag in ("td", "th")}
    for link in context.page.shown:
        cell = cells.get(link.node.getparent()) if link.tag == "a" else None
        if cell is not None and link.text and link.text == cell.text:
            border = _style(cell).get("border", "0")
            if _painted(cell) or not border.startswith(("0", "none")):
                yield link, cell


@check(
    id="button-small",
    severity=Severity.WARNING,
    family="frame",
    why="A finger covers 44 pixels: on a lower button it hits what stands beside it.",
    source="WCAG 2.2, 2.5.5 and 2.5.8; Apple, Human Interface Guidelines",
    failing=Example("a button without padding", eg.html("padding:14px 24px;", "")),
    passing=Example('`<a style="display:inline-block;padding:14px 24px;font:700 16px/20px …">`', eg.as_it_is),
)
@told_once
def button_small(context: CheckContext) -> Iterator[Problem]:
    """Line height and padding of a button come to less than ``FINGER`` pixels."""
    for link, cell in buttons(context):
        padding = (sides(_style(link), "padding"), sides(_style(cell), "padding"))
        height = _line_height(context.page.light, link.node) + sum(top + bottom for top, _, bottom, _ in padding)
        if height < FINGER:
            yield Problem(
                f"The button “{cut(link.text)}” is {height:g} pixels high; a finger needs {FINGER}.",
                "Give the link more padding in the theme's style.css.",
                link.article,
            )


def _line_height(light: Cascade, node: Any) -> float:
    """The height of a line in pixels; a bare number is a factor of the size, and what says nothing is a fifth more."""
    said = next((found for one in (node, *node.iterancestors()) if (found := light.style(one).get("line-height"))), "")
    length = _LINE_HEIGHT.fullmatch(said)
    if length is None:
        return light.size(node) * 1.2
    return float(length[1]) * {"px": 1.0, "%": light.size(node) / 100}.get(length[2], light.size(node))


@check(
    id="button-flat-in-word",
    severity=Severity.WARNING,
    family="frame",
    why="Outlook's Word engine ignores the padding of a link: without spaces of that width the words touch the edges "
    "of the button.",
    source="caniemail.com, css-padding; `mso-font-width` is Word's own; asked of themes with `mso = true`",
    failing=Example(
        "a padded link with a spacer for Word at one side only",
        eg.html('<i style="mso-font-width:150%">&emsp;</i>', ""),
    ),
    passing=Example("the macro `button` of the base theme, or padding on the cell", eg.as_it_is),
)
@told_once
def button_flat_in_word(context: CheckContext) -> Iterator[Problem]:
    """A button whose room comes from the link's padding alone."""
    if not context.email.mso:
        return
    for link, cell in buttons(context):
        _, right, _, left = sides(_style(cell), "padding")
        words = [node.text or "" for node in link.node.iter() if not isinstance(node.tag, str)]
        if sum("mso-font-width" in text for text in words) < 2 and not (right and left):
            yield Problem(
                f"In Outlook for Windows the button “{cut(link.text)}” has no room at its sides.",
                "Use the macro button of the base theme, which puts spaces there for Word.",
                link.article,
            )


@check(
    id="button-vml",
    severity=Severity.WARNING,
    family="frame",
    why="A button drawn in VML stands in the mail twice: its link is easily forgotten when the other one changes, and "
    "screen readers read it badly.",
    source="Microsoft, VML; padded links with `mso-font-width` do without it",
    failing=Example(
        "`<v:roundrect href=…>`",
        eg.html(
            "<h2>", '<!--[if mso]><v:roundrect href="https://estuary.example/ferry"></v:roundrect><![endif]--><h2>'
        ),
    ),
    passing=Example("a padded link on a coloured cell", eg.as_it_is),
)
def button_vml(context: CheckContext) -> Iterator[Problem]:
    """A shape for Word that is a link."""
    if _VML_LINK.search(word_only(context.email.html)):
        yield Problem(
            "The mail has a link that is drawn in VML, for Outlook's Word engine alone.",
            "Use the macro button of the base theme: one link for everybody.",
        )


@check(
    id="picture-not-fluid",
    severity=Severity.WARNING,
    family="frame",
    why="A picture that keeps its width sticks out of a telephone's screen, one that keeps its height is squashed, and "
    "one that is not a block leaves a gap below.",
    source="measured at 360 pixels; caniemail.com, css-max-width",
    failing=Example("a picture of 600 pixels without `max-width`", eg.html("width:100%;height:auto;", "")),
    passing=Example('`style="display:block;width:100%;max-width:600px;height:auto"`', eg.as_it_is),
)
@told_once
def picture_not_fluid(context: CheckContext) -> Iterator[Problem]:
    """An ``<img>`` wider than a telephone's column that cannot shrink, or one alone in its place that is no block."""
    for element in context.page.shown:
        if element.tag != "img":
            continue
        style = _style(element)
        wrong: dict[str, str] = {}
        if (pixels(element.attributes.get("width")) or 0) > FITS_ANYWHERE:
            if not (style.get("width", "").endswith("%") or style.get("max-width", "").endswith("%")):
                wrong["does not shrink on a telephone"] = "width:100%"
            if element.attributes.get("height") and style.get("height") != "auto":
                wrong["keeps its height there"] = "height:auto"
        if style.get("display") != "block" and not _among_words(element.node):
            wrong["leaves a gap below"] = "display:block"
        if wrong:
            named = cut(element.attributes.get("alt") or element.attributes.get("src", "?"), 40)
            yield Problem(
                f"The picture “{named}” {' and '.join(wrong)}.",
                f"Give it {', '.join(wrong.values())}: the class image of the base theme has it.",
                element.article,
            )


def _among_words(node: Any) -> bool:
    """Whether the picture, or the link around it, stands in a line of words."""
    parent = node.getparent()
    while parent.tag in _IN_LINE:
        if (parent.text or "").strip():
            return True
        node, parent = parent, parent.getparent()
    beside = [parent.text, *(child.tail for child in parent)]
    beside += ["".join(child.itertext()) for child in parent if child is not node and child.tag in _IN_LINE]
    return any((words or "").strip() for words in beside)


@check(
    id="picture-off-unstyled",
    severity=Severity.WARNING,
    family="frame",
    why="While pictures are off, their words stand in their place: in a type and colour that can be read, on a ground "
    "that shows where the picture will be.",
    source="caniemail.com, html-img alt styling; Outlook and many offices load no pictures by themselves",
    failing=Example("a picture without `background-color`", eg.html("background-color:#E9E5DC;", "")),
    passing=Example('`style="background-color:#E9E5DC;color:#333333;font:16px/22px Arial,sans-serif"`', eg.as_it_is),
)
@told_once
def picture_off_unstyled(context: CheckContext) -> Iterator[Problem]:
    """A story's picture without a ground, a colour or a type for its words; told once for each story."""
    told: set[str] = set()
    for element in context.page.shown:
        if element.tag != "img" or element.article is None or element.article in told:
            continue
        style = _style(element)
        missing = [] if _painted_by_style(element) else ["a ground"]
        missing += [] if "color" in style else ["a colour"]
        missing += [] if "font" in style or "font-size" in style else ["a type"]
        if missing:
            told.add(element.article)
            yield Problem(
                f"While pictures are off, the words in place of this one lack {', '.join(missing)}.",
                "Give it the class image, as the macro picture of the base theme does.",
                element.article,
            )


@check(
    id="rtl-not-mirrored",
    severity=Severity.WARNING,
    family="frame",
    why="A page in Urdu or Arabic begins at the right: words set to the left and bars at the left stand at their end.",
    source="W3C, Structural markup and right-to-left text in HTML",
    failing=Example(
        "`text-align:left` in a mail with `dir=rtl`",
        eg.both(
            eg.html('lang="en-GB" dir="ltr"', 'lang="ur" dir="rtl"'),
            eg.html('lang="en-GB" dir="ltr"', 'lang="ur" dir="rtl"'),
        ),
    ),
    passing=Example("`{{ parts.start }}` and `{{ parts.end }}` in place of left and right", eg.as_it_is),
)
@told_once
def rtl_not_mirrored(context: CheckContext) -> Iterator[Problem]:
    """Running text that starts at the wrong side, a bar or more room at the left; once for each story and fault."""
    told: set[tuple[str | None, str]] = set()
    root = context.page.first("html")
    page = root.attributes.get("dir", "ltr").lower() if root is not None else "ltr"
    for element in context.page.shown:
        direction = _direction(element.node, page)
        if "rtl" not in (direction, page):
            continue
        for wrong, fix in _not_mirrored(element, direction):
            if (element.article, wrong) not in told:
                told.add((element.article, wrong))
                start = "right" if direction == "rtl" else "left"
                yield Problem(f"In text that runs from the {start}, <{element.tag}> {wrong}.", fix, element.article)


def _not_mirrored(element: Element, direction: str) -> Iterator[tuple[str, str]]:
    """(what is wrong, what helps)."""
    end = "left" if direction == "rtl" else "right"
    style = _style(element)
    if element.tag in _RUNNING and _alignment(element.node) == end:
        yield f"is set to the {end}", "Use parts.start of the base theme, and its macro tongue for single stories."
    if direction == "rtl":
        bar = style.get("border-left", "0")
        if not bar.startswith(("0", "none")) and "border-right" not in style:
            yield "has its bar at the left", "Give bodies the class rtl of the base theme where dir is rtl."
        _, right, _, left = sides(style, "padding")
        if left > right:
            yield "has more room at the left than at the right", "Put the gap into a cell of its own: it mirrors."


def _direction(node: Any, page: str) -> str:
    return next((str(n.get("dir")).lower() for n in (node, *node.iterancestors()) if n.get("dir")), page)


def _alignment(node: Any) -> str | None:
    """The alignment of a block's words: its own or that of the nearest element around it that says one."""
    for above in (node, *node.iterancestors()):
        said = inline(above.get("style", "")).get("text-align") or (
            above.get("align") if above.tag not in ("table", "img") else None
        )
        if said:
            return str(said).lower()
    return None
