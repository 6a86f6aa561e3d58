"""JSON: JSON Feed 1.0 and 1.1, and what the readers of the CMS share."""

from __future__ import annotations

import html
import json
from datetime import datetime
from typing import Any

from newsletter.articles.plain import clean
from newsletter.articles.sources import fields
from newsletter.articles.sources.dates import iso_date
from newsletter.articles.sources.item import Feed, Item
from newsletter.articles.sources.markup import MAX_ITEMS
from newsletter.errors import BadData

Json = dict[str, Any]


def load(text: str, where: str) -> object:
    """JSON as it is; raises BadData when it is none, or nested so deeply that nobody reads it."""
    try:
        return json.loads(text)
    except ValueError as wrong:
        raise BadData("this is JSON that ends too early or is broken", where=where, fix="try again later") from wrong
    except RecursionError as wrong:
        raise BadData("its objects are too deep inside each other", where=where, fix="give another address") from wrong


def an_object(value: object) -> Json:
    """The value if it is an object, else an empty one."""
    return value if isinstance(value, dict) else {}


def objects(value: object) -> list[Json]:
    """The objects of a list; [] for anything else."""
    return [e for e in value if isinstance(e, dict)] if isinstance(value, list) else []


def a_text(value: object) -> str:
    """A text, or a number as one; nothing for anything else."""
    if isinstance(value, int | float) and not isinstance(value, bool):
        return str(value)
    return clean(value).strip() if isinstance(value, str) else ""


def texts(value: object) -> list[str]:
    """The texts of a list."""
    return [a_text(e) for e in value if isinstance(e, str)] if isinstance(value, list) else []


def read_json_feed(data: Json, *, url: str, now: datetime) -> Feed:
    """The items of a JSON Feed (jsonfeed.org/version/1.1) in its own order; never raises."""
    lang = fields.language(a_text(data.get("language")))
    items = objects(data.get("items"))[:MAX_ITEMS]
    return Feed(
        kind="JSON Feed",
        items=tuple(_item(item, url=url, now=now) for item in items),
        title=fields.title_of(a_text(data.get("title"))),
        site=fields.absolute(a_text(data.get("home_page_url")), url),
        lang=lang,
    )


def _item(item: Json, *, url: str, now: datetime) -> Item:
    link = fields.absolute(a_text(item.get("url")), url) or fields.absolute(a_text(item.get("external_url")), url)
    authors = [*objects(item.get("authors")), an_object(item.get("author"))]
    attached = [
        (a_text(a.get("url")), "attachment")
        for a in objects(item.get("attachments"))
        if fields.is_image(a_text(a.get("url")), a_text(a.get("mime_type")))
    ]
    pictures = [(a_text(item.get("image")), "image"), (a_text(item.get("banner_image")), "banner_image"), *attached]
    picture, source = next(
        ((found, source) for address, source in pictures if (found := fields.picture(address, link or url))), (None, "")
    )
    plain = a_text(item.get("content_text"))
    return Item(
        title=fields.title_of(a_text(item.get("title"))),
        guid=a_text(item.get("id")) or None,
        url=link,
        base=link or url,
        content=a_text(item.get("content_html")) or _paragraphs(plain),
        summary=_paragraphs(a_text(item.get("summary"))),
        published=iso_date(a_text(item.get("date_published")), now=now),
        updated=iso_date(a_text(item.get("date_modified")), now=now),
        authors=fields.names(a_text(author.get("name")) for author in authors),
        tags=fields.tags(texts(item.get("tags"))),
        lang=fields.language(a_text(item.get("language"))),
        picture=picture,
        picture_source=source,
    )


def _paragraphs(text: str) -> str:
    """Plain text as HTML: what stands between empty lines is a paragraph."""
    blocks = [html.escape(" ".join(block.split()), quote=False) for block in text.replace("\r\n", "\n").split("\n\n")]
    return "".join(f"<p>{block}</p>" for block in blocks if block)
