"""A clean body takes its place in a story: headings below the story's own, quotations with their source, tables that
a phone can hold, pictures that fit, and nothing that leads nowhere."""

from __future__ import annotations

import re
from collections import OrderedDict
from collections.abc import Iterator
from typing import TYPE_CHECKING, cast

from newsletter.rendering.bare import link_addresses
from newsletter.rendering.links import LinkParameters, with_parameters

if TYPE_CHECKING:
    from lxml.html import HtmlElement

CAPTION_CLASS = "caption"
"""The class of the line below a picture inside a body: its title in the Markdown, or a figure's caption."""

SHOWN_CLASS = "shown"
"""The class of the paragraph of a picture that has such a line below it."""

IMAGE_CLASS = "image"
"""The class of a picture inside a body; themes cap its width with it."""

PULL_CLASS = "pull"
"""The class of a quotation that says whose words it has."""

BY_CLASS = "by"
"""The class of the line that says so."""

SCROLL_CLASS = "scroll"
"""The class of the box around a table: where it is too wide, it moves sideways in it."""

MAX_BY = 160
"""Characters of a line that says whose words a quotation has; a longer one is a part of the quotation."""

_HEADINGS = ("h1", "h2", "h3", "h4", "h5", "h6")
_IN_A_LINE = frozenset(
    "a abbr b br cite code del em i ins mark q s small strong sub sup u".split()  # noqa: SIM905  # eighteen short words
)
_DASH = re.compile(r"[ \t\n]*(?:[—―]|--(?!-))[ \t\u00a0]*(?=\S)")
_DASH_LINE = re.compile(r"\n(?=[ \t]*(?:[—―]|--(?!-))[ \t\u00a0]*\S)")


def settle(root: HtmlElement, parameters: LinkParameters, room: int, top: int) -> tuple[str, ...]:
    """Change the tree of a body in place; return the addresses of its pictures.

    Links get ``parameters``; an address that was written as it is becomes a link to itself. Links and pictures
    without an address are reduced to their words; empty paragraphs go.
    ``room`` is the width of the column in CSS pixels: what Word, which reads attributes alone, may give a picture.
    ``top`` is the level of its highest heading, one below what it stands under.
    """
    images: OrderedDict[str, None] = OrderedDict()
    for figure in list(root.iter("figure")):
        _as_paragraphs(figure)
    _set_levels(root, top)
    for element in list(root.iterdescendants()):
        tag = cast(str, element.tag)
        if tag == "a" and not element.get("href"):
            element.drop_tag()
        elif tag == "a":
            element.set("href", with_parameters(element.get("href", ""), parameters))
        elif tag == "img":
            source = element.get("src")
            if source:
                images[source] = None
                element.set("class", IMAGE_CLASS)
                element.set("alt", element.get("alt", ""))
                element.set("width", str(room))
                _show_caption(element)
            else:
                element.tail = element.get("alt", "") + (element.tail or "")
                element.drop_tree()
        elif tag == "th":
            element.set("scope", "col" if _heads_columns(element) else "row")
    link_addresses(root)
    for paragraph in root.findall(".//p"):
        if not len(paragraph) and not (paragraph.text or "").strip():
            paragraph.drop_tree()
    for quotation in list(root.iter("blockquote")):
        _name_the_source(quotation)
    for table in list(root.iter("table")):
        _box(table)
    return tuple(images)


def _set_levels(root: HtmlElement, top: int) -> None:
    """No level is left out, whichever an author began with; ``#`` is ``##``: the mail's h1 is the publication."""
    headings = [(heading, max(2, int(heading.tag[1]))) for heading in root.iter(*_HEADINGS)]
    used = sorted({level for _, level in headings})
    for heading, level in headings:
        heading.tag = f"h{min(6, top + used.index(level))}"


def _as_paragraphs(figure: HtmlElement) -> None:
    """Word knows neither ``figure`` nor ``figcaption`` and runs both into one line; browsers indent them."""
    captions = list(figure.iter("figcaption"))
    for caption in reversed(captions):
        words_only(caption)
        caption.tag = "p"
        caption.set("class", f"muted {CAPTION_CLASS}")
        caption.tail, figure.tail = (caption.tail or "") + (figure.tail or ""), None
        figure.addnext(caption)
    if all(child.tag == "img" or child.tag in _IN_A_LINE for child in figure.iterdescendants()):
        figure.tag = "p"
        if captions:
            figure.set("class", SHOWN_CLASS)
    else:
        figure.drop_tag()


