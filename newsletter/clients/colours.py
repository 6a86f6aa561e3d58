"""Colours: any that CSS can write, CIELAB and back, and how well one is read on another.

Channels are 0 … 255, alpha is 0 … 1, L of CIELAB is 0 (black) … 100 (white).
"""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from functools import lru_cache
from typing import NamedTuple

import tinycss2.color4

Rgb = tuple[int, int, int]
Lab = tuple[float, float, float]

_HEX = re.compile(r"#([0-9a-fA-F]{3,4}|[0-9a-fA-F]{6}|[0-9a-fA-F]{8})")

# IEC 61966-2-1 (sRGB) from and to XYZ under D65; each row is one channel.
_TO_XYZ = ((0.4123908, 0.3575843, 0.1804808), (0.2126390, 0.7151687, 0.0721923), (0.0193308, 0.1191948, 0.9505322))
_FROM_XYZ = (
    (3.2409699, -1.5373832, -0.4986108),
    (-0.9692436, 1.8759675, 0.0415551),
    (0.0556301, -0.2039770, 1.0569715),
)
_WHITE = (0.9504559, 1.0, 1.0890578)
# Bradford: CSS's lab() and lch() are under D50.
_D50_TO_D65 = (
    (0.9555766, -0.0230393, 0.0631636),
    (-0.0282895, 1.0099416, 0.0210077),
    (0.0122982, -0.0204830, 1.3299098),
)
_EPSILON, _KAPPA = 216 / 24389, 24389 / 27


class Colour(NamedTuple):
    """A colour in sRGB; ``alpha`` 0 is transparent."""

    red: int
    green: int
    blue: int
    alpha: float = 1.0

    @property
    def rgb(self) -> Rgb:
        """The three channels, whatever shines through."""
        return (self.red, self.green, self.blue)


TRANSPARENT = Colour(0, 0, 0, 0.0)


@lru_cache(maxsize=4096)
def parse_colour(text: str) -> Colour | None:
    """The colour that a CSS value is, or None when it is none; ``currentColor`` depends on the element and is None.

    Knows CSS Color 4 but ``color()``, which no mail client shows.
    """
    text = text.strip()
    if _HEX.fullmatch(text):
        digits = text[1:] if len(text) > 5 else "".join(digit * 2 for digit in text[1:])
        red, green, blue, *alpha = bytes.fromhex(digits)
        return Colour(red, green, blue, round(alpha[0] / 255, 4) if alpha else 1.0)
    try:
        found = tinycss2.color4.parse_color(text)
    except (ValueError, TypeError, ArithmeticError):  # what nobody should write, and the library did not expect
        return None
    if found is None or isinstance(found, str):
        return None
    return _from_css(found.space, [float(c or 0) for c in found.coordinates], float(found.alpha or 0))


def _from_css(space: str, coordinates: Sequence[float], alpha: float) -> Colour | None:
    if not all(map(math.isfinite, (*coordinates, alpha))):
        return None
    if space in ("hsl", "hwb"):
        found = tinycss2.color4.Color(space, coordinates, alpha).to("srgb")
        space, coordinates = "srgb", [float(c or 0) for c in found.coordinates]
    if space == "srgb":
        return Colour(*_clipped(coordinates), alpha)
    first, second, third = coordinates
    if space in ("lch", "oklch"):
        second, third = second * math.cos(math.radians(third)), second * math.sin(math.radians(third))
    if space in ("lab", "lch"):
        white = (0.9642956, 1.0, 0.8251046)
        xyz = _times(_D50_TO_D65, _lab_to_xyz((first, second, third), white))
        return Colour(*_xyz_to_rgb(xyz), alpha)
    if space in ("oklab", "oklch"):
        return Colour(*_oklab_to_rgb(first, second, third), alpha)
    return None


def parse_attribute(text: str) -> Colour | None:
    """The colour of a ``bgcolor`` or ``color`` attribute: as in CSS, and the number sign may be missing."""
    text = text.strip()
    return parse_colour(text) or parse_colour(f"#{text}")


