"""Which tables of a page are for looks and which hold data, and what stands around an element for Word alone."""

from __future__ import annotations

from typing import Any

from newsletter.checks.page import Element

_SILENT = ("presentation", "none")
_BLOCKS = ("table", "img", "h1", "h2", "h3", "h4", "h5", "h6", "p", "div")


def is_silent(table: Element) -> bool:
    """The table tells screen readers that it is for looks alone."""
    return table.attributes.get("role", "").strip().lower() in _SILENT


def has_headers(table: Element) -> bool:
    """The table has header cells of its own."""
    return any(cell.tag == "th" for row in own_rows(table.node) for cell in row)


def holds_data(table: Element) -> bool:
    """It has header cells, or at least two rows of two cells with nothing but words in them."""
    if has_headers(table):
        return True
    if sum(len(row) > 1 for row in own_rows(table.node)) < 2:
        return False
    return not has_blocks(table)


def has_blocks(table: Element) -> bool:
    """Paragraphs, headings, pictures or tables stand in its cells."""
    return next(table.node.iterdescendants(*_BLOCKS), None) is not None


def own_rows(table: Any) -> list[list[Any]]:
    """The cells of a table by row, without those of tables inside it."""
    groups = [table, *(child for child in table if child.tag in ("thead", "tbody", "tfoot"))]
    rows = [row for group in groups for row in group if row.tag == "tr"]
    return [[cell for cell in row if cell.tag in ("td", "th")] for row in rows]


def comment_before(node: Any) -> str:
    """The comment right before an element, with nothing but blanks and marks of stories between; "" without one."""
    previous = node.getprevious()
    while previous is not None and not isinstance(previous.tag, str) and not (previous.tail or "").strip():
        text = str(previous.text or "")
        if text.startswith("[if"):
            return text
        previous = previous.getprevious()
    return ""
