"""Hosted pictures: put where the public pages, any web server over ``.newsletter/media/``, or a bucket serve them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from newsletter.app.desk import Desk
from newsletter.delivery.retractions import show_again, withdrawn_among
from newsletter.errors import BadData, UsageProblem
from newsletter.models import Email
from newsletter.net.bucket import SCHEME, Bucket
from newsletter.rendering.pictures import CONTENT_TYPES
from newsletter.workspace.files import cannot_write, write_atomic


class Place(Protocol):
    """Where pictures are copied to. ``address`` is how it is said."""

    @property
    def address(self) -> str:
        """A path, or ``s3://bucket/prefix``."""

    def sizes(self) -> Mapping[str, int]:
        """What is there, in bytes by name; -1 for what has the name and is no file."""

    def put(self, name: str, data: bytes, content_type: str) -> None:
        """Write a picture, whole or not at all."""


@dataclass(frozen=True, slots=True)
class Published:
    """What a copy of the hosted pictures did: names that were ``copied`` or ``replaced``, and how many were there.

    After a dry run they are what it would have done.
    """

    to: str
    copied: tuple[str, ...]
    replaced: tuple[str, ...]
    unchanged: int
    dry_run: bool = False
    withdrawn: tuple[str, ...] = ()
    """What was withdrawn with a story and is still there: nothing is deleted in a place that is not ours."""

    def as_row(self) -> dict[str, Any]:
        """For ``--json``."""
        return {
            "to": self.to,
            "copied": list(self.copied),
            "replaced": list(self.replaced),
            "unchanged": self.unchanged,
            "dry_run": self.dry_run,
            "withdrawn": list(self.withdrawn),
        }


def publish_media(desk: Desk, email: Email, *, approved: bool = False) -> int:
    """Copy the email's pictures to ``.newsletter/media/`` where a page shows them; how many were new.

    Those that were withdrawn with a story stay away, until an editor approves an issue with them (``approved``). Those
    inside the mail go there too once there is a site: the web copy needs them. A name is a hash of its picture,
    so a file that is there is the right one, and it is never overwritten.
    """
    new = 0
    names = [image.name for image in email.images]
    if approved:
        show_again(desk.store, names)
    gone = withdrawn_among(desk.store, names)
    for image in email.images:
        if image.name in gone:
            continue
        if image.src.startswith("cid:") and not desk.config.site.url:
            continue
        target = desk.workspace.media / image.name
        if not target.exists():
            write_atomic(target, image.path.read_bytes())
            new += 1
    return new


def copy_media(desk: Desk, to: str, *, dry_run: bool = False) -> Published:
    """Copy ``.newsletter/media/`` to a folder or to ``s3://bucket/prefix``: what is missing there, or has another size.

    Each picture appears whole or not at all; nothing is ever deleted, for mail that was sent shows old pictures for
    years. Raises UsageProblem for what is neither, BadData for a picture that cannot be read, CannotWrite, and what
    ``Bucket`` raises. What was copied before an error stays; the next call does the rest.
    """
    media = desk.workspace.media
    place = _place(to, media)
    there = place.sizes()
    copied: list[str] = []
    replaced: list[str] = []
    unchanged = 0
    gone = withdrawn_among(desk.store, list(there)) if desk.workspace.database.exists() else frozenset[str]()
    for picture in _files(media):
        if there.get(picture.name) == picture.stat().st_size:
            unchanged += 1
            continue
        (replaced if picture.name in there else copied).append(picture.name)
        if not dry_run:
            content_type = CONTENT_TYPES.get(picture.suffix, "application/octet-stream")
            place.put(picture.name, _read(picture), content_type)
    return Published(place.address, tuple(copied), tuple(replaced), unchanged, dry_run, tuple(sorted(gone)))


def _place(to: str, media: Path) -> Place:
    if to.startswith(SCHEME):
        return Bucket(to)
    if "://" in to:
        raise UsageProblem(
            "pictures are copied to a folder or a bucket", where=to, fix="name a folder, or s3://BUCKET/FOLDER"
        )
    target = Path(to).expanduser().absolute()
    if target.resolve() == media.resolve():
        raise UsageProblem(
            "the pictures are there already", where=to, fix="name the folder that your web server serves"
        )
    return _Folder(target)


@dataclass(frozen=True, slots=True)
class _Folder:
    """A folder of this machine, made with the first picture."""

    path: Path

    @property
    def address(self) -> str:
        return str(self.path)

    def sizes(self) -> Mapping[str, int]:
        if not self.path.is_dir():
            return {}
        try:
            return {file.name: file.stat().st_size if file.is_file() else -1 for file in self.path.iterdir()}
        except OSError as error:
            raise cannot_write(self.path, error) from error

    def put(self, name: str, data: bytes, content_type: str) -> None:  # noqa: ARG002  # a web server tells it by the name
        write_atomic(self.path / name, data)


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
