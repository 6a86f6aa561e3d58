"""Bounds for authored Markdown, so that any text is set in linear time.

Python-Markdown is quadratic or worse in several inputs (20,000 ``[``, ``*``, backticks or ``#``; thousands of nested
quotes; one paragraph per letter). No story looks like that; what does is taken at its letters: the characters that
would mean something to Markdown are swapped for private-use ones before it runs and put back, escaped, after it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

MAX_BODY = 256 * 1024
"""Bytes of one body in UTF-8."""

MAX_BRACKETS = 200
"""``[`` in one paragraph before they are taken as letters."""

MAX_BRACKET_WORK = 80_000
"""Characters that looking for the end of every ``[`` and ``](`` of one paragraph may pass over; 200 links with long
addresses are about 40,000."""

MAX_SPECIALS = 400
"""Characters in one paragraph that Markdown looks at, all kinds together. Its inline patterns cost the number of these
times the paragraph's length, so this is the factor that makes a body's cost linear."""

MAX_DEPTH = 6
"""Quotes and lists inside each other; what is deeper is set at this depth."""

MAX_TAGS = 400
"""Tags in one body before every ``<`` is taken as a letter."""

MAX_CELLS = 20_000
"""Columns × rows of all tables of a body; a heading row fixes the columns of every row below it."""

MAX_REFERENCED = 1024 * 1024
"""Bytes that ``[name]: address`` definitions may become: the longest of them times the brackets that may name it."""

CHUNK = 800
"""Paragraphs that Markdown gets at once: it shifts a list of all of them for each one."""

_SPECIAL = "\\`*_{}[]()<>#+-.!&|=~:\"'"
_PRIVATE = 0xE000
_HIDE = {ord(character): chr(_PRIVATE + ord(character)) for character in _SPECIAL}
_ESCAPED = {"&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;"}
_SHOW = {ord(hidden): _ESCAPED.get(chr(code), chr(code)) for code, hidden in _HIDE.items()}
_AMPERSAND = _HIDE[ord("&")]
_NO_BREAK = chr(0xE0F2)

BRACE = chr(0xE0F1)
"""A ``{`` that an author escaped: a letter, never the start of template syntax, until the very end."""

SEAM = chr(0xE0F5)
"""A paragraph of its own between two quotations; it leaves no trace in the HTML."""

MAX_SEAMS = 200
"""Quotations of one body that are set apart from the one before."""

# Bidirectional controls can turn the text around a word; private-use characters are ours; the rest are C0 and C1.
_CONTROLS = (*range(0x09), 0x0B, 0x0C, *range(0x0E, 0x20), *range(0x7F, 0xA0))
_BIDI = (*range(0x202A, 0x202F), *range(0x2066, 0x206A))
_PRIVATE_AND_BROKEN = (*range(_PRIVATE, _PRIVATE + 0x100), *range(0xD800, 0xE000), 0xFEFF, 0xFFFE, 0xFFFF)
_DROPPED = dict.fromkeys([*_CONTROLS, *_BIDI, *_PRIVATE_AND_BROKEN])
_SETTLED = _DROPPED | {ord(BRACE): BRACE, ord(_AMPERSAND): "&amp;", ord(_NO_BREAK): "\u00a0"}
_LINE_ENDS = re.compile(r"\r\n?|[\u2028\u2029\x85]")
_CONTAINER = re.compile(r"[ \t]*+(?:>|(?:[-*+]|[0-9]{1,9}[.)])(?=[ \t]|\Z))")
# The last is a rule or an underline: after each of them Markdown starts again with the rest of the paragraph.
_COUNTED = re.compile(r"[\\`*_\[<#!&=~]|  \n|^ {0,3}(?:[-_*=] *+){2,}+$", re.MULTILINE)
_ITEM = re.compile(r" {0,3}(?:[-*+]|[0-9]{1,9}\.) ")
_BLANK_LINES = re.compile(r"\n[ \t]*(?=\n)")
_TAG = re.compile(r"<(?=[A-Za-z/!?])")
_DEFINITION = re.compile(r"\n(?=[^\n\[]{0,40}\[)")


def clean(text: str) -> str:
    """Authored text without characters that print nothing and can do harm; lines end with \\n."""
    return _LINE_ENDS.sub("\n", text).translate(_DROPPED)


def hide_braces(text: str) -> str:
    """Escaped template syntax as letters: ``{`` before ``{``, ``%`` or ``#``."""
    return re.sub(r"\{(?=[{%#])", BRACE, text) if "{" in text else text


def hide_tags(value: str) -> str:
    """An attribute's value with its angle brackets hidden: serialisers leave them there as they are."""
    return value.replace("<", _HIDE[ord("<")]).replace(">", _HIDE[ord(">")])


def show_specials(html: str) -> str:
    """Put the hidden characters back as HTML text."""
    return html.translate(_SHOW)


def before_nh3(html: str) -> str:
    """HTML without the two characters that nh3 needs quadratic time for; ``after_nh3`` puts them back."""
    return html.replace("&amp;", _AMPERSAND).replace("\u00a0", _NO_BREAK)


def after_nh3(html: str) -> str:
    """nh3's HTML whole again, and without what ``clean`` takes out: an author can write that as an entity too."""
    return html.translate(_SETTLED)


def bounded(markdown: str) -> str:
    """The same Markdown with every construct that would cost too much taken at its letters."""
    lines = [_shallow(line) for line in markdown.expandtabs(4).split("\n")]
    text = _closable("\n".join(lines))
    paragraphs = _paragraphs(text)
    if "]:" in text and _referenced(paragraphs) > MAX_REFERENCED:
        paragraphs = [one.replace("[", _HIDE[ord("[")]) if "]:" in one else one for one in paragraphs]
    if "|" in text:
        paragraphs = list(_with_few_cells(paragraphs))
    return "\n\n".join(_affordable(paragraph) for paragraph in paragraphs)


def apart(markdown: str) -> str:
    """Two quotations with an empty line between them are two, as in CommonMark; Python-Markdown joins them.

    At most ``MAX_SEAMS`` are set apart: no story quotes more often.
    """
    out: list[str] = []
    seams = 0
    for paragraph in _paragraphs(markdown):
        if seams < MAX_SEAMS and paragraph.startswith(">") and out and out[-1].startswith(">"):
            out.append(SEAM)
            seams += 1
        out.append(paragraph)
    return "\n\n".join(out)


def _closable(text: str) -> str:
    """Every ``<`` is a letter that no ``>`` follows; all are where there are too many tags."""
    end = text.rfind(">") + 1
    if len(_TAG.findall(text, 0, end)) > MAX_TAGS:
        end = 0
    return text[:end] + text[end:].replace("<", _HIDE[ord("<")]) if "<" in text else text


def _referenced(paragraphs: list[str]) -> int:
    """What the definitions can become at most: Markdown writes the whole address for every use."""
    longest = max(len(one) for block in paragraphs if "]:" in block for one in _DEFINITION.split(block))
    return longest * sum(one.count("[") for one in paragraphs)


def _with_few_cells(paragraphs: list[str]) -> Iterator[str]:
    """Tables beyond the body's share of cells are lines with bars."""
    left = MAX_CELLS
    for paragraph in paragraphs:
        if "|" in paragraph and "\n" in paragraph:
            left -= _table_cells(paragraph)
            if left < 0:
                paragraph = paragraph.replace("|", _HIDE[ord("|")])
        yield paragraph


def chunks(markdown: str) -> Iterator[str]:
    """The Markdown in pieces of at most ``CHUNK`` paragraphs, divided where a paragraph starts at the margin."""
    paragraphs = _paragraphs(markdown)
    piece: list[str] = []
    for paragraph in paragraphs:
        if len(piece) >= CHUNK and (not paragraph.startswith(" ") or len(piece) >= 2 * CHUNK):
            yield "\n\n".join(piece)
            piece = []
        piece.append(paragraph)
    yield "\n\n".join(piece)


def _paragraphs(text: str) -> list[str]:
    return re.split(r"\n{2,}", _BLANK_LINES.sub("\n", text).strip("\n"))


def _shallow(line: str) -> str:
    """Cap the depth of one line: its indentation, and the quote and list marks in front of its text."""
    blanks = len(line) - len(line.lstrip(" "))
    if blanks > 4 * MAX_DEPTH:
        line = " " * (4 * MAX_DEPTH) + line.lstrip(" ")
    at = depth = 0
    while mark := _CONTAINER.match(line, at):
        at = mark.end()
        depth += 1
        if depth > MAX_DEPTH:
            # Everything from the first mark too many is this depth's text; nothing in it may open another level.
            rest = line[mark.start() :]
            letters = len(rest) - len(rest.lstrip(" >-*+.)0123456789"))
            return line[: mark.start()] + rest[:letters].translate(_HIDE) + rest[letters:]
    return line


def _affordable(paragraph: str) -> str:
    if not _is_costly(paragraph):
        return paragraph
    if _is_table(paragraph):
        # Markdown sets each cell by itself: only the rows that are too much are taken at their letters.
        return "\n".join(_letters(row, keep="|") if _is_costly(row) else row for row in paragraph.split("\n"))
    if _ITEM.match(paragraph):
        # A long list: with empty lines between its items each of them is a paragraph, and affordable.
        items = re.split(r"\n(?= {0,3}(?:[-*+]|[0-9]{1,9}\.) )", paragraph)
        return "\n\n".join(_letters(item) if _is_costly(item) else item for item in items)
    return _letters(paragraph)


def _is_table(paragraph: str) -> bool:
    """A heading row of two columns or more without code or escapes, and a row of dashes with as many columns."""
    heading, _, rest = paragraph.partition("\n")
    dashes = rest.partition("\n")[0]
    if "`" in heading or "\\" in heading or not set(dashes) <= set("|:- ") or "-" not in dashes:
        return False
    columns = [row.strip(" ").removeprefix("|").removesuffix("|").count("|") for row in (heading, dashes)]
    return columns[0] == columns[1] > 0


def _is_costly(text: str) -> bool:
    if len(_COUNTED.findall(text)) > MAX_SPECIALS:
        return True
    return "[" in text and (text.count("[") > MAX_BRACKETS or _bracket_work(text) > MAX_BRACKET_WORK)


def _letters(text: str, keep: str = "") -> str:
    """The text with every special character hidden; for brackets alone, only those."""
    if len(_COUNTED.findall(text.replace("[", ""))) <= MAX_SPECIALS // 2:
        return text.replace("[", _HIDE[ord("[")])
    # Two blanks at a line's end are a line break to Markdown, and one more thing to count.
    text = re.sub(r" +\n", "\n", text)
    return text.translate({code: hidden for code, hidden in _HIDE.items() if chr(code) not in keep})


def _bracket_work(paragraph: str) -> int:
    """The summed lengths from each ``[`` to its ``]`` and each ``](`` to its ``)``; to the end where there is none."""
    work = 0
    open_at: list[int] = []
    addresses: list[int] = []  # where a round bracket opened; -1 for one that starts no address
    for bracket in re.finditer(r"\[|\]\(?|[()]", paragraph):
        mark, at = bracket.group(), bracket.start()
        if mark == "[":
            open_at.append(at)
        elif mark == "(":
            addresses.append(-1)
        elif mark == ")":
            start = addresses.pop() if addresses else -1
            if start >= 0:
                # An odd quote hides the bracket from Markdown, which reads on.
                odd = any(paragraph.count(quote, start, at) % 2 for quote in "\"'")
                work += (len(paragraph) if odd else at) - start
        else:
            start = open_at.pop() if open_at else -1
            work += at - start if start >= 0 else 0
            if mark == "](":
                addresses.append(at if start >= 0 else -1)
    return work + sum(len(paragraph) - start for start in (*open_at, *addresses) if start >= 0)


def _table_cells(paragraph: str) -> int:
    """Columns × rows if the paragraph were a table; its widest row is taken, for a list may come before its heading."""
    rows = paragraph.split("\n")
    return (max(row.count("|") for row in rows) + 1) * len(rows)
