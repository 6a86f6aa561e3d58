"""What stands among a story's paragraphs and is not the story: sharing, related stories, sign-ups, advertisements.

Elements go by what they are and by the words in their class; lines go by how they begin, in the languages that
newsrooms here write. Nothing goes that holds a large part of the story, whatever it is called.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection

from lxml.html import HtmlElement

from newsletter.articles.page_dates import told_date
from newsletter.articles.page_words import (
    CLUTTER,
    DATE_LINE,
    LABELS,
    NOT_CLUTTER,
    RELATED,
    SIGN_UP,
    SURE_CLUTTER,
    UNSEEN,
    marks_of,
)
from newsletter.articles.shape import title_key

_NEVER = (
    "script", "style", "template", "svg", "canvas", "object", "embed", "form", "button", "input", "select", "textarea",
    "nav", "dialog", "map", "link", "meta", "audio", "video", "progress", "label",
)  # fmt: skip
_SIDE = ("aside", "footer", "address", "noscript")
_SOURCE = ("blockquote", "figure")
"""Where a ``footer`` names the source."""
_BY_LINE = re.compile(r"^(?:by|von|par|por|text:|words:)\s+\S.{1,90}$", re.I)


def link_share(element: HtmlElement) -> float:
    """The share of an element's characters that are links, from 0 to 1."""
    total = len(element.text_content().strip())
    return sum(len(a.text_content().strip()) for a in element.iter("a")) / total if total else 0.0


def strip_page(page: HtmlElement) -> None:
    """Take out what is never a story's text anywhere: scripts, forms, navigation, what nobody sees."""
    for element in list(page.iter(*_NEVER)):
        if element.tag in ("form", "label") and len(element.text_content()) > 1500:
            element.tag = "div"  # some systems wrap the whole page in a form
        else:
            drop(element)
    for element in list(page.iter()):
        if isinstance(element.tag, str) and _hidden(element) and len(element.text_content()) < 2000:
            drop(element)


def _hidden(element: HtmlElement) -> bool:
    style = (element.get("style") or "").replace(" ", "").lower()
    return element.get("hidden") is not None or element.get("aria-hidden") == "true" or "display:none" in style


def strip_body(
    root: HtmlElement,
    voted: Callable[[HtmlElement], bool] = lambda _: False,
    share: Callable[[HtmlElement], float] = lambda _: 1.0,
) -> None:
    """Take out of a story what its element or its class says is something else.

    ``voted`` says of an element that other evidence takes its text for the story; then its class is not believed.
    ``share`` says how much of the story, from 0 to 1, it sees in an element: a large ``aside`` goes where it is none.
    """
    whole = max(1, len(root.text_content()))
    for element in list(root.iterdescendants()):
        if not isinstance(element.tag, str) or element.tag in ("body", "html") or element.getparent() is None:
            continue
        if element.tag == "footer" and next(element.iterancestors(*_SOURCE), None) is not None:
            continue
        if element.tag in _INLINE and _in_a_sentence(element) and not UNSEEN.search(marks_of(element)):
            continue
        marked = element.tag in _SIDE or is_clutter(element) or _is_card(element)
        if not marked or not _is_attached(element, root):
            continue
        if len(element.text_content()) >= 0.4 * whole and (element.tag not in _SIDE or share(element) > 0.01):
            continue
        if not _keeps(element) and (SURE_CLUTTER.search(marks_of(element)) or not voted(element)):
            drop(element)


_INLINE = frozenset("a abbr b big cite code em font i ins kbd mark q s small span strong sub sup u".split())  # noqa: SIM905 - words


def _in_a_sentence(element: HtmlElement) -> bool:
    """Whether words stand beside an inline element: then its class names how it looks, such as ``inline-link``."""
    parent = element.getparent()
    while parent is not None and parent.tag in _INLINE:
        element, parent = parent, parent.getparent()
    if parent is None or not element.text_content().strip():
        return False
    if parent.tag in _TEXT_BLOCKS:
        return len(element.text_content().strip()) < len(parent.text_content().strip())
    return re.search(r"\w", _beside(element)) is not None


