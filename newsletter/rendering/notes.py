"""Notes on a web copy: a story that was withdrawn, an issue that was corrected. The frozen page in, a page out.

The frozen page is text with known places: ``Span`` says where each story is, and the theme's classes say how words look
in light and in dark. A note borrows those, so that it looks like the page around it, whatever the theme.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from html import escape, unescape
from html.parser import HTMLParser
from typing import Final

from newsletter.models import Span
from newsletter.rendering.shown import Direction

_VOID: Final = frozenset(["area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "source", "wbr"])
_HEADING: Final = re.compile(r"<h([1-6])\b[^>]*>(.*?)</h\1>", re.DOTALL)
_SMALL: Final = re.compile(r'<p class="muted\b[^"]*" style="([^"]*)"')
_PADDED: Final = re.compile(r'<td class="pad\b[^>]*>')
_TONGUE: Final = re.compile(r'\s(?:lang|dir|align)="[^"]*"')
_LINE: Final = re.compile(r"<p\b[^>]*>(?:(?!</?p\b).)*?</p>\n?", re.DOTALL)
_TAG: Final = re.compile(r"<[^>]*>")
_TITLE: Final = re.compile(r"(<title>)([^<]*)(</title>)")
_LABEL: Final = re.compile(r'(\saria-label=")([^"]*)(")')
_PREHEADER: Final = re.compile(r'(<div style="display:none[^"]*">)[^<]*(</div>)')
_ACCENT: Final = re.compile(r'class="accent\b[^"]*"[^>]* style="(?:[^"]*;)?color:(#[0-9A-Fa-f]{6})')
_COLUMN: Final = re.compile(r"<div\b[^>]*>\s*\Z")  # on phones the next column is right below
_CARD: Final = re.compile(r'<table class="card\b[^>]*>\n?')
_BODY: Final = re.compile(r"<body\b[^>]*>\n?")
_PLAIN_FONT: Final = "font:14px/21px -apple-system,'Segoe UI',Roboto,Helvetica,Arial,sans-serif"


@dataclass(frozen=True, slots=True)
class Tongue:
    """The language (BCP 47) and direction that a note is written in."""

    lang: str
    dir: Direction

    @property
    def attributes(self) -> str:
        """For the element that holds the note; a story around it may be in another language."""
        return f' lang="{escape(self.lang)}" dir="{self.dir}"'

    @property
    def start(self) -> str:
        """Where lines begin."""
        return "right" if self.dir == "rtl" else "left"


@dataclass(frozen=True, slots=True)
class Band:
    """The colours of a band of notes above the stories, as ``#RRGGBB``; a dark screen has the page's own."""

    ground: str
    text: str
    accent: str


def without_stories(
    html: str, spans: Sequence[Span], notes: Mapping[str, str], tongue: Tongue, *, name: str
) -> str | None:
    """The page with a note (HTML) in place of each story that ``notes`` names, by slug.

    What repeats a story elsewhere goes too: lines that are its headline, the preheader, a title that has it, for which
    ``name`` stands. None when the page cannot be cut with certainty: approved before spans were kept, or a theme whose
    stories are no whole elements.
    """
    found = [span for span in spans if span.article in notes]
    if {span.article for span in found} != set(notes):
        return None
    pieces = [_piece(html[span.start : span.end]) for span in found]
    if any(piece is None for piece in pieces) or not _apart(found, len(html)):
        return None
    headlines = [headline for span in found if (headline := headline_of(html[span.start : span.end]))]
    rest: list[str] = []
    at = 0
    for span, piece in sorted(zip(found, pieces, strict=True), key=lambda pair: pair[0].start):
        rest.append(_without_headlines(html[at : span.start], headlines, name))
        below = 24 if _COLUMN.search(html, max(0, span.start - 300), span.start) else 8
        rest.append(_in_place(html, html[span.start : span.end], piece or "", notes[span.article], tongue, below))
        at = span.end
    rest.append(_without_headlines(html[at:], headlines, name))
    return _PREHEADER.sub(r"\1\2", "".join(rest), count=1)


def headline_of(story: str) -> str | None:
    """The words of the first heading in a piece of HTML."""
    found = _HEADING.search(story)
    return words_of(found[2]) if found else None


def words_of(html: str) -> str:
    """What a piece of HTML says."""
    return " ".join(unescape(_TAG.sub(" ", html)).split())


