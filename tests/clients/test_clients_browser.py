"""Pictures by an installed browser: it is found or asked for, reaches nothing, runs nothing, and always ends."""

from __future__ import annotations

import http.server
import io
import os
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from newsletter.clients.browser import TALLEST, Browser, View, find_browser
from newsletter.errors import ConfigurationError

CHROMIUM = Path("/usr/bin/chromium")


def program(folder: Path, name: str, script: str) -> Path:
    """A program that stands where a browser would."""
    folder.mkdir(exist_ok=True)
    path = folder / name
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(0o755)
    return path


# ---- finding ----------------------------------------------------------------------------------------------------


def test_the_first_that_is_installed_is_taken(tmp_path: Path) -> None:
    """In the order of our list, not of the PATH's folders."""
    edge = program(tmp_path / "one", "msedge", "")
    chrome = program(tmp_path / "two", "google-chrome", "")
    environment = {"PATH": f"{edge.parent}:{chrome.parent}"}
    assert find_browser(None, environment) == chrome
    chrome.unlink()
    assert find_browser(None, environment) == edge


def test_the_one_that_is_named_wins(tmp_path: Path) -> None:
    """The option over the variable, the variable over the PATH; a name is looked for on the PATH."""
    chromium = program(tmp_path / "bin", "chromium", "")
    mine = program(tmp_path / "mine", "my-browser", "")
    path = {"PATH": str(chromium.parent)}
    assert find_browser(None, {**path, "NEWSLETTER_CHROMIUM": str(mine)}) == mine
    assert find_browser(chromium, {**path, "NEWSLETTER_CHROMIUM": str(mine)}) == chromium
    assert find_browser(Path("chromium"), path) == chromium


def test_without_a_browser_the_message_says_how_to_get_one(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError) as refused:
        find_browser(None, {"PATH": str(tmp_path)})
    assert refused.value.exit_code == 78
    for words in ("apt-get install chromium", "brew install", "--chromium PATH", "NEWSLETTER_CHROMIUM"):
        assert words in (refused.value.fix or "")


@pytest.mark.parametrize("by", ["option", "variable"])
def test_a_named_browser_that_cannot_be_started_is_refused_by_its_name(tmp_path: Path, by: str) -> None:
    plain = tmp_path / "plain-file"
    plain.write_text("no program")
    with pytest.raises(ConfigurationError, match="plain-file") as refused:
        if by == "option":
            find_browser(plain, {"PATH": str(CHROMIUM.parent)})
        else:
            find_browser(None, {"PATH": str(CHROMIUM.parent), "NEWSLETTER_CHROMIUM": str(plain)})
    assert refused.value.where == ("--chromium" if by == "option" else "NEWSLETTER_CHROMIUM")


# ---- programs that fail -----------------------------------------------------------------------------------------

PAGE = View("<p>words</p>", 100)


@pytest.mark.parametrize(
    ("script", "words"),
    [
        ("echo 'no usable sandbox' >&2; exit 7", "it ended with 7: no usable sandbox"),
        ("exit 0", "it wrote no picture"),
    ],
)
def test_a_browser_that_fails_is_reported_with_what_it_said(tmp_path: Path, script: str, words: str) -> None:
    browser = Browser(program(tmp_path, "browser", script), tmp_path)
    with pytest.raises(ConfigurationError, match=words) as failed:
        browser.picture(PAGE, 50)
    assert failed.value.where == str(tmp_path / "browser")
    assert [path.name for path in tmp_path.iterdir()] == ["browser"]


def test_a_browser_that_measures_nothing_is_reported(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="did not measure"):
        Browser(program(tmp_path, "browser", "echo '<html></html>'"), tmp_path).heights([PAGE])


def test_a_program_that_is_none_is_reported(tmp_path: Path) -> None:
    path = program(tmp_path, "browser", "")
    path.write_bytes(b"\x7fELF nonsense")
    with pytest.raises(ConfigurationError, match="the browser failed"):
        Browser(path, tmp_path).picture(PAGE, 50)


