"""A disk that is full, for real, at every point of the work; a limit on files; a workspace that may not be written.

Each test leaves less and then more and more room, so that the disk fills up at a different point each time, and
looks after every failure: what was there is there, nothing is half there, and with room the same command succeeds.
"""

from __future__ import annotations

import ctypes
import errno
import os
import resource
import shutil
import sqlite3
import stat
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from email import policy
from email.parser import BytesParser
from pathlib import Path

import pytest
from badinput_kit import (
    ISSUE,
    LEAD,
    Answer,
    Run,
    make_readers,
    process,
    refused,
    status,
    tree,
    write_story,
)

KB = 1024
MS_REMOUNT, MS_RDONLY, MNT_DETACH = 32, 1, 2


@dataclass
class Disk:
    """A small file system of its own."""

    root: Path

    @property
    def ballast(self) -> Path:
        return self.root / "ballast"

    def leave(self, room: int) -> None:
        """Fill the disk up to ``room`` bytes."""
        self.free()
        with self.ballast.open("wb", buffering=0) as file:
            block = bytes(64 * KB)
            try:
                while True:
                    file.write(block)
            except OSError as error:
                assert error.errno == errno.ENOSPC
                block = bytes(4 * KB)
            try:
                while True:
                    file.write(block)
            except OSError as error:
                assert error.errno == errno.ENOSPC
            file.truncate(max(0, file.tell() - room))

    def free(self) -> None:
        self.ballast.unlink(missing_ok=True)


def libc() -> ctypes.CDLL:
    return ctypes.CDLL(None, use_errno=True)


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Disk]:
    """A tmpfs of 24 MB, where this account may mount one; the tests with a limit on files run everywhere."""
    root = tmp_path / "disk"
    root.mkdir()
    if libc().mount(b"tmpfs", str(root).encode(), b"tmpfs", 0, b"size=24m") != 0:
        pytest.skip(f"cannot mount a small disk: {os.strerror(ctypes.get_errno())}")
    try:
        yield Disk(root)
    finally:
        libc().umount2(str(root).encode(), MNT_DETACH)


@pytest.fixture
def small(disk: Disk, model_with_issue: Path) -> Path:
    """A workspace with an issue, on the small disk."""
    return Path(shutil.copytree(model_with_issue, disk.root / "weekly"))


def ever_more_room(disk: Disk, work: Callable[[], Answer], kept: Callable[[], object], *, step: int = 24 * KB) -> int:
    """Do ``work`` with more and more room until it succeeds; how often the disk was full. ``kept`` never changes."""
    before = kept()
    for failures in range(60):
        disk.leave(failures * step)
        answer = work()
        if answer.code == 0:
            return failures
        assert answer.code == 73, f"with {failures * step} bytes: {answer.code}\n{answer.out}{answer.err}"
        refused(answer, "")
        disk.free()
        assert kept() == before, f"with {failures * step} bytes of room"
    raise AssertionError("it never succeeded")


def debris(root: Path) -> list[str]:
    """Temporary files that somebody left."""
    return [str(path.relative_to(root)) for path in root.rglob("*") if ".tmp" in path.name or ".making" in path.name]


def test_build_on_a_full_disk(disk: Disk, small: Path, run: Run) -> None:
    """Exit 73; each file of a build is whole or the former one, and the issue is not touched."""
    folder = small / "issues" / ISSUE
    run("-C", str(small), "build", ISSUE)
    built = small / ".newsletter" / "build" / ISSUE
    whole = tree(built)
    story = folder / f"{LEAD}.md"
    story.write_text(story.read_text(encoding="utf-8").replace("byline: Ada Reyes", "byline: Bo Reyes"))
    for name in whole:
        (built / name).exists()

    failures = ever_more_room(
        disk, lambda: run("-C", str(small), "build", ISSUE, code=None), lambda: tree(folder), step=4 * KB
    )
    assert failures > 0
    assert debris(small) == []
    for name, data in tree(built).items():
        assert data, f"{name} is empty"


def test_adding_a_story_on_a_full_disk(disk: Disk, small: Path, run: Run, tmp_path: Path) -> None:
    """Exit 73; the inbox is as it was, then the story comes in once."""
    story = write_story(tmp_path, "gulls", "The gulls are early")
    story.write_text(story.read_text() + "A sentence about gulls. " * 4_000)

    def inbox() -> list[str]:
        return [row["slug"] for row in run("-C", str(small), "article", "list", "--json").json["articles"]]

    failures = ever_more_room(disk, lambda: run("-C", str(small), "article", "add", str(story), code=None), inbox)
    assert failures > 0
    assert inbox()[0] == "the-gulls-are-early"
    assert len(inbox()) == 3


