"""Signing in from another machine, what each role may do, and whose name the audit has."""

from __future__ import annotations

import email
import os
import re
import time
from collections.abc import Callable, Iterator
from email import policy
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest
from playwright.sync_api import expect

from newsletter.app.desk import open_desk
from newsletter.app.trail import read_trail
from newsletter.web.composer import server as server_module
from newsletter.web.composer.access import SAFE

ISSUE = "2026-11-27"
DESK = "desk.example.org"
PEOPLE = """
[composer]
url = "https://desk.example.org"
people = [
  {email = "maren@example.org", name = "Maren Holt", role = "publisher"},
  {email = "ines@example.org", name = "Ines Calder", role = "editor"},
]
"""
PROXY = 'user_header = "X-Forwarded-User"\ntrusted_proxies = ["127.0.0.1"]\n'


class Office:
    """A composer with people, as a browser reaches it through https at desk.example.org."""

    def __init__(self, served: Any) -> None:
        self.served = served

    @property
    def root(self) -> Path:
        return Path(self.served.root)

    def ask(self, method: str, path: str, body: str | None = None, cookie: str | None = None, **more: Any) -> Any:
        headers = {"Host": DESK, "Accept": "text/html", "Cookie": cookie, **more}
        if body is not None:
            headers.setdefault("Content_Type", "application/x-www-form-urlencoded")
        return self.served.ask(method, path, body, known=False, **headers)

    def mails(self) -> list[Any]:
        found = [p for p in (self.root / ".newsletter" / "outbox").rglob("*") if p.is_file() and p.parent.name == "new"]
        return [
            email.message_from_bytes(p.read_bytes(), policy=policy.default)
            for p in sorted(found, key=lambda p: p.stat().st_mtime_ns)
        ]

    def link(self) -> str:
        """The path of the newest mailed link."""
        text = self.mails()[-1].get_body(("plain",)).get_content()
        found = re.search(r"https?://[^/\s]+(/sign-in/\S+)", text)
        assert found, text
        return found[1]

    def begin(self, address: str) -> str:
        """Ask for a link; the cookie of the browser that asked."""
        before = len(self.mails())
        answer = self.ask("POST", "/sign-in", urlencode({"address": address}))
        assert answer.status == 200
        for _ in range(500):
            if len(self.mails()) > before:
                break
            time.sleep(0.02)
        return str(answer.headers["set-cookie"].partition(";")[0])

    def sign_in(self, address: str) -> str:
        """The cookie of a session."""
        browser = self.begin(address)
        entered = self.ask("POST", self.link(), "", cookie=browser)
        assert entered.status == 303, entered.text
        return str(entered.headers["set-cookie"].partition(";")[0])

    def write(self, old: str, new: str) -> None:
        path = self.root / "newsletter.toml"
        text = path.read_text(encoding="utf-8")
        assert old in text
        path.write_text(text.replace(old, new), encoding="utf-8")


@pytest.fixture
def office(root: Path, compose: Callable[..., Any]) -> Iterator[Office]:
    path = root / "newsletter.toml"
    path.write_text(path.read_text(encoding="utf-8") + PEOPLE, encoding="utf-8")
    with compose(root) as served:
        yield Office(served)


def test_a_known_and_an_unknown_address_get_the_same_answer(office: Office) -> None:
    """Who is on the list cannot be asked for."""
    known = office.ask("POST", "/sign-in", "address=maren%40example.org")
    other = office.ask("POST", "/sign-in", "address=mallory%40example.org")
    assert known.status == other.status == 200
    assert known.text.replace("maren@", "mallory@") == other.text
    assert known.headers.keys() == other.headers.keys()


@pytest.mark.parametrize("path", ["/sign-in", "/sign-in/x", "/sign-in/x/y", "/sign-in/../", "/static/none", "/nothing"])
def test_who_has_not_signed_in_learns_nothing_of_the_publication(office: Office, path: str) -> None:
    answer = office.ask("GET", path)
    assert answer.status in (200, 403, 404) and "Estuary" not in answer.text


def test_the_link_opens_nothing_by_itself_and_only_the_browser_that_asked_can_use_it_once(office: Office) -> None:
    browser = office.begin("maren@example.org")
    link = office.link()
    for _ in range(3):  # a scanner looks at every link in a mail
        assert office.ask("GET", link).status == 200
    assert office.ask("POST", link, "").status == 403
    assert office.ask("POST", link, "", cookie=browser, Sec_Fetch_Site="cross-site").status == 403
    entered = office.ask("POST", link, "", cookie=browser)
    assert (entered.status, entered.headers["location"]) == (303, "/")
    again = office.ask("POST", link, "", cookie=browser)
    assert again.status == 403 and "this link is used" in again.text


