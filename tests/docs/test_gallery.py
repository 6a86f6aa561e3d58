"""The gallery shows what ``./dev gallery`` takes, and is light enough to keep."""

from __future__ import annotations

import itertools
import re
from pathlib import Path

from tests.themes.samples import SAMPLES
from tools.gallery import MOST_BYTES, OUT, THEMES, sheets, without_dark_colours

ROOT = Path(__file__).parents[2]


def test_every_sheet_is_kept_and_shown_once() -> None:
    """The folder, the page and the command name the same sheets, in the same order."""
    named = [f"{sheet.name}.webp" for sheet in sheets()]
    page = (OUT / "README.md").read_text(encoding="utf-8")
    assert sorted(path.name for path in OUT.iterdir()) == sorted([*named, "README.md"])
    assert re.findall(r"\]\(([^)]+\.webp)\)", page) == named


def test_the_gallery_is_light() -> None:
    """No sheet over its limit; 6 MB in all."""
    sizes = {path.name: path.stat().st_size for path in OUT.iterdir()}
    assert {name: size for name, size in sizes.items() if size > MOST_BYTES} == {}
    assert 1024 * 1024 < sum(sizes.values()) <= 6 * 1024 * 1024


def test_every_theme_is_seen_in_every_way() -> None:
    """Each theme × English, Urdu, Hindi × 600, 360 × light, dark; pictures off; every sample issue."""
    assert set(THEMES) == {p.parent.name for p in ROOT.glob("templates/*/theme.toml")} - {"base"}
    for theme in THEMES:
        views = [view for sheet in sheets() if sheet.theme == theme for view in sheet.views]
        seen = {(view.sample, view.width, view.dark) for view in views}
        assert seen >= set(itertools.product(("english", "urdu", "hindi"), (648, 360), (False, True)))
        assert {view.sample for view in views} == set(SAMPLES)
        assert {view.width for view in views if not view.pictures} == {648, 360}


def test_forced_dark_starts_from_a_mail_without_dark_colours() -> None:
    """Colour schemes and dark styles go; the other styles and Outlook's stay."""
    html = (
        '<meta name="color-scheme" content="light dark"><meta name="supported-color-schemes" content="light dark">'
        "<style>\n:root{color-scheme:light dark}\n.im{color:inherit!important}\n</style>"
        "<style>\n@media (prefers-color-scheme: dark){.page{color:red}}\n</style>"
        "<style>\n[data-ogsb] .page{a:b}\n</style>"
    )
    left = without_dark_colours(html)
    assert "scheme" not in left
    assert ".im{" in left and "[data-ogsb]" in left
