"""What a finding weighs, where it is, whether it is waived, and in which order findings come."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import msgspec
import pytest

from newsletter.checks import examples as eg
from newsletter.checks.context import CheckContext, SponsorFacts
from newsletter.checks.run import proposals, run_checks
from newsletter.errors import ConfigurationError, FrontMatterError
from newsletter.models import Finding, Severity, Waiver
from newsletter.workspace.settings import SeverityName


def weighing(weights: dict[str, SeverityName]) -> eg.Change:
    return lambda context: dataclasses.replace(context, config=msgspec.structs.replace(context.config, checks=weights))


def findings(*changes: eg.Change) -> dict[str, Finding]:
    return {finding.id: finding for finding in run_checks(eg.both(*changes)(eg.example()))}


def test_the_configuration_gives_a_check_another_weight_or_none() -> None:
    """A newsroom decides what a missing credit means to it."""
    no_credit = eg.picture(credit=None)
    assert findings(no_credit)["credit-missing"].severity is Severity.WARNING
    assert findings(no_credit, weighing({"credit-missing": "error"}))["credit-missing"].severity is Severity.ERROR
    assert findings(no_credit, weighing({"credit-missing": "info"}))["credit-missing"].severity is Severity.INFO
    assert "credit-missing" not in findings(no_credit, weighing({"credit-missing": "off"}))


def test_a_weight_for_an_unknown_check_is_a_configuration_error() -> None:
    """A misspelt id would silently change nothing."""
    with pytest.raises(ConfigurationError) as refused:
        findings(weighing({"credit-mising": "off"}))
    assert refused.value.where == "newsletter.toml: checks.credit-mising"
    assert refused.value.fix == 'did you mean "credit-missing"?'
    with pytest.raises(ConfigurationError, match=r"checks/README\.md"):
        findings(weighing({"zzz": "off"}))


@pytest.mark.parametrize("check_id", ["unsubscribe-missing", "postal-address-missing", "sponsor-label-missing"])
def test_what_guards_the_law_cannot_be_turned_down(check_id: str) -> None:
    """Nor quietly made a warning; saying that it is an error is fine."""
    for weight in ("off", "warning", "info"):
        with pytest.raises(ConfigurationError, match="cannot be turned down"):
            findings(weighing({check_id: weight}))  # type: ignore[dict-item]  # each is a SeverityName
    assert findings(weighing({check_id: "error"})) == {}


def test_a_waived_finding_stays_listed_with_its_reason() -> None:
    """Accepted is not forgotten."""
    waived = findings(eg.picture(credit=None), eg.story(waive=(Waiver("credit-missing", " our own phone "),)))
    assert waived["credit-missing"].waived == "our own phone"
    assert waived["credit-missing"].severity is Severity.WARNING


def test_an_issue_waives_for_all_its_stories_and_a_story_only_for_itself() -> None:
    """A waiver covers what stands where it is written."""
    no_credit = eg.picture(credit=None)
    assert findings(no_credit, eg.issue(waive=(Waiver("credit-missing", "all ours"),)))["credit-missing"].waived
    other = dataclasses.replace(
        eg.LIBRARY, slug="other", headline="Other", link="https://e.org/o", image=eg.FERRY.image
    )
    other = dataclasses.replace(other, waive=(Waiver("credit-missing", "theirs"),))
    found = findings(no_credit, eg.section("list", other))
    assert found["credit-missing"].article == "the-ferry-is-back"
    assert found["credit-missing"].waived is None


def test_a_waiver_without_a_reason_waives_nothing() -> None:
    """And is itself a finding."""
    found = findings(eg.picture(credit=None), eg.story(waive=(Waiver("credit-missing", " "),)))
    assert found["credit-missing"].waived is None
    assert found["waiver-without-reason"].article == "the-ferry-is-back"


def test_an_error_that_guards_the_law_cannot_be_waived_but_its_warning_can() -> None:
    """In the outbox nobody is waiting to unsubscribe; with a real provider somebody is."""
    waiver = eg.issue(waive=(Waiver("postal-address-missing", "not moved in yet"),))
    nowhere = eg.publication(postal_address="")
    local = findings(nowhere, waiver)["postal-address-missing"]
    assert (local.severity, local.waived) == (Severity.WARNING, "not moved in yet")
    real = findings(nowhere, waiver, eg.given(provider_local=False))["postal-address-missing"]
    assert (real.severity, real.waived) == (Severity.ERROR, None)


def test_findings_come_worst_first_then_in_the_order_of_the_page() -> None:
    """What blocks stands on top; a waived finding after those in force."""
    context = eg.both(
        eg.issue(subject=None),
        eg.picture(credit=None, alt=None),
        eg.story(waive=(Waiver("credit-missing", "ours"),)),
        eg.section("list", dataclasses.replace(eg.LIBRARY, slug="z", headline="Z", link=None)),
    )(eg.example())
    found = [(f.severity.value, f.article, f.id) for f in run_checks(context)]
    assert found == [
        ("error", "the-ferry-is-back", "alt-missing"),
        ("warning", None, "subject-missing"),
        ("warning", "z", "link-missing"),
        ("warning", "the-ferry-is-back", "credit-missing"),
    ]


STORY = """---
headline: The ferry is back
# a comment
image:
  file: ferry.jpg
  alt: The ferry is back
