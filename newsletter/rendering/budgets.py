"""Pixels become the bytes of a file that keeps its recipe's budget: first at less quality, then with fewer pixels."""

from __future__ import annotations

import io
import math
from typing import TYPE_CHECKING

from newsletter.rendering.recipes import Recipe

if TYPE_CHECKING:
    from PIL.Image import Image

_QUALITIES = (82, 76, 70, 64, 57, 50)
"""Below the last one sees the squares of a JPEG at twice the page's size; fewer pixels look better then."""

_COLOURS = (256, 64, 16)
_FLAT_COLOURS = 256
_STEP = 0.9


def is_flat(image: Image) -> bool:
    """A drawing with few colours: sharp as PNG, smeared as JPEG. What was a JPEG once is neither sharp nor flat."""
    return (
        image.format not in ("JPEG", "MPO")
        and image.mode in ("1", "P", "L", "LA", "PA", "RGB", "RGBA")
        and (image.mode in ("1", "P") or image.getcolors(_FLAT_COLOURS) is not None)
    )


def picture_file(image: Image, recipe: Recipe, *, flat: bool) -> tuple[bytes, str]:
    """An RGB picture as (bytes, suffix): JPEG, or PNG where a flat drawing is smaller so. Without metadata."""
    image.info.clear()  # Pillow writes a comment or a profile that it finds here
    jpeg = _jpeg(image, recipe)
    png = _png(image, _FLAT_COLOURS) if flat else jpeg
    return (png, ".png") if len(png) < len(jpeg) else (jpeg, ".jpg")


def logo_file(image: Image, recipe: Recipe) -> bytes:
    """An RGBA picture as PNG, with as many colours as the budget bears: a logo keeps its size on the page."""
    image.info.clear()
    out = io.BytesIO()
    image.save(out, "PNG", optimize=True)
    data = out.getvalue()
    for colours in _COLOURS:
        if len(data) <= recipe.budget:
            break
        data = _png(image, colours)
    return data


def _jpeg(image: Image, recipe: Recipe) -> bytes:
    """The best quality that keeps the budget; when the lowest does not, that with fewer pixels, down to the page's."""
    from PIL import Image as Images

    data = b""
    for quality in _QUALITIES:
        data = _encoded(image, quality)
        if len(data) <= recipe.budget:
            return data
    full = image.size
    least = min(1.0, max(recipe.shown_width / full[0], recipe.shown_height / full[1]))
    scale = 1.0
    while len(data) > recipe.budget and scale > least:
        # About as many bytes fewer as pixels fewer, and never a step so small that it takes many.
        scale = max(least, scale * min(_STEP, math.sqrt(recipe.budget / len(data))))
        size = (round(full[0] * scale), round(full[1] * scale))
        data = _encoded(image.resize(size, Images.Resampling.LANCZOS), _QUALITIES[-1])
    return data


def _encoded(image: Image, quality: int) -> bytes:
    out = io.BytesIO()
    image.save(out, "JPEG", quality=quality, progressive=True, optimize=True, subsampling="4:2:0")
    return out.getvalue()


def _png(image: Image, colours: int) -> bytes:
    from PIL import Image as Images

    out = io.BytesIO()
    image.quantize(colours, dither=Images.Dither.NONE).save(out, "PNG", optimize=True)
    return out.getvalue()
