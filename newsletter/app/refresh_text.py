"""What the sources of stories say now, for the terminal."""

from __future__ import annotations

import shlex
from collections.abc import Iterator

from newsletter.app.diff_text import Pen, safe
from newsletter.app.refresh import Compared, Refreshed
from newsletter.articles.merging import FieldChange
from newsletter.message.words import Run, diff_words


def as_text(done: Refreshed, *, colour: bool) -> Iterator[str]:
    """Story by story and field by field: with ANSI colours, or with the marks ``[-old-]`` and ``{+new+}``."""
    pen = Pen(colour)
    for story in done.stories:
        yield from _story(story, pen)
    for slug, error in done.problems:
        yield f"{slug}: {safe(error.what)}" + (f" ({safe(error.where)})" if error.where and error.where != slug else "")


def _story(story: Compared, pen: Pen) -> Iterator[str]:
    yield f"{pen.strong(story.slug)}, compared with {safe(story.source)}:"
    if not story.changes:
        yield "  as its source says"
    if story.changes and not story.known:
        yield "  what was imported is not known, so any difference may be yours"
    for change in story.changes:
        done = "taken over" if change.name in story.taken else "yours is kept" if change.name in story.kept else None
        yield f"  {pen.strong(change.name)}: {done or change.about}"
        yield from (f"    {line}" for line in _change(change, pen))
    yield from (f"  {safe(note)}" for note in story.notes)
    if story.open:
        command = f"newsletter article refresh {story.slug}" + (f" --issue {story.issue}" if story.issue else "")
        command += f" --from {shlex.quote(safe(story.file))}" if story.file else ""
        if any(change.change == "changed" for change in story.open):
            yield f"  Take over what you have not changed: {command} --take all"
        if conflicts := [change.name for change in story.open if change.change == "conflict"]:
            yield f"  Give up your own words for the source's: {command} --take {','.join(conflicts)}"
        yield f"  Keep yours, and hear no more of it: {command} --keep {','.join(change.name for change in story.open)}"


def _change(change: FieldChange, pen: Pen) -> Iterator[str]:
    """The source's words against the imported ones, and the editor's against the same."""
    if change.change == "changed":
        yield from _lines(change.mine, change.now, pen)
    elif change.change == "edited":
        yield from _lines(change.imported, change.mine, pen)
    else:
        for whose, words in (("the source", change.now), ("yours", change.mine)):
            yield f"{whose}:"
            yield from (f"  {line}" for line in _lines(change.imported, words, pen))


def _lines(old: str | None, new: str | None, pen: Pen) -> Iterator[str]:
    """The lines in which something changed; lines between them are left out."""
    line: list[Run] = []
    for run in (*diff_words(old or "", new or ""), Run("same", "\n")):
        first, *rest = run.text.split("\n")
        line.append(Run(run.op, first))
        for text in rest:
            if any(part.op != "same" and part.text for part in line):
                yield pen.runs([part for part in line if part.text])
            line = [Run(run.op, text)]
