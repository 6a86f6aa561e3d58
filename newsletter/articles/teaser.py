"""The teaser of a story and how long it takes to read.

The rule was measured on 393 pages against the publishers' own descriptions (ROUGE-1 F): lead sentences up to 240
characters .471, the first paragraph .401, a summariser (LexRank) .249. So there is no summariser: the teaser that an
editor wrote, else the standfirst, else whole lead sentences. A description that was cut off is no standfirst here.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import lru_cache

from newsletter.articles.plain import plain_text
from newsletter.articles.shape import AGENCIES, CUT_OFF, agency_line, byline_line, title_key
from newsletter.models import Article

LIMIT = 240
"""The most characters of a teaser made from lead sentences."""

_WORDS_PER_MINUTE = 230
_CJK_PER_MINUTE = 400
_CJK = re.compile(r"[\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff]")
_WORD = re.compile(r"\w+(?:['’.-]\w+)*")

_NOT_PROSE = re.compile(r"\s{0,3}(?:#|>|\||```|~~~|<|[-+*]\s|\d{1,9}[.)]\s|!\[|\[[^\]]{1,200}\]:)")
_RULE_LINE = re.compile(r"\s{0,3}[-=]{2,}\s*")
_CAPTION = re.compile(r"[*_](?![*_]).{1,1000}[*_]", re.DOTALL)
_PICTURE = re.compile(r"\s{0,3}(?:\[?!\[|<(?:img|figure))")
_BRACES = re.compile(r"\{\{|\}\}|\{[%#]")

_CITY = r"[^\W\d_][\w.'’-]*(?: [^\W\d_][\w.'’-]*){0,3}"
_DATELINE = re.compile(
    rf"(?P<city>{_CITY})(?:, ?{_CITY}(?: \d{{1,2}})?){{0,2}}\s?"
    r"(?:\((?P<agency>[^()]{2,40})\)(?P<dash>\s?[-–—:]{1,2}\s|\s)|\s[-–—]{1,2}\s|\s?—\s?)"
)
_CLOSING_AGENCY = re.compile(r"\s*\(([^()]{2,40})\)\.?$")

_CUT_AT = frozenset({150, 155, 156, 160, 200, 250, 255, 300})
"""Where systems cut a description, in characters, without a word."""

_STOPS = (".", "!", "?", "।", "۔", "؟", "。", "！", "？", '"', "”", "»", "’", ")", "」", "』")

_CLOSERS = "\"'”’»)]›」』】"
# Possessive, and never begun inside a run of marks: a line of dots would take quadratic time otherwise.
_END = re.compile(
    rf"(?<![.!?…])(?P<mark>[.!?…]++|[۔।॥؟])[{re.escape(_CLOSERS)}]*+(?=\s)|[。！？]++[{re.escape(_CLOSERS)}]*+"
)
_ABBREVIATIONS = frozenset(
    {
        "adm", "al", "approx", "art", "brig", "c", "ca", "capt", "cf", "cmdr", "col", "cpl", "dr", "e.g", "est", "fig",
        "fr", "ft", "gen", "gov", "hon", "i.e", "lt", "maj", "messrs", "mme", "mr", "mrs", "ms", "mt", "mx", "p", "pp",
        "pres", "prof", "pvt", "rep", "reps", "rev", "rs", "sen", "sens", "sgt", "sr", "st", "supt", "v", "viz", "vs",
    }
)  # fmt: skip
_BEFORE_A_NUMBER = frozenset(
    """apr aug dec feb jan jul jun mar nov no nos nr oct op sep sept vol""".split()  # noqa: SIM905 - words, not code
)
_STARTERS = frozenset(
    {
        "A", "After", "An", "And", "As", "At", "But", "For", "He", "Her", "His", "How", "I", "If", "In", "It", "Its",
        "No", "On", "Our", "She", "So", "That", "The", "Their", "There", "These", "They", "This", "Those", "To", "We",
        "What", "When", "While", "Who", "Why", "With", "You",
    }
)  # fmt: skip
_LAST_WORD = re.compile(r"[^\s\"'“”‘’«»()\[\]]*\Z")
_NEXT_WORD = re.compile(r"\s*[\"'“‘«(\[¿¡]*([^\s\"'“”‘’»)\].,;:!?]*)")


def teaser_of(article: Article, limit: int = LIMIT) -> str:
    """The teaser of a story as plain text on one line; empty when there is nothing to take it from.

    The editor's teaser and the standfirst stand whole, as they were written; a description that was imported and that
    breaks off gives way to lead sentences where there are any. Those are whole sentences of at most ``limit``
    characters together, without dateline, agency, bylines, captions, headings and repetitions of the headline; only a
    first sentence that is longer by itself is cut, at a word, with an ellipsis.
    """
    teaser, standfirst = (" ".join((text or "").split()) for text in (article.teaser, article.standfirst))
    if teaser or (standfirst and not _breaks_off(standfirst, article)):
        return teaser or standfirst
    return _lead(article, limit) or standfirst


def _breaks_off(standfirst: str, article: Article) -> bool:
    """Whether a standfirst that nobody has confirmed was cut: it says so, or the text goes on where it stops."""
    known = article.provenance.get("standfirst")
    if known is None or known.confirmed:
        return False
    if CUT_OFF.search(standfirst):
        return True
    if standfirst.endswith(_STOPS):
        return False
    if len(standfirst) in _CUT_AT and " " in standfirst:
        return True
    begins = " ".join(plain_text(article.body[: 4 * len(standfirst) + 400]).split())
    return title_key(standfirst) in title_key(begins)


def _lead(article: Article, limit: int) -> str:
    chosen = ""
    for sentence in _lead_sentences(article):
        longer = f"{chosen}{_gap(chosen)}{sentence}"
        if len(longer) > limit:
            return chosen or _cut(sentence, limit)
        chosen = longer
    return chosen


@lru_cache(maxsize=256)
def reading_minutes(body: str) -> int:
    """Minutes to read a Markdown body: 230 words a minute, 400 characters in Chinese or Japanese; at least 1."""
    text = plain_text(body)
    characters = len(_CJK.findall(text))
    words = len(_WORD.findall(_CJK.sub(" ", text)))
    return max(1, int(words / _WORDS_PER_MINUTE + characters / _CJK_PER_MINUTE + 0.5))


def sentences(text: str) -> list[str]:
    """Split one paragraph of plain text into its sentences; joined with blanks they are the paragraph again."""
    found, start = [], 0
    for end in _END.finditer(text):
        if end["mark"] and not _is_end(text, end):
            continue
        if sentence := text[start : end.end()].strip():
            found.append(sentence)
        start = end.end()
    if rest := text[start:].strip():
        found.append(rest)
    return found


def _is_end(text: str, end: re.Match[str]) -> bool:
    """Whether a mark ends a sentence: not after Mr., J., U.S. or No. 12, nor before a lower-case word."""
    following = _NEXT_WORD.match(text, end.end())
    word = following[1] if following else ""
    if word[:1].islower():
        return False
    if end["mark"] != ".":
        return True
    before_match = _LAST_WORD.search(text, max(0, end.start() - 40), end.start())
    before = before_match.group() if before_match else ""
    if before.lower() in _ABBREVIATIONS:
        return False
    if before.lower() in _BEFORE_A_NUMBER:
        return not word[:1].isdigit()
    if len(before) == 1 and before.isalpha():
        return before.islower() or not before.isascii()
    if "." in before and re.fullmatch(r"(?:[^\W\d_]\.)+[^\W\d_]", before):
        return word in _STARTERS
    return True


def _lead_sentences(article: Article) -> Iterator[str]:
    headline = title_key(article.headline)
    for paragraph in _prose(article.body, article):
        if title_key(paragraph) == headline:
            continue
        for sentence in sentences(paragraph):
            if title_key(sentence) != headline:
                yield sentence


def _prose(body: str, article: Article) -> Iterator[str]:
    """The paragraphs that are running text, as plain text on one line, dateline and closing agency taken off."""
    after_picture = False
    captions = {title_key(t) for t in (article.image.caption, article.image.alt) if t} if article.image else set()
    for block in re.split(r"\n[ \t]*\n", body.replace("\r\n", "\n")[:60_000]):
        lines = block.strip("\n")
        caption = after_picture and _CAPTION.fullmatch(lines.strip()) is not None
        after_picture = _PICTURE.match(lines) is not None
        rule = any(_RULE_LINE.fullmatch(line) for line in lines.split("\n")[1:2])
        if caption or rule or not lines.strip() or lines.startswith(("    ", "\t")):
            continue
        if _NOT_PROSE.match(lines) or _BRACES.search(lines):
            continue
        text = " ".join(plain_text(lines).split())
        text = _without_agency(_without_dateline(text))
        if text and not agency_line(text) and not byline_line(text) and title_key(text) not in captions:
            yield text


def _without_dateline(text: str) -> str:
    """Take off ``LONDON (Reuters) -``, ``NEW DELHI, Feb 22 (PTI) —`` or ``PARIS —``."""
    found = _DATELINE.match(text[:120])
    if found is None or found.end() >= len(text):
        return text
    capitals = found["city"].isupper() and len(found["city"]) > 3
    if found["agency"]:
        # "Khan (PTI) said" is a sentence; "Karachi (PTI) - …" and "KARACHI (PTI) …" are datelines.
        dateline = (capitals or found["dash"].strip()) and agency_line(f"({found['agency']})")
    else:
        dateline = capitals
    return text[found.end() :].lstrip() if dateline else text


def _without_agency(text: str) -> str:
    found = _CLOSING_AGENCY.search(text, max(0, len(text) - 50))
    if found and (found[1].casefold() in AGENCIES or agency_line(f"({found[1]})")):
        return text[: found.start()]
    return text


def _gap(chosen: str) -> str:
    return "" if not chosen or chosen[-1] in "。！？」』" else " "


def _cut(sentence: str, limit: int) -> str:
    """The words of a sentence that fit, and an ellipsis."""
    start = sentence[: limit - 1]
    if not sentence[limit - 1].isspace():
        space = start.rfind(" ")
        if space > limit // 2:
            start = start[:space]
    return start.rstrip(" ,;:.–—-") + "…"
