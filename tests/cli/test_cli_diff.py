"""``newsletter diff`` in a real workspace: test, edit, look what changed."""

from __future__ import annotations

import contextlib
import json
import os
import pty
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser

Run = Callable[..., Any]
ME = ("--to", "me@breakwater.test")


@pytest.fixture
def tested(run: Run, weekly: Path, issue: str) -> str:
    """An issue that was sent as a test once."""
    run("test", issue, *ME)
    return issue


def edit(weekly: Path, name: str, *changes: tuple[str, str]) -> None:
    path = next((weekly / "issues" / "2026-11-27").glob(name))
    text = path.read_text(encoding="utf-8")
    for old, new in changes:
        assert old in text
        text = text.replace(old, new, 1)
    path.write_text(text, encoding="utf-8")


def test_nothing_changed_is_said_quietly(run: Run, weekly: Path, tested: str) -> None:
    """Exit 0, with --exit-code too; --json says it for programs."""
    assert run("diff", tested, "--exit-code").out.startswith("No difference: 2026-11-27 is as in test 1 on ")
    row = run("diff", tested, "test-1", "--json").json
    assert (row["schema"], row["against"], row["different"]) == ("newsletter/diff/1", "test-1", False)
    assert (row["headers"], row["stories"], row["page"]) == ([], [], None)
    assert run("-q", "diff", tested).out == ""


def test_words_links_and_the_inbox_line(run: Run, weekly: Path, tested: str) -> None:
    """Each change in its story, in brackets where there are no colours; the exit code only when asked for."""
    edit(weekly, "the-tide*.md", ("in one sentence", "in one short sentence"), ("example/tide", "example/flood"))
    edit(weekly, "issue.md", ("---\n", "---\nsubject: High water\n"))
    shown = run("diff", tested).out
    assert "Subject, Preheader, 1 story changed, 1 link changed" in shown
    assert "The tide tables were right in one {+short+} sentence." in shown
    assert "    [-https://estuary.example/tide-]\n    {+https://estuary.example/flood+}" in shown
    assert "[-The tide tables were right-]{+High water+}" in shown
    assert "left before Gmail clips" in shown
    assert "A bell is found" not in shown
    assert run("diff", tested, "--exit-code", code=1).out == shown
    row = run("diff", tested, "--json").json
    (story,) = row["stories"]
    assert story["words"] == [
        {
            "change": "changed",
            "runs": [["same", "The tide tables were right in one "], ["new", "short "], ["same", "sentence."]],
        }
    ]
    assert story["links"][0]["old"] == "https://estuary.example/tide"
    assert row["html_bytes"]["clip"] == 102 * 1024


def test_stories_that_came_went_and_moved(run: Run, weekly: Path, tested: str, tmp_path: Path) -> None:
    """With their places; findings that came and went are named."""
    (tmp_path / "gale.md").write_text("# A gale is due\n\nTie everything down.\n", encoding="utf-8")
    run("article", "add", str(tmp_path / "gale.md"), "--issue", tested)
    run("issue", "move", tested, "a-bell-is-found-in-the-mud", "--to", "1", code=None)
    shown = run("diff", tested).out
    assert "{+A gale is due+}  added in place" in shown
    assert "New finding: link-missing (a-gale-is-due)" in shown
    run("issue", "drop", tested, "the-tide-tables-were-right")
    assert "[-The tide tables were right-]  dropped from place 1" in run("diff", tested).out


def test_any_test_and_the_approval_can_be_asked_for(run: Run, weekly: Path, tested: str) -> None:
    """The default is whichever is newer; a hand edit after the approval shows."""
    edit(weekly, "the-tide*.md", ("one sentence", "two sentences"))
    run("test", tested, *ME)
    assert "is as in test 2" in run("diff", tested).out
    assert "since test 1" in run("diff", tested, "test-1").out
    run("approve", tested)
    assert "is as in the approval" in run("diff", tested).out
    edit(weekly, "approved/approval.json", ('"approved_at": "20', '"approved_at": "19'))
    edit(weekly, "the-tide*.md", ("two sentences", "three sentences"))
    assert "in [-two-]{+three+} sentences" in run("diff", tested, "approved").out
    run("test", tested, *ME)
    assert "is as in test 3" in run("diff", tested).out


