"""What the live preview shows, and the wire form that a provider would be given."""

from __future__ import annotations

import contextlib
import os
import re
import threading
import traceback
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

from newsletter.app.build import as_page
from newsletter.app.check import findings_of
from newsletter.app.clients import client_named, page_of, seen_through, taken_words
from newsletter.app.colours import in_colours
from newsletter.app.desk import Desk, open_desk
from newsletter.app.outgoing import preview_batch, reader_values
from newsletter.app.providers import make_provider
from newsletter.app.render import Rendered, render
from newsletter.checks.inbox import lines_of
from newsletter.clients.gmail import CLIP
from newsletter.clients.media import Scheme
from newsletter.clients.registry import Client
from newsletter.clients.taken import Seen
from newsletter.delivery.ports import Wire
from newsletter.errors import NewsletterError, NotFound
from newsletter.issues.folder import is_approved, load_issue
from newsletter.message.merge import fill
from newsletter.models import EmailImage, Finding
from newsletter.workspace.builtin import builtin_templates
from newsletter.workspace.themes import load_theme

_PLACE = re.compile(r"(.+):([1-9][0-9]{0,6})")
_AROUND = 2
"""Lines of a file that are shown before and after the wrong one."""


@dataclass(frozen=True)
class Preview:
    """One build of an issue, to be looked at as any reader. Safe to use from several threads."""

    root: Path
    sender: str
    rendered: Rendered
    findings: Sequence[Finding]
    approved: bool = False
    _known: dict[str | None, Mapping[str, str]] = field(default_factory=dict, repr=False)
    _seen: dict[tuple[str, str | None], Seen] = field(default_factory=dict, repr=False)
    _lock: threading.Lock = field(default_factory=threading.Lock, repr=False)

    def html_for(self, reader: str | None, *, dark: bool, media: str) -> str:
        """The mail as a page: ``media`` is put before picture names; dark and light are forced, not the system's."""
        values = self._values(reader)
        html = in_colours(as_page(self.rendered.email, media), dark=dark)
        return fill(html, self.rendered.email.fields, values)

    def text_for(self, reader: str | None) -> str:
        """The text part as this reader gets it."""
        return fill(self.rendered.email.text, self.rendered.email.fields, self._values(reader))

    def html_in(self, client: str, reader: str | None, *, dark: bool, media: str) -> str:
        """The mail as a client shows it; ``dark`` counts where the client leaves a choice. Raises UsageProblem."""
        found = client_named(client)
        wanted: Scheme = "dark" if dark else "light"
        scheme = wanted if wanted in found.schemes else found.schemes[0]
        return page_of(self._through(found, reader), found, self.rendered.email, scheme=scheme, media=media)

    def taken_by(self, client: str, reader: str | None) -> list[dict[str, Any]]:
        """What a client takes away from the mail. Raises UsageProblem for an unknown one."""
        return taken_words(self._through(client_named(client), reader).took)

    def _through(self, client: Client, reader: str | None) -> Seen:
        # The page asks for the mail and for what is missing from it; the second of them waits for nothing.
        seen = self._seen.get((client.name, reader))
        if seen is None:
            seen = seen_through(client, self.rendered.email, self._values(reader))
            self._seen[client.name, reader] = seen
        return seen

    def image(self, name: str) -> EmailImage:
        """A picture of the mail by name; raises NotFound."""
        for image in self.rendered.email.images:
            if image.name == name and image.path.is_file():
                return image
        raise NotFound(f"there is no picture {name} in this mail")

    def summary(self, reader: str | None) -> dict[str, Any]:
        """What stands around the mail: the inbox line, also as clients cut it, the size, the findings."""
        email = self.rendered.email
        values = self._values(reader)
        room = (CLIP - email.size) / 1024
        subject, preheader = (fill(line, email.fields, values) for line in (email.subject, email.preheader))
        left = f"{room:.1f} KB left before Gmail clips" if room >= 0 else f"{-room:.1f} KB more than Gmail shows"
        return {
            "sender": self.sender,
            "subject": subject,
            "preheader": preheader,
            "inbox": [asdict(line) for line in lines_of(self.sender, subject, preheader)],
            "size": email.size,
            "size_words": f"{email.size / 1024:.1f} KB; {left}",
            "theme": email.theme,
            "approved": self.approved,
            "findings": [{**asdict(finding), "severity": str(finding.severity)} for finding in self.findings],
        }

    def problem_with(self, reader: str | None) -> NewsletterError | None:
        """Why this reader's copy cannot be shown: not in the audience, no address, a store that cannot be read."""
        try:
            self._values(reader)
        except NewsletterError as error:
            return error
        return None

    def _values(self, reader: str | None) -> Mapping[str, str]:
        # The page asks for the summary, the HTML and the text at once; only the first of them opens the store.
        with self._lock:
            if reader not in self._known:
                with open_desk(self.root) as desk:
                    self._known[reader] = reader_values(desk, self.rendered.issue.slug, reader)
            return self._known[reader]


@dataclass(frozen=True, slots=True)
class Problem:
    """An error as the page shows it. ``kind`` is "build", "reader" or "bug"; ``lines`` are (number, text)
    around ``line``, the wrong one, where the error names a line of a file that may be shown.
    """

    kind: str
    what: str
    where: str | None
    fix: str | None
    line: int | None = None
    lines: Sequence[tuple[int, str]] = ()


