"""The desk of the public pages: many threads share it for months, and it holds as little as it can.

It notices when a file under it is changed or replaced, and it never has a key in its hands that could send a mail.
"""

from __future__ import annotations

import re
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final, Generic, TypeVar
from urllib.parse import urlsplit

from newsletter.app.desk import Desk
from newsletter.app.providers import event_reader
from newsletter.delivery.ports import EventReader
from newsletter.errors import CannotWrite, NewsletterError, ThemeError
from newsletter.rendering.words import Words, words
from newsletter.workspace.config import load_config
from newsletter.workspace.keys import Keys, load_keys
from newsletter.workspace.paths import Workspace
from newsletter.workspace.settings import Config
from newsletter.workspace.themes import load_theme

if TYPE_CHECKING:
    from newsletter.store.engine import Store

T = TypeVar("T")

_LOOK: Final = ("page", "card", "ink", "text", "muted", "hairline", "strong", "accent", "button", "on_button")
_COLOUR: Final = re.compile(r"#[0-9A-Fa-f]{6}")
_FONTS: Final = re.compile(r"[\w ,'-]+")


@dataclass(frozen=True, slots=True)
class Look:
    """Whose pages these are and how they look. ``tokens`` are the theme's colours and fonts, safe in a style sheet.

    ``contact`` is an address where a person answers, or None; ``prefix`` is the path of the site's address.
    """

    publication: str
    lang: str
    postal_address: str
    company: str
    contact: str | None
    prefix: str
    tokens: Mapping[str, str]


class _Fresh(Generic[T]):
    """A value read from a file, and again when that changes. What cannot be read any more stays."""

    def __init__(self, read: Callable[[], T], mark: Callable[[], object]) -> None:
        self._read = read
        self._mark = mark
        self._lock = threading.Lock()
        self._seen: object = None
        self._value: T | None = None

    def __call__(self) -> T:
        mark = self._mark()
        with self._lock:
            if self._value is None or (mark is not None and mark != self._seen):
                try:
                    self._value = self._read()
                except NewsletterError:
                    # An editor in the middle of a line must not take the unsubscribe page away.
                    if self._value is None:
                        raise
                self._seen = mark
            return self._value


def _mark_of(path: Path) -> Callable[[], object]:
    def mark() -> object:
        try:
            found = path.stat()
        except OSError:
            return None
        return (found.st_mtime_ns, found.st_size, found.st_ino)

    return mark


class PublicDesk:
    """A workspace as the public pages see it. Safe to use from many threads."""

    def __init__(self, workspace: Workspace) -> None:
        self.workspace = workspace
        self._config = _Fresh(lambda: load_config(workspace), _mark_of(workspace.config_file))
        self._keys = _Fresh(lambda: load_keys(workspace), _mark_of(workspace.keys_file))
        self._look = _Fresh(self._read_look, _mark_of(workspace.config_file))
        self._lock = threading.Lock()
        self._store: Store | None = None
        self._file: object = None
        self._readers: dict[str, tuple[Config, EventReader]] = {}

    @property
    def config(self) -> Config:
        """``newsletter.toml`` as it is now, or as it last could be read."""
        return self._config()

    @property
    def keys(self) -> Keys:
        """The keys behind tokens, rotated ones included."""
        return self._keys()

    @property
    def store(self) -> Store:
        """The database that lies there now: a backup may be put in its place while we run. Raises CannotWrite."""
        from newsletter.store.engine import open_store

        path = self.workspace.database
        try:
            found = path.stat()
        except OSError as error:
            raise CannotWrite("the database is not there", where=str(path), fix="put it back") from error
        with self._lock:
            if self._store is None or self._file != (found.st_dev, found.st_ino):
                if self._store is not None:
                    self._store.close()
                self._store = open_store(path)
                self._file = (found.st_dev, found.st_ino)
            return self._store

    @property
    def desk(self) -> Desk:
        """A desk for one call, in this thread, on what is open already. Not to be closed."""
        desk = Desk(self.workspace)
        desk.config = self.config
        desk.keys = self.keys
        desk.store = self.store
        return desk

    @property
    def look(self) -> Look:
        """Whose pages these are."""
        return self._look()

    @property
    def words(self) -> Words:
        """The words of the publication's language, for HTML."""
        return words(self.look.lang, html=True)

    @property
    def plain_words(self) -> Words:
        """The same words for what is no page: an answer to a mail program."""
        return words(self.look.lang, html=False)

    def event_reader(self, provider: str) -> EventReader:
        """What reads the webhook calls of a provider; made anew after an edit of the configuration."""
        config = self.config
        kept = self._readers.get(provider)
        if kept is None or kept[0] is not config:
            desk = Desk(self.workspace)
            desk.config = config
            kept = (config, event_reader(desk, provider))
            self._readers[provider] = kept
        return kept[1]

    def close(self) -> None:
        """Close the database."""
        with self._lock:
            if self._store is not None:
                self._store.close()
                self._store = None

    def _read_look(self) -> Look:
        config = self.config
        return Look(
            publication=config.publication.name,
            lang=config.publication.language,
            postal_address=config.publication.postal_address,
            company=config.publication.company,
            contact=config.sender.reply_to or config.sender.email or None,
            prefix=urlsplit(config.site.url or "").path.rstrip("/"),
            tokens=_tokens(self.workspace, config.publication.theme),
        )


def _tokens(workspace: Workspace, theme: str) -> Mapping[str, str]:
    """The theme's colours and fonts; those of ``base`` where a theme is broken, which must not break these pages."""
    try:
        found = load_theme(workspace, theme).tokens
    except ThemeError:
        found = load_theme(workspace, "builtin/base").tokens
    names = [f"{name}{end}" for name in _LOOK for end in ("", "_dark")]
    colours = {name: found[name] for name in names if _COLOUR.fullmatch(found.get(name, ""))}
    fonts = {name: found[name] for name in ("headline", "sans") if _FONTS.fullmatch(found.get(name, ""))}
    return {**colours, **fonts}
