"""Where the built-in themes and the starter workspace are: in the checkout, or packaged in the wheel."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path

from newsletter.errors import NotFound

_PACKAGE = Path(__file__).resolve().parents[1]
_CHECKOUT = _PACKAGE.parent


def builtin_templates() -> Path:
    """The folder of the built-in themes. The wheel's copy wins, for an editable install has only the checkout's."""
    return _first(_PACKAGE / "_templates", _CHECKOUT / "templates")


def starter() -> Path:
    """The folder with the sample ``newsletter.toml`` and ``issues/`` that ``demo`` copies."""
    return _first(_PACKAGE / "_starter", _CHECKOUT)


@lru_cache(maxsize=8)
def _first(packaged: Path, checkout: Path) -> Path:
    if packaged.is_dir():
        return packaged
    # A wheel without its data must not take whatever lies next to it in site-packages.
    if checkout.is_dir() and (_CHECKOUT / "pyproject.toml").is_file():
        return checkout
    raise NotFound("the built-in themes are not installed", where=str(packaged), fix="install newsletter again")
