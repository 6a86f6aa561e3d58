"""Take the pictures of the composer that its document shows, in the system's Chromium on a copy of the sample.

Run ``python -m tools.composer_pictures [FOLDER]``. Writes docs/composer/*.png, each at most 150 KB; with another
FOLDER, pictures of every screen in every state, to look at.
"""

from __future__ import annotations

import contextlib
import io
import shutil
import sys
import tempfile
import threading
from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path

from PIL import Image
from playwright.sync_api import Browser, Page, sync_playwright

from newsletter.app.approve import approve_issue
from newsletter.app.articles import add_article
from newsletter.app.desk import open_desk
from newsletter.web.composer.server import ComposerServer
from newsletter.workspace.create import create_demo, init_workspace
from tools.browser import start

ROOT = Path(__file__).resolve().parent.parent
OUT = ROOT / "docs" / "composer"
ISSUE = "2026-11-27"
MOST_BYTES = 150 * 1024
STORIES = (
    "# Herons nest on the gasworks\n\nTwelve pairs have built on the old frame, the wardens say.\n",
    "# The bakery opens at four\n\nOnly the fishing crews know why, and they are not telling.\n",
    "# A bridge is measured for the first time since it was built\n\nIt is two feet shorter than the plans.\n",
)
LONG = "Der Donaudampfschifffahrtsgesellschaftskapitän spricht über Unannehmlichkeiten und andere sehr lange Wörter "
URDU = "بندرگاہ کی پرانی دیوار اب ایک چوتھائی میل اندر منتقل ہوگی"


@contextlib.contextmanager
def serving(root: Path) -> Iterator[ComposerServer]:
    """A composer in a thread."""
    with open_desk(root) as desk:
        server = ComposerServer(desk)
        thread = threading.Thread(target=server.run_until_stopped)
        thread.start()
        try:
            yield server
        finally:
            server.stop()
            thread.join()


def furnish(root: Path) -> None:
    """An inbox, an approved issue, one that cannot be read."""
    with open_desk(root) as desk:
        for story in STORIES:
            add_article(desk, None, story.encode())
        shutil.copytree(root / "issues" / ISSUE, root / "issues" / "2026-11-20")
        approve_issue(desk, "2026-11-20", send_at=f"{date.today() + timedelta(days=21)}T07:00")
    broken = root / "issues" / "2026-12-04"
    broken.mkdir()
    (broken / "issue.md").write_text("---\nsubject: Tides: a reader asks\ndate: 2026-12-04\n---\n", encoding="utf-8")


def save(page: Page, folder: Path, name: str) -> None:
    """What the window shows, as a PNG of few colours that is light enough."""
    picture = Image.open(io.BytesIO(page.screenshot())).convert("RGB")
    few = picture.quantize(128, method=Image.Quantize.MEDIANCUT, dither=Image.Dither.NONE)
    target = folder / f"{name}.png"
    few.save(target, optimize=True)
    size = target.stat().st_size
    print(f"{target}: {picture.width} × {picture.height}, {size // 1024} KB")
    if folder == OUT and size > MOST_BYTES:
        raise SystemExit(f"{target.name} is over {MOST_BYTES} bytes")


class Camera:
    """A signed-in browser window on a composer."""

    def __init__(
        self,
        browser: Browser,
        server: ComposerServer,
        *,
        width: int,
        height: int,
        dark: bool = False,
        forced: bool = False,
    ) -> None:
        context = browser.new_context(
            viewport={"width": width, "height": height},
            color_scheme="dark" if dark else "light",
            reduced_motion="reduce",
            forced_colors="active" if forced else "none",
        )
        self._server = server
        self.page = context.new_page()
        self.page.goto(server.entrance)
        self.page.locator("h1").wait_for()

    def open(self, path: str) -> Page:
        """A page; the composer's, when its mail is there."""
        self.page.goto(self._server.url + path)
        if path.startswith("issues/") and not path.endswith("/send"):
            self.page.locator("body[data-shown]").wait_for(timeout=60_000)
            if self.page.locator("#mail").is_visible():
                self.page.frame_locator("#mail").locator("img").first.wait_for(state="attached")
            self.page.wait_for_timeout(600)
        return self.page


def framing(page: Page) -> Page:
    """The second story's picture, its focal point and its cuts."""
    page.get_by_role("button", name="All fields").nth(1).click()
    page.locator(".cuts img").last.wait_for()
    page.evaluate("document.querySelector('.picture').scrollIntoView(); scrollBy(0, -70)")
    page.locator(".dot").first.press("ArrowUp")
    page.wait_for_timeout(1200)
    return page


def kept(browser: Browser, server: ComposerServer, folder: Path) -> None:
    """The few that the document shows."""
    camera = Camera(browser, server, width=1280, height=800)
    save(camera.open(""), folder, "issues")
    save(camera.open("inbox"), folder, "inbox")
    page = camera.open(f"issues/{ISSUE}")
    save(page, folder, "compose")
    page.get_by_role("button", name="Pick stories").click()
    page.locator("#picker li").first.wait_for()
    save(page, folder, "pick")
    save(framing(camera.open(f"issues/{ISSUE}")), folder, "picture")
    page = camera.open(f"issues/{ISSUE}/send")
    page.wait_for_timeout(1500)
    save(page, folder, "send")
    page = camera.open("settings/theme")
    page.get_by_label("accent, light").fill("#005a9c")
    page.locator('body[data-shown*="005a9c"]').wait_for(timeout=60_000)
    page.evaluate("document.activeElement.blur()")
    save(page, folder, "theme")
    narrow = Camera(browser, server, width=390, height=780, dark=True)
    save(narrow.open(f"issues/{ISSUE}"), folder, "compose-dark-phone")


