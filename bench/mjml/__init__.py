"""The same issue written in MJML: times and sizes of both, side by side in one run.

MJML (npm, the pinned major) is installed once into a folder of the virtual environment. Its time is that of turning a
finished MJML document into HTML in one warm Node process; ours has reading the issue, Markdown, the text part, inlining
and its checks in it. Its HTML has no dark colours and no text part.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

from bench.figures import ISSUE, median_seconds, note, part, spread
from bench.mjml.document import as_mjml
from newsletter.app.desk import open_desk
from newsletter.app.render import render
from newsletter.workspace.create import create_demo

MJML = "5"
"""The major version that is compared with."""
RUNS = 25
KB = 1024
RENDER = Path(__file__).with_name("render.mjs")


def installed() -> Path | None:
    """The folder with MJML, installed now if it must be; None, with a word, where that is not possible."""
    if not shutil.which("node") or not shutil.which("npm"):
        note("mjml: skipped, node and npm are not here (apt-get install nodejs npm)")
        return None
    folder = Path(sys.prefix) / "cache" / f"mjml-{MJML}"
    if (folder / "node_modules" / "mjml" / "package.json").is_file():
        return folder
    folder.mkdir(parents=True, exist_ok=True)
    command = ["npm", "install", "--prefix", str(folder), "--no-audit", "--no-fund", "--ignore-scripts", f"mjml@{MJML}"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=300, cwd=folder)
    if done.returncode:
        shutil.rmtree(folder)
        note(f"mjml: skipped, npm could not install it: {done.stderr.strip().splitlines()[-1:]}")
        return None
    return folder


@part("mjml", rank=40)
def measure(folder: Path) -> None:
    """Both render the sample issue ``RUNS`` times in one warm process."""
    if (home := installed()) is None:
        return
    root = create_demo(folder / "sample").root
    with open_desk(root) as desk:
        document = folder / "sample.mjml"
        document.write_text(as_mjml(desk, ISSUE), encoding="utf-8")
        email = render(desk, ISSUE).email
        processor = time.process_time()
        ours = median_seconds(lambda: render(desk, ISSUE), RUNS)
        processor = (time.process_time() - processor) / RUNS
    done = subprocess.run(
        ["node", str(RENDER), str(document), str(RUNS)],
        check=True, capture_output=True, text=True, env={**os.environ, "MJML_HOME": str(home)},
    )  # fmt: skip
    theirs = json.loads(done.stdout)
    assert theirs["errors"] == [], theirs["errors"]
    for headline in ("Passengers buy the last ferry", "What the curlews say after dark", "A century of winters"):
        assert headline in theirs["html"], "MJML was given another issue"
    times = sorted(theirs["seconds"])
    middle = (times[len(times) // 2], times[0], times[-1])
    size, small = len(theirs["html"].encode()) / KB, len(theirs["minified"].encode()) / KB
    own = email.size / KB
    note(
        f"newsletter  {spread(ours, 1000, 'ms'):<26} {own:5.1f} KB: HTML with dark colours; the time has the text part"
    )
    note(f"mjml {theirs['version']:<6} {spread(middle, 1000, 'ms'):<26} {size:5.1f} KB: HTML; {small:.1f} KB minified")
    note(
        f"ours takes {ours[0] / middle[0]:.2f}× mjml's time and has {own / size:.2f}× its bytes; the processor worked "
        f"{processor * 1000:.0f} ms against {theirs['processor'] * 1000:.0f} ms on each"
    )
