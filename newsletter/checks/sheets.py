"""Style sheets and style attributes as the checks read them: declarations with what they stand in."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

_DECLARATION = re.compile(r"""([\w-]+)\s*:\s*((?:"[^"]*"|'[^']*'|\([^()]*\)|[^;"'(])*)""")
_COMMENT = re.compile(r"/\*.*?(?:\*/|\Z)", re.DOTALL)
_PIXELS = re.compile(r"(-?\d+(?:\.\d+)?)(?:px)?\Z")
_DEEPEST = 4
"""At-rules inside at-rules that are still followed: clients give up at two."""


@dataclass(frozen=True, slots=True)
class Declared:
    """One declaration of a kept style sheet: its selectors as written, and the at-rules around it, outermost first."""

    selector: str
    name: str
    value: str
    important: bool
    under: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Sheet:
    """A kept ``<style>``. ``at_rules`` and ``nested`` are preludes such as ``@media (max-width: 480px)``."""

    declared: tuple[Declared, ...]
    at_rules: tuple[str, ...]
    nested: tuple[str, ...]


@lru_cache(maxsize=64)
def read_sheet(css: str) -> Sheet:
    """What a style sheet says, by the CSS standard's own error recovery."""
    import tinycss2

    declared: list[Declared] = []
    at_rules: list[str] = []
    nested: list[str] = []

    def read(rules: list[Any], under: tuple[str, ...]) -> None:
        for rule in rules:
            if rule.type == "at-rule":
                prelude = f"@{rule.lower_at_keyword} {tinycss2.serialize(rule.prelude).strip()}".strip()
                (nested if under else at_rules).append(prelude)
                if rule.content is not None and len(under) < _DEEPEST:
                    inner = tinycss2.parse_rule_list(rule.content, skip_comments=True, skip_whitespace=True)
                    read(inner, (*under, prelude))
            elif rule.type == "qualified-rule":
                selector = " ".join(tinycss2.serialize(rule.prelude).split())
                parts = tinycss2.parse_blocks_contents(rule.content, skip_comments=True, skip_whitespace=True)
                for part in parts:
                    if part.type == "declaration":
                        value = tinycss2.serialize(part.value).strip()
                        declared.append(Declared(selector, part.lower_name, value, part.important, under))

    read(tinycss2.parse_stylesheet(css, skip_comments=True, skip_whitespace=True), ())
    return Sheet(tuple(declared), tuple(at_rules), tuple(nested))


@lru_cache(maxsize=4096)
def inline(style: str) -> dict[str, str]:
    """The declarations of a style attribute by name, in lower case and without ``!important``; the last one stands."""
    found = _DECLARATION.findall(_COMMENT.sub(" ", style))
    return {name.lower(): re.sub(r"\s*!\s*important\s*\Z", "", value.strip().lower()) for name, value in found}


def pixels(value: str | None) -> float | None:
    """A length in CSS pixels, with or without the unit; None for everything else."""
    length = _PIXELS.match((value or "").strip())
    return float(length[1]) if length else None


def sides(style: dict[str, str], name: str) -> tuple[float, float, float, float]:
    """Padding or margin of a style attribute in pixels: (top, right, bottom, left); what is no length counts as 0."""
    values = [pixels(part) or 0.0 for part in style.get(name, "0").split()][:4] or [0.0]
    top, right = values[0], values[1 % len(values)]
    bottom, left = values[2] if len(values) > 2 else top, values[3] if len(values) > 3 else right
    named = [pixels(style.get(f"{name}-{side}")) for side in ("top", "right", "bottom", "left")]
    given = (top, right, bottom, left)
    return tuple(given[at] if value is None else value for at, value in enumerate(named))  # type: ignore[return-value]  # four by construction


def same_property(one: str, other: str) -> bool:
    """Whether two properties set the same thing, as ``padding`` and ``padding-left``, ``font`` and ``line-height``."""
    if {one, other} == {"font", "line-height"}:
        return True
    return one == other or one.startswith(f"{other}-") or other.startswith(f"{one}-")
