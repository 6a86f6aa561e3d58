"""HTML that was sanitised into Markdown that renders to the same words, headings, links, lists, tables and pictures."""

from __future__ import annotations

import re
from collections.abc import Iterator

from lxml.html import HtmlElement

from newsletter.articles.plain import clean, escape_inline, escape_line, escape_start

_DEEPEST = 40  # elements inside each other; beyond that only the words are kept
_BLOCKS = frozenset(
    {
        "address", "article", "aside", "blockquote", "dd", "details", "div", "dl", "dt", "figcaption", "figure",
        "footer", "h1", "h2", "h3", "h4", "h5", "h6", "header", "hr", "li", "main", "nav", "ol", "p", "pre", "section",
        "summary", "table", "tbody", "td", "tfoot", "th", "thead", "tr", "ul",
    }
)  # fmt: skip
_MARKS = {"strong": "**", "b": "**", "em": "*", "i": "*", "cite": "*"}
_SPACE = re.compile(r"[ \t\n\r\f]+")
_OUTER_MARKS = re.compile(r"^\*+|\*+(?=\s*$)")
_BLANK_LINE = re.compile(r"^[ \t]+$", re.MULTILINE)
LONGEST_CAPTION = 400
"""Characters of a caption that is the title of its picture; a longer one is a paragraph below it."""

_BREAK = "\x01"  # cleaned text has no control characters, so this can stand for <br>


def to_markdown(root: HtmlElement) -> str:
    """The children of ``root`` as Markdown; paragraphs are separated by blank lines, without a final newline."""
    return "\n\n".join(_blocks(root, 0))


def _blocks(parent: HtmlElement, depth: int) -> Iterator[str]:
    """The blocks inside an element; runs of inline content between them are paragraphs."""
    if depth > _DEEPEST:
        yield from _paragraph(_text(_text_of(parent)))
        return
    inline = [_text(parent.text)]
    for child in parent:
        if _has_blocks(child):
            yield from _paragraph("".join(inline))
            inline = []
            yield from _block(child, depth + 1)
        else:
            _join(inline, _inline(child, depth + 1))
        _join(inline, _text(child.tail))
    yield from _paragraph("".join(inline))


def _has_blocks(element: HtmlElement) -> bool:
    """Whether an element is a block, or an inline one (a link around a paragraph) that holds one."""
    return element.tag in _BLOCKS or next(element.iter(*_BLOCKS), None) is not None


def _block(element: HtmlElement, depth: int) -> Iterator[str]:
    tag = str(element.tag)
    if re.fullmatch(r"h[1-6]", tag):
        words = _one_line(_inline_of(element, depth))
        if words:
            # The headline is the only first-level heading of a story.
            yield f"{'#' * max(2, int(tag[1]))} {words}"
    elif tag in ("ul", "ol"):
        yield from _list(element, depth)
    elif tag == "blockquote":
        inner = "\n\n".join(_blocks(element, depth))
        if inner:
            yield "\n".join(f"> {line}".rstrip() for line in inner.split("\n"))
    elif tag == "pre":
        yield from _preformatted(element)
    elif tag == "table":
        yield from _table(element, depth)
    elif tag == "hr":
        yield "* * *"
    elif tag == "figure" and (picture := _captioned(element)):
        yield picture
    elif tag == "figcaption":
        words = _one_line(_text_of(element))
        if words:
            yield f"*{escape_inline(words)}*"
    else:
        yield from _blocks(element, depth)


def _list(element: HtmlElement, depth: int) -> Iterator[str]:
    items: list[str] = []
    for inner, nested in _items(element, depth):
        mark = f"{len(items) + 1}." if element.tag == "ol" else "-"
        # Python-Markdown counts nesting in steps of four blanks.
        indented = inner.replace("\n", "\n    ")
        if nested and items:
            items[-1] += f"\n    {indented}"
        else:
            items.append(f"{mark:<4}{indented}")
    items = [_BLANK_LINE.sub("", item) for item in items]
    if items:
        yield ("\n\n" if any("\n\n" in item for item in items) else "\n").join(items)


def _items(element: HtmlElement, depth: int) -> Iterator[tuple[str, bool]]:
    """The items of a list as Markdown; a list that stands between the items belongs to the one before it (True)."""
    for stray in _paragraph(_text(element.text)):
        yield stray, False
    for child in element:
        if child.tag == "li":
            nested_only = all(inner.tag in ("ul", "ol") for inner in child if _has_blocks(inner))
            inner = ("\n" if nested_only else "\n\n").join(_blocks(child, depth))
        else:
            inner = "\n\n".join(_block(child, depth + 1) if _has_blocks(child) else _paragraph(_inline(child, depth)))
        if inner:
            yield inner, child.tag in ("ul", "ol")
        for stray in _paragraph(_text(child.tail)):
            yield stray, False


def _preformatted(element: HtmlElement) -> Iterator[str]:
    lines = clean(_text_of(element)).strip("\n").split("\n")
    if any("{{" in line or "}}" in line or "{%" in line or "{#" in line for line in lines):
        # Inside code a backslash would be shown, so what looks like a merge field cannot be code.
        yield "  \n".join(escape_line(line.strip()) for line in lines if line.strip())
    elif any(line.strip() for line in lines):
        yield "\n".join(f"    {line}".rstrip() for line in lines)


