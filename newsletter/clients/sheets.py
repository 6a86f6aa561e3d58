"""Style sheets as a client rewrites them: at-rules, selectors, declarations, each kept, changed or dropped."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import tinycss2

from newsletter.clients.declarations import Declaration, declarations_of, written

Tokens = Sequence[Any]


@dataclass(frozen=True, slots=True)
class Rewriter:
    """What becomes of each part of a style sheet; every function gives back the part, or None to drop it.

    ``at_rule`` gets the keyword in lower case, the prelude and the number of rules inside; ``selectors`` the parts of a
    rule's selector list, each as tokens; ``declaration`` one declaration.
    """

    at_rule: Callable[[str, str, int], str | None] = lambda _keyword, prelude, _rules: prelude
    selectors: Callable[[Sequence[Tokens]], str | None] = lambda parts: ",".join(text_of(part) for part in parts)
    declaration: Callable[[Declaration], Declaration | None] = lambda declaration: declaration

    def __call__(self, css: str) -> str:
        """The style sheet that is left; what does not parse is dropped, as a browser does."""
        return "\n".join(self._rules(parsed(css)))

    def _rules(self, nodes: Tokens) -> Iterator[str]:
        for node in nodes:
            if node.type == "qualified-rule":
                yield from self._rule(node)
            elif node.type == "at-rule":
                yield from self._at_rule(node)

    def _rule(self, node: Any) -> Iterator[str]:
        selector = self.selectors(split(node.prelude))
        if selector is not None:
            found = [self.declaration(declaration) for declaration in _declarations(node)]
            kept = [declaration for declaration in found if declaration is not None]
            if kept:
                yield f"{selector}{{{written(kept)}}}"

    def _at_rule(self, node: Any) -> Iterator[str]:
        inner = inside(node)
        prelude = self.at_rule(node.lower_at_keyword, text_of(node.prelude), count_rules(inner))
        if prelude is None:
            return
        head = f"@{node.lower_at_keyword} {prelude}"
        if node.content is None:
            yield f"{head};"
        elif inner:
            body = "\n".join(self._rules(inner))
            if body:
                yield f"{head}{{\n{body}\n}}"
        else:
            yield f"{head}{{{text_of(node.content)}}}"


@lru_cache(maxsize=64)
def parsed(css: str) -> tuple[Any, ...]:
    """The nodes of a style sheet, without comments and blanks. Nobody may change them."""
    return tuple(tinycss2.parse_stylesheet(css, skip_comments=True, skip_whitespace=True))


def inside(node: Any) -> Tokens:
    """The rules inside an at-rule that has rules; nothing for ``@font-face``, ``@page`` and what has no body."""
    if node.content is None or node.lower_at_keyword not in ("media", "supports", "layer", "container", "document"):
        return ()
    return tuple(tinycss2.parse_rule_list(node.content, skip_comments=True, skip_whitespace=True))


def count_rules(nodes: Tokens) -> int:
    """How many style rules there are, at any depth."""
    return sum(1 if n.type == "qualified-rule" else count_rules(inside(n)) if n.type == "at-rule" else 0 for n in nodes)


def _declarations(node: Any) -> Sequence[Declaration]:
    return declarations_of(contents(node))


def contents(node: Any) -> Tokens:
    """What stands between a rule's braces, errors included."""
    return tuple(tinycss2.parse_blocks_contents(node.content, skip_comments=True, skip_whitespace=True))


def split(prelude: Tokens) -> list[Tokens]:
    """The parts of a selector list, without the blanks around them."""
    parts: list[list[Any]] = [[]]
    for token in prelude:
        if token.type == "literal" and token.value == ",":
            parts.append([])
        elif token.type != "comment" and (token.type != "whitespace" or parts[-1]):
            parts[-1].append(token)
    for part in parts:
        while part and part[-1].type == "whitespace":
            part.pop()
    return list(parts)


def text_of(tokens: Tokens) -> str:
    """Tokens as CSS."""
    return str(tinycss2.serialize(tokens)).strip()


def attribute_selectors(part: Tokens) -> list[str]:
    """The insides of ``[…]`` in a selector."""
    return [text_of(token.content) for token in part if token.type == "[] block"]


def pseudos(part: Tokens) -> list[str]:
    """The pseudo-classes and pseudo-elements of a selector in lower case, without colons and arguments."""
    found = []
    for before, token in zip(part, [*part[1:], None], strict=False):
        if before.type == "literal" and before.value == ":" and token is not None:
            if token.type == "ident":
                found.append(str(token.lower_value))
            elif token.type == "function":
                found.append(str(token.lower_name))
    return found


def combinators(part: Tokens) -> set[str]:
    """The combinators other than the blank, and ``*`` for the universal selector."""
    return {token.value for token in part if token.type == "literal" and token.value in "+>~*|"}