def test_cookies_are_out_of_reach_of_scripts_other_sites_and_plain_http(office: Office) -> None:
    answer = office.ask("POST", "/sign-in", "address=maren%40example.org")
    parts = {part.strip().lower() for part in answer.headers["set-cookie"].split(";")[1:]}
    assert {"httponly", "samesite=strict", "secure", "path=/"} <= parts
    assert answer.headers["set-cookie"].startswith("__Host-newsletter_asked_")


def test_who_may_what_is_decided_by_the_server_at_every_address_that_changes_something(office: Office) -> None:
    """The routes are those of the app: one that is added is asked about by itself."""
    editor, publisher = office.sign_in("ines@example.org"), office.sign_in("maren@example.org")
    seen = {"allowed": 0, "refused": 0}
    for route in office.served.server.composer.routes:
        for method in sorted((getattr(route, "methods", None) or set()) - SAFE):
            path = re.sub(r"\{(\w+)\}", lambda found: ISSUE if found[1] == "slug" else "x", route.path)
            if path.startswith("/sign"):
                continue
            answer = office.ask(method, path, "", cookie=editor)
            if not re.match(r"/(issues|inbox)", path) or re.search(r"/send/(?!test|correct)", path):
                assert answer.status == 403 and "Ines Calder is editor and may not" in answer.text, (method, path)
                seen["refused"] += 1
            else:
                assert answer.status != 403, (method, path)
                seen["allowed"] += 1
            assert office.ask(method, path, "", cookie=publisher).status != 403, (method, path)
            assert office.ask(method, path, "").status == 403, (method, path)
    assert seen["allowed"] > 8 and seen["refused"] > 5


def test_an_address_that_no_rule_names_is_for_publishers(office: Office) -> None:
    editor = office.sign_in("ines@example.org")
    for path in ("/settings", "/anything/at/all"):
        assert office.ask("POST", path, "", cookie=editor).status == 403


def test_an_editor_is_neither_shown_nor_let_into_the_audience_and_the_settings(office: Office) -> None:
    """Reports have numbers alone, and are for both."""
    editor, publisher = office.sign_in("ines@example.org"), office.sign_in("maren@example.org")
    for path in ("/audience", "/audience/import", "/settings", "/settings/theme", "/settings/trail"):
        assert office.ask("GET", path, cookie=editor).status == 403, path
        assert office.ask("GET", path, cookie=publisher).status == 200, path
    told = {who: office.ask("GET", "/", cookie=who).text for who in (editor, publisher)}
    for path in ("/audience", "/settings"):
        assert f'href="{path}"' not in told[editor] and f'href="{path}"' in told[publisher]
    assert office.ask("GET", f"/issues/{ISSUE}/report", cookie=editor).status == 423


def test_an_editor_sees_no_reader_by_address(office: Office) -> None:
    editor, publisher = office.sign_in("ines@example.org"), office.sign_in("maren@example.org")
    for path in ("/audience", "/audience/x", "/audience/import"):
        assert office.ask("GET", path, cookie=editor).status == 403
    for path in ("mail", "mail.html", "mail.txt"):
        address = f"/issues/{ISSUE}/{path}?as=zo%C3%AB%2Bweekly%40readers.test"
        assert office.ask("GET", address, cookie=editor).status == 403
        assert office.ask("GET", address, cookie=publisher).status == 200
    assert office.ask("GET", f"/issues/{ISSUE}/mail.html", cookie=editor).status == 200


def test_readers_are_offered_to_a_publisher_alone(office: Office) -> None:
    """Who is a reader is nobody's business but theirs who may see the audience."""
    editor, publisher = office.sign_in("ines@example.org"), office.sign_in("maren@example.org")
    refused = office.ask("POST", "/audience/names", "q=zo", cookie=editor)
    assert refused.status == 403 and "readers.test" not in refused.text
    assert "readers.test" in office.ask("POST", "/audience/names", "q=zo", cookie=publisher).text


