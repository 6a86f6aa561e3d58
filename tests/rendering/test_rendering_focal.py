"""A picture without a focal point is cut around its subject; what has none is cut where every picture was before."""

from __future__ import annotations

import itertools
import random
from collections.abc import Callable
from pathlib import Path

import pytest
from PIL import Image, ImageDraw

from newsletter.rendering import focal
from newsletter.rendering.focal import DEFAULT, where_to_cut
from newsletter.rendering.pictures import make_derivative
from newsletter.rendering.recipes import GRID, LEAD, LIST, LOGO, SPONSOR, TEXT, Recipe

SIZES = [(1200, 400), (800, 500), (400, 1200), (450, 800)]
SHAPES = [16 / 9, 3 / 2, 2.0, 1.0]
PLACES = [*itertools.product((0.04, 0.96), repeat=2), (0.5, 0.5)]


def plain(size: tuple[int, int]) -> Image.Image:
    return Image.new("RGB", size, (90, 110, 120))


def sky(size: tuple[int, int]) -> Image.Image:
    """Blue growing paler towards the ground."""
    fall = Image.linear_gradient("L").resize(size)
    return Image.merge("RGB", [fall.point(lambda v, a=a, b=b: a + v // b) for a, b in ((90, 3), (130, 4), (190, 8))])


def waves(size: tuple[int, int]) -> Image.Image:
    """Detail everywhere, and no subject."""
    image = Image.new("RGB", size, (40, 80, 110))
    draw, dice = ImageDraw.Draw(image), random.Random(1)
    for _ in range(450):
        x, y = dice.randrange(size[0]), dice.randrange(size[1])
        draw.line((x, y, x + dice.randrange(10, 45), y), fill=(120, 160, 190), width=2)
    return image


def grain(size: tuple[int, int]) -> Image.Image:
    """The noise of a photograph taken in the dark, from a generator of our own so that it is the same each time."""
    small = Image.frombytes("L", (200, 200), random.Random(2).randbytes(40_000))
    grey = small.point(lambda value: 96 + value // 4).resize(size, Image.Resampling.BICUBIC)
    return Image.merge("RGB", (grey, grey.point(lambda v: v * 9 // 10), grey.point(lambda v: v * 8 // 10)))


GROUNDS = {"plain": plain, "sky": sky, "waves": waves, "grain": grain}


def face(skin: tuple[int, int, int]) -> Callable[[int], Image.Image]:
    def draw(side: int) -> Image.Image:
        image = Image.new("RGB", (side, side), (40, 28, 20))
        pen = ImageDraw.Draw(image)
        pen.ellipse((side * 0.08, side * 0.2, side * 0.92, side * 1.1), fill=skin)
        for x in (0.33, 0.67):
            pen.ellipse((side * (x - 0.06), side * 0.45, side * (x + 0.06), side * 0.53), fill=(30, 20, 20))
        pen.ellipse((side * 0.35, side * 0.7, side * 0.65, side * 0.78), fill=(150, 60, 60))
        return image

    return draw


def bright(side: int) -> Image.Image:
    return Image.new("RGB", (side, side), (250, 220, 40))


def detailed(side: int) -> Image.Image:
    """Grey on average: only its detail tells it from the ground."""
    image = Image.new("RGB", (side, side), (20, 20, 20))
    pen = ImageDraw.Draw(image)
    step = side / 8
    for x, y in itertools.product(range(8), repeat=2):
        if (x + y) % 2:
            pen.rectangle((x * step, y * step, (x + 1) * step, (y + 1) * step), fill=(240, 240, 240))
    return image


SUBJECTS = {
    "light skin": face((236, 188, 160)),
    "brown skin": face((190, 130, 95)),
    "dark skin": face((110, 70, 50)),
    "bright": bright,
    "detailed": detailed,
}


def cut(size: tuple[int, int], shape: float, centring: tuple[float, float]) -> tuple[float, float, float, float]:
    """What ``ImageOps.fit`` keeps: left, top, right, bottom."""
    wide, high = min(size[0], size[1] * shape), min(size[1], size[0] / shape)
    left, top = (size[0] - wide) * centring[0], (size[1] - high) * centring[1]
    return left, top, left + wide, top + high


@pytest.mark.parametrize("subject", SUBJECTS)
@pytest.mark.parametrize("ground", GROUNDS)
@pytest.mark.parametrize("size", SIZES)
def test_a_subject_in_any_corner_stays_wholly_inside_every_cut(
    size: tuple[int, int], ground: str, subject: str
) -> None:
    """Three tenths of the short side, in the middle or in a corner; the constant loses most of these."""
    behind = GROUNDS[ground](size)
    side = min(size) * 3 // 10
    drawn = SUBJECTS[subject](side)
    disc = Image.new("L", (side, side))
    ImageDraw.Draw(disc).ellipse((0, 0, side - 1, side - 1), fill=255)
    lost = []
    for across, down in PLACES:
        x, y = round((size[0] - side) * across), round((size[1] - side) * down)
        image = behind.copy()
        image.paste(drawn, (x, y), disc)
        for shape in SHAPES:
            left, top, right, bottom = cut(size, shape, where_to_cut(image, shape))
            if not (left <= x and top <= y and x + side <= right and y + side <= bottom):
                lost.append((across, down, round(shape, 2)))
    assert lost == []


@pytest.mark.parametrize("colour", [(0, 0, 0), (255, 255, 255), (128, 128, 128), (200, 140, 110), (10, 200, 30)])
@pytest.mark.parametrize("size", [*SIZES, (1, 1), (2, 900), (3000, 1)])
def test_a_flat_picture_is_cut_at_the_constant(size: tuple[int, int], colour: tuple[int, int, int]) -> None:
    """Exactly: nothing is to be seen, so nothing is better than what every picture got."""
    image = Image.new("RGB", size, colour)
    assert {where_to_cut(image, shape) for shape in SHAPES} == {DEFAULT}


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("ground", ["sky", "waves", "grain"])
def test_a_ground_without_a_subject_is_cut_near_the_constant(size: tuple[int, int], ground: str) -> None:
    """What is alike everywhere draws the cut nowhere."""
    for shape in SHAPES:
        found = where_to_cut(GROUNDS[ground](size), shape)
        assert all(abs(at - usual) <= 0.15 for at, usual in zip(found, DEFAULT, strict=True)), (shape, found)


def test_only_the_free_axis_is_looked_at() -> None:
    """A wide picture keeps its whole height, a tall one its whole width, and one of the shape both."""
    image = plain((1600, 1600))
    image.paste(bright(200), (1350, 1350))
    assert where_to_cut(image, 2.0)[0] == DEFAULT[0] and where_to_cut(image, 2.0)[1] > 0.9
    assert where_to_cut(image, 0.5)[1] == DEFAULT[1] and where_to_cut(image, 0.5)[0] > 0.9
    assert where_to_cut(image, 1.0) == DEFAULT
    assert where_to_cut(plain((10, 2000)), 0.004) == DEFAULT, "a copy of one column leaves no choice"


def test_a_subject_has_air_around_it() -> None:
    """It does not touch the edge of the cut where there is room beside it."""
    image = plain((2400, 800))
    image.paste(bright(160), (1500, 320))
    left, _, right, _ = cut(image.size, 1.0, where_to_cut(image, 1.0))
    assert left + 120 <= 1500 and right - 120 >= 1660


def test_heads_are_above_bodies() -> None:
    """Of two like subjects that do not fit into one cut, the upper one is shown."""
    image = plain((800, 2400))
    for top in (300, 1900):
        image.paste(bright(200), (300, top))
    _, top, _, bottom = cut(image.size, 16 / 9, where_to_cut(image, 16 / 9))
    assert top <= 300 and bottom >= 500


def test_what_is_everywhere_is_no_subject() -> None:
    """Sand has the colour of skin and a grain; the grey boat that lies on it is what there is to see."""
    grey = grain((1200, 400))
    sand = Image.composite(Image.new("RGB", grey.size, (226, 184, 146)), grey, Image.new("L", grey.size, 200))
    sand.paste((120, 124, 130), (1060, 180, 1140, 240))
    left, _, right, _ = cut(sand.size, 1.0, where_to_cut(sand, 1.0))
    assert left <= 1060 and right >= 1140


def test_the_same_pixels_give_the_same_cut() -> None:
    """Derivatives of one original are the same bytes on every run."""
    image = waves((1600, 1000))
    assert len({where_to_cut(image.copy(), 1.0) for _ in range(5)}) == 1


@pytest.mark.parametrize("recipe", [LEAD, LIST, GRID, SPONSOR, TEXT], ids=lambda recipe: recipe.id)
@pytest.mark.parametrize("size", [(2400, 800), (800, 2400)])
def test_the_derivative_is_cut_there_and_the_editor_s_point_wins(
    tmp_path: Path, recipe: Recipe, size: tuple[int, int]
) -> None:
    """The yellow subject in the far corner is in the file that is made; a point that was given is not asked about."""
    image = sky(size)
    image.paste(bright(200), (size[0] - 230, size[1] - 230))
    image.save(tmp_path / "a.jpg", quality=95)

    def yellow(point: tuple[float, float] | None) -> int:
        one = make_derivative(tmp_path / "a.jpg", recipe, tmp_path / "cache", focal=point, where="story x, image y")
        with Image.open(one.path) as made:
            red, _, blue = made.convert("RGB").resize((100, 100)).split()
            return sum(r > 200 and b < 120 for r, b in zip(red.tobytes(), blue.tobytes(), strict=True))

    whole = min(size[0], size[1] * recipe.width / recipe.height) * min(size[1], size[0] * recipe.height / recipe.width)
    assert yellow(None) == pytest.approx(200 * 200 / whole * 10_000, rel=0.15)
    assert yellow((0.0, 0.0)) == 0


def test_a_point_that_was_given_and_a_logo_are_not_looked_at(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No time is spent on what would not be used."""
    monkeypatch.setattr("newsletter.rendering.pictures.where_to_cut", None)
    waves((1400, 1000)).save(tmp_path / "a.jpg")
    given = make_derivative(tmp_path / "a.jpg", LEAD, tmp_path / "cache", focal=(0.2, 0.2), where="x")
    assert (given.width, given.height) == (1200, 675)
    waves((500, 300)).save(tmp_path / "logo.png")
    assert make_derivative(tmp_path / "logo.png", LOGO, tmp_path / "cache", focal=None, where="x").height == 96


def test_a_large_picture_is_sampled_and_gets_the_same_cut() -> None:
    """Fifty megapixels are not read for a copy of two hundred pixels; where the subject is does not change."""
    image = sky((2400, 800))
    image.paste(face((190, 130, 95))(240), (2000, 500))
    large = image.resize((9600, 3200), Image.Resampling.BICUBIC)
    assert large.width // focal._SIDE > focal._SAMPLES
    for shape in SHAPES:
        small, big = where_to_cut(image, shape), where_to_cut(large, shape)
        assert big == pytest.approx(small, abs=0.05)
