"""Hosted pictures: put where the public pages, or any web server over ``.newsletter/media/``, serve them."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from newsletter.app.desk import Desk
from newsletter.errors import BadData, UsageProblem
from newsletter.models import Email
from newsletter.workspace.files import make_folder, write_atomic


@dataclass(frozen=True, slots=True)
class Published:
    """What a copy of the hosted pictures did: names that were ``copied`` or ``replaced``, and how many were there."""

    to: Path
    copied: tuple[str, ...]
    replaced: tuple[str, ...]
    unchanged: int

    def as_row(self) -> dict[str, Any]:
        """For ``--json``."""
        return {
            "to": str(self.to),
            "copied": list(self.copied),
            "replaced": list(self.replaced),
            "unchanged": self.unchanged,
        }


def publish_media(desk: Desk, email: Email) -> int:
    """Copy the email's pictures to ``.newsletter/media/`` where a page shows them; how many were new.

    Those inside the mail go there too once there is a site: the web copy needs them. A name is a hash of its picture,
    so a file that is there is the right one, and it is never overwritten.
    """
    new = 0
    for image in email.images:
        if image.src.startswith("cid:") and not desk.config.site.url:
            continue
        target = desk.workspace.media / image.name
        if not target.exists():
            write_atomic(target, image.path.read_bytes())
            new += 1
    return new


def copy_media(desk: Desk, to: str) -> Published:
    """Copy ``.newsletter/media/`` into the folder ``to``: what is missing there, or has another size.

    Each file appears whole or not at all; nothing is ever deleted, for mail that was sent shows old pictures for years.
    Raises UsageProblem for what is no folder of this machine, BadData for a picture that cannot be read, CannotWrite.
    """
    if "://" in to:
        fix = f"copy into a folder, or let the store's own tool do it: aws s3 sync {desk.workspace.media} {to}"
        raise UsageProblem("pictures are copied to folders of this machine only", where=to, fix=fix)
    target = Path(to).expanduser().absolute()
    media = desk.workspace.media
    if target.resolve() == media.resolve():
        raise UsageProblem(
            "the pictures are there already", where=to, fix="name the folder that your web server serves"
        )
    make_folder(target)
    copied: list[str] = []
    replaced: list[str] = []
    unchanged = 0
    for picture in _files(media):
        place = target / picture.name
        if place.is_file() and place.stat().st_size == picture.stat().st_size:
            unchanged += 1
            continue
        (replaced if place.exists() else copied).append(picture.name)
        write_atomic(place, _read(picture))
    return Published(target, tuple(copied), tuple(replaced), unchanged)


def _files(folder: Path) -> list[Path]:
    """The pictures by name; a name that begins with a dot is a file that is still being written."""
    if not folder.is_dir():
        return []
    return sorted(path for path in folder.iterdir() if path.is_file() and not path.name.startswith("."))


def _read(picture: Path) -> bytes:
    try:
        return picture.read_bytes()
    except OSError as error:
        fix = "check who may read it, then run the command again"
        raise BadData(f"the picture cannot be read: {error.strerror}", where=str(picture), fix=fix) from error
