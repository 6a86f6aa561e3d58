"""``newsletter shots``: every picture, one page that shows them, and an orderly end when there is none to be had."""

from __future__ import annotations

import re
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
from lxml import html as lxml_html
from PIL import Image

from newsletter.app.clients import CLIENTS

FILES = {
    "written": ["written-600.png", "written-360.png"],
    "gmail": ["gmail-600.png", "gmail-360.png"],
    "gmail-no-style": ["gmail-no-style-600.png", "gmail-no-style-360.png"],
    "gmail-dark": ["gmail-dark-600-dark.png", "gmail-dark-360-dark.png"],
    "outlook-word": ["outlook-word-640.png"],
    "outlook-com-dark": ["outlook-com-dark-600-dark.png", "outlook-com-dark-360-dark.png"],
    "apple-dark": ["apple-dark-600-dark.png", "apple-dark-360-dark.png"],
    "images-off": ["images-off-600.png", "images-off-360.png", "images-off-600-dark.png", "images-off-360-dark.png"],
    "text": ["text-600.png", "text-360.png", "text-600-dark.png", "text-360-dark.png"],
}


@pytest.mark.chromium
@pytest.mark.slow
def test_every_client_is_taken_at_its_widths_and_schemes(issue: str, weekly: Path, run: Any) -> None:
    """And the folder holds all that its page needs, by relative names, without scripts."""
    report = run("shots", issue, "--json").json
    assert report["schema"] == "newsletter/shots/1"
    folder = weekly / ".newsletter" / "build" / issue / "shots"
    assert report["folder"] == str(folder)
    assert {one["name"]: [shot["file"] for shot in one["shots"]] for one in report["clients"]} == FILES
    assert {path.name for path in folder.iterdir()} == {"index.html", *(f for files in FILES.values() for f in files)}
    for one in report["clients"]:
        for shot in one["shots"]:
            with Image.open(folder / shot["file"]) as picture:
                assert picture.size == (shot["width"], shot["height"])
                corner = picture.convert("L").getpixel((picture.width - 1, picture.height - 1))
                assert isinstance(corner, int)
                assert (corner < 100) is (shot["scheme"] == "dark"), shot["file"]
    assert {one["name"]: one["kind"] for one in report["clients"]}["gmail-dark"] == "forced"

    page = (folder / "index.html").read_text(encoding="utf-8")
    tree = lxml_html.document_fromstring(page)
    sources = tree.xpath("//img/@src | //a[@class='pane']/@href")
    assert set(sources) == {file for files in FILES.values() for file in files}
    assert not tree.xpath("//script")
    assert not re.search(r"https?://", page)
    for client in CLIENTS:
        (section,) = tree.xpath(f"//section[@id='{client.name}']")
        assert "approximation" in section.text_content()
        (found,) = [one for one in report["clients"] if one["name"] == client.name]
        assert len(section.xpath(".//ul[@class='took']/li")) == len(found["took"])
    assert "approximation" not in tree.xpath("//section[@id='written']")[0].text_content()


@pytest.fixture
def hanging(tmp_path: Path) -> Path:
    """A browser that never ends."""
    path = tmp_path / "hanging"
    path.write_text(f"#!/bin/sh\nsleep 600 &\necho $! $$ > {tmp_path}/pids\nwait\n")
    path.chmod(0o755)
    return path


def test_without_a_browser_it_is_78_and_nothing_is_written(
    issue: str, weekly: Path, run: Any, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path / "nowhere"))
    answer = run("shots", issue, code=78)
    assert "apt-get install chromium" in answer.err
    assert not (weekly / ".newsletter" / "build").exists()


def test_a_browser_that_fails_is_78_with_what_it_said(issue: str, weekly: Path, run: Any, tmp_path: Path) -> None:
    broken = tmp_path / "broken"
    broken.write_text("#!/bin/sh\necho 'cannot open the display' >&2\nexit 1\n")
    broken.chmod(0o755)
    answer = run("shots", issue, "--chromium", str(broken), "--out", str(tmp_path / "out"), code=78)
    assert "cannot open the display" in answer.err
    assert str(broken) in answer.err
    assert not (tmp_path / "out").exists()


def test_an_unknown_issue_is_65(weekly: Path, run: Any, hanging: Path) -> None:
    assert "2026-01-01" in run("shots", "2026-01-01", "--chromium", str(hanging), code=65).err


@pytest.mark.parametrize(("number", "code"), [(signal.SIGTERM, 75), (signal.SIGINT, 130)])
def test_stopping_it_stops_the_browser(
    issue: str, weekly: Path, hanging: Path, tmp_path: Path, number: signal.Signals, code: int
) -> None:
    """No browser is left behind, nor any child of one."""
    command = [sys.executable, "-m", "newsletter", "-C", str(weekly), "shots", issue, "--chromium", str(hanging)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    deadline = time.monotonic() + 60
    while not (tmp_path / "pids").exists() or len((tmp_path / "pids").read_text().split()) < 2:
        assert time.monotonic() < deadline
        assert process.poll() is None, process.communicate()
        time.sleep(0.02)
    process.send_signal(number)
    _, err = process.communicate(timeout=30)
    assert process.returncode == code, err
    deadline = time.monotonic() + 10  # a signal that was sent is not yet a process that ended
    while any(map(lives, (tmp_path / "pids").read_text().split())):
        assert time.monotonic() < deadline, "the browser is left behind"
        time.sleep(0.02)


def lives(pid: str) -> bool:
    """Whether a process runs, or sleeps, and is not a corpse that nobody buried."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] not in ("Z", "X")
    except (FileNotFoundError, ProcessLookupError):
        return False
