"""Logos as the checks look at them: the colours along the edges of what is drawn on a transparent ground."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path
from typing import Any

from newsletter.models import Email

Edge = tuple[tuple[int, int, int], int]
"""A colour (channels 0 … 255) and the pixels that have it."""

_DRAWN = 128
"""Alpha from which on a pixel counts as drawn."""


def edges_of(email: Email) -> dict[str, tuple[Edge, ...]]:
    """The edges of each transparent picture that belongs to no story, by its ``src``."""
    transparent = ("image/png", "image/gif")
    logos = [image for image in email.images if image.article is None and image.content_type in transparent]
    return {image.src: edges for image in logos if (edges := _edges(image.path))}


@lru_cache(maxsize=16)
def _edges(path: Path) -> tuple[Edge, ...]:
    """A derivative is named by what is in it, so its path is enough to remember it by. Without transparency: none."""
    from PIL import Image, ImageChops, ImageFilter

    try:
        with Image.open(path) as opened:
            picture = opened.convert("RGBA")
    except OSError:  # a file that just went away
        return ()
    drawn = picture.getchannel("A").point([255 * (alpha >= _DRAWN) for alpha in range(256)])
    if drawn.getextrema() != (0, 255):
        return ()
    # A margin around it, so that what touches the picture's border has an edge there.
    wide = Image.new("L", (drawn.width + 2, drawn.height + 2), 0)
    wide.paste(drawn, (1, 1))
    inner = wide.filter(ImageFilter.MinFilter(3)).crop((1, 1, drawn.width + 1, drawn.height + 1))
    picture.putalpha(ImageChops.subtract(drawn, inner))
    counted: list[tuple[int, Any]] = picture.getcolors(picture.width * picture.height) or []
    return tuple(((red, green, blue), number) for number, (red, green, blue, alpha) in counted if alpha)
