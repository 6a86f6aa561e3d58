"""A report for the editor's terminal, for programs, for code scanning and for pull requests."""

from __future__ import annotations

import dataclasses
import json
import textwrap
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Literal
from urllib.parse import quote

from newsletter.checks.inbox import InboxLine
from newsletter.checks.pages import explain, markdown_of
from newsletter.checks.parity import Parity
from newsletter.checks.registry import all_checks
from newsletter.checks.sizes import Sizes
from newsletter.models import Finding, Severity

WIDTH = 100
_NOUNS = {
    Severity.ERROR: ("error", "errors"),
    Severity.WARNING: ("warning", "warnings"),
    Severity.INFO: ("note", "notes"),
}
_SARIF_LEVELS = {Severity.ERROR: "error", Severity.WARNING: "warning", Severity.INFO: "note"}
_GITHUB_LEVELS = {Severity.ERROR: "error", Severity.WARNING: "warning", Severity.INFO: "notice"}
_INDENT = " " * 11

Role = Literal["error", "warning", "note", "waived", "title", "faint", "good"]
Paint = Callable[[str, Role], str]
"""Colours a text for what it is; where there are no colours it gives the text back."""


@dataclass(frozen=True, slots=True)
class Fixed:
    """A change that was made: in which file, at which line of it now, what stood there and what stands there."""

    check: str
    file: str
    line: int | None
    article: str | None
    field: str
    before: str | None
    after: str


@dataclass(frozen=True, slots=True)
class Report:
    """Everything that one call found. ``asked`` is how many addresses on the web were asked (None: not online)."""

    issue: str
    findings: Sequence[Finding]
    inbox: Sequence[InboxLine] = ()
    parity: Parity | None = None
    fixes: Sequence[Fixed] = ()
    asked: int | None = None
    sizes: Sizes | None = None


def unpainted(text: str, role: Role) -> str:  # noqa: ARG001 - a Paint is called with both
    """No colours."""
    return text


def counts(findings: Sequence[Finding]) -> dict[str, int]:
    """How many findings of each severity are in force, and how many are waived."""
    live = [f for f in findings if f.waived is None]
    by_severity = {severity.value: sum(f.severity is severity for f in live) for severity in Severity}
    return {**by_severity, "waived": len(findings) - len(live)}


def as_text(report: Report, *, paint: Paint = unpainted, width: int = WIDTH) -> str:
    """What was fixed, the sum, the findings by story with the worst first, the inbox, and what to do next."""
    groups: dict[str | None, list[Finding]] = {}
    for finding in report.findings:
        groups.setdefault(finding.article, []).append(finding)
    lines = [*_fixed(report.fixes, paint), f"{paint(report.issue, 'title')}: {_summary(report.findings, paint)}"]
    for article, group in groups.items():
        lines += ["", paint(_heading(article, group), "title")]
        for finding in group:
            lines += _entry(finding, paint, width)
    if report.inbox:
        lines += ["", *_inbox(report, paint)]
    if report.sizes:
        first, *rows = report.sizes.as_text().splitlines()
        title, said = first.split(" ", 1)
        lines += ["", f"{paint(title, 'title')} {said}", *rows]
    return "\n".join([*lines, "", *_closing(report, paint, width)])


def _fixed(fixes: Sequence[Fixed], paint: Paint) -> Iterator[str]:
    if not fixes:
        return
    yield paint(f"Fixed {len(fixes)} {'place' if len(fixes) == 1 else 'places'}", "title")
    for fix in fixes:
        place = f"{fix.file}:{fix.line}" if fix.line else fix.file
        yield f"  {paint(place, 'title')} {paint(f'{fix.field} · {fix.check}', 'faint')}"
        before = f"“{fix.before}”" if fix.before is not None else "nothing"
        yield f"    {before} → {paint(f'“{fix.after}”', 'good')}"
    yield ""


def _heading(article: str | None, group: Sequence[Finding]) -> str:
    """The file that the lines are of, once; a story without a file goes by its slug."""
    file = next((finding.file for finding in group if finding.file), None)
    return f"The issue ({file})" if file and not article else file or article or "The issue"


def _summary(findings: Sequence[Finding], paint: Paint) -> str:
    found = counts(findings)
    parts = []
    for severity, (one, many) in _NOUNS.items():
        if number := found[severity.value]:
            parts.append(paint(f"{number} {one if number == 1 else many}", _role(severity)))
    if found["waived"]:
        parts.append(paint(f"{found['waived']} waived", "waived"))
    return ", ".join(parts) or paint("nothing to put right", "good")


def _role(severity: Severity) -> Role:
    roles: dict[Severity, Role] = {Severity.ERROR: "error", Severity.WARNING: "warning", Severity.INFO: "note"}
    return roles[severity]


