"""Where to cut a picture that has no focal point: around what is detailed, coloured like skin, or unlike the rest.

The measure is smartcrop's idea (detail, skin, colour) on Pillow's own operations. A feature counts only as far as it
stands out from the rest of the picture: a sea of waves, a brick wall or a beach is no subject, whatever it is made of.
Of two cuts that show the same, the one nearer to ``DEFAULT`` wins; so a flat picture is cut exactly there.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from PIL.Image import Image

DEFAULT = (0.5, 0.4)
"""A little above the middle: faces are there more often than below it."""

VERSION = 1
"""Part of a derivative's name. Raise it with every change here, so that no derivative of the old kind is reused."""

_SIDE = 192
"""Pixels of the longer side of the copy that is looked at; all but fine detail is measured on half of it."""

_SAMPLES = 4
"""Of a large picture four by four pixels are looked at for each of the copy's: it costs no more than a small one."""

_DETAIL, _RARE, _SKIN = 1.5, 0.7, 0.9
"""What the three features weigh."""

_FAINT = 2.0
"""Added to every pixel's importance (0…255), so that faint features lose against the pull towards ``DEFAULT``."""

_PULL = 1.0
"""How much of the importance a cut gives up for being nearer to ``DEFAULT``."""

_RIM, _AT_THE_EDGE = 0.2, 0.2
"""In the outer fifth of a cut things count less and less: a subject shall have air around it."""

_HEADS = 0.5
"""The top of a picture counts by this much more than its foot: heads are above bodies."""

_LEAST = 0.01
"""A cut that takes less than this from the picture is not worth looking for."""


def where_to_cut(image: Image, shape: float) -> tuple[float, float]:
    """The centring (x, y in 0…1, as ``ImageOps.fit`` takes it) of a cut out of an RGB picture.

    ``shape`` is the cut's width / height. It has the picture's full width or height, so only the other axis is free.
    Takes five to ten milliseconds; the same pixels always give the same answer.
    """
    kept = shape * image.height / image.width
    if abs(kept - 1) < _LEAST:
        return DEFAULT
    if kept < 1:
        return _best(_profile(image, across=True), kept, DEFAULT[0]), DEFAULT[1]
    return DEFAULT[0], _best(_profile(image, across=False), 1 / kept, DEFAULT[1])


def _profile(image: Image, *, across: bool) -> list[float]:
    """How much there is to see in each column (``across``) or each row of a small copy: 0…255 on average."""
    from PIL import Image as Images

    scale = _SIDE / max(image.size)
    size = (max(2, round(image.width * scale)), max(2, round(image.height * scale)))
    if min(image.width // size[0], image.height // size[1]) > _SAMPLES:
        image = image.resize((size[0] * _SAMPLES, size[1] * _SAMPLES), Images.Resampling.NEAREST)
    important = _importance(image.resize(size, Images.Resampling.BOX))
    wide, high = important.size
    pixels = important.tobytes()
    if across:
        return [sum(pixels[column::wide]) / high for column in range(wide)]
    rows = (sum(pixels[row * wide : (row + 1) * wide]) / wide for row in range(high))
    return [seen * (1 + _HEADS * (0.5 - (row + 0.5) / high)) for row, seen in enumerate(rows)]


def _importance(small: Image) -> Image:
    """A grey picture of half the size: bright where there is something to see."""
    from PIL import Image as Images
    from PIL import ImageChops, ImageFilter, ImageStat

    fine = _strongest(ImageChops.difference(small, small.filter(ImageFilter.GaussianBlur(2)))).reduce(2)
    small = small.reduce(2)
    smooth = small.filter(ImageFilter.GaussianBlur(1))
    coarse = _strongest(ImageChops.difference(smooth, small.filter(ImageFilter.GaussianBlur(6))))
    detail = ImageChops.lighter(fine, coarse)
    mean = tuple(round(value) for value in ImageStat.Stat(small).mean)
    rare = _strongest(ImageChops.difference(smooth, Images.new("RGB", small.size, mean)))
    # Sand and wood have the colour of skin, and the zenith that of nothing else; but there are no eyes, mouth or edges.
    near_detail = detail.filter(ImageFilter.BoxBlur(8)).point([min(255, value * 8) for value in range(256)])
    skin = ImageChops.multiply(_skin(smooth), near_detail)
    rare = ImageChops.multiply(rare, near_detail)
    together = ImageChops.add(_standing_out(detail, _DETAIL), _standing_out(rare, _RARE))
    together = ImageChops.add(together, _standing_out(skin, _SKIN)).filter(ImageFilter.BoxBlur(1))
    # Squared: one strong subject outweighs a lot of texture.
    return together.point([min(255, value * value // 160) for value in range(256)])


def _strongest(image: Image) -> Image:
    """The strongest of three channels."""
    from PIL import ImageChops

    red, green, blue = image.split()
    return ImageChops.lighter(ImageChops.lighter(red, green), blue)


def _standing_out(feature: Image, weight: float) -> Image:
    """What is above the feature's mean: what is everywhere is no subject."""
    from PIL import ImageStat

    mean = ImageStat.Stat(feature).mean[0]
    return feature.point([min(255, max(0, round((value - mean) * weight))) for value in range(256)])


def _skin(image: Image) -> Image:
    """255 for red to orange hues that are neither grey nor pure nor dark: skin of every tone."""
    from PIL import ImageChops

    hue, saturation, value = image.convert("HSV").split()
    warm = hue.point([255 * (at <= 28 or at >= 248) for at in range(256)])
    mild = saturation.point([255 * (38 <= at <= 165) for at in range(256)])
    lit = value.point([255 * (at >= 50) for at in range(256)])
    return ImageChops.darker(ImageChops.darker(warm, mild), lit)


def _best(profile: list[float], kept: float, default: float) -> float:
    """The centring of the cut that shows most; ``kept`` is its share of the axis."""
    size = len(profile)
    length = max(1, round(size * kept))
    room = size - length
    if room < 1:
        return default
    rim = max(1.0, length * _RIM)
    inside = 1 - _AT_THE_EDGE
    weights = [min(1.0, _AT_THE_EDGE + inside * (min(at, length - 1 - at) + 0.5) / rim) for at in range(length)]
    total = sum(profile) + _FAINT * size

    def worth(left: int) -> float:
        shown = sum(weight * seen for weight, seen in zip(weights, profile[left:], strict=False))
        return shown / total - _PULL * (left / room - default) ** 2 * room / size

    best = max(range(room + 1), key=lambda left: (worth(left), -abs(left / room - default)))
    # The place nearest to the constant is the constant itself.
    return default if abs(best - default * room) < 0.501 else best / room
