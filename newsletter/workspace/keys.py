"""The workspace's own secrets: behind public tokens and suppression hashes. Made once, never in git."""

from __future__ import annotations

import base64
import binascii
import json
import secrets
import stat
from collections.abc import Mapping
from dataclasses import dataclass, field

from newsletter.errors import CannotWrite, ConfigurationError
from newsletter.workspace.files import write_atomic
from newsletter.workspace.paths import Workspace

SCHEMA = "newsletter/keys/1"
_BYTES = 32


@dataclass(frozen=True)
class Keys:
    """``current`` names the key that new tokens are made with; ``secrets`` holds it and all older ones.

    ``suppression`` is for the HMAC of suppressed addresses and is never rotated: it would forget them all.
    """

    current: str
    secrets: Mapping[str, bytes] = field(repr=False)
    suppression: bytes = field(repr=False)

    @property
    def current_secret(self) -> bytes:
        """The secret that new tokens are made with."""
        return self.secrets[self.current]


def create_keys(ws: Workspace) -> None:
    """Write a fresh ``.newsletter/keys.json`` (0600); never over another one, raises ``CannotWrite``."""
    ws.ensure_state()
    if ws.keys_file.exists():
        fix = "keep it: with new keys every unsubscribe link that was ever sent stops working"
        raise CannotWrite("there are keys already", where=str(ws.keys_file), fix=fix)
    data = {
        "schema": SCHEMA,
        "current": "k1",
        "secrets": {"k1": _text(secrets.token_bytes(_BYTES))},
        "suppression": _text(secrets.token_bytes(_BYTES)),
    }
    write_atomic(ws.keys_file, json.dumps(data, indent=2) + "\n", 0o600)


def load_keys(ws: Workspace) -> Keys:
    """Read the keys; raises ``ConfigurationError`` when they are missing, damaged or readable by others."""
    where = str(ws.keys_file)
    try:
        mode = stat.S_IMODE(ws.keys_file.stat().st_mode)
        text = ws.keys_file.read_text(encoding="utf-8")
    except FileNotFoundError as error:
        raise ConfigurationError("the workspace's keys are missing", where=where, fix=_restore()) from error
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigurationError("the workspace's keys cannot be read", where=where, fix=_restore()) from error
    if mode & 0o077:
        raise ConfigurationError("others may read the workspace's keys", where=where, fix=f"chmod 600 {where}")
    try:
        data = json.loads(text)
        keys = Keys(
            current=str(data["current"]),
            secrets={str(name): _bytes(value) for name, value in data["secrets"].items()},
            suppression=_bytes(data["suppression"]),
        )
        if keys.current not in keys.secrets:
            raise ValueError("no current key")
    except (ValueError, KeyError, TypeError, AttributeError):
        # "from None": a JSON error carries the text of the file, and with it the secrets.
        raise ConfigurationError("the workspace's keys are damaged", where=where, fix=_restore()) from None
    return keys


def ensure_keys(ws: Workspace) -> Keys:
    """The keys; made first in a fresh clone, which is a workspace with neither keys nor a database.

    Call it before the database is opened. Raises ``ConfigurationError`` when keys are missing although there
    is a database: then links and suppressions that depend on the old keys exist.
    """
    if not ws.keys_file.exists() and not ws.database.exists():
        create_keys(ws)
    return load_keys(ws)


def _restore() -> str:
    return "restore .newsletter/keys.json from the backup"


def _text(secret: bytes) -> str:
    return base64.urlsafe_b64encode(secret).decode("ascii")


def _bytes(text: str) -> bytes:
    try:
        secret = base64.b64decode(text, altchars=b"-_", validate=True)
    except binascii.Error as error:
        raise ValueError("not base64") from error
    if len(secret) < _BYTES:
        raise ValueError("too short")
    return secret