def _entry(finding: Finding, paint: Paint, width: int) -> list[str]:
    waived = finding.waived is not None
    role: Role = "waived" if waived else _role(finding.severity)
    label = "waived" if waived else _NOUNS[finding.severity][0]
    first, *rest = _paragraph(finding.message, width)
    lines = [f"  {paint(label, role)}{first[len(label) + 2 :]}", *rest]
    if waived:
        lines += _paragraph(f"Waived: {finding.waived}", width)
    elif finding.fix:
        lines += _paragraph(f"→ {finding.fix}", width)
    about = [finding.id, f"line {finding.line}" if finding.line else "", "--fix" if finding.fixable else ""]
    return [*lines, _INDENT + paint(" · ".join(part for part in about if part), "faint")]


def _paragraph(text: str, width: int) -> list[str]:
    return textwrap.wrap(
        text,
        max(width, 40),
        initial_indent=_INDENT,
        subsequent_indent=_INDENT,
        break_long_words=False,
        break_on_hyphens=False,
    )


def _inbox(report: Report, paint: Paint) -> Iterator[str]:
    """The subject as the narrow clients cut it, then once for all that show it whole, and what follows it."""
    whole = report.inbox[-1].subject
    rows = [("In the inbox", report.inbox[0].sender)]
    for line in report.inbox:
        last = line.subject == whole
        rows.append((f"  {line.client}{' and wider' if last and line is not report.inbox[-1] else ''}", line.subject))
        if last:
            break
    rows.append(("  then", report.inbox[0].preheader))
    if report.parity:
        said = f"{report.parity.percent:.0f} % of the HTML's words (spam filters: {report.parity.filters:.0f} %)"
        rows.append(("Text part", said))
    column = max(len(name) for name, _ in rows) + 2
    for name, said in rows:
        bold = not name.startswith(" ")
        yield (paint(name.ljust(column), "title" if bold else "faint") + said).rstrip()


def _closing(report: Report, paint: Paint, width: int) -> Iterator[str]:
    said, role = _next(report)
    lines = textwrap.wrap(said, max(width, 40), break_long_words=False, break_on_hyphens=False)
    yield from (paint(line, role) for line in lines)


def _next(report: Report) -> tuple[str, Role]:
    """What to do now, in one or two sentences."""
    found = counts(report.findings)
    fixable = sum(finding.fixable for finding in report.findings)
    blocked = ""
    if found["error"]:
        blocked = "1 error blocks" if found["error"] == 1 else f"{found['error']} errors block"
        blocked += " an approval. "
    if fixable:
        whom = "this" if len(report.findings) == 1 else f"{fixable} of these"
        return f"{blocked}newsletter check {report.issue} --fix puts {whom} right.", "title"
    if blocked:
        return f"{blocked}More about one: newsletter check --explain ID", "title"
    if found["warning"]:
        return f"Nothing blocks an approval. Next: newsletter test {report.issue}", "title"
    return f"Good. Next: newsletter test {report.issue}", "good"


def as_json(report: Report) -> str:
    """``{"schema": "newsletter/check/1", …}``; later versions only add keys."""
    document = {
        "schema": "newsletter/check/1",
        "issue": report.issue,
        "counts": counts(report.findings),
        "inbox": [dataclasses.asdict(line) for line in report.inbox],
        "parity": dataclasses.asdict(report.parity) if report.parity else None,
        "asked": report.asked,
        "sizes": report.sizes.as_data() if report.sizes else None,
        "fixes": [dataclasses.asdict(fix) for fix in report.fixes],
        "findings": [{**dataclasses.asdict(f), "severity": f.severity.value} for f in report.findings],
    }
    return json.dumps(document, ensure_ascii=False, indent=2)


def as_sarif(report: Report) -> str:
    """SARIF 2.1.0, as code scanning takes it; a waived finding is a suppressed result."""
    rules = {rule.id: (number, rule) for number, rule in enumerate(all_checks())}
    driver = {
        "name": "newsletter check",
        "rules": [
            {
                "id": rule.id,
                "shortDescription": {"text": rule.why},
                # Code scanning shows these beside a result; the product has no public page to point to.
                "help": {
                    "text": explain(rule.id),
                    "markdown": markdown_of(rule).replace("\n[All checks](README.md)\n", ""),
                },
                "defaultConfiguration": {"level": _SARIF_LEVELS[rule.severity]},
                "properties": {"family": rule.family},
            }
            for _, rule in rules.values()
        ],
    }
    results = [_result(report.issue, finding, rules[finding.id][0]) for finding in report.findings]
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


def as_github(report: Report) -> str:
    """Workflow commands that GitHub shows at the lines of a pull request; a waived finding is a notice."""
    lines = []
    for finding in report.findings:
        level = "notice" if finding.waived is not None else _GITHUB_LEVELS[finding.severity]
        properties = {"file": finding.file or f"issues/{report.issue}/issue.md", "title": finding.id}
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
