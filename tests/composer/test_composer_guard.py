"""The composer answers its own pages in a browser that signed in here, and nobody else."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from newsletter.app.desk import open_desk
from newsletter.errors import ConfigurationError
from newsletter.web.composer.server import ComposerServer
from newsletter.web.composer.session import MOST_SESSIONS, Sessions

NEW = "date=2027-01-01"


@pytest.mark.parametrize(
    "host", ["evil.test", "127.0.0.1.evil.test", "localhost.evil.test:80", "", "192.0.2.1", "[::2]"]
)
def test_a_foreign_host_is_refused_also_with_a_session(standing: Any, host: str) -> None:
    """A name that an attacker points at 127.0.0.1 brings its own Host, and reads nothing."""
    answer = standing.get("/", Host=host)
    assert answer.status == 421
    assert "Estuary" not in answer.text


@pytest.mark.parametrize("host", ["127.0.0.1", "LOCALHOST:1", "[::1]:8024"])
def test_every_name_of_this_machine_is_answered(standing: Any, host: str) -> None:
    assert standing.get("/", Host=host).status == 200


@pytest.mark.parametrize(
    "headers",
    [
        {"Sec_Fetch_Site": "cross-site"},
        {"Sec_Fetch_Site": "same-site"},
        {"Sec_Fetch_Site": "none"},
        {"Sec_Fetch_Site": None, "Origin": "http://evil.test"},
        {"Sec_Fetch_Site": None, "Origin": "null"},
        {"Sec_Fetch_Site": None, "Origin": None},
    ],
)
def test_a_post_that_no_page_of_ours_made_changes_nothing(served: Any, headers: dict[str, Any]) -> None:
    """Sec-Fetch-Site decides; where a browser does not send it, Origin does; without both nothing is done."""
    assert served.form("/issues", NEW, **headers).status == 403
    assert not (served.root / "issues" / "2027-01-01").exists()


def test_a_post_of_our_own_page_works_also_in_a_browser_that_knows_only_origin(served: Any) -> None:
    assert served.form("/issues", NEW, Sec_Fetch_Site=None).status == 303
    assert (served.root / "issues" / "2027-01-01" / "issue.md").exists()


@pytest.mark.parametrize("cookie", [None, "newsletter_composer_0=x", "newsletter_composer_{port}=guess"])
@pytest.mark.parametrize("path", ["/", "/inbox", "/issues/2026-11-27", "/issues/2026-11-27/state", "/no-such-page"])
def test_a_browser_without_a_session_learns_nothing(standing: Any, path: str, cookie: str | None) -> None:
    """Neither the publication's name nor whether there is such a page."""
    standing.signed_in()
    port = standing.host.rpartition(":")[2]
    header = cookie.format(port=port) if cookie else None
    for accept in ("text/html", "application/json"):
        answer = standing.get(path, Cookie=header, Accept=accept)
        assert answer.status == 403
        assert "Estuary" not in answer.text and "ferry" not in answer.text
    assert standing.form("/issues", NEW, Cookie=header).status == 403


def test_the_key_works_once_and_the_cookie_is_out_of_reach_of_scripts_and_other_sites(served: Any) -> None:
    """The second browser gets another key, which the terminal shows."""
    path = served.server.entrance.removeprefix(served.url.rstrip("/"))
    first = served.ask("GET", path, known=False)
    cookie = first.headers["set-cookie"]
    assert {"httponly", "samesite=strict", "path=/"} <= {part.strip().lower() for part in cookie.split(";")}
    assert path.partition("=")[2] not in first.text
    again = served.ask("GET", path, known=False, Accept="text/html")
    assert again.status == 403 and "set-cookie" not in again.headers
    shown = next(line for line in served.said if "For another browser" in line)
    other = served.ask("GET", shown[shown.index("/enter") :], known=False)
    assert other.status == 200 and other.headers["set-cookie"].partition(";")[0] != cookie.partition(";")[0]
    # Who is in already and opens the used address again is not thrown out.
    assert served.ask("GET", path, known=False, Cookie=cookie.partition(";")[0]).status == 200


