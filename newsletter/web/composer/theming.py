"""A theme's colours, type and sizes, beside an issue that shows them at once; saved in the workspace's theme.toml."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, RedirectResponse, Response
from starlette.routing import BaseRoute, Route

from newsletter.app.desk import Desk, open_desk
from newsletter.app.issues import list_issues
from newsletter.app.preview import Preview, preview_theme
from newsletter.app.themes import list_themes
from newsletter.app.tokens import Token, Tokens, change_tokens, read_tokens, try_tokens
from newsletter.errors import ConfigurationError, Conflict, NewsletterError, NotFound, SettingsRefused
from newsletter.web import mailview
from newsletter.web.composer.answers import as_json, read_form, status_of
from newsletter.web.composer.pages import Pages

_MOST: Final = 150
_DARK: Final = "_dark"


@dataclass(frozen=True, slots=True)
class Pair:
    """A colour on light screens and its twin on dark ones, where there is one."""

    light: Token
    dark: Token | None


def pairs(tokens: Sequence[Token]) -> list[Pair]:
    """The colours, each with its dark twin."""
    named = {token.name: token for token in tokens}
    return [
        Pair(token, named.get(f"{token.name}{_DARK}"))
        for token in tokens
        if token.kind == "colour" and not (token.dark and token.name.removesuffix(_DARK) in named)
    ]


def asked(values: Mapping[str, str], tokens: Tokens) -> dict[str, str]:
    """The values of a form or query that differ from what holds now. A browser writes colours in small letters."""
    now = {token.name: token for token in tokens.tokens}
    return {
        name: value.upper() if now[name].kind == "colour" else value
        for name, value in values.items()
        if name in now and value.casefold() != now[name].value.casefold()
    }


class ThemeScreen:
    """The endpoints of the screen."""

    def __init__(self, root: Path, pages: Pages) -> None:
        self._root = root
        self._pages = pages
        # Its pictures are the same whatever the colours are.
        self._shown: Preview | None = None

    def routes(self) -> list[BaseRoute]:
        """Where it is found."""
        return [
            Route("/settings/theme", self.show, methods=["GET"]),
            Route("/settings/theme", self.save, methods=["POST"]),
            Route("/settings/theme/judge", as_json(self.judge), methods=["GET"]),
            Route("/settings/theme/mail.html", self.mail, methods=["GET"]),
            Route("/settings/theme/media/{name}", self.picture, methods=["GET"]),
        ]

    async def show(self, request: Request) -> Response:
        """The page."""
        return await run_in_threadpool(self._page, request)

    async def save(self, request: Request) -> Response:
        """Change the theme. ``default`` names a token that goes back to what it is without the workspace."""
        form = await read_form(request, most=_MOST)
        name = form.get("theme") or None

        def run() -> Response:
            try:
                with open_desk(self._root) as desk:
                    now = read_tokens(desk, name)
                    typed = {**form, **{t.name: t.default for t in now.tokens if form.get("default") == t.name}}
                    defaults = {token.name: token.default for token in now.tokens}
                    values: dict[str, str | None] = {
                        token: None if value == defaults[token] else value for token, value in asked(typed, now).items()
                    }
                    if values:
                        change_tokens(desk, name, values, expected=form.get("expected"))
            except NewsletterError as error:
                return self._page(request, form=form, error=error)
            return RedirectResponse(f"/settings/theme?theme={now.theme}&saved=1", status_code=303)

        return await run_in_threadpool(run)

    async def judge(self, request: Request) -> Response:
        """What could not be read with these tokens, and which of them cannot be."""
        query = dict(request.query_params)

        def work() -> dict[str, Any]:
            with open_desk(self._root) as desk:
                name = query.get("theme") or None
                tried = try_tokens(desk, name, asked(query, read_tokens(desk, name)))
            return {
                "warnings": tried.warnings,
                "errors": {
                    token: f"{error.what}: {error.fix}" if error.fix else error.what
                    for token, error in tried.errors.items()
                },
            }

        return JSONResponse(await run_in_threadpool(work))

    async def mail(self, request: Request) -> Response:
        """An issue with these tokens; what cannot be is left as it is."""
        query = dict(request.query_params)

        def work() -> Response:
            with open_desk(self._root) as desk:
                tokens = read_tokens(desk, query.get("theme") or None)
                tried = try_tokens(desk, tokens.theme, asked(query, tokens))
                slug = _example(desk)
            if slug is None:
                raise NotFound("there is no issue to show", fix="make one")
            self._shown = preview_theme(self._root, slug, tokens.theme, tried.tokens)
            return mailview.mail_html(request, self._shown, "/settings/theme/media/")

        try:
            return await run_in_threadpool(work)
        except NewsletterError as error:
            return PlainTextResponse(str(error), status_code=status_of(error))

    async def picture(self, request: Request) -> Response:
        """A picture of that issue."""
        if self._shown is None:
            return PlainTextResponse("No mail is shown yet.", status_code=404)
        try:
            return await run_in_threadpool(mailview.picture, request, self._shown)
        except NotFound as error:
            return PlainTextResponse(str(error), status_code=404)

    def _page(
        self, request: Request, *, form: Mapping[str, str] | None = None, error: NewsletterError | None = None
    ) -> Response:
        form = form or {}
        name = form.get("theme") or request.query_params.get("theme") or None
        try:
            with open_desk(self._root) as desk:
                tokens = read_tokens(desk, name)
                typed = asked(form, tokens)
                warnings = try_tokens(desk, name, typed).warnings
                names = [theme for theme, _ in list_themes(desk)]
                example = _example(desk)
                current = desk.config.publication.theme
        except NewsletterError as wrong:
            return self._pages.problem(request, status_of(wrong), what=wrong.what, where=wrong.where, fix=wrong.fix)
        status = 200 if error is None else 422 if isinstance(error, ConfigurationError) else status_of(error)
        return self._pages.page(
            request,
            "theme.html.j2",
            status,
            tokens=tokens,
            pairs=pairs(tokens.tokens),
            others=[token for token in tokens.tokens if token.kind != "colour"],
            now={token.name: typed.get(token.name, token.value) for token in tokens.tokens},
            warnings=warnings,
            names=names,
            current=current,
            example=example,
            error=error,
            clash=isinstance(error, Conflict),
            errors=error.errors if isinstance(error, SettingsRefused) else {},
            saved=request.query_params.get("saved") == "1",
        )


def _example(desk: Desk) -> str | None:
    """The newest issue that has a story to show."""
    rows = [row for row in list_issues(desk) if row.stories and not row.problem]
    newest = max(rows, key=lambda row: (row.date is not None, str(row.date or "")), default=None)
    return None if newest is None else newest.slug
