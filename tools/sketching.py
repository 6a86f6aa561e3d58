"""The brush of ``draw_pictures.py``: skies, ridges, water, light, houses, boats, birds; JPEGs under a byte budget."""

from __future__ import annotations

import math
import random
from pathlib import Path

from PIL import Image, ImageChops, ImageDraw, ImageFilter

SIZE = (1600, 1000)
W, H = SIZE
SCALE = 2  # drawn twice as large and reduced: that is the anti-aliasing
OUT = Path(__file__).resolve().parent.parent / "issues" / "2026-11-27" / "images"
MOST_BYTES = 150 * 1024

Colour = tuple[int, int, int]
Point = tuple[float, float]


def rgb(text: str) -> Colour:
    """``#9B1C1C`` as a triple."""
    return (int(text[1:3], 16), int(text[3:5], 16), int(text[5:7], 16))


def mix(a: Colour, b: Colour, share: float) -> Colour:
    """``a`` with ``share`` (0…1) of ``b``."""
    return tuple(round(x + (y - x) * share) for x, y in zip(a, b, strict=True))  # type: ignore[return-value]  # always three


class Canvas:
    """A picture under the brush. Coordinates are of the finished 1600 × 1000 picture."""

    def __init__(self, sky: list[str], seed: int) -> None:
        self.random = random.Random(seed)
        column = Image.new("RGB", (1, len(sky)))
        for y, colour in enumerate(sky):
            column.putpixel((0, y), rgb(colour))
        self.image = column.resize((W * SCALE, H * SCALE), Image.Resampling.BICUBIC)
        self.draw = ImageDraw.Draw(self.image)

    def shape(self, points: list[Point], colour: str | Colour) -> None:
        """Fill a polygon."""
        self.draw.polygon([(x * SCALE, y * SCALE) for x, y in points], fill=colour)

    def box(self, x0: float, y0: float, x1: float, y1: float, colour: str | Colour, radius: float = 0) -> None:
        """Fill a rectangle, with round corners on request."""
        self.draw.rounded_rectangle(
            (x0 * SCALE, y0 * SCALE, x1 * SCALE, y1 * SCALE), radius=radius * SCALE, fill=colour
        )

    def disc(self, x: float, y: float, r: float, colour: str | Colour, squash: float = 1.0) -> None:
        """Fill a circle, or an ellipse that is ``squash`` as high as wide."""
        box = ((x - r) * SCALE, (y - r * squash) * SCALE, (x + r) * SCALE, (y + r * squash) * SCALE)
        self.draw.ellipse(box, fill=colour)

    def line(self, points: list[Point], colour: str | Colour, width: float) -> None:
        """Draw a line with round joints."""
        self.draw.line(
            [(x * SCALE, y * SCALE) for x, y in points], fill=colour, width=round(width * SCALE), joint="curve"
        )

    def glow(self, x: float, y: float, r: float, colour: str, strength: float) -> None:
        """Light around a point, fading to nothing at ``r``."""
        side = round(2 * r * SCALE)
        mask = ImageChops.invert(Image.radial_gradient("L")).resize((side, side), Image.Resampling.BICUBIC)
        mask = mask.point([round((max(0, v - 74) / 181) ** 1.7 * 255 * strength) for v in range(256)])
        corner = (round((x - r) * SCALE), round((y - r) * SCALE))
        self.image.paste(Image.new("RGB", (side, side), rgb(colour)), corner, mask)

    def veil(self, y0: float, y1: float, colour: str, strength: float) -> None:
        """Mist: a band that is thickest in its middle."""
        height = round((y1 - y0) * SCALE)
        ramp = Image.new("L", (1, height))
        for y in range(height):
            ramp.putpixel((0, y), round(255 * strength * math.sin(math.pi * y / height) ** 2))
        band = Image.new("RGB", (W * SCALE, height), rgb(colour))
        self.image.paste(band, (0, round(y0 * SCALE)), ramp.resize((W * SCALE, height)))

    def hills(
        self, base: float, rise: float, colour: str | Colour, waves: float = 2.0, floor: float = H
    ) -> list[Point]:
        """A ridge of summed sines, filled down to ``floor``; the ridge's points come back."""
        parts = [(waves * k, self.random.uniform(0, 6.28), rise / k**1.25) for k in (1, 2, 3, 5, 9)]
        ridge = [
            (float(x), base - sum(a * (0.5 + 0.5 * math.sin(f * math.tau * x / W + p)) for f, p, a in parts) / 1.6)
            for x in range(0, W + 8, 8)
        ]
        self.shape([*ridge, (W + 8, floor), (0, floor)], colour)
        return ridge

    def ripples(self, y0: float, y1: float, colour: str, count: int, near: tuple[float, float] = (0, W)) -> None:
        """Short strokes of light on water, longer and further apart towards the viewer."""
        for _ in range(count):
            depth = self.random.random() ** 1.5
            y = y0 + (y1 - y0) * depth
            length = (20 + 90 * depth) * self.random.uniform(0.5, 1.3)
            x = self.random.uniform(*near) - length / 2
            self.box(x, y, x + length, y + 1.5 + 2.5 * depth, colour, radius=2)

    def save(self, name: str) -> None:
        """Reduce, add grain, and write the JPEG under its byte budget."""
        picture = self.image.resize(SIZE, Image.Resampling.LANCZOS)
        random.seed(0)
        noise = Image.effect_noise((W // 2, H // 2), 9).resize(SIZE, Image.Resampling.BICUBIC)
        grain = noise.filter(ImageFilter.GaussianBlur(0.6)).point([128 + (v - 128) // 2 for v in range(256)])
        picture = ImageChops.overlay(picture, Image.merge("RGB", (grain, grain, grain)))
        target = OUT / name
        for quality in (86, 82, 78, 74, 70, 64):
            picture.save(target, quality=quality, optimize=True, progressive=True, subsampling=2)
            if target.stat().st_size <= MOST_BYTES:
                return
        raise SystemExit(f"{name} is over {MOST_BYTES} bytes even at quality 64")


def houses(c: Canvas, ground: float, colours: list[str], lit: str | None, x0: float = 0, x1: float = W) -> None:
    """A row of gabled houses standing on ``ground``; some windows are ``lit``."""
    x = x0
    while x < x1:
        width, height = c.random.uniform(34, 64), c.random.uniform(34, 84)
        colour = c.random.choice(colours)
        c.box(x, ground - height, x + width, ground + 4, colour)
        roof = mix(rgb(colour), (0, 0, 0), 0.28)
        pitch = c.random.uniform(14, 30)
        c.shape(
            [(x - 3, ground - height), (x + width / 2, ground - height - pitch), (x + width + 3, ground - height)], roof
        )
        if c.random.random() < 0.5:
            c.box(x + width * 0.68, ground - height - pitch, x + width * 0.68 + 7, ground - height - 2, roof)
        for row in range(int(height // 24)):
            for column in (0.22, 0.6):
                if lit and c.random.random() < 0.55:
                    left, top = x + width * column, ground - height + 9 + row * 24
                    c.box(left, top, left + 7, top + 10, lit)
        x += width + c.random.uniform(-2, 9)


def sailing_boat(c: Canvas, x: float, y: float, size: float, sail: str, hull: str) -> None:
    """A dinghy with main and jib, ``size`` pixels high."""
    c.shape([(x + 0.03 * size, y - size), (x + 0.03 * size, y - 0.14 * size), (x + 0.46 * size, y - 0.14 * size)], sail)
    jib = mix(rgb(sail), rgb(hull), 0.18)
    c.shape(
        [(x - 0.02 * size, y - 0.86 * size), (x - 0.02 * size, y - 0.14 * size), (x - 0.34 * size, y - 0.14 * size)],
        jib,
    )
    c.line([(x, y - 1.02 * size), (x, y)], hull, max(2.0, size * 0.02))
    c.shape(
        [
            (x - 0.42 * size, y - 0.09 * size),
            (x + 0.5 * size, y - 0.09 * size),
            (x + 0.38 * size, y + 0.05 * size),
            (x - 0.3 * size, y + 0.05 * size),
        ],
        hull,
    )


def bird(c: Canvas, x: float, y: float, span: float, colour: str) -> None:
    """A gull far away: two strokes."""
    c.line([(x - span, y - span * 0.3), (x - span * 0.4, y - span * 0.42), (x, y)], colour, 3.2)
    c.line([(x, y), (x + span * 0.4, y - span * 0.42), (x + span, y - span * 0.3)], colour, 3.2)


def goose(c: Canvas, x: float, y: float, s: float, colour: str) -> None:
    """A goose in flight, neck stretched to the left."""
    c.shape(
        [(x - 1.5 * s, y - 0.1 * s), (x - 0.5 * s, y - 0.16 * s), (x + 0.9 * s, y), (x - 0.5 * s, y + 0.18 * s)], colour
    )
    c.disc(x - 1.45 * s, y - 0.08 * s, 0.13 * s, colour)
    c.shape([(x - 0.35 * s, y), (x + 0.05 * s, y - 1.05 * s), (x + 0.75 * s, y - 1.2 * s), (x + 0.4 * s, y)], colour)
