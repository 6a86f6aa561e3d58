"""What the preview answers about clients over a real socket, and ``preview --client``."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import quote

import pytest

import newsletter.web.serving as serving_module
from newsletter.app.clients import CLIENTS
from newsletter.cli.boundary import guarded
from newsletter.cli.group import newsletter

ISSUE = "2026-11-27"
READER = quote("zoë+weekly@readers.test")


@pytest.mark.parametrize("client", CLIENTS, ids=lambda client: client.name)
def test_each_client_has_its_mail_with_the_readers_values_and_served_pictures(standing: Any, client: Any) -> None:
    answer = standing.get(f"/mail.html?client={client.name}&as={READER}")
    assert answer.status == 200
    assert "Zoë &lt;b&gt;" in answer.text.replace("&#235;", "ë").replace("&#xEB;", "ë")
    assert "cid:" not in answer.text
    assert "nlf0" not in answer.text
    assert ('src="/media/' in answer.text) is (client.name not in ("images-off", "text"))
    policy = answer.headers["Content-Security-Policy"]
    assert policy.startswith("default-src 'none'")
    assert "script-src" not in policy
    assert (
        "img-src 'none'"
        in standing.get(f"/mail.html?client={client.name}&images=off").headers["Content-Security-Policy"]
    )


def test_only_a_client_that_leaves_the_choice_answers_to_dark(standing: Any) -> None:
    """Apple is dark by itself; where a client forces its colours, the mail's own dark rules are never asked."""

    def asked(query: str) -> str:
        return standing.get(f"/mail.html?{query}").text.replace(" {", "{")

    always, never = "@media (min-width:0px){", "@media (min-width:99999px){"
    assert always in asked("client=apple-dark")
    assert never in asked("client=images-off")
    assert always in asked("client=images-off&scheme=dark")
    assert never in asked("client=outlook-com-dark&scheme=dark")


def test_what_is_taken_is_told_by_client(standing: Any) -> None:
    found = json.loads(standing.get(f"/taken?client=gmail&client=apple-dark&as={READER}").body)
    assert list(found) == ["gmail", "apple-dark"]
    assert found["apple-dark"] == []
    assert {"what": "rules for dark screens (prefers-color-scheme)", "count": 16} in found["gmail"]
    assert json.loads(standing.get("/taken").body) == {}


def test_the_state_names_the_clients_and_the_label(standing: Any) -> None:
    state = standing.state()
    assert [client["name"] for client in state["clients"]] == [client.name for client in CLIENTS]
    assert state["label"] == "approximation"


@pytest.mark.parametrize("path", ["/mail.html?client=gmial", "/taken?client=gmial"])
def test_an_unknown_client_is_not_found_and_says_the_nearest(standing: Any, path: str) -> None:
    answer = standing.get(path)
    assert answer.status == 404
    assert 'did you mean "gmail"?' in answer.text


def test_the_command_opens_at_the_client(
    files: Any, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(serving_module.PreviewServer, "run_until_stopped", lambda self: self._listening.close())
    arguments = ["-C", str(files.root), "preview", ISSUE, "--port", "0", "--no-open"]
    assert guarded(newsletter, [*arguments, "--client", "outlook-word", "--as", "a+b@readers.test"]) == 0
    assert "/?client=outlook-word&as=a%2Bb@readers.test" in capsys.readouterr().out
    assert guarded(newsletter, [*arguments, "--client", "all"]) == 0
    assert "/?client=all" in capsys.readouterr().out


def test_the_command_refuses_an_unknown_client_before_anything_listens(
    files: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    arguments = ["-C", str(files.root), "preview", ISSUE, "--port", "0", "--no-open", "--client", "outlok-word"]
    assert guarded(newsletter, arguments) == 2
    printed = capsys.readouterr()
    assert 'did you mean "outlook-word"?' in printed.err
    assert "gmail-no-style" in printed.err
    assert "http://" not in printed.out
