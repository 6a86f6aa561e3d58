"""Outlook.com and the Outlook apps in their own dark theme: every colour of a style attribute is turned.

``L' = (100 − L) · 0.78753 + 21.247`` in CIELAB, for grounds and texts alike: 21.247 is the lightness of their dark
paper, #333333. What an element had before stands in ``data-ogsc`` (text) and ``data-ogsb`` (ground), ``data-ogac`` and
``data-ogab`` for attributes, and rules of the mail that ask for those have the last word.
"""

from __future__ import annotations

from newsletter.clients.colours import Lab
from newsletter.clients.pages import drop_handlers, elements, parse, serialise
from newsletter.clients.recolour import Paint, paint, paint_paper, turn_lab
from newsletter.clients.taken import Seen, Tally

_PAPER = 21.247
_SCALE = 0.78753
_ATTRIBUTES = {"color": "data-ogsc", "background": "data-ogsb", "@color": "data-ogac", "@bgcolor": "data-ogab"}


def _turned(lab: Lab) -> Lab:
    lightness, a, b = lab
    return ((100 - lightness) * _SCALE + _PAPER, a, b)


PAINT = Paint(turn_lab(_turned), turn_lab(_turned))


def outlook_com_dark(html: str) -> Seen:
    """The page as Outlook.com shows it in its dark theme on a screen that is light."""
    root = parse(html)
    tally = Tally()
    drop_handlers(root)
    for element in elements(root):
        before = paint(element, PAINT)
        for name, value in before.items():
            element.set(_ATTRIBUTES[name], value)
        if {"color", "@color"} & set(before):
            tally.add("colours of texts, turned dark")
        if {"background", "@bgcolor"} & set(before):
            tally.add("colours of backgrounds, turned dark")
    if tally.took():
        # The pane that the mail lies in is turned as well, so a rule finds the attribute above every element.
        root.set("data-ogsc", "")
        root.set("data-ogsb", "")
    paint_paper(root, PAINT)
    return Seen(serialise(root), tally.took())
