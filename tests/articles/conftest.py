"""Stories in the shapes that newsrooms send, in our own words, and pictures made on the spot."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from PIL import Image

from newsletter.articles.reading import Story, read_story
from newsletter.store.engine import Store, open_store
from newsletter.workspace.paths import Workspace
from newsletter.workspace.settings import Config, Images, Publication

EXPORT = (
    "HARBOUR ferries will run again from Monday (14) after the longest closure in the town’s history.\n"
    "The council's engineers finished the new pier on Friday, “two days early”.\n"
    "Ticket prices stay the same.\n"
    "(PTI)\n"
    "The town's ferries are back\n"
    "![The town’s ferries are back](https://img.example.org/pier.jpg?id=7&width=1245&height=700&coordinates=0%2C58%2C0%2C59)"
)
"""A system's export: paragraphs, credit, headline after the body, picture last; no blank lines, no final newline."""


def read(text: str | bytes, name: str | None = "story.txt", folder: Path = Path("/nowhere")) -> Story:
    """Read a story that was never a file, unless ``folder`` has one beside it."""
    data = text.encode() if isinstance(text, str) else text
    return read_story(folder / name if name else None, data)


def picture(size: tuple[int, int] = (64, 40), kind: str = "JPEG", mode: str = "RGB") -> bytes:
    """A small real picture."""
    out = io.BytesIO()
    Image.effect_noise(size, 40).convert(mode).save(out, kind)
    return out.getvalue()


@pytest.fixture
def ws(tmp_path: Path) -> Workspace:
    workspace = Workspace(tmp_path / "ws")
    workspace.root.mkdir()
    workspace.ensure_state()
    return workspace


@pytest.fixture
def store(ws: Workspace) -> Iterator[Store]:
    with open_store(ws.database) as opened:
        yield opened


@pytest.fixture
def config() -> Callable[..., Config]:
    return lambda **images: Config(publication=Publication(name="The Pier"), images=Images(**images))
