"""Colours: whether words can be read on their ground, on every screen that readers have."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from newsletter.checks import examples as eg
from newsletter.checks.context import CheckContext
from newsletter.checks.darkness import Seen, gmail, outlook
from newsletter.checks.folding import places
from newsletter.checks.page import Element, cut
from newsletter.checks.registry import Example, Problem, check
from newsletter.clients.colours import Rgb, contrast, parse_colour
from newsletter.models import Severity

READABLE, READABLE_LARGE = 4.5, 3.0
"""Contrast ratios of WCAG 2.2, 1.4.3, for text and for large text."""
LARGE, LARGE_BOLD, BOLD = 24.0, 18.66, 700
"""CSS pixels and weight from which on text is large: 18 points, or 14 points in bold."""
SEEN_ON = 3.0
"""Contrast of a drawing with its ground, WCAG 2.2, 1.4.11."""

_PURE = ((0, 0, 0), (255, 255, 255))


@dataclass(frozen=True, slots=True)
class _Screen:
    """One way of seeing the mail, and what helps there."""

    name: str
    fix: str
    seen: Callable[[Element], Seen]


def _screens(context: CheckContext) -> tuple[_Screen, ...]:
    page = context.page
    in_outlook, in_gmail = outlook(page), gmail(page)
    return (
        _Screen(
            "on a light screen",
            "Choose another token for one of the two in theme.toml.",
            lambda e: Seen(page.light.color(e.node), page.light.ground(e.node)),
        ),
        _Screen(
            "on a dark screen",
            "Choose another _dark token, or repaint both in client.css.",
            lambda e: Seen(page.dark.color(e.node), page.dark.ground(e.node)),
        ),
        _Screen(
            "in Outlook's dark mode",
            "Repaint words ([data-ogsc]) and ground ([data-ogsb]) in client.css.",
            lambda e: in_outlook[e.node],
        ),
        _Screen(
            "in Gmail's dark mode",
            "Gmail turns the light colours round by itself: move them further apart.",
            lambda e: in_gmail[e.node],
        ),
    )


@check(
    id="contrast-low",
    severity=Severity.ERROR,
    family="colours",
    why="Not everybody sees contrasts well, and everybody reads in the sun. On a dark screen Outlook and Gmail repaint "
    "the mail by their own rules, so that words which can be read in the light may be lost there.",
    source="WCAG 2.2, 1.4.3: 4.5, and 3.0 from 24 pixels or 18.66 in bold on; Outlook.com and Gmail as measured",
    failing=Example("`color: #999999` on white", eg.html("<h2>", '<p style="color:#999999">Tides</p><h2>')),
    passing=Example("`color: #333333` on white", eg.as_it_is),
)
def contrast_low(context: CheckContext) -> Iterator[Problem]:
    """Words on a ground, light, dark and repainted; each pair of colours once for each screen."""
    light, dark = context.page.light, context.page.dark
    texts = [(run.element, run.text) for run in context.page.runs]
    # While pictures are off, their words stand on their ground.
    texts += [
        (e, e.attributes.get("alt", "")) for e in context.page.shown if e.tag == "img" and e.attributes.get("alt")
    ]
    texts = [(e, words) for e, words in texts if light.shown(e.node) and not light.pictured(e.node)]
    for screen in _screens(context):
        told: dict[Seen, list[tuple[Element, str, float]]] = {}
        for element, words in texts:
            if screen.name == "on a dark screen" and not dark.shown(element.node):
                continue
            seen = screen.seen(element)
            ratio = contrast(seen.words, seen.ground)
            if ratio < _asked(light.size(element.node), light.weight(element.node)):
                told.setdefault(seen, []).append((element, words, ratio))
        for seen, found in told.items():
            yield _lost(screen, seen, found, _asked(light.size(found[0][0].node), light.weight(found[0][0].node)))


def _lost(screen: _Screen, seen: Seen, found: list[tuple[Element, str, float]], asked: float) -> Problem:
    """One pair of colours on one screen, wherever it is: a pair is a fault of the theme."""
    owners = list(dict.fromkeys(element.article for element, _, _ in found))
    _, words, ratio = found[0]
    others = f", and {len(found) - 1} more" if len(found) > 1 else ""
    where = f" {places(owners)}" if len(owners) > 1 else ""
    return Problem(
        f"“{cut(words, 40)}”{others}: {_hex(seen.words)} on {_hex(seen.ground)} {screen.name} has a contrast of "
        f"{int(ratio * 100) / 100:.2f}; {asked:g} is needed.{where}",
        screen.fix,
        owners[0] if len(owners) == 1 else None,
    )


def _asked(size: float, weight: int) -> float:
    return READABLE_LARGE if size >= LARGE or (size >= LARGE_BOLD and weight >= BOLD) else READABLE


def _hex(rgb: Rgb) -> str:
    return "#{:02X}{:02X}{:02X}".format(*rgb)


@check(
    id="dark-colour-pure",
    severity=Severity.WARNING,
    family="colours",
    why="Pure white letters on pure black swim before the eyes of readers with astigmatism, and they are many. "
    "Off-white on off-black reads calmly.",
    source="Material Design, dark theme; Apple's and Google's own dark grounds are greys",
    failing=Example("`color: #FFFFFF` for dark screens", eg.html("#D6D2CB", "#FFFFFF")),
    passing=Example("`color: #D6D2CB` for dark screens", eg.as_it_is),
)
def dark_colour_pure(context: CheckContext) -> Iterator[Problem]:
    """Pure black or white among what dark screens and Outlook's dark mode are given; each selector once."""
    told: set[str] = set()
    for sheet in context.page.styles:
        for one in sheet.declared:
            dark = "[data-ogs" in one.selector or any(
                "prefers-color-scheme" in rule and "dark" in rule for rule in one.under
            )
            if not dark or one.name not in ("color", "background-color", "background") or one.selector in told:
                continue
            colour = parse_colour(one.value)
            if colour is not None and colour.rgb in _PURE and colour.alpha:
                told.add(one.selector)
                yield Problem(
                    f"On dark screens “{cut(one.selector)}” is pure {'black' if colour.rgb == _PURE[0] else 'white'}.",
                    "Take an off-black such as #141414 and an off-white such as #F2EFE9.",
                )


@check(
    id="logo-lost-on-dark",
    severity=Severity.WARNING,
    family="colours",
    why="A dark logo on a transparent ground is gone on a dark screen, and no rule can repaint a picture.",
    source="WCAG 2.2, 1.4.11: a contrast of 3 along the edges",
    failing=Example("black letters on a transparent ground", eg.logo(((0, 0, 0), 240))),
    passing=Example("the same with a light outline of 2 pixels", eg.logo(((255, 255, 255), 250))),
)
def logo_lost_on_dark(context: CheckContext) -> Iterator[Problem]:
    """A transparent picture of the frame whose edges do not stand out from the ground that dark screens give it."""
    for element in context.page.shown:
        edges = context.edges.get(element.attributes.get("src", ""), ()) if element.tag == "img" else ()
        ground = context.page.dark.ground(element.node)
        clear = sum(pixels for colour, pixels in edges if contrast(colour, ground) >= SEEN_ON)
        if clear * 2 < sum(pixels for _, pixels in edges):
            yield Problem(
                f"The logo “{cut(element.attributes.get('alt', ''), 40)}” cannot be seen on {_hex(ground)}, its ground "
                "on dark screens.",
                "Draw a light outline of 2 pixels around it, or give it a ground of its own.",
            )
