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
from newsletter.articles.page_clutter import link_share
from newsletter.articles.page_evidence import SEPARATORS, Evidence
from newsletter.articles.page_header import header_of, marks_in
from newsletter.articles.shape import CUT_OFF, title_key
from newsletter.articles.teaser import sentences

_DEK = re.compile(
    r"(?<![a-z])(?:stand-?first|dek|deck|sub-?_?titles?|sub-?_?head(?:line|ing)?s?|sub-?hed|strap-?line|chapeau|bajada|entradilla"
    r"|vorspann|untertitel)(?![a-z])",
    re.I,
)
_PERHAPS_DEK = re.compile(
    r"(?<![a-z])(?:lede?-?text|summary|excerpt|intro|(?:article|content|story|post|page)-?_{0,2}(?:lead|intro|description|summary|abstract)"
    r"|teaser-?text|abstract)(?![a-z])",
    re.I,
)
"""Such a class is believed where the page says the same elsewhere, or nothing."""

_NO_DEK = re.compile(
    r"(?<![a-z])(?:authors?|bio|share|social|util(?:ity)?|newsletter|sign-?up|promo|caption|credit)(?![a-z])", re.I
)
_ABOUT_THE_SITE = re.compile(
    r"breaking news|latest (?:\w+ ){0,2}news|news and|newspaper|web ?site|online|magazine|headlines|top stories"
    r"|every day"
    r"|your source|official|subscribe|nachrichten|aktuelle|actualités?|noticias|últimas|ultim[ae] notizie|notícias",
    re.I,
)
_DESCRIPTIONS = ("og:description", "description", "twitter:description", "dc.description", "sailthru.description")
_FOR_MACHINES = re.compile(r"[✓✔▶►➤★☆⭐✅]")
_NO_WORDS = re.compile(r"\d{1,2}[./]\d{1,2}[./]\d{4}|^by\s", re.I)
_PARAGRAPH = 150  # signs; a paragraph of so many is the story's
_SHORTEST, _LONGEST = 8, 600


def standfirst_of(evidence: Evidence, root: HtmlElement) -> tuple[Claim | None, HtmlElement | None]:
    """The standfirst, and its element where it stands on the page; ``root`` holds the story's text.

    Unconfirmed where only the metadata says so.
    """
    told = [(words_of(evidence.linked.story.get("description")), "JSON-LD description")]
    told += [(words_of(evidence.meta.get(key)), key) for key in _DESCRIPTIONS]
    told = [(_shortened(_bare(text, evidence)), source) for text, source in told]
    headings = [words for _, words in evidence.headings]
    told = [
        (text, source)
        for text, source in told
        if is_description(text, (*evidence.linked.boilerplate, *evidence.sites, evidence.title, *headings))
    ]
    for element, sure in _deks(evidence):
        words = words_of(element.text_content())
        agreed = [source for text, source in told if _begins(words, text) or _begins(text, words)]
        if agreed and any(2 * len(text) < len(words) and not CUT_OFF.search(text) for text, _ in told):
            continue  # a box that holds the standfirst and more
        if agreed:
            return Claim(words, f"standfirst element, {agreed[0]}"), element
        if not is_description(words, (evidence.title, *headings)):
            continue
        enough = len(words.split()) >= 5 - words.endswith((".", "!", "?")) or (
            len(words) >= 15 and not words.isascii() and " " not in words
        )
        if (sure or not told) and enough and len(words) <= 500 and not _NO_WORDS.search(words):
            return Claim(words, "standfirst element", confirmed=element.tag in ("h2", "h3", "p", "div")), element
    for element in header_of(evidence):
        if element.tag == "p" and (box := _box_of(element)) is not None:
            words = words_of(element.text_content())
            if same := [source for text, source in told if _letters(text) == _letters(words) and len(words) > 40]:
                return Claim(words, f"standfirst element, {same[0]}"), box
    body = " ".join(root.text_content().split())
    about = [(text, source) for text, source in told if not _of_the_site(text, body, evidence)]
    return best_description(about), None


def is_description(text: str, taken: Iterable[str] = ()) -> bool:
    """Whether a text can describe a story: of a fitting length, without signs for search engines, none of ``taken``.

    ``taken`` are the headline, the page's title, and what the site says of itself.
    """
    if not _SHORTEST <= len(text) <= _LONGEST or _FOR_MACHINES.search(text):
        return False
    if text.startswith(("…", "...")):
        return False  # cut out of the middle of something
    return title_key(text) not in {title_key(other) for other in taken}


def best_description(told: Collection[tuple[str, str]]) -> Claim | None:
    """The first description that is whole, else the first: one place often cuts what another has to its end."""
    for text, source in told:
        if not CUT_OFF.search(text):
            return Claim(text, source, confirmed=False)
    return next((Claim(text, source, confirmed=False) for text, source in told), None)


