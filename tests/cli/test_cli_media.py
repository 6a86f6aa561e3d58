"""Hosted pictures reach the folder that a web server serves, and nothing there is lost."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest


@pytest.fixture
def pictures(weekly: Path) -> Path:
    """Three hosted pictures, and one that is still being written."""
    folder = weekly / ".newsletter" / "media"
    folder.mkdir(parents=True, exist_ok=True)
    for name in ("aa.jpg", "bb.png", "cc.jpg"):
        (folder / name).write_bytes(name.encode() * 100)
    (folder / ".dd.jpg.1.tmp").write_bytes(b"half")
    return folder


def test_only_what_is_missing_or_of_another_size_is_copied(pictures: Path, tmp_path: Path, run) -> None:
    """And what else lies there stays."""
    site = tmp_path / "site" / "m"
    site.mkdir(parents=True)
    (site / "bb.png").write_bytes(b"cut o")
    (site / "old.jpg").write_bytes(b"of last year")
    first = run("media", "publish", "--to", str(site))
    assert "copied  aa.jpg\ncopied  cc.jpg\nreplaced  bb.png\n3 pictures copied" in first.out
    assert {p.name for p in site.iterdir()} == {"aa.jpg", "bb.png", "cc.jpg", "old.jpg"}
    assert (site / "bb.png").read_bytes() == (pictures / "bb.png").read_bytes()
    before = (site / "aa.jpg").stat().st_mtime_ns
    second = run("media", "publish", "--to", str(site), "--json").json
    assert second == {
        "schema": "newsletter/media-publish/1", "to": str(site), "copied": [], "replaced": [], "unchanged": 3,
        "dry_run": False, "withdrawn": [],
    }  # fmt: skip
    assert (site / "aa.jpg").stat().st_mtime_ns == before


def test_a_relative_folder_is_made_beside_the_caller(pictures: Path, weekly: Path, run) -> None:
    """The current folder counts, not the workspace."""
    run("media", "publish", "--to", "public/m")
    assert len(list((weekly / "public" / "m").iterdir())) == 3


def test_a_workspace_without_hosted_pictures_copies_none(weekly: Path, tmp_path: Path, run) -> None:
    """That is no error."""
    shutil.rmtree(weekly / ".newsletter" / "media", ignore_errors=True)
    assert "0 pictures copied" in run("media", "publish", "--to", str(tmp_path / "m")).out


def test_what_is_no_folder_is_refused(pictures: Path, tmp_path: Path, run) -> None:
    """An address, the pictures' own folder, a file, and no place at all."""
    wrong = run("media", "publish", "--to", "gs://bucket/m", code=2)
    assert "s3://BUCKET/FOLDER" in wrong.err and not Path("gs:").exists()
    assert "there already" in run("media", "publish", "--to", str(pictures), code=2).err
    (tmp_path / "file").write_text("")
    assert "cannot write" in run("media", "publish", "--to", str(tmp_path / "file"), code=73).err
    for arguments in ([], ["a", "--to", "b"]):
        assert "name one place" in run("media", "publish", *arguments, code=2).err


def test_a_dry_run_says_what_it_would_copy_and_copies_nothing(pictures: Path, tmp_path: Path, run) -> None:
    """Not even the folder is made; in a folder that is there, what is cut off would be replaced."""
    site = tmp_path / "m"
    said = run("media", "publish", str(site), "--dry-run").out
    assert "would be copied  aa.jpg\n" in said and f"3 pictures would be copied to {site}, 0 there already" in said
    assert not site.exists()
    site.mkdir()
    (site / "bb.png").write_bytes(b"cut o")
    (site / "aa.jpg").mkdir()
    done = run("media", "publish", str(site), "--dry-run", "--json").json
    assert (done["copied"], done["replaced"], done["dry_run"]) == (["cc.jpg"], ["aa.jpg", "bb.png"], True)
    assert (site / "bb.png").read_bytes() == b"cut o"


def test_a_folder_that_may_not_be_read_is_said(pictures: Path, tmp_path: Path, run, monkeypatch) -> None:
    """Nothing is copied over what cannot be seen."""
    site = tmp_path / "m"
    site.mkdir()
    look = Path.iterdir

    def refuse(path: Path):
        if path == site:
            raise PermissionError(13, os.strerror(13))
        return look(path)

    monkeypatch.setattr(Path, "iterdir", refuse)
    assert "Permission denied" in run("media", "publish", str(site), code=73).err


def test_a_picture_that_cannot_be_read_is_named(pictures: Path, tmp_path: Path, run, monkeypatch) -> None:
    """What was copied before it stays copied."""
    read = Path.read_bytes

    def refuse(path: Path) -> bytes:
        if path.name == "bb.png":
            raise PermissionError(13, os.strerror(13))
        return read(path)

    monkeypatch.setattr(Path, "read_bytes", refuse)
    assert "bb.png" in run("media", "publish", "--to", str(tmp_path / "m"), code=65).err
    assert [p.name for p in (tmp_path / "m").iterdir()] == ["aa.jpg"]
