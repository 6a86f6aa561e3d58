"""Showing a mail on a light or a dark screen, whatever the screen is that shows it."""

from __future__ import annotations

import re

_STYLES = re.compile(r"<style\b.*?</style>|<(?:meta|source|link)\b[^>]*>", re.DOTALL | re.IGNORECASE)
_QUERY = re.compile(r"\(\s*prefers-color-scheme\s*:\s*(dark|light)\s*\)", re.IGNORECASE)
_BOTH = re.compile(r"\b(?:light\s+dark|dark\s+light)\b", re.IGNORECASE)
_ALWAYS, _NEVER = "(min-width:0px)", "(min-width:99999px)"


def in_colours(html: str, *, dark: bool) -> str:
    """A page that is dark or light whatever the system says: its own style sheets decide, its words stay."""

    def force(found: re.Match[str]) -> str:
        wanted = "dark" if dark else "light"
        part = _QUERY.sub(lambda query: _ALWAYS if query[1].lower() == wanted else _NEVER, found[0])
        return _BOTH.sub(wanted, part) if "color-scheme" in part else part

    return _STYLES.sub(force, html)
