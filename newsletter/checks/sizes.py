"""What an issue weighs, story by story, against the size at which Gmail clips a mail."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from newsletter.clients.gmail import CLIP
from newsletter.models import Email

STORY_BUDGET = 4.5 * 1024
"""Bytes of HTML that a teaser may cost with its picture, inlined."""
FULL_TEXT_SHARE = 1 / 3
"""How much of ``CLIP`` a story in the layout text may take."""
_LISTED = 12


def kilobytes(size: float) -> str:
    """Bytes in units of 1,024, with one decimal."""
    return f"{size / 1024:.1f}"


@dataclass(frozen=True, slots=True)
class Sizes:
    """Bytes of HTML: the whole mail, and each story in reading order."""

    total: int
    articles: Mapping[str, int]

    @property
    def around(self) -> int:
        """Everything that belongs to no story: head, masthead, section titles, footer."""
        return self.total - sum(self.articles.values())

    @property
    def room(self) -> int:
        """Bytes left before Gmail clips; negative when it does."""
        return CLIP - self.total

    def as_text(self) -> str:
        """A table for the terminal, the heaviest story first; of many, the first dozen."""
        state = f"{kilobytes(self.room)} KB left to" if self.room >= 0 else f"{kilobytes(-self.room)} KB past"
        lines = [f"Size: {kilobytes(self.total)} KB of HTML, {state} Gmail's clip at {CLIP // 1024} KB"]
        heaviest = sorted(self.articles.items(), key=lambda item: -item[1])
        lines += [_row(size, slug) for slug, size in heaviest[:_LISTED]]
        if rest := heaviest[_LISTED:]:
            lines.append(_row(sum(size for _, size in rest), f"{len(rest)} more stories"))
        lines.append(_row(self.around, "around the stories"))
        return "\n".join(lines)

    def as_data(self) -> dict[str, object]:
        """The same for programs: bytes."""
        return {
            "html_bytes": self.total,
            "clip_bytes": CLIP,
            "room_bytes": self.room,
            "around_bytes": self.around,
            "articles": dict(self.articles),
        }


def sizes_of(email: Email) -> Sizes:
    """What an email weighs."""
    return Sizes(email.size, email.sizes)


def _row(size: int, name: str) -> str:
    return f"  {kilobytes(size):>6} KB  {name}"