def problem_of(error: Exception, root: Path, *, kind: str = "build") -> Problem:
    """Put an error into words. What is not of our tree is a bug of ours, and says so with the place in the code."""
    if not isinstance(error, NewsletterError):
        frames = traceback.extract_tb(error.__traceback__)
        where = f"{Path(frames[-1].filename).name}:{frames[-1].lineno}" if frames else None
        said = traceback.format_exception_only(error)[-1].strip()
        return Problem("bug", said, where, "Report it with what `newsletter --debug build SLUG` prints.")
    where = error.where
    path, line = _place(where, root)
    lines = () if path is None or line is None else _excerpt(path, line)
    if where is not None:
        where = where.removeprefix(f"{root}/")
    return Problem(kind, error.what, where, error.fix, line if lines else None, lines)


def _place(where: str | None, root: Path) -> tuple[Path | None, int | None]:
    """The file and line of ``file:line``, if it is an issue's or a theme's; newsletter.toml may hold a password."""
    found = _PLACE.fullmatch(where or "")
    if found is None:
        return None, None
    path = (root / found[1]).resolve()
    shown = (root / "issues", root / "templates", root / "sponsors", builtin_templates())
    if not any(path.is_relative_to(folder.resolve()) for folder in shown):
        return None, None
    return path, int(found[2])


def _excerpt(path: Path, line: int) -> Sequence[tuple[int, str]]:
    try:
        every = path.read_bytes().decode("utf-8", errors="replace").splitlines()
    except OSError:
        return ()
    first = max(1, line - _AROUND)
    return (
        tuple(enumerate((text[:500] for text in every[first - 1 : line + _AROUND]), first))
        if line <= len(every)
        else ()
    )


def preview_issue(root: Path, slug: str, *, checks: bool = True) -> Preview:
    """Build an issue for the preview, reading every file and the configuration anew.

    Without ``checks`` it is there sooner; ``checked`` adds them.
    """
    with open_desk(root) as desk:
        rendered = render(desk, slug)
        return Preview(
            root=root,
            sender=desk.config.sender.name or desk.config.publication.name,
            rendered=rendered,
            findings=findings_of(desk, rendered) if checks else (),
            approved=is_approved(desk.workspace, slug),
            # From the configuration that the mail was built with: it may be broken when the page asks.
            _known={None: reader_values(desk, slug, None)},
        )


def preview_theme(root: Path, slug: str, name: str, tokens: Mapping[str, str]) -> Preview:
    """Build an issue with a theme as it would be with other tokens, whichever theme the issue has; without findings."""
    with open_desk(root) as desk:
        theme = replace(load_theme(desk.workspace, name), tokens=dict(tokens))
        rendered = render(desk, slug, theme=theme)
        values: dict[str | None, Mapping[str, str]] = {None: reader_values(desk, slug, None)}
        return Preview(root, desk.config.sender.name or desk.config.publication.name, rendered, (), _known=values)


def checked(preview: Preview) -> Preview:
    """The same build with its findings."""
    with open_desk(preview.root) as desk:
        return replace(preview, findings=findings_of(desk, preview.rendered))


@dataclass(frozen=True, slots=True)
class Watched:
    """Whose change means a new build. ``deep`` are watched with all they contain, ``near`` only as folders:
    there ``newsletter.toml`` is saved, and there a deep folder appears later or is put in another's place.
    """

    near: tuple[Path, ...]
    deep: tuple[Path, ...]


def fingerprint(watched: Watched) -> tuple[object, ...]:
    """What tells that a watched file was written, came or went, without reading any."""
    found: list[object] = []
    folders = [*watched.deep]
    for near in watched.near:
        with contextlib.suppress(OSError), os.scandir(near) as entries:
            found += [_mark(entry) for entry in entries if entry.is_file(follow_symlinks=False)]
    while folders:
        with contextlib.suppress(OSError), os.scandir(folders.pop()) as entries:
            for entry in entries:
                if entry.is_dir(follow_symlinks=False):
                    folders.append(Path(entry.path))
                elif not entry.name.startswith("."):
                    found.append(_mark(entry))
    return tuple(sorted(found, key=str))


def _mark(entry: os.DirEntry[str]) -> object:
    stat = entry.stat()
    return entry.path, stat.st_ino, stat.st_size, stat.st_mtime_ns


def watched(desk: Desk, slug: str) -> Watched:
    """What an issue is made from; raises NotFound when there is no such issue."""
    workspace = desk.workspace
    folder = workspace.issue_dir(slug)
    if not (folder / "issue.md").is_file():
        load_issue(workspace, slug)
    return Watched(
        near=(workspace.root, workspace.issues),
        deep=(folder, workspace.templates, workspace.sponsors, builtin_templates().resolve()),
    )


def wire_form(desk: Desk, slug: str, *, reader: str | None) -> list[Wire]:
    """What the configured provider would be given, byte for byte, for one reader; nothing is sent."""
    batch = preview_batch(desk, render(desk, slug), reader=reader)
    provider = make_provider(desk)
    try:
        return provider.preview(batch)
    finally:
        provider.close()
