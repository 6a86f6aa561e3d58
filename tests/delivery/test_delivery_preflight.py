"""Preflight: what readers will ask our servers for is asked before the first mail, of real servers."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from functools import partial
from types import SimpleNamespace
from typing import Any

import msgspec
import pytest

from newsletter.app.desk import Desk
from newsletter.app.preflight import preflight
from newsletter.app.webcopy import web_copy
from newsletter.delivery import installation, mailings
from newsletter.delivery.run_due import run_due, run_mailing
from newsletter.errors import BadData, GuardRefused, NotFound
from newsletter.message.links import read_token
from newsletter.net.fetch import Policy, Request, ask
from newsletter.workspace.settings import Schedule
from tests.net.net_servers import say, serving

SLUG = "2026-11-27"
PICTURE = b"\xff\xd8" + bytes(range(256)) * 8
ONCE = (0.0,)


@dataclass
class Site:
    """Public pages as they should be; ``wrong`` maps (method, start of the path) to (status, body) instead."""

    keys: Any
    wrong: dict[tuple[str, str], tuple[int, bytes]] = field(default_factory=dict)
    asked: list[tuple[str, str, bytes]] = field(default_factory=list)
    url: str = ""

    def answer(self, handler) -> None:
        body = handler.rfile.read(int(handler.headers.get("content-length", 0)))
        self.asked.append((handler.command, handler.path, body))
        for (method, start), (status, instead) in self.wrong.items():
            if handler.command == method and handler.path.startswith(start):
                extra = {"location": f"{self.url}/u/test"} if status in (301, 308) else {}
                return say(handler, instead, status, **extra)
        return say(handler, *self.right(handler.command, handler.path))

    def right(self, method: str, path: str) -> tuple[bytes, int]:
        kind, _, name = path.removeprefix("/").partition("/")
        if (kind, name, method) == ("m", "tide.jpg", "GET"):
            return PICTURE, 200
        if kind == "v":
            return b"<p>copy", 200 if name == SLUG else 404
        if kind == "u":
            try:
                known = name == "test" or bool(read_token(name, "unsubscribe", self.keys))
            except BadData:
                known = False
            return b"<p>page", 200 if known else 404
        return b"", 404


@pytest.fixture
def site(bench) -> Iterator[Site]:
    site = Site(bench.keys)
    with serving(site.answer) as server:
        site.url = f"http://127.0.0.1:{server.server_port}"
        yield site


@pytest.fixture
def desk(bench) -> SimpleNamespace:
    bench.readers(2)
    return SimpleNamespace(config=bench.config, keys=bench.keys, store=bench.store)


@pytest.fixture
def approval(bench, site):
    """Approved with one hosted picture and one inside the mail."""
    made = bench.approve(site=site.url)
    (made.folder / "media" / "tide.jpg").write_bytes(PICTURE)
    images = (("media/tide.jpg", f"{site.url}/m/tide.jpg", "image/jpeg"), ("media/x.jpg", "cid:x", "image/jpeg"))
    return replace(made, images=images)


def test_pages_that_are_right_are_asked_once_and_nothing_is_said(bench, site, desk, approval) -> None:
    """One-click as mail programs do it (RFC 8058), the web copy, the picture, one reader's own link."""
    preflight(desk, approval)
    assert ("POST", "/u/test", b"List-Unsubscribe=One-Click") in site.asked
    assert ("GET", f"/v/{SLUG}", b"") in site.asked
    assert ("GET", "/m/tide.jpg", b"") in site.asked
    signed = [(method, path) for method, path, _ in site.asked if path.startswith("/u/v1.unsubscribe.")]
    assert [method for method, _ in signed] == ["GET"], "a reader's link is looked at, never pressed"
    assert len(site.asked) == 5


@pytest.mark.parametrize(
    ("where", "instead", "words", "fix"),
    [
        (("GET", "/m/"), (404, b""), "/m/tide.jpg answers 404", "media publish"),
        (("GET", "/m/"), (200, PICTURE[:-1]), "not the approved one (2,049 bytes instead of 2,050)", "media publish"),
        (("GET", "/m/"), (200, b"\0" + PICTURE[1:]), "not the approved one (others)", "media publish"),
        (("GET", "/v/"), (403, b""), "the web copy http", "web copy"),
        (("POST", "/u/test"), (405, b""), "POST http", "serve --public"),
        (("POST", "/u/test"), (502, b""), "/u/test answers 502", "serve --public"),
        (("POST", "/u/test"), (308, b""), "redirected", "serve --public"),
        (("POST", "/u/pre"), (200, b""), "that nobody signed", "serve --public"),
        (("GET", "/u/v1"), (404, b""), "a reader's own unsubscribe link", "with its keys"),
        (("GET", "/u/v1"), (301, b""), "a reader's own unsubscribe link", "with its keys"),
    ],
)
def test_what_is_broken_is_named_with_its_fix(desk, site, approval, where, instead, words: str, fix: str) -> None:
    """Each alone stops the mailing."""
    site.wrong[where] = instead
    with pytest.raises(GuardRefused) as refused:
        preflight(desk, approval, pauses=ONCE)
    assert words in refused.value.what
    assert fix in (refused.value.fix or "")
    assert f"newsletter resume {SLUG}" in (refused.value.fix or "")
    assert "v1.unsubscribe" not in str(refused.value), "a reader's link is a secret"


