"""Plain text as newsrooms' systems export it, and as people type it.

Two shapes are known. *Export*: paragraphs first, perhaps an agency's credit, the headline on its own line after the
body, and last a Markdown image whose alternative text repeats the headline; no blank lines, each line is a
paragraph. *Headline first*: the headline, then the text, with or without blank lines. Labels such as ``Headline:``
or ``Standfirst:`` at the top are taken at their word; nothing else is ever made a standfirst.
"""

from __future__ import annotations

import re

from newsletter.articles.plain import clean, escape_inline, escape_line
from newsletter.articles.schema import is_iso_date
from newsletter.articles.shape import agency_line, byline_line, ends_a_sentence, headline_line, image_line, title_key
from newsletter.articles.story import Draft, nothing_to_read

_LABEL = re.compile(
    r"(?P<label>headline|title|kicker|standfirst|byline|agency|published|link):\s+(?P<value>\S.*)", re.I
)
_BULLET = re.compile(r"(?:[-*+•–—▪●]|\d{1,3}[.)])\s")
_WRAP = 100  # a line longer than this was not broken by hand or by a mail program


def read_text(text: str, draft: Draft) -> str:
    """Fill ``draft`` from plain text and return the body as Markdown that means exactly that text.

    Raises BadData when there is nothing to read. A story without a recognisable headline gets its opening words,
    unconfirmed, with a note.
    """
    lines = trimmed([line.strip() for line in clean(text).split("\n")])
    if not lines:
        raise nothing_to_read(draft.file)
    lines = _take_labels(lines, draft)
    lines = take_shape(lines, draft)
    lines = take_credits(lines, draft)
    fallback_headline(lines, draft)
    return "\n\n".join(_paragraph(p) for p in paragraphs(lines))


def trimmed(lines: list[str]) -> list[str]:
    """The lines without blank ones at both ends."""
    start, end = 0, len(lines)
    while start < end and not lines[start].strip():
        start += 1
    while end > start and not lines[end - 1].strip():
        end -= 1
    return lines[start:end]


def _take_labels(lines: list[str], draft: Draft) -> list[str]:
    """Take ``Headline: …`` lines off the top."""
    while lines and (found := _LABEL.fullmatch(lines[0])):
        name, value = found["label"].lower(), found["value"].strip()
        name = "headline" if name == "title" else name
        wrong = name == "published" and not is_iso_date(value)
        wrong = wrong or (name == "link" and not value.startswith(("https://", "http://")))
        if wrong or not draft.put(name, value, f"label {found['label']}"):
            break
        lines = trimmed(lines[1:])
    return lines


def take_shape(lines: list[str], draft: Draft) -> list[str]:
    """Take the lead image and the headline where either shape has them."""
    lines = _take_image_last(lines, draft)
    if lines and draft.put_picture(image_line(lines[0]), "first line"):
        lines = trimmed(lines[1:])
        if lines and _repeats_alt(lines[0], draft) and draft.put("headline", lines[0], "line after the picture"):
            lines = trimmed(lines[1:])
    if not lines and draft.picture and "headline" not in draft.texts:
        raise nothing_to_read(draft.file, has_picture=True)
    if len(lines) > 1 and headline_line(lines[0]):
        lines = _take_first_line(lines, draft)
    if len(lines) > 1 and headline_line(lines[-1]) and "headline" not in draft.texts:
        # The headline after the body, when the picture says something else or there is none.
        before = trimmed(lines[:-1])
        by_picture = draft.provenance.get("image") is not None and draft.provenance["image"].source == "last line"
        if by_picture or agency_line(before[-1]):
            draft.put("headline", lines[-1], "line after the text", confirmed=False)
            lines = before
    if lines and "headline" in draft.texts and title_key(lines[0]) == title_key(draft.texts["headline"]):
        lines = trimmed(lines[1:])
    return lines


def _take_first_line(lines: list[str], draft: Draft) -> list[str]:
    """A first line that can be a headline; a blank line after it makes sure."""
    if draft.put("headline", lines[0], "first line", confirmed=not lines[1]):
        return trimmed(lines[1:])
    return lines


