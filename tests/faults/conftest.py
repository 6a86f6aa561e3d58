"""Newsrooms whose issue is due, and the sinks that count what arrives."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.badinput.badinput_kit import Sink, mail_server, make_issue, make_weekly
from tests.faults.faults_kit import Newsroom, here, make_newsroom


@pytest.fixture(scope="session")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A workspace with an issue of two stories, to copy."""
    folder = tmp_path_factory.mktemp("faults")
    root = folder / "weekly"

    def run(*arguments: str) -> object:
        words = arguments[2:] if arguments[0] == "-C" else arguments
        answer = here(root if arguments[0] == "-C" else folder, *words)
        assert answer.code == 0, answer.err
        return answer

    make_weekly(root, run)  # type: ignore[arg-type]  # what it answers is not looked at
    make_issue(root, folder, run)  # type: ignore[arg-type]  # nor here
    return root


@pytest.fixture
def newsroom(model: Path, tmp_path: Path) -> Callable[..., Newsroom]:
    """Makes a newsroom: ``newsroom(provider, port, readers, …)``."""
    return lambda *arguments, **options: make_newsroom(model, tmp_path / "weekly", *arguments, **options)


@pytest.fixture
def mail_sink(tmp_path: Path) -> Iterator[Sink]:
    """A real mail server in its own process; each mail is on its disk before it says 250."""
    with mail_server(tmp_path) as server:
        yield server