def test_old_sessions_make_room_for_new_ones() -> None:
    sessions = Sessions()
    entered = [sessions.enter(sessions.key) for _ in range(MOST_SESSIONS + 1)]
    assert not sessions.knows(entered[0])
    assert all(sessions.knows(each) for each in entered[1:])
    assert not sessions.knows("é") and not sessions.knows("") and not sessions.knows(None)


def test_every_answer_has_a_strict_policy(standing: Any) -> None:
    """Pages allow our own scripts and styles and no string as code; whatever is no page allows nothing at all."""
    page = standing.get("/", Accept="text/html").headers["content-security-policy"]
    assert "script-src 'self';" in page and "style-src 'self';" in page and "unsafe" not in page
    assert "require-trusted-types-for 'script'" in page and "trusted-types 'none'" in page
    assert "frame-ancestors 'none'" in page and "base-uri 'none'" in page
    for path in ("/static/base.css", "/issues/2026-11-27/state", "/nothing"):
        headers = standing.get(path).headers
        assert "default-src 'none'" in headers["content-security-policy"], path
        assert headers["x-content-type-options"] == "nosniff"
        assert "server" not in headers


@pytest.mark.parametrize(
    "path",
    [
        "/static/../server.py",
        "/static/%2e%2e/server.py",
        "/static/..%2fserver.py",
        "/static/mail/../../preview.py",
        "/static//etc/passwd",
        "/issues/..%2f..%2fnewsletter.toml",
        "/issues/%2e%2e/state",
        "/issues/.making/state",
        "/issues/2026-11-27/pictures/..%2fissue.md",
    ],
)
def test_no_path_leads_out_of_its_folder(standing: Any, path: str) -> None:
    answer = standing.get(path)
    assert answer.status in (400, 404, 422)
    assert "import" not in answer.text and "subject:" not in answer.text and "[sender]" not in answer.text


def test_a_body_over_the_limit_is_refused_before_it_is_read(served: Any) -> None:
    assert served.ask("POST", "/issues", b"", Content_Length=str(50_000_000)).status == 413


def test_no_secret_reaches_a_page_a_message_or_the_terminal(served: Any) -> None:
    """Keys of the installation, the session and the configuration's secrets stay where they are."""
    keys = (served.root / ".newsletter" / "keys.json").read_text(encoding="utf-8")
    secrets = [word for word in keys.split('"') if len(word) > 24]
    cookie = served.signed_in().partition("=")[2]
    (served.root / "newsletter.toml").write_text(
        '[provider.smtp]\npassword = "hunter2-in-the-clear"\n', encoding="utf-8"
    )
    said = []
    for path in ("/", "/inbox", "/nothing", "/issues/2026-11-27", "/issues/2026-11-27/state", "/enter?key=wrong"):
        answer = served.get(path, Accept="text/html")
        said.append(answer.text + str(answer.headers))
    heard = "\n".join([*said, *served.said])
    assert secrets and cookie
    for secret in [*secrets, cookie, "hunter2-in-the-clear"]:
        assert secret not in heard


def test_it_refuses_to_listen_off_this_machine_before_it_listens(root: Path) -> None:
    """As long as nobody can sign in, whoever reached the port would be the editor."""
    with open_desk(root) as desk:
        for host in ("0.0.0.0", "::", "192.0.2.7", "news.example.org"):
            with pytest.raises(ConfigurationError, match="this machine only"):
                ComposerServer(desk, host=host)


def test_a_bug_is_told_to_the_terminal_without_its_words(
    root: Path, compose: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: Any) -> Any:
        raise RuntimeError("a word that may be secret")

    monkeypatch.setattr("newsletter.web.composer.issues.list_issues", broken)
    with compose(root) as served:
        answer = served.get("/", Accept="text/html")
        assert answer.status == 500 and "secret" not in answer.text
        assert any("bug in newsletter (RuntimeError at" in line for line in served.said)
        assert not any("secret" in line for line in served.said)
