"""Pictures: what stands in for them, who made them, whether they travel, and what they weigh."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from newsletter.checks import examples as eg
from newsletter.checks.context import CheckContext
from newsletter.checks.edits import Edit
from newsletter.checks.page import cut, plain
from newsletter.checks.registry import Example, Problem, check
from newsletter.models import Article, EmailImage, Picture, Severity

HEAVY = 200 * 1024
TOO_HEAVY = 1024 * 1024
MAIL_TYPES = ("image/jpeg", "image/png", "image/gif")

_FILE_NAME = re.compile(r"(?i)\S+\.(?:jpe?g|png|gif|webp|avif|heic|tiff?|svg|bmp)|(?:img|dsc|pxl|image|photo)[ _-]?\d+")
_GENERIC = {"image", "picture", "photo", "photograph", "img", "lead image", "thumbnail", "untitled"}


def _pictured(context: CheckContext) -> Iterator[tuple[Article, Picture]]:
    """Stories whose layout shows their picture in this theme; a brief shows none."""
    for section, article in context.placed():
        if section.layout in context.email.pictured and article.image is not None:
            yield article, article.image


def _alt_from_caption(context: CheckContext, problem: Problem) -> Iterator[Edit]:
    """The caption says what the picture shows; where it only repeats the headline as well, nothing is certain."""
    for article in context.issue.articles():
        picture = article.image
        if article.slug != problem.article or problem.field != "image.alt" or picture is None or not picture.caption:
            continue
        if plain(picture.caption) and plain(picture.caption) != plain(article.headline):
            yield Edit(article.slug, "image.alt", picture.alt, picture.caption)
        return


@check(
    id="alt-missing",
    severity=Severity.ERROR,
    family="pictures",
    why="Many readers have pictures switched off, and some cannot see them: the alternative text is what they get.",
    source="WCAG 2.2, 1.1.1",
    failing=Example("a picture without `alt`", eg.picture(alt=None)),
    passing=Example("`alt: A white boat with a blue rail comes alongside at low water`", eg.as_it_is),
    fixer=_alt_from_caption,
)
def alt_missing(context: CheckContext) -> Iterator[Problem]:
    """No alternative text in the story's file, or none on an ``<img>`` of the finished mail."""
    fix = "Write alt: under image: what one would say about it on the telephone."
    without = {article.slug for article, picture in _pictured(context) if not (picture.alt or "").strip()}
    for slug in without:
        yield Problem("The picture has no alternative text.", fix, slug, "image.alt")
    for element in context.page.every("img"):
        if "alt" not in element.attributes and element.article not in without:
            source = cut(element.attributes.get("src", "?"))
            yield Problem(f"A picture in the mail has no alt attribute: {source}", fix, element.article, phrase=source)


@check(
    id="alt-repeats-headline",
    severity=Severity.WARNING,
    family="pictures",
    why="Who cannot see the picture hears the headline twice and learns nothing about it. CMS exports do this.",
    source="WCAG 2.2, technique H37; W3C alt decision tree",
    failing=Example(
        "`alt: The ferry is back` under the headline “The ferry is back”", eg.picture(alt="The ferry is back.")
    ),
    passing=Example("`alt: A white boat with a blue rail comes alongside at low water`", eg.as_it_is),
    fixer=_alt_from_caption,
)
def alt_repeats_headline(context: CheckContext) -> Iterator[Problem]:
    """Alternative text and headline have the same words."""
    for article, picture in _pictured(context):
        if picture.alt and plain(picture.alt) == plain(article.headline):
            yield Problem(
                "The picture's alternative text only repeats the headline.",
                "Say what the picture shows.",
                article.slug,
                "image.alt",
            )


