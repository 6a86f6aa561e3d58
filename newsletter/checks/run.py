"""Running the checks: what each finding weighs, where it is, whether it is waived, and in which order they come."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from newsletter.checks.context import CheckContext
from newsletter.checks.edits import Edit
from newsletter.checks.registry import INDEX, Problem, Rule, all_checks
from newsletter.checks.waivers import waivers
from newsletter.errors import ConfigurationError, FrontMatterError, did_you_mean
from newsletter.models import TEXT_FILE, Article, Finding, Severity

_KEY = re.compile(r"[ \t]*([A-Za-z_][A-Za-z_-]*)[ \t]*:")


@dataclass(frozen=True, slots=True)
class Proposal:
    """An edit that puts a finding of ``check`` right."""

    check: str
    edit: Edit


def run_checks(context: CheckContext) -> tuple[Finding, ...]:
    """Every finding on an issue, worst first, then in the order of the page.

    Raises ConfigurationError for a check under ``[checks]`` that does not exist or may not be turned down, and
    FrontMatterError for one under ``checks:`` in issue.md.
    """
    order = {article.slug: number for number, article in reversed(list(enumerate(context.issue.articles())))}
    places = _Places(context)
    weights = _weights(context, places)
    findings = [
        _finding(context, rule, problem, weights[rule.id], places) for rule, problem in _problems(context, weights)
    ]
    return tuple(
        sorted(
            findings,
            key=lambda f: (f.severity.rank, f.waived is not None, order.get(f.article or "", -1), f.id, f.field or ""),
        )
    )


def proposals(context: CheckContext) -> tuple[Proposal, ...]:
    """The edits that put findings right, where that is certain; what is waived is left as it is."""
    places = _Places(context)
    weights = _weights(context, places)
    return tuple(
        Proposal(rule.id, edit)
        for rule, problem in _problems(context, weights)
        if rule.fixer and _finding(context, rule, problem, weights[rule.id], places).waived is None
        for edit in _edits(context, rule, problem)
    )


def _problems(context: CheckContext, weights: Mapping[str, str]) -> Iterator[tuple[Rule, Problem]]:
    """What every rule that is on says. Those about waivers come last: they look at what the others found."""
    awake = [rule for rule in all_checks() if weights[rule.id] != "off" and not rule.asleep(context)]
    found: set[tuple[str, str | None]] = set()
    for rule in awake:
        if rule.family != "waivers":
            for problem in rule.run(context):
                found.add((rule.id, problem.article))
                yield rule, problem
    told = dataclasses.replace(context, found=frozenset(found))
    for rule in awake:
        if rule.family == "waivers":
            yield from ((rule, problem) for problem in rule.run(told))


def _edits(context: CheckContext, rule: Rule, problem: Problem) -> Iterator[Edit]:
    """What the rule offers, but for a sponsor's file: it serves other issues, and an edit would void its approval."""
    if rule.fixer is not None:
        yield from (edit for edit in rule.fixer(context, problem) if edit.article not in context.sponsors)


def _weights(context: CheckContext, places: _Places) -> dict[str, str]:
    """What the publication and then the issue say of each check: a severity, ``off``, or nothing (its own)."""
    rules = {rule.id: rule for rule in all_checks()}
    weights = dict.fromkeys(rules, "")
    for check_id, weight in context.config.checks.items():
        if refused := _refusal(rules, check_id, weight):
            raise ConfigurationError(refused[0], where=f"newsletter.toml: checks.{check_id}", fix=refused[1])
        weights[check_id] = weight
    for check_id, here in context.issue.checks.items():
        if refused := _refusal(rules, check_id, here):
            file, line = places.of(Problem("", field=f"checks.{check_id}"))
            where = f"{file}:{line}" if line else f"{file or 'issue.md'}: checks.{check_id}"
            raise FrontMatterError(refused[0], where=where, fix=refused[1])
        weights[check_id] = here
    return weights


