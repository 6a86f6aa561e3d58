"""Pictures of an HTML page: lazy ones are given their real address, and one of them is the lead image."""

from __future__ import annotations

import dataclasses
import re
from urllib.parse import urljoin, urlsplit

from lxml.html import HtmlElement

from newsletter.articles.html_meta import PageFacts
from newsletter.articles.plain import clean
from newsletter.models import Picture

_LAZY = ("data-src", "data-lazy-src", "data-original", "data-orig-src", "data-url", "data-image")
_SETS = ("srcset", "data-srcset", "data-lazy-srcset")
_PLACEHOLDER = re.compile(
    r"(?:^|[/_-])(?:blank|placeholder|spacer|transparent|lazy|loading|1x1|pixel)[\w-]*\.\w{3,4}(?:$|\?)", re.I
)
"""A file that stands in until a script loads the picture."""
_DESCRIPTOR = re.compile(r"(\d{1,5}(?:\.\d{1,3})?)([wx])")
_SIZE = re.compile(r"-(?:\d{2,4}x\d{2,4}|scaled)(?=\.\w{3,4}$)")
_WIDEST = 2000  # a candidate wider than this only costs time: the widest display is 600 px at 2x


def resolve_lazy_images(page: HtmlElement) -> None:
    """Give every ``img`` its real ``src``: from data attributes, a srcset, or the picture in its ``noscript`` twin."""
    for fallback in list(page.iter("noscript")):
        inside = next(fallback.iter("img"), None)
        if inside is None or not inside.get("src"):
            continue
        twin = _twin(fallback.getprevious())
        if twin is None:
            fallback.addprevious(inside)
        elif not _address_of(twin):
            twin.set("src", clean(inside.get("src") or ""))
    for image in page.iter("img"):
        if address := _address_of(image):
            image.set("src", clean(address))


def _twin(before: HtmlElement | None) -> HtmlElement | None:
    """The lazy picture that a ``noscript`` stands in for: right before it, perhaps in a wrapper without words."""
    if before is None or (before.text_content().strip() and before.tag != "img"):
        return None
    return next(before.iter("img"), None)


def _address_of(image: HtmlElement) -> str:
    """The best address of a picture, or nothing when all it has is a placeholder."""
    for attribute in _LAZY:
        if value := (image.get(attribute) or "").strip():
            return value
    src = (image.get("src") or "").strip()
    if re.search(r"\s\d{1,5}w\s?,", src):
        src = widest(src)  # a whole srcset in the wrong attribute
    real = bool(src) and not src.startswith(("data:", "about:"))
    if real and not _PLACEHOLDER.search(src):
        return src
    sets = [image.get(name) or "" for name in _SETS]
    for parent in image.iterancestors("picture"):
        sets += [source.get(name) or "" for source in parent.iter("source") for name in _SETS]
    return next((found for value in sets if (found := widest(value))), "")


def widest(srcset: str) -> str:
    """The widest candidate of a srcset that is not needlessly wide; the first one when no width is given."""
    best, best_size = "", -1.0
    for candidate in re.split(r",\s", srcset[:20_000]):
        parts = candidate.split()
        found = _DESCRIPTOR.fullmatch(parts[1].rstrip(",")) if len(parts) > 1 else None
        size = float(found[1]) * (1000 if found[2] == "x" else 1) if found else 0.0
        if parts and not parts[0].startswith("data:") and best_size < size and (size <= _WIDEST or not best):
            best, best_size = parts[0].rstrip(","), size
    return best


def lead_picture(
    page: HtmlElement, root: HtmlElement, facts: PageFacts, base: str | None
) -> tuple[Picture | None, str]:
    """The lead image and where it was found; when it stands in the story's text too, it is taken out there.

    It is the page's ``og:image``, else the first picture of the text. The alternative text and the
    caption come from the picture in the text when that is the same file.
    """
    first = next((image for image in root.iter("img") if image.get("src")), None)
    if facts.image is None:
        if first is None:
            return None, ""
        return _take(first, root, base, None), "first picture"
    address = _joined(base, facts.image.value)
    same = next((i for i in page.iter("img") if i.get("src") and _same_file(i.get("src") or "", address)), None)
    if same is None:
        return Picture(url=address, alt=facts.image_alt), facts.image.source
    return dataclasses.replace(_take(same, root, base, facts.image_alt), url=address), facts.image.source


def _take(image: HtmlElement, root: HtmlElement, base: str | None, alt: str | None) -> Picture:
    figure = next((e for e in image.iterancestors("figure")), None)
    caption = None if figure is None else next(figure.iter("figcaption"), None)
    picture = Picture(
        url=_joined(base, image.get("src") or ""),
        alt=" ".join((image.get("alt") or alt or "").split()) or None,
        caption=" ".join(caption.text_content().split()) or None if caption is not None else None,
    )
    whole = image if figure is None or len(list(figure.iter("img"))) > 1 else figure
    if whole is not root and any(parent is root for parent in whole.iterancestors()):
        whole.drop_tree()
    return picture


def _joined(base: str | None, address: str) -> str:
    try:
        return urljoin(base, address.strip()) if base else address.strip()
    except ValueError:
        return address.strip()


def _same_file(one: str, other: str) -> bool:
    """Whether two addresses name one file, whatever their sizes in the query or, as WordPress has it, the name say."""
    try:
        paths = {_SIZE.sub("", urlsplit(address.strip()).path.rpartition("/")[2]) for address in (one, other)}
    except ValueError:
        return False
    return len(paths) == 1 and bool(paths.pop())