def _shortened(text: str) -> str:
    """A description as long as a story, by the whole sentences that it begins with."""
    if len(text) <= _LONGEST:
        return text
    kept = ""
    for sentence in sentences(text[: 2 * _LONGEST])[:-1]:
        if len(kept) + len(sentence) > _LONGEST / 2:
            break
        kept = f"{kept} {sentence}".strip()
    return kept


def _bare(text: str, evidence: Evidence) -> str:
    """A description without the headline or the section, "Nearby: ", before it."""
    for _, heading in evidence.headings:
        if text.startswith(heading):
            return text[len(heading) :].lstrip(" -–—|:.")
    label, colon, rest = text.partition(": ")
    parts = {title_key(part) for part in (*SEPARATORS.split(evidence.title)[1:], *evidence.sites)}
    return rest if colon and len(rest) > 40 and title_key(label) in parts else text


def _deks(evidence: Evidence) -> Iterator[tuple[HtmlElement, bool]]:
    """Elements of the header that are marked as its standfirst, with whether the mark is sure; an ``h2`` below it."""
    heading = evidence.headings[0][0] if evidence.headings else None
    below = False
    for element in header_of(evidence):
        below = below or element is heading
        if element is heading or heading in element.iterancestors():
            continue
        if element.tag not in ("p", "h2", "h3", "h4", "div", "span", "section", "li"):
            continue
        prop = element.get("itemprop") or ""
        marks = f"{marks_in(element)} {prop}"
        sure = _DEK.search(marks) or "alternativeHeadline" in prop
        if not sure and not _PERHAPS_DEK.search(marks) and "description" not in prop:
            if below and _is_paragraph(element):
                break  # the text has begun
            continue
        small = next(element.iter("h1", "form", "img", "ul"), None) is None and len(element.text_content()) < 700
        if not small or len(element.text_content().strip()) <= 15 or link_share(element) > 0.8:
            continue
        if sum(1 for _ in element.iter("p")) > 2 or any(_NO_DEK.search(marks_in(e)) for e in _up_to(heading, element)):
            continue
        yield element, bool(sure) or element.getprevious() is heading
    for heading, _ in evidence.headings[:1]:
        after = heading.getnext()
        if after is not None and after.tag == "h2" and len(after.text_content().strip()) > 40:
            yield after, True


def _is_paragraph(element: HtmlElement) -> bool:
    """Whether an element is a long paragraph that stands in nothing that is marked as a standfirst."""
    if element.tag != "p" or len(element.text_content().strip()) <= _PARAGRAPH:
        return False
    around = [marks_in(above) for above in list(element.iterancestors())[:2]]
    return not any(_DEK.search(marks) or _PERHAPS_DEK.search(marks) for marks in around)


def _up_to(heading: HtmlElement | None, element: HtmlElement) -> Iterator[HtmlElement]:
    """An element and what holds it, as far as that does not hold the headline."""
    around = set(heading.iterancestors()) if heading is not None else set()
    yield element
    for above in list(element.iterancestors())[:3]:
        if above in around:
            return
        yield above


def _box_of(paragraph: HtmlElement) -> HtmlElement | None:
    """The box that a paragraph has for itself, unlike the paragraphs of the text; None where it has none."""
    box, words = paragraph, paragraph.text_content().strip()
    above = box.getparent()
    while above is not None and above.tag in ("div", "section") and above.text_content().strip() == words:
        box, above = above, above.getparent()
    if box is paragraph:
        return None
    beside = [e for e in (box.getprevious(), box.getnext()) if e is not None and len(e.text_content().strip()) > 60]
    alike = any(e.tag == box.tag and (e.get("class") or "") == (box.get("class") or "") for e in beside)
    return None if alike else box


def _letters(text: str) -> str:
    return re.sub(r"[\W_]+", "", title_key(text))


def _begins(text: str, start: str) -> bool:
    """Whether a text begins like another: the first sixty signs or all there are, however they are spaced."""
    first, second = (_letters(t) for t in (text, start))
    size = min(len(second), 60)
    return size > 10 and second[:size] in first[: size + 200]


def _of_the_site(text: str, body: str, evidence: Evidence) -> bool:
    """Whether a description is about the site: it speaks as sites do, and shares few of its words with the story."""
    words = {w for w in re.findall(r"\w+", text.casefold()) if len(w) > 3}
    key = title_key(text)
    own = any(title_key(site) in key for site in evidence.sites if len(site) > 4)
    if len(words) < 3 or not (own or _ABOUT_THE_SITE.search(text)):
        return False
    known = f"{body} {evidence.title}".casefold()
    return sum(w[:6] in known for w in words) < len(words) / 2
