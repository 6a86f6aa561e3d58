"""The page that shows what changed: one file without scripts, to be sent round or printed.

Whatever comes from stories is escaped; the only markup in the words is ``<ins>`` and ``<del>``.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import lru_cache
from html import escape
from pathlib import Path

from newsletter.app.diff import IssueDiff
from newsletter.message.difference import LinkChange, PartChange, PictureChange
from newsletter.message.paragraphs import Passage
from newsletter.message.reading import Shown
from newsletter.message.version import Known, PictureFile
from newsletter.message.words import Run

_POLICY = "default-src 'none'; img-src data:; style-src 'unsafe-inline'"


@lru_cache(maxsize=1)
def _style() -> str:
    return Path(__file__).with_name("diff_page.css").read_text(encoding="utf-8")


def as_page(diff: IssueDiff) -> str:
    """The whole page, UTF-8, with its style sheet and the changed pictures in it."""
    title = escape(f"{diff.issue}: what changed since {diff.then.words}")
    body = "".join(_sections(diff)) if diff.different else _nothing(diff)
    return (
        f'<!DOCTYPE html>\n<html lang="en"><head><meta charset="utf-8">'
        f'<meta name="viewport" content="width=device-width, initial-scale=1">'
        f'<meta http-equiv="Content-Security-Policy" content="{_POLICY}">'
        f'<meta name="robots" content="noindex"><title>{title}</title><style>\n{_style()}</style></head>\n'
        f'<body><main><header><p class="kicker">What changed in {escape(diff.issue)}</p>'
        f'<h1 dir="auto" lang="{escape(diff.lang)}">{escape(diff.subject)}</h1>'
        f'<p class="facts">Since {escape(diff.then.words)} {escape(diff.then.when)}'
        f"{': ' + escape(diff.summary) if diff.different else ''}.</p>"
        f'<p class="facts">{escape(diff.size)}.</p></header>\n{body}{_findings(diff)}'
        f"<footer><ins>Underlined</ins> is new, <del>struck through</del> is gone.</footer></main></body></html>\n"
    )


def _nothing(diff: IssueDiff) -> str:
    return f"<section><h2>No difference</h2><p>A reader would get what {escape(diff.then.words)} has.</p></section>\n"


def _sections(diff: IssueDiff) -> Iterator[str]:
    found = diff.difference
    if found.headers:
        rows = "".join(f'<dt>{escape(h.name)}</dt><dd dir="auto">{_runs(h.runs)}</dd>' for h in found.headers)
        yield f"<section><h2>In the inbox</h2><dl>{rows}</dl></section>\n"
    for part in found.parts:
        yield _part(part, diff)
    if found.look:
        yield "<section><h2>The look</h2><p>The design changed; words, links and pictures are the same.</p></section>\n"
    if found.text_only:
        passages = "".join(_passage(p, diff.lang) for p in found.text_part) or "<p>Blank lines alone.</p>"
        yield f"<section><h2>The text part</h2>{passages}</section>\n"


def _part(part: PartChange, diff: IssueDiff) -> str:
    said = {"added": "Added", "dropped": "Dropped", "changed": "Changed"}[part.change]
    if part.moved:
        moved = f"oved from place {part.old_place} to {part.place}"
        said = f"Changed, m{moved}" if part.passages or part.links or part.pictures else f"M{moved}"
    title = escape(part.title)
    if part.change != "changed" and part.article is not None:
        tag = "ins" if part.change == "added" else "del"
        title = f"<{tag}>{title}</{tag}>"
    # The title of a story that came or went says it already.
    words = [p for p in part.passages if part.change == "changed" or not (p.heading and p.runs[0].text == part.title)]
    return "".join(
        [
            f'<section><p class="kicker">{escape(said)}</p><h2 dir="auto" lang="{escape(diff.lang)}">{title}</h2>',
            *(_passage(passage, diff.lang) for passage in words),
            _links(part.links),
            *(_picture(picture, diff.pictures) for picture in part.pictures),
            "</section>\n",
        ]
    )


def _passage(passage: Passage, lang: str) -> str:
    kind = ' class="head"' if passage.heading else ""
    return f'<p{kind} dir="auto" lang="{escape(lang)}">{_runs(passage.runs)}</p>'


def _runs(runs: Iterable[Run]) -> str:
    tags = {"same": ("", ""), "old": ("<del>", "</del>"), "new": ("<ins>", "</ins>")}
    return "".join(escape(words).join(tags[run.op]).join((a, b)) for run in runs for a, words, b in [run.edges()])


def _links(links: Iterable[LinkChange]) -> str:
    rows = []
    for link in links:
        texts = ", ".join(dict.fromkeys(link.new_texts or link.old_texts))
        said = {"added": "Link added", "dropped": "Link dropped", "changed": "Link changed"}[link.change]
        address = _address(link)
        rows.append(f'<dt>{said}</dt><dd><span dir="auto">{escape(texts)}</span><br>{address}</dd>')
    return f"<dl>{''.join(rows)}</dl>" if rows else ""


def _address(link: LinkChange) -> str:
    if link.old == link.new:
        return f"{escape(link.new or '')}<br>was on <del>{escape(', '.join(link.old_texts))}</del>"
    old = f"<del>{escape(link.old)}</del>" if link.old is not None else ""
    new = f"<ins>{escape(link.new)}</ins>" if link.new is not None else ""
    return "<br>".join(part for part in (old, new) if part)


def _picture(picture: PictureChange, urls: dict[str, str]) -> str:
    looks_different = any(word.startswith(("picture", "crop")) for word in picture.what) or picture.change != "changed"
    figures = ""
    if looks_different:
        old, new = picture.old, picture.new
        before = _figure("was", old, picture.old_file, urls) if old else _gap("There was no picture.")
        after = _figure("now", new, picture.new_file, urls) if new else _gap("There is no picture.")
        figures = f'<div class="pair">{before}{after}</div>'
    alt = f'<dl><dt>Alt text</dt><dd dir="auto">{_runs(picture.alt)}</dd></dl>' if picture.alt else ""
    return f'<p class="note">{escape(in_words(picture))}</p>{figures}{alt}'


def in_words(picture: PictureChange) -> str:
    """``Picture: another crop, another alt text``; the terminal says it in the same words."""
    if picture.change != "changed":
        return f"Picture {picture.change}"
    old, new = picture.old, picture.new
    words = {
        "picture": "another picture",
        "crop": "another crop of the same picture",
        "picture or crop": "another picture or crop",
        "alt": "another alt text",
        "size": f"shown {new.width or '?'} pixels wide, was {old.width or '?'}" if old and new else "",
    }
    return f"Picture: {', '.join(words[word] for word in picture.what)}"


def _figure(kind: str, shown: Shown, file: PictureFile | None, urls: dict[str, str]) -> str:
    url = urls.get(file.sha256) if file else None
    alt = escape(shown.alt)
    image = f'<img src="{url}" alt="{alt}">' if url else f'<div class="none">{escape(shown.src)}</div>'
    said = "Before" if kind == "was" else "Now"
    weight = f", {file.size / 1024:.0f} KB" if file else ""
    return f'<figure class="{kind}">{image}<figcaption>{said}{weight}</figcaption></figure>'


def _gap(words: str) -> str:
    return f'<figure><div class="none">{escape(words)}</div></figure>'


def _findings(diff: IssueDiff) -> str:
    appeared, gone = diff.difference.appeared or (), diff.difference.gone or ()
    if not appeared and not gone:
        return ""

    def rows(name: str, tag: str, findings: Iterable[Known]) -> str:
        return "".join(
            f"<dt>{name}</dt><dd><{tag}>{escape(f.id)}</{tag}> {escape(f.message)}"
            f"{' (' + escape(f.article) + ')' if f.article else ''}</dd>"
            for f in findings
        )

    found = rows("New", "ins", appeared) + rows("Gone", "del", gone)
    return f'<section class="quiet"><h2>Findings</h2><dl>{found}</dl></section>\n'
