"""`newsletter check`: its forms, its fixes, the web it asks, and its colours."""

from __future__ import annotations

import json
import os
import pty
import re
import socket
import ssl
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any

import pytest

from tests.cli.conftest import Run, write_story
from tests.net.net_servers import certificate, say, serving

ISSUE = "2026-11-27"
TIDE, BELL = "the-tide-tables-were-right", "a-bell-is-found-in-the-mud"


def story(root: Path, slug: str) -> Path:
    return root / "issues" / ISSUE / f"{slug}.md"


def change(path: Path, *pairs: tuple[str, str]) -> None:
    text = path.read_text(encoding="utf-8")
    for old, new in pairs:
        assert old in text
        text = text.replace(old, new)
    path.write_text(text, encoding="utf-8")


def test_json_holds_the_inbox_the_parity_and_the_findings(issue: str, run: Run) -> None:
    """`--json` and `--format json` are one."""
    document = run("check", issue, "--json").json
    assert document == run("check", issue, "--format", "json").json
    assert document["schema"] == "newsletter/check/1"
    assert [line["width"] for line in document["inbox"]] == sorted(line["width"] for line in document["inbox"])
    assert document["inbox"][0]["shown"].startswith("The Breakwater · The tide tables were right")
    assert document["parity"]["percent"] > 85
    assert document["asked"] is None and document["fixes"] == []
    assert {"id", "severity", "file", "line", "fixable"} <= set(document["findings"][0])


def test_fix_prints_each_change_and_the_findings_that_are_left(weekly: Path, issue: str, run: Run) -> None:
    """Before → after with file and line; a second call has nothing to do."""
    change(story(weekly, TIDE), ("The harbour office has read every", "TIDE tables  were read,  every"))
    answer = run("check", issue, "--fix")
    assert f"issues/{ISSUE}/{TIDE}.md:" in answer.out
    assert "“TIDE tables” → “Tide tables”" in answer.out
    assert "“tables  were”" in answer.out or "“TIDE tables  were read,  every”" in answer.out
    assert "Tide tables were read, every" in story(weekly, TIDE).read_text(encoding="utf-8")
    assert "subject-missing" in answer.out
    again = run("check", issue, "--fix", "--json").json
    assert again["fixes"] == []


def test_fix_lists_its_changes_for_programs(weekly: Path, issue: str, run: Run) -> None:
    """Every change with its check, file, line, and both texts."""
    change(story(weekly, BELL), ("no mistake in any", "no  mistake in any"))
    (fix,) = run("check", issue, "--fix", "--json").json["fixes"]
    assert fix == {
        "check": "double-space", "file": f"issues/{ISSUE}/{BELL}.md", "line": fix["line"], "article": BELL,
        "field": "body", "before": "no  mistake", "after": "no mistake",
    }  # fmt: skip
    line = story(weekly, BELL).read_text(encoding="utf-8").splitlines()[fix["line"] - 1]
    assert "no mistake" in line


def test_fix_refuses_an_approved_issue(weekly: Path, issue: str, run: Run) -> None:
    """Exit 1, and the way out."""
    change(story(weekly, BELL), ("no mistake in any", "no  mistake in any"))
    run("approve", issue)
    before = story(weekly, BELL).read_bytes()
    refused = run("check", issue, "--fix", code=1)
    assert f"newsletter unapprove {issue}" in refused.err
    assert story(weekly, BELL).read_bytes() == before
    assert "double-space" in run("check", issue).out


def test_an_issue_has_its_own_weights(weekly: Path, issue: str, run: Run) -> None:
    """`checks:` in issue.md, refused with file and line when misspelt; a command's save keeps it as it is."""
    path = weekly / "issues" / ISSUE / "issue.md"
    weights = "checks: {subject-missing: error,  preheader-missing: off}\n"
    change(path, ("date: 2026-11-27\n", f"date: 2026-11-27\n{weights}"))
    document = run("check", issue, "--json", code=1).json
    severities = {finding["id"]: finding["severity"] for finding in document["findings"]}
    assert severities["subject-missing"] == "error" and "preheader-missing" not in severities
    run("issue", "move", issue, BELL, "--to", "1")
    assert weights in path.read_text(encoding="utf-8")
    change(path, ("subject-missing: error", "subject-mising: error"))
    refused = run("check", issue, code=65)
    assert f"issues/{ISSUE}/issue.md:" in refused.err and 'did you mean "subject-missing"?' in refused.err
    change(path, ("subject-mising: error", "subject-missing: eror"))
    refused = run("check", issue, code=65)
    assert 'did you mean "error"?' in refused.err


