"""From the bytes of a web page to a story: the order of the steps.

decode → what is it? → parse → what the page says of itself → where its text is → what there is not the story →
Markdown. The fields come from the best evidence that the page has for each (``page_title``, ``page_byline``,
``page_published``, ``page_standfirst``, ``page_images``, ``page_fields``); a date or a byline that it does not state
stays unknown. The network is not touched here.
"""

from __future__ import annotations

import re
from datetime import datetime
from urllib.parse import urlsplit

from lxml import html as lxml_html
from lxml.html import HtmlElement

from newsletter.articles.html_file import parse_html, sanitised
from newsletter.articles.html_images import resolve_lazy_images
from newsletter.articles.page_address import joined, without_counters
from newsletter.articles.page_body import body_root
from newsletter.articles.page_byline import byline_of
from newsletter.articles.page_clutter import drop, strip_body, strip_lines, strip_page
from newsletter.articles.page_encoding import decode_page
from newsletter.articles.page_evidence import Evidence, gather
from newsletter.articles.page_fields import language_of, section_of, tags_of
from newsletter.articles.page_images import Lead, frame_pictures, is_no_picture, is_portrait, lead_of, same_picture
from newsletter.articles.page_kind import (
    count_words,
    is_list,
    marks_on,
    refuse_empty,
    refuse_feed,
    refuse_list,
    refuse_other_files,
    refuse_walls,
    wall_note,
)
from newsletter.articles.page_published import ahead_of, date_of
from newsletter.articles.page_standfirst import standfirst_of
from newsletter.articles.page_title import headline_of
from newsletter.articles.page_votes import Votes, ask, keep_voted, settle_root
from newsletter.articles.reading import read_story, story_of
from newsletter.articles.story import Draft, Story
from newsletter.articles.text import fallback_headline
from newsletter.articles.to_markdown import to_markdown
from newsletter.errors import BadData
from newsletter.net.addresses import shown

MAX_PAGE = 8 * 1024 * 1024
"""The most bytes of a page that is read; the story in it is a small part."""

MOST_TAGS = 80_000
"""The most tags of a page that is read: long encyclopedia articles have 40,000, and time grows with them."""

_PLAYERS = re.compile(r"(?:^|\.)(?:youtube(?:-nocookie)?\.com|youtu\.be|vimeo\.com|dailymotion\.com)$")


def read_page(
    data: bytes, *, url: str, content_type: str | None = None, now: datetime | None = None, file: str | None = None
) -> Story:
    """Read the page that was fetched from ``url``; ``content_type`` is the server's header, ``now`` is for dates ahead.

    ``url`` is empty for a saved page that does not say where it was; then errors name ``file``.

    Raises BadData, with the address and a fix, for what is no story: a feed, another kind of file, a login, a page of
    links, an empty page, one that is larger than 8 MB or nested too deep. Nothing else is ever raised.
    """
    where = file or shown(url)
    if len(data) > MAX_PAGE:
        raise BadData("the page is larger than 8 MB: this is no story", where=where,
                      fix="Save only the story itself, and add the file.")  # fmt: skip
    refuse_other_files(data, content_type, where)
    text, notes = decode_page(data, content_type)
    refuse_feed(text, where)
    if text.count("<") > MOST_TAGS:
        raise BadData(f"the page has more than {MOST_TAGS:,} tags: this is no story", where=where,
                      fix="Save only the story itself, and add the file.")  # fmt: skip
    if (content_type or "").startswith("text/plain") and not re.match(r"\s{0,200}<(?:!doctype|html)", text, re.I):
        return read_story(None, data)
    draft = Draft(where, literal=True, notes=notes)
    page = parse_html(text, where, empty=refuse_empty(where))
    resolve_lazy_images(page)
    evidence = gather(page, url)
    marks = marks_on(page)
    _state(evidence, draft, now)
    strip_page(page)
    evidence.header = None  # some of it may be gone
    page_words = count_words(page.text_content())
    paywall = " ".join(page.text_content().split())[-60_000:]
    votes = ask(page)
    root = settle_root(body_root(page), votes)
    body = _body(evidence, root, votes, draft)
    words = root.text_content()
    refuse_walls(evidence, marks, words, page_words, where)
    if is_list(evidence, words, list(root.iter("a"))):
        raise refuse_list(where)
    if not body.strip():
        if is_list(evidence, words, list(page.iter("a"))):
            raise refuse_list(where)
        raise refuse_empty(where)
    if note := wall_note(evidence, marks, words, paywall):
        draft.notes.append(note)
    if claim := language_of(evidence, words):
        draft.put("lang", claim.value, claim.source)
    fallback_headline([line.strip() for line in words.split("\n") if line.strip()][:5], draft)
    return story_of(draft.article(body, link=without_counters(url) or None), draft, None)


