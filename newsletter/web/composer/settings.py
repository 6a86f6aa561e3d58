"""The settings as forms, one for each table of ``newsletter.toml``; and who did what."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import BaseRoute, Route

from newsletter.app import settings as app_settings
from newsletter.app.desk import open_desk
from newsletter.app.settings import AllSettings
from newsletter.app.trail import read_trail
from newsletter.errors import ConfigurationError, Conflict, NewsletterError, SettingsRefused
from newsletter.web.composer.answers import read_form, status_of
from newsletter.web.composer.pages import Pages
from newsletter.web.composer.settingforms import Field, changed, field_of, filled, parts, wrong_key

_SHOWN: Final = 100


class SettingsScreen:
    """The endpoints of the settings and of the trail."""

    def __init__(self, root: Path, pages: Pages) -> None:
        self._root = root
        self._pages = pages

    def routes(self) -> list[BaseRoute]:
        """Where it is found."""
        return [
            Route("/settings", self.show, methods=["GET"]),
            Route("/settings", self.save, methods=["POST"]),
            Route("/settings/trail", self.trail, methods=["GET"]),
        ]

    async def show(self, request: Request) -> Response:
        """Every setting."""
        return await run_in_threadpool(self._page, request)

    async def save(self, request: Request) -> Response:
        """Change the settings of one form, all of them or none."""
        form = await read_form(request, most=200)

        def run() -> Response:
            try:
                with open_desk(self._root) as desk:
                    values = changed(app_settings.read_settings(desk), form)
                    if values:
                        app_settings.change(desk, values, expected=form.get("expected"))
            except SettingsRefused as error:
                return self._page(request, form=form, error=error, errors=error.errors)
            except ConfigurationError as error:
                key = wrong_key(error)
                return self._page(request, form=form, error=error, errors={key: error} if key else {})
            except NewsletterError as error:
                return self._page(request, form=form, error=error)
            group = form.get("group", "")
            if not group.isidentifier():
                group = ""
            return RedirectResponse(f"/settings?saved={group}#{group}", status_code=303)

        return await run_in_threadpool(run)

    def _page(
        self,
        request: Request,
        *,
        form: Mapping[str, str] | None = None,
        error: NewsletterError | None = None,
        errors: Mapping[str, ConfigurationError] | None = None,
    ) -> Response:
        try:
            with open_desk(self._root) as desk:
                settings = app_settings.read_settings(desk)
                people = [(person.label, person.email, person.role) for person in desk.config.composer.people]
        except NewsletterError as wrong:
            fix = wrong.fix or "correct newsletter.toml with a text editor"
            return self._pages.problem(request, status_of(wrong), what=wrong.what, where=wrong.where, fix=fix)
        clash = isinstance(error, Conflict)
        fields = _fields(settings, form or {}, errors or {}, clash=clash)
        group = (form or {}).get("group", "")
        if group not in (g.name for g in settings.groups):
            group = ""
        return self._pages.page(
            request,
            "settings.html.j2",
            _status(error),
            groups=[(g, parts(g, fields)) for g in settings.groups],
            sha256=settings.sha256,
            people=people,
            saved=request.query_params.get("saved"),
            error=error,
            wrong=group,
            clashes=_clashes(fields, form or {}) if clash else [],
            form=form or {},
        )

    async def trail(self, request: Request) -> Response:
        """Who did what, the newest first."""
        before = request.query_params.get("before", "")
        number = int(before) if before.isascii() and before.isdigit() and len(before) < 19 else None

        def run() -> Response:
            with open_desk(self._root) as desk:
                found: dict[str, Any] = read_trail(desk, limit=_SHOWN, before=number).as_row()
            events = found["events"][::-1]
            return self._pages.page(
                request,
                "trail.html.j2",
                events=events,
                zone=found["zone"],
                before=found["before"],
                first=number is None,
            )

        return await run_in_threadpool(run)


def _status(error: NewsletterError | None) -> int:
    if error is None:
        return 200
    # What was typed cannot be, which is no fault of the server's.
    return 422 if isinstance(error, ConfigurationError) else status_of(error)


def _fields(
    settings: AllSettings, form: Mapping[str, str], errors: Mapping[str, ConfigurationError], *, clash: bool
) -> dict[str, Field]:
    fields = {s.key: field_of(s) for group in settings.groups for s in group.settings}
    if not form or clash:
        return fields
    # A secret that was typed where its name belongs is not sent back.
    return {key: field if field.setting.kind == "secret" and key in errors else filled(field, form, errors)
            if key in form else field for key, field in fields.items()}  # fmt: skip


def _clashes(fields: Mapping[str, Field], form: Mapping[str, str]) -> list[tuple[Field, str]]:
    """The keys that this form would have changed, with what it says."""
    typed = {key: form[key].replace("\r\n", "\n") for key in fields if key in form}
    return [
        (fields[key], text)
        for key, text in typed.items()
        if text != form.get(f"{key}.was", "").replace("\r\n", "\n") or form.get(f"{key}.place")
    ]
