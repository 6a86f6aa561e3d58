"""Settings as the fields of a form, and what was typed there as values for ``change``.

A field that is left empty takes its key out of the file, so that the default holds.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any, Final

from markupsafe import Markup, escape

from newsletter.app.settings import AllSettings, Group, Setting
from newsletter.errors import ConfigurationError

_ENV: Final = re.compile(r"[A-Z_][A-Z0-9_]{0,99}")
_CODE: Final = re.compile(r"`([^`]+)`")
_TABLES: Final = {
    "outbox": "Outbox",
    "smtp": "SMTP",
    "smtp.dkim": "SMTP: signing (DKIM)",
    "sendgrid": "SendGrid",
}
_LETTERS: Final = frozenset({"api", "css", "dkim", "html", "id", "ip", "tls", "url", "utm"})
"""Words that are letters: they are written in capitals."""


@dataclass(frozen=True, slots=True)
class Field:
    """One key in a form. ``text`` is what stands in it, ``was`` what stood there when the page was made.

    ``problem`` says why it was not taken. Of a secret ``text`` is the name of the variable or file, ``place`` which.
    """

    setting: Setting
    text: str
    was: str
    place: str = ""
    problem: ConfigurationError | None = None

    @property
    def key(self) -> str:
        """The dotted key."""
        return self.setting.key

    @property
    def label(self) -> str:
        """Its last part in words."""
        words = self.key.rpartition(".")[2].split("_")
        return " ".join(word.upper() if word in _LETTERS else word for word in words)

    @property
    def help(self) -> Markup:
        """What it means, with its code marked up."""
        return Markup(_CODE.sub(r"<code>\1</code>", str(escape(self.setting.words))))  # noqa: S704 - escaped just here

    @property
    def fallback(self) -> str:
        """What holds while the field is empty."""
        return in_lines(self.setting.default).replace("\n", ", ")

    @property
    def many(self) -> bool:
        """Whether it takes several lines."""
        return self.setting.kind in ("list", "table")

    @property
    def hidden(self) -> bool:
        """Whether its value is never shown, though it is no secret of its own place."""
        return self.setting.kind == "text" and self.setting.state is not None


@dataclass(frozen=True, slots=True)
class Part:
    """The fields of one table of the file; ``opened`` when it is in use."""

    title: str
    fields: tuple[Field, ...]
    opened: bool


def in_lines(value: Any) -> str:
    """A value as it is typed: one thing a line."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, Mapping):
        return "\n".join(f"{name} = {in_lines(inner)}" for name, inner in value.items())
    if isinstance(value, list | tuple):
        return "\n".join(map(in_lines, value))
    return f"{value:g}" if isinstance(value, float) else str(value)


def field_of(setting: Setting) -> Field:
    """A key as it is now."""
    shown = setting.written and setting.state is None
    text = in_lines(setting.value) if shown else ""
    return Field(setting, text, text)


def filled(field: Field, form: Mapping[str, str], errors: Mapping[str, ConfigurationError]) -> Field:
    """The same with what was typed into it, and what is wrong with that."""
    text = form.get(field.key, field.text).replace("\r\n", "\n")
    problem = next(
        (error for key, error in errors.items() if key == field.key or key.startswith(f"{field.key}.")), None
    )
    return replace(field, text=text, place=form.get(f"{field.key}.place", ""), problem=problem)


def parts(group: Group, fields: Mapping[str, Field]) -> list[Part]:
    """The fields of a group by the table that they stand in."""
    tables: dict[str, list[Field]] = {}
    for setting in group.settings:
        within = setting.key.rpartition(".")[0].removeprefix(group.name).removeprefix(".")
        tables.setdefault(within, []).append(fields[setting.key])
    return [
        Part(
            _TABLES.get(name, name),
            tuple(rows),
            not name or any(f.setting.written or f.problem or f.text != f.was or f.place for f in rows),
        )
        for name, rows in tables.items()
    ]


def changed(settings: AllSettings, form: Mapping[str, str]) -> dict[str, Any]:
    """What a form changes, as ``change`` takes it; raises SettingsRefused's reasons as (key, error) pairs do."""
    found: dict[str, Any] = {}
    for group in settings.groups:
        for setting in group.settings:
            if setting.key in form and setting.editable and setting.kind != "people":
                found.update(_changes(setting, form))
    return found


def _changes(setting: Setting, form: Mapping[str, str]) -> Iterator[tuple[str, Any]]:
    key = setting.key
    text, was = (form.get(name, "").replace("\r\n", "\n").strip() for name in (key, f"{key}.was"))
    place = form.get(f"{key}.place", "")
    if setting.kind == "secret":
        if place == "none":
            yield key, None
        elif place in ("env", "file"):
            if place == "env" and not _ENV.fullmatch(text):
                # Not shown again: it may be the secret itself.
                what = f"{key}: this is not the name of an environment variable"
                raise _Wrong(key, what, "write its name, as in SMTP_PASSWORD; never the secret itself")
            if not text:
                raise _Wrong(key, f"{key}: which file?", "write its path, relative to newsletter.toml")
            yield key, {place: text}
    elif setting.state is not None:
        if place == "none":
            yield key, None
        elif text:
            yield key, text
    elif text != was:
        yield from _typed(setting, text, was)


def _typed(setting: Setting, text: str, was: str) -> Iterator[tuple[str, Any]]:
    key, lines = setting.key, [line.strip() for line in text.split("\n") if line.strip()]
    if key == "checks":
        # One by one, so that the comments between them stay.
        before, after = dict(_pairs(key, was.split("\n"))), dict(_pairs(key, lines))
        for name in {**before, **after}:
            if before.get(name) != after.get(name):
                yield f"{key}.{name}", after.get(name)
    elif not lines:
        yield key, None
    elif setting.kind == "list":
        yield key, lines
    elif setting.kind == "table":
        pairs = dict(_pairs(key, lines))
        numbers = any(isinstance(value, float) for value in (setting.default or {}).values())
        yield key, {name: _number(key, value) if numbers else value for name, value in pairs.items()}
    elif setting.kind == "switch":
        yield key, {"yes": "true", "no": "false"}.get(text, text)
    else:
        yield key, text


class _Wrong(ConfigurationError):
    """One key that cannot be understood."""

    def __init__(self, key: str, what: str, fix: str) -> None:
        super().__init__(what, where="newsletter.toml", fix=fix)
        self.key = key


def wrong_key(error: ConfigurationError) -> str | None:
    """The key that ``changed`` could not understand."""
    return error.key if isinstance(error, _Wrong) else None


def _pairs(key: str, lines: list[str]) -> Iterator[tuple[str, str]]:
    for line in filter(None, map(str.strip, lines)):
        name, sign, value = line.partition("=")
        if not sign or not name.strip() or not value.strip():
            raise _Wrong(key, f"{key}: {line[:60]!r} is no pair", "write a name, = and a value on each line")
        yield name.strip().strip('"'), value.strip().strip('"')


def _number(key: str, text: str) -> float:
    try:
        return float(text)
    except ValueError:
        raise _Wrong(key, f"{key}: {text[:40]!r} is no number", "write digits, as in 12.5") from None
