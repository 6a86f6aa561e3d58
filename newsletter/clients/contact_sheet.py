"""One page with the pictures of a mail in every client: it opens from a folder or a zip, and runs nothing."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from typing import Literal

from newsletter.clients.media import Scheme
from newsletter.clients.registry import LABEL
from newsletter.clients.taken import Taken

Kind = Literal["written", "own", "forced"]
"""The mail as it was written; a client that shows its colours; a client that forces other ones."""


@dataclass(frozen=True, slots=True)
class Shot:
    """A picture beside the page: its file's name, the screen's width and the picture's height in CSS pixels."""

    file: str
    width: int
    height: int
    scheme: Scheme
    cut: bool = False
    """Whether the page was longer than the picture."""


@dataclass(frozen=True, slots=True)
class Looks:
    """The pictures of one client, or of the mail as it was written, which is no approximation and loses nothing."""

    name: str
    title: str
    about: str
    shots: Sequence[Shot]
    took: Sequence[Taken] = ()
    kind: Kind = "own"


_CSS = """
:root{color-scheme:light dark;--paper:#f3f0e9;--ink:#1c1a17;--soft:#5f5a52;--line:#ddd7cb;--edge:#8f887b;--mark:#9b1c1c}
@media (prefers-color-scheme:dark){:root{--paper:#161514;--ink:#f0ede7;--soft:#b0aaa0;--line:#3a3835;--edge:#7d776d;
--mark:#ff9e8f}}
*{box-sizing:border-box}
body{margin:0 auto;max-width:1180px;padding:40px 32px 64px;background:var(--paper);color:var(--ink);
overflow-wrap:break-word;font:1rem/1.5 -apple-system,"Segoe UI",Roboto,Helvetica,Arial,sans-serif}
h1,h2{font-family:Georgia,"Times New Roman","Liberation Serif",serif;text-wrap:balance}
h1{margin:0 0 6px;font-size:2.125rem;line-height:1.2}
h2{margin:0;font-size:1.4375rem;line-height:1.3}
p{margin:0}
a{color:inherit}
:focus-visible{outline:3px solid var(--mark);outline-offset:2px}
header{padding-top:18px;border-top:3px solid var(--ink)}
.preheader{max-width:44em;font-size:1.125rem;color:var(--soft)}
.note{max-width:44em;margin-top:14px;color:var(--soft)}
nav ul{display:flex;flex-wrap:wrap;gap:4px 20px;margin:20px 0 0;padding:12px 0;list-style:none;
border:solid var(--line);border-width:1px 0}
section{margin-top:48px;padding-top:14px;border-top:1px solid var(--ink)}
.label{margin-left:6px;color:var(--soft);font:italic 400 1rem/1.3 Georgia,"Times New Roman","Liberation Serif",serif}
.about{color:var(--soft)}
.body{display:grid;grid-template-columns:minmax(0,1fr) 300px;gap:20px 40px;margin-top:20px;align-items:start}
.shots{display:flex;flex-wrap:wrap;gap:24px;align-items:flex-start}
figure{margin:0;max-width:100%}
.pane{display:block;max-height:660px;overflow:hidden;border:1px solid var(--line);border-radius:6px;background:#fff}
.pane img{display:block;max-width:100%;height:auto}
figcaption{margin-top:6px;color:var(--soft);font-size:.875rem}
h3{margin:0 0 4px;font-size:.9375rem}
.took{margin:0;padding:0;list-style:none;font-size:.9375rem;line-height:1.45}
.took li{padding:4px 0}
.took i{font-style:normal;color:var(--soft);font-variant-numeric:tabular-nums}
.took code{color:var(--soft);font-size:.8125rem;overflow-wrap:anywhere}
footer{margin-top:56px;padding-top:12px;border-top:1px solid var(--line);color:var(--soft);font-size:.875rem}
@media (max-width:860px){.body{grid-template-columns:minmax(0,1fr)}}
@media (max-width:480px){body{padding:20px 14px 40px}h1{font-size:1.625rem}.shots{gap:20px}}
@media print{.pane{max-height:none}section{break-inside:avoid}}
""".strip()


def contact_sheet(issue: str, subject: str, preheader: str, looks: Sequence[Looks], *, made: str) -> str:
    """The page. ``made`` says when and with what, at the end of it; the pictures are named relative to it."""
    policy = "default-src 'none'; img-src 'self' file: data:; style-src 'unsafe-inline'; base-uri 'none'"
    links = "".join(f'<li><a href="#{escape(one.name)}">{escape(one.title)}</a></li>' for one in looks)
    return f"""<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="{policy}">
<meta name="viewport" content="width=device-width,initial-scale=1">
<title>{escape(issue)} in mail clients</title>
<style>
{_CSS}
</style>
</head>
<body>
<header>
<h1 dir="auto">{escape(subject)}</h1>
<p class="preheader" dir="auto">{escape(preheader)}</p>
<p class="note">Issue {escape(issue)} in mail clients. Every picture but those of the mail as written is an
{LABEL}: it shows what a client is known to take away or change, not the client itself. Pictures open in full.</p>
<nav aria-label="Mail clients"><ul>{links}</ul></nav>
</header>
<main>
{"".join(map(_section, looks))}</main>
<footer><p>{escape(made)}</p></footer>
</body>
</html>
"""


def _section(one: Looks) -> str:
    label = "" if one.kind == "written" else f' <span class="label">{LABEL}{_colours(one)}</span>'
    shots = "".join(_figure(one, shot) for shot in one.shots)
    return f"""<section id="{escape(one.name)}" aria-labelledby="title-{escape(one.name)}">
<h2 id="title-{escape(one.name)}">{escape(one.title)}{label}</h2>
<p class="about">{escape(one.about)}</p>
<div class="body">
<div class="shots">
{shots}</div>
{_took(one)}</div>
</section>
"""


def _colours(one: Looks) -> str:
    """Whose dark it is, where there is nothing but dark."""
    if one.kind == "forced":
        return ", in colours that the client forces"
    return ", in the mail’s own dark colours" if all(shot.scheme == "dark" for shot in one.shots) else ""


def _figure(one: Looks, shot: Shot) -> str:
    words = f"{shot.width} pixels wide, {shot.scheme}"
    more = f"; cut at {shot.height:,} pixels" if shot.cut else ""
    shown = round(shot.width * (0.7 if shot.width > 400 else 0.8))
    size = f'width="{shown}" height="{round(shot.height * shown / shot.width)}"'
    return (
        f'<figure><a class="pane" href="{escape(shot.file)}"><img src="{escape(shot.file)}" {size} loading="lazy" '
        f'alt="The mail in {escape(one.title)}, {words}"></a><figcaption>{words}{more}</figcaption></figure>\n'
    )


def _took(one: Looks) -> str:
    if one.kind == "written":
        return ""
    if not one.took:
        return "<div><h3>Lost or changed</h3><p>Nothing: it shows the mail as it was written.</p></div>\n"
    items = "".join(f"<li>{_words(taken)}</li>" for taken in one.took)
    return f'<div><h3>Lost or changed</h3><ul class="took">{items}</ul></div>\n'


def _words(taken: Taken) -> str:
    words, _, name = taken.what.removesuffix(")").rpartition(" (") if taken.what.endswith(")") else (taken.what, "", "")
    times = f"<i>{taken.count:,} ×</i> " if taken.count else ""
    return times + escape(words) + (f" <code>{escape(name)}</code>" if name else "")
