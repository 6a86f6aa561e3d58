"""Every rule of the registry does what its own examples say, and nothing fires on the clean issue."""

from __future__ import annotations

import re

import pytest

from newsletter.checks import examples as eg
from newsletter.checks.registry import FAMILIES, Rule, all_checks
from newsletter.checks.run import run_checks

RULES = all_checks()


def fired(context: eg.CheckContext, check_id: str) -> bool:
    return any(finding.id == check_id for finding in run_checks(context))


def test_the_clean_example_has_no_finding_at_all() -> None:
    """Each failing example changes one thing of an issue on which every rule is silent."""
    assert run_checks(eg.example()) == ()


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.id)
def test_a_rule_fires_on_its_failing_example_and_only_there(rule: Rule) -> None:
    """The documents show these two examples; the rule holds to them."""
    assert fired(rule.failing.change(eg.example()), rule.id)
    assert not fired(rule.passing.change(eg.example()), rule.id)


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.id)
def test_a_failing_example_weighs_what_the_documents_say(rule: Rule) -> None:
    """The severity in the registry is that of the example."""
    found = [f for f in run_checks(rule.failing.change(eg.example())) if f.id == rule.id]
    assert {f.severity for f in found} == {rule.severity}


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.id)
def test_a_rule_is_complete_and_speaks_plainly(rule: Rule) -> None:
    """A stable kebab-case id, a known family, whole sentences, and a fix in every finding."""
    assert re.fullmatch(r"[a-z]+(?:-[a-z]+)+", rule.id)
    assert rule.family in FAMILIES
    assert rule.why.endswith((".", "?", "”."))
    assert rule.source
    assert rule.run.__doc__
    for finding in run_checks(rule.failing.change(eg.example())):
        if finding.id == rule.id:
            assert finding.message[0].isupper() or finding.message[0] in "“<{"
            assert finding.fix
            assert "\n" not in finding.message


def test_the_rules_of_the_first_issue_are_there() -> None:
    """Ids are a contract: they stand in newsletter.toml and in waivers."""
    ids = {rule.id for rule in RULES}
    assert ids >= {
        "subject-missing", "subject-long", "subject-shouts", "preheader-missing", "preheader-long", "headline-missing",
        "alt-missing", "alt-repeats-headline", "alt-is-filename", "link-missing", "link-malformed", "link-insecure",
        "credit-missing", "picture-remote", "picture-missing", "unsubscribe-missing", "web-version-missing",
        "postal-address-missing", "sender-placeholder", "html-too-large", "html-large", "leftover-template",
        "text-missing", "text-diverges", "lang-missing", "dir-missing", "merge-field-unknown", "merge-default-missing",
        "date-stale", "issue-date-mismatch", "duplicate-in-issue", "used-before", "unconfirmed-guess",
        "sponsor-label-missing", "section-empty", "issue-empty", "doctype-missing", "charset-missing", "title-missing",
        "heading-order", "picture-width-missing", "active-content", "mso-unbalanced",
    }  # fmt: skip
