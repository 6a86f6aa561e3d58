"""A workspace with themes of its own, so that no test depends on the look of the built-in ones."""

from __future__ import annotations

import datetime
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from newsletter.message.merge import Tokeniser
from newsletter.models import Article, Email, Issue, Picture, Section
from newsletter.rendering.authored import Authored
from newsletter.rendering.shelf import Shelf
from newsletter.rendering.shown import Marks
from newsletter.rendering.steps import Media, render_issue
from newsletter.rendering.view import Material, make_variables
from newsletter.workspace.paths import Workspace
from newsletter.workspace.settings import Audience, Config, Publication, Site
from newsletter.workspace.themes import Theme, load_theme

THEMES = Path(__file__).parent / "themes"


@dataclass
class Desk:
    """What a rendering needs, on disk."""

    root: Path

    def theme(self, name: str = "plain") -> Theme:
        return load_theme(Workspace(self.root), name)

    def media(self, **change: Any) -> Media:
        given: dict[str, Any] = {"delivery": "embedded", "site_url": None} | change
        return Media(self.root / "images", self.root / "cache", root=self.root, **given)

    def config(self, **publication: Any) -> Config:
        site = publication.pop("site", "https://paper.example")
        named = {"name": "The Paper", "postal_address": "1 Quay, Wexmouth"} | publication
        return Config(
            publication=Publication(**named), site=Site(url=site), audience=Audience(attributes=["first_name", "city"])
        )

    def picture(self, name: str = "a.jpg", size: tuple[int, int] = (1600, 1200), **save: Any) -> Path:
        path = self.root / "images" / name
        path.parent.mkdir(exist_ok=True)
        Image.linear_gradient("L").resize(size).convert("RGB").save(path, **save)
        return path

    def render(self, issue: Issue, theme: str = "plain", **given: Any) -> Email:
        config = given.pop("config", None) or self.config()
        media = given.pop("media", None) or self.media()
        return render_issue(issue, config=config, theme=self.theme(theme), media=media, **given)

    def write(self, name: str, text: str) -> Path:
        path = self.root / "templates" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
        return path


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    shutil.copytree(THEMES, tmp_path / "templates")
    (tmp_path / "images").mkdir()
    return Desk(tmp_path)


@pytest.fixture
def story() -> Callable[..., Article]:
    def make(slug: str = "ferry", **fields: Any) -> Article:
        given: dict[str, Any] = {
            "headline": f"The {slug} stays",
            "standfirst": f"Islanders keep their {slug} for another year.",
            "link": f"https://paper.example/{slug}",
        }
        return Article(slug=slug, **(given | fields))

    return make


@pytest.fixture
def issue(story: Callable[..., Article]) -> Callable[..., Issue]:
    def make(*sections: Section, **fields: Any) -> Issue:
        given: dict[str, Any] = {
            "slug": "2026-11-27",
            "date": datetime.date(2026, 11, 27),
            "subject": "The ferry stays",
            "preheader": "And a library moves",
            "sections": sections or (Section("lead", (story(),)),),
        }
        return Issue(**(given | fields))

    return make


@pytest.fixture
def with_picture() -> Callable[..., Picture]:
    def make(**fields: Any) -> Picture:
        return Picture(**({"file": "a.jpg", "alt": "A ferry at the quay"} | fields))

    return make


@pytest.fixture
def seen(desk: Desk) -> Callable[..., dict[str, Any]]:
    """The variables of a template for an issue."""

    def make(issue: Issue, context: Any = "html", **given: Any) -> dict[str, Any]:
        config = given.pop("config", None) or desk.config()
        material = Material(
            issue, config, desk.theme(), given.get("teasers", {}), given.get("minutes", {}), issue.lang or "en-GB"
        )
        authored = Authored(Tokeniser(["first_name"]), context, desk.root)
        return make_variables(material, authored, Shelf(desk.media()), Marks(html=context == "html"))

    return make
