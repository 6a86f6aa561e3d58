"""The settings: a form changes what it says and nothing else; comments stay, no secret is shown, no save is lost."""

from __future__ import annotations

import html
import re
from collections.abc import Callable
from typing import Any
from urllib.parse import urlencode

import pytest
from playwright.sync_api import expect

from newsletter.app.desk import open_desk
from newsletter.app.settings import read_settings


def page(served: Any, path: str = "/settings") -> str:
    answer = served.get(path)
    assert answer.status == 200, answer.text
    return str(answer.text)


def form_of(served: Any, group: str) -> dict[str, str]:
    """The form of a group as a browser would send it."""
    found = re.search(rf'<section id="{group}".*?</form>', page(served), re.DOTALL)
    assert found is not None
    fields: dict[str, str] = {}
    for tag, rest in re.findall(r"<(input|textarea|select) ([^>]*)>", found[0]):
        name = re.search(r'name="([^"]*)"', rest)
        assert name is not None
        value = re.search(r'value="([^"]*)"', rest)
        if tag == "textarea":
            value = re.search(rf'<textarea [^>]*name="{re.escape(name[1])}"[^>]*>([^<]*)<', found[0])
        if tag == "select":
            inside = re.search(rf'<select [^>]*name="{re.escape(name[1])}"[^>]*>(.*?)</select>', found[0], re.DOTALL)
            assert inside is not None
            value = re.search(r"<option selected>([^<]*)<", inside[1])
        fields[name[1]] = html.unescape(value[1]) if value else ""
    return fields


def save(served: Any, fields: dict[str, str]) -> Any:
    return served.form("/settings", urlencode(fields), Accept="text/html")


def written(served: Any) -> str:
    return str((served.root / "newsletter.toml").read_text(encoding="utf-8"))


def value(served: Any, key: str) -> Any:
    with open_desk(served.root) as desk:
        return next(s.value for g in read_settings(desk).groups for s in g.settings if s.key == key)


@pytest.mark.parametrize(
    "group",
    ["publication", "sender", "site", "provider", "links", "images", "test", "audience", "checks", "schedule", "alerts",
     "composer"],
)  # fmt: skip
def test_a_form_that_is_sent_as_it_came_changes_no_byte(served: Any, group: str) -> None:
    path = served.root / "newsletter.toml"
    before = path.read_bytes()
    answer = save(served, form_of(served, group))
    assert answer.status == 303 and path.read_bytes() == before
    assert f"{group}." not in page(served, "/settings/trail"), "and nobody is said to have changed anything"


def test_a_change_is_one_line_of_the_file_and_its_comment_stays(served: Any) -> None:
    before = written(served).splitlines()
    form = form_of(served, "publication")
    answer = save(served, {**form, "publication.timezone": "Europe/Berlin", "publication.company": ""})
    assert answer.status == 303 and "saved=publication" in answer.headers["location"]
    after = written(served).splitlines()
    (new,) = (line for line in after if line not in before)
    assert new.startswith('timezone = "Europe/Berlin"') and new.endswith("# every time you type is in this zone")
    assert {line.partition(" =")[0] for line in set(before) - set(after)} == {"timezone", "company"}
    assert "Saved in" in page(served, "/settings?saved=publication")


def test_lists_tables_switches_numbers_and_checks_are_typed(served: Any) -> None:
    save(served, {**form_of(served, "test"), "test.to": "a@readers.test\r\nb@readers.test\r\n"})
    assert value(served, "test.to") == ["a@readers.test", "b@readers.test"]
    asked = {"audience.clients": "gmail = 60\r\napple-mail = 40.5"}
    assert save(served, {**form_of(served, "audience"), **asked}).status == 303
    assert value(served, "audience.clients") == {"gmail": 60.0, "apple-mail": 40.5}
    assert save(served, {**form_of(served, "images"), "images.fetch": "no"}).status == 303
    assert value(served, "images.fetch") is False
    path = served.root / "newsletter.toml"
    path.write_text(written(served) + '\n[checks]\nalt-missing = "error"   # for everybody\n', encoding="utf-8")
    assert (
        save(served, {**form_of(served, "checks"), "checks": "alt-missing = error\nalt-is-filename = off"}).status
        == 303
    )
    assert "# for everybody" in written(served) and value(served, "checks")["alt-is-filename"] == "off"


def test_what_is_refused_stands_beside_its_field_and_nothing_is_saved(served: Any) -> None:
    before = written(served)
    form = form_of(served, "sender")
    answer = save(served, {**form, "sender.email": "nobody", "sender.name": "The other weekly"})
    assert answer.status == 422
    assert 'id="wrong-sender.email"' in answer.text and 'id="wrong-sender.name"' not in answer.text
    assert 'value="nobody"' in answer.text and 'value="The other weekly"' in answer.text, "what was typed stays"
    assert written(served) == before
    bad = save(served, {**form_of(served, "audience"), "audience.clients": "gmail: 60"})
    assert bad.status == 422 and 'id="wrong-audience.clients"' in bad.text and written(served) == before