_TEXT_BLOCKS = frozenset("p li td th dd dt h2 h3 h4 h5 h6 blockquote".split())  # noqa: SIM905 - words


def _beside(element: HtmlElement) -> str:
    """The text right before and right after an element, in its parent."""
    parent, before = element.getparent(), element.getprevious()
    start = (parent.text if parent is not None else "") if before is None else before.tail
    return f"{start or ''} {element.tail or ''}"


def _is_card(element: HtmlElement) -> bool:
    """A box that is one link to another story: a picture or a heading with a line or two, nearly all of it linked."""
    if element.tag == "table":  # a box of one line that leads elsewhere
        return sum(1 for _ in element.iter("a")) == 1 and link_share(element) > 0.85
    if element.tag not in ("div", "section", "a", "li", "figure", "article"):
        return False
    linked = element.tag == "a" or link_share(element) > 0.6
    words = len(element.text_content().strip())
    return (
        linked and 15 < words < 500 and next(element.iterdescendants("h2", "h3", "h4", "h5", "img"), None) is not None
    )


def is_clutter(element: HtmlElement) -> bool:
    """Whether the class, the id or the role of an element says that it is not the story."""
    named = marks_of(element, "role", "data-testid")
    if element.tag in ("h2", "h3", "h4"):
        named = element.get("class") or ""  # a heading's id is made of its own words: "nav-for-beginners"
    marks = NOT_CLUTTER.sub("", named)
    return bool(marks.strip()) and CLUTTER.search(marks) is not None


def _is_attached(element: HtmlElement, root: HtmlElement) -> bool:
    return any(above is root for above in element.iterancestors())


def _keeps(element: HtmlElement) -> bool:
    """A paragraph of prose or a picture of the story with an unlucky class, such as ``share-image``."""
    if element.tag in (
        "p",
        "h2",
        "h3",
        "blockquote",
        "pre",
        "table",
        "figure",
        "picture",
        "img",
        "strong",
        "em",
        "b",
        "i",
        "a",
        "span",
    ):
        words = element.text_content().strip()
        if element.tag in ("figure", "picture", "img"):
            return True
        return len(words) > 120 and link_share(element) < 0.3
    return False


def strip_lines(
    root: HtmlElement, known: Collection[str], voted: Callable[[HtmlElement], bool] = lambda _: False
) -> list[str]:
    """Take out lines that are not the story's: labels, related stories, sign-ups, what the fields say already.

    ``known`` are texts that are fields: the headline, the standfirst, the byline, the lead image's caption. Returns the
    lines with a date or a name that went. ``voted`` as for ``strip_body``.
    """
    keys = {title_key(text) for text in known if text}
    blocks = list(
        root.iter(
            "p",
            "div",
            "li",
            "h1",
            "h2",
            "h3",
            "h4",
            "h5",
            "h6",
            "ul",
            "ol",
            "span",
            "strong",
            "figcaption",
            "section",
            "dl",
        )
    )
    begun = 0
    credits: list[str] = []
    for element in blocks:
        if not _is_attached(element, root):
            continue
        words = " ".join(element.text_content().split())
        if not words:
            continue
        if element.tag in ("ul", "ol", "dl"):
            if _is_link_list(element, words, told_apart=voted(element)):
                _drop_with_heading(element)
            continue
        if next(element.iterdescendants("p", "div", "li", "table", "ul", "figure"), None) is not None:
            continue
        if next(element.iterancestors("figure"), None) is not None:
            continue  # every picture keeps its own caption and credit
        top = begun < 3
        if element.tag in ("span", "strong") and not stands_alone(element):
            continue  # a word of a sentence, whatever it says
        if re.fullmatch(r"[\s,;|/·•]+", words):
            drop(element)  # what stood between tags that are gone
        elif title_key(words) in keys and (
            top or (len(words) > 12 and title_key(words) in keys and element.tag in ("h1", "h2", "figcaption"))
        ):
            drop(element)
        elif "{{" in words and len(re.findall(r"\w+", re.sub(r"\{\{.*?\}\}", "", words))) < 3:
            drop(element)  # a template that a script would fill
        elif (
            top
            and len(words) < 120
            and told_date(words)
            and any(" " in key and key in title_key(words) for key in keys)
        ):
            drop(element)  # the header's line with the byline and the date
        elif _is_label(words) or (len(words) < 250 and _is_foreign(element, words)):
            drop(element)
        elif top and _is_credit_line(words):
            credits.append(words)
            drop(element)
        elif element.tag in ("p", "div", "li") and len(words) > 60:
            begun += 1
    _strip_end(root)
    return credits


