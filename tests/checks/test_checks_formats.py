"""The four forms of a report: for people, programs, code scanning and pull requests."""

from __future__ import annotations

import json

from newsletter.checks.formats import as_github, as_json, as_sarif, as_text, counts
from newsletter.checks.registry import all_checks
from newsletter.models import Finding, Severity

FINDINGS = (
    Finding("alt-missing", Severity.ERROR, "The picture has no alternative text.", "Write alt.", "ferry", "image.alt",
            "issues/2026-11-27/ferry.md", 6),
    Finding("subject-missing", Severity.WARNING, "No subject is written.", "Write subject.", None, "subject"),
    Finding("link-missing", Severity.WARNING, "50% has\nno, link: ::error::", None, "ferry", "link", "a,b:c.md"),
    Finding("date-stale", Severity.INFO, "“Monday (23)” " + "is long gone " * 12 + ".", "Read it.", "bell", "body"),
    Finding("credit-missing", Severity.WARNING, "The picture has no credit.", "Write credit.", "bell", "image.credit",
            waived="our own phone"),
)  # fmt: skip


def test_text_is_grouped_by_story_with_counts() -> None:
    """Calm and readable: the sum first, then each story once, then what to do."""
    assert as_text("2026-11-27", FINDINGS[:2] + FINDINGS[4:]) == (
        "2026-11-27: 1 error, 1 warning, 1 waived\n"
        "\n"
        "issues/2026-11-27/ferry.md\n"
        "  error    alt-missing  line 6\n"
        "           The picture has no alternative text.\n"
        "           → Write alt.\n"
        "\n"
        "The issue\n"
        "  warning  subject-missing\n"
        "           No subject is written.\n"
        "           → Write subject.\n"
        "\n"
        "bell\n"
        "  waived   credit-missing\n"
        "           The picture has no credit.\n"
        "           Waived: our own phone"
    )


def test_text_is_wrapped_and_counts_in_the_plural() -> None:
    """No line is wider than a page, and two are warnings."""
    text = as_text("2026-11-27", FINDINGS)
    assert text.startswith("2026-11-27: 1 error, 2 warnings, 1 note, 1 waived\n")
    assert max(map(len, text.splitlines())) <= 100
    assert text.count("\nbell\n") == 1


def test_findings_of_the_issue_name_its_file() -> None:
    """issue.md has no story."""
    finding = Finding("subject-missing", Severity.WARNING, "No subject.", "W.", None, "subject", "issues/x/issue.md", 2)
    assert "\nThe issue (issues/x/issue.md)\n  warning  subject-missing  line 2\n" in as_text("x", (finding,))


def test_without_findings_the_text_says_so() -> None:
    """Silence could also be a crash."""
    assert as_text("2026-11-27", ()) == "2026-11-27: nothing to put right"


def test_json_carries_every_field() -> None:
    """Programs need no other form."""
    document = json.loads(as_json("2026-11-27", FINDINGS))
    assert document["schema"] == "newsletter/check/1"
    assert document["issue"] == "2026-11-27"
    assert document["counts"] == {"error": 1, "warning": 2, "info": 1, "waived": 1} == counts(FINDINGS)
    assert document["findings"][0] == {
        "id": "alt-missing", "severity": "error", "message": "The picture has no alternative text.",
        "fix": "Write alt.", "article": "ferry", "field": "image.alt", "file": "issues/2026-11-27/ferry.md", "line": 6,
        "waived": None,
    }  # fmt: skip
    assert document["findings"][4]["waived"] == "our own phone"


def test_sarif_names_rules_places_and_suppressions() -> None:
    """What code scanning reads: every rule, a file for every result, a waiver as a suppression."""
    document = json.loads(as_sarif("2026-11-27", FINDINGS))
    assert document["version"] == "2.1.0"
    (run,) = document["runs"]
    rules = run["tool"]["driver"]["rules"]
    assert [rule["id"] for rule in rules] == [rule.id for rule in all_checks()]
    assert {rule["defaultConfiguration"]["level"] for rule in rules} <= {"error", "warning", "note"}
    alt, subject, link, stale, credit = run["results"]
    assert rules[alt["ruleIndex"]]["id"] == alt["ruleId"] == "alt-missing"
    assert alt["locations"][0]["physicalLocation"] == {
        "artifactLocation": {"uri": "issues/2026-11-27/ferry.md"},
        "region": {"startLine": 6},
    }
    assert alt["locations"][0]["logicalLocations"] == [{"fullyQualifiedName": "ferry.image.alt"}]
    assert subject["locations"][0]["physicalLocation"]["artifactLocation"]["uri"] == "issues/2026-11-27/issue.md"
    assert link["message"]["text"] == FINDINGS[2].message
    assert link["locations"][0]["physicalLocation"]["artifactLocation"]["uri"] == "a%2Cb%3Ac.md"
    assert stale["level"] == "note"
    assert credit["suppressions"] == [{"kind": "inSource", "justification": "our own phone"}]
    assert "suppressions" not in alt


def test_github_annotations_cannot_be_broken_by_a_message() -> None:
    """A line break or a colon in a story does not become a command of its own."""
    lines = as_github("2026-11-27", FINDINGS).splitlines()
    assert len(lines) == 5
    assert lines[0] == (
        "::error file=issues/2026-11-27/ferry.md,title=alt-missing,line=6::"
        "The picture has no alternative text.%0AWrite alt."
    )
    assert lines[1].startswith("::warning file=issues/2026-11-27/issue.md,title=subject-missing::")
    assert lines[2] == "::warning file=a%2Cb%3Ac.md,title=link-missing::50%25 has%0Ano, link: ::error::"
    assert lines[3].startswith("::notice ")
    assert lines[4].endswith("The picture has no credit.%0AWaived: our own phone")
    assert lines[4].startswith("::notice ")
    assert as_github("x", ()) == ""