@check(
    id="alt-is-filename",
    severity=Severity.WARNING,
    family="pictures",
    why="“IMG_4711.jpg” or “photo” tells nobody what is to be seen.",
    source="WCAG 2.2, failure F30",
    failing=Example("`alt: IMG_4711.jpg`", eg.picture(alt="IMG_4711.jpg")),
    passing=Example("`alt: A white boat with a blue rail comes alongside at low water`", eg.as_it_is),
)
def alt_is_filename(context: CheckContext) -> Iterator[Problem]:
    """Alternative text that is a file name or a word for any picture."""
    for article, picture in _pictured(context):
        alt = (picture.alt or "").strip()
        if _FILE_NAME.fullmatch(alt) or plain(alt) in _GENERIC:
            yield Problem(
                f"The picture's alternative text is no description: “{cut(alt)}”.",
                "Say what the picture shows.",
                article.slug,
                "image.alt",
            )


@check(
    id="credit-missing",
    severity=Severity.WARNING,
    family="pictures",
    why="Photographers have a right to be named, and an uncredited picture may not be ours to print.",
    source="Copyright, Designs and Patents Act 1988, section 77; IPTC photo metadata",
    failing=Example("a picture without `credit`", eg.picture(credit=None)),
    passing=Example("`credit: Ines Calder`", eg.as_it_is),
)
def credit_missing(context: CheckContext) -> Iterator[Problem]:
    """A picture without the name of who made it."""
    for article, picture in _pictured(context):
        if not (picture.credit or "").strip() and article.slug not in context.sponsors:
            yield Problem("The picture has no credit.", "Write credit: under image.", article.slug, "image.credit")


@check(
    id="picture-missing",
    severity=Severity.ERROR,
    family="pictures",
    why="A picture that the story names and the mail does not have is a hole, or a picture of another story.",
    source="the finished email",
    failing=Example("`image: {file: ferry.jpg}` and no such picture in the mail", eg.email(images=())),
    passing=Example("`image: {file: ferry.jpg}` in the issue's images folder", eg.as_it_is),
)
def picture_missing(context: CheckContext) -> Iterator[Problem]:
    """A picture of a story that did not get into the email."""
    arrived = {image.article for image in context.email.images}
    shown = {element.attributes.get("src") for element in context.page.every("img")} | {*context.email.remote_images}
    shown |= {context.email.asked_for.get(source or "") for source in shown}
    for article, picture in _pictured(context):
        remote = picture.url is not None and picture.url in shown
        if article.slug not in arrived and not remote and (picture.file, picture.url) not in _shared(context, article):
            named = picture.file or picture.url
            yield Problem(
                f"The picture {cut(named)} is not in the mail."
                if named
                else "The picture names no file and no address.",
                "Put the file into the issue's images folder and write its name under image, file.",
                article.slug,
                "image.file",
            )


def _shared(context: CheckContext, article: Article) -> set[tuple[str | None, str | None]]:
    """Pictures of other stories that are in the mail: two stories may show the same one, each in words of its own."""
    arrived = {image.article for image in context.email.images} - {article.slug}
    others = [other for other in context.issue.articles() if other.slug in arrived]
    return {(other.image.file, other.image.url) for other in others if other.image is not None}


@check(
    id="picture-remote",
    severity=Severity.WARNING,
    family="pictures",
    why="A picture on another server can change or vanish after the approval: it is not part of what was approved.",
    source="the promise that approved bytes are sent bytes",
    failing=Example(
        "a picture left at `https://cdn.example/ferry.jpg`",
        eg.email(remote_images=("https://cdn.example/ferry.jpg",)),
    ),
    passing=Example("a picture in the issue's images folder", eg.as_it_is),
)
def picture_remote(context: CheckContext) -> Iterator[Problem]:
    """A picture of the email that stayed on another server."""
    for url in context.email.remote_images:
        article, field = place_of(context, url)
        yield Problem(
            f"The picture stays on another server, and the approval does not cover it: {cut(url, 80)}",
            "Save it in the issue's images folder and write its name under image, file."
            if field == "image.url"
            else "Make sure that it stays there, or take it out of the text.",
            article,
            field,
            phrase=None if field == "image.url" else url,
        )


