"""The headline of a page: the form that most places agree on, without the name of the site.

An ``h1`` that agrees with the metadata is how readers know the story; metadata is cut, decorated with the site's name
and written for search engines. So an agreeing heading wins, the longest common form of the others comes next.
"""

from __future__ import annotations

import re

from newsletter.articles.html_meta import Claim, words_of
from newsletter.articles.page_evidence import SEPARATORS, Evidence
from newsletter.articles.page_linked import alike
from newsletter.articles.shape import title_key
from newsletter.articles.story import MAX_HEADLINE

_ELLIPSIS = re.compile(r"\s?(?:…|\.\.\.)$")


def headline_of(evidence: Evidence) -> Claim | None:
    """The headline with the places that say so; unconfirmed where only one weak place does."""
    claims = _claims(evidence)
    shown = {title_key(words): words for _, words in evidence.headings if len(words) <= MAX_HEADLINE}
    headings = list(shown.values())  # some pages say it again in a bar that stays at the top
    for words in headings:
        if agreeing := [claim for claim in claims if _same(words, claim.value)]:
            return _agreed(words, "h1", agreeing)
    for words in headings:
        for piece in SEPARATORS.split(evidence.title)[:1]:
            # "The lamp is backQuay Post": two elements in one heading, and the title tells where the first ends.
            rest = title_key(words).removeprefix(title_key(piece)).strip()
            if len(piece) > 0.5 * len(words) and rest != title_key(words) and rest in _names(evidence):
                return Claim(piece.strip(), "h1, title")
        for claim in claims:
            # A heading with its kicker in it, or metadata that was cut off.
            if title_key(words).endswith(title_key(claim.value)) and len(claim.value) > 0.5 * len(words):
                return _agreed(
                    claim.value, claim.source, [c for c in claims if c is not claim and _same(claim.value, c.value)]
                )
            if _ELLIPSIS.search(claim.value) and title_key(words).startswith(title_key(_ELLIPSIS.sub("", claim.value))):
                return Claim(words, f"h1, {claim.source}")
    if len(headings) == 1 and any(alike(headings[0], claim.value) for claim in claims):
        return Claim(headings[0], "h1")  # search engines and social networks are told other words for the same
    for claim in claims:
        if agreeing := [c for c in claims if c is not claim and _same(claim.value, c.value)]:
            return _agreed(claim.value, claim.source, agreeing)
    strong = next((claim for claim in claims if claim.confirmed), None)
    if strong:
        # A heading that says something else altogether leaves the choice to the editor.
        return Claim(strong.value, strong.source, confirmed=not headings)
    if len(headings) == 1:
        return Claim(headings[0], "h1", confirmed=not claims)
    if headings:
        return Claim(headings[0], "h1", confirmed=False)
    return claims[0] if claims else None


def _names(evidence: Evidence) -> set[str]:
    """Names of the site, and the parts of the page's title behind its first."""
    return {title_key(name) for name in (*evidence.sites, *SEPARATORS.split(evidence.title)[1:])} - {""}


def _agreed(words: str, source: str, agreeing: list[Claim]) -> Claim:
    """The longest form of what agrees: capitals and cut ends give way to whole words."""
    for claim in agreeing:
        shouts = words.isupper() and not claim.value.isupper()
        if shouts or len(claim.value.split()) > len(words.split()):  # a heading whose parts run together
            words = claim.value
    sources = list(dict.fromkeys([source, *(claim.source for claim in agreeing)]))[:3]
    return Claim(words, ", ".join(sources))


def _same(one: str, other: str) -> bool:
    first, second = (re.sub(r"[\W_]+", "", title_key(text)) for text in (one, other))
    return first == second and bool(first)


def _claims(evidence: Evidence) -> list[Claim]:
    meta, story = evidence.meta, evidence.linked.story
    marked = [e for e in evidence.page.iter() if "headline" in (e.get("itemprop") or "").split()][:3]
    found = [
        (words_of(story.get("headline")), "JSON-LD headline", True),
        (words_of(meta.get("og:title")), "og:title", True),
        *((words_of(e.get("content") or e.text_content()), "itemprop headline", True) for e in marked[:1]),
        (words_of(story.get("name")), "JSON-LD name", True),
        (words_of(meta.get("twitter:title")), "twitter:title", True),
        *((words_of(meta.get(name)), f"meta {name}", True) for name in _NAMES),
        (evidence.title, "title", False),
    ]
    return [Claim(short, source, sure) for words, source, sure in found if (short := bare_title(words, evidence))]


_NAMES = ("parsely-title", "sailthru.title", "citation_title", "dc.title", "dcterms.title", "title")


def bare_title(words: str, evidence: Evidence) -> str:
    """A title without the site's name at its end or beginning; nothing when it is only that name."""
    sites = {_plain(site) for site in evidence.sites}
    if _plain(words) in sites or len(words) > MAX_HEADLINE:
        return ""
    shown = {title_key(heading) for _, heading in evidence.headings}
    shown.add(title_key(words_of(evidence.linked.story.get("headline"))))
    shown.discard("")
    for _ in range(3):
        shorter = _cut(words, sites, shown)
        if title_key(words) in shown or not shorter:
            return words
        words = shorter
    return words


def _cut(words: str, sites: set[str], shown: set[str]) -> str:
    """What stands before or after the site's name, or is a heading of the page; empty where nothing is proven."""
    for cut in SEPARATORS.finditer(words):
        before, after = words[: cut.start()].strip(), words[cut.end() :].strip()
        for rest, piece in ((before, after), (after, before)):
            if rest and (_plain(piece) in sites or title_key(rest) in shown):
                return rest
    return ""


def _plain(name: str) -> str:
    return re.sub(r"[\W_]+", "", title_key(name).removeprefix("the ")) or title_key(name)