def test_a_server_that_is_not_there_is_said_and_a_long_list_is_cut(desk, site, approval) -> None:
    """Nobody listens on that port; of four things three are named."""
    gone = replace(approval, facts=replace(approval.facts, site_url="http://127.0.0.1:9"))
    with pytest.raises(GuardRefused, match=r"gives no answer \(no connection to 127\.0\.0\.1:9"):
        preflight(desk, gone, pauses=ONCE)
    site.wrong = {("GET", "/"): (500, b""), ("POST", "/u/test"): (500, b"")}
    with pytest.raises(GuardRefused, match=r"; and 1 more$|; and 1 more\n"):
        preflight(desk, approval, pauses=ONCE)


def test_a_hiccup_is_asked_again_and_only_that(desk, site, approval) -> None:
    """503 once, then fine: the mailing goes, and what was right was not asked twice."""
    right = site.right
    hiccups = [(b"", 503)]
    site.right = lambda method, path: hiccups.pop() if path.startswith("/v/") and hiccups else right(method, path)
    preflight(desk, approval, pauses=(0.0, 0.0))
    assert sum(path.startswith("/v/") for _, path, _ in site.asked) == 2
    assert len(site.asked) == 6


def test_nothing_is_asked_when_it_is_off_or_there_is_no_site(bench, desk, site, approval) -> None:
    """``[schedule] preflight = false``."""
    site.wrong[("GET", "/")] = (500, b"")
    preflight(desk, replace(approval, facts=replace(approval.facts, site_url=None)))
    desk.config = msgspec.structs.replace(bench.config, schedule=Schedule(preflight=False))
    preflight(desk, approval)
    assert site.asked == []


def test_a_failure_holds_the_mailing_before_anybody_is_planned_and_resume_asks_again(
    bench, scripted, desk, site, approval
) -> None:
    """Held with the reason; nothing left; put right and resumed, it goes out."""
    adopted = installation.adopt(bench.ws, bench.store, actor="ada", now=bench.clock.us)
    bench.config = msgspec.structs.replace(bench.config, sender_installation=adopted.installation.id)
    bench.scheduled(slug="2026-12-04", site="https://estuary.test")
    provider = scripted(local=False)

    def asks(_approval) -> None:
        preflight(desk, approval, pauses=ONCE)

    site.wrong[("GET", "/m/")] = (404, b"")
    run = run_due(bench.work(provider, preflight=asks)).runs[0]
    assert (run.state, run.counts, provider.batches) == ("held", {}, [])
    assert bench.mailing("2026-12-04").reason.startswith("guard: readers would find something broken: the picture")
    site.wrong.clear()
    mailings.resume(bench.store, "2026-12-04", actor="ada", now=bench.clock.us)
    asked = len(site.asked)
    assert run_due(bench.work(provider, preflight=asks)).runs[0].counts == {"submitted": 2}
    assert len(site.asked) > asked


@pytest.mark.parametrize("way", ["run-due", "after the undo window", "send before its time", "held and resumed"])
def test_the_web_copy_is_public_whenever_preflight_asks_for_it(bench, scripted, way: str) -> None:
    """It is shown from the mailing's time on, and preflight asks just before the first mail: never too early."""
    bench.readers(2)
    adopted = installation.adopt(bench.ws, bench.store, actor="ada", now=bench.clock.us)
    schedule = msgspec.structs.replace(bench.config.schedule, undo="5m" if "undo" in way or "send" in way else "0m")
    bench.config = msgspec.structs.replace(bench.config, sender_installation=adopted.installation.id, schedule=schedule)
    bench.clock.us = 4_000_000_000_000_000  # beyond the real clock, by which web_copy tells whether a time has come
    bench.scheduled(slug="2026-12-04", site="https://estuary.test")
    desk = Desk(bench.ws)
    desk.config, desk.keys, desk.store = bench.config, bench.keys, bench.store
    with pytest.raises(NotFound):
        web_copy(desk, "2026-12-04")
    seen: list[str] = []
    provider = scripted(local=False)
    work = bench.work(provider, preflight=lambda approval: seen.append(web_copy(desk, approval.issue).html))
    if way == "held and resumed":
        mailings.hold(bench.store, bench.mailing("2026-12-04"), "guard", "x", bench.clock.us)
        mailings.resume(bench.store, "2026-12-04", actor="ada", now=bench.clock.us)
    if "send" in way:
        run_mailing(work, bench.mailing("2026-12-04"))
    else:
        bench.clock.pass_by(301 if "undo" in way else 0)
        run_due(work)
    assert len(seen) == 1 and "<p>" in seen[0]
    assert bench.states("2026-12-04") == {"submitted": 2}


def test_the_outbox_needs_no_preflight(bench, scripted) -> None:
    """Nothing leaves this machine."""
    bench.readers(1)
    bench.scheduled()
    wrong = partial(pytest.fail, "asked")
    assert run_due(bench.work(scripted(), preflight=lambda _approval: wrong())).runs[0].state == "completed"


def test_a_request_can_have_a_body(site) -> None:
    """With its length, as servers want it."""
    policy = Policy(allow_hosts=("127.0.0.1",))
    assert ask(f"{site.url}/u/test", policy, Request("POST", body=b"a=b")).status == 200
    assert site.asked == [("POST", "/u/test", b"a=b")]
