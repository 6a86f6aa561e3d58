"""A small, independent reading of a theme's style sheets: rules with their lines, blocks to keep, fewer bytes.

Independent on purpose: the inliner's own parser drops what it does not understand without a word, so the
self-check must not learn from it what the sheet says.
"""

from __future__ import annotations

import itertools
import re
from dataclasses import dataclass
from functools import lru_cache

from newsletter.errors import ThemeError

KEPT_LIMIT = 16 * 1024
"""Bytes of one kept <style> block: Gmail drops a larger one (caniemail: html-style)."""

_MOVE = "move the rule to client.css, which is kept as it is"
_NEXT_BLOCK = re.compile(r"/\*\s*next block\b.*?\*/", re.IGNORECASE | re.DOTALL)
_TOKEN = re.compile(
    r"""(?P<comment>/\*.*?(?:\*/|\Z)) | (?P<string>"(?:[^"\\]|\\.)*+"|'(?:[^'\\]|\\.)*+')
        | (?P<mark>[{};]) | (?P<plain>[^{};"'/]++|.)""",
    re.VERBOSE | re.DOTALL,
)


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule of style.css: ``line`` counts from 1; ``declarations`` are (property, value) as written."""

    selectors: tuple[str, ...]
    declarations: tuple[tuple[str, str], ...]
    line: int

    @property
    def body(self) -> str:
        """The declarations as CSS."""
        return ";".join(f"{name}:{value}" for name, value in self.declarations)


@lru_cache(maxsize=32)
def inlinable_rules(css: str, file: str) -> tuple[Rule, ...]:
    """The rules of style.css, which the inliner puts into every element they match.

    Raises ThemeError with the line for what the inliner loses or breaks, each measured with premailer 3.10:
    @-rules, pseudo-classes, ``*``, quotes or commas in attribute selectors, one property twice in a rule.
    """
    rules = []
    for prelude, body, line in _blocks(css, file):
        where = f"{file}:{line}"
        if prelude.startswith("@"):
            raise ThemeError(f"style.css cannot hold {prelude.split()[0]}: it is inlined", where=where, fix=_MOVE)
        selectors = tuple(" ".join(part.split()) for part in prelude.split(","))
        for selector in selectors:
            _refuse_unsafe(selector, where)
        declarations = split_declarations(body)
        _refuse_lossy(declarations, prelude, where)
        if declarations:
            rules.append(Rule(selectors, declarations, line))
    return tuple(rules)


def _refuse_unsafe(selector: str, where: str) -> None:
    if not selector:
        raise ThemeError("a rule without a selector", where=where, fix="write the selector, or remove the comma")
    for wrong, what in (
        (":", "a pseudo-class"),
        ("*", "the selector *"),
        ('"', "a quoted attribute"),
        ("'", "a quoted attribute"),
    ):
        if wrong in selector:
            raise ThemeError(f"{what} cannot be inlined: {selector}", where=where, fix=_MOVE)
    if selector.count("[") != selector.count("]"):
        raise ThemeError(f"a comma inside [ ] breaks the inliner: {selector}", where=where, fix=_MOVE)


def _refuse_lossy(declarations: tuple[tuple[str, str], ...], prelude: str, where: str) -> None:
    names = [name for name, _ in declarations]
    for name, value in declarations:
        if not name or not value:
            raise ThemeError(
                f"this declaration of {prelude} is not complete: {name}:{value}", where=where, fix="write name: value;"
            )
        if names.count(name) > 1:
            fix = "one would be lost: use two different properties, such as background-color and background-image"
            raise ThemeError(f"{prelude} sets {name} twice", where=where, fix=fix)


def _blocks(css: str, file: str) -> list[tuple[str, str, int]]:
    """(prelude, body, line of the prelude) of every top-level rule; a nested block belongs to the outer body."""
    found: list[tuple[str, str, int]] = []
    prelude: list[str] = []
    body: list[str] = []
    depth = 0
    line = start = 1
    for token in _TOKEN.finditer(css):
        text = token.group()
        if token["mark"] == "{":
            depth += 1
        elif token["mark"] == "}":
            depth -= 1
            if depth < 0:
                raise ThemeError("a } without its {", where=f"{file}:{line}", fix="remove it")
            if depth == 0:
                found.append(("".join(prelude).strip(), "".join(body), start))
                prelude, body = [], []
        elif token["mark"] == ";" and depth == 0:
            found.append(("".join(prelude).strip(), "", start))
            prelude = []
        elif not token["comment"]:
            target = body if depth else prelude
            if target is prelude and not "".join(prelude).strip():
                start = line + text[: len(text) - len(text.lstrip())].count("\n")
            target.append(text)
        if depth and text in "{};" and not (text == "{" and depth == 1):
            body.append(text)
        line += text.count("\n")
    if depth or "".join(prelude).strip():
        raise ThemeError("the last rule is not closed", where=f"{file}:{start}", fix="add the missing }")
    return found


@lru_cache(maxsize=8192)
def split_declarations(style: str) -> tuple[tuple[str, str], ...]:
    """The (property, value) pairs of a style attribute or a rule's body; names in lower case, comments dropped."""
    parts: list[list[str]] = [[]]
    depth = 0
    for token in _TOKEN.finditer(style):
        text = token.group()
        if token["plain"]:
            depth = max(0, depth + text.count("(") - text.count(")"))
        if token["mark"] == ";" and not depth:
            parts.append([])
        elif not token["comment"]:
            parts[-1].append(text)
    pairs = []
    for part in parts:
        declaration = "".join(part).strip()
        if declaration:
            name, _, value = declaration.partition(":")
            pairs.append((name.strip().lower(), value.strip()))
    return tuple(pairs)


