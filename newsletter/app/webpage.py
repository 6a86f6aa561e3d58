"""A story by its web address: fetched through the guard, read as a saved page is, put into the inbox."""

from __future__ import annotations

import dataclasses

from newsletter.app.desk import Desk
from newsletter.articles import inbox
from newsletter.articles.inbox import Added
from newsletter.articles.originals import Fetch
from newsletter.articles.reading import MAX_FILE, read_story
from newsletter.errors import RemoteError
from newsletter.net.addresses import shown
from newsletter.net.fetch import Policy, fetch


def send_to_inbox(
    desk: Desk, url: str, title: str | None = None, selection: str | None = None, *, get: Fetch = fetch
) -> Added:
    """Fetch the page at ``url`` and put its story into the inbox; the words that the editor had marked are its teaser.

    ``title`` is only what the browser called the page; the page itself is asked first. Raises RemoteError (with
    FetchRefused) when it cannot be had, BadData when it holds no story; then nothing is added.
    """
    policy = Policy(allow_hosts=tuple(desk.config.images.allow_hosts), max_bytes=MAX_FILE)
    answer = get(url.strip(), policy, accept="text/html,application/xhtml+xml,text/plain;q=0.5")
    if not answer.ok:
        called = f" of “{title[:80]}”" if title else ""
        fix = "open it in a browser, and paste the text instead"
        raise RemoteError(f"the page{called} cannot be had ({answer.status})", where=shown(answer.url), fix=fix)
    story = read_story(None, answer.body)
    article = story.article
    marked = " ".join((selection or "").split())[:500]
    article = dataclasses.replace(article, link=article.link or answer.url, teaser=marked or article.teaser)
    return inbox.add_story(
        desk.store, desk.workspace, desk.config, dataclasses.replace(story, article=article), fetch=get
    )
