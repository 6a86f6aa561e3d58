"""What CMYK means where the file brings no profile: offset print on coated paper, as a colour profile made here.

Taking 1 - ink for light, as a decoder does, gives a print desk's greys a tint of cyan and its reds the colour of neon.
The colours of the solid inks and their overprints are those of ISO 12647-2 for coated paper, the model is Neugebauer's
(areas of the sixteen possible overprints, mixed as light) with a dot gain of 14 % in the middle. Paper becomes white
and the blackest overprint black, because the screen has neither paper nor ink. The profile is ICC.1, with a lut8 table.
"""

from __future__ import annotations

import itertools
import struct
from functools import lru_cache

_D50 = (0.9642, 1.0, 0.8249)
_PAPER = (95.0, 0.0, -2.0)
_SOLIDS = {
    (0, 0, 0): _PAPER,
    (1, 0, 0): (55.0, -37.0, -50.0),
    (0, 1, 0): (48.0, 74.0, -3.0),
    (0, 0, 1): (89.0, -5.0, 93.0),
    (1, 1, 0): (24.0, 22.0, -46.0),
    (1, 0, 1): (50.0, -65.0, 27.0),
    (0, 1, 1): (47.0, 68.0, 48.0),
    (1, 1, 1): (23.0, 0.0, 0.0),
}
"""Cyan, magenta, yellow → CIELAB, without black."""

_BLACK = (16.0, 0.0, 0.0)
_UNDER_BLACK = 0.6
"""How much of the light that black lets through an ink under it still takes away."""

_GAIN = 0.14
_STEPS = 6

_Three = tuple[float, float, float]


@lru_cache(maxsize=1)
def coated_paper() -> bytes:
    """The bytes of the profile."""
    rasters = _overprints()
    for ink in range(4):
        rasters = _screened(rasters, ink)
    table = bytes(itertools.chain.from_iterable(_encoded(_lab(rasters[areas])) for areas in sorted(rasters)))
    curve = bytes(
        min(255, round(255 * (area + 4 * _GAIN * area * (1 - area)))) for area in (n / 255 for n in range(256))
    )
    identity = struct.pack(">9i", 65536, 0, 0, 0, 65536, 0, 0, 0, 65536)
    header = b"mft1" + bytes(4) + bytes((4, 3, _STEPS, 0)) + identity
    return _file(header + curve * 4 + table + bytes(range(256)) * 3)


def _overprints() -> dict[tuple[int, ...], _Three]:
    """The light that each of the sixteen overprints sends back, relative to the paper and the blackest of them."""
    paper, black = _xyz(_PAPER), _xyz(_BLACK)
    light: dict[tuple[int, ...], _Three] = {}
    for inks, lab in _SOLIDS.items():
        share = [value / white for value, white in zip(_xyz(lab), paper, strict=True)]
        light[*inks, 0] = _three(share)
        through = [
            b / white * (1 - _UNDER_BLACK * (1 - part)) for b, white, part in zip(black, paper, share, strict=True)
        ]
        light[*inks, 1] = _three(through)
    darkest = light[1, 1, 1, 1]
    return {
        inks: _three([max(0.0, (value - dark) / (1 - dark)) for value, dark in zip(values, darkest, strict=True)])
        for inks, values in light.items()
    }


def _screened(light: dict[tuple[int, ...], _Three], ink: int) -> dict[tuple[int, ...], _Three]:
    """The same with one ink not only absent (0) or solid (1) but in every step between, mixed as light."""
    found: dict[tuple[int, ...], _Three] = {}
    for key, solid in light.items():
        if key[ink]:
            without = light[*key[:ink], 0, *key[ink + 1 :]]
            for step in range(_STEPS):
                area = step / (_STEPS - 1)
                mixed = [(1 - area) * one + area * other for one, other in zip(without, solid, strict=True)]
                found[*key[:ink], step, *key[ink + 1 :]] = _three(mixed)
    return found


def _three(values: list[float]) -> _Three:
    first, second, third = values
    return first, second, third


def _xyz(lab: _Three) -> _Three:
    """CIELAB to XYZ under D50 (CIE 15)."""
    y = (lab[0] + 16) / 116
    roots = (y + lab[1] / 500, y, y - lab[2] / 200)
    return _three(
        [w * (root**3 if root > 6 / 29 else (root - 4 / 29) * 108 / 841) for root, w in zip(roots, _D50, strict=True)]
    )


def _lab(relative: _Three) -> _Three:
    """Light relative to white, in XYZ, to CIELAB (CIE 15)."""
    x, y, z = (value ** (1 / 3) if value > (6 / 29) ** 3 else value * 841 / 108 + 4 / 29 for value in relative)
    return 116 * y - 16, 500 * (x - y), 200 * (y - z)


def _encoded(lab: _Three) -> tuple[int, ...]:
    """CIELAB in three bytes (ICC.1, 6.3.4.2)."""
    values = (lab[0] * 2.55, lab[1] + 128, lab[2] + 128)
    return tuple(min(255, max(0, round(value))) for value in values)


def _file(table: bytes) -> bytes:
    """A profile of a CMYK printer (ICC.1, 7) around its table to CIELAB."""
    white = b"XYZ " + bytes(4) + struct.pack(">3i", *(round(value * 65536) for value in _D50))
    said = b"Coated paper"
    name = b"desc" + bytes(4) + struct.pack(">I", len(said) + 1) + said + bytes(1 + 4 + 4 + 2 + 1 + 67)
    rights = b"text" + bytes(4) + b"No rights reserved\0"
    entries = [(b"desc", name), (b"cprt", rights), (b"wtpt", white), (b"A2B0", table)]
    index, body = b"", b""
    start = 128 + 4 + 12 * len(entries)
    for tag, data in entries:
        index += tag + struct.pack(">II", start + len(body), len(data))
        body += data + bytes(-len(data) % 4)
    header = struct.pack(
        ">I4sI4s4s4s6H4s4sIIIQI3i48s",
        start + len(body), b"lcms", 0x02400000, b"prtr", b"CMYK", b"Lab ", 2026, 1, 1, 0, 0, 0, b"acsp", b"APPL",
        0, 0, 0, 0, 0, *(round(value * 65536) for value in _D50), bytes(48),
    )  # fmt: skip
    return header + struct.pack(">I", len(entries)) + index + body