def test_no_secret_is_shown_or_taken(served: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Only where it is; and one that is typed where its name belongs is neither written nor sent back."""
    monkeypatch.setenv("SENDGRID_API_KEY", "SG.very-secret")
    assert "from the environment variable SENDGRID_API_KEY: set" in page(served)
    assert "very-secret" not in page(served)
    form = form_of(served, "provider")
    key = "provider.sendgrid.api_key"
    answer = save(served, {**form, f"{key}.place": "env", key: "SG.abcdef-123"})
    assert answer.status == 422 and "SG.abcdef" not in answer.text and "SG.abcdef" not in written(served)
    assert save(served, {**form, f"{key}.place": "env", key: "OUR_KEY"}).status == 303
    assert 'env = "OUR_KEY"' in written(served)
    hook = "https://hooks.example/T0P"
    assert save(served, {**form_of(served, "alerts"), "alerts.webhook": hook}).status == 303
    assert hook in written(served) and "T0P" not in page(served) and "set, at hooks.example" in page(served)
    save(served, {**form_of(served, "alerts"), "alerts.webhook.place": "none"})
    assert hook not in written(served)


def test_a_file_that_changed_meanwhile_is_not_overwritten_and_both_are_shown(served: Any) -> None:
    form = form_of(served, "publication")
    path = served.root / "newsletter.toml"
    path.write_text(written(served).replace('"Europe/London"', '"Europe/Paris"'), encoding="utf-8")
    answer = save(served, {**form, "publication.timezone": "Europe/Berlin"})
    assert answer.status == 409 and "Europe/Paris" in answer.text and "Europe/Berlin" in answer.text
    assert value(served, "publication.timezone") == "Europe/Paris"
    again = re.search(r'<div class="trouble clash".*?</form>', answer.text, re.DOTALL)
    assert again is not None
    mine = dict(re.findall(r'name="([^"]*)" value="([^"]*)"', again[0]))
    assert mine["publication.timezone"] == "Europe/Berlin" and "publication.name" not in mine
    assert save(served, mine).status == 303
    assert value(served, "publication.timezone") == "Europe/Berlin"


def test_people_and_the_installation_cannot_be_changed_here(served: Any) -> None:
    before = written(served)
    save(served, {**form_of(served, "composer"), "composer.people": "x", "composer.people.was": ""})
    save(served, {**form_of(served, "composer"), "sender_installation": "x", "sender_installation.was": ""})
    assert written(served) == before


def test_the_trail_says_who_did_what_the_newest_first(served: Any) -> None:
    save(served, {**form_of(served, "publication"), "publication.timezone": "Europe/Berlin"})
    save(served, {**form_of(served, "sender"), "sender.name": "Weekly"})
    said = page(served, "/settings/trail")
    assert said.index("sender.name") < said.index("publication.timezone") and "Further back" not in said
    assert served.get("/settings/trail?before=1").text.count("<li>") == 0


def test_a_broken_file_is_told_with_its_line(served: Any) -> None:
    path = served.root / "newsletter.toml"
    path.write_text(written(served) + "\n[publication\n", encoding="utf-8")
    answer = served.get("/settings")
    assert answer.status >= 400 and "newsletter.toml" in answer.text


@pytest.mark.chromium
@pytest.mark.npm
@pytest.mark.parametrize("options", [{"color_scheme": "dark"}, {"viewport": {"width": 390, "height": 800}}])
def test_in_chromium_a_setting_is_changed_with_nothing_that_axe_objects_to(
    served: Any, screens: Callable[..., Any], axe: str, options: dict[str, Any]
) -> None:
    screen = screens(served, **options)
    at = screen.open("/settings").page
    at.evaluate("document.querySelectorAll('details').forEach(each => { each.open = true; })")
    assert screen.axe(axe) == []
    assert at.evaluate("document.documentElement.scrollWidth <= innerWidth")
    at.get_by_label("email", exact=True).fill("nobody")
    at.get_by_role("button", name="Save sender").click()
    expect(at.get_by_label("email", exact=True)).to_have_attribute("aria-invalid", "true")
    expect(at.locator("#sender").get_by_role("alert")).to_be_in_viewport()
    assert screen.axe(axe) == []
    at.get_by_label("email", exact=True).fill("other@estuary.example")
    at.get_by_role("button", name="Save sender").click()
    expect(at.locator("#sender").get_by_role("status")).to_contain_text("Saved")
    expect(at.get_by_role("status")).to_be_in_viewport()
    assert value(served, "sender.email") == "other@estuary.example"
    screen.open("/settings/trail")
    assert screen.axe(axe) == []
    assert [e for e in screen.errors if "status of 4" not in e] == []