def _show_caption(image: HtmlElement) -> None:
    """The title of a picture that is a paragraph of its own is its caption: a mail shows no titles, so set it below."""
    holder, alone = image, True
    while holder.getparent() is not None and holder.tag != "p":
        alone = alone and not (holder.tail or "").strip()
        holder = holder.getparent()
        alone = alone and len(holder) == 1 and not (holder.text or "").strip()
    title = " ".join(image.get("title", "").split())
    if holder.tag != "p" or not alone or not title:
        return
    del image.attrib["title"]
    caption = holder.makeelement("p", {"class": f"muted {CAPTION_CLASS}"})
    caption.text = title
    holder.set("class", SHOWN_CLASS)
    holder.addnext(caption)  # what is written behind the paragraph goes along


def words_only(root: HtmlElement) -> None:
    """Take out every element that is no part of a line; its words stay."""
    for element in list(root.iterdescendants()):
        if element.tag == "img":
            element.tail = element.get("alt", "") + (element.tail or "")
            element.drop_tree()
        elif element.tag not in _IN_A_LINE:
            element.tail = " " + (element.tail or "")
            element.drop_tag()


def _heads_columns(cell: HtmlElement) -> bool:
    """Whether a heading cell stands in the heading of its table, or in a row of nothing else."""
    row = cell.getparent()
    part = row.getparent() if row is not None else None
    return row is None or part is None or part.tag == "thead" or all(one.tag == "th" for one in row)


def _box(table: HtmlElement) -> None:
    """Put a table into its box. Its padding is an attribute: a style would cost every cell."""
    table.set("cellpadding", "8")
    parent = table.getparent()
    if parent is None or any(above.tag == "table" for above in table.iterancestors()):
        return
    box = table.makeelement("div", {"class": SCROLL_CLASS})
    box.tail, table.tail = table.tail, None
    parent.replace(table, box)
    box.append(table)


def _name_the_source(quotation: HtmlElement) -> None:
    """A quotation whose last line starts with a dash is one with its source: "— Ada Reyes, harbour master".

    Not where several lines do: those are people talking.
    """
    last = quotation[-1] if len(quotation) else None
    if last is None or last.tag != "p" or (last.tail or "").strip() or _dash_lines(quotation) != 1:
        return
    if not _DASH.match(last.text or ""):
        by = _cut_off(last)
    elif last.getprevious() is not None and len(last.text_content()) <= MAX_BY:
        by = last
    else:
        by = None
    if by is not None:
        by.text = _DASH.sub("— ", by.text or "", count=1)
        by.set("class", f"muted {BY_CLASS}")
        quotation.set("class", PULL_CLASS)


def _dash_lines(quotation: HtmlElement) -> int:
    return sum(bool(_DASH.match(line)) for block in quotation.iter("p") for line in _lines(block))


def _lines(block: HtmlElement) -> Iterator[str]:
    """The lines of a paragraph as its author wrote them: ``br`` and a line feed both end one."""
    text = block.text or ""
    for child in block:
        text += "\n" if child.tag == "br" else child.text_content()
        text += child.tail or ""
    return iter(text.split("\n"))


def _cut_off(paragraph: HtmlElement) -> HtmlElement | None:
    """A new paragraph, after this one, with its line that starts with a dash and what follows it.

    Nothing is changed, and None returned, where no such line starts between the inline elements or where it is too
    long for a source.
    """
    places: list[tuple[HtmlElement | None, str]] = [(None, paragraph.text or "")]
    places += [(child, child.tail or "") for child in paragraph]
    for number in range(len(places) - 1, -1, -1):
        child, text = places[number]
        if child is not None and child.tag == "br":
            text = "\n" + text.lstrip("\n")
        found = None
        for found in _DASH_LINE.finditer(text):  # noqa: B007  # the last one is wanted
            pass
        if found is None:
            continue
        rest = [one for one, _ in places[number + 1 :] if one is not None]
        if len(text) - found.end() + sum(len(one.text_content()) + len(one.tail or "") for one in rest) > MAX_BY:
            return None
        by = paragraph.makeelement("p", {})
        by.text = text[found.end() :]
        before = text[: found.start()].rstrip()
        if child is None:
            paragraph.text = before
        elif child.tag == "br" and not before:
            child.tail = None
            child.drop_tree()
        else:
            child.tail = before.removeprefix("\n")
        by.extend(rest)
        by.tail, paragraph.tail = paragraph.tail, "\n"
        paragraph.addnext(by)
        return by
    return None
