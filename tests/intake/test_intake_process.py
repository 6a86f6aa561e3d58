"""``newsletter source refresh`` as cron runs it: a process of its own, stopped, killed, and met by another one."""

from __future__ import annotations

import signal
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import pytest

from newsletter.app.desk import Desk
from newsletter.app.inbox import list_inbox
from newsletter.articles.sources import shelf
from tests.intake.conftest import Site, item, rss
from tests.net.net_servers import say


class Slow:
    """A feed that answers when it is told to; ``asked`` is set when somebody waits for it."""

    def __init__(self) -> None:
        self.asked = threading.Event()
        self.go = threading.Event()

    def __call__(self, handler: Any) -> None:
        self.asked.set()
        self.go.wait(60)
        say(handler, rss(item(1)))


@pytest.fixture
def slow(desk: Desk, site: Site) -> Slow:
    """Two sources: one that answers at once, one that keeps a refresh waiting."""
    slow = Slow()
    site.routes |= {"/quick": rss(item(7)), "/slow": slow}
    with desk.store.write() as conn:
        shelf.add_source(conn, name="quick", url=site.url("/quick"), kind="feed")
        shelf.add_source(conn, name="slow", url=site.url("/slow"), kind="feed")
    return slow


def start(root: Path) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "newsletter", "-C", str(root), "source", "refresh"]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def there(desk: Desk, slug: str) -> bool:
    return slug in {row.slug for row in list_inbox(desk).rows}


@pytest.mark.parametrize(("signal_number", "code"), [(signal.SIGTERM, 75), (signal.SIGKILL, -signal.SIGKILL)])
def test_a_refresh_that_is_ended_leaves_whole_sources(
    desk: Desk, root: Path, slow: Slow, signal_number: int, code: int
) -> None:
    """What was answered is there, what was not is as it was, and the next refresh goes on."""
    process = start(root)
    assert slow.asked.wait(60)
    while not there(desk, "story-7"):
        assert process.poll() is None
    process.send_signal(signal_number)
    out, err = process.communicate(timeout=60)
    assert (process.returncode, out) == (code, "")
    assert "Traceback" not in err
    assert shelf.get_source(desk.store, "slow").checked_at is None
    slow.go.set()
    again = start(root)
    assert again.communicate(timeout=60) == ("", "")
    assert again.returncode == 0
    assert there(desk, "story-1")


def test_a_second_refresh_leaves_without_a_word(desk: Desk, root: Path, slow: Slow, site: Site) -> None:
    """Cron does not know that the first one still waits."""
    first = start(root)
    assert slow.asked.wait(60)
    second = start(root)
    assert second.communicate(timeout=60) == ("", "")
    assert second.returncode == 0
    assert site.asked.count("/slow") == 1
    slow.go.set()
    assert first.communicate(timeout=60) == ("", "")
    assert first.returncode == 0
    assert there(desk, "story-1")
