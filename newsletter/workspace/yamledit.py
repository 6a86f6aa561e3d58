"""Edits of a YAML text at the places of its nodes: everything else keeps its bytes.

Each function yields texts to try, the least intrusive first. The caller (``frontmatter.Document``) reads each
one again and takes the first that says exactly what was meant, so a strange layout can cost tidiness, never data.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Any

from newsletter.workspace import yamltext
from newsletter.workspace.yamlnodes import List, Node, Scalar, Table, child

Path = Sequence[str | int]


def setting(text: str, root: Node | None, path: Path, value: Any, eol: str) -> Iterator[str]:
    """Texts in which ``path`` is ``value``: the node replaced, or a key appended to the deepest table there is."""
    depth = _resolved(root, path)
    if depth == len(path):
        yield from _replacing(text, root, path, value, eol)
        return
    for step in reversed(path[depth + 1 :]):
        value = [value] if isinstance(step, int) else {step: value}
    parent, missing = _at(root, path[:depth]), path[depth]
    if root is None:
        yield from _at_the_end(text, missing, value, eol)
    elif isinstance(parent, Table) and isinstance(missing, str):
        yield from _appending(text, root, parent, path[:depth], missing, value, eol)
    elif isinstance(parent, List) and isinstance(missing, int):
        yield from inserting(text, root, path[:depth], missing, value, eol)
    elif isinstance(parent, Scalar) and parent.empty:
        filled = [value] if isinstance(missing, int) else {missing: value}
        yield from _replacing(text, root, path[:depth], filled, eol)


def inserting(text: str, root: Node | None, path: Path, index: int, value: Any, eol: str) -> Iterator[str]:
    """Texts in which the list at ``path`` has ``value`` at ``index``; the items after it move up by one."""
    node = _at(root, path)
    if not isinstance(node, List):
        return
    if node.flow:
        written = yamltext.flow(value)
        if not node.items:
            yield _spliced(text, node.start + 1, node.start + 1, written)
        elif index < len(node.items):
            yield _spliced(text, node.items[index].start, node.items[index].start, f"{written}, ")
        else:
            yield _spliced(text, node.items[-1].end, node.items[-1].end, f", {written}")
        return
    lines = "".join(line + eol for line in yamltext.block([value], _column(text, node.start), len(path)))
    if index > 0:
        at = _next_line(text, node.items[index - 1].stop)
    else:
        at = _line_start(text, node.start)
    yield _spliced(text, at, at, lines)


def deleting(text: str, root: Node | None, path: Path, eol: str) -> Iterator[str]:
    """Texts without the entry or item at ``path``."""
    parent, last = _at(root, path[:-1]), path[-1]
    if isinstance(parent, Table):
        position = next(i for i, e in enumerate(parent.entries) if e.key.value == last)
        spans = [(e.key.start, e.value.end, e.value.stop) for e in parent.entries]
    elif isinstance(parent, List) and isinstance(last, int):
        position = last
        spans = [(i.start if parent.flow else _dash(text, i.start), i.end, i.stop) for i in parent.items]
    else:
        return
    start, end, stop = spans[position]
    if len(spans) == 1 and len(path) > 1:
        yield from _replacing(text, root, path[:-1], {} if isinstance(parent, Table) else [], eol)
    elif parent.flow and position > 0:
        yield _spliced(text, spans[position - 1][1], end, "")
    elif parent.flow and len(spans) > 1:
        yield _spliced(text, start, spans[1][0], "")
    elif not parent.flow and not text[_line_start(text, start) : start].strip():
        yield _spliced(text, _line_start(text, start), _next_line(text, stop), "")
    elif len(spans) > 1:
        yield _spliced(text, start, spans[1][0], "")


def _replacing(text: str, root: Node | None, path: Path, value: Any, eol: str) -> Iterator[str]:
    node = _at(root, path)
    if node is None or not path:
        return
    in_flow = any(getattr(_at(root, path[:n]), "flow", False) for n in range(len(path)))
    depth = 0 if isinstance(path[-1], int) else len(path)
    line = yamltext.flow(value) if in_flow else yamltext.on_one_line(value, depth)
    if isinstance(node, Scalar) and isinstance(value, str):
        line = yamltext.scalar(value, flow=in_flow, style=node.style)
    column = _key_column(text, root, path) + 2
    lines = [" " * column + line] if line is not None else yamltext.block(value, column, len(path))
    if line is not None and _is_empty(node):
        yield _spliced(text, node.start, node.start, (" " if text[node.start - 1] in ":-" else ": ") + line)
    elif line is not None and (isinstance(node, Scalar) or node.flow):
        yield _spliced(text, node.start, node.end, line)
    else:
        yield from _with_lines(text, node, lines, line, eol)


def _with_lines(text: str, node: Node, lines: list[str], line: str | None, eol: str) -> Iterator[str]:
    """The old or the new value takes lines of its own."""
    before = len(text[: node.start].rstrip())
    sign = text[before - 1]
    if line is not None and sign in ":-":
        yield _spliced(text, before, node.end, f" {line}")
    elif sign == "-":
        yield _spliced(text, before, node.end, " " + eol.join(lines).lstrip(" "))
    elif sign == ":":
        yield _spliced(text, before, node.end, eol + eol.join(lines))
    else:  # a comment stands between the key and its value
        yield _spliced(text, _line_start(text, node.start), node.end, eol.join(lines))


def _key_column(text: str, root: Node | None, path: Path) -> int:
    """The column of the key, or of the dash, before the value at ``path``."""
    parent, last = _at(root, path[:-1]), path[-1]
    if isinstance(parent, Table):
        return next(_column(text, e.key.start) for e in parent.entries if e.key.value == last)
    node = _at(root, path)
    assert node is not None
    return _column(text, _dash(text, node.start))


def _appending(text: str, root: Node | None, table: Table, path: Path, key: str, value: Any, eol: str) -> Iterator[str]:
    in_flow = any(getattr(_at(root, path[:n]), "flow", False) for n in range(len(path) + 1))
    if in_flow:
        written = f"{yamltext.scalar(key, flow=True)}: {yamltext.flow(value)}"
        if table.entries:
            at = table.entries[-1].value.end
            yield _spliced(text, at, at, f", {written}")
        else:
            yield _spliced(text, table.start + 1, table.start + 1, written)
        return
    column = _column(text, table.entries[0].key.start)
    lines = "".join(line + eol for line in yamltext.block({key: value}, column, len(path)))
    if not path:
        for at in _places_kept_for(text, key):
            yield _spliced(text, at, at, lines)
    at = _next_line(text, table.stop)
    yield _spliced(text, at, at, lines)


def _at_the_end(text: str, key: str | int, value: Any, eol: str) -> Iterator[str]:
    lines = "".join(line + eol for line in yamltext.block({key: value}, 0))
    for at in _places_kept_for(text, str(key)):
        yield _spliced(text, at, at, lines)
    yield text + lines


def _places_kept_for(text: str, key: str) -> Iterator[int]:
    """After each commented line that holds the place of the key: ``# subject: …``."""
    for match in re.finditer(rf"^#[ \t]?{re.escape(key)}:[^\n]*\n", text, re.MULTILINE):
        yield match.end()


def _resolved(root: Node | None, path: Path) -> int:
    """How many steps of ``path`` exist."""
    node = root
    for count, step in enumerate(path):
        node = child(node, step)
        if node is None:
            return count
    return len(path)


def _at(root: Node | None, path: Path) -> Node | None:
    node = root
    for step in path:
        node = child(node, step)
    return node


def _is_empty(node: Node) -> bool:
    return isinstance(node, Scalar) and node.empty


def _spliced(text: str, start: int, end: int, new: str) -> str:
    return text[:start] + new + text[end:]


def _line_start(text: str, index: int) -> int:
    return text.rfind("\n", 0, index) + 1


def _next_line(text: str, index: int) -> int:
    """The start of the line after ``index``; ``index`` itself when it stands at the start of one."""
    if index > 0 and text[index - 1] == "\n":
        return index
    found = text.find("\n", index)
    return len(text) if found < 0 else found + 1


def _column(text: str, index: int) -> int:
    return index - _line_start(text, index)


def _dash(text: str, start: int) -> int:
    """Where the ``-`` of a block list's item is; the item itself when something stands between."""
    before = len(text[:start].rstrip())
    return before - 1 if before and text[before - 1] == "-" else start
