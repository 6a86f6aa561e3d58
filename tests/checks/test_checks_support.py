"""What mail clients lose, weighed by the readers who use them."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest

from newsletter.app.check import findings_of
from newsletter.app.desk import Desk
from newsletter.app.render import render
from newsletter.checks import examples as eg
from newsletter.checks.context import CheckContext
from newsletter.checks.run import run_checks
from newsletter.models import Finding, Severity
from newsletter.workspace.create import create_demo

SLUG = "2026-11-27"
FAMILY = {
    "client-support", "decoration-unseen", "gradient-without-colour", "layout-without-table", "value-without-fallback"
}  # fmt: skip


def readers(**clients: float) -> eg.Change:
    """The newsroom's own shares; ``_`` stands for ``-``."""
    shares = {name.replace("_", "-"): share for name, share in clients.items()}

    def change(context: CheckContext) -> CheckContext:
        audience = msgspec.structs.replace(context.config.audience, clients=shares)
        return dataclasses.replace(context, config=msgspec.structs.replace(context.config, audience=audience))

    return change


def inside(html: str) -> eg.Change:
    """Some HTML in the first story."""
    return eg.html("<p>After eight months", f"{html}<p>After eight months")


def told(*changes: eg.Change) -> list[Finding]:
    return [finding for finding in run_checks(eg.both(*changes)(eg.example())) if finding.id in FAMILY]


FLOAT = inside('<p style="float:left">x</p>')
SHADOW = inside('<p style="box-shadow:0 1px 2px #999999">x</p>')


def test_a_finding_says_who_loses_what_and_when_that_was_tested() -> None:
    """The share, the client by the name that an editor knows, what is seen instead, the day of the test."""
    (finding,) = told(FLOAT, readers(apple_mail=70, gmail=24, outlook_windows=6))
    assert finding.severity is Severity.WARNING
    assert finding.article == "the-ferry-is-back"
    assert finding.message == (
        "About 6\u00a0% of your readers do not get “float:left”: Outlook for Windows 6\u00a0%. "
        "The element stands above the text and not beside it. (caniemail.com on float, tested 2024-05-08.)"
    )


def test_usual_shares_are_not_passed_off_as_the_newsrooms_own() -> None:
    """Whoever has entered none is told so."""
    (finding,) = told(FLOAT)
    assert finding.message.endswith("tested 2024-05-08; usual shares, not your own.)")


def test_shares_need_not_make_100() -> None:
    """Thousands of readers do as well."""
    (of_thousands,) = told(FLOAT, readers(apple_mail=7000, gmail=2400, outlook_windows=600))
    (of_parts,) = told(FLOAT, readers(apple_mail=0.70, gmail=0.24, outlook_windows=0.06))
    assert of_thousands == of_parts


@pytest.mark.parametrize(
    ("outlook", "severity"),
    [(50, Severity.WARNING), (3, Severity.WARNING), (2.9, Severity.INFO), (1.9, None), (0, None)],
)
def test_a_loss_weighs_as_much_as_its_readers(outlook: float, severity: Severity | None) -> None:
    """A warning from one in thirty on, a note from one in fifty on, and nothing below."""
    found = told(FLOAT, readers(apple_mail=100 - outlook, outlook_windows=outlook))
    assert [finding.severity for finding in found] == ([severity] if severity else [])


def test_clients_that_no_reader_has_are_not_named() -> None:
    """A list of people with iPhones loses nothing that iPhones show."""
    assert told(inside('<p style="transform:rotate(3deg);float:left">x</p>'), readers(apple_mail=1)) == []


def test_a_share_is_an_upper_bound_where_only_a_part_of_a_family_loses_it() -> None:
    """Nobody knows how many of Gmail's readers use its web page."""
    (finding,) = told(inside('<img src="https://e.org/a.svg" width="9" alt="A map of the quay">'), readers(gmail=1))
    assert finding.message.startswith("Up to 100\u00a0% of your readers do not get “a picture in .svg”: Gmail (web)")


def test_one_feature_is_one_finding_however_often_it_is_used() -> None:
    """With the number, at the first place where somebody loses it."""
    many = inside('<p style="float:left">x</p>' * 7)
    (finding,) = told(many, readers(outlook_windows=1))
    assert "“float:left” (7 times):" in finding.message


