"""Front matter that is edited without touching a byte that was not meant.

A document is an optional byte order mark, ``---``, YAML, ``---`` and a body. Every scalar is a string; what
it means is for the reader's own types (``typed``). An edit returns a new ``Document``: its text is spliced at the
places of the YAML nodes, read again, and refused unless it now says exactly what was asked.
"""

from __future__ import annotations

import copy
import re
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, TypeVar

import msgspec

from newsletter.errors import BadData, FrontMatterError, NotFound
from newsletter.workspace import yamledit, yamltext
from newsletter.workspace.shapes import misfit
from newsletter.workspace.yamlhelp import fix_for
from newsletter.workspace.yamlnodes import Node, Scalar, Table, YamlProblem, child, compose, to_data

T = TypeVar("T")

MAX_BYTES = 256 * 1024
"""The most that the front matter, and that the body, may have."""

_BOM = "\ufeff"
_OPENING = re.compile(r"---[ \t]*\r?\n")
_CLOSING = re.compile(r"^---[ \t]*\r?(?:\n|\Z)", re.MULTILINE)
_KEY_LINE = re.compile(r"[A-Za-z_][\w-]*:(?:[ \t]|\r?\n)")


class Document:
    """A text with front matter. ``data`` is a nested dict of dicts, lists, strings and None; treat it as read-only.

    ``file`` is the name that messages use. ``line_of`` and ``body_line`` count from 1 in the whole text.
    """

    __slots__ = ("_block", "_body_start", "_head", "_root", "body", "data", "file", "text")

    def __init__(self, text: str, file: str, *, required: bool = True) -> None:
        self.text = text
        self.file = file
        if "\0" in text:
            raise self._error("a NUL character is not allowed: this is no text file", text.index("\0"))
        self._head, block, self._body_start = self._split(required)
        self.body = text[self._body_start :]
        for part, name in ((block or "", "the front matter"), (self.body, "the body")):
            if len(part.encode("utf-8", "surrogatepass")) > MAX_BYTES:
                raise FrontMatterError(f"{name} is larger than 256 KB", where=file, fix="shorten it, or split it")
        self._block = block
        self._root: Node | None = self._composed(block, required)
        self.data: dict[str, Any] = to_data(self._root) or {}

    @classmethod
    def parse(cls, text: str, file: str, *, required: bool = True) -> Document:
        """Read a text. Without front matter: ``FrontMatterError`` if ``required``, else empty ``data``.

        Line ends and a byte order mark stay as they are. Raises ``FrontMatterError`` with file, line and fix.
        """
        return cls(text, file, required=required)

    @classmethod
    def read(cls, path: Path, file: str | None = None, *, required: bool = True) -> Document:
        """Read a file; ``file`` is its name in messages. Raises ``NotFound`` and ``FrontMatterError``."""
        return cls.decode(read_bytes(path), file or path.name, required=required)

    @classmethod
    def decode(cls, data: bytes, file: str, *, required: bool = True) -> Document:
        """Read the bytes of a UTF-8 file; raises ``FrontMatterError``."""
        try:
            text = data.decode("utf-8")
        except UnicodeDecodeError as error:
            line = data.count(b"\n", 0, error.start) + 1
            raise FrontMatterError("this is not UTF-8", where=f"{file}:{line}", fix="save the file as UTF-8") from error
        return cls(text, file, required=required)

    # -- reading

    def get(self, *path: str | int) -> Any:
        """The data at a path, or None."""
        node = self._node(path)
        return to_data(node)

    def line_of(self, *path: str | int) -> int | None:
        """The line of a key (its key, not its value) or of a list's item; None when it is not there."""
        if not path:
            return 1
        parent = self._node(path[:-1])
        if isinstance(parent, Table):
            entry = parent.entry(path[-1])
            return self._line(self._head + entry.key.start) if entry else None
        item = child(parent, path[-1])
        return self._line(self._head + item.start) if item else None

    def where(self, *path: str | int) -> str:
        """``file:line`` of a path, or of the nearest thing above it that is there."""
        for length in range(len(path), 0, -1):
            line = self.line_of(*path[:length])
            if line is not None:
                return f"{self.file}:{line}"
        return f"{self.file}:1"

    @property
    def body_line(self) -> int:
        """The line on which the body begins."""
        return self._line(self._body_start)

    # -- editing

    def set(self, path: Sequence[str | int], value: Any) -> Document:
        """A document in which ``path`` is ``value``, appended if it was not there; None deletes.

        Numbers, booleans and dates are written bare, strings in quotes wherever YAML needs them.
        """
        path = tuple(path)
        if value is None:
            return self.delete(path) if self._node(path) is not None else self
        value = yamltext.normalised(value)
        expected = _with(self.data, path, value)
        if expected == self.data:
            return self
        root, block = self._root, self._block or ""
        return self._edited(yamledit.setting(block, root, path, value, self._eol), expected, path)

    def delete(self, path: Sequence[str | int]) -> Document:
        """A document without the key or the item at ``path``; raises ``BadData`` when it is not there."""
        path = tuple(path)
        if self._node(path) is None:
            raise BadData(f"there is no {_dotted(path)}", where=self.file)
        expected = copy.deepcopy(self.data)
        parent = _walk(expected, path[:-1])
        del parent[path[-1]]
        return self._edited(yamledit.deleting(self._block or "", self._root, path, self._eol), expected, path)

    def insert(self, path: Sequence[str | int], index: int, value: Any) -> Document:
        """A document whose list at ``path`` has ``value`` at ``index`` (from 0); a missing list is made."""
        path = tuple(path)
        current = self.get(*path)
        if not current:
            return self.set(path, [value])
        if not isinstance(current, list) or not 0 <= index <= len(current):
            raise BadData(f"{_dotted(path)} has no place {index + 1}", where=self.where(*path))
        value = yamltext.normalised(value)
        expected = copy.deepcopy(self.data)
        _walk(expected, path).insert(index, value)
        texts = yamledit.inserting(self._block or "", self._root, path, index, value, self._eol)
        return self._edited(texts, expected, (*path, index))

    def with_body(self, body: str) -> Document:
        """A document with the same front matter and another body."""
        head = self.text[: self._body_start]
        if self._block is None:
            head += f"---{self._eol}---{self._eol}" if _OPENING.match(body) else ""
        elif not head.endswith("\n"):
            head += self._eol
        return Document(head + body, self.file, required=False)

    # -- within

    @property
    def _eol(self) -> str:
        first = self.text.find("\n")
        return "\r\n" if first > 0 and self.text[first - 1] == "\r" else "\n"

    def _split(self, required: bool) -> tuple[int, str | None, int]:
        """Where the YAML begins, the YAML (None without front matter) and where the body begins."""
        start = len(_BOM) if self.text.startswith(_BOM) else 0
        opening = _OPENING.match(self.text, start)
        if opening is None:
            if required:
                fix = "begin the file with a line `---`, then `key: value` lines, then another line `---`"
                raise FrontMatterError("the front matter is missing", where=f"{self.file}:1", fix=fix)
            return start, None, start
        closing = _CLOSING.search(self.text, opening.end())
        if closing is None:
            if required or _KEY_LINE.match(self.text, opening.end()):
                fix = "put a line `---` after the last `key: value` line"
                raise FrontMatterError("the front matter is not closed", where=f"{self.file}:1", fix=fix)
            return start, None, start
        return opening.end(), self.text[opening.end() : closing.start()], closing.end()

    def _composed(self, block: str | None, required: bool) -> Node | None:
        if block is None:
            return None
        try:
            root = compose(block)
        except YamlProblem as problem:
            raise self._error(problem.problem, self._head + problem.index) from problem
        if root is None or isinstance(root, Table):
            return root
        if not required and isinstance(root, Scalar) and root.style is None:
            # Prose between two rules of a Markdown file, not front matter.
            self._block, self._body_start = None, self._start()
            self.body = self.text[self._body_start :]
            return None
        raise self._error("front matter is `key: value` lines", self._head + root.start)

    def _start(self) -> int:
        return len(_BOM) if self.text.startswith(_BOM) else 0

    def _error(self, problem: str, index: int) -> FrontMatterError:
        line = self._line(index)
        return FrontMatterError(
            problem, where=f"{self.file}:{line}", fix=fix_for(self.text.split("\n")[line - 1], problem)
        )

    def _line(self, index: int) -> int:
        return self.text.count("\n", 0, index) + 1

    def _node(self, path: Iterable[str | int]) -> Node | None:
        node = self._root
        for step in path:
            node = child(node, step)
        return node

    def _edited(self, blocks: Iterable[str], expected: dict[str, Any], path: tuple[str | int, ...]) -> Document:
        """The first of ``blocks`` that reads as ``expected``; then whole tables and lists written anew."""
        for block in blocks:
            if found := self._if_it_says(block, expected):
                return found
        for length in range(len(path) - 1, 0, -1):
            whole = _walk(expected, path[:length])
            for block in yamledit.setting(self._block or "", self._root, path[:length], whole, self._eol):
                if found := self._if_it_says(block, expected):
                    return found
        raise FrontMatterError(
            f"cannot change {_dotted(path)} without disturbing the rest",
            where=self.where(*path),
            fix="edit this line by hand",
        )

    def _if_it_says(self, block: str, expected: dict[str, Any]) -> Document | None:
        if self._block is None:
            start = self._start()
            text = f"{self.text[:start]}---{self._eol}{block}---{self._eol}{self.text[start:]}"
        else:
            text = self.text[: self._head] + block + self.text[self._head + len(self._block) :]
        try:
            document = Document(text, self.file)
        except FrontMatterError:
            return None
        return document if document.data == expected and document.body == self.body else None


