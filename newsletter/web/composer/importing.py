"""Importing readers in the browser: a file, what its columns are, what would happen, and only then the import."""

from __future__ import annotations

import contextlib
import json
from pathlib import Path
from typing import Any, Final
from urllib.parse import parse_qs

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import FileResponse, RedirectResponse, Response
from starlette.routing import BaseRoute, Route

from newsletter.app.audience import import_readers, import_targets, propose_columns
from newsletter.app.desk import open_desk
from newsletter.errors import Conflict, NewsletterError, NotFound, UsageProblem
from newsletter.web.composer.answers import FORM_BYTES, read_form, status_of
from newsletter.web.composer.audience import BASES
from newsletter.web.composer.pages import Pages
from newsletter.web.composer.uploads import MOST_BYTES, Uploads
from newsletter.web.hardening import TooMuch, TooSlow, read_body
from newsletter.workspace.files import file_lock, sha256_hex, write_atomic
from newsletter.workspace.paths import find_workspace

_PLAN: Final = "plan.json"
_RESULT: Final = "result.json"
_REFUSED: Final = "refused.csv"
_WAIT_SECONDS: Final = 300.0
"""For the second of two clicks: as long as the first one's import takes."""
_MOST_COLUMNS: Final = 400
SUMS: Final = (
    ("added", "added"),
    ("updated", "updated"),
    ("unchanged", "unchanged"),
    ("duplicates", "in the file twice"),
    ("unsubscribed", "unsubscribed, and stay so"),
    ("suppressed", "suppressed, and stay so"),
    ("rejected", "refused"),
)