def forty(browser: Browser, server: ComposerServer, root: Path, folder: Path) -> None:
    """An issue of forty stories, right to left, with a place for a sponsor that is booked twice."""
    issue = root / "issues" / "forty"
    shutil.copytree(root / "issues" / ISSUE, issue)
    (root / "sponsors").mkdir(exist_ok=True)
    for name in ("chandler", "almanac"):
        words = f"sponsor: {name.title()}\nheadline: What {name} sells\nlink: https://ads.example/\nruns: [forty]"
        (root / "sponsors" / f"{name}.md").write_text(f"---\n{words}\n---\nBuy it.\n", encoding="utf-8")
    names = [f"story-{number}" for number in range(40)]
    for name in names:
        (issue / f"{name}.md").write_text(f"---\nheadline: {URDU}\nteaser: {URDU}\n---\n{URDU}\n", encoding="utf-8")
    listed = f"- title: {URDU}\n    layout: list\n    articles: [{', '.join(names)}]"
    sections = f"- layout: sponsor\n    sponsor: chandler\n  {listed}\n  - layout: sponsor"
    (issue / "issue.md").write_text(
        f"---\nsubject: {URDU}\ndate: 2026-11-27\nlang: ur\nsections:\n  {sections}\n---\n", encoding="utf-8"
    )
    for name, width in (("wide", 1280), ("phone", 360)):
        page = Camera(browser, server, width=width, height=900).open("")
        page.goto(f"{server.url}issues/forty")
        page.locator("body[data-ready]").wait_for()
        page.wait_for_timeout(2500)
        save(page, folder, f"forty-{name}")
        page.evaluate("scrollTo(0, document.body.scrollHeight)")
        page.locator(".creative").scroll_into_view_if_needed()
        page.wait_for_timeout(300)
        save(page, folder, f"forty-end-{name}")


def every(browser: Browser, server: ComposerServer, root: Path, folder: Path) -> None:
    """Every screen in every state."""
    issue = root / "issues" / ISSUE
    for name, width, height, dark in (
        ("wide", 1280, 800, False), ("dark", 1280, 800, True), ("phone", 360, 780, False), ("double", 640, 500, False),
        ("4k", 3840, 2160, False),
    ):  # fmt: skip
        camera = Camera(browser, server, width=width, height=height, dark=dark)
        save(camera.open(""), folder, f"issues-{name}")
        save(camera.open("inbox"), folder, f"inbox-{name}")
        page = camera.open(f"issues/{ISSUE}")
        save(page, folder, f"compose-{name}")
        page.get_by_role("button", name="All fields").nth(1).click()
        page.locator(".more").nth(1).scroll_into_view_if_needed()
        save(page, folder, f"everything-{name}")
        page.get_by_role("button", name="Checks").click()
        page.wait_for_timeout(800)
        save(page, folder, f"checks-{name}")
    for name, width, dark, forced in (
        ("wide", 1440, False, False),
        ("dark", 1440, True, False),
        ("forced", 1440, False, True),
        ("phone", 360, False, False),
    ):
        save(
            framing(Camera(browser, server, width=width, height=900, dark=dark, forced=forced).open(f"issues/{ISSUE}")),
            folder,
            f"picture-{name}",
        )
    forty(browser, server, root, folder)
    text = (issue / "sea-wall-to-move-inland.md").read_text(encoding="utf-8")
    (issue / "sea-wall-to-move-inland.md").write_text(
        text.replace("headline: ", f"headline: {LONG * 2}", 1) + "\nIt moves.  Slowly.\n", encoding="utf-8"
    )
    library = issue / "library-opens-on-sundays.md"
    library.write_text(f"---\nheadline: {URDU}\nteaser: {URDU} {URDU}\nlang: ur\n---\n{URDU}\n", encoding="utf-8")
    (issue / "sixth-formers-map-the-potholes.md").write_text("---\nheadline: a: b\n---\n", encoding="utf-8")
    for name, width, dark in (("wide", 1280, False), ("dark", 1280, True), ("phone", 360, False)):
        page = Camera(browser, server, width=width, height=900, dark=dark).open("")
        page.goto(f"{server.url}issues/{ISSUE}")
        page.locator("body[data-ready]").wait_for()
        page.wait_for_timeout(1500)
        page.locator(".section").nth(1).scroll_into_view_if_needed()
        page.evaluate("scrollTo(0, document.querySelectorAll('.section')[1].offsetTop - 120)")
        page.wait_for_timeout(300)
        save(page, folder, f"awkward-{name}")


def main(folder: Path) -> None:
    """Serve, shoot, save."""
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as place, sync_playwright() as playwright:
        browser = start(playwright)
        root = create_demo(Path(place) / "sample").root
        furnish(root)
        with serving(root) as server:
            if folder == OUT:
                kept(browser, server, folder)
            else:
                every(browser, server, root, folder)
        if folder != OUT:
            empty = init_workspace(Path(place) / "new", name="The Lantern", sender=None, address=None)
            shutil.rmtree(empty.issues, ignore_errors=True)
            with serving(empty.root) as server:
                camera = Camera(browser, server, width=1280, height=800)
                save(camera.open(""), folder, "first-run")
                save(camera.open("inbox"), folder, "inbox-empty")
        browser.close()


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else OUT)
