"""Where everything is: the workspace folder and the names inside it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from newsletter.errors import ConfigurationError
from newsletter.workspace.files import make_folder
from newsletter.workspace.slugs import check_slug

CONFIG_NAME = "newsletter.toml"
STATE_NAME = ".newsletter"


@dataclass(frozen=True)
class Workspace:
    """The folder with ``newsletter.toml``, as an absolute path. Only ``ensure_state`` touches the disk."""

    root: Path

    @property
    def config_file(self) -> Path:
        """``newsletter.toml``."""
        return self.root / CONFIG_NAME

    @property
    def templates(self) -> Path:
        """The workspace's own themes, one folder each."""
        return self.root / "templates"

    @property
    def issues(self) -> Path:
        """The issue folders."""
        return self.root / "issues"

    @property
    def sponsors(self) -> Path:
        """The sponsors' creatives, and their pictures in ``images``."""
        return self.root / "sponsors"

    @property
    def state(self) -> Path:
        """``.newsletter``: what git does not keep."""
        return self.root / STATE_NAME

    @property
    def database(self) -> Path:
        """The inbox, the audience and the ledger."""
        return self.state / "newsletter.db"

    @property
    def media(self) -> Path:
        """Pictures that readers load, when they are hosted."""
        return self.state / "media"

    @property
    def originals(self) -> Path:
        """Pictures of inbox articles as they were fetched, named by their SHA-256."""
        return self.state / "originals"

    @property
    def logs(self) -> Path:
        """JSON-lines logs."""
        return self.state / "logs"

    @property
    def tests(self) -> Path:
        """What test mails sent, a folder an issue, named by digest."""
        return self.state / "tests"

    @property
    def cache(self) -> Path:
        """The only folder that may be deleted without loss."""
        return self.state / "cache"

    @property
    def locks(self) -> Path:
        """Lock files, all empty."""
        return self.state / "locks"

    @property
    def marks(self) -> Path:
        """How far each unfinished mailing has come; outside the database, so that a restored backup is noticed."""
        return self.state / "marks"

    @property
    def keys_file(self) -> Path:
        """The keys behind public tokens and suppression hashes (0600)."""
        return self.state / "keys.json"

    @property
    def installation_file(self) -> Path:
        """Which installation this is; outside the database, so that a restored backup is noticed."""
        return self.state / "installation.json"

    def issue_dir(self, slug: str) -> Path:
        """The folder of an issue, whether it exists or not; raises ``BadData`` for what is no slug."""
        return self.issues / check_slug(slug, "issue")

    def build_dir(self, slug: str) -> Path:
        """Where ``build`` writes unless told otherwise; raises ``BadData`` for what is no slug."""
        return self.state / "build" / check_slug(slug, "issue")

    def tests_dir(self, slug: str) -> Path:
        """Where an issue's tests are kept; raises ``BadData`` for what is no slug."""
        return self.tests / check_slug(slug, "issue")

    def ensure_state(self) -> None:
        """Make ``.newsletter`` (for this account only) and its folders; raises ``CannotWrite``."""
        make_folder(self.state, 0o700)
        for folder in (self.media, self.originals, self.logs, self.cache, self.locks):
            make_folder(folder)


def find_workspace(start: Path | None = None) -> Workspace:
    """The workspace of ``start`` (default: the current folder): the nearest folder upwards with ``newsletter.toml``.

    Raises ``ConfigurationError`` when there is none.
    """
    try:
        here = (start or Path.cwd()).resolve()
        for folder in (here, *here.parents):
            if (folder / CONFIG_NAME).is_file():
                return Workspace(folder)
    except OSError as error:
        raise ConfigurationError(
            f"cannot look for {CONFIG_NAME}: {error.strerror}", where=str(start or "."), fix=_how_to_start()
        ) from error
    raise ConfigurationError(f"no {CONFIG_NAME} here or in a folder above", where=str(here), fix=_how_to_start())


def _how_to_start() -> str:
    return "run `newsletter init`, or name the workspace: `newsletter -C DIR …`"