def test_what_cannot_be_compared_says_what_can(run: Run, weekly: Path, issue: str) -> None:
    """Never tested, not approved, no such test, no such issue, no such word, tampered, forgotten."""
    assert f"newsletter test {issue}" in run("diff", issue, code=1).err
    assert "not approved" in run("diff", issue, "approved", code=1).err
    run("diff", "2020-01-01", code=65)
    run("test", issue, *ME)
    assert "the last one is test-1" in run("diff", issue, "test-7", code=65).err
    assert "nothing called 'yesterday'" in run("diff", issue, "yesterday", code=2).err
    (kept,) = (weekly / ".newsletter" / "tests" / issue).iterdir()
    kept.unlink()
    assert "test 1: what this test sent is not kept any more" in run("diff", issue, code=65).err
    run("approve", issue)
    (weekly / "issues" / issue / "approved" / "email.txt").write_text("other")
    assert "not the file that was approved" in run("diff", issue, "approved", code=1).err


def test_a_few_emails_of_an_issue_are_kept(run: Run, weekly: Path, issue: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The oldest go, once they are old enough not to be somebody's who is just sending."""
    monkeypatch.setattr("newsletter.app.testmail.MOST_KEPT", 3)
    monkeypatch.setattr("newsletter.delivery.versions._LEAVE_ALONE", 0)
    for n in range(5):
        edit(weekly, "the-tide*.md", ("sentence", f"sentence {n}"))
        run("test", issue, *ME)
    assert len(list((weekly / ".newsletter" / "tests" / issue).iterdir())) == 3
    run("diff", issue, "test-3")
    assert "not kept" in run("diff", issue, "test-2", code=65).err


def test_approve_and_status_point_to_the_difference(run: Run, weekly: Path, issue: str) -> None:
    """Never tested, changed since, or nothing to say: a warning and never an error."""
    assert f"never sent as a test: newsletter test {issue}" in run("approve", issue).out
    run("unapprove", issue)
    run("test", issue, *ME)
    edit(weekly, "the-tide*.md", ("one sentence", "two sentences"))
    assert f"changed since test 1: newsletter diff {issue} test-1" in run("status", issue).out
    assert run("status", issue, "--json").json["changed_since_test"] == 1
    approved = run("approve", issue, "--json").json
    assert (approved["tested"], approved["last_test"]) == (False, 1)
    run("unapprove", issue)
    assert f"changed since test 1: newsletter diff {issue} test-1 shows how" in run("approve", issue).out
    run("unapprove", issue)
    run("test", issue, *ME)
    assert "test" not in run("approve", issue).out
    assert run("status", issue, "--json").json["changed_since_test"] is None


HOSTILE = '<script>alert(1)</script> & "quoted" </del></ins><img src=x onerror=alert(2)> \u202eoverride'


def test_the_page_escapes_what_stories_say(run: Run, weekly: Path, tested: str, tmp_path: Path) -> None:
    """Headlines, addresses, alt texts, the subject: no word becomes markup, no picture is fetched, no script runs."""
    edit(
        weekly, "the-tide*.md", ("headline: The tide", f"headline: '{HOSTILE} tide"), ("were right\n", "were right'\n")
    )
    edit(weekly, "issue.md", ("---\n", f"---\nsubject: '{HOSTILE}'\n"))
    edit(weekly, "a-bell*.md", ("example/bell", "example/?a=1&b=<c>\"'"))
    page = tmp_path / "diff.html"
    assert str(page) in run("diff", tested, "--html", str(page)).out
    html = page.read_text(encoding="utf-8")
    ours = {
        "!doctype",
        "html",
        "head",
        "meta",
        "title",
        "style",
        "body",
        "main",
        "header",
        "footer",
        "section",
        "h1",
        "h2",
    }
    ours |= {"ins", "del", "p", "dl", "dt", "dd", "span", "br"}
    assert {tag.lower() for tag in re.findall(r"</?(!?[A-Za-z0-9]+)", html)} <= ours
    assert "&lt;script&gt;alert(1)" in html
    assert "default-src 'none'" in html
    assert "\x1b" not in run("diff", tested).out


@pytest.mark.chromium
def test_the_page_fits_a_phone(run: Run, weekly: Path, tested: str, browser: Browser) -> None:
    """A long address and a long word break instead of pushing the page sideways, in both colour schemes."""
    edit(weekly, "the-tide*.md", ("example/tide", f"example/{'long-' * 60}"), ("in one sentence", "x" * 300))
    page = Path(run("diff", tested, "--html", "--json").json["page"])
    grounds = set()
    for scheme in ("light", "dark"):
        view = browser.new_page(viewport={"width": 360, "height": 640}, color_scheme=scheme)
        view.goto(page.as_uri())
        assert view.evaluate("document.documentElement.scrollWidth") <= 360
        grounds.add(view.evaluate("getComputedStyle(document.body).backgroundColor"))
        view.close()
    assert len(grounds) == 2


def test_the_page_goes_into_the_build_folder_unless_told(run: Run, weekly: Path, tested: str) -> None:
    """`--html test-1` does not take the test's name for a file's; --json names the page."""
    page = weekly / ".newsletter" / "build" / tested / "diff.html"
    assert run("diff", tested, "--html", "--json").json["page"] == str(page)
    assert "No difference" in page.read_text(encoding="utf-8")
    page.unlink()
    run("diff", tested, "--html", "test-1")
    assert page.is_file()
    assert not (weekly / "test-1").exists()


PICTURE = "headline: {0}\nimage: {{file: quay.png, alt: The quay, focal: [0.5, {1}]}}\n"


def test_pictures_are_shown_before_and_now(run: Run, weekly: Path, issue: str) -> None:
    """Another crop is told from another picture, and the page holds both pictures; an alt text is words."""
    from PIL import Image

    images = weekly / "issues" / issue / "images"
    images.mkdir(exist_ok=True)
    Image.effect_noise((400, 400), 90).convert("RGB").save(images / "quay.png")
    edit(weekly, "the-tide*.md", ("headline: The tide tables were right\n", PICTURE.format("The tide tables", 0.2)))
    run("test", issue, *ME)
    edit(weekly, "the-tide*.md", ("0.2", "0.9"))
    assert "Picture: another crop of the same picture" in run("diff", issue, "--html").out
    html = (weekly / ".newsletter" / "build" / issue / "diff.html").read_text(encoding="utf-8")
    assert len(set(re.findall(r'<img src="(data:image/[^"]+)"', html))) == 2
    edit(weekly, "the-tide*.md", ("0.9", "0.2"), ("alt: The quay", "alt: The old quay"))
    shown = run("diff", issue).out
    assert "Picture: another alt text\n    The {+old+} quay" in shown
    Image.effect_noise((400, 400), 30).convert("RGB").save(images / "quay.png")
    assert "another picture, another alt text" in run("diff", issue).out
    (images / "quay.png").unlink()
    edit(weekly, "the-tide*.md", ("image:", "gone:"))
    row = run("diff", issue, "--json", "--html").json
    assert [p["change"] for story in row["stories"] for p in story["pictures"]] == ["dropped"]
    assert "There is no picture." in Path(row["page"]).read_text(encoding="utf-8")


def on_a_terminal(*arguments: str, **environment: str) -> str:
    """What a real terminal is given."""
    ours, theirs = pty.openpty()
    command = [sys.executable, "-m", "newsletter", *arguments]
    with subprocess.Popen(command, stdout=theirs, env={**os.environ, **environment}) as process:
        os.close(theirs)
        shown = b""
        # Linux ends the reading of a terminal that nobody writes to any more with an error.
        with contextlib.suppress(OSError):
            while data := os.read(ours, 65_536):
                shown += data
        assert process.wait() == 0
    os.close(ours)
    return shown.decode()


def test_on_a_terminal_changes_have_colours(run: Run, weekly: Path, tested: str) -> None:
    """Red and struck, green and underlined; NO_COLOR asks for brackets."""
    edit(weekly, "the-tide*.md", ("one sentence", "two sentences"))
    shown = on_a_terminal("diff", tested)
    assert "in \x1b[31;9mone sentence\x1b[0m\x1b[32;4mtwo sentences\x1b[0m." in shown
    assert "[-" not in shown
    assert "in [-one sentence-]{+two sentences+}." in on_a_terminal("diff", tested, NO_COLOR="1")


@pytest.mark.parametrize(
    ("old", "new", "shown"),
    [
        ("یہ اچھی کتاب ہے", "یہ بُری کتاب ہے", "یہ [-\u2068اچھی\u2069-]{+\u2068بُری\u2069+} کتاب ہے"),
        ("परिषद ने शुक्रवार को कहा", "परिषद ने सोमवार को कहा", "परिषद ने [-शुक्रवार-]{+सोमवार+} को कहा"),
    ],
)
def test_urdu_and_hindi_words_are_whole_and_keep_their_direction(
    run: Run, weekly: Path, tested: str, old: str, new: str, shown: str
) -> None:
    """A right-to-left word is isolated, so that the brackets around it stay where they are."""
    edit(weekly, "the-tide*.md", ("The tide tables were right in one sentence.", old))
    run("test", tested, *ME)
    edit(weekly, "the-tide*.md", (old, new))
    assert shown in run("diff", tested).out


def test_long_passages_are_cut_to_what_is_around_a_change(run: Run, weekly: Path, tested: str) -> None:
    """Eight words on either side; the page has them all."""
    words = " ".join(f"word{n}" for n in range(60))
    edit(weekly, "the-tide*.md", ("The tide tables were right in one sentence.", f"{words}."))
    run("test", tested, *ME)
    edit(weekly, "the-tide*.md", ("word30", "thirty"), ("word55", "fifty-five"))
    shown = run("diff", tested, "--html").out
    shown = shown[shown.index("\nThe tide tables were right\n") :]
    assert "  … word22 word23 word24 word25 word26 word27 word28 word29 [-word30-]{+thirty+} word31" in shown
    assert "word38 … word47" in shown
    assert "word10" not in shown
    page = weekly / ".newsletter" / "build" / tested / "diff.html"
    assert "word10" in page.read_text(encoding="utf-8")


def page_of(run: Run, slug: str, *arguments: str) -> str:
    return Path(run("diff", slug, *arguments, "--html", "--json").json["page"]).read_text(encoding="utf-8")


def test_the_look_alone(run: Run, weekly: Path, tested: str) -> None:
    """A colour of the theme changes no word."""
    run("theme", "eject", "weekly", "theme.toml")
    theme = weekly / "templates" / "weekly" / "theme.toml"
    theme.write_text(theme.read_text(encoding="utf-8").replace("#9B1C1C", "#1C1C9B"), encoding="utf-8")
    assert "the look alone" in run("diff", tested).out
    assert "The design changed; words, links and pictures are the same." in page_of(run, tested)
    row = run("diff", tested, "--json").json
    assert (row["look_only"], row["text_part_only"], row["different"]) == (True, False, True)


def test_the_text_part_alone(run: Run, weekly: Path, tested: str) -> None:
    """A line of its template changes no HTML."""
    run("theme", "eject", "base", "email.txt.j2")
    template = weekly / "templates" / "base" / "email.txt.j2"
    template.write_text(template.read_text(encoding="utf-8") + "\n\nPlain greetings\n", encoding="utf-8")
    shown = run("diff", tested).out
    assert "the text part" in shown
    assert "The text part\n  {+Plain greetings+}" in shown
    assert "<ins>Plain greetings</ins>" in page_of(run, tested)
    row = run("diff", tested, "--json").json
    assert (row["look_only"], row["text_part_only"], row["different"]) == (False, True, True)


def test_a_story_that_moved_and_a_link_on_other_words(run: Run, weekly: Path, tested: str) -> None:
    """The one is told beside its words, the other though no word changed."""
    tide, bell = "the-tide-tables-were-right", "a-bell-is-found-in-the-mud"
    edit(weekly, "issue.md", (tide, "zzz"), (bell, tide), ("zzz", bell))
    shown = run("diff", tested).out
    assert "1 story moved" in shown
    assert "  moved from place 2 to 1" in shown or "  moved from place 1 to 2" in shown
    assert "oved from place" in page_of(run, tested)
    edit(weekly, "issue.md", ("---\n", "---\nsubject: A\n"))
    intro = weekly / "issues" / tested / "issue.md"
    intro.write_text(intro.read_text(encoding="utf-8") + "\n[Read the log](https://log.test) now.\n", encoding="utf-8")
    run("test", tested, *ME)
    edit(weekly, "issue.md", ("[Read the log](https://log.test) now.", "Read [the log now](https://log.test)."))
    shown = run("diff", tested).out
    assert "Link changed: the log now\n    https://log.test was on [-Read the log-]" in shown
    assert "was on <del>Read the log</del>" in page_of(run, tested)


def test_no_address_of_a_receiver_is_kept(run: Run, weekly: Path, issue: str, readers: int) -> None:
    """A test as one reader keeps the merge field, not the reader's name or address."""
    run("test", issue, *ME, "--as", "ada@readers.test")
    (kept,) = (weekly / ".newsletter" / "tests" / issue).iterdir()
    text = kept.read_text(encoding="utf-8")
    assert "readers.test" not in text
    assert "me@breakwater" not in text
    assert json.loads(text)["issue"] == issue
