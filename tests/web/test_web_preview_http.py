"""What the preview answers over a real socket: the mail as each reader, its policies, and what it refuses."""

from __future__ import annotations

import http.client
import re
import shutil
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlsplit

import pytest

ISSUE = "2026-11-27"
READER = quote("zoë+weekly@readers.test")


def test_the_page_and_its_parts_come_with_their_policies(standing: Any) -> None:
    page = standing.get("/")
    assert page.status == 200
    assert "script-src 'self'" in page.headers["Content-Security-Policy"]
    assert "frame-ancestors 'none'" in page.headers["Content-Security-Policy"]
    for path in ("/", "/state", "/mail.html", "/mail.txt", "/static/preview.js", "/static/preview.css", "/nothing"):
        headers = standing.get(path).headers
        assert headers["Content-Security-Policy"].startswith("default-src 'none'"), path
        assert headers["X-Content-Type-Options"] == "nosniff"
        assert headers["Referrer-Policy"] == "no-referrer"
        assert headers["Cross-Origin-Resource-Policy"] == "same-origin"
        assert headers["Cache-Control"] == "no-store"


def test_the_mail_may_run_nothing(standing: Any) -> None:
    policy = standing.get("/mail.html").headers["Content-Security-Policy"]
    assert "script-src" not in policy, "default-src 'none' is to hold for scripts"
    assert policy.startswith("default-src 'none'")
    assert "img-src 'self' https:" in policy
    assert "img-src 'none'" in standing.get("/mail.html?images=off").headers["Content-Security-Policy"]


def test_every_picture_is_served_and_kept(standing: Any) -> None:
    names = set(re.findall(r'src="/media/([^"]+)"', standing.get("/mail.html").text))
    assert len(names) >= 8
    for name in names:
        picture = standing.get(f"/media/{name}")
        assert (picture.status, picture.headers["Content-Type"]) == (200, "image/jpeg")
        assert "immutable" in picture.headers["Cache-Control"]


def test_a_picture_that_was_cleared_away_is_not_found(served: Any) -> None:
    name = re.findall(r'src="/media/([^"]+)"', served.get("/mail.html").text)[0]
    shutil.rmtree(served.files.root / ".newsletter" / "cache")
    assert served.get(f"/media/{name}").status == 404


@pytest.mark.parametrize(
    "path",
    [
        "/media/../newsletter.toml",
        "/media/..%2f..%2fnewsletter.toml",
        "/media/%2e%2e/keys.json",
        "/media//etc/passwd",
        "/media/%2Fetc%2Fpasswd",
        "/media/nothing.jpg",
        "/media/",
        "/static/../preview.py",
        "/static/..%2fpreview.py",
        "/static/%2e%2e/%2e%2e/errors.py",
    ],
)
def test_nothing_but_the_mails_own_pictures_and_our_own_files_is_served(standing: Any, path: str) -> None:
    connection = http.client.HTTPConnection(urlsplit(standing.url).netloc, timeout=5)  # sends the path as it stands
    connection.request("GET", path)
    answer = connection.getresponse()
    assert answer.status == 404
    assert b"root:" not in answer.read()
    connection.close()


@pytest.mark.parametrize("host", ["evil.example", "127.0.0.1.evil.example", "evil.example:80", "[::1]", ""])
def test_a_foreign_host_is_refused_on_every_path(standing: Any, host: str) -> None:
    for path in ("/", "/state", "/mail.html", "/events", "/static/preview.js"):
        assert standing.get(path, Host=host).status == 400


def test_localhost_is_as_good_as_the_number(standing: Any) -> None:
    assert standing.get("/", Host="localhost:1").status == 200


def test_nothing_can_be_posted(standing: Any) -> None:
    connection = http.client.HTTPConnection(urlsplit(standing.url).netloc, timeout=5)
    connection.request("POST", "/state", body=b"x")
    assert connection.getresponse().status == 405
    connection.close()


