"""A workspace with a real database, readers, an approved issue, and providers that do as they are told."""

from __future__ import annotations

import json
import shutil
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import insert

from newsletter.delivery import mailings
from newsletter.delivery.approval import Approval, MessageFacts, freeze
from newsletter.delivery.events import Applied, apply_events
from newsletter.delivery.mailings import Mailing
from newsletter.delivery.ports import Batch, Capabilities, Event, Outcome, Result, Wire
from newsletter.delivery.run_due import Work, run_due
from newsletter.delivery.schedule import SendAt
from newsletter.delivery.sender import Timing
from newsletter.models import Email, MergeField
from newsletter.store.clock import from_us
from newsletter.store.engine import Store, open_store
from newsletter.store.ids import new_public_id
from newsletter.store.tables import subscriber
from newsletter.workspace.keys import Keys, create_keys, load_keys
from newsletter.workspace.paths import Workspace
from newsletter.workspace.settings import Config, Publication, Sender, Site
from newsletter.workspace.settings import Provider as ProviderSettings

SLUG = "2026-11-27"
SECOND = 1_000_000
START = int(datetime(2026, 11, 27, 7, 0, tzinfo=UTC).timestamp()) * SECOND


@dataclass
class Clock:
    """Time that passes only when somebody sleeps, or when a test says so."""

    us: int = START
    ticks: float = 0.0
    slept: list[float] = field(default_factory=list)

    def now(self) -> int:
        return self.us

    def sleep(self, seconds: float) -> None:
        assert seconds >= 0
        self.slept.append(seconds)
        self.pass_by(seconds)

    def pass_by(self, seconds: float) -> None:
        self.us += int(seconds * SECOND)
        self.ticks += seconds

    @property
    def timing(self) -> Timing:
        return Timing(now=self.now, monotonic=lambda: self.ticks, sleep=self.sleep, dice=lambda: 0.5)


class Scripted:
    """A provider that remembers what it was given and answers each recipient with ``answer(address, count)``.

    ``count`` is how many times this address was submitted before. An exception as an answer is raised.
    """

    def __init__(
        self,
        answer: Callable[[str, int], Outcome | Result | BaseException | None] = lambda _a, _n: Outcome.ACCEPTED,
        *,
        before: Callable[[Batch], None] = lambda _batch: None,
        **capabilities: object,
    ) -> None:
        values = {"name": "scripted", "max_batch": 3, "local": True, **capabilities}
        self._capabilities = Capabilities(**values)
        self._answer = answer
        self._before = before
        self._lock = threading.Lock()
        self.batches: list[Batch] = []
        self.closed = False

    @property
    def capabilities(self) -> Capabilities:
        return self._capabilities

    @property
    def addresses(self) -> list[str]:
        return [recipient.address for batch in self.batches for recipient in batch.recipients]

    def submit(self, batch: Batch) -> list[Result]:
        self._before(batch)
        with self._lock:
            seen = self.addresses
            self.batches.append(batch)
        results = []
        for recipient in batch.recipients:
            answer = self._answer(recipient.address, seen.count(recipient.address))
            if isinstance(answer, BaseException):
                raise answer
            if isinstance(answer, Outcome):
                answer = Result(recipient.key, answer, f"said {answer}", provider_id=f"id-{recipient.key[:6]}")
            if answer is not None:
                results.append(replace(answer, key=recipient.key))
        return results

    def preview(self, batch: Batch) -> list[Wire]:
        return []

    def parse_events(self, raw: bytes, headers: Mapping[str, str]) -> list[Event]:
        return []

    def check(self) -> Sequence[str]:
        return []

    def close(self) -> None:
        self.closed = True


