"""Real HTTP servers on loopback, reached through ``allow_hosts``."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import Any

import pytest

from tests.net.dns_server import dns_server  # noqa: F401 - a fixture
from tests.net.net_servers import serving


@pytest.fixture
def serve() -> Iterator[Callable[..., Any]]:
    """Start servers that end with the test."""
    with ExitStack() as stack:
        yield lambda answer, **options: stack.enter_context(serving(answer, **options))