def test_the_audit_has_the_name_of_who_did_it(office: Office) -> None:
    """The name comes from the sign-in, whatever the form says."""
    editor, publisher = office.sign_in("ines@example.org"), office.sign_in("maren@example.org")
    page = office.ask("GET", f"/issues/{ISSUE}/send", cookie=publisher).text
    seen = re.search(r'name="seen" value="([^"]+)"', page)
    assert seen
    added = urlencode({"address": "bo@readers.test", "basis": "by letter"})
    assert office.ask("POST", "/audience/add", added, cookie=publisher).status == 303
    test = urlencode({"token": "a" * 22, "to": "ines@example.org"})
    assert office.ask("POST", f"/issues/{ISSUE}/send/test", test, cookie=editor).status == 303
    form = {"token": "b" * 22, "seen": seen[1], "counted": "1", "when": "none", "name": "Somebody Else"}
    assert office.ask("POST", f"/issues/{ISSUE}/send/approve", urlencode(form), cookie=publisher).status == 303
    with open_desk(office.root) as desk:
        rows = [(row.event.action, row.event.actor) for row in read_trail(desk).rows]
    assert ("test", "Ines Calder") in rows and ("approve", "Maren Holt") in rows
    assert ("add a reader", "Maren Holt") in rows
    assert not any("Somebody" in actor for _, actor in rows)


def test_who_is_taken_out_of_the_file_is_out_and_a_changed_role_counts_at_once(office: Office) -> None:
    editor, publisher = office.sign_in("ines@example.org"), office.sign_in("maren@example.org")
    office.write('role = "editor"', 'role = "publisher"')
    assert office.ask("POST", f"/issues/{ISSUE}/send/pause", "token=" + "a" * 22, cookie=editor).status == 423
    office.write('  {email = "ines@example.org", name = "Ines Calder", role = "publisher"},\n', "")
    assert office.ask("GET", "/", cookie=editor).status == 403
    assert office.ask("GET", "/", cookie=publisher).status == 200


def test_signing_out_ends_the_session_and_not_only_the_cookie(office: Office) -> None:
    session = office.sign_in("maren@example.org")
    answer = office.ask("POST", "/sign-out", "", cookie=session)
    assert answer.status == 200 and "Max-Age=0" in answer.headers["set-cookie"]
    assert office.ask("GET", "/", cookie=session).status == 403


def test_an_old_session_token_is_changed_and_the_answer_brings_the_new_one(office: Office) -> None:
    session = office.sign_in("maren@example.org")
    with open_desk(office.root) as desk, desk.store.write() as conn:
        conn.exec_driver_sql("UPDATE session SET rotated_at = rotated_at - 3700000000")
    answer = office.ask("GET", "/", cookie=session)
    fresh = answer.headers["set-cookie"].partition(";")[0]
    assert answer.status == 200 and fresh != session
    assert office.ask("GET", "/", cookie=fresh).status == 200


def test_a_proxy_is_believed_only_from_its_address_and_only_once(office: Office) -> None:
    office.write('url = "https://desk', PROXY + 'url = "https://desk')
    assert office.ask("GET", "/", X_Forwarded_User="maren@example.org").status == 200
    assert office.ask("GET", "/", X_Forwarded_User="mallory@example.org").status == 403
    assert office.ask("GET", "/", X_Forwarded_User="maren@example.org, ines@example.org").status == 403
    refused = office.ask("POST", f"/issues/{ISSUE}/send/approve", "", X_Forwarded_User="ines@example.org")
    assert refused.status == 403 and "ask Maren Holt" in refused.text
    office.write('["127.0.0.1"]', '["192.0.2.1"]')
    assert office.ask("GET", "/", X_Forwarded_User="maren@example.org").status == 403


def test_behind_a_named_proxy_each_network_has_links_of_its_own(office: Office) -> None:
    """Who asks too often from one address gets no more mail, however they write the header; their neighbour does."""

    def asks(address: str, passed: str) -> bool:
        before = len(office.mails())
        body = urlencode({"address": address})
        assert office.ask("POST", "/sign-in", body, X_Forwarded_For=passed).status == 200
        deadline = time.monotonic() + 1.5
        while time.monotonic() < deadline and len(office.mails()) == before:
            time.sleep(0.02)
        return len(office.mails()) > before

    office.write('url = "https://desk', 'trusted_proxies = ["127.0.0.1"]\nurl = "https://desk')
    for n in range(20):
        office.ask("POST", "/sign-in", f"address=nobody{n}%40example.org", X_Forwarded_For=f"192.0.2.{n}, 203.0.113.9")
    assert not asks("maren@example.org", "203.0.113.9")
    assert not asks("maren@example.org", "198.51.100.1, 203.0.113.9")
    assert asks("maren@example.org", "203.0.113.10")
    office.write('["127.0.0.1"]', '["192.0.2.1"]')
    assert asks("ines@example.org", "203.0.113.9")


