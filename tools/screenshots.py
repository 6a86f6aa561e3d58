"""Take the pictures of the sample issue that the documents show, through the real pipeline and the system's Chromium.

Run ``./dev shots``. Writes docs/images/weekly-{600,360}.png and weekly-dark-{600,360}.png (the whole mail), and
weekly.png (the upper part of all four, side by side, for the README). Each is at most 400 KB.
"""

from __future__ import annotations

import tempfile
from pathlib import Path

from PIL import Image
from playwright.sync_api import sync_playwright

from newsletter.app.desk import open_desk
from newsletter.app.render import render
from tools.browser import NARROW, WIDE, shoot, side_by_side, start, write_page

ROOT = Path(__file__).resolve().parent.parent
OUT = ROOT / "docs" / "images"
ISSUE = "2026-11-27"
UPPER = 1300  # CSS pixels of each mail in the picture for the README
MOST_BYTES = 400 * 1024
# name, width of the window in CSS pixels, dark
VIEWS = (
    ("weekly-600", WIDE, False),
    ("weekly-360", NARROW, False),
    ("weekly-dark-600", WIDE, True),
    ("weekly-dark-360", NARROW, True),
)


def save(picture: Image.Image, name: str) -> None:
    """A PNG of a few colours, reduced until it is light enough."""
    for share in (1.0, 0.6, 0.5, 0.4):
        size = (round(picture.width * share), round(picture.height * share))
        smaller = picture.resize(size, Image.Resampling.LANCZOS)
        few = smaller.quantize(256, method=Image.Quantize.MEDIANCUT, dither=Image.Dither.NONE)
        target = OUT / f"{name}.png"
        few.save(target, optimize=True)
        if target.stat().st_size <= MOST_BYTES:
            print(f"{target.relative_to(ROOT)}: {size[0]} × {size[1]}, {target.stat().st_size // 1024} KB")
            return
    raise SystemExit(f"{name}.png is over {MOST_BYTES} bytes however small")


def main() -> None:
    """Render, shoot, save."""
    OUT.mkdir(parents=True, exist_ok=True)
    with open_desk(ROOT) as desk, tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        page = write_page(render(desk, ISSUE).email, Path(folder))
        browser = start(playwright)
        for name, width, dark in VIEWS:
            save(shoot(browser, page, width, dark=dark), name)
        upper = [shoot(browser, page, width, dark=dark, scale=2, height=UPPER) for _, width, dark in VIEWS]
        browser.close()
    save(side_by_side(upper, gap=40), "weekly")


if __name__ == "__main__":
    main()
