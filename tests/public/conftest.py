"""One server for every test of a module that only asks, and workspaces for processes that something happens to."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from newsletter.app.approve import approve_issue
from newsletter.app.desk import open_desk
from newsletter.workspace.create import create_demo
from tests.public.kit import Served, inside
from tests.webhooks import Signer

ISSUE = "2026-11-27"


@pytest.fixture(scope="session")
def signer() -> Signer:
    return Signer()


@pytest.fixture(scope="session")
def pristine(tmp_path_factory: pytest.TempPathFactory, signer: Signer) -> Path:
    """The sample, approved and due, with SendGrid's key."""
    root = create_demo(tmp_path_factory.mktemp("public") / "ws").root
    config = root / "newsletter.toml"
    config.write_text(f'{config.read_text()}\n[provider.sendgrid]\nwebhook_key = "{signer.public}"\n')
    with open_desk(root) as desk:
        approve_issue(desk, ISSUE, send_at="now")
    return root


@pytest.fixture
def workspace(pristine: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(pristine, tmp_path / "ws"))


@pytest.fixture(scope="module")
def site(pristine: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with inside(Path(shutil.copytree(pristine, tmp_path_factory.mktemp("site") / "ws"))) as served:
        yield served
