"""SpamAssassin, offline, has nothing against the sample issue in any theme, and would say so if it had."""

from __future__ import annotations

import re
import subprocess
from email import message_from_bytes, policy
from pathlib import Path

import pytest

from newsletter.app.desk import open_desk
from newsletter.app.outgoing import preview_batch
from newsletter.app.render import render
from newsletter.message.compile import compile_message
from tests.themes.samples import set_sample
from tests.themes.test_theme_goldens import THEMES

ROOT = Path(__file__).parents[2]
pytestmark = pytest.mark.spamassassin


def mail(theme: str, name: str, folder: Path) -> bytes:
    """An issue of samples.py as SMTP would carry it to one reader."""
    root, slug = set_sample(name, theme, folder / "ws")
    with open_desk(root) as desk:
        batch = preview_batch(desk, render(desk, slug), reader=None)
    return compile_message(batch.outgoing).splice(batch.recipients[0])


def score(message: bytes, home: Path) -> float:
    """The points that SpamAssassin gives without asking the network; 5.0 is spam."""
    judged = subprocess.run(
        ["spamassassin", "-L", "-t"],
        input=message,
        capture_output=True,
        check=True,
        timeout=120,
        env={"PATH": "/usr/bin:/bin", "HOME": str(home)},
    )
    found = re.search(rb"Content analysis details:\s+\((-?[\d.]+) points", judged.stdout)
    assert found, judged.stderr
    print(judged.stdout[-1500:].decode(errors="replace"))
    return float(found.group(1))


def test_every_built_in_theme_is_judged() -> None:
    """Every theme that an issue can be set in, but the skeleton they share."""
    assert {p.parent.name for p in ROOT.glob("templates/*/theme.toml")} == {"base", *THEMES}


@pytest.mark.parametrize("name", ["english", "urdu"])
@pytest.mark.parametrize("theme", THEMES)
def test_the_sample_scores_below_one(theme: str, name: str, tmp_path: Path) -> None:
    """A good multipart mail scores about 0.8; a stub text part 3.2, one picture 7.1."""
    assert score(mail(theme, name, tmp_path), tmp_path) < 1.0


def test_what_is_wrong_costs_points(tmp_path: Path) -> None:
    """The agreed test word is spam; the same issue with one word for a text part scores more than it did."""
    good = mail("weekly", "english", tmp_path)
    word = b"XJS*C4JDBQADN1.NSBN3*2IDNEN*GTUBE-STANDARD-ANTI-UBE-TEST-EMAIL*C.34X"
    assert score(b"From: a@example.org\r\nTo: b@example.org\r\nSubject: x\r\n\r\n" + word + b"\r\n", tmp_path) > 500
    stub = message_from_bytes(good, policy=policy.SMTP)
    text = next(part for part in stub.walk() if part.get_content_type() == "text/plain")
    text.set_content("News")
    assert score(stub.as_bytes(), tmp_path) >= score(good, tmp_path) + 1.0
