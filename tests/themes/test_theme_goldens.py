"""Every theme in English, Urdu and Hindi is exactly what was last looked at and committed.

``./dev goldens`` writes them anew; read the diff before you commit it, and look at ``./dev gallery``.
"""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.themes.conftest import rendered

EXPECTED = Path(__file__).with_name("expected")
THEMES = ("weekly", "digest", "letter", "bulletin")
LANGUAGES = ("english", "urdu", "hindi")
# What is inside a picture, and so its name, differs between versions of libjpeg.
PICTURE = re.compile(r"[0-9a-f]{16}(?=\.(?:jpg|png))")
# weekly in English is tests/goldens, with its MIME.
CASES = [(theme, language) for theme in THEMES for language in LANGUAGES if (theme, language) != ("weekly", "english")]


def compare(name: str, found: str, regenerate: bool) -> None:
    path = EXPECTED / name
    if regenerate:
        EXPECTED.mkdir(exist_ok=True)
        path.write_bytes(found.encode())
    expected = path.read_bytes() if path.exists() else b""
    assert found.encode() == expected, f"{name} differs from what was committed; look at it, then ./dev goldens"


@pytest.mark.parametrize(("theme", "language"), CASES)
def test_html_and_text_are_the_goldens(theme: str, language: str, tmp_path: Path, regenerate: bool) -> None:
    """Byte for byte, with merge tokens in place."""
    email = rendered(language, theme, tmp_path / "ws").email
    compare(f"{theme}-{language}.html", PICTURE.sub("picture", email.html), regenerate)
    compare(f"{theme}-{language}.txt", email.text, regenerate)


def test_no_golden_is_left_over() -> None:
    """A file that no case writes would look like a promise and be none."""
    files = {f"{theme}-{language}.{kind}" for theme, language in CASES for kind in ("html", "txt")}
    assert {path.name for path in EXPECTED.iterdir()} == files
