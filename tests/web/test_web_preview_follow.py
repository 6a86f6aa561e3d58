"""Every save is seen, however it is written; one build at a time; an error never ends the preview."""

from __future__ import annotations

import shutil
import threading
import time
from pathlib import Path
from typing import Any

import pytest

import newsletter.web.serving as serving_module
import newsletter.web.watching as watching
from newsletter.app.preview import Watched
from newsletter.web.watching import is_scratch

OLD = "The ferry is ours"
STORY = "curlews-after-dark.md"


def subject(served: Any) -> str:
    mail = served.state()["mail"]
    return str(mail["subject"]) if mail else ""


@pytest.mark.parametrize("rename", [False, True], ids=["in place", "by rename"])
def test_a_save_of_the_issue_is_pushed(served: Any, rename: bool) -> None:
    with served.events() as versions:
        first = next(versions)
        saved = time.perf_counter()
        served.files.edit("issue.md", OLD, "The ferry is yours", rename=rename)
        assert next(versions) > first
        print(f"\nsave to pushed event: {(time.perf_counter() - saved) * 1000:.0f} ms")
    served.until(lambda s: s["mail"]["subject"].startswith("The ferry is yours"))


@pytest.mark.parametrize("rename", [False, True], ids=["in place", "by rename"])
def test_a_save_of_the_configuration_is_seen_twice_over(served: Any, rename: bool) -> None:
    """An editor that renames leaves a watch on the file itself dead after the first save."""
    for old, new in (("The Estuary Weekly", "The Estuary Daily"), ("The Estuary Daily", "The Estuary Hourly")):
        served.files.edit("newsletter.toml", f'name = "{old}"', f'name = "{new}"', rename=rename)
        served.until(lambda s, new=new: s["mail"]["sender"] == new)


def test_a_save_of_a_story_is_seen(served: Any) -> None:
    served.files.edit(STORY, "headline: ", "headline: Again, ", rename=True)
    served.until(lambda s: "Again, " in served.get("/mail.txt").text)


def test_a_theme_that_is_added_later_is_seen_and_so_are_its_saves_and_its_end(served: Any) -> None:
    shutil.rmtree(served.files.root / "templates", ignore_errors=True)
    served.files.write("templates/weekly/theme.toml", 'api = 1\nextends = "base"\n[tokens]\naccent = "#123456"\n')
    served.until(lambda s: "#123456" in served.get("/mail.html").text)
    served.files.edit("templates/weekly/theme.toml", "#123456", "#654321", rename=True)
    served.until(lambda s: "#654321" in served.get("/mail.html").text)
    shutil.rmtree(served.files.root / "templates")
    served.until(lambda s: "#654321" not in served.get("/mail.html").text)


def test_an_issue_that_is_moved_away_and_back_is_followed_again(served: Any, tmp_path: Path) -> None:
    served.files.issue.rename(tmp_path / "away")
    served.until(lambda s: s["error"])
    (tmp_path / "away").rename(served.files.issue)
    served.until(lambda s: not s["error"])
    served.files.edit("issue.md", OLD, "The ferry is back")
    served.until(lambda s: s["mail"]["subject"].startswith("The ferry is back"))


def test_an_issue_that_is_broken_from_the_start_comes_up_when_it_is_mended(files: Any, serve: Any) -> None:
    good = files.path("issue.md").read_text()
    files.write("issue.md", good.replace("subject:", "subject: a: b:"))
    with serve(files) as preview:
        error = preview.state()["error"]
        assert error["where"] == "issues/2026-11-27/issue.md:2"
        assert error["line"] == 2
        assert [1, "---"] in error["lines"]
        files.write("issue.md", good)
        preview.until(lambda s: s["mail"] and not s["error"])


def test_a_broken_configuration_from_the_start_is_shown_as_well(files: Any, serve: Any) -> None:
    files.edit("newsletter.toml", "Europe/London", "Europe/Londn")
    with serve(files) as preview:
        assert 'did you mean "Europe/London"?' in preview.state()["error"]["fix"]
        files.edit("newsletter.toml", "Europe/Londn", "Europe/London")
        preview.until(lambda s: s["mail"] and not s["error"])