waive: []
---
The boat will sail on
Wednesday (25), says {{ subscriber.first_name }}.
"""


def on_disk(folder: Path, text: str = STORY) -> eg.Change:
    issue = folder / "issues" / "2026-11-27"
    issue.mkdir(parents=True)
    (issue / "issue.md").write_text("---\nsubject:\ndate: 2026-11-27\n---\n", encoding="utf-8")
    (issue / "the-ferry-is-back.md").write_text(text, encoding="utf-8")

    def change(context: CheckContext) -> CheckContext:
        context = eg.issue(path=issue)(context)
        return eg.story(path=issue / "the-ferry-is-back.md")(context)

    return change


def place(finding: Finding) -> tuple[str | None, int | None]:
    return finding.file, finding.line


def test_a_finding_names_file_and_line(tmp_path: Path) -> None:
    """The line of the key, of the key above it where it is not written, or of the words in the body."""
    found = findings(
        on_disk(tmp_path),
        eg.picture(alt="The ferry is back", credit=None),
        eg.story(link=None, teaser=None, body="The boat will sail on\nWednesday (25), says."),
        eg.issue(subject=None, preheader=None),
    )
    story = "issues/2026-11-27/the-ferry-is-back.md"
    assert place(found["alt-repeats-headline"]) == (story, 6)
    assert place(found["credit-missing"]) == (story, 4)
    assert place(found["link-missing"]) == (story, 1)
    assert place(found["date-stale"]) == (story, 10)
    assert place(found["subject-missing"]) == ("issues/2026-11-27/issue.md", 2)
    assert place(found["preheader-missing"]) == ("issues/2026-11-27/issue.md", 1)


def test_a_finding_about_the_whole_mail_has_no_file(tmp_path: Path) -> None:
    """A missing text part is nobody's line."""
    assert place(findings(on_disk(tmp_path), eg.email(text=""))["text-missing"]) == (None, None)


def test_a_picture_in_flow_style_is_named_at_its_own_line(tmp_path: Path) -> None:
    """`image: {…}` has no line per key."""
    found = findings(
        on_disk(tmp_path, "---\nheadline: x\nimage: {file: a.jpg}\nlink: y\n---\n"), eg.picture(credit=None)
    )
    assert found["credit-missing"].line == 3


def test_a_file_that_went_away_costs_only_the_line() -> None:
    """Findings are still told."""
    found = findings(eg.story(path=Path("/nowhere/gone.md"), link=None))
    assert place(found["link-missing"]) == ("gone.md", None)


