"""A story from the web: fetched through the guard, read, put into the inbox."""

from __future__ import annotations

import re

from newsletter.app.articles import guess_words, offer_words
from newsletter.app.desk import Desk
from newsletter.articles import inbox
from newsletter.articles.inbox import Added
from newsletter.articles.originals import Fetch
from newsletter.articles.page import MAX_PAGE, read_page
from newsletter.errors import RemoteError
from newsletter.net.addresses import shown
from newsletter.net.fetch import Fetched, Policy, fetch

_ACCEPT = "text/html,application/xhtml+xml,application/xml;q=0.8,text/plain;q=0.5,*/*;q=0.1"
_SAVE = "Open it in a browser, save the page, and add the file: newsletter article add STORY.html"


def is_address(source: str) -> bool:
    """Whether a source that an editor named is on the web, not on the disk."""
    return re.match(r"https?://", source, re.IGNORECASE) is not None


def add_page(desk: Desk, url: str, *, get: Fetch = fetch) -> Added:
    """Fetch the page at ``url`` and put its story into the inbox, with its lead image.

    Raises RemoteError (with FetchRefused) when it cannot be had, BadData when it holds no story; then nothing is
    added. Hosts of ``[images] allow_hosts`` may be on a private network.
    """
    policy = Policy(allow_hosts=tuple(desk.config.images.allow_hosts), max_bytes=MAX_PAGE)
    answer = get(url.strip(), policy, accept=_ACCEPT)
    if not answer.ok:
        raise _refused(answer)
    story = read_page(answer.body, url=answer.url, content_type=answer.content_type)
    added = inbox.add_story(desk.store, desk.workspace, desk.config, story, fetch=get)
    if not added.already:
        added.notes.extend(offer_words(added.slug, offer) for offer in story.suggestions)
        guesses = guess_words(added.slug, (k for k, v in added.article.provenance.items() if not v.confirmed))
        added.notes.extend([guesses] if guesses else [])
    return added


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
