"""The command line called in this process, on real workspaces."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from newsletter.cli.boundary import guarded
from newsletter.cli.group import newsletter

STORY = """---
headline: {headline}
standfirst: {headline} in one sentence.
link: https://estuary.example/{slug}
byline: Ada Reyes
---
The harbour office has read every tide table since January and found no mistake in any of them.

{{{{ subscriber.first_name | default("Reader") }}}}, this is for you.
"""


@dataclass
class Answer:
    """What a command did."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)


Run = Callable[..., Answer]


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Run:
    """Call ``newsletter …``; asserts the exit code and that no traceback is shown."""

    def call(*arguments: str, code: int | None = 0) -> Answer:
        capsys.readouterr()
        found = guarded(newsletter, list(arguments))
        captured = capsys.readouterr()
        answer = Answer(found, captured.out, captured.err)
        assert "Traceback" not in answer.err
        if code is not None:
            assert found == code, f"newsletter {' '.join(arguments)}: {found}\n{answer.out}{answer.err}"
        return answer

    return call


@pytest.fixture
def weekly(tmp_path: Path, run: Run, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A fresh workspace, and the current folder in it."""
    root = tmp_path / "weekly"
    run(
        "init", str(root), "--name", "The Breakwater", "--from", "post@breakwater.test", "--address", "1 Mole, Saltford"
    )
    monkeypatch.chdir(root)
    return root


def write_story(folder: Path, slug: str, headline: str) -> Path:
    path = folder / f"{slug}.md"
    path.write_text(STORY.format(headline=headline, slug=slug), encoding="utf-8")
    return path


@pytest.fixture
def issue(weekly: Path, tmp_path: Path, run: Run) -> str:
    """An issue with two stories, ready to build."""
    run("issue", "new", "2026-11-27")
    for slug, headline in (("tide", "The tide tables were right"), ("bell", "A bell is found in the mud")):
        run("article", "add", str(write_story(tmp_path, slug, headline)), "--issue", "2026-11-27")
    return "2026-11-27"


@pytest.fixture
def readers(weekly: Path, tmp_path: Path, run: Run) -> int:
    """Three readers."""
    path = tmp_path / "readers.csv"
    path.write_text("email,first_name\nada@readers.test,Ada\nbo@readers.test,Bo\ncy@readers.test,\n", encoding="utf-8")
    run("audience", "import", str(path))
    return 3