def place_of(context: CheckContext, url: str) -> tuple[str | None, str]:
    """The story whose picture a remote one is (None: the intro's), and the field that names it."""
    named = context.email.asked_for.get(url, url)
    for article in context.issue.articles():
        if article.image is not None and article.image.url == named:
            return article.slug, "image.url"
    for element in context.page.every("img"):
        if element.attributes.get("src", "").strip() == url:
            return element.article, "body" if element.article else "intro"
    return None, "image.url"


@check(
    id="picture-heavy",
    severity=Severity.WARNING,
    family="pictures",
    why="A picture over 200 KB makes readers on the train wait; over 1 MB it is an error.",
    source="measured: a 1200-pixel lead at good quality has 40 to 120 KB",
    failing=Example(
        "a lead picture of 400 KB",
        eg.email(
            images=(
                EmailImage("f.jpg", Path("f.jpg"), "image/jpeg", "cid:ferry", 400 * 1024, 1200, 675, eg.FERRY.slug),
            )
        ),
    ),
    passing=Example("a lead picture of 90 KB", eg.as_it_is),
)
def picture_heavy(context: CheckContext) -> Iterator[Problem]:
    """A derivative that weighs too much for a mail."""
    for image in context.email.images:
        if image.size > HEAVY:
            yield Problem(
                f"The picture {image.name} weighs {image.size // 1024:,} KB.",
                "Use a simpler picture, or a JPEG in place of a PNG.",
                image.article,
                "image.file",
                Severity.ERROR if image.size > TOO_HEAVY else None,
            )


@check(
    id="picture-format",
    severity=Severity.WARNING,
    family="pictures",
    why="Outlook for Windows shows neither WebP nor AVIF nor SVG.",
    source="caniemail.com, image formats",
    failing=Example(
        "a lead picture in WebP",
        eg.email(
            images=(EmailImage("f.webp", Path("f.webp"), "image/webp", "cid:ferry", 40_000, 1200, 675, eg.FERRY.slug),)
        ),
    ),
    passing=Example("a lead picture in JPEG", eg.as_it_is),
)
def picture_format(context: CheckContext) -> Iterator[Problem]:
    """A derivative, or a picture left on another server, in a format that mail clients do not all show."""
    for image in context.email.images:
        if image.content_type not in MAIL_TYPES:
            yield Problem(
                f"The picture {image.name} is {image.content_type}, which Outlook for Windows does not show.",
                "Save it as JPEG or PNG.",
                image.article,
                "image.file",
            )
    for url in context.email.remote_images:
        kind = re.split("[?#]", url)[0].lower().rpartition(".")[2]
        if kind in ("webp", "avif", "svg", "svgz", "heic"):
            article, field = place_of(context, url)
            yield Problem(
                f"The picture is {kind.upper()}, which Outlook for Windows does not show: {cut(url, 80)}",
                "Save it as JPEG or PNG.",
                article,
                field,
                phrase=None if field == "image.url" else url,
            )


@check(
    id="picture-width-missing",
    severity=Severity.ERROR,
    family="pictures",
    why="Outlook for Windows draws a picture without a width attribute at its full size and breaks the page.",
    source="caniemail.com; Word's HTML engine reads attributes, not CSS",
    failing=Example('`<img src="…" alt="…">`', eg.html(' width="600"', "")),
    passing=Example('`<img src="…" width="600" alt="…">`', eg.as_it_is),
)
def picture_width_missing(context: CheckContext) -> Iterator[Problem]:
    """An ``<img>`` without a width in pixels."""
    for element in context.page.every("img"):
        if not element.attributes.get("width", "").strip().isdecimal():
            yield Problem(
                f"A picture in the mail has no width in pixels: {cut(element.attributes.get('src', '?'))}",
                "Write the width attribute in the theme's template.",
                element.article,
            )