@lru_cache(maxsize=32)
def kept_blocks(css: str, file: str) -> tuple[str, ...]:
    """client.css as the blocks that go into a <style> each: a client that drops one keeps the others.

    A comment that starts with ``next block`` divides them. Raises ThemeError for a block that Gmail would drop
    (larger than ``KEPT_LIMIT``, an @-rule inside an @-rule) and for ``</`` or ``<!--``, which would end the style.
    """
    blocks = []
    line = 1
    for part in _split_at_marks(css):
        if "</" in part or "<!--" in part:
            raise ThemeError("client.css holds HTML", where=file, fix="write CSS only")
        for prelude, body, at in _blocks(part, file):
            if prelude.startswith("@") and "@" in _without_strings(body):
                fix = "Gmail drops the whole block: write the two conditions into one @media"
                raise ThemeError("an @-rule inside an @-rule", where=f"{file}:{line + at - 1}", fix=fix)
        small = smaller(part)
        if len(small.encode()) > KEPT_LIMIT:
            fix = "divide it with a comment that starts with: next block"
            raise ThemeError(f"a block of client.css has {len(small):,} characters", where=f"{file}:{line}", fix=fix)
        if small:
            blocks.append(small)
        line += part.count("\n")
    return tuple(blocks)


def _split_at_marks(css: str) -> list[str]:
    starts = [0, *(found.start() for found in _NEXT_BLOCK.finditer(css)), len(css)]
    return [css[start:end] for start, end in itertools.pairwise(starts)]


def _without_strings(css: str) -> str:
    return "".join(token.group() for token in _TOKEN.finditer(css) if not token["string"] and not token["comment"])


def smaller(css: str) -> str:
    """The same style sheet without comments and without the blanks that mean nothing; one top-level rule a line."""
    out: list[str] = []
    depth = 0
    for token in _TOKEN.finditer(css):
        if token["comment"]:
            continue
        depth += {"{": 1, "}": -1}.get(token.group(), 0)
        out.append(token.group() + ("\n" if token.group() == "}" and depth == 0 else ""))
    return _squeeze("".join(out))


def _squeeze(css: str) -> str:
    """Blanks around { } ; , and after a property's colon go, outside of strings."""
    pieces = re.split(r"""("(?:[^"\\]|\\.)*+"|'(?:[^'\\]|\\.)*+')""", css)
    for at in range(0, len(pieces), 2):
        lines = re.sub(r"[ \t]*\n\s*", "\n", pieces[at])
        lines = re.sub(r"(?<=[{};,])[ \t]+|[ \t]+(?=[{};,])", "", lines)
        lines = re.sub(r"([{;][a-zA-Z-]+):[ \t]+", r"\1:", lines)
        pieces[at] = lines.replace(";}", "}")
    return "".join(pieces).strip()
