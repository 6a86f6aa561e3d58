"""Clients and readers that show the text part: watches, screen readers by choice, text mail programs."""

from __future__ import annotations

import html as html_escape
import re

from newsletter.clients.taken import Seen, Taken

_ADDRESS = re.compile(r"https?://[^\s<>\"]+[^\s<>\".,;:!?)\]'’”]")
_STYLE = (
    "html{color-scheme:light dark;background:#fdfcf9;color:#1f1d1a}"
    "body{max-width:38em;margin:0 auto;padding:28px 24px 48px;font:17px/1.55 Georgia,'Times New Roman',serif}"
    "p{margin:0 0 1em;white-space:pre-wrap;overflow-wrap:break-word}a{color:#1f4e79;overflow-wrap:anywhere}"
    "@media (prefers-color-scheme:dark){html{background:#1b1a19;color:#e8e4dc}a{color:#9cc3e6}}"
)


def text_only(text: str) -> Seen:
    """The text part as a page: its lines as they are, its addresses as links, each paragraph in its own direction."""
    text = text.replace("\0", "\ufffd").encode("utf-8", "replace").decode()
    paragraphs = [part.strip("\n") for part in re.split(r"\n[ \t]*\n", text) if part.strip()]
    body = "\n".join(f'<p dir="auto">{_linked(part)}</p>' for part in paragraphs)
    html = (
        '<!DOCTYPE html>\n<html><head><meta charset="utf-8"><meta name="color-scheme" content="light dark">'
        f'<meta name="viewport" content="width=device-width,initial-scale=1"><style>{_STYLE}</style></head>\n'
        f"<body>\n{body}\n</body></html>\n"
    )
    return Seen(html, (Taken("everything but the words: pictures, columns, colours, fonts"),))


def _linked(text: str) -> str:
    parts = []
    at = 0
    for found in _ADDRESS.finditer(text):
        address = html_escape.escape(found[0])
        parts += [html_escape.escape(text[at : found.start()]), f'<a href="{address}">{address}</a>']
        at = found.end()
    return "".join([*parts, html_escape.escape(text[at:])])
