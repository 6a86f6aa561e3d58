"""An installed Chromium, used to take pictures of pages on this disk. It reaches nothing, and nothing in a page runs.

A page is shown in a frame of a page of ours, without scripts, under a policy that knows files alone; besides, no
name resolves. Every run has a profile of its own that is thrown away, and ends when its time is up.
"""

from __future__ import annotations

import contextlib
import html
import io
import json
import os
import re
import secrets
import shutil
import signal
import subprocess
import tempfile
import threading
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from newsletter.errors import ConfigurationError

NAMES = (
    "chromium",
    "chromium-browser",
    "google-chrome",
    "google-chrome-stable",
    "chrome",
    "msedge",
    "microsoft-edge",
    "microsoft-edge-stable",
)
"""What is looked for on the PATH, in this order."""

VARIABLE = "NEWSLETTER_CHROMIUM"
"""The environment variable that names a browser."""

TALLEST = 30_000
"""CSS pixels of a page that are taken; what is longer is cut there."""

_LEAST = 400
"""Pixels below which a window's own frame would hide a part of the page (measured: 140)."""

_MAC = (
    "/Applications/Chromium.app/Contents/MacOS/Chromium",
    "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
    "/Applications/Microsoft Edge.app/Contents/MacOS/Microsoft Edge",
)
_FLAGS = (
    "--headless",
    "--disable-gpu",
    "--disable-quic",
    "--disable-sync",
    "--disable-extensions",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-default-apps",
    "--disable-domain-reliability",
    "--disable-breakpad",
    "--no-first-run",
    "--no-default-browser-check",
    "--no-pings",
    "--hide-scrollbars",
    "--force-color-profile=srgb",
    "--force-device-scale-factor=1",
    "--host-resolver-rules=MAP * ~NOTFOUND",
)
# What a browser needs of our environment; secrets are not among it.
_INHERITED = ("PATH", "HOME", "LANG", "LANGUAGE", "LC_ALL", "LC_CTYPE", "TMPDIR", "XDG_RUNTIME_DIR", "FONTCONFIG_FILE")
_FOUND = re.compile(r'data-heights="([^"]*)"')


@dataclass(frozen=True, slots=True)
class View:
    """A page on a screen: finished HTML whose pictures are beside ``folder``, at ``width`` CSS pixels."""

    html: str
    width: int


def find_browser(named: Path | None = None, environment: Mapping[str, str] | None = None) -> Path:
    """The browser to use: the one named, the one in ``NEWSLETTER_CHROMIUM``, else the first on the PATH.

    Raises ConfigurationError, with how to get one, when there is none.
    """
    environment = os.environ if environment is None else environment
    said = str(named) if named else environment.get(VARIABLE, "")
    path = environment.get("PATH")
    if said:
        found = shutil.which(said, path=path)
        if found is None:
            where = "--chromium" if named else VARIABLE
            raise ConfigurationError(
                f"there is no browser {said}", where=where, fix="name a Chromium that can be started"
            )
        return Path(found)
    for name in (*NAMES, *_MAC):
        found = shutil.which(name, path=path)
        if found is not None:
            return Path(found)
    raise ConfigurationError(
        "taking pictures needs Chromium, Chrome or Edge, and none is on the PATH",
        fix="install one (Debian and Ubuntu: apt-get install chromium; macOS: brew install --cask chromium), "
        f"or name it: --chromium PATH, or {VARIABLE}",
    )


