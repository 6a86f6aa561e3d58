"""The sample publication is an example: it keeps every rule that the product preaches."""

from __future__ import annotations

import re
from pathlib import Path

from PIL import Image

from newsletter.app.check import check_issue
from newsletter.app.desk import open_desk
from newsletter.issues.folder import load_issue
from newsletter.models import Issue
from newsletter.workspace.create import create_demo
from newsletter.workspace.paths import Workspace

ROOT = Path(__file__).parents[2]


def issue() -> Issue:
    return load_issue(Workspace(ROOT), "2026-11-27")


def test_every_layout_is_shown() -> None:
    """Twelve stories in the six layouts; one of the list has no picture."""
    shown = issue()
    assert [section.layout for section in shown.sections] == ["lead", "list", "sponsor", "grid", "brief", "text"]
    assert len(list(shown.articles())) == 12
    assert [article.image is None for article in shown.sections[1].articles].count(True) == 1


def test_the_checks_find_nothing(tmp_path: Path) -> None:
    """An editor who starts from the sample starts clean."""
    with open_desk(create_demo(tmp_path / "ws").root) as desk:
        assert list(check_issue(desk, "2026-11-27").findings) == []


def test_lengths() -> None:
    """Subject ≤ 60, preheader ≤ 120 characters, intro ≤ 80 words, stories of 120 to 300 words."""
    shown = issue()
    assert len(shown.subject or "") <= 60
    assert len(shown.preheader or "") <= 120
    assert len(re.sub(r"\{\{.*?\}\}", "name", shown.intro).split()) <= 80
    for article in shown.articles():
        assert 120 <= len(article.body.split()) <= 300, article.slug


def test_pictures_are_described_and_credited() -> None:
    """Alt text describes and is not the headline; every picture has a caption and a credit and at most 150 KB."""
    used = set()
    for article in issue().articles():
        if article.image is not None:
            picture = article.image
            assert picture.alt and picture.alt != article.headline and len(picture.alt) > 40
            assert picture.caption and picture.credit and picture.file
            used.add(picture.file)
    files = {path.name: path for path in (ROOT / "issues/2026-11-27/images").iterdir()}
    assert used == set(files)
    for path in files.values():
        assert path.stat().st_size <= 150 * 1024
        with Image.open(path) as opened:
            assert opened.size == (1600, 1000)


def test_the_drawing_script_knows_every_picture() -> None:
    """tools/draw_pictures.py names exactly the pictures that are there."""
    script = (ROOT / "tools" / "draw_pictures.py").read_text(encoding="utf-8")
    assert set(re.findall(r'"([a-z-]+\.jpg)"', script)) == {
        p.name for p in (ROOT / "issues/2026-11-27/images").iterdir()
    }
