"""Gmail's apps on a dark phone: they turn the colours of every mail, whatever it says about dark screens.

Light grounds become dark, dark texts become light, both by their lightness in CIELAB; what is dark ground or light
text already stays. Colours fade a little.
"""

from __future__ import annotations

from newsletter.clients.colours import Lab
from newsletter.clients.declarations import Declaration
from newsletter.clients.gmail import gmail
from newsletter.clients.pages import elements, parse, serialise
from newsletter.clients.recolour import Paint, paint, paint_paper, turn_lab
from newsletter.clients.sheets import Rewriter
from newsletter.clients.taken import Seen, Taken

_STRENGTH = 0.75
_CHROMA = 0.8


def _ground(lab: Lab) -> Lab:
    lightness, a, b = lab
    return lab if lightness < 50 else (50 - (lightness - 50) * _STRENGTH, a * _CHROMA, b * _CHROMA)


def _text(lab: Lab) -> Lab:
    lightness, a, b = lab
    return lab if lightness >= 50 else (50 + (50 - lightness) * _STRENGTH, a * _CHROMA, b * _CHROMA)


PAINT = Paint(turn_lab(_ground), turn_lab(_text), turn_lab(_text))


def gmail_dark(html: str) -> Seen:
    """The page as Gmail's app shows it in its dark theme: what Gmail takes away, and then other colours."""
    seen = gmail(html)
    root = parse(seen.html)
    changed = 0

    def declaration(one: Declaration) -> Declaration:
        nonlocal changed
        painted = PAINT.declaration(one)
        changed += painted != one
        return painted

    for style in root.iter("style"):
        style.text = Rewriter(declaration=declaration)(style.text or "")
    changed += sum(bool(paint(element, PAINT)) for element in elements(root))
    paint_paper(root, PAINT)
    took = (
        (*seen.took, Taken("colours of texts, backgrounds and lines, turned dark", changed)) if changed else seen.took
    )
    return Seen(serialise(root), took)
