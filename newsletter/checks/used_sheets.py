"""The uses of features in a kept style sheet: it adds to what is inlined, so what is lost with it is decoration."""

from __future__ import annotations

import dataclasses
import functools
import re
from collections.abc import Iterator, Sequence
from typing import Any

from newsletter.checks import features as table
from newsletter.checks.features import Loss
from newsletter.checks.used_styles import PREFIX, Use, declared, serialized, short, use_of

_PSEUDO = re.compile(r"::?([a-z-]+)")
_LOOKS = (
    ("css-selector-attribute", re.compile(r"\[")),
    ("css-selector-child", re.compile(r">")),
    ("css-selector-adjacent-sibling", re.compile(r"\+")),
    ("css-selector-general-sibling", re.compile(r"~(?!=)")),
    ("css-selector-universal", re.compile(r"(?<![|^$~*])\*(?!=)")),
    ("css-selector-grouping", re.compile(r",")),
    ("css-selector-id", re.compile(r"#[\w-]")),
    ("css-selector-class", re.compile(r"\.[a-zA-Z_-]")),
    ("css-selector-chaining", re.compile(r"[.#][\w-]+[.#]")),
    ("css-selector-type", re.compile(r"(?:^|[\s>+~,])[a-zA-Z]")),
    ("css-selector-descendant", re.compile(r"[\w\])]\s+[\w.#\[:*]")),
)


@functools.lru_cache(maxsize=64)
def of_style_sheet(css: str) -> tuple[Use, ...]:
    """The uses of a ``<style>``; cached, since every check of an issue reads the same few."""
    import tinycss2

    found = [use_of("html-style", "<style>")]
    if "/*" in css:
        found.append(use_of("css-comments", "/* */"))
    for node in tinycss2.parse_stylesheet(css, skip_comments=True, skip_whitespace=True):
        found += _of_rule(node, chosen=False)
    return tuple(found)


def _of_rule(node: Any, *, chosen: bool) -> Iterator[Use]:
    """The uses of one rule. ``chosen``: inside an at-rule, where nothing is lost with it but what it adds."""
    import tinycss2

    if node.type == "qualified-rule":
        yield from _of_selector(serialized(node.prelude))
        for written in declared(serialized(node.content)):
            yield _kept(written.use, chosen)
    elif node.type == "at-rule":
        keyword = PREFIX.sub("", node.lower_at_keyword, count=1)
        if keyword in table.AT_RULES:
            yield use_of(table.AT_RULES[keyword], f"@{keyword}")
        if keyword == "media":
            yield from _of_media(node.prelude)
        if node.content and keyword in ("media", "supports"):
            for inner in tinycss2.parse_rule_list(node.content, skip_comments=True, skip_whitespace=True):
                yield from _of_rule(inner, chosen=True)


def _kept(use: Use, chosen: bool) -> Use:
    """A style sheet adds to what is inlined: what is lost with it is at most decoration."""
    if use.loss is Loss.FINE or use.feature == "css-nesting":
        return use
    return dataclasses.replace(use, loss=Loss.FINE if chosen or use.cured else Loss.LOOK)


def _of_media(prelude: Sequence[Any]) -> Iterator[Use]:
    for token in prelude:
        for inner in token.content if token.type == "() block" else ():
            if inner.type == "ident" and inner.lower_value in table.MEDIA:
                yield use_of(table.MEDIA[inner.lower_value], f"@media ({inner.value})")


def _of_selector(selector: str) -> Iterator[Use]:
    for feature, looks in _LOOKS:
        if looks.search(selector):
            yield use_of(feature, short(selector))
    for name in _PSEUDO.findall(selector):
        if name in table.PSEUDO:
            yield use_of(table.PSEUDO[name], f":{name}")