@dataclass
class Bench:
    """Everything a test of delivery works with."""

    ws: Workspace
    store: Store
    keys: Keys
    config: Config
    clock: Clock
    approval: Approval | None = None

    def readers(self, count: int, *, start: int = 0) -> list[str]:
        """Subscribe ``reader0@…`` and so on; their addresses."""
        rows = []
        for n in range(start, start + count):
            address = f"reader{n}@mail.test"
            rows.append(
                {
                    "public_id": new_public_id(),
                    "address": address,
                    "address_key": address,
                    "status": "subscribed",
                    "attributes": json.dumps({"first_name": f"N{n}"}),
                    "created_at": START,
                    "updated_at": START,
                }
            )
        if rows:
            with self.store.write() as conn:
                conn.execute(insert(subscriber), rows)
        return [row["address"] for row in rows]

    def approve(self, *, slug: str = SLUG, html: str = "<p>nlf0001q</p>", site: str | None = None) -> Approval:
        """Freeze a small issue."""
        folder = self.ws.issue_dir(slug)
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "issue.md").write_text(f"---\nsubject: {slug}\n---\n")
        email = Email(
            slug, "Tides", "pre", html, "nlf0002q", "en", "ltr", "weekly",
            fields=(
                MergeField("nlf0001q", "first_name", "reader", "html"),
                MergeField("nlf0002q", "first_name", "reader", "text"),
            ),
        )  # fmt: skip
        facts = MessageFacts("The Estuary", "desk@estuary.test", "<l.estuary.test>", site_url=site)
        self.approval = freeze(self.ws, email, facts, approver="ada", now=from_us(self.clock.us), zone="UTC")
        return self.approval

    def scheduled(
        self, *, slug: str = SLUG, provider: str = "scripted", in_seconds: float = 0, **kw: object
    ) -> Mailing:
        """Approve an issue and schedule it for now."""
        approval = self.approve(slug=slug, **kw)
        at = self.clock.us + int(in_seconds * SECOND)
        when = SendAt(from_us(at), from_us(at).strftime("%Y-%m-%dT%H:%M"), "UTC")
        made, _ = mailings.schedule(
            self.store, issue=slug, digest=approval.digest, provider=provider, send_at=when, actor="ada",
            now=self.clock.us,
        )  # fmt: skip
        return made

    def work(self, provider: Scripted, /, **changes: object) -> Work:
        """What ``run_due`` takes."""
        values = {
            "store": self.store,
            "workspace": self.ws,
            "config": self.config,
            "keys": self.keys,
            "provider": lambda: provider,
            "timing": self.clock.timing,
            **changes,
        }
        return Work(**values)

    def states(self, slug: str = SLUG) -> dict[str, int]:
        """The tally of the issue's newest mailing."""
        from newsletter.delivery import ledger

        found = mailings.latest(self.store, slug)
        assert found is not None
        with self.store.read() as conn:
            return ledger.counts(conn, found.id)

    def mailing(self, slug: str = SLUG) -> Mailing:
        found = mailings.latest(self.store, slug)
        assert found is not None
        return found

    def rows(self, sql: str) -> list[tuple[object, ...]]:
        with self.store.read() as conn:
            return [tuple(row) for row in conn.exec_driver_sql(sql)]


@pytest.fixture(scope="session")
def empty_database(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Made by the migrations once; each test gets a copy."""
    path = tmp_path_factory.mktemp("database") / "newsletter.db"
    open_store(path).close()
    return path


@pytest.fixture
def bench(tmp_path: Path, empty_database: Path) -> Iterator[Bench]:
    ws = Workspace(tmp_path / "weekly")
    ws.root.mkdir()
    ws.config_file.write_text(
        '[publication]\nname = "The Estuary"\ntimezone = "UTC"\npostal_address = "1 Quay Row, Saltmarsh"\n'
    )
    create_keys(ws)
    shutil.copy(empty_database, ws.database)
    config = Config(
        publication=Publication(name="The Estuary", timezone="UTC", postal_address="1 Quay Row, Saltmarsh SM1 2AB"),
        sender=Sender(name="The Estuary", email="desk@estuary.test"),
        site=Site(url="https://estuary.test"),
        provider=ProviderSettings(name="scripted"),
    )
    with open_store(ws.database) as store:
        yield Bench(ws, store, load_keys(ws), config, Clock())


@pytest.fixture
def scripted() -> type[Scripted]:
    return Scripted


class Told:
    """A sent mailing and a provider's later words about it."""

    def __init__(self, bench: Any) -> None:
        self.bench = bench

    def key(self, address: str) -> str:
        return str(self.bench.rows(f"select public_id from delivery where address = '{address}'")[0][0])

    def event(self, address: str, kind: str, *, after: float = 60, **more: Any) -> Event:
        return Event(self.key(address), kind, self.bench.clock.us + int(after * SECOND), **more)  # type: ignore[arg-type]  # words of the tests

    def apply(self, *events: Event) -> Applied:
        return apply_events(
            self.bench.store, events, provider="sendgrid", keys=self.bench.keys, now=self.bench.clock.us + 90 * SECOND
        )

    def state(self, address: str) -> tuple[str, str | None]:
        (row,) = self.bench.rows(f"select state, reason from delivery where address = '{address}'")
        return row

    def suppressed(self) -> list[tuple[str, str]]:
        return self.bench.rows("select reason, source from suppression order by id")


@pytest.fixture
def told(bench: Bench) -> Told:
    return Told(bench)


@pytest.fixture
def sent(bench: Bench, scripted: Callable[..., Any]) -> Callable[..., None]:
    """Send an issue to ``count`` readers through a provider that answers as it is told."""

    def send(count: int = 4, answer: Any = lambda _a, _n: Outcome.ACCEPTED) -> None:
        bench.readers(count)
        bench.scheduled()
        report = run_due(bench.work(scripted(answer)))
        assert report.error is None

    return send
