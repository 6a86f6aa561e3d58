"""The benchmark's parts are found, and what it gives to MJML is the same issue."""

from __future__ import annotations

import re
import subprocess
import sys
from collections import Counter
from pathlib import Path

from lxml import html

from bench.figures import ISSUE, ROOT
from bench.mjml.document import as_mjml
from newsletter.app.desk import open_desk
from newsletter.app.render import render
from newsletter.workspace.create import create_demo


def test_parts_are_found_and_a_wrong_name_is_said() -> None:
    """Every module of the package is looked through; the message names the parts."""
    done = subprocess.run([sys.executable, "-m", "bench", "nothing"], capture_output=True, text=True, cwd=ROOT)
    assert done.returncode == 1
    named = set(done.stderr.strip().removeprefix("no part is called nothing; there are: ").split(", "))
    assert named >= {"help", "build", "size", "mjml", "import", "send"}


def test_sizes_are_printed_with_their_limits() -> None:
    """Bytes do not depend on the machine: no line says OVER."""
    done = subprocess.run([sys.executable, "-m", "bench", "size"], capture_output=True, text=True, cwd=ROOT, check=True)
    lines = done.stdout.splitlines()
    assert [line.split("limit ")[1] for line in lines if line.startswith("ok")] == ["14 KB", "4.5 KB", "80 KB"]
    assert not [line for line in lines if line.startswith("OVER")]


def test_mjml_gets_the_same_issue(tmp_path: Path) -> None:
    """Word for word what our HTML says, with the same pictures and the same links."""
    root = create_demo(tmp_path / "ws").root
    with open_desk(root) as desk:
        document = html.document_fromstring(as_mjml(desk, ISSUE))
        ours = html.document_fromstring(render(desk, ISSUE).email.html)
    for unseen in (ours.find("head"), ours.find("body")[0][0], *document.iter("mj-head")):  # the preheader is unseen
        unseen.drop_tree()
    words, given = (
        Counter(re.sub(r" (?=[,.])", "", " ".join(page.itertext()).replace("\u200b", "").replace("\u200e", "")).split())
        for page in (ours, document)
    )
    assert sum(words.values()) > 700 and words == given
    assert {a.get("href") for a in ours.iter("a")} == {e.get("href") for e in document.iter()} - {None}
    assert {i.get("src") for i in ours.iter("img")} == {i.get("src") for i in document.iter("mj-image")}
