"""The Gmail app with an account of another provider (IMAP), and Gmail's page for old phones: no ``<style>`` at all.

Source: caniemail.com, where it says "not supported with non Google accounts".
"""

from __future__ import annotations

from functools import lru_cache

from newsletter.clients.declarations import Declaration
from newsletter.clients.gmail import reason, simulate
from newsletter.clients.properties import GMAIL_APP_DROPS
from newsletter.clients.taken import Seen, named

_DISPLAYS = ("flex", "grid", "flow-root", "contents")
_FUNCTIONS = ("calc(", "clamp(", "max(", "min(")


def gmail_no_style(html: str) -> Seen:
    """The page as the Gmail app shows it to an account that is not Google's."""
    return simulate(html, styles=False, filters=_reason)


@lru_cache(maxsize=8192)
def _reason(declaration: Declaration) -> str | None:
    name, value = declaration.name, declaration.value.lower()
    if name in GMAIL_APP_DROPS:
        return named(name)
    if name == "display" and any(word in value for word in _DISPLAYS):
        return named("display", f": {value}")
    if any(function in value for function in _FUNCTIONS):
        return "computed values (calc)"
    return reason(declaration)
