"""A reader who leaves while the mailing is on its way: three real processes, one database."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from newsletter.delivery import ledger
from newsletter.message.links import make_token
from tests.public.kit import serve

SCRIPT = Path(__file__).with_name("sending_process.py")
READERS = 900


@pytest.mark.slow
def test_unsubscribing_counts_from_the_next_claim_on_in_the_middle_of_a_mailing(bench, tmp_path: Path) -> None:
    """Whoever is told so before their row was claimed never gets it; the sum closes; everybody is told at once."""
    bench.readers(READERS)
    bench.clock.us = time.time_ns() // 1000
    bench.scheduled()
    keys = bench.keys
    public_ids = dict(bench.rows("select address, public_id from subscriber"))
    log = tmp_path / "accepted"
    early: list[str] = []
    statuses: list[int] = []
    with serve(bench.ws.root) as site:
        sending = subprocess.Popen(
            [sys.executable, str(SCRIPT), str(bench.ws.root), str(log), "0.02"],
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env={**os.environ, "PYTHONUNBUFFERED": "1"},
        )  # fmt: skip
        deadline = time.monotonic() + 60
        while not log.exists() and time.monotonic() < deadline:
            time.sleep(0.01)

        def leave(part: int) -> None:
            # From the end of the list, where the sender comes last.
            for number in range(READERS - 1 - part, READERS - 301, -4):
                address = f"reader{number}@mail.test"
                token = make_token("unsubscribe", str(public_ids[address]), keys)
                statuses.append(site.one_click(f"/u/{token}").status)
                ((state,),) = bench.rows(f"select state from delivery where address = '{address}'")
                if state == "pending":
                    early.append(address)

        threads = [threading.Thread(target=leave, args=(part,)) for part in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(120)
        out, err = sending.communicate(timeout=120)
        assert out.strip() == "completed", err
    assert set(statuses) == {200}
    assert len(early) > 100, "the sender was too quick for this test to mean anything"
    got = {line.split()[0] for line in log.read_text().splitlines()}
    assert not got & set(early)
    excluded = {str(address) for (address,) in bench.rows("select address from delivery where reason = 'unsubscribed'")}
    assert set(early) <= excluded
    with bench.store.read() as conn:
        tally = ledger.counts(conn, bench.mailing().id)
    assert ledger.closes(tally, READERS)
    assert set(tally) == {"submitted", "excluded"}
    assert bench.rows("select count(*) from consent where source = 'one-click'") == [(300,)]
