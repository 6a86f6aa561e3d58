"""Findings for the editor's terminal, for programs, for code scanning and for pull requests."""

from __future__ import annotations

import json
import textwrap
from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any
from urllib.parse import quote

from newsletter.checks.registry import all_checks
from newsletter.models import Finding, Severity

WIDTH = 100
_NOTHING_MORE: Mapping[str, object] = MappingProxyType({})
_NOUNS = {
    Severity.ERROR: ("error", "errors"),
    Severity.WARNING: ("warning", "warnings"),
    Severity.INFO: ("note", "notes"),
}
_SARIF_LEVELS = {Severity.ERROR: "error", Severity.WARNING: "warning", Severity.INFO: "note"}
_GITHUB_LEVELS = {Severity.ERROR: "error", Severity.WARNING: "warning", Severity.INFO: "notice"}


def counts(findings: Sequence[Finding]) -> dict[str, int]:
    """How many findings of each severity are in force, and how many are waived."""
    live = [f for f in findings if f.waived is None]
    by_severity = {severity.value: sum(f.severity is severity for f in live) for severity in Severity}
    return {**by_severity, "waived": len(findings) - len(live)}


def as_text(issue: str, findings: Sequence[Finding]) -> str:
    """Grouped by story, the group with the worst finding first."""
    groups: dict[str | None, list[Finding]] = {}
    for finding in findings:
        groups.setdefault(finding.article, []).append(finding)
    lines = [f"{issue}: {_summary(findings)}"]
    for article, group in groups.items():
        lines += ["", _heading(article, group)]
        for finding in group:
            lines += _entry(finding)
    return "\n".join(lines)


def _heading(article: str | None, group: Sequence[Finding]) -> str:
    """The file that the lines are of, once; a story without a file goes by its slug."""
    file = next((finding.file for finding in group if finding.file), None)
    return f"The issue ({file})" if file and not article else file or article or "The issue"


def _summary(findings: Sequence[Finding]) -> str:
    found = counts(findings)
    parts = []
    for severity, (one, many) in _NOUNS.items():
        if number := found[severity.value]:
            parts.append(f"{number} {one if number == 1 else many}")
    if found["waived"]:
        parts.append(f"{found['waived']} waived")
    return ", ".join(parts) or "nothing to put right"


def _entry(finding: Finding) -> list[str]:
    label = "waived" if finding.waived is not None else _NOUNS[finding.severity][0]
    place = f"  line {finding.line}" if finding.line else ""
    lines = [f"  {label:<8} {finding.id}{place}", *_paragraph(finding.message)]
    if finding.waived is not None:
        lines += _paragraph(f"Waived: {finding.waived}")
    elif finding.fix:
        lines += _paragraph(f"→ {finding.fix}")
    return lines


def _paragraph(text: str) -> list[str]:
    indent = " " * 11
    return textwrap.wrap(
        text, WIDTH, initial_indent=indent, subsequent_indent=indent, break_long_words=False, break_on_hyphens=False
    )


def as_json(issue: str, findings: Sequence[Finding], more: Mapping[str, object] = _NOTHING_MORE) -> str:
    """``{"schema": "newsletter/check/1", …}`` with ``more`` keys at its end; later versions only add keys."""
    document = {
        "schema": "newsletter/check/1",
        "issue": issue,
        "counts": counts(findings),
        "findings": [
            {
                "id": f.id,
                "severity": f.severity.value,
                "message": f.message,
                "fix": f.fix,
                "article": f.article,
                "field": f.field,
                "file": f.file,
                "line": f.line,
                "waived": f.waived,
            }
            for f in findings
        ],
        **more,
    }
    return json.dumps(document, ensure_ascii=False, indent=2)


def as_sarif(issue: str, findings: Sequence[Finding]) -> str:
    """SARIF 2.1.0, as code scanning takes it; a waived finding is a suppressed result."""
    rules = {rule.id: (number, rule) for number, rule in enumerate(all_checks())}
    driver = {
        "name": "newsletter check",
        "rules": [
            {
                "id": rule.id,
                "shortDescription": {"text": rule.why},
                "help": {"text": f"Fails: {rule.failing.text}\nPasses: {rule.passing.text}\nSource: {rule.source}"},
                "defaultConfiguration": {"level": _SARIF_LEVELS[rule.severity]},
                "properties": {"family": rule.family},
            }
            for _, rule in rules.values()
        ],
    }
    results = [_result(issue, finding, rules[finding.id][0]) for finding in findings]
    return json.dumps(
        {
            "$schema": "https://json.schemastore.org/sarif-2.1.0.json",
            "version": "2.1.0",
            "runs": [{"tool": {"driver": driver}, "results": results}],
        },
        ensure_ascii=False,
        indent=2,
    )


def _result(issue: str, finding: Finding, number: int) -> dict[str, Any]:
    # Code scanning shows nothing without a file: what belongs to the whole issue points to its own.
    physical: dict[str, Any] = {"artifactLocation": {"uri": quote(finding.file or f"issues/{issue}/issue.md")}}
    if finding.line:
        physical["region"] = {"startLine": finding.line}
    name = ".".join(part for part in (finding.article or issue, finding.field) if part)
    result: dict[str, Any] = {
        "ruleId": finding.id,
        "ruleIndex": number,
        "level": _SARIF_LEVELS[finding.severity],
        "message": {"text": f"{finding.message} {finding.fix}" if finding.fix else finding.message},
        "locations": [{"physicalLocation": physical, "logicalLocations": [{"fullyQualifiedName": name}]}],
    }
    if finding.waived is not None:
        result["suppressions"] = [{"kind": "inSource", "justification": finding.waived}]
    return result


def as_github(issue: str, findings: Sequence[Finding]) -> str:
    """Workflow commands that GitHub shows at the lines of a pull request; a waived finding is a notice."""
    lines = []
    for finding in findings:
        level = "notice" if finding.waived is not None else _GITHUB_LEVELS[finding.severity]
        properties = {"file": finding.file or f"issues/{issue}/issue.md", "title": finding.id}
        if finding.line:
            properties["line"] = str(finding.line)
        told = [finding.message]
        if finding.waived is not None:
            told.append(f"Waived: {finding.waived}")
        elif finding.fix:
            told.append(finding.fix)
        shown = ",".join(f"{name}={_escaped(value, ':,')}" for name, value in properties.items())
        lines.append(f"::{level} {shown}::{_escaped(chr(10).join(told))}")
    return "\n".join(lines)


def _escaped(text: str, also: str = "") -> str:
    """GitHub's own escapes: a line break would end the command and could start another."""
    for character in "%\r\n" + also:
        text = text.replace(character, f"%{ord(character):02X}")
    return text
