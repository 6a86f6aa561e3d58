"""``shots``: pictures of an issue in every client, and one page that shows them all."""

from __future__ import annotations

import contextlib
import itertools
import tempfile
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from newsletter.app.build import as_page
from newsletter.app.clients import CLIENTS, page_of, seen_through, taken_words
from newsletter.app.colours import in_colours
from newsletter.app.desk import Desk
from newsletter.app.outgoing import reader_values
from newsletter.app.render import Rendered, render
from newsletter.clients.browser import TALLEST, Browser, View, find_browser
from newsletter.clients.contact_sheet import Kind, Looks, Shot, contact_sheet
from newsletter.clients.media import Scheme
from newsletter.clients.taken import Taken
from newsletter.message.merge import fill
from newsletter.workspace.files import write_atomic

WIDTHS = (600, 360)
"""CSS pixels: a desktop's reading pane, a phone."""

_PANE = (640,)
"""For clients of desktops alone, which put a margin around a mail 600 pixels wide."""

_AT_ONCE = 2
_MEDIA = "media/"


@dataclass(frozen=True, slots=True)
class Shots:
    """Where the pictures are. ``report`` is what ``--json`` prints."""

    folder: Path
    index: Path
    looks: Sequence[Looks]
    browser: Path
    report: dict[str, Any]

    @property
    def count(self) -> int:
        """How many pictures there are."""
        return sum(len(one.shots) for one in self.looks)


@dataclass(frozen=True, slots=True)
class _Wanted:
    """One client's pages before their pictures are taken."""

    name: str
    title: str
    about: str
    kind: Kind
    took: Sequence[Taken]
    views: Sequence[tuple[Scheme, View]]


def shoot_issue(
    desk: Desk,
    slug: str,
    *,
    out: Path | None = None,
    browser: Path | None = None,
    progress: Callable[[int, int], None] = lambda _done, _total: None,
) -> Shots:
    """Take the pictures into ``out`` (default ``.newsletter/build/<slug>/shots``), with index.html to look at them.

    As a reader without attributes gets the mail. Raises ConfigurationError when there is no browser or it fails,
    before anything is written; CannotWrite.
    """
    program = find_browser(browser)
    rendered = render(desk, slug)
    folder = out or desk.workspace.build_dir(slug) / "shots"
    if out is None:
        desk.workspace.ensure_state()
    wanted = list(_wanted(desk, rendered))
    looks, pictures = _taken(program, rendered, wanted, progress)
    for file, picture in pictures.items():
        write_atomic(folder / file, picture)
    values = reader_values(desk, slug, None)
    subject, preheader = (
        fill(words, rendered.email.fields, values) for words in (rendered.email.subject, rendered.email.preheader)
    )
    made = f"Made on {datetime.now(UTC):%Y-%m-%d at %H:%M} UTC with {program.name}; remote pictures are not loaded."
    index = folder / "index.html"
    write_atomic(index, contact_sheet(slug, subject, preheader, looks, made=made))
    return Shots(folder, index, looks, program, _report(slug, folder, index, program, looks))


def _wanted(desk: Desk, rendered: Rendered) -> Iterator[_Wanted]:
    email, values = rendered.email, reader_values(desk, rendered.issue.slug, None)
    written = in_colours(fill(as_page(email, _MEDIA), email.fields, values), dark=False)
    views: list[tuple[Scheme, View]] = [("light", View(written, width)) for width in WIDTHS]
    yield _Wanted("written", "As written", "The mail before any client changes it.", "written", (), views)
    for client in CLIENTS:
        seen = seen_through(client, email, values)
        pages = {scheme: page_of(seen, client, email, scheme=scheme, media=_MEDIA) for scheme in client.schemes}
        widths = WIDTHS if client.phone else _PANE
        kind: Kind = "forced" if client.forced else "own"
        yield _Wanted(
            client.name,
            client.title,
            client.about,
            kind,
            seen.took,
            [(scheme, View(page, width)) for scheme, page in pages.items() for width in widths],
        )


def _taken(
    program: Path, rendered: Rendered, wanted: Sequence[_Wanted], progress: Callable[[int, int], None]
) -> tuple[list[Looks], dict[str, bytes]]:
    """Take every picture, two at once, and nothing but all of them."""
    views = [view for one in wanted for _, view in one.views]
    with tempfile.TemporaryDirectory(prefix="newsletter-shots-", ignore_cleanup_errors=True) as temporary:
        folder = Path(temporary)
        (folder / _MEDIA).mkdir()
        for image in rendered.email.images:
            (folder / _MEDIA / image.name).symlink_to(image.path.resolve())
        with _closing(Browser(program, folder)) as browser, ThreadPoolExecutor(_AT_ONCE) as pool:
            try:
                # Signals reach the main thread, which only waits here: a browser is never started and then forgotten.
                heights = pool.submit(browser.heights, views).result()
                taken = []
                for number, picture in enumerate(pool.map(browser.picture, views, heights), 1):
                    taken.append(picture)
                    progress(number, len(views))
            except BaseException:
                # Whatever ends it ends the browsers first: leaving the pool waits for them.
                browser.close()
                pool.shutdown(cancel_futures=True)
                raise
    return _looks(wanted, heights, taken)


@contextlib.contextmanager
def _closing(browser: Browser) -> Iterator[Browser]:
    try:
        yield browser
    finally:
        browser.close()


def _looks(
    wanted: Sequence[_Wanted], heights: Sequence[int], taken: Sequence[bytes]
) -> tuple[list[Looks], dict[str, bytes]]:
    files: dict[str, bytes] = {}
    looks = []
    number = itertools.count()
    for one in wanted:
        shots = []
        for scheme, view in one.views:
            at = next(number)
            file = f"{one.name}-{view.width}{'-dark' if scheme == 'dark' else ''}.png"
            files[file] = taken[at]
            shots.append(Shot(file, view.width, heights[at], scheme, cut=heights[at] >= TALLEST))
        looks.append(Looks(one.name, one.title, one.about, shots, one.took, one.kind))
    return looks, files


def _report(slug: str, folder: Path, index: Path, program: Path, looks: Sequence[Looks]) -> dict[str, Any]:
    return {
        "issue": slug,
        "folder": str(folder),
        "index": str(index),
        "browser": str(program),
        "clients": [
            {
                "name": one.name,
                "title": one.title,
                "kind": one.kind,
                "took": taken_words(one.took),
                "shots": [
                    {"file": s.file, "width": s.width, "height": s.height, "scheme": s.scheme, "cut": s.cut}
                    for s in one.shots
                ],
            }
            for one in looks
        ],
    }
