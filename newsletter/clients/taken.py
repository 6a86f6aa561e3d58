"""What a simulation gives back: the page that is left, and in an editor's words what the client took away."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Taken:
    """One thing that is gone or changed. ``count`` is how often; 0 where counting says nothing."""

    what: str
    count: int = 0

    def __str__(self) -> str:
        return f"{self.what} ({self.count:,}×)" if self.count else self.what


@dataclass(frozen=True, slots=True)
class Seen:
    """A page as a mail client shows it, by approximation, and what is missing from it."""

    html: str
    took: tuple[Taken, ...] = ()


class Tally:
    """Counts what is taken away while a page is gone through; the first that was taken is the first told."""

    def __init__(self) -> None:
        self._counts: dict[str, int] = {}

    def add(self, what: str, count: int = 1) -> None:
        """Count something. ``count`` 0 tells it without a number."""
        self._counts[what] = self._counts.get(what, 0) + count

    def add_all(self, whats: tuple[str, ...]) -> None:
        """Count each of them once."""
        for what in whats:
            self.add(what)

    def took(self) -> tuple[Taken, ...]:
        """Everything that was counted."""
        return tuple(Taken(what, count) for what, count in self._counts.items())


_PLAIN = {
    "animation": "movement",
    "aspect-ratio": "sizes in proportion",
    "background-image": "background pictures",
    "background-position": "the place of background pictures",
    "background-repeat": "the repetition of background pictures",
    "background-size": "the size of background pictures",
    "border-radius": "rounded corners",
    "box-shadow": "shadows",
    "clear": "ends of floating",
    "color-scheme": "the word that the mail knows dark screens",
    "display": "how boxes stand",
    "filter": "picture effects",
    "float": "floating beside text",
    "font-family": "fonts",
    "height": "heights",
    "hyphens": "hyphenation",
    "line-height": "line heights",
    "list-style-image": "pictures as bullets",
    "margin": "margins",
    "max-height": "greatest heights",
    "max-width": "greatest widths",
    "min-height": "least heights",
    "min-width": "least widths",
    "object-fit": "cropping of pictures",
    "opacity": "transparency",
    "overflow": "cutting off what is too long",
    "overflow-wrap": "breaking of long words",
    "padding": "space inside boxes",
    "position": "placing by position",
    "text-shadow": "shadows of letters",
    "text-wrap": "even lines in headlines",
    "transform": "turning and moving",
    "transition": "movement",
    "visibility": "hiding",
    "width": "widths",
    "word-break": "breaking of long words",
    "word-wrap": "breaking of long words",
    "z-index": "order of layers",
}


def named(name: str, note: str = "") -> str:
    """A CSS property in plain words with its own name beside, and where it is not taken everywhere, from where."""
    plain = _PLAIN.get(name)
    return f"{plain}{note} ({name})" if plain else f"{name}{note}"
