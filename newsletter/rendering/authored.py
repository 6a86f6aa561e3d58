"""What editors wrote, made safe to set: merge fields as tokens, one line where one line is meant, bodies as trees."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from newsletter.errors import BadData, MergeFieldError
from newsletter.message.merge import RESERVED, TOKEN, Tokeniser
from newsletter.models import FieldContext
from newsletter.rendering import guard
from newsletter.rendering.bodies import UNDER_A_STORY, Body, body_of, check_size
from newsletter.rendering.links import NONE, LinkParameters
from newsletter.rendering.plaintext import plain_text
from newsletter.rendering.recipes import TEXT

_BLANKS = re.compile(r"[ \t\n]+")
"""Not \\s: a no-break space is a letter of French and stays."""


@dataclass(frozen=True, slots=True)
class Authored:
    """The authored text of one issue in one context: a merge field is escaped differently in HTML and in text."""

    tokeniser: Tokeniser
    context: FieldContext
    root: Path
    parameters: LinkParameters = NONE

    def line(self, text: str | None, file: Path | None = None) -> str:
        """A field of one line (headline, teaser, caption), with tokens; "" for None.

        Raises MergeFieldError naming ``file`` and the line in it.
        """
        if not text:
            return ""
        return _BLANKS.sub(" ", self._tokenise(guard.clean(text), file, text)).strip()

    def lines(self, text: str, file: Path | None = None) -> str:
        """A text whose lines stay as they are, with tokens. Raises MergeFieldError naming ``file`` and line."""
        return self._tokenise(guard.clean(text), file, text)

    def body(
        self, markdown: str, file: Path | None = None, room: int = TEXT.shown_width, top: int = UNDER_A_STORY
    ) -> Body | None:
        """A body as clean HTML and tree, in a column of ``room`` CSS pixels, its headings from level ``top`` on.

        None when there is nothing. Raises BadData, MergeFieldError.
        """
        return self._set(markdown, file, False, room, top)

    def _set(self, markdown: str, file: Path | None, inline: bool, room: int, top: int) -> Body | None:
        check_size(markdown, self.name(file))
        if not markdown.strip():
            return None
        tokenised = self._tokenise(guard.clean(markdown), file, markdown)
        links = frozenset(field.token for field in self.tokeniser.fields if field.name in RESERVED)
        try:
            return body_of(tokenised, links & frozenset(TOKEN.findall(tokenised)), self.parameters, inline, room, top)
        except BadData as error:
            error.where = f"{self.name(file)}:{_line_in(file, markdown)}" if file else None
            raise
        except RecursionError as error:
            raise BadData(
                "the text has too many marks inside each other",
                where=f"{self.name(file)}:{_line_in(file, markdown)}" if file else None,
                fix="take out what is not plain Markdown",
            ) from error

    def inline(self, markdown: str | None, file: Path | None = None) -> Body | None:
        """One line with Markdown's inline marks: emphasis, links, code. Raises BadData, MergeFieldError."""
        return self._set(markdown or "", file, True, TEXT.shown_width, UNDER_A_STORY)

    def body_text(self, body: Body | None) -> str:
        """The text of a body, its fields as tokens of the text part."""
        if body is None:
            return ""
        by_token = {field.token: field for field in self.tokeniser.fields}

        def as_text(found: re.Match[str]) -> str:
            field = by_token.get(found.group())
            return self.tokeniser.token_for(field.name, "text", field.default) if field else found.group()

        return TOKEN.sub(as_text, plain_text(body.tree))

    def _tokenise(self, text: str, file: Path | None, raw: str) -> str:
        if "{" not in text and "}" not in text and "nlf" not in text:
            return text
        try:
            return guard.hide_braces(self.tokeniser.tokenise(text, self.context, file=self.name(file)))
        except MergeFieldError:
            # Only now, for the message: where in the file the text starts.
            self.tokeniser.tokenise(text, self.context, file=self.name(file), line=_line_in(file, raw))
            raise

    def name(self, file: Path | None) -> str | None:
        """A file as a message names it: within the workspace."""
        if file is None:
            return None
        return str(file.relative_to(self.root)) if file.is_relative_to(self.root) else str(file)


def _line_in(file: Path | None, text: str) -> int:
    """The line of a file on which a text of it starts; 1 when it is not found as it is."""
    try:
        whole = file.read_text(encoding="utf-8-sig") if file else ""
    except (OSError, UnicodeDecodeError):
        return 1
    at = whole.replace("\r\n", "\n").find(text.replace("\r\n", "\n"))
    return whole.count("\n", 0, at) + 1 if at >= 0 else 1
