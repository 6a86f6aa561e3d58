"""Workspaces to break, the command line in this process, and a mail server."""

from __future__ import annotations

import contextlib
import io
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from newsletter.cli.boundary import guarded
from newsletter.cli.group import newsletter

sys.path.insert(0, str(Path(__file__).parent))

from badinput_kit import ISSUE, Answer, Run, Sink, mail_server, make_issue, make_weekly


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str]) -> Run:
    """Call ``newsletter …`` in this process; asserts the exit code."""

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


def quietly(*arguments: str) -> Answer:
    """What ``run`` does, for fixtures that outlive a test."""
    out, err = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        code = guarded(newsletter, list(arguments))
    assert code == 0, err.getvalue()
    return Answer(code, out.getvalue(), err.getvalue())


@pytest.fixture(scope="session")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A workspace as `newsletter init` makes it, to copy: making one each time would take most of the tests' time."""
    root = tmp_path_factory.mktemp("model") / "weekly"
    make_weekly(root, quietly)
    return root


@pytest.fixture(scope="session")
def model_with_issue(model: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same with an issue of two stories."""
    folder = tmp_path_factory.mktemp("issue")
    shutil.copytree(model, folder / "weekly")
    make_issue(folder / "weekly", folder, quietly)
    return folder / "weekly"


@pytest.fixture
def weekly(model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A fresh workspace, and the current folder in it."""
    root = tmp_path / "weekly"
    shutil.copytree(model, root)
    monkeypatch.chdir(root)
    return root


@pytest.fixture
def folder(model_with_issue: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of an issue with two stories, ready to build, and the current folder in its workspace."""
    root = tmp_path / "weekly"
    shutil.copytree(model_with_issue, root)
    monkeypatch.chdir(root)
    return root / "issues" / ISSUE


@pytest.fixture
def sink(tmp_path: Path) -> Iterator[Sink]:
    """A mail server that takes whatever comes."""
    with mail_server(tmp_path) as server:
        yield server


@pytest.fixture
def holding_sink(tmp_path: Path) -> Iterator[Sink]:
    """A mail server that takes six mails and holds until it is told to go on."""
    with mail_server(tmp_path, hold=6) as server:
        yield server
