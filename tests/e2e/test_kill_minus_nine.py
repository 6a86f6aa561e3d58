"""kill -9 of a real sending process, again and again: nobody twice, nobody lost, the sum closes."""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

NEWSLETTER = [sys.executable, "-m", "newsletter"]
READERS = 6_000
KILLS = 50
CONNECTIONS = 2
WINDOW = 20

CONFIG = """
[publication]
name = "The Kill Test"
postal_address = "1 Breakwater, Saltford"

[sender]
name = "The Kill Test"
email = "news@killtest.test"

[site]
url = "https://killtest.test"

[images]
delivery = "hosted"

[provider]
name = "smtp"

[provider.smtp]
host = "127.0.0.1"
port = {port}
security = "none"
connections = {connections}
timeout = 10

[schedule]
preflight = false
"""

STORY = """---
headline: The tide tables were right after all
link: https://killtest.test/tide
---
The harbour office has checked every tide table since January and found no mistake in any of them.
"""


def run(workspace: Path, *arguments: str, check: bool = True) -> subprocess.CompletedProcess[str]:
    done = subprocess.run([*NEWSLETTER, "-C", str(workspace), *arguments], capture_output=True, text=True, timeout=240)
    if check:
        assert done.returncode == 0, f"{arguments}: {done.stdout}{done.stderr}"
    return done


@pytest.fixture
def sink(tmp_path: Path) -> Iterator[tuple[int, Path]]:
    port_file, log = tmp_path / "port", tmp_path / "sink.log"
    log.touch()
    here = Path(__file__).with_name("recording_sink.py")
    process = subprocess.Popen([sys.executable, str(here), str(port_file), str(log)])
    try:
        for _ in range(200):
            if port_file.exists():
                break
            time.sleep(0.05)
        yield int(port_file.read_text()), log
    finally:
        process.kill()
        process.wait()


def size_of(log: Path) -> int:
    return log.stat().st_size


def kill_somewhere(workspace: Path, log: Path, dice: random.Random, planned: bool) -> bool:
    """Start ``run-due`` and kill it; True when it was killed, False when it had finished by itself."""
    before = size_of(log)
    process = subprocess.Popen(
        [*NEWSLETTER, "-C", str(workspace), "run-due"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    if not planned or dice.random() < 0.2:
        # Some kills fall into start-up, planning and recovery …
        time.sleep(dice.uniform(0.2, 1.0))
    else:
        # … most into the sending itself.
        deadline = time.monotonic() + 20
        while size_of(log) == before and process.poll() is None and time.monotonic() < deadline:
            time.sleep(0.002)
        time.sleep(dice.uniform(0.0, 0.25))
    if process.poll() is not None:
        return False
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
    return True


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_fifty_kills_lose_nobody_and_reach_nobody_twice(tmp_path: Path, sink: tuple[int, Path]) -> None:
    """After 50 kills at random points each reader has at most one mail, and the ledger accounts for every one."""
    port, log = sink
    workspace = tmp_path / "weekly"
    subprocess.run([*NEWSLETTER, "init", str(workspace)], check=True)
    (workspace / "newsletter.toml").write_text(CONFIG.format(port=port, connections=CONNECTIONS))
    (tmp_path / "story.md").write_text(STORY)
    readers = tmp_path / "readers.csv"
    readers.write_text("email,first_name\n" + "".join(f"r{n}@readers.test,R{n}\n" for n in range(READERS)))
    run(workspace, "issue", "new", "2026-11-27")
    run(workspace, "article", "add", str(tmp_path / "story.md"), "--issue", "2026-11-27")
    run(workspace, "audience", "import", str(readers))
    run(workspace, "approve", "2026-11-27", "--send-at", "now")

    seed = int(os.environ.get("NEWSLETTER_TEST_SEED", random.SystemRandom().randrange(2**32)))
    print("seed", seed)
    dice = random.Random(seed)
    kills = 0
    for _ in range(KILLS * 2):
        if kills == KILLS:
            break
        if not kill_somewhere(workspace, log, dice, planned=size_of(log) > 0):
            break
        kills += 1

    for _ in range(5):
        run(workspace, "run-due", check=False)
        status = json.loads(run(workspace, "status", "2026-11-27", "--json").stdout)
        if status["state"] == "completed":
            break

    arrived = Counter(line.split("\t")[0] for line in log.read_text().splitlines())
    counts = status["counts"]
    print(f"{kills} kills, {len(arrived):,} mails at the sink, ledger {counts}")
    assert kills == KILLS, f"only {kills} kills fell into the run: more readers are needed"
    assert status["state"] == "completed"
    assert max(arrived.values()) == 1, "somebody got it twice"
    assert status["planned"] == READERS == sum(counts.values())
    uncertain = {
        row["address"]
        for row in json.loads(run(workspace, "reconcile", "2026-11-27", "--json", check=False).stdout)["uncertain"]
    }
    missing = {f"r{n}@readers.test" for n in range(READERS)} - set(arrived)
    assert missing <= uncertain, "somebody is lost and the ledger does not say so"
    assert len(uncertain) == counts.get("uncertain", 0) <= kills * CONNECTIONS * WINDOW
    assert counts["submitted"] + len(uncertain) == READERS
