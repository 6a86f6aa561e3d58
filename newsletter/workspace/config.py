"""Reading and changing ``newsletter.toml``; resolving the secrets that it points to."""

from __future__ import annotations

import os
import re
import stat
import tomllib
import typing
from collections.abc import Iterator, Mapping
from typing import Any

import msgspec

from newsletter.errors import ConfigurationError, Conflict, SettingsRefused, did_you_mean
from newsletter.workspace import shapes
from newsletter.workspace.files import file_lock, sha256_hex, write_atomic
from newsletter.workspace.paths import CONFIG_NAME, Workspace
from newsletter.workspace.settings import Config, SecretRef, Settings, Site
from newsletter.workspace.tomlplaces import line_of
from newsletter.workspace.values import complaints, parse_duration, parse_rate, parse_share

__all__ = [
    "config_keys",
    "load_config",
    "parse_config",
    "parse_duration",
    "parse_rate",
    "parse_share",
    "resolve_secret",
    "set_config_value",
    "set_config_values",
]

_LOCK_SECONDS = 5.0
_MAX_SECRET_BYTES = 64 * 1024


def load_config(ws: Workspace) -> Config:
    """Read ``newsletter.toml``.

    ``site.url`` comes without a slash at its end, and None when it is empty. Raises ``ConfigurationError`` naming
    ``newsletter.toml:LINE``, the dotted key, what was expected, and the nearest known word.
    """
    return parse_config(_text(ws))


def _text(ws: Workspace) -> str:
    try:
        return ws.config_file.read_bytes().decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise ConfigurationError("this is not UTF-8", where=str(ws.config_file), fix="save it as UTF-8") from error
    except FileNotFoundError as error:
        raise ConfigurationError(
            "there is no newsletter.toml", where=str(ws.root), fix="run `newsletter init` there"
        ) from error
    except OSError as error:
        raise ConfigurationError(f"cannot read it: {error.strerror}", where=str(ws.config_file)) from error


def parse_config(text: str) -> Config:
    """The configuration that the text of a ``newsletter.toml`` says; raises ``ConfigurationError``."""
    try:
        # tomllib takes CR LF; it refuses a bare CR, as TOML does.
        data = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise _syntax(error, text) from None
    try:
        config = msgspec.convert(data, Config)
    except msgspec.ValidationError as error:
        # "from None": the library's error may quote a value.
        raise _misfit(shapes.misfit(error, Config, data, strict=True), text) from None
    for key, problem, hint in complaints(config):
        where = f"{CONFIG_NAME}:{line_of(text, tuple(key.split('.')))}"
        raise ConfigurationError(f"{key}: {problem}", where=where, fix=hint)
    url = (config.site.url or "").rstrip("/") or None
    return msgspec.structs.replace(config, site=Site(url=url))


def _syntax(error: tomllib.TOMLDecodeError, text: str) -> ConfigurationError:
    message = str(error)
    found = re.search(r" \(at (?:line (\d+), column \d+|end of document)\)$", message)
    line = int(found[1]) if found and found[1] else text.rstrip("\n").count("\n") + 1
    fix = 'check this line: text stands in quotes, as in name = "The Weekly", and a list in brackets'
    problem = message[: found.start()] if found else message
    return ConfigurationError(f"this is not TOML: {problem}", where=f"{CONFIG_NAME}:{line}", fix=fix)


def _misfit(wrong: shapes.Misfit, text: str) -> ConfigurationError:
    key = wrong.key or CONFIG_NAME
    where = f"{CONFIG_NAME}:{line_of(text, wrong.path)}"
    kinds = shapes.members(shapes.type_at(Config, wrong.path))
    if SecretRef in kinds and str not in kinds:
        name = wrong.path[-1]
        variable = str(wrong.path[-2 if name == "password" else -1]).upper()
        variable = {"SMTP": "SMTP_PASSWORD", "API_KEY": "SENDGRID_API_KEY"}.get(variable, variable)
        fix = f'write {name} = {{env = "{variable}"}} or {name} = {{file = "secrets/{name}"}}, and change that secret'
        return ConfigurationError(f"{key}: a secret must not stand in this file", where=where, fix=fix)
    if not wrong.path or (wrong.problem == "this key is missing" and wrong.key == "publication"):
        return ConfigurationError("the table [publication] is missing", where=where, fix='[publication]\nname = "…"')
    return ConfigurationError(f"{key}: {wrong.problem}", where=where, fix=wrong.hint)