def test_a_feature_of_the_frame_belongs_to_no_story() -> None:
    """And one in a story to that story, when the first use is there."""
    (finding,) = told(eg.html("</h1>", '</h1><p style="float:left">x</p>'), FLOAT)
    assert finding.article is None
    # Directly behind the frame's own table for Word: nobody loses that one.
    behind = '<div style="max-width:600px'
    (finding,) = told(eg.html(behind, f'<p style="float:left">x</p>{behind}'), FLOAT, readers(outlook_windows=1))
    assert finding.article == "the-ferry-is-back"
    assert "times" not in finding.message


def test_what_belongs_to_another_feature_is_told_with_it() -> None:
    """Alignment, gaps and offsets mean nothing without flex or position."""
    found = told(inside('<p style="display:flex;gap:8px;align-items:center;justify-content:center">x</p>'))
    assert [finding.id for finding in found] == ["layout-without-table"]
    found = told(inside('<p style="position:absolute;top:4px;z-index:2">x</p>'))
    assert [finding.id for finding in found] == ["client-support"]


def test_many_clients_are_counted_not_listed() -> None:
    """The four largest by name."""
    (finding,) = told(inside('<p style="transform:rotate(3deg)">x</p>'))
    named = finding.message.split(": ")[1].split(". The element")[0]
    assert re.fullmatch(r"Gmail 29\u00a0%, Outlook for Windows 5\u00a0%, .+, .+ and \d more", named), named


def test_words_of_the_tests_stand_where_we_have_none() -> None:
    """The note of the largest client, without the words that the sentence already says."""
    (finding,) = told(inside('<p style="column-count:2">x</p><ruby>x<rt>y</rt></ruby>'), readers(gmail=1))
    assert finding.id == "client-support"
    select = inside("<select><option>x</select>")
    (finding,) = told(select, readers(thunderbird=1, outlook_windows=1))
    assert "do not get “<select>”: Outlook for Windows 50\u00a0%. (caniemail.com" in finding.message


def test_decoration_is_one_note_and_only_when_many_do_not_see_it() -> None:
    """A square corner is nobody's warning."""
    (finding,) = told(SHADOW, inside('<p style="text-shadow:0 1px 2px #999999">x</p>'), readers(gmail=1))
    assert (finding.id, finding.severity) == ("decoration-unseen", Severity.INFO)
    assert "box-shadow:0 1px 2px #999999 (up to" in finding.message
    assert ", and without text-shadow" in finding.message
    assert told(inside('<p style="border-radius:4px">x</p>'), readers(apple_mail=91, outlook_windows=9)) == []
    assert told(inside('<p style="border-radius:4px">x</p>'), readers(apple_mail=90, outlook_windows=10))


def test_what_spoils_its_neighbours_is_told_in_spite_of_a_fallback() -> None:
    """Gmail throws away every style of the element that has an oklch() colour."""
    (finding,) = told(inside('<p style="color:#333333;color:oklch(0.3 0 0)">x</p>'), readers(gmail=1))
    assert (finding.id, finding.severity) == ("client-support", Severity.WARNING)


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desk]:
    desk = Desk(create_demo(tmp_path_factory.mktemp("demo") / "demo"))
    yield desk
    desk.close()


@pytest.mark.parametrize("theme", ["weekly", "bulletin", "digest", "letter"])
def test_our_own_themes_lose_nothing_in_any_client(demo: Desk, theme: str) -> None:
    """Without waivers, and even where every reader has the one client or the other."""
    file = Path(demo.workspace.root) / "issues" / SLUG / "issue.md"
    text = re.sub(r"(?m)^theme:.*\n", "", file.read_text(encoding="utf-8"))
    file.write_text(text.replace("---\n", f"---\ntheme: {theme}\n", 1), encoding="utf-8")
    rendered = render(demo, SLUG)
    assert rendered.email.theme == theme
    found = findings_of(demo, rendered)
    assert [f for f in found if f.id in FAMILY or f.severity is not Severity.INFO] == []
    context = CheckContext(rendered.issue, rendered.email, demo.config)
    for client in ("apple_mail", "gmail", "outlook_windows", "outlook_com", "outlook_mac", "outlook_mobile", "yahoo",
                   "samsung", "thunderbird", "proton", "gmx"):  # fmt: skip
        found = run_checks(readers(**{client: 1})(context))
        assert [f for f in found if f.id in FAMILY and f.severity is not Severity.INFO] == [], client
