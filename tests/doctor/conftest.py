"""A workspace, a machine of its own and a DNS of its own for the probes to look at."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest

from newsletter.app.doctor import diagnose
from newsletter.app.doctor.facts import Facts, System
from newsletter.app.doctor.probe import Look as Looking
from newsletter.app.doctor.probe import Probe, looked_at
from newsletter.store.engine import open_store
from newsletter.workspace.create import init_workspace
from newsletter.workspace.paths import Workspace
from tests.net.dns_server import DnsServer, dns_server  # noqa: F401 - a fixture

NOW = 1_795_762_800.0
"""2026-11-27 07:00 UTC."""

CONFIG = """\
[publication]
name = "The Breakwater"
postal_address = "1 Mole, Saltford SA1 2BR"
{publication}
[sender]
email = "post@saltford.org"
[site]
url = "https://saltford.org"
{more}
"""

Look = Callable[..., dict[str, list[Probe]]]


@pytest.fixture(scope="session")
def empty_database(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("database") / "newsletter.db"
    open_store(path).close()
    return path


@pytest.fixture
def ws(tmp_path: Path, empty_database: Path) -> Workspace:
    """A workspace with keys and a database, in order as far as it goes."""
    workspace = init_workspace(tmp_path / "weekly", name="The Breakwater", sender="post@saltford.org", address=None)
    shutil.copy(empty_database, workspace.database)
    workspace.database.chmod(0o600)
    configure(workspace)
    return workspace


def configure(ws: Workspace, more: str = "", publication: str = "") -> None:
    ws.config_file.write_text(CONFIG.format(more=more, publication=publication), encoding="utf-8")


@pytest.fixture
def tools(tmp_path: Path) -> Path:
    """The only folder that commands are looked for in, besides git's own."""
    folder = tmp_path / "bin"
    folder.mkdir()
    return folder


def add_tool(tools: Path, name: str, script: str) -> None:
    path = tools / name
    path.write_text(f"#!/bin/sh\n{script}\n", encoding="utf-8")
    path.chmod(0o755)


@pytest.fixture
def look(ws: Workspace, tools: Path, tmp_path: Path, dns_server: DnsServer) -> Look:  # noqa: F811 - the fixture
    """Look at everything, or at some ``looks``; the probes by id. The machine has only what a test puts into it."""

    def call(
        *, environment: dict[str, str] | None = None, looks: Sequence[Looking] = (), **options: Any
    ) -> dict[str, list[Probe]]:
        path = f"{tools}:{os.environ['PATH']}" if environment is None else str(tools)
        system = System(
            cron_tables=(tmp_path / "etc" / "crontab", tmp_path / "etc" / "cron.d"),
            unit_folders=(tmp_path / "etc" / "systemd",),
            environment={"PATH": path, **(environment or {})},
        )
        options = {"servers": [dns_server.address], "clock": NOW, **options}
        found: dict[str, list[Probe]] = {}
        facts = Facts(ws, system=system, **options)
        probes = [probe for one in looks for probe in looked_at(one, facts)] if looks else diagnose(facts).probes
        for probe in probes:
            found.setdefault(probe.id, []).append(probe)
        return found

    return call
