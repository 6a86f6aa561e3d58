"""An import that is stopped, killed or out of disk leaves nothing behind; one that runs holds nobody up."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from newsletter.audience import importing
from newsletter.audience.applying import StagedRow
from newsletter.audience.importing import ImportReport
from newsletter.audience.rejects import Rejects
from newsletter.audience.subscribers import add, count
from newsletter.errors import CannotWrite
from newsletter.store.engine import Store, open_store
from newsletter.workspace.keys import Keys

Bring = Callable[..., ImportReport]

LINES = "email,first_name\n" + "".join(f"r{n}@example.org,Name {n}\nbad line {n},\n" for n in range(3000))

_IMPORT = """
import resource, sys
from pathlib import Path
from newsletter.audience.importing import import_csv
from newsletter.errors import NewsletterError
from newsletter.store.engine import open_store
from newsletter.workspace.keys import Keys
here = Path(sys.argv[1])
limit = int(sys.argv[2])
store = open_store(here / "newsletter.db")
if limit:
    resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))
print("go", flush=True)
try:
    import_csv(store, here / "readers.csv", attributes=["first_name"], rejects=here / "out" / "rejects.csv",
               keys=Keys("k", {}, b"h" * 32))
except NewsletterError as error:
    print(error)
    sys.exit(error.exit_code)
"""


@pytest.fixture
def place(tmp_path: Path) -> Path:
    (tmp_path / "readers.csv").write_text(LINES)
    open_store(tmp_path / "newsletter.db").close()
    return tmp_path


def readers(place: Path) -> int:
    with open_store(place / "newsletter.db") as store:
        return count(store)


@pytest.mark.parametrize("limit", [20_000, 100_000, 300_000])
def test_a_full_disk_imports_nothing_and_says_so(place: Path, limit: int) -> None:
    """The kernel refuses to let any file grow: the rejects, the stage or the database, whichever comes first."""
    command = [sys.executable, "-c", _IMPORT, str(place), str(limit)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60)
    assert done.returncode == 73, done.stdout + done.stderr
    assert "Fix:" in done.stdout
    assert readers(place) == 0
    assert not [path for path in place.rglob("*") if "rejects" in path.name]


def test_kill_minus_nine_leaves_all_or_nothing(place: Path) -> None:
    """At whatever moment; and the next import is none the worse for it."""
    command = [sys.executable, "-c", _IMPORT, str(place), "0"]
    for delay in (0.02, 0.1, 0.2, 0.3, 0.5):
        process = subprocess.Popen(command, stdout=subprocess.PIPE)
        assert process.stdout is not None
        process.stdout.readline()
        time.sleep(delay)
        process.kill()
        process.communicate()
        assert readers(place) in (0, 3000)
    assert subprocess.run(command, capture_output=True).returncode == 0
    assert readers(place) == 3000


def test_ctrl_c_in_the_middle_of_the_transaction_leaves_nothing(
    store: Store, bring: Bring, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A real SIGINT after the first batch was applied."""
    monkeypatch.setattr(importing, "BATCH", 100)
    staged = importing._staged

    def interrupted(stage: object) -> Iterator[list[StagedRow]]:
        for number, batch in enumerate(staged(stage)):  # type: ignore[arg-type]  # handed through
            if number == 2:
                os.kill(os.getpid(), signal.SIGINT)
            yield batch

    monkeypatch.setattr(importing, "_staged", interrupted)
    with pytest.raises(KeyboardInterrupt):
        bring(LINES)
    assert count(store) == 0
    assert {path.name for path in tmp_path.iterdir()} == {"readers.csv", "state"}


def test_reading_the_file_does_not_lock_the_database(store: Store, bring: Bring, keys: Keys) -> None:
    """A mailing that is under way goes on writing its ledger; the lock is only taken to apply what was read."""
    told = []

    def meanwhile(done: int, total: int) -> None:
        if done < total:
            told.append(add(store, f"other{len(told)}@example.com", {}, "form", keys))

    report = bring(LINES, progress=meanwhile)
    assert told
    assert (report.added, report.rejected) == (3000, 3000)
    assert count(store) == 3000 + len(told)


def test_rejects_that_cannot_be_written_stop_the_import(store: Store, bring: Bring, tmp_path: Path) -> None:
    """Without the list of refused lines they would be lost silently."""
    (tmp_path / "file").touch()
    with pytest.raises(CannotWrite):
        bring(LINES, rejects=tmp_path / "file" / "rejects.csv")
    (tmp_path / "folder").mkdir()
    with pytest.raises(CannotWrite):
        bring(LINES, rejects=tmp_path / "folder")
    with pytest.raises(CannotWrite):
        bring("email\na@example.org\n", rejects=tmp_path / "folder")
    assert count(store) == 0
    assert not list((tmp_path / "folder").iterdir())
    assert not list(tmp_path.glob(".*.tmp"))


def test_a_stage_that_cannot_be_made_or_read_is_cannot_write(tmp_path: Path) -> None:
    """The folder is gone; the file was opened for writing only; the disk is full."""
    with pytest.raises(CannotWrite):
        importing._staging(tmp_path / "nowhere")
    with (tmp_path / "stage").open("wb") as stage, pytest.raises(CannotWrite):
        list(importing._staged(stage))
    full = Path("/dev/full").open("wb")  # noqa: SIM115  # closing it fails as well
    with pytest.raises(CannotWrite, match="No space"):
        importing._stage(iter([StagedRow("a@b.co", "a@b.co", "", {"city": "x" * 20_000}, 1)]), full)
    with contextlib.suppress(OSError):
        full.close()


def test_rejects_are_closed_when_the_import_fails(tmp_path: Path) -> None:
    """Nothing but the file that stood there before."""
    path = tmp_path / "rejects.csv"
    path.write_text("of last week")
    with pytest.raises(RuntimeError), Rejects(path, ["email"]) as refused:
        refused.add(2, "no", ["x"])
        raise RuntimeError
    assert path.read_text() == "of last week"
    assert [p.name for p in tmp_path.iterdir()] == ["rejects.csv"]
