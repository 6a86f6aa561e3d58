"""What to tell an editor whose YAML does not parse: nearly always a value that needs quotes."""

from __future__ import annotations

import re

from newsletter.workspace import yamltext
from newsletter.workspace.yamlnodes import YamlProblem, compose

_LINE = re.compile(r"^(?P<lead>[ \t]*(?:- +)*)(?:(?P<key>[A-Za-z_][\w-]*):[ \t]+)?(?P<value>\S.*?)[ \t\r]*$")


def fix_for(line: str, problem: str) -> str:
    """How to repair ``line``, on which ``problem`` was found: the line to write instead where it can be known."""
    if problem.startswith("a tab"):
        return "indent with spaces"
    if "character" in problem and "not allowed" in problem:
        return "delete that character and type it again"
    if "twice" in problem:
        return "keep one of the two lines"
    if "nested" in problem:
        return "front matter is a short list of `key: value` lines; write it flat"
    quoted = quoted_line(line)
    if quoted and "bracket" in problem:
        return f"close the bracket, or put the value in quotes: {quoted}"
    if quoted:
        return f"put the value in quotes: {quoted}"
    return "check the indentation, the brackets and the quotes on this line and the one before it"


def quoted_line(line: str) -> str | None:
    """The line with its value in quotes, when that is what is wrong with it; otherwise None."""
    match = _LINE.match(line)
    if match is None or _is_fine(line.strip()):
        return None
    value = match["value"]
    inner = value[1:-1]
    if len(value) > 1 and value[0] == value[-1] and value[0] in "'\"" and not inner.endswith("\\"):
        value = inner
    elif value[0] in "'\"" and value.count(value[0]) == 1:
        value = value[1:]
    key = f"{match['key']}: " if match["key"] else ""
    repaired = f"{match['lead']}{key}{yamltext.scalar(value, style=_best_quote(value))}".strip()
    return repaired if _is_fine(repaired) else None


def _best_quote(value: str) -> str:
    return "'" if '"' in value and "'" not in value else '"'


def _is_fine(line: str) -> bool:
    """Whether the line parses by itself."""
    try:
        compose(line)
    except YamlProblem:
        return False
    return True
