"""The settings for a page: typed, in groups, each with its value and its meaning; and changing them, all or nothing.

A secret's value is never here, only where it is and whether it is there: for this process, whose environment may be
another than cron's.
"""

from __future__ import annotations

import os
import tomllib
import typing
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal
from urllib.parse import urlsplit

import msgspec

from newsletter.app import trail
from newsletter.app.desk import Desk
from newsletter.errors import ConfigurationError, UsageProblem
from newsletter.providers import registry
from newsletter.workspace import shapes, themes
from newsletter.workspace.config import config_keys, config_sha256, resolve_secret, set_config_values
from newsletter.workspace.setting_words import WORDS
from newsletter.workspace.settings import Config, SecretRef

Kind = Literal["text", "choice", "number", "switch", "list", "table", "people", "secret"]
_TITLES: Final = {
    "publication": "Publication",
    "sender": "Sender",
    "site": "Site",
    "provider": "Provider",
    "links": "Links",
    "images": "Images",
    "test": "Tests",
    "audience": "Audience",
    "checks": "Checks",
    "draft": "Drafts",
    "schedule": "Schedule",
    "alerts": "Alerts",
    "composer": "Composer",
    "sender_installation": "Installation",
}
# Whoever has one of these URLs can post or ask in the newsroom's name: they are as good as secrets.
_HIDDEN: Final = frozenset({"alerts.webhook", "alerts.heartbeat"})
_NOT_HERE: Final = frozenset({"sender_installation", "provider.options", "draft.section"})
"""Written by ``approve`` and ``adopt``; another package's own; a list of tables. By hand, if at all."""


@dataclass(frozen=True, slots=True)
class Setting:
    """One key. ``value`` is what holds now, written or by default; of a secret and of a hidden URL it is None.

    ``state`` is then, in words, where it is and whether it is there. ``choices`` are the words of a choice.
    """

    key: str
    kind: Kind
    words: str
    value: Any
    default: Any
    written: bool
    editable: bool = True
    required: bool = False
    choices: tuple[str, ...] = ()
    state: str | None = None

    @property
    def shown(self) -> str:
        """The value as one line of text."""
        if self.state is not None:
            return self.state
        if isinstance(self.value, bool):
            return "true" if self.value else "false"
        if isinstance(self.value, list):
            return ", ".join(map(_one, self.value))
        if isinstance(self.value, dict):
            return ", ".join(f"{name} = {_one(inner)}" for name, inner in self.value.items())
        return "" if self.value is None else str(self.value)

    def as_row(self) -> dict[str, Any]:
        """For ``--json``."""
        return {name: getattr(self, name) for name in self.__slots__}


@dataclass(frozen=True, slots=True)
class Group:
    """The settings of one table of ``newsletter.toml``."""

    name: str
    title: str
    settings: tuple[Setting, ...]


@dataclass(frozen=True, slots=True)
class AllSettings:
    """Every setting, and the SHA-256 of the file that they were read from, for ``change``."""

    groups: tuple[Group, ...]
    sha256: str

    def as_row(self) -> dict[str, Any]:
        """For ``--json``."""
        groups = [{"name": g.name, "title": g.title, "settings": [s.as_row() for s in g.settings]} for g in self.groups]
        return {"sha256": self.sha256, "groups": groups}


def read_settings(desk: Desk) -> AllSettings:
    """All settings as they are now; raises ConfigurationError for a file that is wrong."""
    sha256 = config_sha256(desk.workspace)
    config = desk.config
    written = tomllib.loads(desk.workspace.config_file.read_bytes().decode("utf-8-sig"))
    groups: dict[str, list[Setting]] = {}
    for key in config_keys():
        groups.setdefault(key.partition(".")[0], []).append(_setting(desk, config, written, key))
    return AllSettings(tuple(Group(name, _TITLES[name], tuple(rows)) for name, rows in groups.items()), sha256)


