"""The lead image of a page with its caption and credit; logos, portraits and placeholders are none."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from urllib.parse import unquote, urlsplit

from lxml.html import HtmlElement

from newsletter.articles.html_images import widest
from newsletter.articles.html_meta import words_of
from newsletter.articles.page_address import joined
from newsletter.articles.page_evidence import Evidence, around, outside
from newsletter.articles.page_linked import addresses
from newsletter.articles.page_words import marks_of
from newsletter.articles.shape import title_key
from newsletter.models import Picture

_NO_PICTURE = re.compile(
    r"(?<![a-z])(?:logos?|icons?|favicon|avatars?|gravatar|sprites?|placeholder|blank|spacer|pixel|tracking|beacon|loading"
    r"|spinner|default[-_]?(?:image|img|og|share|thumb\w*|social)?|fallback|no-?image|social[-_]share|og[-_]?image[-_]default"
    r"|share[-_](?:default|image|card)|og[-_]default|site[-_]?(?:image|logo|icon)|facebook(?=\.)|opengraph|badge|button|banner-ad|transparent|1x1|emoji|preload(?:er)?|play[-_](?:audio|video|button|icon))(?![a-z])",
    re.I,
)
_PORTRAIT = re.compile(
    r"(?<![a-z])(?:avatars?|authors?|byline|headshot|profile|bio|logo|icon|emoji|share|social)(?![a-z])", re.I
)
_CREDIT = re.compile(
    r"(?<![a-z])(?:credits?|copyright|photographer|photo-?by|source|attribution|byline|author|kredit)(?![a-z])", re.I
)
_CAPTION = re.compile(r"(?<![a-z])(?:caption|wp-caption-text|cutline|legend|legende|bildunterschrift)(?![a-z])", re.I)
_TOLD_CREDIT = re.compile(
    r"[\s.|(\[–—-]{0,5}(?:\b(?:photos?|photograph|image|picture|pic|foto|bild|credits?|crédits?|crédit photo"
    r"|photo credit|picture credit|quelle|source|fuente|foto de|photo by|image by|illustration)"
    r"\s*(?:[:©/]|\bby\b)\s*(?:©\s*)?|©\s*)"
    r"(?P<credit>[^.:()\[\]|]{2,70})[\s.)\]|]*$",
    re.I,
)
_DECORATION = re.compile(
    r"\.gif(?:$|\?)|(?<![a-z])(?:header|banners?|flags?|youtube|preload|pdf|newsletter|themes?|skin|ads?)(?![a-z])",
    re.I,
)
_SIZED = re.compile(r"(?:[-_.](?:\d{2,4}x\d{2,4}|\d{2,4}w?|scaled|large|medium|small|thumb\w*|resized))+$", re.I)
_SMALLEST = 200  # pixels; nothing smaller is a lead image


@dataclass(frozen=True, slots=True)
class Lead:
    """The lead image, where it was found, and the element that shows it on the page, if there is one."""

    picture: Picture
    source: str
    confirmed: bool
    element: HtmlElement | None


def lead_of(evidence: Evidence, root: HtmlElement | None) -> Lead | None:
    """The picture that the page names for itself; else the first large one in the story or around its headline.

    ``root`` holds the story's text. Addresses are absolute.
    """
    shown = _shown(evidence, root)
    logos = {_stem(joined(evidence.base, logo)) for logo in evidence.linked.logos}
    for address, source, alt in _named(evidence):
        if address and not is_no_picture(address) and _stem(address) not in logos:
            same = next((e for a, e in shown if _stem(a) == _stem(address)), None)
            picture = _described(address, alt, same, evidence)
            return Lead(picture, source, True, same)
    for address, element in shown:
        in_figure = next(element.iterancestors("figure"), None) is not None
        within = root is not None and any(above is root for above in element.iterancestors())
        if not in_figure and (not within or _DECORATION.search(address)):
            continue
        if _large(element) and not is_no_picture(address) and _stem(address) not in logos:
            return Lead(_described(address, None, element, evidence), "first picture", in_figure, element)
    return None


def _named(evidence: Evidence) -> Iterator[tuple[str, str, str | None]]:
    """Addresses that the metadata names, with where it does and the alternative text."""
    meta, story = evidence.meta, evidence.linked.story
    alt = words_of(meta.get("og:image:alt")) or words_of(meta.get("twitter:image:alt")) or None
    width = meta.get("og:image:width") or ""
    for name in ("og:image", "og:image:url", "og:image:secure_url"):
        if not (width.isdecimal() and 0 < int(width) < _SMALLEST):
            yield joined(evidence.base, meta.get(name) or ""), f"meta {name}", alt
    for address in addresses(story.get("image")) + addresses(story.get("thumbnailUrl")):
        yield joined(evidence.base, address), "JSON-LD image", alt
    for name in ("twitter:image", "twitter:image:src", "parsely-image-url", "sailthru.image.full", "thumbnail"):
        yield joined(evidence.base, meta.get(name) or ""), f"meta {name}", alt


def is_no_picture(address: str) -> bool:
    """Whether an address is that of a logo, an icon, a placeholder or a counter."""
    try:
        path = unquote(urlsplit(address).path)
    except ValueError:
        return True
    if address.startswith("data:") or path.lower().endswith((".svg", ".ico")):
        return True
    return (
        _NO_PICTURE.search(path.rpartition("/")[2]) is not None
        or re.search(r"/(?:avatars?|icons?|logos?|emoji|ads?|banners?|werbung)/", path, re.I) is not None
    )


def is_portrait(image: HtmlElement) -> bool:
    """Whether a picture shows who wrote the story: it stands in a block about authors, or leads to a profile."""
    around = [image, *list(image.iterancestors())[:3]]
    if any(_PORTRAIT_BLOCK.search(marks_of(e)) for e in around if e.tag not in ("body", "article", "main", "figure")):
        return True
    return any(e.tag == "a" and _PROFILE.search(e.get("href") or "") for e in around)


_PORTRAIT_BLOCK = re.compile(
    r"(?<![a-z])(?:authors?-?(?:head-?shot|image|photo|avatar|thumb\w*|icon)?|by-?line|headshot)(?![a-z])", re.I
)
_PROFILE = re.compile(r"/(?:authors?|contributors?|staff|people|columnists?|profile)/[^/?#]{3,}/?(?:$|\?)", re.I)


def same_picture(one: str, other: str) -> bool:
    """Whether two addresses show the same picture, perhaps in other sizes."""
    return bool(one) and _stem(one) == _stem(other)


def _resized(address: str) -> str:
    """The picture that a resizer is told to fetch, ``…?url=https://…``; else the address itself."""
    found = re.search(r"[?&](?:url|src|image)=(https?(?::|%3A)[^&]+)", address, re.I)
    return unquote(found[1]) if found else address


