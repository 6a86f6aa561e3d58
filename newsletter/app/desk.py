"""An open workspace: configuration, keys and database, each read when it is first needed."""

from __future__ import annotations

import contextlib
import getpass
from collections.abc import Iterator
from contextvars import ContextVar
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from newsletter.workspace.config import load_config
from newsletter.workspace.keys import Keys, ensure_keys, load_keys
from newsletter.workspace.paths import Workspace, find_workspace
from newsletter.workspace.settings import Config

if TYPE_CHECKING:
    from newsletter.store.engine import Store

SEATED: ContextVar[str | None] = ContextVar("SEATED", default=None)
"""Who is at every desk that is opened in this context, where somebody signed in; else it is the machine's user."""


class Desk:
    """What a use case works at. Not shared between threads; close it (``open_desk`` does)."""

    def __init__(self, workspace: Workspace) -> None:
        self.workspace = workspace

    @cached_property
    def config(self) -> Config:
        """``newsletter.toml``, checked; raises ConfigurationError."""
        return load_config(self.workspace)

    @cached_property
    def keys(self) -> Keys:
        """The installation's keys for tokens and suppression hashes; a fresh clone gets its own."""
        ensure_keys(self.workspace)
        return load_keys(self.workspace)

    @cached_property
    def store(self) -> Store:
        """The database, migrated if need be."""
        from newsletter.store.engine import open_store

        # Before there is a database: one without its keys is damaged, one with new keys would forget suppressions.
        ensure_keys(self.workspace)
        return open_store(self.workspace.database)

    @cached_property
    def actor(self) -> str:
        """Who is at the desk, for the audit log; cron and containers may have no user name."""
        if (seated := SEATED.get()) is not None:
            return seated
        try:
            return getpass.getuser()
        except (KeyError, OSError):
            return "unknown"

    def close(self) -> None:
        """Close what was opened."""
        if "store" in self.__dict__:
            self.store.close()


@contextlib.contextmanager
def open_desk(start: Path | None = None) -> Iterator[Desk]:
    """Find the workspace from ``start`` (default: here) upwards and open it."""
    desk = Desk(find_workspace(start))
    try:
        yield desk
    finally:
        desk.close()
