"""The composer as a server: how soon its first page is there, what its scripts weigh, and twenty editors at once."""

from __future__ import annotations

import http.client
import re
import subprocess
import sys
import threading
import time
from pathlib import Path
from urllib.parse import urlsplit

from bench.figures import ISSUE, note, part, say
from newsletter.web.composer.pages import STATIC
from newsletter.web.preview import STATIC as SHARED
from newsletter.workspace.create import create_demo

FIRST_PAGE = 1.2
SCRIPTS = 80 * 1024
EDITORS = 20
LOOKS = 5


class _Composer:
    """A composer in a process of its own, with one browser's session."""

    def __init__(self, root: Path) -> None:
        self.began = time.perf_counter()
        command = [sys.executable, "-m", "newsletter", "-C", str(root), "serve", "--no-open", "--port", "0"]
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        assert self.process.stdout is not None
        found = re.search(r"http://\S+", self.process.stdout.readline())
        assert found
        self.entrance = urlsplit(found[0])
        self.cookie = ""
        headers = self._ask(f"{self.entrance.path}?{self.entrance.query}")[1]
        self.cookie = headers["set-cookie"].partition(";")[0]

    def _ask(self, path: str) -> tuple[int, dict[str, str], bytes]:
        connection = http.client.HTTPConnection(self.entrance.netloc, timeout=60)
        try:
            connection.request("GET", path, headers={"Cookie": self.cookie, "Accept": "text/html"})
            got = connection.getresponse()
            return got.status, {name.lower(): value for name, value in got.getheaders()}, got.read()
        finally:
            connection.close()

    def get(self, path: str) -> int:
        """The status of a page."""
        return self._ask(path)[0]

    def stop(self) -> None:
        self.process.terminate()
        self.process.communicate(timeout=30)


@part("composer-start", rank=48)
def measure(folder: Path) -> None:
    """From the start of the process to the first page; then twenty editors who look and look again."""
    root = create_demo(folder / "composer-start").root
    times = []
    for _ in range(3):
        composer = _Composer(root)
        assert composer.get("/") == 200
        times.append(time.perf_counter() - composer.began)
        composer.stop()
    first = sorted(times)[1]
    say(
        "the composer's first page, from the start of its process",
        f"{first:.2f} s",
        f"{FIRST_PAGE} s",
        first <= FIRST_PAGE,
    )
    size = sum(path.stat().st_size for path in [*STATIC.glob("*.js"), SHARED / "frame.js"])
    say("the composer's scripts, as they are served", f"{size / 1024:.1f} KB", "80 KB", size <= SCRIPTS)
    composer = _Composer(root)
    try:
        _crowd(composer)
    finally:
        composer.stop()


def _crowd(composer: _Composer) -> None:
    """Each editor reads the files, the mail and what stands around it, again and again."""
    wrong: list[int] = []
    seconds: list[float] = []
    assert composer.get(f"/issues/{ISSUE}/mail") == 200

    def look() -> None:
        for number in range(LOOKS):
            for part_of in ("state", "mail", f"mail.html?look={number}"):
                began = time.perf_counter()
                status = composer.get(f"/issues/{ISSUE}/{part_of}")
                seconds.append(time.perf_counter() - began)
                if status != 200:
                    wrong.append(status)

    editors = [threading.Thread(target=look) for _ in range(EDITORS)]
    began = time.perf_counter()
    for editor in editors:
        editor.start()
    for editor in editors:
        editor.join()
    took = time.perf_counter() - began
    say(f"errors for {EDITORS} editors at once", str(len(wrong)), "0", not wrong)
    seconds.sort()
    note(f"{len(seconds) / took:.0f} answers a second; p95 of one {seconds[int(len(seconds) * 0.95)] * 1000:.0f} ms")
