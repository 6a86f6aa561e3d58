"""The pages for readers as HTML: no script, one style sheet inside, in the publication's language and its colours."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup
from starlette.responses import HTMLResponse

if TYPE_CHECKING:
    from newsletter.app.public import ReaderPage
    from newsletter.app.publicdesk import Look, PublicDesk

FOLDER = Path(__file__).with_name("pages")
About = Literal["link", "test", "copy", "missing", "later"]
_STATUS: Mapping[About, int] = {"link": 404, "test": 200, "copy": 200, "missing": 404, "later": 503}


class Pages:
    """Makes each page for the publication as it is configured now."""

    def __init__(self, public: PublicDesk) -> None:
        self._public = public
        self._environment = Environment(
            loader=FileSystemLoader(FOLDER),
            autoescape=True,
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
            auto_reload=False,
        )

    def reader(self, reader: ReaderPage, *, again: str, asked: bool = False, status: int = 200) -> HTMLResponse:
        """A reader's own page. ``again`` is the token by which they can come back; ``asked``: nothing is done yet."""
        return self._page("reader.html.j2", status, reader=reader, again=again, asked=asked)

    def notice(self, about: About, status: int | None = None) -> HTMLResponse:
        """A page that is the same for everybody; ``status`` where it is not the usual one."""
        return self._page("notice.html.j2", status or _STATUS[about], about=about)

    def _page(self, template: str, status: int, **values: Any) -> HTMLResponse:
        look = self._public.look
        style, source = _style(look)
        html = self._environment.get_template(template).render(look=look, t=self._public.words, style=style, **values)
        policy = f"default-src 'none'; style-src {source}; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
        return HTMLResponse(html, status_code=status, headers={"Content-Security-Policy": policy})


def _style(look: Look) -> tuple[Markup, str]:
    return _styled(tuple(sorted(look.tokens.items())))


@lru_cache(maxsize=8)
def _styled(tokens: tuple[tuple[str, str], ...]) -> tuple[Markup, str]:
    """The style sheet in the theme's colours, and the source expression (CSP Level 3) that allows it and no other."""
    light = {name: value for name, value in tokens if not name.endswith("_dark")}
    dark = {name.removesuffix("_dark"): value for name, value in tokens if name.endswith("_dark")}
    css = (
        f":root{{color-scheme:light dark;{_properties(light)}}}"
        f"@media (prefers-color-scheme:dark){{:root{{{_properties(dark)}}}}}"
        + (FOLDER / "page.css").read_text(encoding="utf-8")
    )
    digest = base64.b64encode(hashlib.sha256(css.encode()).digest()).decode("ascii")
    # Our own file, and values that PublicDesk has checked: nothing in them ends a style element.
    return Markup(css), f"'sha256-{digest}'"  # noqa: S704  # see the line above


def _properties(values: Mapping[str, str]) -> str:
    return "".join(f"--{name.replace('_', '-')}:{value};" for name, value in values.items())
