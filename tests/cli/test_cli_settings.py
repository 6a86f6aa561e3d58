"""Settings and tokens: typed, explained, changed all or none, and never a secret among them."""

from __future__ import annotations

import json
import tomllib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from newsletter.app.desk import Desk, open_desk
from newsletter.app.settings import AllSettings, Setting, change, read_settings
from newsletter.app.tokens import change_tokens, read_tokens
from newsletter.errors import Conflict, IllegalState, SettingsRefused, UsageProblem
from newsletter.workspace.config import config_keys

Run = Callable[..., Any]


def setting(found: AllSettings, key: str) -> Setting:
    return next(s for group in found.groups for s in group.settings if s.key == key)


@pytest.fixture
def desk(weekly: Path) -> Any:
    with open_desk(weekly) as opened:
        yield opened


def test_every_setting_is_there_with_its_kind_value_default_and_meaning(desk: Desk) -> None:
    found = read_settings(desk)
    assert [s.key for group in found.groups for s in group.settings] == config_keys()
    assert all(s.words for group in found.groups for s in group.settings)
    theme = setting(found, "publication.theme")
    assert (theme.kind, theme.value, "digest" in theme.choices) == ("choice", "weekly", True)
    assert setting(found, "images.fetch").kind == "switch"
    assert setting(found, "images.delivery").choices == ("embedded", "hosted", "remote")
    assert (setting(found, "provider.smtp.port").kind, setting(found, "provider.smtp.port").value) == ("number", 587)
    assert setting(found, "publication.name").required
    assert setting(found, "schedule.every").kind == "list"
    assert not setting(found, "sender_installation").editable
    assert (setting(found, "composer.session").written, setting(found, "publication.name").written) == (False, True)