def as_css(colour: Colour) -> str:
    """The shortest way to write it that every client reads."""
    if colour.alpha >= 1:
        return "#{:02x}{:02x}{:02x}".format(*colour.rgb)
    return f"rgba({colour.red},{colour.green},{colour.blue},{colour.alpha:g})"


def over(top: Colour, ground: Rgb) -> Rgb:
    """What is seen of a colour that lies on an opaque one."""
    if top.alpha >= 1:
        return top.rgb
    red, green, blue = (round(t * top.alpha + g * (1 - top.alpha)) for t, g in zip(top.rgb, ground, strict=True))
    return (red, green, blue)


def contrast(one: Rgb, other: Rgb) -> float:
    """The contrast ratio of WCAG 2, from 1 (the same) to 21 (black on white)."""
    darker, lighter = sorted((_luminance(one), _luminance(other)))
    return (lighter + 0.05) / (darker + 0.05)


def to_lab(rgb: Rgb) -> Lab:
    """CIELAB under D65, as picture programs and mail clients compute it."""
    x, y, z = (_bent(part / white) for part, white in zip(_rgb_to_xyz(rgb), _WHITE, strict=True))
    return (116 * y - 16, 500 * (x - y), 200 * (y - z))


def from_lab(lab: Lab) -> Rgb:
    """The nearest colour a screen can show, channel by channel."""
    return _xyz_to_rgb(_lab_to_xyz(lab, _WHITE))


def _luminance(rgb: Rgb) -> float:
    return _rgb_to_xyz(rgb)[1]


def _bent(part: float) -> float:
    return math.cbrt(part) if part > _EPSILON else (_KAPPA * part + 16) / 116


def _straight(part: float) -> float:
    return part**3 if part**3 > _EPSILON else (116 * part - 16) / _KAPPA


def _lab_to_xyz(lab: Lab, white: tuple[float, float, float]) -> tuple[float, float, float]:
    y = (lab[0] + 16) / 116
    x, z = y + lab[1] / 500, y - lab[2] / 200
    return (_straight(x) * white[0], _straight(y) * white[1], _straight(z) * white[2])


@lru_cache(maxsize=4096)
def _rgb_to_xyz(rgb: Rgb) -> tuple[float, float, float]:
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in (part / 255 for part in rgb)]
    return _times(_TO_XYZ, linear)


def _xyz_to_rgb(xyz: Sequence[float]) -> Rgb:
    return _from_linear(_times(_FROM_XYZ, xyz))


def _oklab_to_rgb(lightness: float, a: float, b: float) -> Rgb:
    """CSS Color 4's own numbers, from OKLab over cone responses to linear sRGB."""
    long = (lightness + 0.3963377774 * a + 0.2158037573 * b) ** 3
    medium = (lightness - 0.1055613458 * a - 0.0638541728 * b) ** 3
    short = (lightness - 0.0894841775 * a - 1.2914855480 * b) ** 3
    return _from_linear(
        (
            4.0767416621 * long - 3.3077115913 * medium + 0.2309699292 * short,
            -1.2684380046 * long + 2.6097574011 * medium - 0.3413193965 * short,
            -0.0041960863 * long - 0.7034186147 * medium + 1.7076147010 * short,
        )
    )


def _from_linear(linear: Sequence[float]) -> Rgb:
    return _clipped([12.92 * c if c <= 0.0031308 else 1.055 * c ** (1 / 2.4) - 0.055 for c in linear])


def _clipped(channels: Sequence[float]) -> Rgb:
    red, green, blue = (round(min(1.0, max(0.0, channel)) * 255) for channel in channels)
    return (red, green, blue)


def _times(matrix: Sequence[Sequence[float]], vector: Sequence[float]) -> tuple[float, float, float]:
    x, y, z = (sum(a * b for a, b in zip(row, vector, strict=True)) for row in matrix)
    return (x, y, z)
