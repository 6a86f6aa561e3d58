"""Stories by the interfaces of CMS: WordPress's REST API and Ghost's Content API."""

from __future__ import annotations

import re
from datetime import datetime
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

from newsletter.articles.sources import fields
from newsletter.articles.sources.dates import iso_date
from newsletter.articles.sources.item import Feed, Item
from newsletter.articles.sources.jsonfeed import Json, a_text, an_object, objects
from newsletter.errors import BadData
from newsletter.models import Picture

PAGE = 50
"""Stories that are asked for at once."""
WORDPRESS_PATH = "wp/v2/posts"
GHOST_PATH = "/ghost/api/content/posts/"


def wordpress_url(root: str) -> str:
    """The address of the stories from that of the interface: ``https://…/wp-json/`` or ``https://…/?rest_route=/``."""
    parts = urlsplit(root)
    if "rest_route=" in parts.query:
        return urlunsplit((parts.scheme, parts.netloc, parts.path, f"rest_route=/{WORDPRESS_PATH}", ""))
    path = (
        parts.path if parts.path.rstrip("/").endswith(WORDPRESS_PATH) else f"{parts.path.rstrip('/')}/{WORDPRESS_PATH}"
    )
    return urlunsplit((parts.scheme, parts.netloc, path, "", ""))


def ghost_url(site: str) -> str:
    """The address of the stories from that of the site, which may lie in a folder."""
    parts = urlsplit(site)
    folder = parts.path.split("/ghost/api/")[0].rstrip("/")
    return urlunsplit((parts.scheme, parts.netloc, f"{folder}{GHOST_PATH}", "", ""))


def page_url(kind: str, url: str, page: int, key: str | None = None) -> str:
    """What is asked for: the page of stories, counted from 1, with pictures, authors and tags. It holds the key."""
    parts = urlsplit(url)
    query = dict(parse_qsl(parts.query, keep_blank_values=True))
    if kind == "wordpress":
        query |= {"_embed": "1", "per_page": str(PAGE), "page": str(page)}
    else:
        query |= {"include": "tags,authors", "formats": "html", "limit": str(PAGE), "page": str(page)}
        query |= {"key": key} if key else {}
    return urlunsplit((parts.scheme, parts.netloc, parts.path, urlencode(query, safe="/,"), ""))


def read_wordpress(data: object, *, url: str, now: datetime) -> Feed:
    """A page of stories; raises BadData with WordPress's own words when it answers with an error."""
    if not isinstance(data, list):
        said = fields.title_of(a_text(an_object(data).get("message")))[:120]
        what = f"WordPress answered: {said}" if said else "this is no list of WordPress stories"
        raise BadData(what, fix="its REST API may be closed: add the site's feed instead")
    items = tuple(_wordpress_item(story, url=url, now=now) for story in objects(data))
    return Feed(kind="WordPress", items=items, site=fields.absolute("/", url))


def _rendered(value: object) -> str:
    return a_text(an_object(value).get("rendered")) if isinstance(value, dict) else a_text(value)


def _wordpress_item(story: Json, *, url: str, now: datetime) -> Item:
    link = fields.absolute(a_text(story.get("link")), url)
    embedded = an_object(story.get("_embedded"))
    terms = [term for group in _lists(embedded.get("wp:term")) for term in objects(group)]
    categories = [a_text(t.get("name")) for t in terms if t.get("taxonomy") == "category"]
    labels = [a_text(t.get("name")) for t in terms if t.get("taxonomy") == "post_tag"]
    content = an_object(story.get("content"))
    picture = next((p for media in objects(embedded.get("wp:featuredmedia")) if (p := _media(media, url))), None)
    return Item(
        title=fields.title_of(_rendered(story.get("title"))),
        guid=_rendered(story.get("guid")) or None,
        url=link,
        base=link or url,
        content="" if content.get("protected") is True else _rendered(content),
        summary=_rendered(story.get("excerpt")),
        # Without a Z, and yet UTC.
        published=iso_date(a_text(story.get("date_gmt")), now=now, utc=True)
        or iso_date(a_text(story.get("date")), now=now),
        updated=iso_date(a_text(story.get("modified_gmt")), now=now, utc=True),
        authors=fields.names(a_text(author.get("name")) for author in objects(embedded.get("author"))),
        tags=fields.tags([*categories, *labels]),
        picture=picture,
        picture_source="featured image" if picture else "",
    )  # fmt: skip


def _lists(value: object) -> list[object]:
    return value if isinstance(value, list) else []


def _media(media: Json, url: str) -> Picture | None:
    if media.get("media_type") not in (None, "image"):
        return None
    caption = re.sub(r"<[^<>]{0,500}>", " ", _rendered(media.get("caption")))
    return fields.picture(a_text(media.get("source_url")), url, alt=a_text(media.get("alt_text")), caption=caption)


def read_ghost(data: object, *, url: str, now: datetime) -> Feed:
    """A page of stories; raises BadData with Ghost's own words when it answers with an error."""
    content = an_object(data)
    if "posts" not in content:
        said = fields.title_of(next((a_text(e.get("message")) for e in objects(content.get("errors"))), ""))[:120]
        what = f"Ghost answered: {said}" if said else "this is no list of Ghost stories"
        raise BadData(what, fix="check the Content API key, in Ghost under Settings, Integrations")
    items = tuple(_ghost_item(story, url=url, now=now) for story in objects(content.get("posts")))
    return Feed(kind="Ghost", items=items, site=fields.absolute("/", url))


def _ghost_item(story: Json, *, url: str, now: datetime) -> Item:
    link = fields.absolute(a_text(story.get("url")), url)
    # An internal tag begins with #: it steers the site and means nothing to readers.
    labels = [a_text(tag.get("name")) for tag in objects(story.get("tags")) if tag.get("visibility") != "internal"]
    picture = fields.picture(
        a_text(story.get("feature_image")),
        link or url,
        alt=a_text(story.get("feature_image_alt")),
        caption=a_text(story.get("feature_image_caption")),
    )
    return Item(
        title=fields.title_of(a_text(story.get("title"))),
        guid=a_text(story.get("uuid")) or a_text(story.get("id")) or None,
        url=link,
        base=link or url,
        content=a_text(story.get("html")),
        summary=a_text(story.get("custom_excerpt")) or a_text(story.get("excerpt")),
        published=iso_date(a_text(story.get("published_at")), now=now),
        updated=iso_date(a_text(story.get("updated_at")), now=now),
        authors=fields.names(a_text(author.get("name")) for author in objects(story.get("authors"))),
        tags=fields.tags(labels),
        picture=picture,
        picture_source="feature image" if picture else "",
    )
