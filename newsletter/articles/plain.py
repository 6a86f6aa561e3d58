"""Plain text into Markdown that means exactly that text, and Markdown back into plain text.

What has a meaning in our Markdown (CommonMark's punctuation as Python-Markdown reads it, tables, raw HTML, entities)
or in the merge field grammar (``{{ }} {% {#``) is escaped, so that a story is never changed by what it happens to
contain. Everything here takes linear time.
"""

from __future__ import annotations

import html
import re
from functools import lru_cache

# Straight to Markdown: a backslash before what could begin a construct anywhere in a line.
_ANYWHERE = re.compile(
    r"""
      \\                                        # would escape what follows
    | [`*\[\]]                                  # code, emphasis, links and images
    | (?<![^\W_])_ | _(?![^\W_])                # emphasis, but not inside_a_word
    | <(?=\S)                                   # raw HTML and <autolinks>
    | &(?=\#?[A-Za-z0-9]{1,40};)                # an entity that was meant as text
    | \{\{ | \}\} | \{% | \{\#                  # merge fields and template code
    """,
    re.VERBOSE,
)
_AT_START = re.compile(r"(?P<number>\d{1,20})(?=\.(?:\s|$))|[>#]|[-+](?=\s|$)|[-_=:|](?=[-_=:|\s]*$)|~(?=~~)")
_ENTITIES = {"<": "&lt;", "&": "&amp;", "=": "&#61;", "|": "&#124;", ":": "&#58;", "~": "&#126;"}

_CONTROL = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\ufeff]+")
_LINE_ENDS = re.compile("\r\n?|[\x0b\x0c\x85\u2028\u2029]")


def clean(text: str) -> str:
    """One kind of line end, no control characters, no lone surrogates; nothing that a reader could see changes."""
    text = _CONTROL.sub("", _LINE_ENDS.sub("\n", text))
    return text.encode("utf-8", "replace").decode("utf-8")


def escape_inline(text: str) -> str:
    """Text from inside a line as Markdown."""
    return _ANYWHERE.sub(lambda found: _ENTITIES.get(found.group(), "\\" + found.group()), text)


def escape_line(line: str) -> str:
    """A whole line (no line breaks, no blanks around it) as Markdown: also what means something at its start."""
    return escape_start(escape_inline(line))


def escape_start(line: str) -> str:
    """Escape what means something at the start of a line whose inside is Markdown already."""
    found = _AT_START.match(line)
    if found is None:
        return line
    if found["number"]:
        return f"{found['number']}\\{line[found.end() :]}"
    mark = found.group()
    return _ENTITIES.get(mark, "\\" + mark) + line[found.end() :]


def escape_braces(text: str) -> str:
    """A field of one line (a headline, a caption) that means its braces: it is no Markdown, but it has merge fields."""
    return _BRACES.sub(r"\\\g<0>", text)


_BRACES = re.compile(r"\{\{|\}\}|\{%|\{#")
_FENCE = re.compile(r"^(?:```|~~~).*$", re.MULTILINE)
# Behind the mark of a heading nothing else is one: "## 2. Warp the lines" says "2. Warp the lines".
_BLOCK_MARK = re.compile(
    r"^[ \t]*(?:(?:>[ \t]?|[-+*][ \t]+|\d{1,9}[.)][ \t]+)+(?:#{1,6}[ \t]+)?|#{1,6}[ \t]+)", re.MULTILINE
)
_RULE = re.compile(r"^[ \t]*[-*_=:|][-*_=:| \t]*$", re.MULTILINE)
_TAG = re.compile(r"<(?:!--.{0,2000}?-->|[A-Za-z/][^<>]{0,2000}>)", re.DOTALL)
_LINK = re.compile(
    r"(!?)\[([^\[\]]{0,2000})\](?:\([^()\s]{0,2000}(?:\s+(?:\"[^\"\n]{0,1000}\"|'[^'\n]{0,1000}'))?\)|\[[^\[\]]{0,200}\])"
)
_AUTOLINK = re.compile(r"<((?:https?|mailto):[^<>\s]{1,2000})>")
_MARKS = re.compile(
    r"(\*{1,3}|`{1,3})(?=\S)([^*`]{1,4000}?)(?<=\S)\1|(?<!\w)(_{1,3})(?=\S)([^_]{1,4000}?)(?<=\S)\3(?!\w)"
)
_ESCAPED = re.compile(r"\\([\\`*_{}\[\]()>#+\-.!|<~\"':=])")
_HIDDEN_BASE = 0xF0000  # private use: an escaped character is out of reach until the marks are gone
_HIDDEN = re.compile("[\U000f0000-\U000f007f]")


# A story that comes in is asked for its words by everything that is derived from it.
@lru_cache(maxsize=16)
def plain_text(markdown: str, *, field: bool = False) -> str:
    """The words of some Markdown on as many lines as it has: no marks, links as their text, pictures dropped.

    With ``field`` the result is for a field of an article, in which merge fields count: escaped braces stay escaped.
    """
    text = _HIDDEN.sub("", markdown)
    kept = "{}" if field else ""
    if "\\" in text:
        text = _ESCAPED.sub(lambda found: found[0] if found[1] in kept else chr(_HIDDEN_BASE + ord(found[1])), text)
    text = _FENCE.sub("", text)
    if "<" in text:
        text = _AUTOLINK.sub(r"\1", text)
    if "[" in text:
        for _ in range(2):  # a linked picture is a picture inside a link
            text = _LINK.sub(lambda found: "" if found[1] else found[2], text)
    if "<" in text:
        text = _TAG.sub(" ", text)
    text = _RULE.sub("", text)
    text = _BLOCK_MARK.sub("", text)
    if "*" in text or "`" in text or "_" in text:
        for _ in range(2):  # strong inside emphasis
            text = _MARKS.sub(lambda found: found[2] or found[4], text)
    text = html.unescape(text)
    return _HIDDEN.sub(lambda found: chr(ord(found.group()) - _HIDDEN_BASE), text)
