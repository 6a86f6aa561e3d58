"""Merge fields: the grammar of authored text, the opaque tokens, and the escaping of values.

The whole grammar is::

    {{ subscriber.<attribute> }}
    {{ subscriber.<attribute> | default("words") }}      single or double quotes, backslash escapes
    {{ unsubscribe_url }}   {{ preferences_url }}   {{ web_url }}
    \\{{                                                  a literal {{

Authored text is never a template: even a sandboxed template language lets ``'a' * 999999999`` exhaust the
memory. What looks like a field and is none is refused with its file and line.

A field becomes a token (``nlf0001q``) before Markdown, Jinja and the inliner see the text. A token is one
plain word, so each of them passes it on; values come in at the very end, escaped for where they land.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Collection, Mapping, Sequence

from newsletter.errors import MergeFieldError, did_you_mean
from newsletter.models import FieldContext, MergeField

RESERVED = ("unsubscribe_url", "preferences_url", "web_url")
"""Fields that are links of ours, not attributes of a subscriber."""

TOKEN = re.compile(r"nlf[0-9]{4}q")
"""What stands for a merge field in a finished email."""

MAX_VALUE = 1000
"""Characters of a value or a default that are used: a name of a megabyte is an attack, not a name."""

# Possessive quantifiers keep a failing match linear: `\s*\s*` would try every split of a run of blanks.
_FIELD = re.compile(
    r"""\{\{\s*+(?:
        subscriber\.(?P<attribute>[A-Za-z_][A-Za-z0-9_-]*+)\s*+
            (?:\|\s*+default\(\s*+(?P<default>"(?:[^"\\\r\n]|\\[^\r\n])*+"|'(?:[^'\\\r\n]|\\[^\r\n])*+')\s*+\)\s*+)?+
        | (?P<reserved>unsubscribe_url|preferences_url|web_url)\s*+
    )\}\}""",
    re.VERBOSE,
)
_MARK = re.compile(r"\\?(?:\{\{|\}\}|\{%|\{\#)|nlf[0-9]{4}q", re.VERBOSE)
_BRACES = re.compile(r"\{\{|\}\}|\{%|\{#")
_ESCAPED = re.compile(r"\\(.)")
_NAME = re.compile(r"\s*+(?P<name>[A-Za-z_][A-Za-z0-9_-]*+)\s*+(?P<rest>\|.*+)?\Z", re.DOTALL)
_SUBSCRIBER = re.compile(r"\s*+subscriber\.(?P<name>[^\s|}]*+)\s*+(?P<rest>\|.*+)?\Z", re.DOTALL)
_EXAMPLE = '{{ subscriber.first_name | default("reader") }}'

# The bidirectional overrides and isolates can turn the text around a name; a name needs none of them.
_BIDI = "\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069"
_FSI, _PDI = "\u2068", "\u2069"
# Anything a browser, an editor or a mail server may take for a line break or a blank.
_TO_SPACE = "\t\n\x0b\x0c\r\x1c\x1d\x1e\x1f\x85\u2028\u2029"
_CONTROL = [chr(n) for n in (*range(0x20), *range(0x7F, 0xA0)) if chr(n) not in _TO_SPACE]


def _cleaning(control: str) -> dict[int, str]:
    table = dict.fromkeys(_BIDI, "") | dict.fromkeys(_TO_SPACE, " ") | dict.fromkeys(_CONTROL, control)
    half_characters = dict.fromkeys(range(0xD800, 0xE000), "\ufffd")  # UTF-8 cannot carry them
    return {ord(character): value for character, value in table.items()} | half_characters


_CLEAN_TEXT = _cleaning(" ")
_CLEAN_HTML = _cleaning("")
_HTML = str.maketrans({"&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;", "'": "&#39;"})
_PLAIN = re.compile(r"[A-Za-z0-9 .,:/?=_@+-]*+")


class Tokeniser:
    """Turns the merge fields of one email into tokens, numbered in the order of their first use.

    One token stands for one (name, default, context): the same field in HTML and in the text part is two
    tokens, because its value is escaped differently. Not shared between emails.
    """

    def __init__(self, attributes: Collection[str]) -> None:
        self.attributes = frozenset(attributes)
        self._fields: dict[tuple[str, str, FieldContext], MergeField] = {}

    @property
    def fields(self) -> tuple[MergeField, ...]:
        """Every field used so far, in the order of its token."""
        return tuple(self._fields.values())

    def token_for(self, name: str, context: FieldContext, default: str = "") -> str:
        """The token of a field by name: an attribute or one of ``RESERVED`` (themes' links use this).

        Raises MergeFieldError for a name that is neither, and after 9,999 different fields.
        """
        if name not in RESERVED and name not in self.attributes:
            raise _unknown_attribute(name, self.attributes, None)
        known = self._fields.get((name, default, context))
        if known is None:
            if len(self._fields) == 9999:
                raise MergeFieldError(
                    "an email can hold 9,999 different merge fields and this one has more",
                    fix="use the same default for the same field everywhere",
                )
            known = MergeField(f"nlf{len(self._fields) + 1:04d}q", name, default, context)
            self._fields[name, default, context] = known
        return known.token

    def tokenise(self, text: str, context: FieldContext, *, file: str | None = None, line: int = 1) -> str:
        """Return ``text`` with every merge field replaced by its token and ``\\{{`` by ``{{``.

        ``line`` is the line of ``file`` on which ``text`` starts. Raises MergeFieldError naming file and line
        for a field that is malformed or unknown, and for a word that looks like a token. Linear time.
        """
        out: list[str] = []
        at = 0
        literal_open = False
        while mark := _MARK.search(text, at):
            out.append(text[at : mark.start()])
            found = mark.group()
            if found[0] == "\\":
                out.append(found[1:])
                literal_open = literal_open or found == "\\{{"
                at = mark.end()
            elif found == "}}" and literal_open:
                out.append(found)
                literal_open = False
                at = mark.end()
            elif field := _FIELD.match(text, mark.start()):
                try:
                    out.append(self._token_of(field, context))
                except MergeFieldError as refused:
                    refused.where = _place(file, text, mark.start(), line)
                    raise
                at = field.end()
            else:
                raise self._refusal(text, mark, _place(file, text, mark.start(), line))
        out.append(text[at:])
        return "".join(out)

    def _token_of(self, field: re.Match[str], context: FieldContext) -> str:
        name = field["reserved"] or field["attribute"]
        if not field["reserved"] and name not in self.attributes:
            raise _unknown_attribute(name, self.attributes, None)
        default = _ESCAPED.sub(r"\1", field["default"][1:-1]) if field["default"] else ""
        if len(default) > MAX_VALUE:
            raise MergeFieldError(
                f"the default of {{{{ subscriber.{name} }}}} has {len(default):,} characters",
                fix=f"keep it under {MAX_VALUE:,} characters",
            )
        return self.token_for(name, context, default)

    def _refusal(self, text: str, mark: re.Match[str], where: str) -> MergeFieldError:
        found = mark.group()
        if found == "}}":
            return MergeFieldError(
                "}} closes a merge field that was never opened", where=where, fix=r"write \}} for plain braces"
            )
        if found in ("{%", "{#"):
            return MergeFieldError(
                f"{found} is template code, and stories are not templates",
                where=where,
                fix=f"take it out, or write \\{found} for plain characters; a merge field looks like {_EXAMPLE}",
            )
        if found != "{{":
            return MergeFieldError(
                f"the word {found} is reserved: it stands for a merge field inside the email",
                where=where,
                fix="write the word differently, for example with a hyphen",
            )
        end = text.find("}}", mark.end())
        again = text.find("{{", mark.end())
        if end < 0 or 0 <= again < end:
            return MergeFieldError(
                "a merge field is opened with {{ and not closed",
                where=where,
                fix=f"close it with }}}} as in {_EXAMPLE}, or write \\{{{{ for plain braces",
            )
        return self._malformed(text[mark.end() : end], where)

    def _malformed(self, inside: str, where: str) -> MergeFieldError:
        shown = _shorten(inside.strip())
        what = f"{{{{ {shown} }}}} is not a merge field"
        if named := _SUBSCRIBER.match(inside):
            if named["name"] not in self.attributes:
                return _unknown_attribute(named["name"], self.attributes, where)
            return MergeFieldError(what, where=where, fix=_filter_advice(named["name"], named["rest"]))
        if named := _NAME.match(inside):
            name = _shorten(named["name"])
            if name in RESERVED:
                return MergeFieldError(what, where=where, fix=f"{name} takes no default: write {{{{ {name} }}}}")
            if name in self.attributes:
                rest = f" {_shorten(named['rest'].strip())}" if named["rest"] else ""
                return MergeFieldError(what, where=where, fix=f"did you mean {{{{ subscriber.{name}{rest} }}}}?")
            if close := did_you_mean(name, [*RESERVED, *self.attributes]):
                word = close.split('"')[1]
                full = word if word in RESERVED else f"subscriber.{word}"
                return MergeFieldError(what, where=where, fix=f"did you mean {{{{ {full} }}}}?")
        return MergeFieldError(what, where=where, fix=f"write it as {_EXAMPLE}, or \\{{{{ for plain braces")


def escaped_value(field: MergeField, values: Mapping[str, str]) -> str:
    """The value of a field for one reader, escaped for the context it lands in.

    A missing or blank value takes the field's default. ``html``: ``& < > " '`` and everything beyond ASCII as
    entities, so that it fits an attribute too and a provider that picks the charset from the content cannot
    pick a wrong one. ``text`` and ``subject``: control characters and line breaks become blanks. Bidirectional
    controls are dropped, and in a subject, which has no markup, a value with letters from right to left is isolated.
    At most ``MAX_VALUE`` characters are used (our own links keep all of theirs: half an address is none).
    """
    value = values.get(field.name, "").strip()
    if value and _PLAIN.fullmatch(value) and len(value) <= MAX_VALUE:
        return value
    clean = _CLEAN_HTML if field.context == "html" else _CLEAN_TEXT
    value = value.translate(clean).strip() or field.default.translate(clean)
    if field.name not in RESERVED:
        value = value[:MAX_VALUE]
    if field.context == "subject" and any(unicodedata.bidirectional(one) in ("R", "AL") for one in value):
        return f"{_FSI}{value}{_PDI}"
    if field.context != "html":
        return value
    return value.translate(_HTML).encode("ascii", "xmlcharrefreplace").decode("ascii")


def as_authored(text: str, fields: Sequence[MergeField]) -> str:
    """The inverse of ``tokenise``: what an author has to write to get this text with its tokens.

    Every token of ``fields`` is a field again, and braces that are none are escaped. A brace or a backslash just before
    a field gets a blank behind it: the grammar has no other way to keep them apart.
    """
    written = {field.token: field_as_authored(field) for field in fields}
    out: list[str] = []
    at = 0
    for token in TOKEN.finditer(text):
        before = _BRACES.sub(r"\\\g<0>", text[at : token.start()])
        out += [f"{before} " if before.endswith(("{", "\\")) else before, written.get(token.group(), token.group())]
        at = token.end()
    return "".join([*out, _BRACES.sub(r"\\\g<0>", text[at:])])


def field_as_authored(field: MergeField) -> str:
    """A field as an author writes it: ``{{ subscriber.first_name | default("reader") }}``."""
    if field.name in RESERVED:
        return f"{{{{ {field.name} }}}}"
    quoted = re.sub(r'["\\]', r"\\\g<0>", field.default)
    default = f' | default("{quoted}")' if field.default else ""
    return f"{{{{ subscriber.{field.name}{default} }}}}"


def fill(text: str, fields: Sequence[MergeField], values: Mapping[str, str]) -> str:
    """``text`` as one reader gets it: every token of ``fields`` replaced once, a value is never looked into."""
    by_token = {field.token: field for field in fields}

    def value(found: re.Match[str]) -> str:
        field = by_token.get(found.group())
        return found.group() if field is None else escaped_value(field, values)

    return TOKEN.sub(value, text)


def preview_fill(text: str, fields: Sequence[MergeField], values: Mapping[str, str]) -> str:
    """The same as ``fill``, under the name that previews use."""
    return fill(text, fields, values)


def _place(file: str | None, text: str, at: int, line: int) -> str:
    number = line + text.count("\n", 0, at)
    return f"{file}:{number}" if file else f"line {number}"


def _shorten(text: str) -> str:
    text = " ".join(text[:200].split())
    return text if len(text) <= 60 else f"{text[:57]}…"


def _unknown_attribute(name: str, attributes: Collection[str], where: str | None) -> MergeFieldError:
    name = _shorten(name)
    known = ", ".join(sorted(attributes)) or "none"
    if name in RESERVED:
        fix = f"did you mean {{{{ {name} }}}}?"
    elif close := did_you_mean(name, attributes):
        fix = close
    else:
        fix = "use one of these, or add it to attributes under [audience] in newsletter.toml"
    return MergeFieldError(f'subscribers have no attribute "{name}" (known: {known})', where=where, fix=fix)


def _filter_advice(name: str, rest: str | None) -> str:
    plain = f'{{{{ subscriber.{name} | default("reader") }}}}'
    if rest and any(quote in rest for quote in "“”„‘’«»"):
        return f"the default needs straight quotes: {plain}"
    return f'only default("…") can follow an attribute: {plain}'