def read_bytes(path: Path) -> bytes:
    """The bytes of a file; raises ``NotFound`` when it is gone and ``BadData`` when it cannot be read."""
    try:
        return path.read_bytes()
    except FileNotFoundError as error:
        raise NotFound("there is no such file", where=str(path)) from error
    except OSError as error:
        raise BadData(f"cannot read it: {error.strerror}", where=str(path)) from error


def dump(data: Mapping[str, Any], body: str) -> str:
    """The text of a new file. Absent values (None) are left out; short lists of words stay on one line."""
    lines = yamltext.block(yamltext.normalised(data), 0)
    return "".join(f"{line}\n" for line in ["---", *lines, "---"]) + body


def typed(document: Document, cls: type[T]) -> T:
    """The document's data as ``cls`` (a msgspec type); an empty ``key:`` counts as absent.

    Raises ``FrontMatterError`` naming file, line, key and what was expected; did-you-mean where the
    class forbids unknown keys.
    """
    data = _without_empty(document.data)
    try:
        return msgspec.convert(data, cls, strict=False)
    except msgspec.ValidationError as error:
        wrong = misfit(error, cls, data, strict=False)
        what = f"{wrong.key}: {wrong.problem}" if wrong.path else wrong.problem
        raise FrontMatterError(what, where=document.where(*wrong.path), fix=wrong.hint) from error