def test_a_bug_of_ours_is_shown_and_the_preview_lives_on(served: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    real = serving_module.preview_issue

    def stumble(root: Path, slug: str) -> Any:
        raise ZeroDivisionError("nobody thought of this")

    monkeypatch.setattr(serving_module, "preview_issue", stumble)
    served.files.edit("issue.md", OLD, "The ferry is yours")
    state = served.until(lambda s: s["error"])
    assert state["error"]["kind"] == "bug"
    assert "ZeroDivisionError: nobody thought of this" in state["error"]["what"]
    assert state["error"]["where"].startswith("test_web_preview_follow.py:")
    assert state["mail"]["subject"].startswith(OLD), "the last good mail stays"
    monkeypatch.setattr(serving_module, "preview_issue", real)
    served.files.edit("issue.md", "The ferry is yours", "The ferry is theirs")
    served.until(lambda s: not s["error"] and s["mail"]["subject"].startswith("The ferry is theirs"))


def test_builds_never_overlap_and_what_is_saved_meanwhile_is_one_more(
    served: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = serving_module.preview_issue
    running = threading.Semaphore(1)
    begun, go_on = threading.Event(), threading.Event()
    builds: list[bool] = []

    def slow(root: Path, slug: str) -> Any:
        builds.append(running.acquire(blocking=False))
        begun.set()
        assert go_on.wait(10)
        try:
            return real(root, slug)
        finally:
            running.release()

    monkeypatch.setattr(serving_module, "preview_issue", slow)
    served.files.edit("issue.md", OLD, "Save 0")
    assert begun.wait(10)
    for number in range(12):
        served.files.edit("issue.md", f"Save {number}", f"Save {number + 1}")
        time.sleep(0.05)
    go_on.set()
    served.until(lambda s: s["mail"]["subject"].startswith("Save 12"))
    time.sleep(0.3)
    assert builds == [True, True]


def test_a_burst_of_saves_is_one_build(files: Any, serve: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """The pause that ends a burst is longer here than in life, so that a busy machine makes none of its own."""
    monkeypatch.setattr(watching, "_QUIET_MS", 300)
    monkeypatch.setattr(watching, "_BURST_MS", 6000)
    real = serving_module.preview_issue
    builds: list[int] = []

    def counted(root: Path, slug: str) -> Any:
        builds.append(1)
        return real(root, slug)

    monkeypatch.setattr(serving_module, "preview_issue", counted)
    with serve(files) as preview:
        for path in sorted(files.issue.glob("*.md")):
            path.write_bytes(path.read_bytes())
            time.sleep(0.05)
        files.edit("newsletter.toml", "[test]", "# a comment\n[test]", rename=True)
        files.edit("issue.md", OLD, "All at once")
        preview.until(lambda s: s["mail"]["subject"].startswith("All at once"))
        time.sleep(0.5)
    assert len(builds) <= 3, "the first build, and one for each of the two watches at the most"


def test_what_editors_write_for_themselves_builds_nothing(served: Any) -> None:
    before = served.state()["version"]
    for name in (".issue.md.swp", "issue.md~", "4913", "#issue.md#", ".issue.md.1.ab.tmp", "issue.md.part"):
        assert is_scratch(Path(name))
        (served.files.issue / name).write_text("x")
    (served.files.root / ".newsletter" / "x.txt").write_text("x")
    time.sleep(0.2)
    assert served.state()["version"] == before
    assert not is_scratch(Path("issue.md"))
    assert not is_scratch(Path("theme.toml"))


def test_what_the_system_will_not_watch_is_polled(files: Any, serve: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """inotify has a limit for the whole machine."""
    real = watching.awatch

    def limited(*paths: Path, force_polling: bool, **options: Any) -> Any:
        if not force_polling:
            raise OSError("OS file watch limit reached")
        return real(*paths, force_polling=True, **options)

    monkeypatch.setattr(watching, "awatch", limited)
    with serve(files) as preview:
        time.sleep(0.2)
        files.edit("issue.md", OLD, "Polled")
        preview.until(lambda s: s["mail"]["subject"].startswith("Polled"))


def test_when_even_that_fails_the_page_says_so(files: Any, serve: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*paths: Path, **options: Any) -> Any:
        raise OSError("no watching here")

    monkeypatch.setattr(watching, "awatch", refuse)
    with serve(files) as preview:
        state = preview.until(lambda s: s["error"])
        assert "no watching here" in state["error"]["what"]
        assert state["error"]["fix"] == "start the preview again"
        assert state["mail"], "the mail can still be looked at"


def test_a_folder_that_goes_before_it_is_watched_is_tried_again(
    files: Any, serve: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = watching.awatch
    refusals = [FileNotFoundError("templates"), FileNotFoundError("templates")]

    def absent(*paths: Path, **options: Any) -> Any:
        if refusals:
            raise refusals.pop()
        return real(*paths, **options)

    monkeypatch.setattr(watching, "awatch", absent)
    with serve(files) as preview:
        until_followed = threading.Event()
        for number in range(100):
            files.write("issue.md", files.path("issue.md").read_text())
            if not refusals:
                until_followed.set()
                break
            time.sleep(0.02 + number * 0)
        assert until_followed.is_set()
        preview.until(lambda s: s["mail"] and not s["error"])


def test_deep_folders_inside_each_other_are_watched_once() -> None:
    """In the checkout the workspace's templates are the built-in ones."""
    one = Watched(near=(Path("/w"),), deep=(Path("/w/issues/a"), Path("/w/templates"), Path("/w/templates")))
    assert len(set(one.deep)) == 2


def test_a_stopped_preview_leaves_no_thread_and_ends_open_streams(
    files: Any, serve: Any, capfd: pytest.CaptureFixture[str]
) -> None:
    """In order: a stream that had to be cut off would be logged."""
    before = set(threading.enumerate())
    with serve(files) as preview, preview.events() as versions:
        next(versions)
        preview.server.stop()
        assert list(versions) == []
    deadline = time.monotonic() + 10
    while left := [thread for thread in threading.enumerate() if thread not in before and not thread.daemon]:
        assert time.monotonic() < deadline, left
        time.sleep(0.02)
    assert "graceful" not in capfd.readouterr().err