def _state(evidence: Evidence, draft: Draft, now: datetime | None) -> None:
    """The fields that the page states, while everything is still there."""
    if headline := headline_of(evidence):
        draft.put("headline", headline.value, headline.source, confirmed=headline.confirmed)
    byline, agency = byline_of(evidence)
    if byline:
        draft.put("byline", byline.value, byline.source, confirmed=byline.confirmed)
    draft.put("agency", agency, "JSON-LD author" if byline is None else "byline")
    if date := date_of(evidence, now):
        draft.put("published", date.value, date.source, confirmed=date.confirmed)
    elif ahead := ahead_of(evidence, now):
        draft.notes.append(f"the page gives {ahead} as its date, which lies ahead: it was left out")
    if section := section_of(evidence):
        draft.put("section", section.value, section.source)
    draft.put("link", evidence.link, evidence.link_source)
    draft.tags = tags_of(evidence)


def _body(evidence: Evidence, root: HtmlElement, votes: Votes, draft: Draft) -> str:
    """The story's text as Markdown; the lead image and the standfirst become fields and leave it."""
    frame_pictures(root)
    lead = lead_of(evidence, root)
    _embeds(root, evidence.base)
    strip_body(root, votes.carry, lambda element: votes.share_in(element) if votes.text else 1.0)
    for heading, _ in evidence.headings:
        _take_out(heading, root)
    if lead:
        draft.put_picture(lead.picture, lead.source, confirmed=lead.confirmed)
        _without_lead(root, lead, evidence.base)
    standfirst, element = standfirst_of(evidence, root)
    if element is not None:
        _take_out(element, root)
    if standfirst:
        draft.put("standfirst", standfirst.value, standfirst.source, confirmed=standfirst.confirmed)
    picture = draft.picture
    known = [draft.texts.get(name, "") for name in ("headline", "byline", "section", "agency")]
    # The page's description may be its first sentence, which is the text's too; what stands apart is taken out twice.
    known += [draft.texts["standfirst"]] if element is not None and standfirst else []
    known += [picture.caption] if picture and picture.caption else []
    keep_voted(root, votes)
    for line in strip_lines(root, known, votes.carry):
        if not {"byline", "published"} <= set(draft.texts):
            draft.notes.append(f"the page shows “{line[:100]}” and states it nowhere for machines: set what is right")
    _pictures(root, evidence.base)
    _links(root, evidence.base)
    return to_markdown(sanitised(root))


def _take_out(element: HtmlElement, root: HtmlElement) -> None:
    if element is not root and any(above is root for above in element.iterancestors()):
        drop(element)


def _without_lead(root: HtmlElement, lead: Lead, base: str) -> None:
    """Take the lead image out of the text: also a second copy of it, with its figure and caption."""
    for image in list(root.iter("img", "amp-img")):
        again = image is lead.element or same_picture(joined(base, image.get("src") or ""), lead.picture.url or "")
        if not again:
            continue
        figure = next(image.iterancestors("figure"), None)
        alone = figure is not None and len(list(figure.iter("img"))) == 1
        _take_out(figure if figure is not None and alone else image, root)


def _pictures(root: HtmlElement, base: str) -> None:
    """Pictures with absolute addresses; counters, portraits and placeholders go."""
    for image in list(root.iter("img", "amp-img")):
        address = joined(base, image.get("src") or "")
        small = any((image.get(name) or "").removesuffix("px") in _TINY for name in ("width", "height"))
        if not address or small or is_no_picture(address) or is_portrait(image):
            drop(image)
            continue
        image.tag = "img"
        image.set("src", address)
    for caption in list(root.iter("figcaption")):
        figure = next(caption.iterancestors("figure"), None)
        if figure is None or next(figure.iter("img", "table", "pre", "blockquote", "a"), None) is not None:
            continue
        if len(figure.text_content().strip()) <= len(caption.text_content().strip()) + 60:
            _take_out(figure, root)  # the words below a picture that is not there


_TINY = frozenset(str(n) for n in range(50))


def _links(root: HtmlElement, base: str) -> None:
    """Links with absolute addresses; a link inside the page, or to nowhere, is its text."""
    for link in list(root.iter("a")):
        href = (link.get("href") or "").strip()
        if href.startswith(("mailto:", "tel:")):
            continue
        address = "" if href.startswith("#") else joined(base, href)
        if address and href:
            link.set("href", address)
            continue
        link.attrib.pop("href", None)
        if link.text_content().strip() in _BACK:
            drop(link)
        elif (number := link.text_content().strip()).isdecimal():
            for child in list(link):
                link.remove(child)
            link.text = f"[{number}]"  # a footnote's mark would run into the word before it


_BACK = frozenset({"↩", "↩︎", "↑", "^", "⤴", "↵"})
"""Links from a footnote back to its place."""


def _embeds(root: HtmlElement, base: str) -> None:
    """A player becomes a link to what it plays, named as the page names it."""
    for frame in list(root.iter("iframe")):
        address = joined(base, frame.get("src") or frame.get("data-src") or "")
        host = urlsplit(address).hostname or ""
        if not address or not _PLAYERS.search(host) or frame.getparent() is None:
            continue
        found = re.search(r"/embed/([\w-]{6,20})", address)
        target = f"https://www.youtube.com/watch?v={found[1]}" if found and "youtu" in host else address
        link = lxml_html.Element("a", href=target)
        link.text = " ".join((frame.get("title") or "").split())[:150] or host.removeprefix("www.")
        paragraph = lxml_html.Element("p", {"data-embed": "player"})
        paragraph.append(link)
        frame.addprevious(paragraph)