def test_a_waiver_without_any_reason_is_a_finding_and_no_error(weekly: Path, issue: str, run: Run) -> None:
    """A forgotten key is told like an empty one."""
    path = weekly / "issues" / ISSUE / "issue.md"
    change(path, ("date: 2026-11-27\n", "date: 2026-11-27\nwaive: [{id: subject-missing}]\n"))
    change(story(weekly, BELL), ("---\nheadline:", "---\nwaive: [{id: link-missing}]\nheadline:"))
    told = run("check", issue, "--json").json["findings"]
    assert [(f["article"], f["line"] is not None) for f in told if f["id"] == "waiver-without-reason"] == [
        (None, True), (BELL, True),
    ]  # fmt: skip


def test_a_check_explains_itself_anywhere_and_a_misspelt_one_helps(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Needs no workspace; exit 65 for what is not there."""
    monkeypatch.chdir(tmp_path)
    text = run("check", "--explain", "alt-missing").out
    assert "Fails:" in text and "Passes:" in text and "Source:" in text and "--fix" in text
    assert "--online" in run("check", "--explain", "link-broken").out
    assert 'did you mean "alt-missing"?' in run("check", "--explain", "alt-mising", code=65).err


@pytest.fixture
def web(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """Two servers of this machine: one that speaks http, one that speaks TLS with a certificate we trust."""

    def answer(handler: BaseHTTPRequestHandler) -> None:
        path = handler.path.partition("?")[0]
        if path == "/gone":
            say(handler, b"", 404)
        elif path == "/moved":
            say(handler, b"", 301, location="/")
        elif path == "/private":
            say(handler, b"", 403)
        elif path == "/round":
            say(handler, b"", 302, location="/round")
        elif path == "/slow":
            time.sleep(0.2)
            say(handler, b"", content_type="text/html")
        elif path == "/picture.jpg":
            say(handler, b"<p>", content_type="text/html")
        else:
            say(handler, b"<p>", content_type="text/html")

    files = certificate(tmp_path, "localhost")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*files)
    monkeypatch.setenv("SSL_CERT_FILE", str(files[0]))
    with ExitStack() as stack:
        plain = stack.enter_context(serving(answer))
        secure = stack.enter_context(
            serving(answer, wrap=lambda s: context.wrap_socket(s, server_side=True, do_handshake_on_connect=False))
        )
        plain.url, plain.secure = f"http://127.0.0.1:{plain.server_address[1]}", secure
        plain.secure_host = f"localhost:{secure.server_address[1]}"
        yield plain


@pytest.fixture
def allowed(weekly: Path) -> Path:
    """The publication may ask this machine."""
    path = weekly / "newsletter.toml"
    text = path.read_text(encoding="utf-8")
    assert "[images]" not in text
    path.write_text(text + '\n[images]\nallow_hosts = ["127.0.0.1", "localhost"]\n', encoding="utf-8")
    return weekly


def linking(root: Path, issue: str, run: Run, folder: Path, *links: str) -> None:
    for number, link in enumerate(links):
        path = write_story(folder, f"story-{number}", f"Story {number}")
        change(path, (f"https://estuary.example/story-{number}", link))
        run("article", "add", str(path), "--issue", issue)


def test_online_asks_every_link_and_names_story_and_field(web: Any, allowed: Path, run: Run, tmp_path: Path) -> None:
    """Broken, moved to the front page, turned away, in a circle, slow and fine; merge fields are never asked."""
    run("issue", "new", ISSUE)
    paths = ("gone", "moved", "private", "round", "slow", "fine")
    linking(allowed, ISSUE, run, tmp_path, *(f"{web.url}/{path}" for path in paths))
    picture = f"image: {{url: '{web.url}/picture.jpg', alt: A boat, credit: Ines}}\n"
    change(story(allowed, "story-5"), ("---\nheadline:", f"---\n{picture}headline:"))
    answer = run("check", ISSUE, "--online", "--json", code=1)
    assert "Asking 13 addresses at 1 host …" in answer.err
    document = answer.json
    assert document["asked"] == 13
    told = {(f["id"], f["article"], f["field"]): f for f in document["findings"]}
    assert told["link-broken", "story-0", "link"]["severity"] == "warning"
    assert told["link-broken", "story-2", "link"]["severity"] == "info"
    assert "redirected more than" in told["link-broken", "story-3", "link"]["message"]
    assert told["link-redirects-elsewhere", "story-1", "link"]["severity"] == "warning"
    assert told["picture-unreachable", "story-5", "image.url"]["severity"] == "error"
    assert told["link-broken", "story-0", "link"]["file"] == f"issues/{ISSUE}/story-0.md"
    broken = sorted(article for check, article, _ in told if check == "link-broken")
    assert broken == ["story-0", "story-2", "story-3"]
    assert web.busiest == 1
    assert not [path for path, _ in web.seen if "unsubscribe" in path or "/u/" in path]


def test_a_private_host_is_not_asked_and_a_note_says_so(web: Any, weekly: Path, run: Run, tmp_path: Path) -> None:
    """Without allow_hosts our own network stays out of it."""
    run("issue", "new", ISSUE)
    linking(weekly, ISSUE, run, tmp_path, f"{web.url}/fine")
    told = run("check", ISSUE, "--online", "--json").json["findings"]
    (finding,) = [f for f in told if f["id"] == "link-broken"]
    assert finding["severity"] == "info" and "does not answer" in finding["message"]
    assert web.seen == []


def test_a_machine_that_reaches_nothing_says_so(allowed: Path, run: Run, tmp_path: Path) -> None:
    """Every link broken at once is seldom the links' fault."""
    run("issue", "new", ISSUE)
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))  # and never listens
        linking(allowed, ISSUE, run, tmp_path, f"http://127.0.0.1:{taken.getsockname()[1]}/a")
        answer = run("check", ISSUE, "--online")
    assert "None of them answered: is this machine online?" in answer.err
    # On one line: where it is folded depends on the width, which may be COLUMNS.
    assert "no connection to 127.0.0.1" in " ".join(answer.out.split())


