"""SpamAssassin, offline, has nothing against the sample issue in any theme."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest

from newsletter.app.desk import open_desk
from newsletter.app.outgoing import preview_batch
from newsletter.app.render import render
from newsletter.message.compile import compile_message
from newsletter.workspace.create import create_demo

ROOT = Path(__file__).parents[2]
THEMES = sorted(p.parent.name for p in ROOT.glob("templates/*/theme.toml") if p.parent.name != "base")


@pytest.mark.spamassassin
@pytest.mark.parametrize("theme", THEMES)
def test_the_sample_scores_below_one(theme: str, tmp_path: Path) -> None:
    """A good multipart mail scores about 0.8; a stub text part 3.2, one picture 7.1 (5.0 is spam)."""
    root = create_demo(tmp_path / "sample").root
    issue = root / "issues" / "2026-11-27" / "issue.md"
    issue.write_text(issue.read_text(encoding="utf-8").replace("theme: weekly", f"theme: {theme}"), encoding="utf-8")
    with open_desk(root) as desk:
        batch = preview_batch(desk, render(desk, "2026-11-27"), reader=None)
    mail = compile_message(batch.outgoing).splice(batch.recipients[0])
    judged = subprocess.run(
        ["spamassassin", "-L", "-t"],
        input=mail,
        capture_output=True,
        check=True,
        timeout=120,
        env={"PATH": "/usr/bin:/bin", "HOME": str(tmp_path)},
    )
    score = re.search(rb"Content analysis details:\s+\((-?[\d.]+) points", judged.stdout)
    assert score, judged.stderr
    assert float(score.group(1)) < 1.0, judged.stdout[-1500:].decode()