def stands_alone(element: HtmlElement) -> bool:
    """Whether an inline element is a line of its own: nothing is written beside it."""
    parent = element.getparent()
    return parent is not None and parent.tag in ("div", "section", "article", "main") and not _beside(element).strip()


def _is_label(words: str) -> bool:
    parts = [part.strip(" .:»›>") for part in re.split(r"[|·•/]", words.lower())]
    return all(part in LABELS for part in parts if part) and any(parts)


def _is_credit_line(words: str) -> bool:
    """A line with the date or the byline, which are fields."""
    byline = _BY_LINE.match(words) is not None and words[-1] not in ".!?"
    return len(words) < 120 and (byline or DATE_LINE.match(words) is not None)


def _is_foreign(element: HtmlElement, words: str) -> bool:
    if "newsletter" in words.lower() and len(words) < 250 and link_share(element) > 0.1:
        return True
    if SIGN_UP.match(words) and (link_share(element) > 0.2 or len(words) < 120):
        return True
    return bool(RELATED.match(words)) and (link_share(element) > 0.3 or len(words) < 60 or element.tag.startswith("h"))


def _is_link_list(element: HtmlElement, words: str, *, told_apart: bool) -> bool:
    """A list of nothing but links to other stories: three or more, each the whole item.

    One that other evidence takes for the story (``told_apart``) and that a line of text announces is a part of it.
    """
    items = [item for item in element if item.tag in ("li", "dd", "dt")]
    linked = sum(link_share(item) > 0.85 for item in items)
    before = _before(element)
    told = before is not None and bool(RELATED.match(" ".join(before.text_content().split())))
    if told_apart and not told and before is not None and before.tag in ("p", "ul", "ol"):
        return False
    return bool(items) and linked == len(items) and (len(items) >= 3 or told) and len(words) < 3000


def _before(element: HtmlElement) -> HtmlElement | None:
    before = element.getprevious()
    return before if before is not None and isinstance(before.tag, str) else None


def _drop_with_heading(element: HtmlElement) -> None:
    before = _before(element)
    if before is not None and (
        before.tag in ("h2", "h3", "h4", "h5", "strong") or RELATED.match(" ".join(before.text_content().split()))
    ):
        drop(before)
    drop(element)


_ENDS = ("p", "li", "h2", "h3", "h4", "h5", "h6", "img", "td", "pre", "blockquote", "div", "hr")


def _strip_end(root: HtmlElement) -> None:
    """A heading, or a line that ends with a colon, with nothing behind it headed something that is gone."""
    while True:
        last = None
        for element in root.iter(*_ENDS):
            blocks = next(element.iterdescendants("p", "li", "div", "h2", "h3", "h4"), None)
            if element.tag in ("img", "hr") or (blocks is None and element.text_content().strip()):
                last = element
        if last is None or last is root or not _announces(last) or _has_text_behind(last, root):
            return
        drop(last)


def _has_text_behind(element: HtmlElement, root: HtmlElement) -> bool:
    """Whether words that stand in no block of their own follow an element."""
    while element is not root:
        if (element.tail or "").strip() or any(
            e.text_content().strip() for e in element.itersiblings() if isinstance(e.tag, str)
        ):
            return True
        above = element.getparent()
        if above is None:
            return False
        element = above
    return False


def _announces(element: HtmlElement) -> bool:
    words = element.text_content().strip()
    colon = element.tag == "p" and len(words) < 80 and words.endswith((":", "："))
    return colon or element.tag in ("h2", "h3", "h4", "h5", "h6", "hr")


def drop(element: HtmlElement) -> None:
    """Take an element out; the text behind it stays."""
    if element.getparent() is not None:
        element.drop_tree()
