"""HTML stories: what a page says of itself, and its text as Markdown.

Fields come only from what is explicit: structured data (JSON-LD), meta elements, an ``h1`` that agrees with the
title. A page's text is never searched for a date or a byline: extractors that do so invent them.
"""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Iterator
from urllib.parse import urljoin, urlsplit

import lxml.html
import nh3
from lxml.etree import ParserError, XMLSyntaxError
from lxml.html import HtmlElement

from newsletter.articles.html_images import lead_picture, resolve_lazy_images
from newsletter.articles.html_meta import Claim, PageFacts, page_facts
from newsletter.articles.page_standfirst import best_description, is_description
from newsletter.articles.plain import clean
from newsletter.articles.shape import title_key
from newsletter.articles.story import Draft, nothing_to_read
from newsletter.articles.text import fallback_headline
from newsletter.articles.to_markdown import to_markdown
from newsletter.errors import BadData
from newsletter.models import Article, Picture

ALLOWED_TAGS = frozenset(
    {
        "a", "b", "blockquote", "br", "cite", "code", "div", "em", "figcaption", "figure", "h1", "h2", "h3", "h4",
        "h5", "h6", "hr", "i", "img", "li", "ol", "p", "pre", "section", "span", "strong", "sub", "sup", "table",
        "tbody", "td", "tfoot", "th", "thead", "tr", "ul",
    }
)  # fmt: skip
"""What survives sanitising; everything else is unwrapped, and what a reader never sees is dropped with its content."""

_NEVER_READ = frozenset({"script", "style", "template", "title", "iframe", "object", "svg", "math", "canvas", "video"})
_CLUTTER = ("nav", "aside", "form", "button", "footer", "noscript", "script", "style", "template", "svg", "address")
_XML_DECLARATION = re.compile(r"^\s{0,200}<\?xml[^>]{0,300}\?>")
_SITE_SUFFIX = re.compile(r"\s[|–—·•-]\s")


def read_html(text: str, draft: Draft) -> Article:
    """Read an HTML page or fragment. Raises BadData when there is no text in it."""
    page = parse_html(text, draft.file)
    facts = page_facts(page)
    base = facts.base or facts.link
    resolve_lazy_images(page)
    _headline(page, facts, draft)
    for name, found in facts.fields.items():
        draft.put(name, found.value, found.source, confirmed=found.confirmed)
    draft.tags = facts.tags
    _standfirst(page, facts, draft)
    root = _body_of(page)
    _tidy(root, draft)
    draft.put_picture(*lead_picture(page, root, facts, base))
    _absolute(root, base)
    body = to_markdown(sanitised(root))
    if not body.strip():
        raise nothing_to_read(draft.file, has_headline="headline" in draft.texts, has_picture=bool(draft.picture))
    fallback_headline([" ".join(line.split()) for line in _text_lines(root)], draft)
    return draft.article(body, link=facts.link)


def parse_html(text: str, file: str, *, empty: BadData | None = None) -> HtmlElement:
    """The whole tree of a page; raises ``empty``, or a BadData, for one without elements, BadData for one too deep."""
    source = _XML_DECLARATION.sub("", clean(text)).encode()
    try:
        page, whole = _read(source, huge=False)
        if not whole:
            page, whole = _read(source, huge=True)
    except (ParserError, XMLSyntaxError, AssertionError) as wrong:
        raise (empty or nothing_to_read(file)) from wrong
    if not whole:
        # What comes after the deepest element would be missing, and nobody would know.
        raise BadData(
            "the page has elements more than two thousand deep inside each other",
            where=file,
            fix="open it in a browser, and save or copy only the story itself",
        )
    return page


def _read(source: bytes, *, huge: bool) -> tuple[HtmlElement, bool]:
    """A page, and whether it was read to its end: libxml2 stops at a depth of 256, or 2,048, without a word."""
    parser = lxml.html.HTMLParser(encoding="utf-8", remove_comments=True, remove_pis=True, huge_tree=huge)
    page = lxml.html.document_fromstring(source, parser=parser)
    return page, not any(entry.level_name == "FATAL" for entry in parser.error_log)


def _headline(page: HtmlElement, facts: PageFacts, draft: Draft) -> None:
    """An h1 that another source agrees with; else what the page's metadata says; else one that nothing confirms."""
    headings = [" ".join(h1.text_content().split()) for h1 in page.iter("h1")]
    headings = [words for words in headings if words]
    claims = [claim.value for claim in facts.titles]
    for words in headings:
        if any(_agrees(words, claim) for claim in claims) and draft.put("headline", words, "h1"):
            return
    for claim in facts.titles:
        if claim.confirmed and draft.put("headline", claim.value, claim.source):
            return
    if len(headings) == 1 and draft.put("headline", headings[0], "h1"):
        return
    for words in headings:
        if draft.put("headline", words, "h1", confirmed=False):
            return
    for claim in facts.titles:
        if draft.put("headline", claim.value, claim.source, confirmed=False):
            return


def _standfirst(page: HtmlElement, facts: PageFacts, draft: Draft) -> None:
    """What the page says it is about, by the same rule as for a page from the web; nobody has confirmed it."""
    taken = [claim.value for claim in facts.titles] + [h1.text_content() for h1 in page.iter("h1")]
    told = [(words, source) for words, source in facts.descriptions if is_description(words, taken)]
    if found := best_description(told):
        draft.put("standfirst", found.value, found.source, confirmed=False)


