"""What an email was at one time, as far as two of them can be compared."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

from newsletter.models import MergeField, Span


@dataclass(frozen=True, slots=True)
class PictureFile:
    """A picture as it travelled. ``sha256`` is of its bytes; ``width`` and ``height`` are pixels, 0 if not known."""

    name: str
    sha256: str
    size: int
    width: int = 0
    height: int = 0


@dataclass(frozen=True, slots=True)
class Known:
    """A finding as a version keeps it, to say later which ones are new."""

    id: str
    severity: str
    message: str
    article: str | None = None
    field: str | None = None


@dataclass(frozen=True, slots=True)
class Version:
    """What an email was at one time: as it would be sent now, in a test, at its approval.

    ``headers`` are the lines of the inbox in the order to show them; they hold merge tokens, as the HTML does.
    ``pictures`` are by their ``src`` in the HTML; ``originals`` are the hashes of the pictures that stories were made
    with, by article. ``findings`` is None where nobody knows them. ``own_text``: an editor wrote the text part.
    """

    headers: Mapping[str, str | None]
    html: str
    text: str
    fields: tuple[MergeField, ...] = ()
    spans: tuple[Span, ...] = ()
    pictures: Mapping[str, PictureFile] = field(default_factory=lambda: MappingProxyType({}))
    originals: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    findings: tuple[Known, ...] | None = None
    own_text: bool = False

    @property
    def size(self) -> int:
        """Bytes of the HTML; Gmail clips by them."""
        return len(self.html.encode())