def _stem(address: str) -> str:
    """A picture's file name without its size, for telling whether two addresses show the same."""
    try:
        path = unquote(urlsplit(_resized(address)).path)
    except ValueError:
        return address
    name = path.rstrip("/").rpartition("/")[2]
    stem, dot, suffix = name.rpartition(".")
    stem = stem if dot and len(suffix) <= 5 else name
    short = _SIZED.sub("", stem)
    return (short if len(short) > 2 else path).lower()


def _shown(evidence: Evidence, root: HtmlElement | None) -> list[tuple[str, HtmlElement]]:
    """The pictures around the headline and in the story, in the order of the page, with absolute addresses."""
    zones: list[HtmlElement] = []
    for heading, _ in evidence.headings[:1]:
        zones = list(around(heading, 5))[-1:]
    if root is not None:
        zones.append(root)
    found: list[tuple[str, HtmlElement]] = []
    seen: set[HtmlElement] = set()
    for zone in zones:
        for image in zone.iter("img", "amp-img"):
            if len(seen) > 300:
                break  # a lead image stands near the top
            if image in seen or outside(image):
                continue
            seen.add(image)
            address = joined(evidence.base, image.get("src") or widest(image.get("srcset") or ""))
            if address:
                found.append((address, image))
    return found


def _large(image: HtmlElement) -> bool:
    for name in ("width", "height", "data-width"):
        size = (image.get(name) or "").removesuffix("px")
        if size.isdecimal() and int(size) < _SMALLEST:
            return False
    marks = " ".join(marks_of(e) for e in (image, *list(image.iterancestors())[:3]))
    return _PORTRAIT.search(marks) is None


