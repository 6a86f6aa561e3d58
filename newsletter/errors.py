"""The one error tree. Every error says what happened, where, and how to fix it.

::

    NewsletterError                      exit
    ├── NeedsEditor                        1   a person must decide: findings, a guard, a declined question
    │   ├── FindingsRemain                 1   the checks found something at or above the threshold
    │   ├── GuardRefused                   1   a guard rail holds (installation, audience size, postal address …)
    │   ├── IllegalState                   1   the state machine does not allow this step now
    │   └── NotAllowed                     1   not signed in, or a role that may not do this
    ├── UsageProblem                       2   the command line asks for something impossible
    ├── BadData                           65   a file or a value that cannot be used
    │   ├── NotFound                      65   unknown issue, article, theme, subscriber
    │   ├── FrontMatterError              65   YAML or a field of an issue or an article
    │   ├── MergeFieldError               65   a malformed or unknown {{ merge field }}
    │   ├── ThemeError                    65   a theme's template, style sheet or theme.toml
    │   ├── ImageError                    65   broken, huge or unsupported picture
    │   ├── RenderError                   65   inlining lost a rule or a merge field
    │   ├── ImportRefused                 65   a CSV or a story file that cannot be read at all
    │   └── NotAuthentic                  65   a webhook call that the provider did not sign
    ├── RemoteError                       69   a remote service: provider, web server, DNS
    │   └── FetchRefused                  69   the guarded fetch will not go to that address
    │       └── FetchGaveUp               69   it went there, and turned back: too slow, too many redirects
    ├── CannotWrite                       73   disk full, permission, read-only file system
    ├── TryAgain                          75   nothing is wrong, come back later
    │   ├── Conflict                      75   the file changed under the editor's hands
    │   ├── Busy                          75   another process holds the lock, and for too long
    │   └── Interrupted                   75   SIGTERM, SIGHUP: stopped in order, continue by calling again
    └── ConfigurationError                78   newsletter.toml, a secret, an unknown provider
        └── SettingsRefused               78   one change of several settings, with the reason for each

Exit codes are the contract of the command line (BSD sysexits where one fits). Anything outside this tree
that reaches the command line's boundary is a bug of ours and exits 70; Ctrl-C exits 130.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping
from typing import ClassVar


class NewsletterError(Exception):
    """What happened (one sentence), where (a file and line, a key, a command) and how to fix it."""

    exit_code: ClassVar[int] = 70

    def __init__(self, what: str, *, where: str | None = None, fix: str | None = None) -> None:
        super().__init__(what)
        self.what = what
        self.where = where
        self.fix = fix

    def __str__(self) -> str:
        lines = [self.what if self.where is None else f"{self.where}: {self.what}"]
        if self.fix:
            lines.append(f"  Fix: {self.fix}")
        return "\n".join(lines)


class NeedsEditor(NewsletterError):
    """A person must look: nothing is broken, but the tool will not go on by itself."""

    exit_code = 1


class FindingsRemain(NeedsEditor):
    """The checks found something at or above the threshold."""


class GuardRefused(NeedsEditor):
    """A guard rail holds: sending now could reach the wrong people, twice, or without a way out."""


class IllegalState(NeedsEditor):
    """The state machine of issues and mailings does not allow this step now."""


class NotAllowed(NeedsEditor):
    """Nobody is signed in, the link is used or too old, or the person's role does not allow this."""


class UsageProblem(NewsletterError):
    """The command line asks for something impossible."""

    exit_code = 2


class BadData(NewsletterError):
    """A file or a value that cannot be used as it is."""

    exit_code = 65


class NotFound(BadData):
    """An issue, article, theme or subscriber that does not exist."""


class FrontMatterError(BadData):
    """YAML that does not parse, or a field of the wrong kind, in an issue or an article."""


class MergeFieldError(BadData):
    """A malformed or unknown ``{{ merge field }}`` in authored text."""


class ThemeError(BadData):
    """A theme's template, style sheet or ``theme.toml``."""


class ImageError(BadData):
    """A picture that is broken, too large or of a kind that mail cannot carry."""


class RenderError(BadData):
    """The finished mail failed its own self-check: a rule or a merge field was lost on the way."""


class ImportRefused(BadData):
    """A CSV or a story file that cannot be read at all; nothing was imported."""


class NotAuthentic(BadData):
    """A webhook call without the provider's signature, with a wrong one or with an old one."""


class RemoteError(NewsletterError):
    """A remote service failed: the provider, a web server, DNS."""

    exit_code = 69


class FetchRefused(RemoteError):
    """The guarded fetch refuses an address (private network, scheme, size, time)."""


class FetchGaveUp(FetchRefused):
    """The other side answers, but never comes to an end: too slow, or one redirect after another."""


class CannotWrite(NewsletterError):
    """The disk is full, read-only or not ours."""

    exit_code = 73


class TryAgain(NewsletterError):
    """Nothing is wrong; the same call later will do."""

    exit_code = 75


class Conflict(TryAgain):
    """The file changed since it was read; nothing was written."""


class Busy(TryAgain):
    """Another process holds the lock."""


class Interrupted(TryAgain):
    """Stopped in order by SIGTERM; the next call goes on."""


class ConfigurationError(NewsletterError):
    """``newsletter.toml``, a secret or an unknown provider."""

    exit_code = 78


class SettingsRefused(ConfigurationError):
    """A change of settings that was not made, none of it. ``errors`` are the reasons by key; "" is the whole file."""

    def __init__(self, errors: Mapping[str, ConfigurationError]) -> None:
        first = next(iter(errors.values()))
        super().__init__("; ".join(error.what for error in errors.values()), where=first.where, fix=first.fix)
        self.errors = errors


def did_you_mean(wrong: str, known: Iterable[str]) -> str | None:
    """Return ``did you mean "x"?`` for the closest known word, or None when nothing is close."""
    close = difflib.get_close_matches(wrong, list(known), n=1, cutoff=0.6)
    return f'did you mean "{close[0]}"?' if close else None
