"""What a check says of itself: on the terminal (``--explain``), and in the documents."""

from __future__ import annotations

import re
from collections.abc import Iterator

from newsletter.checks.registry import FAMILIES, Rule, all_checks, find

FOLDER = "docs/checks"


def explain(check_id: str) -> str:
    """Why a check exists, where it comes from, what breaks it and what keeps it; raises NotFound."""
    rule = find(check_id)
    lines = [
        f"{rule.id} ({rule.severity.value}): {rule.why}",
        "",
        f"  Source:  {rule.source}",
        f"  Fails:   {rule.failing.text}",
        f"  Passes:  {rule.passing.text}",
        "",
        *(f"  {sentence}" for sentence in _abilities(rule)),
    ]
    if rule.waivable:
        lines += [
            f'  Another weight:  {rule.id} = "off" under [checks] in newsletter.toml, or under checks: in issue.md',
            f"  One finding:     waive: [{{id: {rule.id}, reason: …}}] in the story's front matter",
        ]
    else:
        lines.append("  It guards the law or the reader: as an error it can be neither waived nor turned off.")
    return "\n".join(lines)


def _abilities(rule: Rule) -> Iterator[str]:
    if rule.needs == "reachability":
        yield "It runs only with --online."
    if rule.fixer is not None:
        yield "Where the remedy is certain, --fix makes it."


def markdown_of(rule: Rule) -> str:
    """The page of one check."""
    lines = [f"# {rule.id}", "", f"*{_weight(rule)}* · {FAMILIES.get(rule.family, rule.family)}", "", rule.why, ""]
    lines += [f"- Fails: {rule.failing.text}", f"- Passes: {rule.passing.text}", f"- Source: {rule.source}"]
    if abilities := list(_abilities(rule)):
        lines += ["", *(re.sub("(--[a-z]+)", r"`\1`", sentence) for sentence in abilities)]
    if rule.waivable:
        lines += ["", "```toml", "[checks]", f'{rule.id} = "off"    # or error, warning, info', "```"]
    else:
        lines += ["", "It guards the law or the reader: as an error it can be neither waived nor turned off."]
    lines += ["", "[All checks](README.md)"]
    return "\n".join(lines) + "\n"


def _weight(rule: Rule) -> str:
    return rule.severity.value if rule.waivable else f"{rule.severity.value}, cannot be waived"


def documents() -> dict[str, str]:
    """The pages of ``FOLDER`` by file name: the index, and one for each check that comes with the product."""
    rules = [rule for rule in all_checks() if rule.ours]
    return {"README.md": _index(rules), **{f"{rule.id}.md": markdown_of(rule) for rule in rules}}


def _index(rules: list[Rule]) -> str:
    lines = [
        "# Checks",
        "",
        "`newsletter check SLUG` looks at the finished email and at the files it is made from. Each finding has a",
        "stable id, names its story and field, and says what to do. Errors block an approval; warnings are yours to",
        "judge; notes are for the curious. These pages are generated from the checks themselves.",
        "",
        "Another weight for the whole publication goes into `newsletter.toml`; for one issue, into the front matter of",
        "its `issue.md`:",
        "",
        "```toml",
        "[checks]",
        'credit-missing = "error"',
        'link-insecure = "off"',
        "```",
        "",
        "```yaml",
        "checks: {credit-missing: info}",
        "```",
        "",
        "One finding is waived, with the reason, in the front matter of its story, or of `issue.md` for the whole",
        "issue:",
        "",
        "```yaml",
        "waive:",
        "  - id: credit-missing",
        "    reason: our own reporter's phone",
        "```",
        "",
        "A waived finding stays listed and blocks nothing. What is marked *cannot be waived* guards the law or the",
        "reader. *Fix*: `--fix` makes the remedy where it is certain. *Online*: runs only with `--online`.",
    ]
    for family, title in FAMILIES.items():
        members = [rule for rule in rules if rule.family == family]
        if members:
            lines += ["", f"## {title}", "", "| check | weight | |", "|---|---|---|", *map(_row, members)]
    return "\n".join(lines) + "\n"


def _row(rule: Rule) -> str:
    marks = [word for word, has in (("fix", rule.fixer), ("online", rule.needs == "reachability")) if has]
    weight = ", ".join([_weight(rule), *marks])
    return f"| [{rule.id}]({rule.id}.md) | {weight} | {_sentence(rule.why)} |"


def _sentence(why: str) -> str:
    """The first sentence of a reason; one that ends inside a quotation goes on."""
    words = why.split(" ")
    for number, word in enumerate(words, 1):
        said = " ".join(words[:number])
        if word.endswith((".", "?", "!")) and word not in ("e.g.", "U.S.C.") and said.count("“") == said.count("”"):
            return said.replace("|", "\\|")
    return why.replace("|", "\\|")
