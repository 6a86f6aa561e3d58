"""A second opinion on where a story's text is: trafilatura's, laid beside ours block by block.

Only its choice of text is used, as votes for the page's own elements: headings, links, tables and pictures come from
the page. Its metadata, its dates, its fetching and its command line are never used. It is imported when a page is
read, not before, because that takes a fifth of a second.
"""

from __future__ import annotations

import logging
import re
from collections import Counter
from copy import deepcopy

from lxml.html import HtmlElement

from newsletter.articles.page_body import priority
from newsletter.articles.page_clutter import drop, link_share, stands_alone
from newsletter.articles.page_words import CREDITS
from newsletter.articles.shape import title_key

MOST_ELEMENTS = 15_000
"""A page with more elements is not given to trafilatura: its time grows faster than the page."""

_BLOCKS = (
    "p", "li", "pre", "blockquote", "td", "th", "dd", "dt", "h2", "h3", "h4", "h5", "h6", "div", "section",
    "figcaption", "center", "article", "main", "span", "header",
)  # fmt: skip
_HOLDS_BLOCKS = (
    "p", "li", "pre", "blockquote", "table", "div", "section", "ul", "ol", "dl", "h2", "h3", "h4", "figure", "article",
    "img",
)  # fmt: skip
_HEADINGS = frozenset({"h2", "h3", "h4", "h5", "h6"})
_SHORT = 12  # signs; shorter blocks are in any text by chance
_ENOUGH = 0.75
_SENTENCE = re.compile(r"[.!?…:;,。！？，、।۔؟]")


class Votes:
    """The text that trafilatura takes for the story, as one run of letters without blanks and marks."""

    def __init__(self, text: str, page: HtmlElement | None = None) -> None:
        self.text = squeezed(text)
        self._sizes: dict[HtmlElement, tuple[int, int]] = {}
        for block in [] if page is None or not self.text else blocks_of(page):
            words = own_words(block)
            size = len(squeezed(words))
            self._sizes[block] = (size, size if self.has(words) else 0)

    def has(self, words: str) -> bool:
        """Whether a block's words are in it."""
        key = squeezed(words)
        return len(key) >= _SHORT and key in self.text

    def share_in(self, element: HtmlElement) -> float:
        """The share of the votes that stands in an element's blocks, from 0 to 1."""
        found = sum(self._sizes[inner][1] for inner in element.iter(*_BLOCKS) if inner in self._sizes)
        return min(1.0, found / len(self.text)) if self.text else 0.0

    def carry(self, element: HtmlElement) -> bool:
        """Whether most of an element's text got votes, and more than a line of it."""
        sizes = [self._sizes[inner] for inner in element.iter(*_BLOCKS) if inner in self._sizes]
        agreed = sum(voted for _, voted in sizes)
        return agreed > 50 and agreed > 0.5 * sum(size for size, _ in sizes)


def ask(page: HtmlElement) -> Votes:
    """Ask trafilatura about a page; without votes where it finds nothing, fails, or the page is too large for it."""
    if sum(1 for _ in page.iter()) > MOST_ELEMENTS:
        return Votes("")
    import trafilatura

    # It reports empty pages as errors on standard error; what a page lacks is ours to say.
    logging.getLogger("trafilatura").addHandler(logging.NullHandler())
    try:
        found = trafilatura.bare_extraction(deepcopy(page), fast=True, favor_precision=True, include_comments=False)
    except Exception:  # noqa: BLE001 - on broken pages it raises whatever it likes; then our own evidence decides
        return Votes("")
    return Votes(getattr(found, "text", None) or "", page)


def squeezed(text: str) -> str:
    """Letters and digits alone, for comparing texts that were spaced and marked differently."""
    return re.sub(r"[\W_]+", "", title_key(text))


def blocks_of(root: HtmlElement) -> list[HtmlElement]:
    """The innermost blocks with words of their own, in the order of the page."""
    found = []
    for element in root.iter(*_BLOCKS):
        if element.tag == "span" and not stands_alone(element):
            continue
        if own_words(element):
            found.append(element)
    return found


def own_words(element: HtmlElement) -> str:
    """The words of a block; of one that holds other blocks, only those between them."""
    if len(element) == 0:
        return " ".join((element.text or "").split())
    if next(element.iterdescendants(*_HOLDS_BLOCKS), None) is None:
        return " ".join(element.text_content().split())
    own = [element.text or ""]
    for child in element:
        inline = isinstance(child.tag, str) and child.tag not in _BLOCKS and child.tag not in _HOLDS_BLOCKS
        if inline and next(child.iterdescendants(*_HOLDS_BLOCKS), None) is None:
            own.append(child.text_content())
        own.append(child.tail or "")
    return " ".join("".join(own).split())


