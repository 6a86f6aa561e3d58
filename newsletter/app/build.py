"""``build``: the finished email as files, to look at or to hand on."""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from newsletter.app.desk import Desk
from newsletter.app.outgoing import preview_batch
from newsletter.app.render import render
from newsletter.clients.gmail import CLIP
from newsletter.message.compile import compile_message
from newsletter.message.merge import fill
from newsletter.models import Email
from newsletter.workspace.files import write_atomic


@dataclass(frozen=True, slots=True)
class Built:
    """Where the files are and what they weigh. ``sizes`` are bytes of HTML by article; ``report`` is build.json."""

    folder: Path
    email: Email
    seconds: float
    sizes: Mapping[str, int]
    report: Mapping[str, Any]

    @property
    def kilobytes(self) -> float:
        """The HTML's size in units of 1,024 bytes."""
        return self.email.size / 1024

    @property
    def room(self) -> float:
        """Kilobytes left before Gmail clips; negative when it does."""
        return (CLIP - self.email.size) / 1024

    @property
    def images(self) -> int:
        """How many pictures travel with or are hosted for the mail."""
        return len(self.email.images)

    @property
    def fields(self) -> int:
        """How many different merge fields the mail has."""
        return len({field.name for field in self.email.fields})


def build_issue(desk: Desk, slug: str, *, out: Path | None = None) -> Built:
    """Render into ``out`` (default ``.newsletter/build/<slug>``): email.html, .txt and .eml, media/, build.json.

    The files are as a reader without attributes gets them; build.json lists the merge fields.
    """
    rendered = render(desk, slug)
    email = rendered.email
    folder = out or desk.workspace.build_dir(slug)
    if out is None:
        desk.workspace.ensure_state()
    batch = preview_batch(desk, rendered, reader=None)
    report = {
        "schema": "newsletter/build/1",
        "issue": slug,
        "theme": email.theme,
        "subject": email.subject,
        "html_bytes": email.size,
        "text_bytes": len(email.text.encode()),
        "own_text": rendered.issue.own_text is not None,
        "clip_bytes": CLIP,
        "articles": email.sizes,
        "images": [
            {"name": i.name, "bytes": i.size, "width": i.width, "height": i.height, "article": i.article}
            for i in email.images
        ],
        "remote_images": list(email.remote_images),
        "fields": [
            {"token": f.token, "name": f.name, "default": f.default, "context": f.context} for f in email.fields
        ],
        "timings": {name: round(seconds, 4) for name, seconds in email.timings.items()},
    }
    media = folder / "media"
    for image in email.images:
        target = media / image.name
        # Derivatives are named by what is in them: a file that is there is the right one.
        if not target.exists():
            write_atomic(target, image.path.read_bytes())
    (reader,) = batch.recipients
    write_atomic(folder / "email.html", fill(as_page(email), email.fields, reader.values))
    write_atomic(folder / "email.txt", fill(email.text, email.fields, reader.values))
    write_atomic(folder / "email.eml", compile_message(batch.outgoing).splice(reader))
    write_atomic(folder / "build.json", json.dumps(report, ensure_ascii=False, indent=2) + "\n")
    _forget_old_media(media, {image.name for image in email.images})
    return Built(folder, email, rendered.seconds, email.sizes, report)


def as_page(email: Email, media: str = "media/", html: str | None = None) -> str:
    """The HTML with its pictures as files beside it, so that a browser shows what the mail client will.

    ``html`` is another form of the same mail, as a client shows it.
    """
    html = email.html if html is None else html
    for image in email.images:
        html = html.replace(image.src, media + image.name)
    return html


def _forget_old_media(media: Path, keep: set[str]) -> None:
    if media.is_dir():
        for file in media.iterdir():
            if file.name not in keep:
                shutil.rmtree(file) if file.is_dir() else file.unlink()
