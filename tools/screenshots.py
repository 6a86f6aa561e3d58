"""Take the pictures of the sample issue that the documents show, through the real pipeline and the system's Chromium.

Run ``./dev shots``. Writes docs/images/weekly-{600,360}.png and weekly-dark-{600,360}.png (the whole mail), and
weekly.png (the upper part of all four, side by side, for the README). Each is at most 400 KB.
"""

from __future__ import annotations

import tempfile
from io import BytesIO
from pathlib import Path

from PIL import Image
from playwright.sync_api import Browser, sync_playwright

from newsletter.app.build import as_page
from newsletter.app.desk import open_desk
from newsletter.app.render import render
from newsletter.message.merge import fill
from newsletter.models import Email

ROOT = Path(__file__).resolve().parent.parent
OUT = ROOT / "docs" / "images"
ISSUE = "2026-11-27"
CHROMIUM = "/usr/bin/chromium"
UPPER = 1300  # CSS pixels of each mail in the picture for the README
MOST_BYTES = 400 * 1024
READER = {
    "first_name": "Amina",
    "unsubscribe_url": "https://estuary.example/u/sample",
    "preferences_url": "https://estuary.example/u/sample",
    "web_url": f"https://estuary.example/v/{ISSUE}",
}
# name, width of the window in CSS pixels (a mail 600 wide stands on a little of the page), colour scheme
VIEWS = (
    ("weekly-600", 648, "light"),
    ("weekly-360", 360, "light"),
    ("weekly-dark-600", 648, "dark"),
    ("weekly-dark-360", 360, "dark"),
)


def write_page(email: Email, folder: Path) -> Path:
    """The mail as one reader gets it, with its pictures beside it."""
    (folder / "media").mkdir()
    for image in email.images:
        (folder / "media" / image.name).write_bytes(image.path.read_bytes())
    page = folder / "email.html"
    page.write_text(fill(as_page(email), email.fields, READER), encoding="utf-8")
    return page


def shoot(browser: Browser, page: Path, width: int, scheme: str, *, scale: int, whole: bool) -> Image.Image:
    """The whole page or its upper part, ``scale`` device pixels to a CSS pixel."""
    context = browser.new_context(
        viewport={"width": width, "height": UPPER},
        color_scheme="dark" if scheme == "dark" else "light",
        device_scale_factor=scale,
        offline=True,
    )
    tab = context.new_page()
    tab.goto(page.as_uri())
    picture = Image.open(BytesIO(tab.screenshot(full_page=whole))).convert("RGB")
    context.close()
    return picture


def side_by_side(pictures: list[Image.Image]) -> Image.Image:
    """All of them on a grey table."""
    gap = 40
    height = max(picture.height for picture in pictures)
    width = sum(picture.width for picture in pictures) + gap * (len(pictures) + 1)
    table = Image.new("RGB", (width, height + 2 * gap), "#C9C9C9")
    left = gap
    for picture in pictures:
        table.paste(picture, (left, gap))
        left += picture.width + gap
    return table


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
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox", "--disable-gpu"])
        for name, width, scheme in VIEWS:
            save(shoot(browser, page, width, scheme, scale=1, whole=True), name)
        upper = [shoot(browser, page, width, scheme, scale=2, whole=False) for _, width, scheme in VIEWS]
        browser.close()
    save(side_by_side(upper), "weekly")


if __name__ == "__main__":
    main()
