"""The web copy of an issue and its pictures: public when the mail is, the same for everybody, nothing else."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import pytest

from newsletter.app.approve import approve_issue, unapprove_issue
from newsletter.app.desk import open_desk
from newsletter.delivery import mailings
from newsletter.store.clock import now_us
from newsletter.workspace.create import create_demo
from tests.public.kit import Served, serve

ISSUE = "2026-11-27"
COPY = f"/v/{ISSUE}"


def pictures(site: Served) -> list[str]:
    return sorted(path.name for path in (site.root / ".newsletter" / "media").iterdir())


def test_the_web_copy_is_the_approved_mail_without_anything_personal(site: Served) -> None:
    """Defaults for names, links that unsubscribe nobody, pictures from here; not one token of ours is left."""
    page = site.ask(COPY)
    assert page.status == 200
    assert 'Good morning <span dir="auto">reader</span>' in page.text
    assert "Passengers buy the last ferry" in page.text
    assert not re.search(r"nlf[0-9]{4}q", page.text)
    assert "v1." not in page.text
    assert page.text.count('href="/u/copy"') == 2
    assert f'href="{COPY}"' in page.text
    shown = set(re.findall(r'src="([^"]+)"', page.text))
    assert shown and shown == {f"/m/{name}" for name in pictures(site)} & shown
    for src in sorted(shown):
        assert site.ask(src).status == 200


def test_the_web_copy_runs_nothing_and_is_not_indexed(site: Served) -> None:
    headers = site.ask(COPY).headers
    policy = headers["content-security-policy"]
    assert policy.startswith("default-src 'none'; style-src 'unsafe-inline'; img-src 'self';")
    assert "script-src" not in policy
    assert "frame-ancestors 'none'" in policy
    assert headers["x-robots-tag"] == "noindex"
    assert headers["cache-control"] == "no-cache"


def test_a_web_copy_that_the_browser_has_is_not_sent_again(site: Served) -> None:
    tag = site.ask(COPY).headers["etag"]
    for known in (tag, f'"x", W/{tag}', "*"):
        again = site.ask(COPY, headers={"If-None-Match": known})
        assert (again.status, again.body) == (304, b"")
        assert again.headers["etag"] == tag
    assert site.ask(COPY, headers={"If-None-Match": '"other"'}).status == 200


@pytest.mark.parametrize(
    "path", ["/v/2026-11-28", "/v/..", "/v/%2e%2e%2fnewsletter.toml", "/v/" + "a" * 300, "/v/A%00b", "/v/", "/v"]
)
def test_what_is_no_public_issue_is_one_page(site: Served, path: str) -> None:
    answer = site.ask(path)
    assert answer.status == 404
    assert answer.body == site.ask("/v/nothing").body
    assert "There is nothing here" in answer.text


def test_an_issue_is_public_when_its_mail_is_due_and_not_before(tmp_path: Path) -> None:
    """Slugs are dates, and news can be embargoed: neither approved, nor scheduled, nor unapproved issues are shown."""
    root = create_demo(tmp_path / "ws").root
    with open_desk(root) as desk:
        assert desk.store
    with serve(root) as site:
        assert site.ask(COPY).status == 404, "a draft"
        with open_desk(root) as desk:
            approve_issue(desk, ISSUE, send_at=None)
            assert site.ask(COPY).status == 404, "approved, and nobody has said when"
            unapprove_issue(desk, ISSUE)
            approved = approve_issue(desk, ISSUE, send_at="2099-01-01 07:00")
            assert site.ask(COPY).status == 404, "scheduled"
            assert approved.mailing
            with desk.store.write() as conn:
                conn.exec_driver_sql("update mailing set send_at = ?", (now_us() - 1,))
            assert site.ask(COPY).status == 200, "due"
            unapprove_issue(desk, ISSUE)
            assert site.ask(COPY).status == 404, "taken back"
            approve_issue(desk, ISSUE, send_at="now")
            mailings.cancel(desk.store, ISSUE, actor="test", now=now_us())
            assert site.ask(COPY).status == 404, "cancelled before anybody got it"
            with desk.store.write() as conn:
                conn.exec_driver_sql("update mailing set planned = 5")
            assert site.ask(COPY).status == 200, "cancelled half-way: some have the link"


def test_bytes_that_are_not_the_approved_ones_are_not_shown(workspace: Path) -> None:
    """A file that somebody changed on the disk is not what the editor approved."""
    with serve(workspace) as site:
        assert site.ask(COPY).status == 200
        html = workspace / "issues" / ISSUE / "approved" / "email.html"
        html.write_bytes(html.read_bytes().replace(b"ferry", b"fairy"))
        assert site.ask(COPY).status == 404


def test_pictures_of_other_servers_are_the_only_ones_that_the_policy_adds(workspace: Path) -> None:
    """By origin, from the frozen bytes."""
    from newsletter.app.webcopy import web_copy

    with open_desk(workspace) as desk:
        assert web_copy(desk, ISSUE).pictures == ()
        folder = workspace / "issues" / ISSUE / "approved"
        html = (folder / "email.html").read_text()
        more = '<img src="https://Pictures.example.org:8443/a.jpg"><i style="background:url(\'https://b.example/x\')">'
        approval = folder / "approval.json"
        from newsletter.workspace.files import sha256_hex

        changed = html.replace("</body>", f"{more}</body>")
        approval.write_text(approval.read_text().replace(sha256_hex(html.encode()), sha256_hex(changed.encode())))
        (folder / "email.html").write_text(changed)
        assert web_copy(desk, ISSUE).pictures == ("https://b.example", "https://pictures.example.org:8443")


def test_a_picture_is_kept_for_a_year_and_shown_on_any_page(site: Served) -> None:
    """Its name is made of its bytes; webmail shows it on pages of another origin."""
    name = pictures(site)[0]
    answer = site.ask(f"/m/{name}")
    assert answer.status == 200
    assert answer.body == (site.root / ".newsletter" / "media" / name).read_bytes()
    assert answer.headers["content-type"] == {"jpg": "image/jpeg", "png": "image/png"}[name.rpartition(".")[2]]
    assert answer.headers["cache-control"] == "public, max-age=31536000, immutable"
    assert answer.headers["cross-origin-resource-policy"] == "cross-origin"
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["etag"] == f'"{name.partition(".")[0]}"'
    assert site.ask(f"/m/{name}", headers={"If-None-Match": answer.headers["etag"]}).status == 304
    head = site.ask(f"/m/{name}", method="HEAD")
    assert (head.status, head.body, head.headers["content-length"]) == (200, b"", str(len(answer.body)))
    part = site.ask(f"/m/{name}", headers={"Range": "bytes=0-9"})
    assert (part.status, part.body) == (206, answer.body[:10])
    assert site.ask(f"/m/{name}", headers={"Range": "bytes=9999999-"}).status == 416
    assert site.ask(f"/m/{name}", method="POST", body="x").status == 405


def test_nothing_but_pictures_by_their_names_leaves_the_folder(workspace: Path) -> None:
    """No path out of it, no link, no other file in it, no folder."""
    media = workspace / ".newsletter" / "media"
    (media / "notes.txt").write_text("private")
    (media / "0123456789abcdef.html").write_text("<script>")
    (media / "0123456789abcde0.png").symlink_to(workspace / "newsletter.toml")
    (media / "0123456789abcde1.png").mkdir()
    shutil.copy(workspace / "newsletter.toml", media / ".0123456789abcde2.png.1.tmp")
    with serve(workspace) as site:
        names = [
            "notes.txt", "0123456789abcdef.html", "0123456789abcde0.png", "0123456789abcde1.png",
            ".0123456789abcde2.png.1.tmp", "../keys.json", "..%2fkeys.json", "%2e%2e/newsletter.db", "..%5ckeys.json",
            "%2fetc%2fpasswd", "0123456789ABCDEF.png", "0123456789abcde3.png", "", ".", "..",
            "0123456789abcde3.png%00.jpg",
            "0123456789abcde0.png%0a",
        ]  # fmt: skip
        for name in names:
            answer = site.ask(f"/m/{name}")
            assert answer.status == 404, name
            assert b"private" not in answer.body and b"secret" not in answer.body


def test_the_pages_work_under_the_path_of_the_site_whether_the_proxy_strips_it_or_not(workspace: Path) -> None:
    """site.url = https://…/letters: with and without the prefix each address is the same page, and links have it."""
    config = workspace / "newsletter.toml"
    with serve(workspace) as site:
        ada = site.reader("ada@readers.test")
        config.write_text(config.read_text().replace("https://estuary.example", "https://paper.example/letters"))
        for prefix in ("/letters", ""):
            assert site.ask(f"{prefix}{ada.unsubscribe}").status == 200
            page = site.ask(f"{prefix}{COPY}").text
            assert 'href="/letters/u/copy"' in page
            (src, *_) = re.findall(r'src="(/letters/m/[^"]+)"', page)
            assert site.ask(src).status == 200
            assert site.ask(src.removeprefix("/letters")).status == 200
            left = site.press(f"{prefix}{ada.unsubscribe}", "unsubscribe").text
            assert f'action="/letters{ada.preferences}"' in left
            assert site.ask(f"{prefix}/health").status == 200
        assert site.ask("/lettersx/health").status == 404
        assert site.ask(f"{ada.unsubscribe}/").status == 200, "a slash too many is no reason"
