"""A form that is sent twice is done once: the second gets the first one's answer.

Forms carry a random token. What the database guards anyway (an approval, a mailing) stays guarded there; this is for
the double click, the retry of a browser, and for test mails, which no ledger holds back.
"""

from __future__ import annotations

import secrets
import threading
from collections import OrderedDict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final, Generic, TypeVar

from newsletter.errors import NewsletterError, UsageProblem

_REMEMBERED: Final = 500
_LENGTHS: Final = range(16, 65)
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Done:
    """What a form came to: lines to show, or the error. ``onward`` is an address to go to instead of the lines."""

    lines: Sequence[str] = ()
    error: NewsletterError | None = None
    onward: str | None = None


class Once:
    """Answers by token; safe in threads. They end with the process: then the database alone answers for it."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._work: OrderedDict[str, _Work] = OrderedDict()

    @staticmethod
    def token() -> str:
        """For a new form."""
        return secrets.token_urlsafe(16)

    def do(self, token: str, work: Callable[[], Done]) -> Done:
        """``work``, unless this token's work was done or is being done: then wait for it, and give its answer."""
        if len(token) not in _LENGTHS:
            raise UsageProblem("the form has no token", fix="open the page again, and press the button there")
        with self._lock:
            mine = self._work.get(token)
            if mine is None:
                mine = self._work[token] = _Work()
                while len(self._work) > _REMEMBERED:
                    self._work.popitem(last=False)
        with mine.lock:
            if mine.done is None:
                try:
                    mine.done = work()
                except NewsletterError as error:
                    mine.done = Done(error=error)
            return mine.done

    def said(self, token: str) -> Done | None:
        """What was done with a token."""
        with self._lock:
            mine = self._work.get(token)
        return mine.done if mine is not None else None


class _Work:
    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.done: Done | None = None


class Told(Generic[T]):
    """What came of a form, for the page that the browser goes to next: going back and loading again post nothing."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._said: OrderedDict[str, T] = OrderedDict()

    def keep(self, what: T) -> str:
        """Remember it for a while; returns the token that stands in the next address."""
        token = Once.token()
        with self._lock:
            self._said[token] = what
            while len(self._said) > _REMEMBERED:
                self._said.popitem(last=False)
        return token

    def said(self, token: str) -> T | None:
        """What was kept."""
        with self._lock:
            return self._said.get(token)