def alive(pid: int) -> bool:
    """Whether a process runs; one that has ended and is not yet collected does not."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] not in ("Z", "X")
    except FileNotFoundError:
        return False


def children(tmp_path: Path) -> list[int]:
    deadline = time.monotonic() + 20
    while not (tmp_path / "pids").exists() or len((tmp_path / "pids").read_text().split()) < 2:
        assert time.monotonic() < deadline
        time.sleep(0.01)
    return [int(pid) for pid in (tmp_path / "pids").read_text().split()]


HANGING = 'sleep 600 & echo $! $$ > "$(dirname "$0")/pids"; wait'


def test_a_browser_that_hangs_is_ended_with_its_children(tmp_path: Path) -> None:
    browser = Browser(program(tmp_path, "browser", HANGING), tmp_path, seconds=1)
    with pytest.raises(ConfigurationError, match="not done after 1 seconds"):
        browser.picture(PAGE, 50)
    assert not any(map(alive, children(tmp_path)))


def test_closing_ends_what_runs_and_starts_nothing_more(tmp_path: Path) -> None:
    browser = Browser(program(tmp_path, "browser", HANGING), tmp_path)
    failures: list[Exception] = []

    def take() -> None:
        try:
            browser.picture(PAGE, 50)
        except ConfigurationError as error:
            failures.append(error)

    thread = threading.Thread(target=take)
    thread.start()
    pids = children(tmp_path)
    browser.close()
    thread.join(20)
    assert failures
    assert not any(map(alive, pids))
    with pytest.raises(ConfigurationError, match="stopped"):
        browser.picture(PAGE, 50)


def test_a_browser_hears_no_secret(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of our environment it gets what a program needs to start, and its profile is thrown away."""
    monkeypatch.setenv("SMTP_PASSWORD", "hunter2")
    script = 'env > "$(dirname "$0")/environment"; echo "$@" > "$(dirname "$0")/arguments"'
    with pytest.raises(ConfigurationError):
        Browser(program(tmp_path, "browser", script), tmp_path).picture(PAGE, 50)
    assert "hunter2" not in (tmp_path / "environment").read_text()
    assert f"PATH={os.environ['PATH']}" in (tmp_path / "environment").read_text()
    arguments = (tmp_path / "arguments").read_text()
    assert "--host-resolver-rules=MAP * ~NOTFOUND" in arguments
    (profile,) = [word.partition("=")[2] for word in arguments.split() if word.startswith("--user-data-dir=")]
    assert not Path(profile).exists()


# ---- the real one -----------------------------------------------------------------------------------------------


@pytest.fixture
def browser(tmp_path: Path) -> Iterator[Browser]:
    browser = Browser(CHROMIUM, tmp_path)
    yield browser
    browser.close()


def picture(browser: Browser, html: str, width: int = 120, height: int | None = None) -> Image.Image:
    view = View(html, width)
    return Image.open(io.BytesIO(browser.picture(view, height or browser.heights([view])[0]))).convert("RGB")


@pytest.mark.chromium
def test_pages_are_measured_and_taken_in_full(browser: Browser, tmp_path: Path) -> None:
    """Each at its own width: media queries see that width, and the last pixel row is the page's last."""
    html = (
        "<style>body{margin:0;background:#00f}div{height:300px;background:#f00}"
        "@media(max-width:200px){div{height:1800px;background:#0f0}}</style><div></div>"
    )
    heights = browser.heights([View(html, 400), View(html, 120), View("", 120)])
    assert heights[:2] == [300, 1800]
    assert heights[2] < 40
    wide, narrow = picture(browser, html, 400, 300), picture(browser, html, 120, 1800)
    assert (wide.size, wide.getpixel((399, 299))) == ((400, 300), (255, 0, 0))
    assert (narrow.size, narrow.getpixel((119, 1799))) == ((120, 1800), (0, 255, 0))


@pytest.mark.chromium
def test_a_page_without_end_is_cut(browser: Browser) -> None:
    assert browser.heights([View(f"<div style='height:{TALLEST * 2}px'></div>", 50)]) == [TALLEST]


@pytest.mark.chromium
def test_pictures_beside_the_page_are_shown(browser: Browser, tmp_path: Path) -> None:
    (tmp_path / "media").mkdir()
    Image.new("RGB", (40, 40), "#0000ff").save(tmp_path / "media" / "blue.png")
    shot = picture(browser, "<body style='margin:0'><img src='media/blue.png'>")
    assert shot.getpixel((20, 20)) == (0, 0, 255)
    assert shot.height < 60, "a low page is a low picture"


class Counting(http.server.BaseHTTPRequestHandler):
    seen: list[str] = []  # noqa: RUF012 - a test reads it

    def do_GET(self) -> None:
        self.seen.append(self.path)
        self.send_response(404)
        self.end_headers()

    def log_message(self, *_: Any) -> None:
        pass


@pytest.mark.chromium
def test_a_page_reaches_nothing_and_runs_nothing(browser: Browser) -> None:
    """Neither this machine's own servers nor any other, by whatever way a page may ask; and no script paints."""
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Counting)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    at = f"http://127.0.0.1:{server.server_address[1]}"
    try:
        shot = picture(
            browser,
            f"""<html><head><link rel=stylesheet href="{at}/a.css"><link rel=preload as=image href="{at}/b.png">
            <meta http-equiv=refresh content="0;url={at}/c"><base href="{at}/">
            <style>@import "{at}/d.css";@font-face{{font-family:x;src:url({at}/e.woff)}}p{{font-family:x}}</style>
            <body style="margin:0;background:#fff url({at}/f.png)"><p>words</p><img src="{at}/g.png"><img src="h.png">
            <iframe src="{at}/i"></iframe><video src="{at}/j" autoplay></video><object data="{at}/k"></object>
            <script>document.body.style.background = '#f00'; fetch('{at}/l')</script>
            <svg onload="document.body.style.background='#f00'"></svg></body></html>""",
        )
    finally:
        server.shutdown()
        server.server_close()
    assert Counting.seen == []
    assert shot.getpixel((shot.width - 1, shot.height - 1)) == (255, 255, 255)
