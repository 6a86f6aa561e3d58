"""YAML as nodes with their places in the text. Every scalar stays the string it is.

YAML 1.1 reads ``title: No`` as false and ``number: 012`` as ten; here nothing is ever resolved. Anchors,
aliases and tags are refused: nobody writes them in front matter, and aliases make the "billion laughs".
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import yaml

MAX_DEPTH = 20

_PLAINLY = {
    "mapping values are not allowed here": "YAML takes the text before the colon for a key",
    "expected <block end>, but found '<scalar>'": "YAML ends the value before the end of the line",
    "expected <block end>, but found '<block mapping start>'": "this line is indented further than the lines around it",
    "could not find expected ':'": "this line is no `key: value`",
    "expected <block end>, but found ':'": "a value has no key before it",
    "expected '<document start>', but found '<block mapping start>'": "the front matter holds more than one document",
}


class YamlProblem(Exception):
    """A refusal with its place: ``index`` is the offset of the character in the text given to ``compose``."""

    def __init__(self, problem: str, index: int) -> None:
        super().__init__(problem)
        self.problem = problem
        self.index = index


class _Loader(yaml.BaseLoader):
    """PyYAML's composer in which anchors, aliases, tags and deep nesting are refused."""

    _depth = 0

    def compose_node(self, parent: yaml.Node | None, index: Any) -> yaml.Node | None:
        event = self.peek_event()  # type: ignore[no-untyped-call]  # PyYAML's stubs
        at = event.start_mark.index
        if isinstance(event, yaml.AliasEvent):
            raise YamlProblem("a value that starts with * is a YAML alias, which is not allowed", at)
        if getattr(event, "anchor", None) is not None:
            raise YamlProblem("a value that starts with & is a YAML anchor, which is not allowed", at)
        if getattr(event, "tag", None) is not None:
            raise YamlProblem("a value that starts with ! is a YAML tag, which is not allowed", at)
        if self._depth >= MAX_DEPTH:
            raise YamlProblem(f"lists and tables nested more than {MAX_DEPTH} deep", at)
        self._depth += 1
        try:
            return super().compose_node(parent, index)
        finally:
            self._depth -= 1


@dataclass(frozen=True, slots=True)
class Scalar:
    """``style`` is the quote or block sign, None for plain. Text is ``text[start:end]``; ``stop`` see ``Block``."""

    value: str
    style: str | None
    start: int
    end: int
    stop: int

    @property
    def empty(self) -> bool:
        """Nothing is written there: ``subject:``."""
        return self.style is None and self.value == ""


@dataclass(frozen=True, slots=True)
class Entry:
    """A key and its value."""

    key: Scalar
    value: Scalar | Table | List


@dataclass(frozen=True, slots=True)
class Table:
    """A mapping; ``flow`` when written in braces.

    ``start`` and ``end`` enclose what is written, without the comments and blank lines that follow; ``stop``
    is where something may be added after it (past the blank lines that belong to a literal block).
    """

    entries: tuple[Entry, ...]
    flow: bool
    start: int
    end: int
    stop: int

    def entry(self, key: object) -> Entry | None:
        """The entry of that key."""
        return next((e for e in self.entries if e.key.value == key), None)


@dataclass(frozen=True, slots=True)
class List:
    """A sequence; ``flow`` when written in brackets. The places are as in ``Table``."""

    items: tuple[Scalar | Table | List, ...]
    flow: bool
    start: int
    end: int
    stop: int


Node = Scalar | Table | List


@lru_cache(maxsize=256)
def compose(text: str) -> Node | None:
    """The one YAML document in ``text`` (None when there is nothing); raises ``YamlProblem``.

    Cached by the text itself: a live preview reads the same dozen files again at every key stroke.
    """
    try:
        loader = _Loader(text)
        try:
            node = loader.get_single_node()
        finally:
            loader.dispose()
    except yaml.reader.ReaderError as error:
        found = text[error.position]
        raise YamlProblem(f"the character U+{ord(found):04X} is not allowed", error.position) from error
    except yaml.MarkedYAMLError as error:
        raise _translated(error, text) from error
    return None if node is None else _converted(node, text)


def _translated(error: yaml.MarkedYAMLError, text: str) -> YamlProblem:
    problem = error.problem or str(error)
    opened, noticed = error.context_mark, error.problem_mark or error.context_mark
    # An unclosed quote or bracket is noticed later, even at the end of the file; the place to look is where it opened.
    in_brackets = "flow" in (error.context or "") and opened and noticed and opened.line < noticed.line
    if in_brackets:
        problem = "the bracket is not closed"
    unclosed = in_brackets or "unexpected end of stream" in problem or "document separator" in problem
    mark = opened if unclosed and opened else noticed
    index = mark.index if mark else 0
    if "\t" in text[index : index + 1]:
        return YamlProblem("a tab is used for indentation; YAML allows spaces only", index)
    return YamlProblem(_PLAINLY.get(problem, problem), index)


def _converted(node: yaml.Node, text: str) -> Node:
    start, end = node.start_mark.index, node.end_mark.index
    if isinstance(node, yaml.ScalarNode):
        if "\0" in node.value:
            raise YamlProblem("a NUL character is not allowed", start)
        trimmed = start + len(text[start:end].rstrip()) if node.style in {"|", ">"} else end
        return Scalar(node.value, node.style, start, trimmed, end)
    if isinstance(node, yaml.SequenceNode):
        items = tuple(_converted(item, text) for item in node.value)
        if node.flow_style or not items:
            return List(items, True, start, end, end)
        return List(items, False, start, items[-1].end, items[-1].stop)
    assert isinstance(node, yaml.MappingNode)
    entries = _entries(node, text)
    if node.flow_style or not entries:
        return Table(entries, True, start, end, end)
    return Table(entries, False, start, entries[-1].value.end, entries[-1].value.stop)


def _entries(node: yaml.MappingNode, text: str) -> tuple[Entry, ...]:
    entries: list[Entry] = []
    seen: set[str] = set()
    for key_node, value_node in node.value:
        at = key_node.start_mark.index
        if not isinstance(key_node, yaml.ScalarNode):
            raise YamlProblem("a key must be a word; here it is a list or a table", at)
        key = _converted(key_node, text)
        assert isinstance(key, Scalar)
        if not key.value:
            raise YamlProblem("a value has no key before it", at)
        if key.value in seen:
            raise YamlProblem(f"the key {key.value!r} is there twice", at)
        seen.add(key.value)
        entries.append(Entry(key, _converted(value_node, text)))
    return tuple(entries)


def to_data(node: Node | None) -> Any:
    """Plain dicts, lists and strings; what is written as nothing at all is None."""
    if node is None or (isinstance(node, Scalar) and node.empty):
        return None
    if isinstance(node, Scalar):
        return node.value
    if isinstance(node, List):
        return [to_data(item) for item in node.items]
    return {entry.key.value: to_data(entry.value) for entry in node.entries}


def child(node: Node | None, step: str | int) -> Node | None:
    """The value of a key, or the item of that index from 0; None when there is none."""
    if isinstance(node, Table):
        entry = node.entry(step)
        return entry.value if entry else None
    if isinstance(node, List) and isinstance(step, int) and 0 <= step < len(node.items):
        return node.items[step]
    return None
