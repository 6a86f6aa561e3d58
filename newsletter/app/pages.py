"""A story from the web: fetched through the guard, read, put into the inbox."""

from __future__ import annotations

import re

from newsletter.app.articles import guess_words, offer_words
from newsletter.app.desk import Desk
from newsletter.app.inbox import add
from newsletter.app.webstory import story_at
from newsletter.articles.inbox import Added
from newsletter.articles.originals import Fetch
from newsletter.net.fetch import fetch


def is_address(source: str) -> bool:
    """Whether a source that an editor named is on the web, not on the disk."""
    return re.match(r"https?://", source, re.IGNORECASE) is not None


def add_page(desk: Desk, url: str, *, get: Fetch = fetch) -> Added:
    """Fetch the page at ``url`` and put its story into the inbox, with its lead image.

    Raises RemoteError (with FetchRefused) when it cannot be had, BadData when it holds no story; then nothing is
    added. Hosts of ``[images] allow_hosts`` may be on a private network.
    """
    story = story_at(desk, url.strip(), fetch=get)
    added = add(desk, story, fetch=get)
    if not added.already:
        added.notes.extend(offer_words(added.slug, offer) for offer in story.suggestions)
        guesses = guess_words(added.slug, (k for k, v in added.article.provenance.items() if not v.confirmed))
        added.notes.extend([guesses] if guesses else [])
    return added
