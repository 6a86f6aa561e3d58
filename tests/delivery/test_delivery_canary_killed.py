"""Real processes: killed while a canary goes or waits, and two at a time. Nobody twice, nobody early, nobody lost."""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from newsletter.delivery import canary
from newsletter.delivery.events import apply_events
from newsletter.delivery.ports import Event
from newsletter.workspace.files import file_lock

SCRIPT = Path(__file__).with_name("sending_process.py")
SLUG = "2026-11-27"
READERS = 400
CANARY = 200
WAIT = 5.0


def start(bench: Any, log: Path, *arguments: str, **schedule: object) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, str(SCRIPT), str(bench.ws.root), str(log), *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "SCHEDULE": json.dumps(schedule)},
    )


def ended(process: subprocess.Popen[str]) -> str:
    out, err = process.communicate(timeout=60)
    assert process.returncode == 0, err
    return out.strip()


def accepted(log: Path) -> list[str]:
    return [line.split()[0] for line in log.read_text().splitlines()] if log.exists() else []


def bird(bench: Any) -> canary.Canary | None:
    with bench.store.read() as conn:
        return canary.read(conn, bench.mailing().id)


def tell_delivered(bench: Any) -> None:
    keys = [str(key) for (key,) in bench.rows("select public_id from delivery where state = 'submitted'")]
    now = time.time_ns() // 1000
    apply_events(
        bench.store, [Event(key, "delivered", now) for key in keys], provider="scripted", keys=bench.keys, now=now
    )


@pytest.fixture
def due(bench):
    bench.readers(READERS)
    bench.clock.us = time.time_ns() // 1000
    bench.scheduled()


@pytest.mark.slow
def test_kill_9_in_the_canary_and_in_its_waiting_time(bench, due, tmp_path: Path) -> None:
    """Killed four times while it goes and once while ``send`` waits: only the canary had it, and it goes on."""
    log = tmp_path / "accepted"
    settings = {"canary": CANARY, "canary_wait": f"{WAIT:g}s"}
    killed = 0
    while killed < 4:
        process = start(bench, log, "0.004", SLUG, **settings)
        target = len(accepted(log)) + random.Random(killed).randrange(6)
        while process.poll() is None and len(accepted(log)) <= target:
            time.sleep(0.002)
        assert process.poll() is None, process.communicate()
        process.kill()
        killed += process.wait() == -signal.SIGKILL
        process.communicate()
    process = start(bench, log, "0", SLUG, **settings)
    while (state := bird(bench)) is None or state.state != "waiting":
        assert process.poll() is None, process.communicate()
        time.sleep(0.01)
    until = state.until or 0
    time.sleep(0.3)
    assert process.poll() is None, "send waits"
    with file_lock(bench.ws.locks / f"mailing-{bench.mailing().public_id}.lock"):
        pass  # and holds no lock meanwhile
    process.kill()
    process.communicate()
    got = set(accepted(log))
    assert len(got) <= CANARY
    chosen = {
        str(address)
        for (address,) in bench.rows("select d.address from canary_reader r join delivery d on d.id = r.delivery_id")
    }
    assert got <= chosen, "whatever was killed when, only the canary had it"
    assert len(chosen) == CANARY, "and it is the same canary"
    tell_delivered(bench)
    both = [start(bench, log, "0", **settings) for _ in range(2)]
    said = [ended(one) for one in both]
    if time.time_ns() // 1000 < until:  # else this machine is too slow to have been early
        assert said == ["nothing", "nothing"]
        assert set(accepted(log)) == got
        assert bird(bench) == state
    time.sleep(max(0.0, (until - time.time_ns() // 1000) / 1e6) + 0.01)
    # Two at once when its time has come: one of them has the lock.
    both = [start(bench, log, "0", **settings) for _ in range(2)]
    said += [ended(one) for one in both]
    assert said.count("completed") == 1
    times = Counter(accepted(log))
    assert times.most_common(1)[0][1] == 1, "nobody twice"
    tally = bench.states()
    assert sum(tally.values()) == READERS
    assert set(tally) <= {"submitted", "uncertain"}
    assert tally.get("uncertain", 0) <= killed * 20
    assert READERS - tally.get("uncertain", 0) <= len(times) <= READERS


@pytest.mark.slow
def test_two_processes_and_kills_never_pass_the_warm_up(bench, due, tmp_path: Path) -> None:
    """A day of ninety: two at a time, killed at random, again and again; ninety at most, and each once."""
    log = tmp_path / "accepted"
    for attempt in range(6):
        both = [start(bench, log, "0.002", warm_up=[90, 200]) for _ in range(2)]
        target = len(accepted(log)) + random.Random(attempt).randrange(8, 20)
        deadline = time.monotonic() + 20
        while any(one.poll() is None for one in both) and len(accepted(log)) <= target and time.monotonic() < deadline:
            time.sleep(0.002)
        for one in both:
            one.kill()
            one.communicate()
    assert len(accepted(log)) > 20
    ended(start(bench, log, "0", warm_up=[90, 200]))
    times = Counter(accepted(log))
    assert len(times) <= 90
    assert times.most_common(1)[0][1] == 1
    (mails,) = bench.rows("select sum(mails) from warm_up")
    assert len(times) <= int(str(mails[0])) <= 90
    assert bench.mailing().state == "sending"
    assert sum(bench.states().values()) == READERS