def test_without_a_reader_defaults_stand(standing: Any) -> None:
    assert 'Good morning <span dir="auto">reader' in standing.get("/mail.html").text
    assert "Good morning \u200ereader" in standing.get("/mail.txt").text
    state = standing.state()
    assert state["issue"] == ISSUE
    assert state["error"] is None
    assert state["mail"]["sender"] == "The Estuary Weekly"
    assert state["mail"]["theme"] == "weekly"
    assert state["mail"]["approved"] is False
    assert state["mail"]["findings"] == []
    phone = state["mail"]["inbox"][0]
    assert (phone["width"], phone["sender"]) == (33, "The Estuary Weekly")
    assert phone["shown"].startswith(f"The Estuary Weekly · {phone['subject']} · ") and phone["subject"].endswith("…")
    assert "KB left before Gmail clips" in state["mail"]["size_words"]


def test_a_readers_copy_has_their_name_escaped_and_their_links(standing: Any) -> None:
    html = standing.get(f"/mail.html?as={READER}").text
    assert 'Good morning <span dir="auto">Zo&#235; &lt;b&gt;</span>' in html
    assert "https://estuary.example/u/" in html
    assert "Good morning \u200eZoë <b>\u200e," in standing.get(f"/mail.txt?as={READER}").text
    assert standing.state(f"?as={READER}")["error"] is None


@pytest.mark.parametrize("reader", ["nobody@readers.test", "not an address", "@", "a@b@c", "%00"])
def test_a_reader_who_is_not_there_is_named_and_the_mail_stays(standing: Any, reader: str) -> None:
    query = f"?as={quote(reader, safe='%')}"
    error = standing.state(query)["error"]
    assert error["kind"] == "reader"
    assert standing.state(query)["mail"]["subject"]
    assert 'Good morning <span dir="auto">reader' in standing.get(f"/mail.html{query}").text
    assert "Good morning \u200ereader" in standing.get(f"/mail.txt{query}").text


def test_a_blank_reader_is_nobody_in_particular(standing: Any) -> None:
    assert standing.state("?as=%20")["error"] is None


def test_a_reader_asked_for_while_the_configuration_is_broken_gets_the_message(served: Any) -> None:
    served.files.write("newsletter.toml", "[publication\n")
    state = served.until(lambda s: s["error"], f"?as={READER}")
    assert state["error"]["where"].startswith("newsletter.toml")
    assert 'Good morning <span dir="auto">reader' in served.get(f"/mail.html?as={READER}").text


def test_dark_and_light_are_forced(standing: Any) -> None:
    dark, light = standing.get("/mail.html?scheme=dark").text, standing.get("/mail.html").text
    for html in (dark, light):
        assert "prefers-color-scheme" not in html
    assert '<meta name="color-scheme" content="dark">' in dark
    assert '<meta name="color-scheme" content="light">' in light
    assert "@media (min-width:0px){" in dark.replace(" {", "{")
    assert "@media (min-width:99999px){" in light.replace(" {", "{")


def test_an_approved_issue_says_so(files: Any, serve: Any) -> None:
    files.write(f"issues/{ISSUE}/approved/approval.json", "{}")
    with serve(files) as preview:
        assert preview.state()["mail"]["approved"] is True


def test_a_mail_over_the_clip_says_by_how_much(files: Any, serve: Any) -> None:
    body = "\n\n".join(f"The harbour log has an entry for day {n}, and it is a long one." for n in range(900))
    files.edit("issue.md", "layout: list", "layout: text")
    files.write("curlews-after-dark.md", files.path("curlews-after-dark.md").read_text() + body)
    files.edit("issue.md", "layout: brief", "layout: text")
    files.edit("issue.md", "layout: grid", "layout: text")
    with serve(files) as preview:
        assert "more than Gmail shows" in preview.state()["mail"]["size_words"]


def test_before_the_first_mail_its_parts_are_not_there_yet(files: Any, serve: Any) -> None:
    files.write("issue.md", "---\nsubject: a: b\n---\n")
    with serve(files) as preview:
        state = preview.state()
        assert state["mail"] is None
        assert state["error"]["kind"] == "build"
        for path in ("/mail.html", "/mail.txt", "/media/x.jpg"):
            assert preview.get(path).status == 503


def test_a_symbolic_link_to_the_workspace_is_as_good(files: Any, serve: Any, tmp_path: Path) -> None:
    link = tmp_path / "link"
    link.symlink_to(files.root)
    with serve(type(files)(link)) as preview:
        files.edit("issue.md", "The ferry is ours", "The ferry is yours")
        preview.until(lambda s: s["mail"]["subject"].startswith("The ferry is yours"))