class Browser:
    """Runs of one browser on pages whose pictures are in ``folder``. May be used by several threads; ``close`` ends
    every run that is going on.
    """

    def __init__(self, program: Path, folder: Path, *, seconds: float = 60.0) -> None:
        self.program = program
        self._folder = folder
        self._seconds = seconds
        self._running: set[subprocess.Popen[bytes]] = set()
        self._lock = threading.Lock()
        self._closed = False

    def heights(self, views: Sequence[View]) -> list[int]:
        """How many CSS pixels high each page is, in one run. Raises ConfigurationError when the browser fails."""
        nonce = secrets.token_hex(8)
        frames = "".join(_frame(view, 1) for view in views)
        script = (
            "addEventListener('load', () => { document.documentElement.dataset.heights = JSON.stringify("
            "[...document.querySelectorAll('iframe')].map(({ contentDocument: d }) => "
            "Math.max(d.documentElement.scrollHeight, d.body ? d.body.scrollHeight : 0))) })"
        )
        page = _page(f'{frames}<script nonce="{nonce}">{script}</script>', scripts=f"'nonce-{nonce}'")
        said = self._run(page, "--dump-dom").decode("utf-8", "replace")
        found = _FOUND.search(said)
        measured = json.loads(html.unescape(found[1])) if found else []
        if len(measured) != len(views):
            raise self._failed("it did not measure the pages")
        return [min(max(int(height), 1), TALLEST) for height in measured]

    def picture(self, view: View, height: int) -> bytes:
        """A PNG of the page's first ``height`` CSS pixels. Raises ConfigurationError when the browser fails."""
        target = self._folder / f"shot-{secrets.token_hex(8)}.png"
        try:
            window = f"--window-size={view.width},{max(height, _LEAST)}"
            self._run(_page(_frame(view, height)), window, f"--screenshot={target}")
            return target.read_bytes() if height >= _LEAST else _upper(target, height)
        except FileNotFoundError:
            raise self._failed("it wrote no picture") from None
        finally:
            target.unlink(missing_ok=True)

    def close(self) -> None:
        """End every run; afterwards nothing starts any more."""
        with self._lock:
            self._closed = True
            running = list(self._running)
        for process in running:
            _kill(process)

    def _run(self, page: str, *flags: str) -> bytes:
        file = self._folder / f"page-{secrets.token_hex(8)}.html"
        file.write_text(page, encoding="utf-8")
        with tempfile.TemporaryDirectory(prefix="newsletter-browser-", ignore_cleanup_errors=True) as profile:
            command = [str(self.program), *_FLAGS, f"--user-data-dir={profile}", *_sandbox(), *flags, file.as_uri()]
            try:
                with self._started(command) as process:
                    out, err = process.communicate(timeout=self._seconds)
            except subprocess.TimeoutExpired:
                raise self._failed(f"it was not done after {self._seconds:.0f} seconds") from None
            except OSError as error:
                raise self._failed(error.strerror or str(error)) from error
            finally:
                file.unlink(missing_ok=True)
        if process.returncode:
            raise self._failed(f"it ended with {process.returncode}", err)
        return out

    @contextlib.contextmanager
    def _started(self, command: Sequence[str]) -> Iterator[subprocess.Popen[bytes]]:
        environment = {name: os.environ[name] for name in _INHERITED if name in os.environ}
        with self._lock:
            if self._closed:
                raise self._failed("it was stopped")
            # A session of its own: a browser is several processes, and all of them have to go.
            process = subprocess.Popen(  # noqa: S603 - the program is the editor's own browser, the arguments are ours
                command,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                env=environment,
                start_new_session=True,
            )
            self._running.add(process)
        try:
            yield process
        finally:
            _kill(process)
            process.communicate()
            with self._lock:
                self._running.discard(process)

    def _failed(self, what: str, said: bytes = b"") -> ConfigurationError:
        lines = [line for line in said.decode("utf-8", "replace").splitlines() if line.strip() and "dbus" not in line]
        more = f": {lines[-1].strip()[:300]}" if lines else ""
        return ConfigurationError(
            f"the browser failed: {what}{more}",
            where=str(self.program),
            fix=f"see whether it starts by itself, or name another one: --chromium PATH, or {VARIABLE}",
        )


def _upper(picture: Path, height: int) -> bytes:
    """The upper part of a picture, as PNG."""
    from PIL import Image

    upper = io.BytesIO()
    with Image.open(picture) as whole:
        whole.crop((0, 0, whole.width, height)).save(upper, "PNG")
    return upper.getvalue()


def _kill(process: subprocess.Popen[bytes]) -> None:
    """End a browser and all its children; those that are gone already are no error."""
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, signal.SIGKILL)


def _sandbox() -> Sequence[str]:
    """Chromium refuses to sandbox itself as root, which is who one is in a container."""
    return ("--no-sandbox",) if os.geteuid() == 0 else ()


def _frame(view: View, height: int) -> str:
    size = f"width:{view.width}px;height:{height}px"
    return f'<iframe sandbox="allow-same-origin" style="{size}" srcdoc="{html.escape(view.html)}"></iframe>'


def _page(body: str, *, scripts: str = "'none'") -> str:
    policy = (
        f"default-src 'none'; script-src {scripts}; style-src 'unsafe-inline'; img-src file: data:; frame-src about:; "
        "base-uri 'none'; form-action 'none'"
    )
    return (
        '<!DOCTYPE html><html><head><meta charset="utf-8">'
        f'<meta http-equiv="Content-Security-Policy" content="{policy}">'
        "<style>html,body{margin:0;background:#fff}iframe{display:block;border:0}</style></head>"
        f"<body>{body}</body></html>"
    )
