"""``article add URL``: from a real server to the inbox and into an issue."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from tests.net.net_servers import say, serving

Run = Callable[..., Any]

PAGE = """<!doctype html><html lang="en-GB"><head><meta charset="utf-8"><title>The lamp is back | Quay Post</title>
<meta property="og:site_name" content="Quay Post"><meta property="og:title" content="The lamp is back">
<meta name="author" content="Ada Reyes"><meta property="article:published_time" content="2026-11-20T07:00:00Z">
<meta name="description" content="It is a new one, and it burns. The office is not used to it.">
<meta property="og:image" content="/lamp.png"></head><body><main><article><h1>The lamp is back</h1>
<div class="article-body"><p>The lamp in the harbour office burns again, after a year of candles.</p>
<p>It hangs lower than the old one, and two clerks have been given hats.</p></div></article></main></body></html>"""


def lamp() -> bytes:
    out = io.BytesIO()
    Image.new("RGB", (640, 400), "#334455").save(out, "PNG")
    return out.getvalue()


@pytest.fixture
def web(weekly: Path) -> Iterator[Any]:
    """A news site on loopback, which the workspace allows."""
    config = weekly / "newsletter.toml"
    text = config.read_text(encoding="utf-8")
    text = (
        text.replace("[images]\n", '[images]\nallow_hosts = ["127.0.0.1"]\n')
        if "[images]" in text
        else (text + '\n[images]\nallow_hosts = ["127.0.0.1"]\n')
    )
    config.write_text(text, encoding="utf-8")

    def answer(handler: Any) -> None:
        path = handler.path.partition("?")[0]
        if path == "/lamp":
            say(handler, PAGE.encode(), content_type="text/html; charset=utf-8")
        elif path == "/lamp.png":
            say(handler, lamp(), content_type="image/png")
        elif path == "/short":
            say(handler, b"", 302, location="/lamp?utm_source=x")
        elif path == "/feed":
            say(handler, b"<?xml version='1.0'?><rss version='2.0'><channel/></rss>", content_type="text/html")
        elif path == "/closed":
            say(handler, b"no", 403)
        else:
            say(handler, b"gone", 404)

    with serving(answer) as server:
        server.home = f"http://127.0.0.1:{server.server_address[1]}"
        yield server


def test_a_page_is_added_with_its_picture_and_picked_at_once(run: Run, web: Any, weekly: Path) -> None:
    run("issue", "new", "2026-11-27")
    added = run("article", "add", f"{web.home}/short", "--issue", "2026-11-27")
    assert "The lamp is back" in added.out
    assert "guessed, look at it: standfirst" in added.err
    fields = run("article", "show", "the-lamp-is-back", "--json").json["fields"]
    assert fields["byline"] == {"value": "Ada Reyes", "from": "meta author", "confirmed": True}
    assert fields["published"]["value"] == "2026-11-20T07:00:00Z"
    assert fields["link"]["value"] == f"{web.home}/lamp"
    assert fields["standfirst"]["confirmed"] is False
    assert fields["image.file"]["value"] == "the-lamp-is-back.png"
    assert (weekly / "issues" / "2026-11-27" / "images" / "the-lamp-is-back.png").is_file()
    assert "already" in run("article", "add", f"{web.home}/lamp").out


def test_a_guess_is_confirmed_in_the_inbox_and_in_the_issue(run: Run, web: Any, weekly: Path) -> None:
    """Before: a finding that names the command. The command: the finding is gone, every other byte stays."""
    run("issue", "new", "2026-11-27")
    run("article", "add", f"{web.home}/lamp", "--issue", "2026-11-27")
    command = ("article", "set", "the-lamp-is-back", "--confirm", "standfirst", "--issue", "2026-11-27")
    found = run("check", "2026-11-27", code=None).out
    assert " ".join(("newsletter", *command)) in " ".join(found.split())
    story = weekly / "issues" / "2026-11-27" / "the-lamp-is-back.md"
    before = story.read_text(encoding="utf-8")
    assert "confirmed standfirst" in run(*command).out
    after = story.read_text(encoding="utf-8")
    assert [a for a, b in zip(before.splitlines(), after.splitlines(), strict=True) if a != b] == [
        "  standfirst: {from: description, confirmed: false}"
    ]
    assert "nobody has confirmed" not in run("check", "2026-11-27", code=None).out
    shown = run("article", "show", "the-lamp-is-back")
    assert "description, unconfirmed" in shown.out
    assert "--confirm standfirst" in shown.err
    assert "confirmed standfirst" in run("article", "set", "the-lamp-is-back", "--confirm", "all").out
    assert "nothing waits" in run("article", "set", "the-lamp-is-back", "--confirm", "all").out
    assert "not marked as unconfirmed" in run("article", "set", "the-lamp-is-back", "--confirm", "byline", code=65).err
    run("article", "set", "the-lamp-is-back", "kicker=X", "--confirm", "all", "--issue", "2026-11-27", code=2)
    run("article", "set", "nobody", "--confirm", "all", "--issue", "2026-11-27", code=65)


@pytest.mark.parametrize(
    ("path", "code", "words"),
    [
        ("/feed", 65, "newsletter source add"),
        ("/closed", 69, "save the page"),
        ("/nothing", 69, "no such page"),
        ("/lamp.png", 65, "this is a picture"),
    ],
)
def test_what_is_no_story_is_refused_with_what_to_do(run: Run, web: Any, path: str, code: int, words: str) -> None:
    assert words in run("article", "add", f"{web.home}{path}", code=code).err
    assert "inbox is empty" in run("article", "list").out


def test_a_page_on_a_private_network_is_not_fetched_unless_it_is_listed(run: Run, weekly: Path) -> None:
    assert "private or reserved" in run("article", "add", "http://127.0.0.1/", code=69).err
    assert "begins with https://" in run("article", "add", "www.quay.example/lamp", code=65).err


def test_a_program_gets_every_field_from_add_and_from_show(run: Run, web: Any, weekly: Path, tmp_path: Path) -> None:
    """Each by its name, null where there is none, with the Markdown and where it came from; a saved page alike."""
    (added,) = run("article", "add", f"{web.home}/lamp", "--json").json["articles"]
    story = added["article"]
    assert set(story) == {
        "headline", "kicker", "standfirst", "teaser", "byline", "agency", "published", "link", "link_text", "lang",
        "section", "sponsor", "tags", "image", "body", "origin", "provenance",
    }  # fmt: skip
    assert (story["headline"], story["byline"]) == ("The lamp is back", "Ada Reyes")
    assert (story["published"], story["link"]) == ("2026-11-20T07:00:00Z", f"{web.home}/lamp")
    assert (story["kicker"], story["section"]) == (None, None)
    assert isinstance(story["tags"], list)
    assert story["image"]["file"] == "the-lamp-is-back.png"
    assert story["image"]["url"] == f"{web.home}/lamp.png"
    assert story["provenance"]["byline"] == {"from": "meta author", "confirmed": True}
    assert story["provenance"]["standfirst"]["confirmed"] is False
    assert "lamp" in story["body"]
    assert run("article", "show", added["slug"], "--json").json["article"] == story
    saved = tmp_path / "saved.html"
    named = PAGE.replace("</head>", '<link rel="canonical" href="https://quaypost.example/lamp"></head>')
    named = named.replace("The lamp is back", "The lamp is out").replace("</body>", f"{' ' * 9000}</body>")
    saved.write_text(named, encoding="utf-8")
    (filed,) = run("article", "add", str(saved), "--json").json["articles"]
    same = ("standfirst", "byline", "published", "lang")
    assert {name: filed["article"][name] for name in same} == {name: story[name] for name in same}
    (again,) = run("article", "add", f"{web.home}/lamp", "--json").json["articles"]
    assert again["already"] is True
    assert again["article"]["headline"] == "The lamp is back"
