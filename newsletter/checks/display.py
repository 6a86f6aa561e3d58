"""Pictures on the page: where they come from, what stands in for them, and how many pixels they bring."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from newsletter.checks import examples as eg
from newsletter.checks.context import CheckContext
from newsletter.checks.page import Element, cut
from newsletter.checks.registry import Change, Example, Problem, check
from newsletter.message.merge import TOKEN
from newsletter.models import EmailImage, Severity

SHARP, ENOUGH = 2, 3
"""Pixels of a file for one on the page: what sharp screens draw, and past which nobody sees more."""
LIGHT = 10 * 1024
"""Bytes below which a file costs nothing, whatever its pixels."""

FEW_WORDS = 20


def _lead(width: int, size: int = 90_000) -> Change:
    """The example's lead picture with other pixels."""
    made = EmailImage("f.jpg", Path("f.jpg"), "image/jpeg", "cid:ferry", size, width, width * 9 // 16, eg.FERRY.slug)
    return eg.email(images=(made,))


@check(
    id="alt-empty-in-link",
    severity=Severity.ERROR,
    family="pictures",
    why="A link that holds nothing but a picture is named by the picture's alternative text. Without it a screen "
    "reader spells out the address.",
    source="WCAG 2.2, failure F89",
    failing=Example(
        'a linked picture with `alt=""`',
        eg.html("<h2>", '<a href="https://estuary.example/ferry"><img src="cid:ferry" width="600" alt=""></a><h2>'),
    ),
    passing=Example(
        "a linked picture with an alternative text",
        eg.html(
            "<h2>", '<a href="https://estuary.example/ferry"><img src="cid:ferry" width="600" alt="A boat"></a><h2>'
        ),
    ),
)
def alt_empty_in_link(context: CheckContext) -> Iterator[Problem]:
    """A link of pictures alone, all of whose alternative texts are blank."""
    # A story whose file has no alternative text, and a picture without the attribute, have a finding of their own.
    without = {a.slug for a in context.issue.articles() if a.image is not None and not (a.image.alt or "").strip()}
    for element in context.page.every("a"):
        if element.article in without:
            continue
        pictures = list(element.node.iter("img"))
        named = element.text or element.attributes.get("aria-label") or element.attributes.get("title")
        if pictures and not named and all("alt" in p.attrib and not p.get("alt", "").strip() for p in pictures):
            yield Problem(
                f"The linked picture has an empty alternative text: {cut(pictures[0].get('src', '?'))}",
                "Write alt: what the picture shows, or where the link leads.",
                element.article,
                "image.alt",
            )


@check(
    id="picture-src-missing",
    severity=Severity.ERROR,
    family="pictures",
    why="An `<img>` without an address is drawn as a broken picture.",
    source="HTML standard, 4.8.3",
    failing=Example('`<img src="" …>`', eg.html('src="cid:ferry"', 'src=""')),
    passing=Example('`<img src="cid:ferry" …>`', eg.as_it_is),
)
def picture_src_missing(context: CheckContext) -> Iterator[Problem]:
    """No ``src``, or a blank one."""
    for element in context.page.every("img"):
        if not element.attributes.get("src", "").strip():
            name = cut(element.attributes.get("alt", ""))
            yield Problem(
                f"A picture in the mail has no address{f' (“{name}”)' if name else ''}.",
                "Write its address, or take the <img> out.",
                element.article,
            )


@check(
    id="picture-src-unusable",
    severity=Severity.ERROR,
    family="pictures",
    why="A mail has no base address, so a relative one leads nowhere; Gmail and Outlook do not draw `data:`; `cid:` "
    "must name a picture that travels along. `http:` is a warning: proxies and readers' networks block it.",
    source="RFC 2392; RFC 3986, 5.1; caniemail.com, image-base64",
    failing=Example('`<img src="/images/ferry.jpg" …>`', eg.html('src="cid:ferry"', 'src="/images/ferry.jpg"')),
    passing=Example('`<img src="cid:ferry" …>`, and the picture travels along', eg.as_it_is),
)
def picture_src_unusable(context: CheckContext) -> Iterator[Problem]:
    """An address that mail clients cannot, or will not, load."""
    travelling = {image.src for image in context.email.images}
    arrived = {image.article for image in context.email.images}
    lost = {a.slug for a in context.issue.articles() if a.image is not None and a.slug not in arrived}
    for element in context.page.every("img"):
        source = element.attributes.get("src", "").strip()
        wrong = _why_unusable(source, travelling) if source else None
        # A story whose own picture did not get into the mail has a finding of its own.
        if wrong and not (source.startswith("cid:") and element.article in lost):
            yield Problem(
                f"The picture {cut(source)} {wrong}.",
                "Give its whole https:// address, or put the file into the issue's images folder.",
                element.article,
                severity=Severity.WARNING if source.lower().startswith("http:") else None,
                phrase=source,
            )


def _why_unusable(source: str, travelling: set[str]) -> str | None:
    scheme = source.partition(":")[0].lower() if ":" in source.partition("/")[0] else ""
    if scheme == "https" or TOKEN.match(source):
        return None
    if scheme == "cid":
        return None if source in travelling else "does not travel with the mail"
    reasons = {
        "http": "comes over http, which is blocked on the way",
        "data": "stands in the HTML itself, which Gmail and Outlook do not draw",
        "": "has no host: a mail has no address that it could be relative to",
    }
    return reasons.get(scheme, f"has an address that mail clients do not load ({scheme}:)")


def _shown(context: CheckContext) -> Iterator[tuple[EmailImage, Element, int]]:
    """Every picture of ours with the element that shows it largest and that width on the page."""
    largest: dict[str, tuple[Element, int]] = {}
    for element in context.page.every("img"):
        source, width = element.attributes.get("src", "").strip(), element.attributes.get("width", "").strip()
        if width.isdecimal() and int(width) > largest.get(source, (element, 0))[1]:
            largest[source] = (element, int(width))
    for image in context.email.images:
        if image.src in largest:
            yield image, *largest[image.src]


@check(
    id="picture-small",
    severity=Severity.INFO,
    family="pictures",
    why="Phones and most new screens draw two pixels or more for each of the page's: a smaller file looks soft.",
    source="measured; nothing is blown up, so a small original stays small",
    failing=Example("a lead picture of 800 pixels shown 600 wide", _lead(800)),
    passing=Example("a lead picture of 1,200 pixels shown 600 wide", eg.as_it_is),
)
def picture_small(context: CheckContext) -> Iterator[Problem]:
    """Fewer than two pixels of the file for one on the page; a warning where it is fewer than one."""
    for image, element, width in _shown(context):
        if image.width < SHARP * width:
            yield Problem(
                f"The picture is {image.width:,} pixels wide and shown {width} wide; sharp screens want "
                f"{SHARP * width:,}.",
                "Use a larger original if there is one.",
                image.article or element.article,
                "image.file",
                Severity.WARNING if image.width < width else None,
            )


@check(
    id="picture-oversized",
    severity=Severity.WARNING,
    family="pictures",
    why="More than three pixels for one on the page are bytes that every reader loads and nobody sees.",
    source="measured: pixels past 3× change nothing on any phone sold",
    failing=Example("a lead picture of 2,400 pixels shown 600 wide", _lead(2_400)),
    passing=Example("a lead picture of 1,200 pixels shown 600 wide", eg.as_it_is),
)
def picture_oversized(context: CheckContext) -> Iterator[Problem]:
    """More than three pixels of the file for one on the page, in a file of some weight."""
    for image, element, width in _shown(context):
        if image.width > ENOUGH * width and image.size > LIGHT:
            yield Problem(
                f"The picture {image.name} is {image.width:,} pixels wide and shown {width} wide.",
                f"{SHARP * width:,} pixels are enough.",
                image.article or element.article,
                "image.file",
            )


@check(
    id="picture-only",
    severity=Severity.ERROR,
    family="pictures",
    why="Where pictures are off, and to a screen reader or a search, a mail of pictures alone is empty; filters know "
    "it as a trick of spam.",
    source="SpamAssassin HTML_IMAGE_ONLY_04 to _32; WCAG 2.2, 1.4.5",
    failing=Example(
        "one picture with all the words in it",
        eg.email(
            html='<!DOCTYPE html><body><img src="cid:ferry" width="600" alt="The ferry is back"></body>', spans=()
        ),
    ),
    passing=Example("a picture among words", eg.as_it_is),
)
def picture_only(context: CheckContext) -> Iterator[Problem]:
    """Pictures, and fewer than twenty words around them."""
    words = len(context.page.visible.split())
    if words < FEW_WORDS and context.page.first("img") is not None:
        counted = {0: "no word", 1: "one word"}.get(words, f"{words} words")
        yield Problem(
            f"The mail has pictures and {counted}.",
            "Set the words as text: nobody can search or enlarge those of a picture.",
        )
