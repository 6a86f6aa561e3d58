"""Public ids: random, so that nobody learns from one how many readers there are or guesses another's."""

from __future__ import annotations

import os
import secrets

NEW_PUBLIC_ID_SQL = "lower(hex(randomblob(16)))"
"""The same, made by the database for rows that never pass through Python; its generator is seeded by the system."""


def new_public_id() -> str:
    """A random 128-bit number as 32 lower-case hex digits."""
    return secrets.token_hex(16)


def new_public_ids(count: int) -> list[str]:
    """``count`` public ids for one call to the system's random source."""
    digits = os.urandom(16 * count).hex()
    return [digits[start : start + 32] for start in range(0, len(digits), 32)]