def _table(element: HtmlElement, depth: int) -> Iterator[str]:
    if next((inner for inner in element.iter("table") if inner is not element), None) is not None:
        yield from _blocks(element, depth)  # a table around tables is layout, not data
        return
    rows = [[cell for cell in row if cell.tag in ("td", "th")] for row in element.iter("tr")]
    cells = [[_one_line(_inline_of(cell, depth)).replace("|", r"\|") for cell in row] for row in rows]
    cells = [row for row in cells if any(row)]
    yield from _paragraph(" ".join(_outside_cells(element)))
    width = max(map(len, cells), default=0)
    if width == 1:
        # A table of one column is layout, not data.
        for row in cells:
            yield from _paragraph(row[0])
    elif width:
        lines = [f"| {' | '.join(row + [''] * (width - len(row)))} |" for row in cells]
        yield "\n".join([lines[0], "|" + " --- |" * width, *lines[1:]])


def _inline_of(element: HtmlElement, depth: int) -> str:
    parts = [_text(element.text)]
    for child in element:
        _join(parts, _inline(child, depth + 1) + (" " if child.tag in _BLOCKS else ""))
        _join(parts, _text(child.tail))
    return "".join(parts)


def _outside_cells(table: HtmlElement) -> Iterator[str]:
    """Words of a table that are in no cell, such as a caption, which sanitising has unwrapped."""
    for part in table.iter("table", "thead", "tbody", "tfoot", "tr"):
        yield _text(part.text)
        for child in part:
            if child.tag not in ("thead", "tbody", "tfoot", "tr", "td", "th"):
                yield _text(_text_of(child))
            yield _text(child.tail)


def _join(parts: list[str], part: str) -> None:
    """Append a piece; two runs of marks that touch would be one run of another meaning, so the second goes."""
    if part.startswith("*") and parts and parts[-1].endswith("*"):
        part = _OUTER_MARKS.sub("", part)
    if part:
        parts.append(part)


def _inline(element: HtmlElement, depth: int) -> str:
    """An inline element as Markdown; one without a Markdown form is its content."""
    if depth > _DEEPEST:
        return _text(_text_of(element))
    tag = str(element.tag)
    if tag == "br":
        return _BREAK
    if tag == "img":
        return _image(element)
    if tag == "code":
        return _code(_text_of(element))
    inner = _inline_of(element, depth)
    if tag == "a":
        return _link(inner, element.get("href"))
    mark, words = _MARKS.get(tag), inner.strip()
    if mark is None or not words or _BREAK in words or "*" in words:
        return inner
    return f"{_lead(inner)}{mark}{words}{mark}{_trail(inner)}"


def _lead(text: str) -> str:
    return " " if text[:1].isspace() else ""


def _trail(text: str) -> str:
    return " " if text[-1:].isspace() else ""


def _code(text: str) -> str:
    words = _one_line(clean(text))
    if not words or "`" in words or re.search(r"\{\{|\}\}|\{[%#]", words):
        return escape_inline(words)
    return f"`{words}`"


def _captioned(figure: HtmlElement) -> str | None:
    """A figure of one picture as that picture with its caption for a title; None for any other figure."""
    pictures = list(figure.iter("img"))
    if len(pictures) != 1 or next(figure.iter("table", "blockquote", "pre", "ul", "ol", "h2", "h3"), None) is not None:
        return None
    for element in figure.iter("br", *_BLOCKS):
        element.tail = f" {element.tail or ''}"
    words = " ".join(_text_of(figure).split())
    if not 0 < len(words) <= LONGEST_CAPTION:
        return None
    link = next((above for above in pictures[0].iterancestors("a") if above.get("href")), None)
    picture = _image(pictures[0], clean(words))
    return _link(picture, link.get("href")) if picture and link is not None else picture or None


def _image(element: HtmlElement, caption: str = "") -> str:
    src = _address(element.get("src"))
    title = f' "{escape_inline(caption).replace(chr(34), "&quot;")}"' if caption else ""
    return f"![{escape_inline(_one_line(clean(element.get('alt') or '')))}]({src}{title})" if src else ""


def _link(inner: str, href: str | None) -> str:
    address, words = _address(href), inner.strip()
    if not address or not words or address.startswith("#"):
        return inner
    return f"{_lead(inner)}[{words.replace(_BREAK, ' ')}]({address}){_trail(inner)}"


def _address(value: str | None) -> str:
    """A link's target as it can stand between brackets: blanks, brackets, quotes and braces are percent-encoded."""
    return re.sub(r"[\s<>()\[\]\"'\\`*{}|^]", lambda found: f"%{ord(found.group()):02X}", clean(value or "").strip())


def _text(text: str | None) -> str:
    return escape_inline(_SPACE.sub(" ", clean(text))) if text else ""


def _text_of(element: HtmlElement) -> str:
    return "".join(str(part) for part in element.itertext())


def _one_line(text: str) -> str:
    return _SPACE.sub(" ", text.replace(_BREAK, " ")).strip()


def _paragraph(text: str) -> Iterator[str]:
    """A paragraph, unless it is empty; what was one line and begins like a list or a heading is escaped."""
    lines: list[str] = []
    for line in [*(_SPACE.sub(" ", line).strip() for line in text.split(_BREAK)), ""]:
        if line:
            lines.append(escape_start(line))
        elif lines:
            # Two breaks in a row are how pages without paragraphs set them.
            yield "  \n".join(lines)
            lines = []