def test_a_file_without_front_matter_has_no_line_for_a_key(tmp_path: Path) -> None:
    """Nothing is made up."""
    assert findings(on_disk(tmp_path, "just text\n"), eg.story(link=None))["link-missing"].line is None


def test_findings_without_any_file_have_no_place() -> None:
    """An issue made in memory."""
    assert place(findings(eg.issue(subject=None))["subject-missing"]) == (None, None)


def in_issue(weights: dict[str, str]) -> eg.Change:
    return eg.issue(checks=weights)


def test_an_issue_weighs_a_check_differently_from_the_publication() -> None:
    """The jubilee issue is stricter; its word is the last."""
    no_credit = eg.picture(credit=None)
    strict = findings(no_credit, weighing({"credit-missing": "off"}), in_issue({"credit-missing": "error"}))
    assert strict["credit-missing"].severity is Severity.ERROR
    assert "credit-missing" not in findings(no_credit, in_issue({"credit-missing": "off"}))


def test_a_weight_in_the_issue_is_refused_with_its_line(tmp_path: Path) -> None:
    """The same rules as for the publication: a misspelt id, and what may not be turned down."""
    story = on_disk(tmp_path)
    text = "---\ndate: 2026-11-27\nchecks:\n  credit-mising: off\n---\n"
    (tmp_path / "issues" / "2026-11-27" / "issue.md").write_text(text, encoding="utf-8")
    with pytest.raises(FrontMatterError) as refused:
        findings(story, in_issue({"credit-mising": "off"}))
    assert refused.value.where == "issues/2026-11-27/issue.md:4"
    assert refused.value.fix == 'did you mean "credit-missing"?'
    with pytest.raises(FrontMatterError, match="cannot be turned down") as refused:
        findings(in_issue({"unsubscribe-missing": "off"}))
    assert refused.value.where == "issue.md: checks.unsubscribe-missing"
    assert findings(in_issue({"unsubscribe-missing": "error"})) == {}


def test_a_waiver_that_covers_nothing_is_a_note() -> None:
    """For its story, or for the whole issue; one that was off, one that slept and one that waives waivers are left."""
    covering = Waiver("credit-missing", "ours")
    assert findings(eg.story(waive=(covering,)))["waiver-stale"].article == "the-ferry-is-back"
    assert findings(eg.issue(waive=(covering,)))["waiver-stale"].severity is Severity.INFO
    assert "waiver-stale" not in findings(eg.picture(credit=None), eg.issue(waive=(covering,)))
    elsewhere = dataclasses.replace(eg.LIBRARY, slug="other", headline="O", link="https://e.org/o", waive=(covering,))
    assert findings(eg.picture(credit=None), eg.section("list", elsewhere))["waiver-stale"].article == "other"
    for asleep in ("link-broken", "issue-date-mismatch", "waiver-stale"):
        assert "waiver-stale" not in findings(eg.issue(waive=(Waiver(asleep, "because"),)))


def test_what_is_waived_off_or_a_sponsors_is_not_fixed() -> None:
    """The editor accepted it, nobody asked, or somebody else approved it as it stands."""
    doubled = eg.story(body="Two  blanks.")
    (finding,) = run_checks(doubled(eg.example()))
    assert (finding.id, finding.fixable) == ("double-space", True)
    waived = eg.both(doubled, eg.story(waive=(Waiver("double-space", "verse"),)))(eg.example())
    assert proposals(waived) == ()
    assert [f.fixable for f in run_checks(waived)] == [False]
    assert proposals(eg.both(doubled, in_issue({"double-space": "off"}))(eg.example())) == ()
    sponsored = eg.both(doubled, eg.given(sponsors={eg.FERRY.slug: SponsorFacts("approved", booked=True)}))
    assert proposals(sponsored(eg.example())) == ()
    assert [f.fixable for f in run_checks(sponsored(eg.example())) if f.id == "double-space"] == [False]
