"""Every derivative keeps its budget, whatever the original: less quality first, then fewer pixels."""

from __future__ import annotations

import io
from dataclasses import replace
from pathlib import Path

import pytest
from PIL import Image

from newsletter.rendering.budgets import picture_file
from newsletter.rendering.pictures import Derivative, make_derivative
from newsletter.rendering.recipes import BY_LAYOUT, LEAD, LIST, LOGO, SPONSOR, TEXT, Recipe

RECIPES = [*BY_LAYOUT.values()]


def noisy(size: tuple[int, int], sigma: int = 200) -> Image.Image:
    """Noise in every channel over a gradient: nothing compresses worse."""
    fall = Image.linear_gradient("L").resize(size)
    channels = [Image.blend(Image.effect_noise(size, sigma), fall, 0.3) for _ in range(3)]
    return Image.merge("RGB", channels)


def made(path: Path, recipe: Recipe) -> Derivative:
    return make_derivative(path, recipe, path.parent / "cache", focal=None, where="story x, image y")


@pytest.mark.parametrize("recipe", RECIPES, ids=lambda recipe: recipe.id)
def test_a_hard_photo_keeps_the_budget_at_no_fewer_pixels_than_the_page_has(tmp_path: Path, recipe: Recipe) -> None:
    """Twelve megapixels whose noise is as coarse as the file's pixels, so that making it smaller evens nothing out."""
    coarse = noisy((recipe.width, recipe.width * 3 // 4))
    coarse.resize((4000, 3000), Image.Resampling.NEAREST).save(tmp_path / "hard.jpg", quality=92)
    one = made(tmp_path / "hard.jpg", recipe)
    assert one.size <= recipe.budget
    assert recipe.shown_width <= one.width <= recipe.width and one.height >= recipe.shown_height - 1
    assert one.width / one.height == pytest.approx(recipe.width / recipe.height, abs=0.02)
    if recipe in (LEAD, SPONSOR, TEXT):
        assert one.width < recipe.width, "the lowest quality alone was enough: the photo is not hard"


def test_the_budgets_are_the_look_s() -> None:
    """Whoever raises one raises the weight of every mail."""
    assert [BY_LAYOUT[layout].budget for layout in ("lead", "grid", "list")] == [122_880, 61_440, 25_600]


def test_pixels_go_only_when_the_lowest_quality_is_not_enough(tmp_path: Path) -> None:
    """A photo that fits at some quality keeps twice the page's pixels; one that does not comes close to the budget."""
    noisy((1600, 900), 30).save(tmp_path / "fits.jpg")
    fits = made(tmp_path / "fits.jpg", LIST)
    assert (fits.width, fits.height) == (LIST.width, LIST.height) and fits.size <= LIST.budget
    data, _ = picture_file(noisy((1200, 675)), LEAD, flat=False)
    assert 0.5 * LEAD.budget < len(data) <= LEAD.budget


def test_no_budget_costs_the_page_its_pixels() -> None:
    """A picture that would have to be drawn larger than it is looks worse than one that weighs too much."""
    data, _ = picture_file(noisy((1200, 675)), replace(LEAD, budget=1_000), flat=False)
    with Image.open(io.BytesIO(data)) as image:
        assert LEAD.shown_width <= image.width <= LEAD.shown_width + 1 and image.height == LEAD.shown_height


@pytest.mark.parametrize("size", [(600, 338), (300, 169), (40, 30)])
def test_a_small_original_is_not_made_smaller(tmp_path: Path, size: tuple[int, int]) -> None:
    """It has no more pixels than the page, so it keeps them all."""
    noisy(size).save(tmp_path / "a.png")
    one = made(tmp_path / "a.png", LEAD)
    assert one.width == min(size[0], round(size[1] * 16 / 9)) and one.size <= LEAD.budget


def test_a_flat_drawing_over_the_budget_keeps_it_too(tmp_path: Path) -> None:
    """Two colours of dust: as PNG it would be larger than as a small JPEG."""
    Image.effect_noise((1300, 900), 255).convert("1").save(tmp_path / "dust.png")
    for recipe in RECIPES:
        assert made(tmp_path / "dust.png", recipe).size <= recipe.budget, recipe.id


def test_a_logo_over_the_budget_loses_colours_and_no_pixels(tmp_path: Path) -> None:
    """Half its pixels are its size on the page: with fewer it would shrink there."""
    noise = noisy((560, 96)).convert("RGBA")
    noise.paste((0, 0, 0, 0), (0, 0, 20, 96))
    noise.save(tmp_path / "logo.png")
    one = made(tmp_path / "logo.png", LOGO)
    assert one.size <= LOGO.budget and (one.width, one.height) == (560, 96)
    with Image.open(one.path) as image:
        assert image.convert("RGBA").getpixel((5, 5))[3] == 0
