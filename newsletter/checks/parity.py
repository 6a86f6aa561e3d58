"""How much of the HTML the text part says too: as readers compare them, and as spam filters do.

The filters' figure is that of SpamAssassin's ``MPART_ALT_DIFF``: of the different words in the HTML, those that the
text part has at least as often. A word is what blanks separate, punctuation and all; the title and the hidden preheader
count, addresses behind links do not. A test holds it to the real SpamAssassin.
"""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass

from newsletter.checks.context import CheckContext
from newsletter.message.merge import fill

_URL = re.compile(r"(?:https?|mailto|tel):\S+", re.IGNORECASE)
_WORD = re.compile(r"\w+")


@dataclass(frozen=True, slots=True)
class Parity:
    """Both figures are from 0 to 100, and 100 for an empty page.

    ``percent`` of the words that a reader of the HTML sees, each as often as it stands there, are in the text part;
    case, punctuation and addresses make no difference. ``filters`` is what SpamAssassin counts. ``html`` and ``text``
    are the different words of each part as SpamAssassin tells them apart.
    """

    percent: float
    filters: float
    html: int
    text: int


def parity_of(context: CheckContext) -> Parity:
    """The figures of an email, as a reader without attributes gets it."""
    email = context.email
    seen, read, text = (
        fill(part, email.fields, {}) for part in (context.page.visible, context.page.filtered, email.text)
    )
    return parity(seen, read, text)


def parity(seen: str, read: str, text: str) -> Parity:
    """Compare what of a page is ``seen``, and what a filter ``read``s of it, with the text part."""
    shown, said = _plain(seen), _plain(text)
    html, plain = _separated(read), _separated(text)
    left = sum(times > plain[word] for word, times in html.items())
    return Parity(
        _percent((shown & said).total(), shown.total()), _percent(len(html) - left, len(html)), len(html), len(plain)
    )


def _percent(part: int, whole: int) -> float:
    return round(100 * part / whole, 1) if whole else 100.0


def _plain(text: str) -> Counter[str]:
    return Counter(_WORD.findall(_URL.sub(" ", text).casefold()))


def _separated(text: str) -> Counter[str]:
    return Counter(word for word in text.split() if _WORD.search(word))
