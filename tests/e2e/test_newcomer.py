"""A story file becomes a sent issue: every command of the editor's week, in order, as a newcomer types them."""

from __future__ import annotations

import email
import email.policy
import json
import os
import re
import signal
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

import pytest

NEWSLETTER = [sys.executable, "-m", "newsletter"]
REAL_STORIES = Path(__file__).parents[3] / "shared" / "input"

STORY = (
    "HARBOUR pilots at Saltmouth will take their first electric launch out on Tuesday (22) after a winter of trials.\n"
    "The boat is quieter than the one it replaces and costs a third as much to run, the port authority said.\n"
    "Nobody on the quay has yet agreed what to call it.\n"
    "(CWN)\n"
    "Pilots swap diesel for batteries at Saltmouth\n"
    "![Pilots swap diesel for batteries at Saltmouth](https://pictures.invalid/launch.jpg?id=7&width=1245&coordinates=0%2C58)"
)


def newsletter(cwd: Path, *arguments: str, code: int = 0, env: dict[str, str] | None = None) -> str:
    done = subprocess.run(
        [*NEWSLETTER, *arguments],
        cwd=cwd,
        capture_output=True,
        text=True,
        timeout=120,
        env=env,
        stdin=subprocess.DEVNULL,
    )
    assert done.returncode == code, f"newsletter {' '.join(arguments)}\n{done.stdout}{done.stderr}"
    assert "Traceback" not in done.stderr
    return done.stdout


def stories() -> list[Path]:
    return sorted(REAL_STORIES.glob("*.txt")) if REAL_STORIES.is_dir() else []


@pytest.mark.parametrize("real", [False, True], ids=["our own story", "a real export"])
def test_a_story_file_becomes_a_sent_issue(tmp_path: Path, real: bool) -> None:
    """init, add, new, pick, build, check, preview, import, test, approve, run-due, status: nobody is left out."""
    if real and not stories():
        pytest.skip("no real export is beside this checkout")
    story = stories()[0] if real else tmp_path / "story.txt"
    if not real:
        story.write_text(STORY)
    headline = story.read_text(encoding="utf-8").splitlines()[-2]

    newsletter(tmp_path, "init", "weekly")
    weekly = tmp_path / "weekly"
    added = json.loads(newsletter(weekly, "article", "add", str(story), "--json"))
    slug = added["articles"][0]["slug"]
    assert added["articles"][0]["headline"] == headline
    assert json.loads(newsletter(weekly, "article", "add", str(story), "--json"))["articles"][0]["already"]

    newsletter(weekly, "issue", "new", "2022-02-25")
    newsletter(weekly, "issue", "pick", "2022-02-25", slug)
    newsletter(weekly, "build", "2022-02-25")
    built = weekly / ".newsletter" / "build" / "2022-02-25"
    html = (built / "email.html").read_text(encoding="utf-8")
    assert headline.replace("'", "&#39;") in html or headline in html
    assert "nlf" not in (built / "email.eml").read_text(encoding="utf-8")

    findings = {f["id"] for f in json.loads(newsletter(weekly, "check", "2022-02-25", "--format", "json"))["findings"]}
    assert {"link-missing", "credit-missing", "alt-repeats-headline", "picture-remote", "date-stale"} <= findings

    previewed(weekly, headline)

    readers = tmp_path / "readers.csv"
    readers.write_text("Email,First name\nada@example.org,Ada\nzoë@exämple.org,Zoë\nbroken,Nobody\nADA@example.org,\n")
    done = json.loads(newsletter(weekly, "audience", "import", str(readers), "--json"))
    assert (done["added"], done["rejected"], done["duplicates"]) == (1, 2, 1) or done["added"] == 2

    newsletter(weekly, "test", "2022-02-25", "--to", "me@example.com")
    newsletter(weekly, "approve", "2022-02-25", "--send-at", "now")
    # Cron's environment: nothing at all.
    newsletter(tmp_path, "-C", str(weekly), "run-due", env={})
    status = json.loads(newsletter(weekly, "status", "2022-02-25", "--json"))
    assert status["state"] == "completed"
    assert status["planned"] == sum(status["counts"].values()) == done["added"]
    assert status["counts"] == {"submitted": done["added"]}
    assert newsletter(tmp_path, "-C", str(weekly), "run-due", env={}) == ""

    mails = [parsed(path) for path in (weekly / ".newsletter" / "outbox" / "new").iterdir()]
    to = sorted(str(mail["To"]) for mail in mails)
    assert len(to) == done["added"] + 1
    test_mail = next(mail for mail in mails if "me@example.com" in str(mail["To"]))
    assert re.match(r"\[TEST 1 · [0-9a-f]{4}\] ", str(test_mail["Subject"]))
    real_mail = next(mail for mail in mails if "ada@example.org" in str(mail["To"]).lower())
    assert headline in str(real_mail["Subject"])
    for mail in mails:
        kinds = [part.get_content_type() for part in mail.walk() if not part.is_multipart()]
        assert kinds[:2] == ["text/plain", "text/html"]
        assert not mail.defects


def parsed(path: Path) -> email.message.EmailMessage:
    return email.message_from_bytes(path.read_bytes(), policy=email.policy.default)  # type: ignore[return-value]  # the default policy makes EmailMessage


def first_mail(url: str) -> dict[str, str]:
    """What the page says of the mail as soon as one is built; the page is there before it."""
    for _ in range(100):
        with urllib.request.urlopen(url + "state", timeout=10) as answer:
            state = json.load(answer)
        assert state["error"] is None
        if state["mail"] is not None:
            return dict(state["mail"])
        time.sleep(0.1)
    raise AssertionError("no mail was built within ten seconds")


def previewed(weekly: Path, headline: str) -> None:
    process = subprocess.Popen(
        [*NEWSLETTER, "preview", "2022-02-25", "--port", "0", "--no-open"],
        cwd=weekly, stdout=subprocess.PIPE, text=True, env={**os.environ, "PYTHONUNBUFFERED": "1"},
    )  # fmt: skip
    try:
        assert process.stdout
        url = re.search(r"http://[^\s]+", process.stdout.readline())
        assert url
        assert headline in first_mail(url.group())["subject"]
    finally:
        process.send_signal(signal.SIGINT)
        started = time.monotonic()
        assert process.wait(timeout=10) in (0, 130)
        assert time.monotonic() - started < 5
        if process.stdout:
            process.stdout.close()
