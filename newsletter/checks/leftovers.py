"""What a reader should never see: markup shown as words, text that was encoded twice, words that held a place."""

from __future__ import annotations

import re
from collections.abc import Iterator

from newsletter.checks import examples as eg
from newsletter.checks.authored import field_of
from newsletter.checks.context import CheckContext
from newsletter.checks.page import cut
from newsletter.checks.registry import Example, Problem, check
from newsletter.models import Severity

_TAGS = "p|div|span|br|b|i|em|strong|a|img|h[1-6]|ul|ol|li|table|tr|td|blockquote|figure|script|style|iframe"
_NAMED = "amp|nbsp|lt|gt|quot|apos|[lr][sd]quo|[nm]dash|hellip|pound|euro|eacute|egrave|ouml|auml|uuml"
_MARKUP = re.compile(
    rf"</?(?:{_TAGS})(?:\s[^<>]{{0,200}})?/?>"
    rf"|&(?:{_NAMED}|#\d{{2,5}}|#x[0-9a-f]{{2,5}});"
    r"|\[/?(?:caption|gallery|embed|video|audio|vc_\w+|et_pb_\w+|su_\w+)(?:\s[^\[\]]{0,200})?\]"
    r"|\]\((?:https?:|mailto:|/)"
    r"|(?<![\w*])\*\*(?=[^\s*])[^*]{1,200}(?<=\S)\*\*(?![\w*])"
    r"|\A\s*#{2,6}\s",
    re.IGNORECASE,
)
_VERBATIM = ("code", "pre", "kbd", "samp")

_CONTINUED = "".join(
    dict.fromkeys(sign for byte in range(0x80, 0xC0) for sign in (bytes([byte]).decode("cp1252", "ignore"), chr(byte)))
)
# "NÃO" and "AMANHÃ”" are Portuguese: after a capital, Ã is a letter.
_GARBLED = re.compile(rf"(?<![A-ZÀ-Þ])[ÂÃ][{re.escape(_CONTINUED)}]|â€|ðŸ|ï»¿|\ufffd")

_PLACE = re.compile(
    r"\blorem ipsum\b"
    r"|\b(?:headline|standfirst|teaser|caption|kicker|text|intro) goes here\b"
    r"|\[(?:tk|tbc|tba|xx+|insert\b[^\[\]]{0,60}|headline|standfirst|caption|byline|link|name)\]"
    r"|(?-i:\b(?:TKTK|TK TK|XXXX+)\b|\bTK:)",
    re.IGNORECASE,
)


def _said(context: CheckContext, pattern: re.Pattern[str]) -> Iterator[tuple[str, str | None, str | None]]:
    """(what matched with the words around it, article, field), once for each story and field."""
    told: set[tuple[str | None, str | None]] = set()
    for place, words in (("subject", context.email.subject), ("preheader", context.email.preheader)):
        if found := pattern.search(words):
            yield _around(words, found), None, place
    for run in context.page.runs:
        node = run.element.node
        if node.tag in _VERBATIM or next(node.iterancestors(*_VERBATIM), None) is not None:
            continue
        if found := pattern.search(run.text):
            article = run.element.article
            field = field_of(context, article, run.text)
            if (article, field) not in told:
                told.add((article, field))
                yield _around(run.text, found), article, field


def _around(text: str, found: re.Match[str]) -> str:
    start = text.rfind(" ", 0, max(0, found.start() - 12)) + 1
    return cut(text[start : found.end() + 24])


@check(
    id="markup-shown",
    severity=Severity.WARNING,
    family="stories",
    why="Tags, entities and Markdown that stand among the words were meant for a machine, in a field that is set as it "
    "is written or in a syntax that is not ours.",
    source="newsroom practice; shortcodes of WordPress",
    failing=Example(
        "`teaser: <p>Volunteers keep the doors open.</p>`",
        eg.html("<p>Volunteers", "<p>&lt;p&gt;Volunteers"),
    ),
    passing=Example("`teaser: Volunteers keep the doors open.`", eg.as_it_is),
)
def markup_shown(context: CheckContext) -> Iterator[Problem]:
    """HTML, entities, shortcodes or Markdown in what the reader sees; code may show them."""
    for words, article, field in _said(context, _MARKUP):
        yield Problem(f"The mail shows markup: “{words}”.", "Take it out.", article, field, phrase=words)


@check(
    id="text-garbled",
    severity=Severity.WARNING,
    family="stories",
    why="“â€™” was an apostrophe until a program read it in the wrong encoding: readers take it for carelessness.",
    source="UTF-8 read as Windows-1252; Unicode 15, U+FFFD",
    failing=Example(
        "`teaser: Volunteers donâ€™t shut the doors.`", eg.html("<p>Volunteers", "<p>Volunteers donâ€™t shut the doors")
    ),
    passing=Example("`teaser: Volunteers don’t shut the doors.`", eg.as_it_is),
)
def text_garbled(context: CheckContext) -> Iterator[Problem]:
    """Words that were encoded twice, or a sign that stands for a character that was lost."""
    for words, article, field in _said(context, _GARBLED):
        yield Problem(
            f"The words are garbled: “{words}”.",
            "Type the characters anew, or take the text from its source again.",
            article,
            field,
            phrase=words,
        )


@check(
    id="placeholder-left",
    severity=Severity.WARNING,
    family="stories",
    why="“Lorem ipsum” and “TK” held a place for words that nobody wrote.",
    source="newsroom practice",
    failing=Example("`teaser: Lorem ipsum dolor sit amet.`", eg.html("<p>Volunteers", "<p>Lorem ipsum. Volunteers")),
    passing=Example("`teaser: Volunteers keep the doors open.`", eg.as_it_is),
)
def placeholder_left(context: CheckContext) -> Iterator[Problem]:
    """Filler, and signs by which newsrooms mark what is still to come."""
    for words, article, field in _said(context, _PLACE):
        yield Problem(f"Words are still to come: “{words}”.", "Write them.", article, field, phrase=words)
