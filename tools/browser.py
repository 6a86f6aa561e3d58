"""Mails in the system's Chromium: what tools/screenshots.py and tools/gallery.py share."""

from __future__ import annotations

from collections.abc import Sequence
from io import BytesIO
from pathlib import Path

from PIL import Image
from playwright.sync_api import Browser, Playwright

from newsletter.app.build import as_page
from newsletter.message.merge import fill
from newsletter.models import Email

CHROMIUM = "/usr/bin/chromium"
READER = {
    "first_name": "Amina",
    "unsubscribe_url": "https://estuary.example/u/sample",
    "preferences_url": "https://estuary.example/u/sample",
    "web_url": "https://estuary.example/v/sample",
}
WIDE = 648
"""The window in CSS pixels for a mail 600 wide, which then stands on a little of the page."""
NARROW = 360
TABLE = "#C9C9C9"


def start(playwright: Playwright, *arguments: str) -> Browser:
    """The system's Chromium, with further command-line arguments."""
    return playwright.chromium.launch(
        executable_path=CHROMIUM, args=["--no-sandbox", "--disable-gpu", "--hide-scrollbars", *arguments]
    )


def write_page(email: Email, folder: Path, reader: str | None = None) -> Path:
    """The mail as one reader gets it, with its pictures beside it; ``reader`` is another first name."""
    (folder / "media").mkdir(parents=True)
    for image in email.images:
        (folder / "media" / image.name).write_bytes(image.path.read_bytes())
    page = folder / "email.html"
    who = {**READER, "first_name": reader} if reader else READER
    page.write_text(fill(as_page(email), email.fields, who), encoding="utf-8")
    return page


def shoot(
    browser: Browser,
    page: Path,
    width: int,
    *,
    dark: bool = False,
    pictures: bool = True,
    scale: float = 1,
    height: int | None = None,
) -> Image.Image:
    """The whole page, or its upper ``height`` CSS pixels, at ``scale`` device pixels to a CSS pixel."""
    context = browser.new_context(
        viewport={"width": width, "height": height or 800},
        color_scheme="dark" if dark else "light",
        device_scale_factor=scale,
        offline=True,
    )
    tab = context.new_page()
    if not pictures:
        tab.route("**/media/*", lambda route: route.abort())
    tab.goto(page.as_uri())
    picture = Image.open(BytesIO(tab.screenshot(full_page=height is None))).convert("RGB")
    context.close()
    return picture


def side_by_side(pictures: Sequence[Image.Image], gap: int) -> Image.Image:
    """All of them on a grey table."""
    height = max(picture.height for picture in pictures)
    width = sum(picture.width for picture in pictures) + gap * (len(pictures) + 1)
    table = Image.new("RGB", (width, height + 2 * gap), TABLE)
    left = gap
    for picture in pictures:
        table.paste(picture, (left, gap))
        left += picture.width + gap
    return table