def config_keys() -> list[str]:
    """Every key of ``newsletter.toml``, dotted, in the order of the settings; a test holds the documentation to it."""
    return list(_keys(Config, ""))


def _keys(cls: type[Settings], prefix: str) -> Iterator[str]:
    hints = typing.get_type_hints(cls)
    for field in msgspec.structs.fields(cls):
        inner = [m for m in shapes.members(hints[field.name]) if isinstance(m, type) and issubclass(m, Settings)]
        if inner and inner[0] is not SecretRef:
            yield from _keys(inner[0], f"{prefix}{field.name}.")
        else:
            yield f"{prefix}{field.name}"


def set_config_value(ws: Workspace, key: str, value: str) -> None:
    """Set one key of ``newsletter.toml``; see ``set_config_values``. Raises ``ConfigurationError``."""
    try:
        set_config_values(ws, {key: value})
    except SettingsRefused as refused:
        raise next(iter(refused.errors.values())) from None


def set_config_values(ws: Workspace, values: Mapping[str, Any], *, expected: str | None = None) -> str:
    """Set keys of ``newsletter.toml``, keeping comments and order; the SHA-256 of the file as it then is.

    A value is text, a number, true or false, or words with commas between, as the key asks; or already of that type
    (lists, tables and references to secrets too). None takes the key out. Nothing is written unless the whole file is
    right afterwards, and, with ``expected``, unless it still is the file with that SHA-256. Raises ``Conflict``,
    ``SettingsRefused``, and ``ConfigurationError`` for a file that is wrong already.
    """
    errors: dict[str, ConfigurationError] = {}
    typed: dict[str, Any] = {}
    for key, value in values.items():
        try:
            typed[key] = None if value is None else _as_declared(key, tuple(key.split(".")), value)
        except ConfigurationError as error:
            errors[key] = error
    with file_lock(ws.locks / "config.lock", timeout=_LOCK_SECONDS):
        text = _text(ws)
        if expected is not None and config_sha256(ws) != expected:
            fix = "look at it as it is now, and change that"
            raise Conflict("it changed since you read it; nothing was written", where=CONFIG_NAME, fix=fix)
        parse_config(text)
        changed = _edited(text, typed)
        for key, wrong in _wrong_in(changed, typed):
            errors.setdefault(key, wrong)
        if errors:
            raise SettingsRefused(errors)
        write_atomic(ws.config_file, changed)
    return config_sha256(ws)


def config_sha256(ws: Workspace) -> str:
    """The SHA-256 of ``newsletter.toml`` as it is on the disk; raises ``ConfigurationError``."""
    _text(ws)
    return sha256_hex(ws.config_file.read_bytes())


def _edited(text: str, typed: Mapping[str, Any]) -> str:
    import tomlkit

    document = tomlkit.parse(text)
    for key, value in typed.items():
        *tables, name = key.split(".")
        table: Any = document
        for step in tables:
            if value is None and step not in table:
                break
            table = table.setdefault(step, tomlkit.table())
        else:
            if value is None:
                table.pop(name, None)
            else:
                table[name] = _item(value)
    return tomlkit.dumps(document)


def _item(value: Any) -> Any:
    """Tables on one line, so that a key stays where it is."""
    import tomlkit

    if isinstance(value, dict):
        inline = tomlkit.inline_table()
        inline.update({name: _item(inner) for name, inner in value.items()})
        return inline
    if isinstance(value, list) and any(isinstance(inner, dict) for inner in value):
        rows = tomlkit.array()
        rows.extend(_item(inner) for inner in value)
        return rows.multiline(True)
    return value


def _wrong_in(text: str, typed: Mapping[str, Any]) -> Iterator[tuple[str, ConfigurationError]]:
    """What is wrong with the file as it would be: by the key that was changed, else the one that is wrong, else ""."""

    def owner(key: str) -> str:
        changed = next((name for name in typed if key == name or key.startswith((f"{name}.", f"{name}["))), "")
        return changed or (key if key in config_keys() else "")

    try:
        parse_config(text)
    except ConfigurationError as first:
        key = first.what.partition(": ")[0]
        yield owner(key), first
    else:
        return
    try:
        config = msgspec.convert(tomllib.loads(text), Config)
    except (msgspec.ValidationError, tomllib.TOMLDecodeError):
        return
    for key, problem, hint in complaints(config):
        where = f"{CONFIG_NAME}:{line_of(text, tuple(key.split('.')))}"
        yield owner(key), ConfigurationError(f"{key}: {problem}", where=where, fix=hint)


