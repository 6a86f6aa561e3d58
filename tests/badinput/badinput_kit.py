"""What the tests of bad input share: workspaces, the command line as a process of its own, and what to expect."""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ISSUE = "2026-11-27"
LEAD = "the-tide-tables-were-right"
SECOND = "a-bell-is-found-in-the-mud"
NEWSLETTER = [sys.executable, "-m", "newsletter"]

STORY = """---
headline: {headline}
standfirst: {headline}, in one sentence.
link: https://estuary.test/{slug}
byline: Ada Reyes
---
The harbour office has read every tide table since January and found no mistake in any of them.
"""

CONFIG = """
[publication]
name = "The Breakwater"
postal_address = "1 Mole, Saltford"

[sender]
name = "The Breakwater"
email = "post@breakwater.test"

[site]
url = "https://breakwater.test"

[schedule]
preflight = false

[provider]
name = "smtp"
rate = "{rate}"

[provider.smtp]
host = "127.0.0.1"
port = {port}
security = "none"
connections = {connections}
timeout = 60
"""


@dataclass
class Answer:
    """What a command did."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)


Run = Callable[..., Answer]
Tree = dict[str, bytes | None]


def refused(answer: Answer, *words: str) -> None:
    """The answer is an error that says each of ``words``, and how to put it right; no traceback, no bug."""
    assert "Traceback" not in answer.err
    assert "This is a bug" not in answer.err
    for word in words:
        assert word in answer.err, f"{word!r} is not in:\n{answer.err}"
    assert "Fix: " in answer.err, answer.err


def write_story(folder: Path, slug: str, headline: str) -> Path:
    path = folder / f"{slug}.md"
    path.write_text(STORY.format(headline=headline, slug=slug), encoding="utf-8")
    return path


def make_weekly(root: Path, run: Run) -> None:
    run(
        "init", str(root), "--name", "The Breakwater", "--from", "post@breakwater.test", "--address", "1 Mole, Saltford"
    )


def make_issue(root: Path, stories: Path, run: Run) -> None:
    run("-C", str(root), "issue", "new", ISSUE)
    for slug, headline in (("tide", "The tide tables were right"), ("bell", "A bell is found in the mud")):
        run("-C", str(root), "article", "add", str(write_story(stories, slug, headline)), "--issue", ISSUE)


def make_readers(root: Path, count: int, run: Run) -> None:
    path = root.parent / "many.csv"
    path.write_text("email,first_name\n" + "".join(f"r{n}@readers.test,R{n}\n" for n in range(count)), encoding="utf-8")
    run("-C", str(root), "audience", "import", str(path))


def tree(folder: Path, *, ignore: tuple[str, ...] = ()) -> Tree:
    """Every file below a folder with its bytes, but for SQLite's and locks' own and what ``ignore`` names."""
    passing = (".db-wal", ".db-shm", ".lock", *ignore)
    return {
        path.relative_to(folder).as_posix(): path.read_bytes() if path.is_file() else None
        for path in sorted(folder.rglob("*"))
        if not path.name.endswith(passing)
    }


def process(root: Path, *arguments: str, env: dict[str, str] | None = None, **options: Any) -> Answer:
    """Call ``newsletter -C root …`` as a process of its own."""
    done = subprocess.run(
        [*NEWSLETTER, "-C", str(root), *arguments], capture_output=True, text=True, timeout=120, env=env, **options
    )
    return Answer(done.returncode, done.stdout, done.stderr)


def started(root: Path, *arguments: str) -> subprocess.Popen[str]:
    """Start ``newsletter -C root …`` and go on."""
    return subprocess.Popen(
        [*NEWSLETTER, "-C", str(root), *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONUNBUFFERED": "1"},
    )


def ended(process: subprocess.Popen[str]) -> Answer:
    out, err = process.communicate(timeout=120)
    return Answer(process.returncode, out, err)


def until(true: Callable[[], bool], seconds: float = 90.0) -> None:
    """Wait for something to become true."""
    deadline = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < deadline, "it never happened"
        time.sleep(0.005)


@contextlib.contextmanager
def mail_server(folder: Path, hold: int | None = None) -> Iterator[Sink]:
    """A real SMTP server on loopback that writes down each mail before it accepts it; ``hold``: see there."""
    port_file, log = folder / "port", folder / "sink.log"
    log.touch()
    server = Path(__file__).parents[1] / "e2e" / "recording_sink.py"
    arguments = [str(port_file), str(log), *([] if hold is None else [str(hold)])]
    process = subprocess.Popen([sys.executable, str(server), *arguments])
    try:
        until(port_file.exists)
        yield Sink(int(port_file.read_text()), log)
    finally:
        process.kill()
        process.wait()


@dataclass
class Sink:
    """A mail server and what it got."""

    port: int
    log: Path

    def go_on(self) -> None:
        """Let a sink that holds take mail again."""
        Path(f"{self.log}.go").touch()

    @property
    def got(self) -> Counter[str]:
        """How many mails each address has got."""
        return Counter(line.split("\t")[0] for line in self.log.read_text().splitlines())


def through_smtp(root: Path, port: int, *, rate: str = "0", connections: int = 2) -> None:
    """Make a workspace send through a mail server on loopback."""
    text = CONFIG.format(port=port, rate=rate, connections=connections)
    (root / "newsletter.toml").write_text(text, encoding="utf-8")


def status(root: Path, run: Run) -> Any:
    return run("-C", str(root), "status", ISSUE, "--json").json
