"""What an editor types into a search, and the words of a story, brought to one form.

Accents, case, kinds of quotes, Arabic vowel signs and the two keyboards' Arabic and Urdu letters make no difference.
Scripts without blanks between words (Chinese, Japanese, Thai, Lao, Khmer, Burmese) are split into their letters, and
letters typed together are looked for together: so two letters of Chinese find what three-letter pieces (SQLite's
``trigram``) would not, and all languages share one index.
"""

from __future__ import annotations

import re
import unicodedata

from newsletter.articles.plain import plain_text
from newsletter.models import Article
from newsletter.store.search import Term, Words

MOST_TERMS = 12
"""A search has at most so many words; what is more is not looked at."""

_UNSPACED = re.compile(
    "[\u0e01-\u0e3a\u0e40-\u0e4e\u0e81-\u0ece\u1000-\u104f\u1780-\u17d3"
    "\u3005\u3007\u3040-\u30ff\u31f0-\u31ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003ffff]"
)
_LATIN_MARKS = re.compile("[\u0300-\u036f]")
# Written by some, left out by others: Arabic vowel signs, the letter that only stretches a line, joiners.
_OPTIONAL = re.compile(
    "[\u0610-\u061a\u0640\u064b-\u065f\u0670\u06d6-\u06dc\u06df-\u06e8\u06ea-\u06ed\u00ad\u200b-\u200f\u2060\ufeff]"
)
_SAME = str.maketrans(
    {
        "ي": "ی", "ى": "ی", "ك": "ک", "ه": "ہ", "ھ": "ہ", "ة": "ہ", "أ": "ا", "إ": "ا", "آ": "ا", "ٱ": "ا",
        "ؤ": "و", "ئ": "ی", "ß": "ss", "ø": "o", "ł": "l", "đ": "d", "ı": "i", "æ": "ae", "œ": "oe",
    }
)  # fmt: skip
_APOSTROPHE = re.compile(r"(?<=\w)['’ʼ](?=\w)")
_QUOTES = re.compile(r'["“”„«»]([^"“”„«»]*)["“”„«»]')


def folded(text: str) -> str:
    """The words of a text with one blank between; letters of scripts without blanks stand by themselves."""
    return " ".join(_words(text))


def _words(text: str) -> list[str]:
    text = unicodedata.normalize("NFKC", text).casefold()
    text = _LATIN_MARKS.sub("", unicodedata.normalize("NFD", text))
    # Composed again, for marks that belong to their letter (Hindi, Japanese) and not to its sound alone.
    text = _OPTIONAL.sub("", unicodedata.normalize("NFC", text)).translate(_SAME)
    text = _UNSPACED.sub(r" \g<0> ", _APOSTROPHE.sub("", text))
    return text.translate(_SEPARATED).split()


class _Separated(dict[int, str]):
    """Every character that is of no word, as the index's own tokenizer sees it, becomes a blank; asked once each."""

    def __missing__(self, code: int) -> str:
        kind = unicodedata.category(chr(code))
        self[code] = chr(code) if kind[0] in "LN" or kind in ("Mn", "Mc", "Co") else " "
        return self[code]


_SEPARATED = _Separated()


def words_of(article: Article) -> Words:
    """What is indexed of a story: headline with kicker, standfirst with teaser, who wrote it, and the body's words."""
    return Words(
        headline=folded(f"{article.kicker or ''} {article.headline}"),
        standfirst=folded(f"{article.standfirst or ''} {article.teaser or ''}"),
        byline=folded(f"{article.byline or ''} {article.agency or ''}"),
        body=folded(f"{plain_text(article.body)} {' '.join(article.tags)}"),
    )


def terms_of(typed: str) -> list[Term]:
    """What is looked for: each word as the beginning of one, words in quotes in just this order.

    Nothing else has a meaning: no operator, bracket or star raises an error. A single letter of a script with blanks
    is a whole word. A text without any word gives nothing.
    """
    typed = typed[:1000]
    terms: list[Term] = []
    rest = []
    start = 0
    for quoted in _QUOTES.finditer(typed):
        rest.append(typed[start : quoted.start()])
        start = quoted.end()
        if words := _words(quoted[1]):
            terms.append(Term(tuple(words[:MOST_TERMS])))
    rest.append(typed[start:])
    for chunk in " ".join(rest).split():
        terms += _of_chunk(chunk)
    return terms[:MOST_TERMS]


def _of_chunk(chunk: str) -> list[Term]:
    """The terms of what was typed without a blank: ``night-train`` are two words, 新闻 is one of two letters."""
    terms: list[Term] = []
    run: list[str] = []
    for word in [*_words(chunk), ""]:
        if len(word) == 1 and _UNSPACED.match(word):
            run.append(word)
            continue
        if run:
            terms.append(Term(tuple(run[:MOST_TERMS])))
            run = []
        if word:
            terms.append(Term((word,), prefix=len(word) > 1))
    return terms