class ImportScreen:
    """The endpoints of the import."""

    def __init__(self, root: Path, pages: Pages) -> None:
        self._root = root
        self._pages = pages
        self._uploads = Uploads(find_workspace(root).state / "imports")

    def routes(self) -> list[BaseRoute]:
        """Where it is found."""
        return [
            Route("/audience/import", self.start, methods=["GET"]),
            Route("/audience/import", self.upload, methods=["POST"]),
            Route("/audience/import/{upload}", self.show, methods=["GET"]),
            Route("/audience/import/{upload}", self.dry_run, methods=["POST"]),
            Route("/audience/import/{upload}/run", self.run, methods=["POST"]),
            Route("/audience/import/{upload}/drop", self.drop, methods=["POST"]),
            Route("/audience/import/{upload}/refused.csv", self.refused, methods=["GET"]),
        ]

    async def start(self, request: Request) -> Response:
        """Choose a file."""
        await run_in_threadpool(self._uploads.prune)
        return self._start(request)

    async def upload(self, request: Request) -> Response:
        """Take the file; then the browser goes to its columns."""
        try:
            upload = await self._uploads.take(request)
        except NewsletterError as error:
            answer = self._start(request, error)
            if isinstance(error, TooMuch | TooSlow):
                answer.headers["Connection"] = "close"
            return answer
        return RedirectResponse(f"/audience/import/{upload}", status_code=303)

    async def show(self, request: Request) -> Response:
        """What the columns seem to be; after the import, what became of it."""
        return await run_in_threadpool(self._show, request)

    async def dry_run(self, request: Request) -> Response:
        """What would happen with these columns."""
        raw = await read_body(request, FORM_BYTES)
        try:
            form = parse_qs(raw.decode("ascii"), keep_blank_values=True, max_num_fields=_MOST_COLUMNS)
        except ValueError as error:
            raise UsageProblem("the body is not a form", where=request.url.path) from error
        return await run_in_threadpool(self._dry_run, request, {name: values[0] for name, values in form.items()})

    async def run(self, request: Request) -> Response:
        """Import, once, exactly what was shown."""
        form = await read_form(request)
        return await run_in_threadpool(self._run, request, form.get("plan", ""))

    async def drop(self, request: Request) -> Response:
        """Remove the file and what is known of it."""
        with contextlib.suppress(NotFound):
            await run_in_threadpool(self._uploads.remove, request.path_params["upload"])
        return RedirectResponse("/audience", status_code=303)

    async def refused(self, request: Request) -> Response:
        """The refused lines, with the reason for each."""
        try:
            path = self._uploads.folder(request.path_params["upload"]) / _REFUSED
            if not path.is_file():
                raise NotFound("no line was refused")
        except NewsletterError as error:
            return self._gone(request, error)
        return FileResponse(path, media_type="text/csv; charset=utf-8", filename=_REFUSED)

    def _start(self, request: Request, error: NewsletterError | None = None) -> Response:
        status = status_of(error) if error else 200
        return self._pages.page(request, "import.html.j2", status, error=error, most=MOST_BYTES // 1024**2)

    def _show(self, request: Request, error: NewsletterError | None = None) -> Response:
        upload = request.path_params["upload"]
        try:
            folder = self._uploads.folder(upload)
            if (folder / _RESULT).is_file():
                result = json.loads((folder / _RESULT).read_bytes())
                return self._result(request, result, plan=None)
            file = self._uploads.file(upload)
            plan = _plan_of(folder)
            with open_desk(self._root) as desk:
                proposal = propose_columns(desk, file, mapping={})
                targets = import_targets(desk)
        except NotFound as gone:
            return self._gone(request, gone)
        except NewsletterError as wrong:
            return self._start(request, wrong)
        return self._pages.page(
            request,
            "import_columns.html.j2",
            status_of(error) if error else 200,
            upload=upload,
            file=file.name,
            proposal=proposal,
            said=(plan or {}).get("mapping", {}),
            basis=(plan or {}).get("basis", ""),
            targets=targets,
            bases=BASES,
            error=error,
        )

    def _dry_run(self, request: Request, form: dict[str, str]) -> Response:
        upload = request.path_params["upload"]
        try:
            folder, file = self._uploads.folder(upload), self._uploads.file(upload)
            with open_desk(self._root) as desk:
                columns = propose_columns(desk, file, mapping={}).columns
                mapping = {c.name: form.get(f"c{number}", c.target) for number, c in enumerate(columns) if c.name}
                basis = form.get("basis", "").strip()
                plan = json.dumps({"mapping": mapping, "basis": basis})
                write_atomic(folder / _PLAN, plan, mode=0o600)
                if not basis:
                    raise UsageProblem("nobody is imported without a reason", fix="say why you may write to them")
                found = import_readers(
                    desk, file, mapping=mapping, basis=basis, rejects=folder / _REFUSED, dry_run=True
                ).as_row()
        except NotFound as gone:
            return self._gone(request, gone)
        except NewsletterError as error:
            return self._show(request, error)
        return self._result(request, {**found, "file": file.name, "basis": basis}, plan=sha256_hex(plan.encode()))

    def _run(self, request: Request, asked: str) -> Response:
        upload = request.path_params["upload"]
        try:
            folder = self._uploads.folder(upload)
            with file_lock(folder / "lock", timeout=_WAIT_SECONDS):
                if not (folder / _RESULT).is_file():
                    self._import(upload, folder, asked)
        except NotFound as gone:
            return self._gone(request, gone)
        except NewsletterError as error:
            return self._show(request, error)
        return RedirectResponse(f"/audience/import/{upload}", status_code=303)

    def _import(self, upload: str, folder: Path, asked: str) -> None:
        plan = _plan_of(folder)
        if plan is None or sha256_hex((folder / _PLAN).read_bytes()) != asked:
            raise Conflict("the columns were changed after this was shown; nothing was imported", fix="look again")
        file = self._uploads.file(upload)
        with open_desk(self._root) as desk:
            done = import_readers(
                desk, file, mapping=plan["mapping"], basis=plan["basis"], rejects=folder / _REFUSED
            ).as_row()
        # Were we killed before this line: the same lines once more are unchanged readers.
        result = {**done, "file": file.name, "basis": plan["basis"], "rejects": None}
        write_atomic(folder / _RESULT, json.dumps(result), mode=0o600)
        self._uploads.remove_file(upload)

    def _result(self, request: Request, result: dict[str, Any], *, plan: str | None) -> Response:
        return self._pages.page(
            request,
            "import_result.html.j2",
            upload=request.path_params["upload"],
            result=result,
            sums=[(words, result[name]) for name, words in SUMS if result[name] or name == "added"],
            plan=plan,
        )

    def _gone(self, request: Request, error: NewsletterError) -> Response:
        return self._pages.problem(request, status_of(error), what=error.what, where=None, fix=error.fix)


def _plan_of(folder: Path) -> dict[str, Any] | None:
    path = folder / _PLAN
    found: dict[str, Any] | None = json.loads(path.read_bytes()) if path.is_file() else None
    return found