def test_online_fix_writes_https_where_the_page_is_there(web: Any, allowed: Path, run: Run, tmp_path: Path) -> None:
    """In the story's link and in its words; a page that only speaks http stays as it is."""
    run("issue", "new", ISSUE)
    insecure = f"http://{web.secure_host}"
    linking(allowed, ISSUE, run, tmp_path, f"{insecure}/fine", f"{web.url}/fine", f"{insecure}/gone")
    path = story(allowed, "story-0")
    change(path, ("this is for you.", f"this is for you: [the table]({insecure}/table)."))
    issue = allowed / "issues" / ISSUE / "issue.md"
    issue.write_text(
        f"---\ndate: {ISSUE}\nsections:\n  - layout: text\n    articles: [story-0, story-1, story-2]\n---\n"
        f"See <{insecure}/intro>.\n",
        encoding="utf-8",
    )
    document = run("check", ISSUE, "--online", "--fix", "--json", code=None).json
    assert {(fix["file"].rpartition("/")[2], fix["field"], fix["after"]) for fix in document["fixes"]} == {
        ("story-0.md", "link", f"https://{web.secure_host}/fine"),
        ("story-0.md", "body", f"https://{web.secure_host}/table"),
        ("issue.md", "body", f"https://{web.secure_host}/intro"),
    }
    assert f"link: https://{web.secure_host}/fine" in path.read_text(encoding="utf-8")
    assert f"(https://{web.secure_host}/table)" in path.read_text(encoding="utf-8")
    left = {f["article"] for f in document["findings"] if f["id"] == "link-insecure"}
    assert left == {"story-1", "story-2"}
    assert run("check", ISSUE, "--online", "--fix", "--json", code=None).json["fixes"] == []


def on_a_terminal(*arguments: str, cwd: Path, **environment: str) -> str:
    """What the command prints on a terminal of 80 columns."""
    main, side = pty.openpty()
    import fcntl
    import struct
    import termios

    fcntl.ioctl(side, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 80, 0, 0))
    known = {k: v for k, v in os.environ.items() if k not in ("NO_COLOR", "COLUMNS", "LINES")}
    command = [sys.executable, "-m", "newsletter", *arguments]
    child = subprocess.Popen(
        command, cwd=cwd, stdout=side, stderr=side, stdin=side, env={**known, "TERM": "xterm", **environment}
    )
    os.close(side)
    said = b""
    while True:
        try:
            piece = os.read(main, 65536)
        except OSError:  # the other side is closed
            break
        if not piece:
            break
        said += piece
    child.wait(timeout=60)
    os.close(main)
    return said.decode().replace("\r\n", "\n")


def test_colours_are_for_terminals_that_want_them(weekly: Path, issue: str, run: Run) -> None:
    """Painted on a terminal and set to its width; plain with NO_COLOR, on a dumb one, and in a pipe."""
    painted = on_a_terminal("check", issue, cwd=weekly)
    assert "\x1b[33mwarning\x1b[0m" in painted
    plain = on_a_terminal("check", issue, cwd=weekly, NO_COLOR="1")
    assert "\x1b" not in plain
    assert re.sub(r"\x1b\[[0-9;]*m", "", painted) == plain
    assert max(map(len, plain.splitlines())) <= 80
    assert "\x1b" not in run("check", issue).out


def test_machine_forms_are_never_painted(weekly: Path, issue: str) -> None:
    """A terminal may be a CI's log."""
    assert json.loads(on_a_terminal("check", issue, "--json", cwd=weekly))["issue"] == issue
