"""Real processes that run at the same time or lose their disk: nobody twice, nobody lost, the sum closes.

Those that are killed are in ``tests/faults``.
"""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

from newsletter.delivery import ledger

SCRIPT = Path(__file__).with_name("sending_process.py")


def start(bench, log: Path, slow: float = 0.0) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, str(SCRIPT), str(bench.ws.root), str(log), str(slow)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONUNBUFFERED": "1"},
    )


def accepted(log: Path) -> list[str]:
    """What the mail server took: whole lines only, as appended."""
    return [line.split()[0] for line in log.read_text().splitlines()] if log.exists() else []


def due(bench) -> None:
    bench.clock.us = time.time_ns() // 1000
    bench.scheduled()


def test_two_senders_at_once_send_once(bench, tmp_path: Path) -> None:
    """One has the lock; the other, started in the middle of it, finds nothing to do and says nothing."""
    bench.readers(200)
    due(bench)
    log = tmp_path / "accepted"
    first = start(bench, log, slow=0.06)
    while not accepted(log):
        assert first.poll() is None, first.communicate()
        time.sleep(0.01)
    second = start(bench, log)
    said, complaint = second.communicate(timeout=60)
    overlapped = first.poll() is None
    assert (first.communicate(timeout=60)[0].strip(), first.returncode) == ("completed", 0)
    assert (second.returncode, complaint) == (0, "")
    assert said.strip() == "nothing" or not overlapped
    assert Counter(accepted(log)).most_common(1)[0][1] == 1
    assert len(accepted(log)) == 200
    assert bench.states() == {"submitted": 200}


def test_a_disk_that_fills_up_in_mid_sending_leaves_a_sound_ledger(bench, tmp_path: Path) -> None:
    """With a limit on file sizes the database cannot grow: an error of ours, and afterwards the sum closes."""
    bench.readers(400)
    due(bench)
    log = tmp_path / "accepted"
    limit = bench.ws.database.stat().st_size + 60_000
    code = (
        "import resource, signal, runpy, sys; signal.signal(signal.SIGXFSZ, signal.SIG_IGN);"
        f"resource.setrlimit(resource.RLIMIT_FSIZE, ({limit}, {limit}));"
        f"sys.argv = ['x', {str(bench.ws.root)!r}, {str(log)!r}];"
        f"runpy.run_path({str(SCRIPT)!r}, run_name='__main__')"
    )
    full = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60)
    assert full.returncode != 0
    assert "CannotWrite" in full.stderr, full.stderr[-2000:]
    process = start(bench, log)
    out, err = process.communicate(timeout=60)
    assert (process.returncode, out.strip()) == (0, "completed"), err
    assert Counter(accepted(log)).most_common(1)[0][1] == 1
    with bench.store.read() as conn:
        tally = ledger.counts(conn, bench.mailing().id)
    assert ledger.closes(tally, 400)
    assert len(accepted(log)) >= 400 - tally.get("uncertain", 0)
