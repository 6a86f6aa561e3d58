"""The sample issue in each of the four themes, finished, as one reader gets it; and a browser to compare with."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from lxml import html as lxml_html

from newsletter.app.desk import open_desk
from newsletter.app.render import render
from newsletter.message.merge import fill
from newsletter.models import Email
from newsletter.workspace.create import create_demo

ISSUE = "2026-11-27"
THEMES = ("weekly", "letter", "digest", "bulletin")
READER = {
    "first_name": "Amina",
    "unsubscribe_url": "https://estuary.example/u/1",
    "preferences_url": "https://estuary.example/p/1",
    "web_url": "https://estuary.example/v/1",
}


@dataclass(frozen=True)
class Sample:
    """A finished email; ``html`` has its merge fields as tokens."""

    email: Email

    @property
    def html(self) -> str:
        return self.email.html

    @property
    def filled(self) -> str:
        return fill(self.email.html, self.email.fields, READER)

    @property
    def text(self) -> str:
        return self.email.text


@pytest.fixture(scope="session")
def samples(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Sample]:
    """By theme."""
    root = create_demo(tmp_path_factory.mktemp("clients") / "ws").root
    issue = root / "issues" / ISSUE / "issue.md"
    text = issue.read_text(encoding="utf-8")
    found = {}
    for theme in THEMES:
        issue.write_text(text.replace("theme: weekly", f"theme: {theme}"), encoding="utf-8")
        with open_desk(root) as desk:
            found[theme] = Sample(render(desk, ISSUE).email)
        assert found[theme].email.theme == theme
    return found


@pytest.fixture(params=THEMES)
def sample(samples: dict[str, Sample], request: pytest.FixtureRequest) -> Sample:
    return samples[request.param]


@pytest.fixture
def words_of() -> Any:
    """The words of a page in their order, without the head and what is not displayed by its kind."""

    def words(html: str) -> list[str]:
        body = lxml_html.document_fromstring(html.encode()).find("body")
        return [word for text in body.xpath(".//text()[not(ancestor::style)]") for word in str(text).split()]

    return words


@pytest.fixture
def page_file(tmp_path: Path) -> Any:
    def write(html: str) -> str:
        path = tmp_path / "page.html"
        path.write_text(html, encoding="utf-8")
        return path.as_uri()

    return write