def _as_declared(key: str, path: tuple[str, ...], value: Any) -> Any:
    kinds = shapes.members(shapes.type_at(Config, path))
    if key not in config_keys() and path[:-1] != ("checks",):
        hint = did_you_mean(key, config_keys()) or "see the configuration page for every key"
        raise ConfigurationError(f"unknown key {key!r}", where=CONFIG_NAME, fix=hint)
    if SecretRef in kinds and str not in kinds and not (isinstance(value, dict) and set(value) <= {"env", "file"}):
        fix = f'write {key} = {{env = "NAME"}} into {CONFIG_NAME} by hand'
        raise ConfigurationError("a secret is not set from the command line", where=key, fix=fix)
    if list[int] in kinds and isinstance(value, str | list):
        return _numbers(key, value.split(",") if isinstance(value, str) else value)
    if not isinstance(value, str):
        return value
    if kinds[0] in (int, float):
        try:
            return kinds[0](value)
        except ValueError as error:
            raise ConfigurationError(f"{key}: expected a number", where=CONFIG_NAME) from error
    if kinds[0] is bool:
        if value not in ("true", "false"):
            raise ConfigurationError(f"{key}: expected true or false", where=CONFIG_NAME)
        return value == "true"
    if typing.get_origin(kinds[0]) is list:
        return [word.strip() for word in value.split(",") if word.strip()]
    return value


def _numbers(key: str, words: list[Any]) -> list[int]:
    try:
        return [int(word) for word in words if str(word).strip()]
    except ValueError as error:
        raise ConfigurationError(f"{key}: expected numbers with commas between", where=CONFIG_NAME) from error


def resolve_secret(ws: Workspace, ref: SecretRef, key: str, *, lines: bool = False) -> str:
    """The secret that ``ref`` points to; ``key`` is its dotted key, for messages, which never hold the value.

    A file is relative to the workspace, must be readable by its owner alone, and loses one line end at its
    end; only with ``lines`` (a key in PEM) may it hold several. Needs no HOME and no shell. Raises
    ``ConfigurationError``.
    """
    where = _where(ws, key)
    if ref.env is not None:
        value = os.environ.get(ref.env, "")
        if not value:
            fix = (
                f"export {ref.env}=… before the command; for cron write {ref.env}=… on a line of its own at the top of "
                f'the crontab, or keep the secret in a file of mode 0600 and write {{file = "{ref.env.lower()}"}}'
            )
            raise ConfigurationError(f"{key}: the environment variable {ref.env} is not set", where=where, fix=fix)
        return value
    return _from_file(ws, ref.file or "", key, where, lines=lines)


def _where(ws: Workspace, key: str) -> str:
    try:
        return f"{CONFIG_NAME}:{line_of(_text(ws), tuple(key.split('.')))}"
    except ConfigurationError:
        return CONFIG_NAME


def _from_file(ws: Workspace, name: str, key: str, where: str, *, lines: bool) -> str:
    path = ws.root / name
    try:
        status = path.stat()
        if not stat.S_ISREG(status.st_mode):
            raise ConfigurationError(f"{key}: {name} is no file", where=where, fix="name a file of mode 0600")
        if status.st_mode & 0o077:
            raise ConfigurationError(f"{key}: others may read {name}", where=where, fix=f"chmod 600 {path}")
        with path.open("rb") as file:
            value = file.read(_MAX_SECRET_BYTES).decode("utf-8")
    except OSError as error:
        fix = f"write the secret into {path}, then chmod 600 {path}"
        raise ConfigurationError(f"{key}: cannot read {name}: {error.strerror}", where=where, fix=fix) from error
    except UnicodeDecodeError:
        # "from None": the error holds the bytes.
        raise ConfigurationError(f"{key}: {name} is no text", where=where, fix="save it as UTF-8") from None
    value = value.removesuffix("\n").removesuffix("\r")
    if not value or ("\n" in value and not lines) or "\0" in value:
        raise ConfigurationError(f"{key}: {name} must hold one line, the secret", where=where, fix=f"correct {path}")
    return value