def test_picking_on_a_full_disk(disk: Disk, small: Path, run: Run, tmp_path: Path) -> None:
    """Exit 73; issue.md never names a story whose file is not there."""
    folder = small / "issues" / ISSUE
    run("-C", str(small), "article", "add", str(write_story(tmp_path, "gulls", "The gulls are early")))

    def readable() -> tuple[list[str], bytes]:
        shown = run("-C", str(small), "issue", "show", ISSUE, "--json").json
        return [slug for s in shown["sections"] for slug in s["articles"]], (folder / "issue.md").read_bytes()

    pick = ("-C", str(small), "issue", "pick", ISSUE, "the-gulls-are-early")
    failures = ever_more_room(disk, lambda: run(*pick, code=None), readable, step=4 * KB)
    assert failures > 0
    assert "the-gulls-are-early" in readable()[0]
    assert debris(small) == []


def test_importing_on_a_full_disk(disk: Disk, small: Path, run: Run, tmp_path: Path) -> None:
    """Exit 73; not one reader of the file is in, no list of rejects is left, then all are."""
    path = disk.root / "readers.csv"
    path.write_text(
        "email,first_name\n" + "".join(f"r{n}@readers.test,Reader {n}\n" for n in range(4_000)) + "no address,X\n" * 500
    )

    def state() -> tuple[int, bool]:
        listed = run("-C", str(small), "audience", "list", "--json").json
        return listed["total"], (disk.root / "readers.rejected.csv").exists()

    work = ("-C", str(small), "audience", "import", str(path))
    failures = ever_more_room(disk, lambda: run(*work, code=None), state, step=512 * KB)
    assert failures > 1
    assert state() == (4_000, True)
    assert debris(disk.root) == []


def test_approving_on_a_full_disk(disk: Disk, small: Path, run: Run) -> None:
    """Exit 73; nothing is frozen and nothing scheduled, at whichever point it fails; then both are."""
    folder = small / "issues" / ISSUE

    def state() -> object:
        assert run("-C", str(small), "status", "--json").json["issues"] == []
        return tree(folder)

    work = ("-C", str(small), "approve", ISSUE, "--send-at", "now")
    failures = ever_more_room(disk, lambda: run(*work, code=None), state, step=4 * KB)
    assert failures > 0
    assert status(small, run)["state"] == "scheduled"
    assert debris(small) == []


def mails(outbox: Path) -> list[str]:
    """The receivers of the mails in an outbox; each mail has to be whole."""
    found = []
    for file in (outbox / "new").iterdir() if (outbox / "new").is_dir() else []:
        message = BytesParser(policy=policy.default).parsebytes(file.read_bytes())
        assert file.read_bytes().rstrip().endswith(b"--"), f"{file.name} is cut off"
        found.append(str(message["To"]))
    return sorted(found)


def retries_are_due(database: Path) -> None:
    """Time passes: what was put off may be tried again."""
    with sqlite3.connect(database) as raw:
        raw.execute("update delivery set next_try_at = 1 where state = 'retry_wait'")
    raw.close()


@pytest.mark.slow
def test_sending_on_a_full_disk_reaches_everybody_once_when_there_is_room_again(
    disk: Disk, small: Path, run: Run
) -> None:
    """Ledger and outbox share the disk: 73 or an open sum, and in the end one whole mail for each reader."""
    make_readers(small, 60, run)
    run("-C", str(small), "approve", ISSUE, "--send-at", "now")
    database = small / ".newsletter" / "newsletter.db"
    codes = []
    for room in range(0, 40 * 64 * KB, 64 * KB):
        disk.leave(room)
        answer = run("-C", str(small), "run-due", code=None)
        codes.append(answer.code)
        assert answer.code in {0, 73}, f"{answer.code}\n{answer.out}{answer.err}"
        disk.free()
        found = mails(small / ".newsletter" / "outbox")
        assert len(found) == len(set(found))
        now = status(small, run)
        assert not now["counts"] or sum(now["counts"].values()) == 60
        if now["state"] == "completed":
            break
        retries_are_due(database)
    assert 73 in codes
    assert status(small, run)["counts"] == {"submitted": 60}
    assert len(set(mails(small / ".newsletter" / "outbox"))) == 60
    assert list((small / ".newsletter" / "outbox" / "tmp").iterdir()) == []


