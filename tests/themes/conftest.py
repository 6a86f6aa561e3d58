"""The sample issue through the real pipeline, and copies of it that a test has changed."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

import pytest
from lxml import html as lxml_html

from newsletter.app.build import as_page
from newsletter.app.desk import open_desk
from newsletter.app.render import render
from newsletter.message.merge import fill
from newsletter.models import Email
from newsletter.workspace.create import create_demo
from tests.themes.samples import set_sample

ISSUE = "2026-11-27"
READER = {
    "first_name": "Amina",
    "unsubscribe_url": "https://estuary.example/u/1",
    "preferences_url": "https://estuary.example/p/1",
    "web_url": "https://estuary.example/v/1",
}


def unmarked(text: str) -> str:
    """Without the invisible marks of direction around merge values."""
    return text.replace("\u200e", "").replace("\u200f", "")


@dataclass(frozen=True)
class Page:
    """A rendered issue and what tests ask of it."""

    email: Email

    @property
    def html(self) -> str:
        return self.email.html

    @property
    def tree(self) -> lxml_html.HtmlElement:
        return lxml_html.document_fromstring(self.email.html)

    @property
    def filled(self) -> str:
        """As one reader gets it."""
        return fill(self.email.html, self.email.fields, READER)

    @property
    def text(self) -> str:
        """The text part as one reader gets it, without the marks that keep a name in its place."""
        return unmarked(fill(self.email.text, self.email.fields, READER))

    @property
    def kept(self) -> list[str]:
        """The style blocks that stay in the head, without Outlook's."""
        return re.findall(r"<style>(.*?)</style>", re.sub(r"<!--\[if.*?endif\]-->", "", self.html, flags=re.S), re.S)

    def write(self, folder: Path) -> Path:
        """The page with its pictures beside it, for a browser."""
        (folder / "media").mkdir()
        for image in self.email.images:
            (folder / "media" / image.name).write_bytes(image.path.read_bytes())
        page = folder / "email.html"
        page.write_text(fill(as_page(self.email), self.email.fields, READER), encoding="utf-8")
        return page


@dataclass(frozen=True)
class Copy:
    """A copy of the sample workspace, to be changed and rendered."""

    root: Path

    @property
    def issue(self) -> Path:
        return self.root / "issues" / ISSUE

    def edit(self, file: str, *changes: tuple[str, str]) -> Copy:
        """Replace words in a file; each must be there."""
        path = self.root / file if (self.root / file).exists() else self.issue / file
        text = path.read_text(encoding="utf-8")
        for old, new in changes:
            assert old in text, f"{old!r} is not in {file}"
            text = text.replace(old, new)
        path.write_text(text, encoding="utf-8")
        return self

    def theme(self, name: str, files: dict[str, str]) -> Copy:
        """Write a theme into the workspace and use it."""
        folder = self.root / "templates" / name
        folder.mkdir(parents=True)
        for file, text in files.items():
            (folder / file).write_text(text, encoding="utf-8")
        return self.edit("issue.md", ("theme: weekly", f"theme: {name}"))

    def render(self) -> Page:
        with open_desk(self.root) as desk:
            return Page(render(desk, ISSUE).email)


def rendered(name: str, theme: str, folder: Path) -> Page:
    """An issue of samples.py, set in ``theme`` in a workspace in ``folder``, which must not exist."""
    root, slug = set_sample(name, theme, folder)
    with open_desk(root) as desk:
        return Page(render(desk, slug).email)


@pytest.fixture(scope="session")
def sample(tmp_path_factory: pytest.TempPathFactory) -> Page:
    """The sample issue as it is."""
    return Copy(create_demo(tmp_path_factory.mktemp("sample") / "ws").root).render()


@pytest.fixture
def copy(tmp_path: Path) -> Copy:
    return Copy(create_demo(tmp_path / "ws").root)


@pytest.fixture(scope="session")
def urdu(tmp_path_factory: pytest.TempPathFactory) -> Page:
    """The Urdu issue of samples.py, set in weekly."""
    return rendered("urdu", "weekly", tmp_path_factory.mktemp("urdu") / "ws")
