"""What the probes look at, each read when it is first needed and at most once."""

from __future__ import annotations

import os
import shutil
import subprocess
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

from newsletter.app.doctor.probe import NoConfigurationError, TookTooLongError
from newsletter.errors import ConfigurationError, NewsletterError
from newsletter.net.dns import Resolver
from newsletter.store.health import Health, examine
from newsletter.workspace.config import load_config
from newsletter.workspace.paths import Workspace
from newsletter.workspace.settings import Config

COMMAND_SECONDS = 5.0
DATABASE_SECONDS = 20.0
DNS_SECONDS = 10.0
PROVIDER_SECONDS = 10.0
_PASSED_ON = frozenset(["PATH", "HOME", "USER", "LOGNAME", "XDG_RUNTIME_DIR", "DBUS_SESSION_BUS_ADDRESS"])

CRON_PATH = "/usr/bin:/bin"
"""Where cron looks for commands unless a crontab says otherwise."""


@dataclass(frozen=True, slots=True)
class System:
    """Where the machine keeps what the probes look for; tests name folders of their own."""

    cron_tables: tuple[Path, ...] = (Path("/etc/crontab"), Path("/etc/cron.d"))
    unit_folders: tuple[Path, ...] = (Path("/etc/systemd/system"), Path("/etc/systemd/user"))
    environment: Mapping[str, str] = field(default_factory=lambda: dict(os.environ))

    def find(self, command: str) -> str | None:
        """The full path of a command; without a PATH, where the system's own are."""
        return shutil.which(command, path=self.environment.get("PATH", CRON_PATH))


@dataclass(frozen=True, slots=True)
class Ran:
    """What a command of the system said."""

    code: int
    out: str
    err: str


class Facts:
    """The workspace, its configuration and database, this machine, and somebody to ask about the DNS."""

    def __init__(
        self,
        workspace: Workspace,
        *,
        system: System | None = None,
        servers: Sequence[tuple[str, int]] = (),
        selectors: Sequence[str] = (),
        clock: float | None = None,
    ) -> None:
        self.workspace = workspace
        self.system = system or System()
        self.selectors = tuple(selectors)
        self.now = int((time.time() if clock is None else clock) * 1_000_000)
        self._servers = servers

    @cached_property
    def _config(self) -> Config | ConfigurationError:
        try:
            return load_config(self.workspace)
        except ConfigurationError as error:
            return error

    @property
    def config_error(self) -> ConfigurationError | None:
        """Why ``newsletter.toml`` cannot be used, if it cannot."""
        return self._config if isinstance(self._config, ConfigurationError) else None

    @property
    def config(self) -> Config:
        """``newsletter.toml``; raises NoConfigurationError."""
        if isinstance(self._config, ConfigurationError):
            raise NoConfigurationError
        return self._config

    @property
    def real(self) -> bool:
        """Whether mail reaches readers, or may; into the outbox it reaches nobody, and what lacks is a warning."""
        return isinstance(self._config, ConfigurationError) or self._config.provider.name != "outbox"

    @cached_property
    def _health(self) -> Health | NewsletterError | None:
        if not self.workspace.database.exists():
            return None
        try:
            return examine(self.workspace.database, seconds=DATABASE_SECONDS)
        except NewsletterError as error:
            return error

    @property
    def health_error(self) -> NewsletterError | None:
        """Why the database cannot be looked into, if it cannot."""
        return self._health if isinstance(self._health, NewsletterError) else None

    @property
    def health(self) -> Health | None:
        """What a look into the database found; None when there is none yet, or none that can be looked into."""
        return None if isinstance(self._health, NewsletterError) else self._health

    @cached_property
    def resolver(self) -> Resolver:
        """Who is asked about the DNS; its time begins with the first question."""
        return Resolver(self._servers, seconds=DNS_SECONDS)

    @property
    def sender_domain(self) -> str:
        """The domain of the sender address, in lower case."""
        return self.config.sender.email.rpartition("@")[2].lower()

    def run(self, *command: str) -> Ran | None:
        """Run a command of the system without a terminal; None when it is not there, TookTooLongError."""
        path = self.system.find(command[0])
        if path is None:
            return None
        # Secrets that lie in our environment are none of their business.
        environment = {name: value for name, value in self.system.environment.items() if name in _PASSED_ON}
        environment |= {"LC_ALL": "C", "GIT_OPTIONAL_LOCKS": "0", "GIT_TERMINAL_PROMPT": "0"}
        try:
            done = subprocess.run(  # noqa: S603 - a fixed command by its full path, no shell, no words of anybody else's
                [path, *command[1:]],
                env=environment,
                capture_output=True,
                timeout=COMMAND_SECONDS,
                stdin=subprocess.DEVNULL,
                check=False,
            )
        except subprocess.TimeoutExpired as late:
            raise TookTooLongError(f"{command[0]} did not answer within {COMMAND_SECONDS:g} s") from late
        return Ran(done.returncode, done.stdout.decode(errors="replace"), done.stderr.decode(errors="replace"))
