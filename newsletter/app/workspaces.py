"""Making workspaces."""

from __future__ import annotations

from pathlib import Path

from newsletter.workspace.create import init_workspace as _init
from newsletter.workspace.paths import Workspace


def init_workspace(folder: Path, *, name: str | None, sender: str | None, address: str | None) -> Workspace:
    """Make a workspace; raises ConfigurationError when there is one already, CannotWrite when the disk refuses."""
    return _init(folder, name=name, sender=sender, address=address)
