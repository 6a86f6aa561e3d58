"""The standfirst of a page: an element below its headline that is made for it, else the description it gives itself.

A description is kept as the page states it, also one that begins like the story or was cut off: whoever shows both
sees to it that nobody reads a sentence twice (``rendering/doubling.py``), and a teaser has whole sentences. What is
plainly no description of this story is none: the site's own words, the headline again, signs for search engines.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator

from lxml.html import HtmlElement

from newsletter.articles.html_meta import Claim, words_of
from newsletter.articles.page_evidence import Evidence, around, outside
from newsletter.articles.page_words import marks_of
from newsletter.articles.shape import CUT_OFF, title_key

_DEK = re.compile(
    r"(?<![a-z])(?:stand-?first|dek|deck|sub-?_?titles?|sub-?_?head(?:line|ing)?s?|sub-?hed|strap-?line|lede?-?text|summary"
    r"|excerpt|intro|(?:article|content|story|post|page)-?_{0,2}(?:lead|intro|description|summary)|chapeau|bajada|entradilla|vorspann|teaser-?text|abstract)(?![a-z])",
    re.I,
)
_DESCRIPTIONS = ("og:description", "description", "twitter:description", "dc.description", "sailthru.description")
_FOR_MACHINES = re.compile(r"[✓✔▶►➤★☆⭐✅]|^by\s+[A-Z]")
_SHORTEST, _LONGEST = 15, 600


def standfirst_of(evidence: Evidence, root: HtmlElement) -> tuple[Claim | None, HtmlElement | None]:
    """The standfirst, and its element where it stands on the page; ``root`` holds the story's text.

    Unconfirmed where only the metadata says so.
    """
    told = [(words_of(evidence.linked.story.get("description")), "JSON-LD description")]
    told += [(words_of(evidence.meta.get(key)), key) for key in _DESCRIPTIONS]
    told = [(_without_headline(text, evidence), source) for text, source in told]
    headings = [words for _, words in evidence.headings]
    told = [
        (text, source)
        for text, source in told
        if is_description(text, (*evidence.linked.boilerplate, evidence.title, *headings))
    ]
    for element in _deks(evidence):
        words = words_of(element.text_content())
        agreed = [source for text, source in told if _begins(words, text) or _begins(text, words)]
        if agreed:
            return Claim(words, f"standfirst element, {agreed[0]}"), element
        enough = len(words.split()) >= 5 - words.endswith((".", "!", "?")) or (
            len(words) >= 15 and not words.isascii() and " " not in words
        )
        if enough and len(words) <= 500 and not re.search(r"\d{1,2}[./]\d{1,2}[./]\d{4}|^by\s", words, re.I):
            return Claim(words, "standfirst element", confirmed=element.tag in ("h2", "h3", "p", "div")), element
    body = " ".join(root.text_content().split())
    about = [(text, source) for text, source in told if not _of_the_site(text, body, evidence)]
    return best_description(about), None


def is_description(text: str, taken: Iterable[str] = ()) -> bool:
    """Whether a text can describe a story: of a fitting length, without signs for search engines, none of ``taken``.

    ``taken`` are the headline, the page's title, and what the site says of itself.
    """
    if not _SHORTEST <= len(text) <= _LONGEST or _FOR_MACHINES.search(text):
        return False
    return title_key(text) not in {title_key(other) for other in taken}


def best_description(told: Collection[tuple[str, str]]) -> Claim | None:
    """The first description that is whole, else the first: one place often cuts what another has to its end."""
    for text, source in told:
        if not CUT_OFF.search(text):
            return Claim(text, source, confirmed=False)
    return next((Claim(text, source, confirmed=False) for text, source in told), None)


def _without_headline(text: str, evidence: Evidence) -> str:
    for _, heading in evidence.headings:
        if text.startswith(heading):
            return text[len(heading) :].lstrip(" -–—|:.")
    return text


def _deks(evidence: Evidence) -> Iterator[HtmlElement]:
    """Elements near the headline that are marked as its standfirst, or the ``h2`` right after it."""
    for heading, _ in evidence.headings[:1]:
        for zone in around(heading, 3):
            for element in zone.iter("p", "h2", "h3", "h4", "div", "span"):
                prop = element.get("itemprop") or ""
                marks = f"{marks_of(element, 'data-testid', 'data-component')} {prop}"
                fits = _DEK.search(marks) or re.search(r"description|alternativeHeadline", prop)
                small = (
                    next(element.iter("h1", "form", "img", "ul"), None) is None and len(element.text_content()) < 700
                )
                if fits and small and len(element.text_content().strip()) > 15 and not outside(element, linked=True):
                    yield element
        after = heading.getnext()
        if after is not None and after.tag == "h2" and len(after.text_content().strip()) > 40:
            yield after


def _begins(text: str, start: str) -> bool:
    """Whether a text begins like another: the first sixty signs or all there are, however they are spaced."""
    first, second = (re.sub(r"[\W_]+", "", title_key(t)) for t in (text, start))
    size = min(len(second), 60)
    return size > 10 and second[:size] in first[: size + 200]


def _of_the_site(text: str, body: str, evidence: Evidence) -> bool:
    """Whether a description is about the site: it shares less than half of its longer words with the story."""
    words = {w for w in re.findall(r"\w+", text.casefold()) if len(w) > 3}
    if len(words) < 3:
        return False
    known = f"{body} {evidence.title}".casefold()
    share = sum(w[:6] in known for w in words) / len(words)
    return share < 0.5
