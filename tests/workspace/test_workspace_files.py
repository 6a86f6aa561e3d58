"""Files, folders, locks, slugs and keys of a workspace."""

from __future__ import annotations

import errno
import json
import os
import stat
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from newsletter.errors import BadData, Busy, CannotWrite, ConfigurationError
from newsletter.workspace.files import file_lock, make_folder, sha256_hex, write_atomic
from newsletter.workspace.keys import create_keys, ensure_keys, load_keys
from newsletter.workspace.paths import Workspace, find_workspace
from newsletter.workspace.slugs import MAX_SLUG, RESERVED, check_slug, slugify


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


# -- writing


def test_a_write_is_whole_or_not_at_all(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """When the disk fills up at the last moment, the old file stands and no temporary file stays."""
    path = tmp_path / "a.txt"
    write_atomic(path, "old\r\n")
    assert path.read_bytes() == b"old\r\n"

    def full(descriptor: int) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(CannotWrite) as caught:
        write_atomic(path, "new")
    assert (caught.value.where, caught.value.exit_code) == (str(path), 73)
    assert "make room" in (caught.value.fix or "")
    assert path.read_bytes() == b"old\r\n"
    assert [p.name for p in tmp_path.iterdir()] == ["a.txt"]


def test_ctrl_c_in_a_write_leaves_the_old_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An interrupt is no excuse for half a file."""
    path = tmp_path / "a.txt"
    write_atomic(path, "old")

    def interrupted(descriptor: int) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(os, "fsync", interrupted)
    with pytest.raises(KeyboardInterrupt):
        write_atomic(path, "new")
    assert path.read_text() == "old"
    assert [p.name for p in tmp_path.iterdir()] == ["a.txt"]


def test_file_and_folder_reach_the_disk_before_the_write_is_done(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """fsync of the file comes before the rename, fsync of the folder after it."""
    done: list[str] = []
    real_sync, real_rename = os.fsync, Path.rename

    def sync(descriptor: int) -> None:
        done.append("folder" if stat.S_ISDIR(os.fstat(descriptor).st_mode) else "file")
        real_sync(descriptor)

    def rename(self: Path, target: Path) -> Path:
        done.append("rename")
        return real_rename(self, target)

    monkeypatch.setattr(os, "fsync", sync)
    monkeypatch.setattr(Path, "rename", rename)
    write_atomic(tmp_path / "a", b"x")
    assert done == ["file", "rename", "folder"]


def test_permissions_stay_and_secrets_are_closed(tmp_path: Path) -> None:
    """A file that exists keeps its mode; 0600 is 0600 from the first byte."""
    path = tmp_path / "deep" / "a"
    write_atomic(path, "x")
    path.chmod(0o660)
    write_atomic(path, "y")
    assert mode(path) == 0o660
    write_atomic(path, "z", 0o600)
    assert mode(path) == 0o600


@pytest.mark.parametrize("act", [lambda p: write_atomic(p / "a" / "b", "x"), lambda p: make_folder(p / "a" / "b")])
def test_what_cannot_be_written_says_why(tmp_path: Path, act: Any) -> None:
    """A file where a folder should be."""
    (tmp_path / "a").write_text("")
    with pytest.raises(CannotWrite) as caught:
        act(tmp_path)
    assert caught.value.fix
    with pytest.raises(CannotWrite), file_lock(tmp_path / "a" / "lock"):
        pass
    (tmp_path / "folder").mkdir()
    with pytest.raises(CannotWrite), file_lock(tmp_path / "folder"):
        pass


def test_sha256_is_hex() -> None:
    """The value that conflicts are found by."""
    assert sha256_hex(b"") == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"


# -- locks


def test_a_lock_is_held_by_one(tmp_path: Path) -> None:
    """Also against the same process; free again afterwards, also after an error."""
    path = tmp_path / "locks" / "a.lock"
    with file_lock(path):
        started = time.monotonic()
        with pytest.raises(Busy) as caught, file_lock(path):
            pass
        with pytest.raises(Busy), file_lock(path, timeout=0.05):
            pass
        assert 0.05 <= time.monotonic() - started < 5
    assert caught.value.exit_code == 75
    with pytest.raises(RuntimeError), file_lock(path):
        raise RuntimeError
    with file_lock(path):
        pass


def test_a_killed_process_frees_its_lock(tmp_path: Path) -> None:
    """The kernel does, so there are no stale locks to clear; who waits gets it."""
    path = tmp_path / "a.lock"
    code = (
        "import sys, time; from pathlib import Path; from newsletter.workspace.files import file_lock\n"
        "with file_lock(Path(sys.argv[1])):\n    print('held', flush=True); time.sleep(60)"
    )
    holder = subprocess.Popen([sys.executable, "-c", code, str(path)], stdout=subprocess.PIPE, text=True)
    try:
        assert holder.stdout is not None
        assert holder.stdout.readline() == "held\n"
        with pytest.raises(Busy), file_lock(path):
            pass
    finally:
        holder.kill()
        holder.wait()
        assert holder.stdout is not None
        holder.stdout.close()
    with file_lock(path, timeout=5):
        pass


# -- places


def test_the_workspace_is_the_nearest_folder_upwards(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """From any folder inside it, without HOME and whatever the current folder."""
    (tmp_path / "newsletter.toml").write_text("")
    inner = tmp_path / "inner"
    (inner / "issues" / "x").mkdir(parents=True)
    assert find_workspace(inner / "issues").root == tmp_path
    (inner / "newsletter.toml").write_text("")
    assert find_workspace(inner / "issues" / "x").root == inner
    monkeypatch.chdir(inner / "issues")
    assert find_workspace().root == inner


def test_no_workspace_says_how_to_start(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A folder that holds none, and a current folder that was deleted."""
    with pytest.raises(ConfigurationError, match="newsletter init") as caught:
        find_workspace(tmp_path)
    assert caught.value.exit_code == 78
    gone = tmp_path / "gone"
    gone.mkdir()
    monkeypatch.chdir(gone)
    gone.rmdir()
    with pytest.raises(ConfigurationError, match="newsletter init"):
        find_workspace()


def test_every_path_is_inside_the_workspace(tmp_path: Path) -> None:
    """Names from outside become slugs first."""
    ws = Workspace(tmp_path)
    ws.ensure_state()
    ws.ensure_state()
    assert mode(ws.state) == 0o700
    folders = (ws.media, ws.originals, ws.logs, ws.cache, ws.locks)
    assert all(folder.is_dir() and folder.parent == ws.state for folder in folders)
    assert ws.database == tmp_path / ".newsletter" / "newsletter.db"
    assert ws.keys_file.parent == ws.installation_file.parent == ws.state
    assert (ws.config_file, ws.templates) == (tmp_path / "newsletter.toml", tmp_path / "templates")
    assert ws.issue_dir("2022-02-25") == tmp_path / "issues" / "2022-02-25"
    assert ws.build_dir("a") == ws.state / "build" / "a"
    for wrong in ("..", "../x", "/etc", "a/b", ".newsletter"):
        for place in (ws.issue_dir, ws.build_dir):
            with pytest.raises(BadData):
                place(wrong)


# -- slugs


@pytest.mark.parametrize(
    "slug", ["2022-02-25", "a", "0", "khan-in-moscow", "a" * MAX_SLUG, "console", "com10", "images-2"]
)
def test_good_slugs_pass(slug: str) -> None:
    """Dates are slugs too."""
    assert check_slug(slug, "issue") == slug


@pytest.mark.parametrize(
    "slug",
    ["", ".", "..", "../a", "/a", "a/b", "a\\b", "a.md", "A", "é", "a b", "a_b", "-a", "a\n", "a\0", "١", "a" * 81, "~",
     "$HOME", *sorted(RESERVED)],
)  # fmt: skip
def test_bad_slugs_are_refused_with_one_that_would_do(slug: str) -> None:
    """Paths, separators, odd characters, reserved names."""
    with pytest.raises(BadData) as caught:
        check_slug(slug, "issue")
    assert caught.value.exit_code == 65
    suggestion = (caught.value.fix or "").split('"')[1]
    assert check_slug(suggestion, "issue") == suggestion


@pytest.mark.parametrize(
    ("text", "slug"),
    [
        ("Khan's visit – what it means", "khans-visit-what-it-means"),
        ("Élysée, Straße & Øresund: Łódź", "elysee-strasse-oresund-lodz"),
        ("İstanbul ÇAĞRI ılık", "istanbul-cagri-ilik"),
        ("PRIME minister’s 2nd term!", "prime-ministers-2nd-term"),
        ("  Rain\n", "rain"),
        ("images", "images-story"),
        ("CON", "con-story"),
        ("ﬁrst ½", "first-1-2"),
        ("x" * 100, "x" * 60),
        ("one " * 30, "one-" * 14 + "one"),
    ],
)
def test_a_headline_becomes_a_slug(text: str, slug: str) -> None:
    """Accents dropped, apostrophes closed up, at most 60 characters, cut between words."""
    assert slugify(text) == slug


def test_other_scripts_get_a_stable_name() -> None:
    """Never an empty slug, never two stories with one name; composed and decomposed letters are the same."""
    urdu = slugify("وزیراعظم کا دورہ ماسکو 2022")
    assert urdu.startswith("story-")
    assert len(urdu) == len("story-") + 8
    assert urdu == slugify("وزیراعظم کا دورہ ماسکو 2022") != slugify("وزیراعظم کا دورہ")
    assert slugify("") != slugify("!") == slugify("!")
    assert slugify("caf\u00e9") == slugify("cafe\u0301")
    assert slugify("AI 中国经济增长").startswith("story-")


@given(st.text())
@settings(deadline=None)
def test_every_text_has_a_slug(text: str) -> None:
    """Whatever it is, surrogates and all."""
    slug = slugify(text)
    assert check_slug(slug, "article") == slug
    assert len(slug) <= 66


# -- keys


def test_keys_are_secret_and_made_once(tmp_path: Path) -> None:
    """0600, not in repr, never overwritten, different in each workspace."""
    ws = Workspace(tmp_path / "a")
    create_keys(ws)
    assert mode(ws.keys_file) == 0o600
    keys = load_keys(ws)
    assert len(keys.current_secret) == len(keys.suppression) == 32
    assert keys.current_secret != keys.suppression
    assert repr(keys) == "Keys(current='k1')"
    before = ws.keys_file.read_bytes()
    with pytest.raises(CannotWrite, match="keys already"):
        create_keys(ws)
    assert ws.keys_file.read_bytes() == before
    other = Workspace(tmp_path / "b")
    create_keys(other)
    assert load_keys(other).suppression != keys.suppression


def test_older_keys_are_kept_for_older_links(tmp_path: Path) -> None:
    """Rotation adds a key; tokens made with the old one are still read."""
    ws = Workspace(tmp_path)
    create_keys(ws)
    data = json.loads(ws.keys_file.read_text())
    data["secrets"]["k2"] = data["suppression"]
    data["current"] = "k2"
    write_atomic(ws.keys_file, json.dumps(data))
    assert set(load_keys(ws).secrets) == {"k1", "k2"}
    assert load_keys(ws).current_secret == load_keys(ws).secrets["k2"]


@pytest.mark.parametrize(
    "change",
    [
        {"current": "k9"}, {"secrets": []}, {"secrets": {"k1": "c2hvcnQ="}}, {"secrets": {"k1": 7}},
        {"suppression": "geheim!"}, {"suppression": None},
    ],
)  # fmt: skip
def test_damaged_keys_are_refused_without_quoting_them(tmp_path: Path, change: dict[str, Any]) -> None:
    """A message about a secret never holds one."""
    ws = Workspace(tmp_path)
    create_keys(ws)
    data = json.loads(ws.keys_file.read_text())
    write_atomic(ws.keys_file, json.dumps(data | change))
    with pytest.raises(ConfigurationError, match="damaged") as caught:
        load_keys(ws)
    assert caught.value.__cause__ is None
    assert data["suppression"] not in str(caught.value)


def test_keys_that_are_gone_open_or_garbage(tmp_path: Path) -> None:
    """Each says what to do."""
    ws = Workspace(tmp_path)
    with pytest.raises(ConfigurationError, match="missing"):
        load_keys(ws)
    create_keys(ws)
    ws.keys_file.chmod(0o644)
    with pytest.raises(ConfigurationError, match="chmod 600"):
        load_keys(ws)
    ws.keys_file.chmod(0o600)
    for garbage in (b"{", b"\xff", b"[]"):
        write_atomic(ws.keys_file, garbage)
        with pytest.raises(ConfigurationError, match="backup"):
            load_keys(ws)


def test_a_fresh_clone_gets_keys_but_a_used_workspace_never_new_ones(tmp_path: Path) -> None:
    """New keys under an old database would break every link that was sent."""
    ws = Workspace(tmp_path)
    keys = ensure_keys(ws)
    assert ensure_keys(ws).suppression == keys.suppression
    ws.keys_file.unlink()
    ws.database.write_bytes(b"")
    with pytest.raises(ConfigurationError, match="missing"):
        ensure_keys(ws)
