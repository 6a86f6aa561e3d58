"""``cron``: what a machine needs to run ``run-due`` every minute. It is printed; nothing is installed."""

from __future__ import annotations

import hashlib
import os
import pwd
import re
import shlex
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from newsletter.app.desk import Desk
from newsletter.errors import UsageProblem

COMMAND = "run-due"
UNITS = "/etc/systemd/system"
_TEMPORARY = ("/tmp", "/var/tmp")  # noqa: S108 - nothing is made there; a workspace there must not be hidden


@dataclass(frozen=True, slots=True)
class Cron:
    """A crontab line, and a systemd service and timer called ``name``, which do the same."""

    name: str
    crontab: str
    service: str
    timer: str

    def as_row(self) -> dict[str, Any]:
        """For ``--json``."""
        return {
            "crontab": self.crontab,
            "units": {f"{self.name}.service": self.service, f"{self.name}.timer": self.timer},
        }

    def crontab_lines(self) -> list[str]:
        """The line alone, so that it can be appended to a crontab."""
        return [self.crontab]

    def systemd_lines(self) -> list[str]:
        """Both files, each under its path."""
        return [
            f"# {UNITS}/{self.name}.service",
            *self.service.splitlines(),
            "",
            f"# {UNITS}/{self.name}.timer",
            *self.timer.splitlines(),
        ]

    def lines(self) -> list[str]:
        """Both ways, and how to put each in place."""
        return [
            "# Either this line, with crontab -e:",
            *self.crontab_lines(),
            "",
            f"# or these two files, and then: systemctl daemon-reload && systemctl enable --now {self.name}.timer",
            *self.systemd_lines(),
        ]


def cron(desk: Desk) -> Cron:
    """The line and the units for this workspace and this very program. Raises UsageProblem for an impossible path."""
    root = desk.workspace.root.resolve()
    outbox = root / desk.config.provider.outbox.path
    name = _name(root)
    return Cron(
        name, crontab_line(root), _service(root, outbox, desk.config.publication.name), _timer(desk, name)
    )  # fmt: skip


def program() -> list[str]:
    """The command that runs now, by its full path: cron and systemd have no PATH worth the name."""
    here = Path(sys.argv[0]).resolve() if sys.argv and sys.argv[0] else Path("newsletter")
    if here.name == "newsletter" and os.access(here, os.X_OK) and here.is_file():
        return [str(here)]
    return [sys.executable, "-m", "newsletter"]


def crontab_line(root: Path) -> str:
    """``* * * * * /path/newsletter -C /srv/weekly run-due``, quoted for the shell and escaped for cron (crontab(5)).

    Crons differ in what they make of a backslash before anything but ``%``, and none knows line breaks: a path
    with either raises UsageProblem.
    """
    command = shlex.join([*program(), "-C", str(root), COMMAND])
    if re.search(r"[\\\n\r]", command):
        raise UsageProblem(
            "a crontab cannot hold a path with a backslash or a line break", where=str(root), fix="rename the folder"
        )
    return "* * * * * " + command.replace("%", "\\%")


def _name(root: Path) -> str:
    """Two workspaces of one folder name must not take each other's timer."""
    word = re.sub(r"[^a-z0-9]+", "-", root.name.lower()).strip("-") or "workspace"
    return f"newsletter-{word}-{hashlib.sha256(str(root).encode()).hexdigest()[:6]}"


def _service(root: Path, outbox: Path, publication: str) -> str:
    written = [root] if outbox.is_relative_to(root) else [root, outbox]
    hidden = not any(str(root).startswith(f"{place}/") for place in _TEMPORARY)
    first, *rest = program()
    start = " ".join([_quoted(first, dollars=False), *(_quoted(word) for word in [*rest, "-C", str(root), COMMAND])])
    return f"""[Unit]
Description=Send what is due: {_escaped(publication)}
After=network-online.target
Wants=network-online.target

[Service]
Type=oneshot
User={_owner(root)}
ExecStart={start}
# SIGTERM lets the mails in flight finish; the next minute goes on.
TimeoutStopSec=120
UMask=0077
NoNewPrivileges=true
ProtectSystem=strict
ProtectHome=read-only
ReadWritePaths={" ".join(_quoted(str(path), dollars=False) for path in written)}
PrivateDevices=true
{"PrivateTmp=true" if hidden else "# no PrivateTmp: the workspace is in a temporary folder"}
ProtectKernelTunables=true
ProtectKernelModules=true
ProtectControlGroups=true
RestrictAddressFamilies=AF_INET AF_INET6 AF_UNIX AF_NETLINK
RestrictNamespaces=true
RestrictRealtime=true
RestrictSUIDSGID=true
LockPersonality=true
CapabilityBoundingSet=
"""


def _timer(desk: Desk, name: str) -> str:
    return f"""[Unit]
Description=Every minute: {_escaped(desk.config.publication.name)}

[Timer]
Unit={name}.service
OnCalendar=minutely
AccuracySec=1s
# After downtime it runs at once, not at the next minute that comes.
Persistent=true

[Install]
WantedBy=timers.target
"""


def _owner(root: Path) -> str:
    """Whose workspace it is: only that account can read its secrets."""
    uid = root.stat().st_uid
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return str(uid)


def _quoted(word: str, *, dollars: bool = True) -> str:
    """A word of a unit file; arguments know ``$`` as a variable, paths do not (systemd.service(5), Command lines)."""
    text = _escaped(word).replace("\\", "\\\\").replace('"', '\\"')
    return '"' + (text.replace("$", "$$") if dollars else text) + '"'


def _escaped(text: str) -> str:
    """``%`` begins a specifier (systemd.unit(5)); a line break would begin another setting."""
    return " ".join(text.replace("%", "%%").splitlines())