def with_band(html: str, lines: Collection[str], tongue: Tongue, band: Band) -> str:
    """The page with a band of notes (HTML, one a line) above everything else."""
    if not lines:
        return html
    font = _small_print(html)
    own = _ACCENT.search(html)
    accent = own[1] if own else band.accent
    said = "".join(
        f'<p class="text" style="{font};margin:{0 if first else 4}px 0 0;color:{band.text}">'
        + line.replace("<a ", f'<a class="accent" style="color:{accent}" ')
        + "</p>"
        for first, line in ((number == 0, line) for number, line in enumerate(lines))
    )
    looks = f'class="band" bgcolor="{band.ground}" style="padding:16px 32px;background-color:{band.ground}'
    if card := _CARD.search(html):
        row = f'<tr><td {looks};text-align:{tongue.start}"{tongue.attributes}>{said}</td></tr>\n'
        return html[: card.end()] + row + html[card.end() :]
    body = _BODY.search(html)
    at = body.end() if body else 0
    return f'{html[:at]}<div {looks};text-align:{tongue.start}"{tongue.attributes}>{said}</div>\n{html[at:]}'


def bare_page(title: str, lines: Collection[str], tongue: Tongue, band: Band) -> str:
    """A page of its own, where the frozen one cannot be shown."""
    said = "".join(f'<p style="{_PLAIN_FONT};margin:12px 0 0">{line}</p>' for line in lines)
    return (
        f'<!DOCTYPE html>\n<html{tongue.attributes}>\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width,initial-scale=1">\n'
        f'<meta name="color-scheme" content="light dark">\n<title>{escape(title)}</title>\n'
        f"<style>:root{{color-scheme:light dark}}a{{color:{band.accent}}}"
        "@media(prefers-color-scheme:dark){a{color:inherit}}</style>\n</head>\n"
        f'<body style="max-width:536px;margin:48px auto;padding:0 24px">\n'
        f'<h1 style="margin:0;font:700 26px/32px Georgia,serif">{escape(title)}</h1>\n{said}\n</body>\n</html>\n'
    )


def _in_place(page: str, story: str, outermost: str, note: str, tongue: Tongue, below: int) -> str:
    """The note, in the element that the story's place asks for and with the story's own margins at the sides."""
    style = f"{_small_print(page)};margin:0;padding:8px 0 {below}px;text-align:{tongue.start}"
    colour = re.search(r"(?:^|;)\s*color:[^;]+", _small_style(page))
    # Beside a muted class a colour is only for light screens; without one the words take that of the page.
    painted = f"{style};{colour[0].strip('; ')}" if colour else style
    said = f'<p class="muted"{tongue.attributes} style="{painted}">{note}</p>'
    if outermost in {"", "p", "div", "table", "h2", "h3"} and (padded := _PADDED.search(story)):
        cell = _TONGUE.sub("", padded[0])
        inside = '<table role="presentation" width="100%" cellpadding="0" cellspacing="0" border="0">'
        said = f"{inside}<tr>{cell}{said}</td></tr></table>"
    if outermost == "tr":
        return f"<tr><td>{said}</td></tr>"
    return f"<{outermost}>{said}</{outermost}>" if outermost in {"td", "li"} else said


def _small_style(page: str) -> str:
    """The style of the page's small print, as its last such paragraph has it: the footer's, in the page's language."""
    found = _SMALL.findall(page)
    return str(found[-1]) if found else ""


def _small_print(page: str) -> str:
    """The font of the page's small print."""
    kept = [
        declaration
        for declaration in _small_style(page).split(";")
        if declaration.strip().startswith(("font", "line-height"))
    ]
    return ";".join(kept) or _PLAIN_FONT


def _without_headlines(html: str, headlines: Collection[str], name: str) -> str:
    """A stretch between stories without what repeats the withdrawn ones."""

    def line(found: re.Match[str]) -> str:
        return "" if words_of(found[0]) in headlines else found[0]

    def title(found: re.Match[str]) -> str:
        said = " ".join(unescape(found[2]).split())
        return f"{found[1]}{escape(name)}{found[3]}" if any(one in said for one in headlines) else found[0]

    return _LABEL.sub(title, _TITLE.sub(title, _LINE.sub(line, html))) if headlines else html


def _apart(spans: Sequence[Span], length: int) -> bool:
    """Whether stories lie within the page and do not overlap."""
    ordered = sorted(spans, key=lambda span: span.start)
    ends = [0, *(span.end for span in ordered)]
    return ends[-1] <= length and all(end <= span.start < span.end for end, span in zip(ends, ordered, strict=False))


def _piece(story: str) -> str | None:
    """The outermost element of a story, "" where it has several kinds; None when its tags do not pair up."""
    reader = _Pairs()
    reader.feed(story)
    reader.close()
    if reader.open or reader.broken:
        return None
    return reader.outermost[0] if len(set(reader.outermost)) == 1 else ""


class _Pairs(HTMLParser):
    """Whether every tag of a piece of serialised HTML is closed in it, and which are outermost."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.open: list[str] = []
        self.outermost: list[str] = []
        self.broken = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:  # noqa: ARG002 - the parser's
        if not self.open:
            self.outermost.append(tag)
        if tag not in _VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        if tag in _VOID:
            return
        if not self.open or self.open.pop() != tag:
            self.broken = True