def _take_image_last(lines: list[str], draft: Draft) -> list[str]:
    """The export's end: a picture as the last line, before it the headline that its alternative text repeats."""
    if not lines or not draft.put_picture(image_line(lines[-1]), "last line"):
        return lines
    lines = trimmed(lines[:-1])
    if lines and _repeats_alt(lines[-1], draft) and draft.put("headline", lines[-1], "line before the picture"):
        lines = trimmed(lines[:-1])
    return lines


def _repeats_alt(line: str, draft: Draft) -> bool:
    alt = draft.picture.alt if draft.picture else None
    return bool(alt) and title_key(line) == title_key(alt or "")


def take_credits(lines: list[str], draft: Draft, *, dashes: bool = True) -> list[str]:
    """Take an explicit byline or an agency's credit off the top (below the headline) and off the end."""
    for place in (0, -1, -1):
        if len(lines) < 2:
            break
        line = lines[place].strip("*_ ")
        if draft.put("agency", agency_line(line, dashes=dashes), "line of its own") or draft.put(
            "byline", byline_line(line), 'line that begins with "By"'
        ):
            lines = trimmed(lines[1:] if place == 0 else lines[:-1])
    return lines


def fallback_headline(lines: list[str], draft: Draft) -> None:
    """Without a headline the opening words stand in, unconfirmed; a story must be called something."""
    if "headline" in draft.texts:
        return
    text = next((line for line in lines if any(c.isalnum() for c in line)), "")
    if not text or (len(trimmed(lines)) == 1 and headline_line(text)):
        raise nothing_to_read(draft.file, has_headline=bool(text), has_picture=draft.picture is not None)
    words = text[:80].rsplit(" ", 1)[0] if len(text) > 80 else text
    draft.put("headline", words.rstrip(" .,;:–—-") + ("…" if len(text) > 80 else ""), "opening words", confirmed=False)
    draft.notes.append('no headline was found, so the opening words stand in: set one with headline="…"')


def paragraphs(lines: list[str]) -> list[list[str]]:
    """Group lines into paragraphs: at blank lines, else each line is one, unless the text was wrapped by hand."""
    blocks: list[list[str]] = [[]]
    for line in lines:
        if line:
            blocks[-1].append(line)
        elif blocks[-1]:
            blocks.append([])
    blocks = [block for block in blocks if block]
    separated = len(blocks) > 1
    found: list[list[str]] = []
    for block in blocks:
        found.extend(_split_block(block, separated))
    return found


def _split_block(block: list[str], separated: bool) -> list[list[str]]:
    """Lines between blank lines are one paragraph unless each ends as a sentence does; list items stay apart."""
    unfinished = sum(not ends_a_sentence(line) for line in block[:-1])
    wrapped = _is_wrapped(block)
    if max(map(len, block)) > _WRAP:
        together = False
    elif separated:
        together = wrapped or unfinished > 0
    else:
        together = wrapped and unfinished * 2 >= len(block) - 1
    found: list[list[str]] = []
    for line in block:
        if found and together and not _BULLET.match(line):
            found[-1].append(line)
        else:
            found.append([line])
    return found


def _is_wrapped(block: list[str]) -> bool:
    """Whether an editor or a mail program broke these lines: the next word never fitted on the line before it."""
    width = max(map(len, block))
    following = (line.split(None, 1)[0] for line in block[1:])
    fits = (len(line) + 1 + len(word) <= width for line, word in zip(block, following, strict=False))
    return width <= _WRAP and not any(fits)


def _paragraph(lines: list[str]) -> str:
    """One paragraph as Markdown: wrapped lines stay lines, lines that were broken on purpose (verse) stay broken.

    A line that is a picture on the web is how exports write one, and stays a picture.
    """
    picture = image_line(lines[0]) if len(lines) == 1 else None
    if (
        picture
        and picture.url
        and picture.url.startswith(("https://", "http://"))
        and not set("()<> ") & set(picture.url)
    ):
        return f"![{escape_inline(picture.alt or '')}]({picture.url})"
    return ("\n" if _is_wrapped(lines) else "  \n").join(escape_line(line) for line in lines)
