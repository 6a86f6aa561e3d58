"""Style sheets go into the elements: premailer, in the one configuration that loses nothing (the only import of it).

premailer is dangerous with its defaults. Measured with 3.10.0, each with a test:

- it strips ``!important`` from kept rules, drops ``[data-ogsc]``, ``.im``, ``@font-face``, ``@supports`` and
  ``@media (width<=600px)``, so it is given the inlinable rules only and client.css comes in after it;
- it forces ``width``, ``height`` and ``bgcolor`` attributes over those in the template, and turns ``text-align`` on a
  table into ``align``, which floats the table, so those attributes are switched off;
- it fetches ``<link>`` sheets and pretty-prints unless told not to; it logs every property it does not know;
- its cache holds 128 entries, which one newsletter overflows on every render.
"""

from __future__ import annotations

import logging
import os
import re
import threading
from functools import lru_cache
from typing import TYPE_CHECKING, Any, ClassVar

from newsletter.errors import ThemeError
from newsletter.rendering.css import Rule, inlinable_rules, split_declarations
from newsletter.rendering.selfcheck import Pairs, expect

if TYPE_CHECKING:
    from lxml.etree import _Element

_PREMAILER: dict[str, Any] = {
    "strip_important": True,
    "keep_style_tags": False,
    "remove_classes": False,
    "exclude_pseudoclasses": True,
    "disable_validation": True,
    "allow_network": False,
    "align_floating_images": False,
    "disable_basic_attributes": ["width", "height", "bgcolor", "align", "valign"],
    "cssutils_logging_level": logging.CRITICAL,
}

_SHEETS = 32
_AFTER_COMMA = re.compile(r"""("[^"]*"|'[^']*')|,\s+""")

# cssutils' parser is not safe in several threads, and premailer's selectors share one cache.
_LOCK = threading.Lock()


@lru_cache(maxsize=1)
def _inliner() -> Any:
    # Read once, when premailer is first imported; "LRU" because its default policy counts through every entry.
    os.environ.setdefault("PREMAILER_CACHE_MAXSIZE", "8192")
    os.environ.setdefault("PREMAILER_CACHE", "LRU")
    import cssutils  # type: ignore[import-untyped]  # it ships no types
    import premailer

    cssutils.log.setLevel(logging.CRITICAL)
    cssutils.ser.prefs.minimizeColorHash = False  # Outlook wants six digits

    class Inliner(premailer.Premailer):  # type: ignore[misc]  # premailer ships no types
        """premailer that keeps the rules it made of a style sheet: making them is half of its time."""

        _made: ClassVar[dict[tuple[str, int], Any]] = {}

        def _parse_style_rules(self, css_body: str, ruleset_index: int) -> Any:
            key = (css_body, ruleset_index)
            if key not in self._made:
                if len(self._made) >= _SHEETS:
                    self._made.clear()
                self._made[key] = super()._parse_style_rules(css_body, ruleset_index)
            return self._made[key]

    return Inliner


def inline(page: _Element, css: str, file: str) -> None:
    """Put the rules of ``css`` into the style attributes of ``page``, in place.

    Raises ThemeError naming the line of ``file`` for CSS that cannot be inlined, RenderError when a rule that
    matches an element did not reach it.
    """
    rules = inlinable_rules(css, file)
    with _LOCK:
        inliner = _inliner()
        expected = expect(page, rules, _spelled(rules, file), file)
        inliner(page, css_text=[css], **_PREMAILER).transform(pretty_print=False)
    expected.settle()


@lru_cache(maxsize=32)
def _spelled(rules: tuple[Rule, ...], file: str) -> tuple[Pairs, ...]:
    """Each rule's declarations as the inliner spells them; ThemeError names the first that it does not understand."""
    from premailer.merge_style import csstext_to_pairs

    found = []
    for rule in rules:
        spelled = {
            name: value.removesuffix("!important").rstrip() for name, value in csstext_to_pairs(rule.body, False)
        }
        for name, value in rule.declarations:
            if name not in spelled:
                where = f"{file}:{rule.line}"
                raise ThemeError(
                    f"the inliner does not understand {name}: {value}", where=where, fix="correct the value"
                )
        found.append(tuple(spelled.items()))
    return tuple(found)


def short_style(style: str) -> str:
    """A style attribute without the blanks that the inliner puts in, and with quotes that need no escaping."""
    pairs = split_declarations(style)
    short = ";".join(f"{name}:{_AFTER_COMMA.sub(lambda found: found[1] or ',', value)}" for name, value in pairs)
    return short if "'" in short else short.replace('"', "'")
