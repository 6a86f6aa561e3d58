"""Which pictures each layout needs: sizes on the page, sizes in the file, bytes at most."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Literal

from newsletter.models import Layout, Shape

MAKING = 2
"""Part of a derivative's name. Raise it when pixels or bytes are made in another way, so that no old one is reused."""


@dataclass(frozen=True, slots=True)
class Recipe:
    """How an original becomes a derivative. ``width`` and ``height`` are the file's pixels (twice the page's).

    ``shown_width`` and ``shown_height`` are CSS pixels on the page; ``budget`` is in bytes. ``fit`` is "crop" around
    the focal point, or "contain" for logos, which are never cropped and keep their transparency, or "whole" for an
    editor's eyes, which see all of a picture.
    """

    id: str
    width: int
    height: int
    shown_width: int
    shown_height: int
    budget: int
    fit: Literal["crop", "contain", "whole"] = "crop"

    @property
    def key(self) -> str:
        """What the derivative's name depends on, besides the original and the focal point."""
        return f"{self.id}/{self.width}x{self.height}/{self.budget}/{self.fit}/{MAKING}"


LEAD = Recipe("lead", 1200, 675, 600, 338, 120 * 1024)
LIST = Recipe("list", 320, 213, 160, 107, 25 * 1024)
GRID = Recipe("grid", 640, 427, 256, 171, 60 * 1024)
SPONSOR = Recipe("sponsor", 972, 486, 486, 243, 90 * 1024)
TEXT = Recipe("text", 1072, 603, 536, 302, 110 * 1024)
LOGO = Recipe("logo", 560, 96, 280, 48, 40 * 1024, "contain")

BY_LAYOUT: dict[Layout, Recipe] = {"lead": LEAD, "list": LIST, "grid": GRID, "sponsor": SPONSOR, "text": TEXT}
"""A brief has no picture."""


def recipe_for(layout: Layout, shapes: Mapping[Layout, Shape]) -> Recipe | None:
    """The recipe of a layout in a theme that asks for these shapes; None for a layout without pictures.

    A square is as wide as the layout's own picture, as tall as wide, and has the same budget.
    """
    recipe = BY_LAYOUT.get(layout)
    if recipe is None or shapes.get(layout) != "square":
        return recipe
    return replace(recipe, id=f"{recipe.id}-square", height=recipe.width, shown_height=recipe.shown_width)