def test_a_full_outbox_on_a_disk_of_its_own_puts_mails_off(disk: Disk, folder: Path, run: Run, tmp_path: Path) -> None:
    """The ledger can write down what happened: everybody waits for the next try, nobody is uncertain."""
    root = folder.parents[1]
    config = root / "newsletter.toml"
    config.write_text(f'{config.read_text()}\n[provider.outbox]\npath = "{disk.root / "outbox"}"\n')
    make_readers(root, 20, run)
    run("approve", ISSUE, "--send-at", "now")
    disk.leave(64 * KB)
    run("run-due")
    counts = status(root, run)["counts"]
    assert counts["retry_wait"] > 0
    assert set(counts) <= {"retry_wait", "submitted", "pending"}
    disk.free()
    retries_are_due(root / ".newsletter" / "newsletter.db")
    run("run-due")
    assert status(root, run)["counts"] == {"submitted": 20}
    assert len(set(mails(disk.root / "outbox"))) == 20


@pytest.mark.parametrize(
    "command",
    [
        ("build", ISSUE),
        ("audience", "import", "{csv}"),
        ("article", "add", "{story}"),
        ("approve", ISSUE, "--send-at", "now"),
    ],
    ids=lambda command: command[0],
)
def test_a_limit_on_the_size_of_files_is_a_full_disk(
    run: Run, folder: Path, tmp_path: Path, command: tuple[str, ...]
) -> None:
    """Where no disk can be mounted the kernel refuses to let files grow: 73 as well, and nothing is lost."""
    root = folder.parents[1]
    story = write_story(tmp_path, "gulls", "The gulls are early")
    story.write_text(story.read_text() + "A sentence about gulls. " * 8_000)
    (tmp_path / "many.csv").write_text("email\n" + "".join(f"r{n}@readers.test\n" for n in range(3_000)))
    before = tree(folder)
    arguments = [word.format(csv=tmp_path / "many.csv", story=story) for word in command]
    answer = process(root, *arguments, preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (6 * KB, 6 * KB)))
    assert answer.code == 73, answer.out + answer.err
    refused(answer, "")
    assert tree(folder) == before
    assert debris(root) == []
    assert run("audience", "list", "--json").json["total"] == 0
    assert len(run("article", "list", "--json").json["articles"]) == 2
    run(*arguments)


WRITING = (
    ("issue", "new", "2026-12-04"),
    ("issue", "drop", ISSUE, LEAD),
    ("article", "add", "{story}"),
    ("build", ISSUE),
    ("audience", "add", "bo@readers.test"),
    ("audience", "import", "{csv}"),
    ("approve", ISSUE, "--send-at", "now"),
    ("test", ISSUE, "--to", "me@readers.test"),
)


def test_a_read_only_disk_is_said_to_be_and_nothing_changes(disk: Disk, small: Path, run: Run, tmp_path: Path) -> None:
    """Everything that writes: exit 73 with the file; what only reads still works as far as SQLite lets it."""
    story, csv = write_story(tmp_path, "gulls", "The gulls are early"), tmp_path / "r.csv"
    csv.write_text("email\nbo@readers.test\n")
    before = tree(small)
    assert libc().mount(None, str(disk.root).encode(), None, MS_REMOUNT | MS_RDONLY, None) == 0
    try:
        for command in WRITING:
            arguments = [word.format(story=story, csv=csv) for word in command]
            answer = run("-C", str(small), *arguments, code=None)
            assert answer.code == 73, f"{command}: {answer.code}\n{answer.out}{answer.err}"
            refused(answer, "")
        run("-C", str(small), "issue", "show", ISSUE, code=None)
        assert tree(small) == before
    finally:
        libc().mount(None, str(disk.root).encode(), None, MS_REMOUNT, None)
    run("-C", str(small), "build", ISSUE)


def without_privilege() -> None:
    """Root without the right to pass over permissions (prctl PR_CAPBSET_DROP, CAP_DAC_OVERRIDE); others have none."""
    libc().prctl(24, 1, 0, 0, 0)


@pytest.mark.slow
def test_a_workspace_that_this_account_may_not_write_is_said_to_be(run: Run, folder: Path, tmp_path: Path) -> None:
    """Folders and files without the right to write: exit 73 with the file and a cure, and nothing changes."""
    root = folder.parents[1]
    run("audience", "add", "ada@readers.test")
    story, csv = write_story(tmp_path, "gulls", "The gulls are early"), tmp_path / "r.csv"
    csv.write_text("email\nbo@readers.test\n")
    before = tree(root)
    modes = {path: stat.S_IMODE(path.stat().st_mode) for path in (root, *root.rglob("*"))}
    for path, mode in modes.items():
        path.chmod(mode & ~0o222)
    try:
        for command in WRITING[1::2]:
            arguments = [word.format(story=story, csv=csv) for word in command]
            answer = process(root, *arguments, preexec_fn=without_privilege)
            assert answer.code == 73, f"{command}: {answer.code}\n{answer.out}{answer.err}"
            refused(answer, "")
    finally:
        for path, mode in modes.items():
            if path.exists():
                path.chmod(mode)
    assert tree(root) == before
    run("build", ISSUE)