def _without_empty(value: Any) -> Any:
    if isinstance(value, dict):
        return {k: _without_empty(v) for k, v in value.items() if v is not None}
    if isinstance(value, list):
        return [_without_empty(item) for item in value]
    return value


def _walk(data: Any, path: Sequence[str | int]) -> Any:
    for step in path:
        data = data[step]
    return data


def _with(data: dict[str, Any], path: Sequence[str | int], value: Any) -> dict[str, Any]:
    """A copy of ``data`` in which ``path`` is ``value``; tables and lists on the way are made."""
    result = copy.deepcopy(data)
    for step in reversed(range(1, len(path))):
        try:
            present = _walk(result, path[:step])
        except (KeyError, IndexError, TypeError):
            present = None
        if present is not None:
            _place(present, path[step], value, path)
            return result
        value = [value] if path[step] == 0 else {path[step]: value}
    result[str(path[0])] = value
    return result


def _place(container: Any, step: str | int, value: Any, path: Sequence[str | int]) -> None:
    if isinstance(container, dict) and isinstance(step, str):
        container[step] = value
    elif isinstance(container, list) and isinstance(step, int) and 0 <= step <= len(container):
        container[step : step + 1] = [value]
    else:
        raise BadData(f"{_dotted(path)} cannot be set: there is no place for it")


def _dotted(path: Sequence[str | int]) -> str:
    return "".join(f"[{s + 1}]" if isinstance(s, int) else f".{s}" for s in path).removeprefix(".") or "front matter"