def _refusal(rules: Mapping[str, Rule], check_id: str, weight: str) -> tuple[str, str] | None:
    """Why a check cannot have this weight, and what to do."""
    if check_id not in rules:
        return f'there is no check "{check_id}"', did_you_mean(check_id, rules) or f"{INDEX} lists them all"
    if not rules[check_id].waivable and weight != "error":
        return f"the check {check_id} guards the law or the reader and cannot be turned down", "take the line out"
    return None


def _finding(context: CheckContext, rule: Rule, problem: Problem, weight: str, places: _Places) -> Finding:
    severity = Severity(weight) if weight else problem.severity or rule.severity
    file, line = places.of(problem)
    waived = _waived(context, rule, severity, problem.article)
    return Finding(
        rule.id,
        severity,
        problem.message,
        problem.fix,
        problem.article,
        problem.field,
        file,
        line,
        waived,
        fixable=waived is None and next(_edits(context, rule, problem), None) is not None,
    )


def _waived(context: CheckContext, rule: Rule, severity: Severity, article: str | None) -> str | None:
    """The reason of the waiver that covers a finding: its story's own, or one for the whole issue."""
    if not rule.waivable and severity is Severity.ERROR:
        return None
    for owner, waiver in waivers(context):
        if waiver.id == rule.id and owner in (None, article) and waiver.reason.strip():
            return waiver.reason.strip()
    return None


class _Places:
    """Files and lines of problems. A file is read once, and only when something was found in it."""

    def __init__(self, context: CheckContext) -> None:
        self._articles: dict[str, Article] = {article.slug: article for article in context.issue.articles()}
        self._issue = context.issue.path / "issue.md" if context.issue.path else None
        self._text = context.issue.text_file
        self._lines: dict[Path, list[str]] = {}

    def of(self, problem: Problem) -> tuple[str | None, int | None]:
        """(path from ``issues/`` on, line counted from 1); None for what has no file."""
        if problem.field == TEXT_FILE and self._text is not None:
            line = _line_with(self._read(self._text), problem.phrase) if problem.phrase else None
            return _shown(self._text), line
        article = self._articles.get(problem.article or "")
        path = article.path if article else self._issue
        if path is None or (article is None and problem.field is None and problem.phrase is None):
            return None, None
        lines = self._read(path)
        line = None
        if problem.phrase:
            line = _line_with(lines, problem.phrase)
        if line is None and problem.field:
            line = _line_of_key(lines, problem.field.split("."))
        return _shown(path), line

    def _read(self, path: Path) -> list[str]:
        if path not in self._lines:
            try:
                self._lines[path] = path.read_text(encoding="utf-8-sig", errors="replace").splitlines()
            except OSError:  # an issue that was made in memory, or a file that just went away
                self._lines[path] = []
        return self._lines[path]


def _shown(path: Path) -> str:
    """The path as the editor knows it, from the workspace's ``issues/`` or ``sponsors/`` on."""
    parts = path.parts
    if parts[-2:-1] == ("sponsors",) and parts[-3:-2] != ("issues",):
        return f"sponsors/{path.name}"
    if "issues" in parts:
        last = len(parts) - 1 - parts[::-1].index("issues")
        return "/".join(parts[last:])
    return path.name


def _line_with(lines: Iterable[str], phrase: str) -> int | None:
    return next((number for number, line in enumerate(lines, 1) if phrase in line), None)


def _line_of_key(lines: list[str], keys: list[str]) -> int | None:
    """The line of a front matter key; of the nearest key above it where it is not written (or in flow style)."""
    line = None
    first = 0
    for depth, key in enumerate(keys):
        for number, found in _keys(lines, first, nested=depth > 0):
            if found == key:
                line, first = number, number
                break
        else:
            break
    if line is None and lines[:1] == ["---"]:
        line = 1
    return line


def _keys(lines: list[str], first: int, *, nested: bool) -> Iterator[tuple[int, str]]:
    """(line, key) of the front matter at one depth, from ``first`` on; nested ones end with their block."""
    for number in range(first + 1, len(lines) + 1):
        line = lines[number - 1]
        if number > 1 and line.rstrip() in ("---", "..."):
            return
        indented = line[:1] in (" ", "\t")
        if nested and not indented and line.strip():
            return
        key = _KEY.match(line)
        if key and indented == nested:
            yield number, key[1]
