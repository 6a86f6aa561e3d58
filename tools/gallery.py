"""Every theme in every view, as sheets of pictures to look at: real issues, the real pipeline, the system's Chromium.

Run ``./dev gallery``, or ``./dev gallery weekly digest-urdu`` for the sheets whose names begin so. Writes
docs/gallery/*.webp; the same templates give the same bytes on the same machine, so a diff means that a mail looks
different. Look at each before you commit it.
"""

from __future__ import annotations

import re
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from PIL import Image
from playwright.sync_api import Browser, sync_playwright

from newsletter.app.desk import open_desk
from newsletter.app.render import render
from tests.themes.samples import set_sample
from tools.browser import NARROW, WIDE, shoot, side_by_side, start, write_page

ROOT = Path(__file__).resolve().parent.parent
OUT = ROOT / "docs" / "gallery"
THEMES = ("weekly", "digest", "letter", "bulletin")
LANGUAGES = ("english", "urdu", "hindi")
FIRST_NAMES = {"urdu": "آمنہ", "hindi": "आमना", "urdu-mixed": "آمنہ"}
MOST_BYTES = 280 * 1024  # of one sheet; docs/gallery as a whole stays under 6 MB
# Chromium's own darkening of pages that have no dark colours: near what Gmail's apps do to a mail.
FORCE_DARK = ("--blink-settings=forceDarkModeEnabled=true",)


@dataclass(frozen=True)
class View:
    """One picture of a sheet: an issue of tests/themes/samples.py in one window."""

    sample: str
    width: int
    dark: bool = False
    pictures: bool = True
    forced: bool = False


@dataclass(frozen=True)
class Sheet:
    """A file of the gallery: a theme, and what stands side by side."""

    name: str
    theme: str
    views: tuple[View, ...]


def sheets() -> Iterator[Sheet]:
    """All sheets, in the order in which docs/gallery/README.md shows them."""
    for theme in THEMES:
        for sample in LANGUAGES:
            views = tuple(View(sample, width, dark) for dark in (False, True) for width in (WIDE, NARROW))
            yield Sheet(f"{theme}-{sample}", theme, views)
        extra = [View("awkward", width) for width in (WIDE, NARROW)]
        extra += [View("english", width, pictures=False) for width in (WIDE, NARROW)]
        yield Sheet(f"{theme}-awkward", theme, tuple(extra))
        mixed = [View(sample, width) for sample in ("english-mixed", "urdu-mixed") for width in (WIDE, NARROW)]
        yield Sheet(f"{theme}-mixed", theme, tuple(mixed))
        if theme == "weekly":
            forced = [View(sample, width, forced=True) for sample in ("english", "urdu") for width in (WIDE, NARROW)]
            yield Sheet(f"{theme}-forced-dark", theme, tuple(forced))


def without_dark_colours(html: str) -> str:
    """The mail as a client leaves it that repaints mails by itself: no colour schemes, no dark styles."""
    html = re.sub(r'<meta name="(?:supported-)?color-schemes?"[^>]*>\s*', "", html)
    html = re.sub(r":root\s*\{[^}]*\}", "", html)
    kept, blocks = re.subn(r"<style>\s*@media \(prefers-color-scheme: ?dark\).*?</style>", "", html, flags=re.DOTALL)
    assert blocks == 1, "the dark styles are no longer a block of their own"
    return kept


class Studio:
    """Renders each issue once in each theme, and takes its pictures."""

    def __init__(self, folder: Path, plain: Browser, forced: Browser) -> None:
        self.folder = folder
        self.browsers = {False: plain, True: forced}
        self.pages: dict[tuple[str, str], Path] = {}

    def page(self, sample: str, theme: str) -> Path:
        """The mail as a file; beside it ``forced.html``, without its own dark colours."""
        if (sample, theme) not in self.pages:
            folder = self.folder / f"{theme}-{sample}"
            root, slug = set_sample(sample, theme, folder / "workspace")
            with open_desk(root) as desk:
                page = write_page(render(desk, slug).email, folder / "page", FIRST_NAMES.get(sample))
            page.with_name("forced.html").write_text(without_dark_colours(page.read_text("utf-8")), encoding="utf-8")
            self.pages[sample, theme] = page
        return self.pages[sample, theme]

    def take(self, sheet: Sheet) -> Image.Image:
        """All views of a sheet, side by side."""
        shots = []
        for view in sheet.views:
            page = self.page(view.sample, sheet.theme)
            page = page.with_name("forced.html") if view.forced else page
            browser = self.browsers[view.forced]
            shots.append(shoot(browser, page, view.width, dark=view.dark, pictures=view.pictures))
        return side_by_side(shots, gap=24)


def save(sheet: Image.Image, target: Path) -> None:
    """As large and as sharp as its bytes allow."""
    for share, quality in ((0.75, 60), (0.75, 45), (0.66, 60), (0.66, 45), (0.6, 45), (0.6, 35), (0.55, 35)):
        size = (round(sheet.width * share), round(sheet.height * share))
        sheet.resize(size, Image.Resampling.LANCZOS).save(target, quality=quality, method=6)
        if target.stat().st_size <= MOST_BYTES:
            print(f"{target.relative_to(ROOT)}: {size[0]} × {size[1]}, {target.stat().st_size // 1024} KB", flush=True)
            return
    raise SystemExit(f"{target.name} is over {MOST_BYTES} bytes however coarse")


def main(wanted: list[str]) -> None:
    """Render, shoot and save the sheets whose names begin with one of the words; all without a word."""
    chosen = [sheet for sheet in sheets() if not wanted or sheet.name.startswith(tuple(wanted))]
    if not chosen:
        raise SystemExit(f"no sheet begins so; there are: {', '.join(sheet.name for sheet in sheets())}")
    OUT.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        plain, forced = start(playwright), start(playwright, *FORCE_DARK)
        studio = Studio(Path(folder), plain, forced)
        for sheet in chosen:
            save(studio.take(sheet), OUT / f"{sheet.name}.webp")
        plain.close()
        forced.close()
    if not wanted:
        names = {f"{sheet.name}.webp" for sheet in sheets()}
        for left in sorted(path.name for path in OUT.glob("*.webp") if path.name not in names):
            (OUT / left).unlink()
            print(f"removed {left}: no sheet has that name")


if __name__ == "__main__":
    main(sys.argv[1:])
