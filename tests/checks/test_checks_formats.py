"""The four forms of a report: for people, programs, code scanning and pull requests."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from newsletter.checks.formats import Fixed, Report, Role, as_github, as_json, as_sarif, as_text, counts
from newsletter.checks.inbox import lines_of
from newsletter.checks.parity import Parity
from newsletter.checks.registry import all_checks
from newsletter.models import Finding, Severity

FINDINGS = (
    Finding("alt-missing", Severity.ERROR, "The picture has no alternative text.", "Write alt.", "ferry", "image.alt",
            "issues/2026-11-27/ferry.md", 6, fixable=True),
    Finding("subject-missing", Severity.WARNING, "No subject is written.", "Write subject.", None, "subject"),
    Finding("link-missing", Severity.WARNING, "50% has\nno, link: ::error::", None, "ferry", "link", "a,b:c.md"),
    Finding("date-stale", Severity.INFO, "“Monday (23)” " + "is long gone " * 12 + ".", "Read it.", "bell", "body"),
    Finding("credit-missing", Severity.WARNING, "The picture has no credit.", "Write credit.", "bell", "image.credit",
            waived="our own phone"),
)  # fmt: skip
FIXES = (
    Fixed("double-space", "issues/x/ferry.md", 9, "ferry", "body", "back.  Nobody", "back. Nobody"),
    Fixed("alt-missing", "issues/x/ferry.md", None, "ferry", "image.alt", None, "A boat"),
)
INBOX = lines_of("The Breakwater", "The ferry is back and the harbour has a new clock tower", "After eight months")


def report(*findings: Finding, **more: Any) -> Report:
    return Report("2026-11-27", findings, **more)


def test_text_is_grouped_by_story_with_counts_and_a_last_line() -> None:
    """The sum first, then each story once, each finding with its fix, its id and its place; then what to do."""
    assert as_text(report(*FINDINGS[:2], FINDINGS[4])) == (
        "2026-11-27: 1 error, 1 warning, 1 waived\n"
        "\n"
        "issues/2026-11-27/ferry.md\n"
        "  error    The picture has no alternative text.\n"
        "           → Write alt.\n"
        "           alt-missing · line 6 · --fix\n"
        "\n"
        "The issue\n"
        "  warning  No subject is written.\n"
        "           → Write subject.\n"
        "           subject-missing\n"
        "\n"
        "bell\n"
        "  waived   The picture has no credit.\n"
        "           Waived: our own phone\n"
        "           credit-missing\n"
        "\n"
        "1 error blocks an approval. newsletter check 2026-11-27 --fix puts 1 of these right."
    )


def test_text_is_wrapped_and_counts_in_the_plural() -> None:
    """No line is wider than a page, or than the terminal, and two are warnings."""
    text = as_text(report(*FINDINGS, inbox=INBOX))
    assert text.startswith("2026-11-27: 1 error, 2 warnings, 1 note, 1 waived\n")
    assert max(map(len, text.splitlines())) <= 100
    assert text.count("\nbell\n") == 1
    narrow = as_text(report(FINDINGS[3]), width=60)
    assert max(map(len, narrow.splitlines())) <= 60


def test_findings_of_the_issue_name_its_file() -> None:
    """issue.md has no story."""
    finding = Finding("subject-missing", Severity.WARNING, "No subject.", "W.", None, "subject", "issues/x/issue.md", 2)
    assert "\nThe issue (issues/x/issue.md)\n  warning  No subject.\n" in as_text(report(finding))


def test_the_inbox_is_shown_as_far_as_it_is_cut() -> None:
    """One line for each client that cuts the subject, one for all that show it whole, then the preheader."""
    text = as_text(report(inbox=INBOX, parity=Parity(99.6, 94.1, 400, 410)))
    assert text.splitlines()[2:9] == [
        "In the inbox          The Breakwater",
        "  Gmail app, Android  The ferry is back and the harbou…",
        "  Apple Mail, iPhone  The ferry is back and the harbour has a…",
        "  Yahoo Mail, web     The ferry is back and the harbour has a new c…",
        "  Outlook, Windows    The ferry is back and the harbour has a new clock tow…",
        "  Gmail, web          The ferry is back and the harbour has a new clock tower",
        "  then                After eight months",
    ]
    assert text.splitlines()[9] == "Text part             100 % of the HTML's words (spam filters: 94 %)"
    short = as_text(report(inbox=lines_of("The Breakwater", "The ferry is back", "")))
    assert "\n  Gmail app, Android and wider  The ferry is back\n  then\n" in short


@pytest.mark.parametrize(
    ("findings", "last"),
    [
        ((), "Good. Next: newsletter test 2026-11-27"),
        ((FINDINGS[1],), "Nothing blocks an approval. Next: newsletter test 2026-11-27"),
        ((FINDINGS[4],), "Good. Next: newsletter test 2026-11-27"),
        ((FINDINGS[0],), "1 error blocks an approval. newsletter check 2026-11-27 --fix puts this right."),
        (
            (Finding("a-b", Severity.ERROR, "No."), Finding("a-c", Severity.ERROR, "No.")),
            "2 errors block an approval. More about one: newsletter check --explain ID",
        ),
    ],
)
def test_the_last_line_says_what_to_do(findings: tuple[Finding, ...], last: str) -> None:
    """One line, and the right one."""
    assert as_text(report(*findings)).splitlines()[-1] == last


def test_without_findings_the_text_says_so() -> None:
    """Silence could also be a crash."""
    assert as_text(report()).startswith("2026-11-27: nothing to put right\n")


def test_fixes_are_told_with_place_before_and_after() -> None:
    """An editor sees at once what happened to which file."""
    assert as_text(report(fixes=FIXES)).startswith(
        "Fixed 2 places\n"
        "  issues/x/ferry.md:9 body · double-space\n"
        "    “back.  Nobody” → “back. Nobody”\n"
        "  issues/x/ferry.md image.alt · alt-missing\n"
        "    nothing → “A boat”\n"
        "\n"
        "2026-11-27: "
    )
    assert as_text(report(fixes=FIXES[:1])).startswith("Fixed 1 place\n")


def test_colours_are_laid_around_the_same_words() -> None:
    """What is painted is what is printed without colours, in the same columns."""

    def paint(text: str, role: Role) -> str:
        return f"<{role}>{text}</>"

    full = report(*FINDINGS, inbox=INBOX, fixes=FIXES, parity=Parity(90, 80, 1, 1))
    painted = as_text(full, paint=paint)
    assert re.sub(r"<[a-z]*>|</>", "", painted) == as_text(full)
    for role in ("error", "warning", "note", "waived", "title", "faint", "good"):
        assert f"<{role}>" in painted


def test_json_carries_every_field() -> None:
    """Programs need no other form."""
    document = json.loads(
        as_json(report(*FINDINGS, inbox=INBOX, fixes=FIXES, parity=Parity(99.6, 94.1, 400, 410), asked=7))
    )
    assert document["schema"] == "newsletter/check/1"
    assert document["issue"] == "2026-11-27"
    assert document["counts"] == {"error": 1, "warning": 2, "info": 1, "waived": 1} == counts(FINDINGS)
    assert document["findings"][0] == {
        "id": "alt-missing", "severity": "error", "message": "The picture has no alternative text.",
        "fix": "Write alt.", "article": "ferry", "field": "image.alt", "file": "issues/2026-11-27/ferry.md", "line": 6,
        "waived": None, "fixable": True,
    }  # fmt: skip
    assert document["findings"][4]["waived"] == "our own phone"
    assert document["inbox"][0] == {
        "client": "Gmail app, Android", "width": 33,
        "shown": "The Breakwater · The ferry is back and the harbou… · After eight months",
        "sender": "The Breakwater", "subject": "The ferry is back and the harbou…", "preheader": "After eight months",
    }  # fmt: skip
    assert document["parity"] == {"percent": 99.6, "filters": 94.1, "html": 400, "text": 410}
    assert document["asked"] == 7
    assert document["fixes"][0] == {
        "check": "double-space", "file": "issues/x/ferry.md", "line": 9, "article": "ferry", "field": "body",
        "before": "back.  Nobody", "after": "back. Nobody",
    }  # fmt: skip


def test_sarif_names_rules_places_and_suppressions() -> None:
    """What code scanning reads: every rule with its help, a file for every result, a waiver as a suppression."""
    document = json.loads(as_sarif(report(*FINDINGS)))
    assert document["version"] == "2.1.0"
    (run,) = document["runs"]
    rules = run["tool"]["driver"]["rules"]
    assert [rule["id"] for rule in rules] == [rule.id for rule in all_checks()]
    assert {rule["defaultConfiguration"]["level"] for rule in rules} <= {"error", "warning", "note"}
    for rule, known in zip(rules, all_checks(), strict=True):
        assert known.why in rule["help"]["text"] and known.source in rule["help"]["text"]
        assert rule["help"]["markdown"].startswith(f"# {known.id}\n")
        assert "README.md" not in rule["help"]["markdown"]
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


@pytest.mark.npm
def test_sarif_is_what_the_official_schema_asks_for(tmp_path: Path) -> None:
    """The OASIS schema of 2.1.0, as Microsoft's package for testing SARIF carries it; a fault is noticed."""
    package = "@microsoft/jest-sarif@1.0.0-beta.0"
    npm = shutil.which("npm")
    assert npm is not None
    subprocess.run([npm, "pack", "--silent", package], cwd=tmp_path, check=True, timeout=120)
    (packed,) = tmp_path.glob("*.tgz")
    shutil.unpack_archive(packed, tmp_path, filter="data")
    schema = json.loads((tmp_path / "package" / "lib" / "schemas" / "sarif-2.1.0-rtm.5.json").read_text("utf-8"))
    validator = jsonschema.Draft4Validator(schema)
    for findings in ((), FINDINGS):
        document = json.loads(as_sarif(report(*findings)))
        assert [error.message for error in validator.iter_errors(document)] == []
    document["runs"][0]["results"][0]["level"] = "info"
    assert list(validator.iter_errors(document))


def test_github_annotations_cannot_be_broken_by_a_message() -> None:
    """A line break or a colon in a story does not become a command of its own."""
    lines = as_github(report(*FINDINGS)).splitlines()
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
    assert as_github(report()) == ""
