"""The one way to a story on the web: the guarded fetch, and whoever reads the page."""

from __future__ import annotations

import dataclasses

from newsletter.app.desk import Desk
from newsletter.articles.originals import Fetch
from newsletter.articles.reading import MAX_FILE, read_story
from newsletter.articles.story import Story
from newsletter.errors import BadData, RemoteError
from newsletter.net.addresses import shown
from newsletter.net.fetch import Policy
from newsletter.net.fetch import fetch as guarded_fetch

ACCEPT = "text/html,application/xhtml+xml;q=0.9,text/plain;q=0.5,*/*;q=0.1"


def story_at(desk: Desk, url: str, *, fetch: Fetch = guarded_fetch) -> Story:
    """The story of a page. Raises FetchRefused and RemoteError when it cannot be had, BadData when it holds none."""
    policy = Policy(allow_hosts=tuple(desk.config.images.allow_hosts), max_bytes=MAX_FILE)
    found = fetch(url, policy, accept=ACCEPT)
    if not found.ok:
        raise RemoteError(f"the server answered {found.status}", where=shown(url), fix="open the address in a browser")
    return _read(found.body, found.url, found.content_type)


def _read(data: bytes, url: str, content_type: str) -> Story:  # noqa: ARG001 - a reader of pages asks for it
    try:
        # Without a path: a page names no file of this machine.
        story = read_story(None, data)
    except BadData as wrong:
        raise BadData(wrong.what, where=shown(url), fix="open the page, and add its text as a file") from wrong
    article = story.article
    link = article.link or url
    origin = dataclasses.replace(article.origin, url=article.origin.url or link)
    return dataclasses.replace(story, article=dataclasses.replace(article, link=link, origin=origin))
