"""An empty audience with keys."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from newsletter.audience.importing import ImportReport, import_csv
from newsletter.store.engine import Store, open_store
from newsletter.workspace.keys import Keys


@pytest.fixture(scope="session")
def keys() -> Keys:
    return Keys("k1", {"k1": b"s" * 32}, b"h" * 32)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with open_store(tmp_path / "state" / "newsletter.db") as opened:
        yield opened


@pytest.fixture
def bring(store: Store, keys: Keys, tmp_path: Path) -> Callable[..., ImportReport]:
    """Import some text or bytes; first_name and city are the attributes."""

    def run(content: str | bytes, **more: Any) -> ImportReport:
        path = tmp_path / more.pop("name", "readers.csv")
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        settings: dict[str, Any] = {"attributes": ["first_name", "city"], "rejects": tmp_path / "rejects.csv"}
        return import_csv(store, path, keys=keys, **{**settings, **more})

    return run