def settle_root(root: HtmlElement, votes: Votes) -> HtmlElement:
    """Our root, or the smallest element around it or elsewhere that holds the votes, where ours holds too few."""
    share = votes.share_in(root)
    if not votes.text or share >= _ENOUGH:
        return root
    body = next((e for e in root.iterancestors("body")), root)
    best, best_share = root, share
    for element in body.iter("div", "section", "article", "main", "td", "body"):
        here = votes.share_in(element) if _could_hold(element, votes) else 0.0
        if here >= best_share + 0.1 or (
            here >= 0.9 * best_share and best is not root and any(a is best for a in element.iterancestors())
        ):
            best, best_share = element, here
    mine = len(squeezed(root.text_content()))
    much = 1.5 if priority(root) >= 3 else 3.0 if priority(best) < 3 and link_share(root) < 0.3 else float("inf")
    if mine > much * len(votes.text):
        return root  # it lost most of a body that is marked as one, or that is far longer
    return best if best_share >= 0.5 else root


def _could_hold(element: HtmlElement, votes: Votes) -> bool:
    return len(element.text_content()) > 0.4 * len(votes.text)


def keep_voted(root: HtmlElement, votes: Votes) -> None:
    """Take out blocks that got no vote and do not look like the story between those that did."""
    blocks = blocks_of(root)
    texts = [own_words(block) for block in blocks]
    sizes = [len(squeezed(text)) for text in texts]
    voted = [votes.has(text) for text in texts]
    total, agreed = sum(sizes), sum(size for size, yes in zip(sizes, voted, strict=True) if yes)
    if not any(voted):
        return
    # Votes for less than half of the text: where the text is marked as the story, they are not heard.
    if agreed < 0.5 * total and (priority(root) >= 3 or agreed < 0.15 * total):
        return
    first, last = voted.index(True), len(voted) - 1 - voted[::-1].index(True)
    marked = priority(root) >= 3
    beside = {blocks[first].getparent(), blocks[last].getparent()}
    alike = Counter((b.getparent(), b.tag, b.get("class")) for b, yes in zip(blocks, voted, strict=True) if yes)
    holders = {above for block in blocks for above in block.iterancestors()}  # their own words go with their blocks
    for place, (block, yes, words) in enumerate(zip(blocks, voted, texts, strict=True)):
        if (
            yes
            or next(block.iterancestors("table"), None) is not None
            or block.tag in ("body", "html")
            or block is root
        ):
            continue
        if block in holders or next(block.iterancestors("figure"), None) is not None:
            continue  # a figure goes or stays whole
        inside = first <= place <= last
        # What stands in one row with three paragraphs of the story, and looks like them, is one of its paragraphs.
        one_of = block.tag in ("p", "div") and alike[(block.getparent(), block.tag, block.get("class"))] >= 3
        near = one_of or (marked and any(above in beside for above in list(block.iterancestors())[:3]))
        if (
            not _stays(block, words, inside=inside, marked=near or (marked and inside), before=place < first)
            and next(block.iter("img"), None) is None
        ):
            drop(block)


def _stays(block: HtmlElement, words: str, *, inside: bool, marked: bool, before: bool) -> bool:
    share = link_share(block)
    if block.get("data-embed"):
        return True
    prose = len(words) >= 60 and share < 0.4 and _SENTENCE.search(words) is not None
    if block.tag in _HEADINGS:
        return share < 0.6 and (inside or (marked and not before))
    if inside and marked:
        return share < 0.6 or _is_mail_address(block)
    if inside:
        return prose or (share < 0.2 and block.tag in ("p", "li", "pre", "blockquote", "dd", "dt"))
    if not before and CREDITS.match(words) and len(words) < 300 and share < 0.5:
        return True
    # The last lines of a story, "Additional reporting by …", are paragraphs like the others and too short for a vote.
    last = block.tag == "p" or any("note" in (above.get("class") or "") for above in list(block.iterancestors())[:2])
    plain = marked and not before and last and not block.get("class") and share < 0.5 and len(words) > 5
    return plain or (marked and prose) or (len(words) > 200 and prose and block.tag in ("p", "blockquote"))


def _is_mail_address(block: HtmlElement) -> bool:
    """Whether a line's links are all addresses to write to: they lead to no other story."""
    return all("@" in link.text_content() for link in block.iter("a"))
