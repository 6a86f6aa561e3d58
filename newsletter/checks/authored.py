"""From words on the page back to the field that an editor wrote them into."""

from __future__ import annotations

from functools import lru_cache

from newsletter.checks.context import CheckContext
from newsletter.checks.page import plain

_FIELDS = ("headline", "kicker", "standfirst", "teaser", "byline", "agency", "link_text", "sponsor")
_PICTURE = ("caption", "credit")
_words = lru_cache(maxsize=256)(plain)


def field_of(context: CheckContext, article: str | None, words: str) -> str | None:
    """The field of a story, or of the issue where ``article`` is None, that says ``words``; None for a theme's own.

    The shortest fields come first: a headline that the body repeats is the headline's.
    """
    wanted = plain(words)
    if not wanted:
        return None
    if article is None:
        places = {"intro": context.issue.intro}
    else:
        story = next((one for one in context.issue.articles() if one.slug == article), None)
        if story is None:
            return None
        places = {name: getattr(story, name) or "" for name in _FIELDS}
        if story.image is not None:
            places |= {f"image.{name}": getattr(story.image, name) or "" for name in _PICTURE}
        places["body"] = story.body
    return next((name for name, text in places.items() if wanted in _words(text)), None)
