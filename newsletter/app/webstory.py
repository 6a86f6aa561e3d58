"""The one way to a story on the web: the guarded fetch, and whoever reads the page."""

from __future__ import annotations

from newsletter.app.desk import Desk
from newsletter.articles.originals import Fetch
from newsletter.articles.page import MAX_PAGE, read_page
from newsletter.articles.story import Story
from newsletter.errors import RemoteError
from newsletter.net.addresses import shown
from newsletter.net.fetch import Fetched, Policy
from newsletter.net.fetch import fetch as guarded_fetch

ACCEPT = "text/html,application/xhtml+xml;q=0.9,text/plain;q=0.5,*/*;q=0.1"


_SAVE = "Open it in a browser, save the page, and add the file: newsletter article add STORY.html"


def story_at(desk: Desk, url: str, *, fetch: Fetch = guarded_fetch) -> Story:
    """The story of a page. Raises FetchRefused and RemoteError when it cannot be had, BadData when it holds none."""
    policy = Policy(allow_hosts=tuple(desk.config.images.allow_hosts), max_bytes=MAX_PAGE)
    found = fetch(url, policy, accept=ACCEPT)
    if not found.ok:
        raise _refused(found)
    return read_page(found.body, url=found.url, content_type=found.content_type)


def _refused(answer: Fetched) -> RemoteError:
    where = shown(answer.url)
    if answer.status in (404, 410):
        return RemoteError(
            f"there is no such page ({answer.status})", where=where, fix="Check the address in a browser."
        )
    if answer.status in (401, 402, 403, 407, 429, 451):
        return RemoteError(f"the site does not give this page to programs ({answer.status})", where=where, fix=_SAVE)
    if answer.status >= 500:
        return RemoteError(f"the site has a problem of its own ({answer.status})", where=where, fix="Try again later.")
    return RemoteError(f"the server answered {answer.status}", where=where, fix="Open the address in a browser.")