@pytest.mark.parametrize("host", ["evil.test", "desk.example.org.evil.test", "example.org", ""])
def test_the_name_of_the_url_is_ours_and_no_other(office: Office, host: str) -> None:
    assert office.ask("GET", "/sign-in", Host=host).status == 421
    assert office.ask("GET", "/sign-in", Host=f"{DESK}:443").status == 200


def test_without_the_fetch_header_only_the_origin_with_https_is_ours(office: Office) -> None:
    for origin, status in ((f"https://{DESK}", 200), (f"http://{DESK}", 403), ("https://evil.test", 403), (None, 403)):
        answer = office.ask("POST", "/sign-in", "address=a%40b.test", Sec_Fetch_Site=None, Origin=origin)
        assert answer.status == status, origin


def test_a_broken_file_lets_nobody_in_and_tells_them_nothing(office: Office) -> None:
    session = office.sign_in("maren@example.org")
    office.write("[composer]", 'secret_word = "hunter2"\n[composer]')
    answer = office.ask("GET", "/", cookie=session)
    assert answer.status == 503 and "hunter2" not in answer.text and "secret_word" not in answer.text


def test_off_this_machine_no_printed_key_lets_anybody_in(
    root: Path, compose: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where others reach the port, people sign in; without people it does not start."""
    path = root / "newsletter.toml"
    path.write_text(path.read_text(encoding="utf-8") + PEOPLE, encoding="utf-8")
    monkeypatch.setattr(server_module, "is_loopback", lambda _: False)
    with compose(root) as served:
        key = served.server.entrance.partition("enter")[2]
        found = Office(served).ask("GET", f"/enter{key}")
        assert found.status == 403 and "set-cookie" not in found.headers
        assert not any("enter?key" in line for line in served.said)


@pytest.mark.chromium
def test_signing_in_by_mail_in_a_browser_and_what_an_editor_sees(
    root: Path, compose: Callable[..., Any], browser: Any, axe: str, tmp_path: Path
) -> None:
    """The whole way, by localhost; what an editor may not do is explained and names whom to ask."""
    shots = os.environ.get("COMPOSER_SHOTS")
    path = root / "newsletter.toml"
    plain = path.read_text(encoding="utf-8")
    path.write_text(plain + PEOPLE.replace("https://desk.example.org", "http://localhost:1"), encoding="utf-8")
    with compose(root) as served:
        office = Office(served)
        base = f"http://localhost:{served.host.rpartition(':')[2]}"
        path.write_text(plain + PEOPLE.replace("https://desk.example.org", base), encoding="utf-8")
        for address, role in (("ines@example.org", "editor"), ("maren@example.org", "publisher")):
            context = browser.new_context(viewport={"width": 1280 if role == "editor" else 390, "height": 800})
            page = context.new_page()
            errors: list[str] = []
            page.on("console", lambda said, errors=errors: errors.append(said.text) if said.type == "error" else None)

            def look(name: str, page: Any = page, role: str = role) -> None:
                page.evaluate(axe)
                found = page.evaluate("axe.run(document, {iframes: false})")
                assert [(v["id"], [n["html"] for n in v["nodes"]]) for v in found["violations"]] == []
                if shots:
                    page.screenshot(path=f"{shots}/{name}-{role}.png", full_page=True)

            page.goto(base)
            look("sign-in")
            page.get_by_label("Your address").fill(address)
            before = len(office.mails())
            page.get_by_role("button", name="Send me a link").click()
            expect(page.locator("h1")).to_have_text("Look at your mail")
            look("sent")
            while len(office.mails()) == before:
                page.wait_for_timeout(20)
            page.goto(base + office.link())
            look("press")
            page.get_by_role("button", name="Sign in").click()
            expect(page.locator(".who")).to_contain_text(role)
            page.goto(f"{base}/issues/{ISSUE}/send")
            expect(page.locator("#count")).to_have_text("1 reader")
            if role == "editor":
                expect(page.locator(".locked").last).to_contain_text(
                    "You are editor. Approving an issue is for a publisher: ask Maren Holt"
                )
                expect(page.locator("#approve-button")).to_be_disabled()
            else:
                expect(page.locator("#approve-button")).to_be_enabled()
                expect(page.locator(".signer")).to_have_text("Approved by Maren Holt")
            look("send")
            page.goto(f"{base}/issues/{ISSUE}")
            expect(page.locator("body[data-ready]")).to_be_attached()
            look("compose")
            page.goto(base)
            page.get_by_role("button", name="Sign out").click()
            expect(page.locator("h1")).to_have_text("Signed out")
            look("out")
            assert [error for error in errors if "status of 403" not in error] == []
            context.close()
