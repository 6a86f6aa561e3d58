"""``run-due`` with a recurring rule, killed at every commit that it makes: the occurrence counts once all the same."""

from __future__ import annotations

import os
import shutil
from collections import Counter
from datetime import UTC, datetime
from email import message_from_bytes, policy
from pathlib import Path
from types import SimpleNamespace

import pytest
from sqlalchemy import event

from newsletter.app.approve import approve_issue
from newsletter.app.desk import open_desk
from newsletter.app.send import run_due
from newsletter.audience import subscribers
from newsletter.delivery import ledger, mailings
from newsletter.workspace.create import create_demo

ISSUE = "2026-11-27"
READERS = ("ada@readers.test", "bo@readers.test", "cy@readers.test")
MOST = 40


@pytest.fixture(scope="module")
def waiting(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An issue of Friday, approved on Thursday without a time, and a rule for Fridays."""
    root = create_demo(tmp_path_factory.mktemp("killed") / "ws").root
    file = root / "newsletter.toml"
    file.write_text(f'{file.read_text()}\n[schedule]\nevery = "Fri 07:00"\n')
    with pytest.MonkeyPatch.context() as patch, open_desk(root) as desk:
        show(patch, "2026-11-26 12:00")
        for address in READERS:
            subscribers.add(desk.store, address, {}, "test", desk.keys)
        approve_issue(desk, ISSUE, send_at=None)
    return root


def show(patch: pytest.MonkeyPatch, moment: str) -> None:
    """What the program's clock shows, children included."""
    us = int(datetime.fromisoformat(moment).replace(tzinfo=UTC).timestamp() * 1_000_000)
    patch.setattr("newsletter.store.clock.time", SimpleNamespace(time_ns=lambda: us * 1_000))


def die(root: Path, point: int) -> int:
    """Run it in a process that is gone just before its ``point``-th commit; its exit code."""
    child = os.fork()
    if child == 0:
        code = 1
        try:
            with open_desk(root) as desk:
                commits = Counter[str]()

                @event.listens_for(desk.store.engine, "commit")
                def _commit(_conn: object) -> None:
                    commits["made"] += 1
                    if commits["made"] == point:
                        os._exit(9)

                code = 0 if run_due(desk).error is None else 2
        finally:
            os._exit(code)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


def test_an_occurrence_counts_once_wherever_the_process_dies(
    waiting: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One mailing, one mail for each reader, a sum that closes; from the first commit of a run to its last."""
    show(monkeypatch, "2026-11-27 07:00")
    for point in range(1, MOST):
        root = Path(shutil.copytree(waiting, tmp_path / f"at-{point}"))
        code = die(root, point)
        assert code in (0, 9), point
        with open_desk(root) as desk:
            assert run_due(desk).error is None
            run_due(desk)
            mailing = mailings.live(desk.store, ISSUE)
            assert mailing is not None and mailing.state == "completed", point
            with desk.store.read() as conn:
                assert ledger.closes(ledger.counts(conn, mailing.id), len(READERS)), point
                assert conn.exec_driver_sql("select count(*) from mailing").scalar() == 1, point
        new = (root / ".newsletter" / "outbox" / "new").iterdir()
        got = Counter(message_from_bytes(mail.read_bytes(), policy=policy.default)["To"] for mail in new)
        assert sorted(got) == sorted(READERS) and set(got.values()) == {1}, point
        if code == 0:
            break
    assert code == 0, "the last point lies beyond the last commit"
    assert point > 6