def _described(address: str, alt: str | None, image: HtmlElement | None, evidence: Evidence) -> Picture:
    own_alt = words_of(image.get("alt")) if image is not None else ""
    caption, credit = ("", "") if image is None else caption_of(image)
    told_caption, told_credit = _told_by_data(evidence)
    caption, credit = caption or told_caption, credit or told_credit
    headline = {title_key(words) for _, words in evidence.headings}
    if title_key(own_alt) in headline and alt and title_key(alt) not in headline:
        own_alt = alt
    return Picture(url=address, alt=own_alt or alt or None, caption=caption or None, credit=credit or None)


def _told_by_data(evidence: Evidence) -> tuple[str, str]:
    linked = evidence.linked
    for node in linked.nodes(linked.story.get("image"))[:1]:
        credit = words_of(node.get("creditText")) or next(
            iter(
                linked.texts(node.get("creator"))
                + linked.texts(node.get("author"))
                + linked.texts(node.get("copyrightHolder"))
            ),
            "",
        )
        return words_of(node.get("caption")), credit if len(credit) <= 100 else ""
    return "", ""


def caption_of(image: HtmlElement) -> tuple[str, str]:
    """The caption and the credit that stand with a picture: in its figure, or in an element marked as caption."""
    holder = next(image.iterancestors("figure"), None)
    if holder is None:
        holder = next((e for e in list(image.iterancestors())[:3] if _holds_caption(e)), None)
    if holder is None or len(list(holder.iter("img"))) > 2:
        return "", ""
    caption = next(holder.iter("figcaption"), None)
    marked = [e for e in holder.iterdescendants() if isinstance(e.tag, str) and e.tag != "img"]
    if caption is None:
        caption = next((e for e in marked if _CAPTION.search(marks_of(e))), None)
    credit = next((e for e in marked if _is_credit(e)), None)
    words = words_of(caption.text_content()) if caption is not None else ""
    said = words_of(credit.text_content()) if credit is not None else ""
    if said and said in words:
        words = words.replace(said, "").strip()
    if not said and (found := _TOLD_CREDIT.search(words)):
        said, words = found["credit"].strip(), words[: found.start()].strip()
    label = _TOLD_CREDIT.fullmatch(said)
    return words.rstrip(" |(–—/-"), (label["credit"] if label else said).strip(" ()[]|/")[:150]


def frame_pictures(root: HtmlElement) -> None:
    """Make a figure of what holds a picture with its caption and nothing else, as older systems have it."""
    for image in list(root.iter("img", "amp-img")):
        for holder in list(image.iterancestors())[:3]:
            if holder is root or holder.tag not in ("a", "picture", "div", "span", "p", "center", "dl"):
                break
            caption = next((e for e in holder.iterdescendants() if _is_caption(e, image)), None)
            if caption is None or holder.tag in ("a", "picture"):
                continue
            words, around = (len(" ".join(e.text_content().split())) for e in (caption, holder))
            if words > 0 and around - words <= 60 and sum(1 for _ in holder.iter("img", "amp-img")) == 1:
                holder.tag, caption.tag = "figure", "figcaption"
            break


def _is_caption(element: HtmlElement, image: HtmlElement) -> bool:
    if not isinstance(element.tag, str) or element.tag in ("img", "amp-img", "picture", "source"):
        return False
    return _CAPTION.search(marks_of(element)) is not None and not any(e is element for e in image.iterancestors())


def _is_credit(element: HtmlElement) -> bool:
    props = (element.get("itemprop") or "").split()
    marked = _CREDIT.search(marks_of(element)) or any(p in ("creditText", "copyrightHolder") for p in props)
    return (
        bool(marked)
        and 0 < len(element.text_content().strip()) < 150
        and element.tag not in ("figcaption", "picture", "source")
    )


def _holds_caption(element: HtmlElement) -> bool:
    if element.tag in ("article", "main", "body", "section"):
        return False
    return any(_CAPTION.search(marks_of(e)) for e in element.iterdescendants() if isinstance(e.tag, str))