def test_no_secret_is_shown_and_whether_it_is_there_is(desk: Desk, run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither what a variable holds nor what a file holds, nor a webhook's URL."""
    file = desk.workspace.root / "key"
    file.write_text("s3cr3t-file")
    file.chmod(0o600)
    change(
        desk,
        {
            "provider.sendgrid.api_key": {"env": "SENDGRID_TRIAL"},
            "provider.sendgrid.webhook_key": {"file": "key"},
            "alerts.webhook": "https://hooks.example.org/s3cr3t-hook",
        },
    )
    api_key = "provider.sendgrid.api_key"
    assert setting(read_settings(desk), api_key).state == "from the environment variable SENDGRID_TRIAL: not set"
    monkeypatch.setenv("SENDGRID_TRIAL", "s3cr3t-env")
    assert setting(read_settings(desk), api_key).state == "from the environment variable SENDGRID_TRIAL: set"
    assert setting(read_settings(desk), "provider.sendgrid.webhook_key").state == "from the file key: there"
    assert setting(read_settings(desk), "alerts.webhook").state == "set, at hooks.example.org"
    file.chmod(0o644)
    assert "others may read" in str(setting(read_settings(desk), "provider.sendgrid.webhook_key").state)
    told = run("settings", "list", "--all").out + run("settings", "list", "--json").out
    assert "SENDGRID_TRIAL" in told
    assert "s3cr3t" not in told
    assert "s3cr3t" not in run("audit", "--all", "--json").out


def test_changes_keep_comments_and_are_all_or_none_with_a_reason_for_each(desk: Desk) -> None:
    path = desk.workspace.config_file
    path.write_text("# ours\n" + path.read_text(encoding="utf-8") + "\n# the end\n", encoding="utf-8")
    found = read_settings(desk)
    before = path.read_bytes()
    with pytest.raises(SettingsRefused) as refused:
        change(
            desk,
            {
                "publication.name": "The Monthly",
                "images.fetch": "perhaps",
                "publication.nam": "x",
                "provider.smtp.port": 25,
                "provider.smtp.password": "hunter2",
            },
        )
    assert path.read_bytes() == before
    assert set(refused.value.errors) == {
        "images.fetch", "publication.nam", "provider.smtp.password", "provider.smtp.host",
    }  # fmt: skip
    assert "hunter2" not in str(refused.value)
    with pytest.raises(SettingsRefused) as two:
        change(desk, {"publication.timezone": "Nowhere", "sender.email": "x", "publication.company": "C"})
    assert set(two.value.errors) == {"publication.timezone", "sender.email"}
    with pytest.raises(SettingsRefused) as missing:
        change(desk, {"provider.smtp.port": 25})
    assert set(missing.value.errors) == {"provider.smtp.host"}
    sha256 = change(desk, {"publication.name": "The Monthly", "images.fetch": False, "test.to": ["a@b.test"]})
    text = path.read_text(encoding="utf-8")
    assert text.startswith("# ours\n")
    assert "# the end" in text
    data = tomllib.loads(text)
    assert (data["publication"]["name"], data["images"]["fetch"], data["test"]["to"]) == (
        "The Monthly", False, ["a@b.test"],
    )  # fmt: skip
    assert read_settings(desk).sha256 == sha256 != found.sha256
    with pytest.raises(Conflict):
        change(desk, {"publication.name": "Mine"}, expected=found.sha256)
    change(desk, {"images.fetch": None}, expected=sha256)
    assert setting(read_settings(desk), "images.fetch").value is True
    assert not setting(read_settings(desk), "images.fetch").written
    with pytest.raises(UsageProblem):
        change(desk, {"sender_installation": "0" * 32})


def test_people_are_changed_as_a_list_also_where_they_were_written_as_tables(desk: Desk) -> None:
    with desk.workspace.config_file.open("a", encoding="utf-8") as file:
        file.write('\n[[composer.people]]\nemail = "m@b.test"\nrole = "publisher"\n')
    found = setting(read_settings(desk), "composer.people")
    assert (found.kind, found.value) == ("people", [{"email": "m@b.test", "name": "", "role": "publisher"}])
    change(desk, {"composer.people": [*found.value, {"email": "i@b.test", "name": "Ines"}]})
    found = setting(read_settings(desk), "composer.people")
    assert [person["email"] for person in found.value] == ["m@b.test", "i@b.test"]
    with pytest.raises(SettingsRefused) as refused:
        change(desk, {"composer.people": [{"email": "i@b.test"}]})
    assert "nobody is publisher" in refused.value.errors["composer.people"].what


def test_settings_from_the_command_line(run: Run, weekly: Path) -> None:
    run("settings", "set", "publication.company=Saltford Press Ltd", "test.to=a@b.test, c@d.test", "--by", "Maren")
    said = run("settings", "list").out
    assert "Saltford Press Ltd" in said
    assert "a@b.test, c@d.test" in said
    assert "provider.smtp.port" not in said
    assert "587" in run("settings", "list", "provider.smtp").out
    assert "Maren: changed publication.company, test.to" in run("audit", "--all").out
    run("settings", "set", "publication.company=")
    assert "company" not in run("settings", "list").out
    assert "did you mean" in run("settings", "set", "publication.nane=x", code=78).err
    run("settings", "set", "publication.name=X", "--expected", "0" * 64, code=75)
    run("settings", "set", "publication.name", code=2)
    assert run("settings", "set", "publication.name=X", "--json").json["schema"] == "newsletter/settings-set/1"


def test_tokens_are_listed_and_changed_in_the_workspace_alone(run: Run, desk: Desk) -> None:
    """Kinds, defaults, contrast in words; taking a value out gives the built-in one back; the mail gets the colour."""
    found = read_tokens(desk)
    assert (found.theme, found.warnings) == ("weekly", ())
    kinds = {token.name: token.kind for token in found.tokens}
    assert (kinds["accent"], kinds["prose"], kinds["in_this_issue"], kinds["signature"]) == (
        "colour", "font", "switch", "text",
    )  # fmt: skip
    changed = change_tokens(desk, None, {"accent": "#FF8888", "in_this_issue": "yes"}, expected=found.sha256)
    accent = next(token for token in changed.tokens if token.name == "accent")
    assert (accent.value, accent.default, accent.own) == ("#FF8888", "#9B1C1C", True)
    told = "accent on card (#FF8888 on #FFFFFF) on a light screen has a contrast of 2.30; 4.5 is needed"
    assert told in changed.warnings
    file = desk.workspace.templates / "weekly" / "theme.toml"
    file.write_text("# our red\n" + file.read_text(encoding="utf-8"), encoding="utf-8")
    with pytest.raises(Conflict):
        change_tokens(desk, "weekly", {"accent": "#000000"}, expected=changed.sha256)
    said = run("theme", "set", "weekly", "accent=", "button=#0B5D3B", "--by", "Tove")
    assert said.err == ""
    assert file.read_text(encoding="utf-8").startswith("# our red\n")
    assert "(default #9B1C1C)" in run("theme", "tokens").out
    assert {t.name: t.own for t in read_tokens(desk).tokens if t.own} == {"button": True, "in_this_issue": True}
    assert "Tove: change theme" in run("audit", "--all").out
    assert "contrast" in run("theme", "set", "weekly", "muted=#BBBBBB").err
    row = run("theme", "tokens", "weekly", "--json").json
    assert json.dumps(row["warnings"]).count("muted on card") >= 1


@pytest.mark.parametrize(
    ("token", "value"),
    [("accent", "red"), ("accent", "#FFF"), ("prose", "a;b"), ("prose", "it's"), ("in_this_issue", "perhaps"),
     ("signature", "a\nb"), ("colour", "#000000")],
)  # fmt: skip
def test_a_token_that_would_break_a_mail_is_refused(desk: Desk, token: str, value: str) -> None:
    with pytest.raises(SettingsRefused) as refused:
        change_tokens(desk, "weekly", {token: value, "ink": "#000000"})
    assert set(refused.value.errors) == {token}
    assert not (desk.workspace.templates / "weekly").exists()


def test_a_theme_of_our_own_and_the_built_in_one_by_its_own_name(desk: Desk) -> None:
    """What `evening` extends is its default; `builtin/weekly` is nobody's to change."""
    folder = desk.workspace.templates / "evening"
    folder.mkdir(parents=True)
    (folder / "theme.toml").write_text(
        'api = 1\nextends = "weekly"\n\n[tokens]\naccent = "#0B5D3B" # green\n', encoding="utf-8"
    )
    changed = change_tokens(desk, "evening", {"ink": "#111111"})
    tokens = {token.name: token for token in changed.tokens}
    assert (tokens["accent"].default, tokens["accent"].own, tokens["ink"].default) == ("#9B1C1C", True, "#1A1A1A")
    assert "# green" in (folder / "theme.toml").read_text(encoding="utf-8")
    with pytest.raises(IllegalState):
        change_tokens(desk, "builtin/weekly", {"ink": "#111111"})