def _agrees(heading: str, claim: str) -> bool:
    """Whether a title says the same, perhaps with the name of the site after a dash or a bar."""
    if title_key(heading) == title_key(claim):
        return True
    return any(title_key(heading) == title_key(claim[: cut.start()]) for cut in _SITE_SUFFIX.finditer(claim[:500]))


def _body_of(page: HtmlElement) -> HtmlElement:
    """The element that holds the story: marked as such, else the article with the most text, else main, else all."""
    for path in (".//*[@itemprop='articleBody']", ".//article", ".//main", ".//*[@role='main']", ".//body"):
        found = page.xpath(path)
        if isinstance(found, list) and found:
            return max((e for e in found if isinstance(e, HtmlElement)), key=_words_in)
    return page


def _words_in(element: HtmlElement) -> int:
    return sum(len(p.text_content()) for p in element.iter("p"))


def _tidy(root: HtmlElement, draft: Draft) -> None:
    """Take out what is not the story's text: navigation, forms, hidden parts, and the headline, which is a field."""
    headline = title_key(draft.texts.get("headline", ""))
    for element in list(root.iter(*_CLUTTER)):
        _drop(element, root)
    for element in list(root.iter("h1", "h2")):
        if headline and title_key(element.text_content()) == headline:
            _drop(element, root)
    for element in list(root.iterdescendants()):
        hidden = element.get("hidden") is not None or element.get("aria-hidden") == "true"
        if hidden or element.get("itemprop") in ("author", "datePublished", "dateModified") or element.tag == "time":
            _drop(element, root)


def _drop(element: HtmlElement, root: HtmlElement) -> None:
    if element is not root and element.getparent() is not None:
        element.drop_tree()


def _absolute(root: HtmlElement, base: str | None) -> None:
    """Make addresses absolute where the page says where it lives; a link that leads nowhere is its text."""
    for element, attribute in ((e, a) for e in root.iter("a", "img") for a in ("href", "src")):
        value = (element.get(attribute) or "").strip()
        if not value:
            continue
        try:
            value = urljoin(base, value) if base else value
            known = urlsplit(value).scheme in ("https", "http", "mailto", "tel")
        except ValueError:
            known = False
        if known:
            element.set(attribute, clean(value))
        else:
            del element.attrib[attribute]


def sanitised(root: HtmlElement) -> HtmlElement:
    """An element without anything that is not in ``ALLOWED_TAGS``: a new tree."""
    source = lxml.html.tostring(root, encoding="unicode", with_tail=False)
    cleaned = nh3.clean(
        source,
        tags=set(ALLOWED_TAGS),
        clean_content_tags=set(_NEVER_READ),
        attributes={"a": {"href"}, "img": {"src", "alt"}},
        url_schemes={"https", "http", "mailto", "tel"},
        link_rel=None,
    )
    return lxml.html.fragment_fromstring(cleaned, create_parent="div", parser=lxml.html.HTMLParser(huge_tree=True))


def _text_lines(root: HtmlElement) -> Iterator[str]:
    for element in root.iter("p", "li", "div"):
        yield element.text_content()
    yield root.text_content()


def read_fragment(text: str, draft: Draft, *, base: str | None, picture: Picture | None, source: str) -> str:
    """The Markdown of a piece of HTML as feeds have it; empty when there is no text in it. Raises BadData.

    ``picture`` is the lead image if there is one (``source`` says where); else the first picture of the text is.
    Beacons and what only leads back to the site are left out.
    """
    if not text.strip():
        draft.put_picture(picture, source)
        return ""
    page = parse_html(f"<html><body>{text}</body></html>", draft.file)
    resolve_lazy_images(page)
    root = page if (body := page.find("body")) is None else body
    _tidy(root, draft)
    _without_beacons(root)
    facts = PageFacts()
    if picture is not None and picture.url:
        facts.image, facts.image_alt = Claim(picture.url, source), picture.alt
    found, where = lead_picture(page, root, facts, base)
    if found is not None and picture is not None:
        # What the feed says of its picture counts more than what stands around it in the text.
        said = {k: v for k in ("alt", "caption", "credit") if (v := getattr(picture, k))}
        found = dataclasses.replace(found, **said)
    draft.put_picture(found, where)
    _absolute(root, base)
    return to_markdown(sanitised(root))


_BEACON = re.compile(
    r"//(?:feeds\.feedburner\.com/~|pixel\.|stats?\.|b\.scorecardresearch|www\.google-analytics|[\w.-]+/track(?:er|ing)?/)",
    re.I,
)
_LEADS_BACK = re.compile(r"the post .{1,400} (?:first )?appeared first on .{1,200}", re.I | re.S)


def _without_beacons(root: HtmlElement) -> None:
    for image in list(root.iter("img")):
        size = [image.get(side, "").strip().removesuffix("px") for side in ("width", "height")]
        if any(side in ("0", "1", "2") for side in size) or _BEACON.search(image.get("src") or ""):
            _drop(image, root)
    for paragraph in list(root.iter("p"))[-2:]:
        if _LEADS_BACK.fullmatch(" ".join(paragraph.text_content().split())):
            _drop(paragraph, root)