def change(desk: Desk, values: Mapping[str, Any], *, expected: str | None = None) -> str:
    """Change settings, all of them or none; the SHA-256 of the file as it then is.

    Values as ``set_config_values`` takes them; None takes a key out, so that its default holds. A secret takes
    ``{"env": NAME}`` or ``{"file": PATH}``. Raises Conflict when the file is not the ``expected`` one any more,
    SettingsRefused with a reason for each key, UsageProblem for a key that is not changed here.
    """
    if refused := sorted(_NOT_HERE & set(values)):
        raise UsageProblem(f"{', '.join(refused)} is not changed here", fix="see the configuration page")
    sha256 = set_config_values(desk.workspace, values, expected=expected)
    # What was read before is not what holds now.
    desk.__dict__.pop("config", None)
    trail.note(desk, "change settings", keys=sorted(values))
    return sha256


def _setting(desk: Desk, config: Config, written: Mapping[str, Any], key: str) -> Setting:
    path = tuple(key.split("."))
    kinds = shapes.members(shapes.type_at(Config, path))
    kind = _kind(key, kinds)
    default, required = _default(path)
    value = _at(config, path, default)
    there = _at(written, path, None) is not None
    state = None
    if kind == "secret" and not isinstance(value, str):
        state, value = _secret_state(desk, key, value), None
        default = None if default is None else {"env": default.env} if default.env else {"file": default.file}
    elif key in _HIDDEN:
        state, value = (f"set, at {_host(value)}" if value else "not set"), None
    elif key == "provider.options":
        state, value = (", ".join(value) or "none"), None
    elif key == "draft.section":
        state, value, default = ", ".join(section.title or section.layout for section in value), None, None
    return Setting(
        key=key,
        kind=kind,
        words=WORDS[key],
        value=msgspec.to_builtins(value),
        default=msgspec.to_builtins(default),
        written=there,
        editable=key not in _NOT_HERE,
        required=required,
        choices=_choices(desk, key, kinds),
        state=state,
    )


def _kind(key: str, kinds: Sequence[Any]) -> Kind:
    if SecretRef in kinds:
        return "secret"
    if key == "composer.people":
        return "people"
    if key in ("provider.name", "publication.theme") or typing.get_origin(kinds[0]) is Literal:
        return "choice"
    if any(typing.get_origin(kind) is list for kind in kinds):
        return "list"
    if typing.get_origin(kinds[0]) is dict:
        return "table"
    if kinds[0] is bool:
        return "switch"
    return "number" if kinds[0] in (int, float) else "text"


def _choices(desk: Desk, key: str, kinds: Sequence[Any]) -> tuple[str, ...]:
    if key == "provider.name":
        return tuple(registry.names())
    if key == "publication.theme":
        return tuple(name for name, _ in themes.list_themes(desk.workspace))
    return tuple(str(word) for word in typing.get_args(kinds[0])) if typing.get_origin(kinds[0]) is Literal else ()


def _default(path: tuple[str, ...]) -> tuple[Any, bool]:
    """The value of a key that nobody wrote, and whether somebody has to."""
    kind = next(iter(shapes.members(shapes.type_at(Config, path[:-1])))) if len(path) > 1 else Config
    for field in msgspec.structs.fields(kind):
        if field.name == path[-1]:
            if field.default is not msgspec.NODEFAULT:
                return field.default, False
            if field.default_factory is not msgspec.NODEFAULT:
                return field.default_factory(), False
    return None, True


def _at(holder: Any, path: tuple[str, ...], default: Any) -> Any:
    for step in path:
        holder = holder.get(step) if isinstance(holder, Mapping) else getattr(holder, step, None)
        if holder is None:
            return default
    return holder


def _secret_state(desk: Desk, key: str, ref: SecretRef | None) -> str:
    if ref is None:
        return "not set"
    if ref.env is not None:
        return f"from the environment variable {ref.env}: {'set' if os.environ.get(ref.env) else 'not set'}"
    try:
        resolve_secret(desk.workspace, ref, key, lines=True)
    except ConfigurationError as error:
        return f"from the file {ref.file}: {error.what.removeprefix(f'{key}: ')}"
    return f"from the file {ref.file}: there"


def _host(url: str) -> str:
    return urlsplit(url).hostname or "…"


def _one(value: Any) -> str:
    if isinstance(value, dict):
        return " ".join(str(inner) for inner in value.values() if inner)
    return str(value)
