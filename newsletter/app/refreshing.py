"""Refreshing sources: all that are due, several hosts at once, each stored by itself; fit for cron."""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from sqlalchemy import update

from newsletter import __version__
from newsletter.app.desk import Desk
from newsletter.app.failing import failing, sentence_of
from newsletter.app.words import plural
from newsletter.articles.derived import bring_up_to_date
from newsletter.articles.sources import shelf
from newsletter.articles.sources.looking import Found, Look
from newsletter.articles.sources.settling import Settled, settle
from newsletter.articles.sources.shelf import Source
from newsletter.articles.sources.timing import after_failure
from newsletter.errors import Busy, ConfigurationError, Interrupted
from newsletter.net.polite import PER_HOST, Gate
from newsletter.store.clock import from_us, now_us
from newsletter.store.tables import source as rows
from newsletter.workspace.config import resolve_secret
from newsletter.workspace.files import file_lock
from newsletter.workspace.settings import Config, SecretRef

DEADLINE = 240.0
"""Seconds for a whole refresh; what is not asked by then is asked by the next one."""
MOST_AT_ONCE = 256
"""Hosts that are asked at the same time."""


@dataclass(slots=True)
class SourcesRefreshed:
    """What a refresh did. ``busy``: another one is at work, and this one did nothing."""

    sources: list[Settled] = field(default_factory=list)
    not_due: int = 0
    busy: bool = False
    alerts: list[str] = field(default_factory=list)

    @property
    def added(self) -> list[str]:
        """The slugs of everything that came in."""
        return [slug for settled in self.sources for slug in settled.added]

    @property
    def failed(self) -> list[Settled]:
        """The sources that could not be had."""
        return [settled for settled in self.sources if settled.state in ("failed", "gone")]

    def lines(self) -> list[str]:
        """What is worth saying, a line for each source that did something, and a sum."""
        if self.busy:
            return ["Another refresh is at work; this one did nothing."]
        lines = []
        for one in self.sources:
            lines += line_of(one)
        late = sum(one.state == "late" for one in self.sources)
        parts = [plural(len(self.added), "new story", "new stories"), f"from {plural(len(self.sources), 'source')}"]
        parts += [f"; {len(self.failed)} failed"] if self.failed else []
        parts += [f"; {late} not asked for want of time"] if late else []
        parts += [f"; {self.not_due} not due yet"] if self.not_due else []
        return [*lines, " ".join(parts).replace(" ;", ";") + "."]


def line_of(one: Settled) -> list[str]:
    """What happened at one source; nothing when nothing did."""
    if one.state in ("failed", "gone"):
        return [f"{one.name}: {one.reason}" + (f"  ({one.fix})" if one.fix else "")]
    said = [plural(len(one.added), "new story", "new stories")] if one.added else []
    said += [f"{plural(one.known, 'story', 'stories')} in the inbox already"] if one.known else []
    said += [f"{plural(one.changed, 'story', 'stories')} changed at the source"] if one.changed else []
    head = [f"{one.name}: {', '.join(said)}"] if said else []
    notes = [f"  {note}" if head else f"{one.name}: {note}" for note in one.notes]
    return head + notes


def refresh_sources(
    desk: Desk,
    names: Sequence[str] = (),
    *,
    stop: Callable[[], bool] = lambda: False,
    deadline: float = DEADLINE,
    at_once: int = MOST_AT_ONCE,
) -> SourcesRefreshed:
    """Ask the named sources, or all that are due, and put what is new into the inbox.

    A source that fails is a state, never an error, and holds up no other. Each is stored in one transaction. While
    another refresh is at work nothing is done (``busy``). Raises NotFound for a name, and Interrupted after a SIGTERM,
    when the answers in hand have been stored.
    """
    try:
        with file_lock(desk.workspace.locks / "sources.lock"):
            return _refresh(desk, names, stop, deadline, at_once)
    except Busy:
        return SourcesRefreshed(busy=True)


def _refresh(
    desk: Desk, names: Sequence[str], stop: Callable[[], bool], deadline: float, at_once: int
) -> SourcesRefreshed:  # fmt: skip
    now = now_us()
    if names:
        chosen = [shelf.get_source(desk.store, name) for name in dict.fromkeys(names)]
        report = SourcesRefreshed()
    else:
        everything = shelf.list_sources(desk.store)
        chosen = [source for source in everything if source.state == "on" and due(source, now)]
        report = SourcesRefreshed(not_due=sum(source.state == "on" for source in everything) - len(chosen))
    bring_up_to_date(desk.store)  # look-alikes are found by what is derived
    gate = Gate(deadline=deadline, user_agent=user_agent(desk.config))
    results: queue.SimpleQueue[Found | BaseException] = queue.SimpleQueue()
    for lane in _lanes(chosen, at_once):
        threading.Thread(target=_work, args=(desk, lane, gate, results), daemon=True, name="newsletter-source").start()
    fault: BaseException | None = None
    try:
        for _ in chosen:
            found = _next(results, stop, gate)
            if isinstance(found, BaseException):
                fault = fault or found
            else:
                report.sources.append(settle(desk.store, found))
    finally:
        gate.stop()
    if fault is not None:
        raise fault
    report.sources.sort(key=lambda one: one.name)
    report.alerts = _alerts(desk)
    return report


def due(source: Source, now: int) -> bool:
    """Whether a source may be asked again; one that was asked in the future was asked by a wrong clock."""
    return source.next_try_at <= now or (source.checked_at or 0) > now


def _next(
    results: queue.SimpleQueue[Found | BaseException], stop: Callable[[], bool], gate: Gate
) -> Found | BaseException:  # fmt: skip
    while True:
        if stop():
            gate.stop()
            raise Interrupted("stopped; what was stored stays", fix="newsletter source refresh goes on")
        try:
            return results.get(timeout=0.1)
        except queue.Empty:
            continue


def _lanes(sources: Iterable[Source], at_once: int) -> list[list[Source]]:
    """The sources in groups that are asked one after the other: at most two groups for a host, ``at_once`` in all."""
    hosts: dict[str, list[Source]] = {}
    for source in sources:
        hosts.setdefault(urlsplit(source.url).hostname or "", []).append(source)
    lanes = [mine for listed in hosts.values() for n in range(PER_HOST) if (mine := listed[n::PER_HOST])]
    return [[source for lane in lanes[n::at_once] for source in lane] for n in range(min(at_once, len(lanes)))]


def _work(
    desk: Desk, sources: Sequence[Source], gate: Gate, results: queue.SimpleQueue[Found | BaseException]
) -> None:  # fmt: skip
    for source in sources:
        try:
            results.put(_look(desk, source, gate))
        except BaseException as fault:  # noqa: BLE001 - it is raised in the thread that waits; the others go on
            results.put(fault)


def _look(desk: Desk, source: Source, gate: Gate) -> Found:
    now = from_us(now_us())
    try:
        key = key_of(desk, source)
    except ConfigurationError as wrong:
        when = after_failure(now, source.failures + 1, {})
        return Found(source, "failed", now, next_try=when, reason=wrong.what, fix=wrong.fix)
    with desk.store.read() as conn:
        memory = shelf.memory_of(conn, source)
    return Look(source, memory, ws=desk.workspace, config=desk.config, gate=gate, now=now, key=key).run()


def key_of(desk: Desk, source: Source) -> str | None:
    """The key of a source's CMS, from the environment or a file. Raises ConfigurationError."""
    return None if source.key_ref is None else read_key(desk, source.key_ref, source.name)


def read_key(desk: Desk, reference: str, name: str) -> str:
    """The key behind ``env=NAME`` or ``file=PATH``."""
    kind, _, where = reference.partition("=")
    ref = SecretRef(env=where) if kind == "env" else SecretRef(file=where)
    return resolve_secret(desk.workspace, ref, f"source {name}: key")


def user_agent(config: Config) -> str:
    """Who asks, so that whoever runs the other server can write to somebody."""
    contact = config.site.url or (f"mailto:{config.sender.email}" if config.sender.email else "")
    fine = contact.isascii() and contact.isprintable() and " " not in contact
    return f"newsletter/{__version__}" + (f" (+{contact})" if contact and fine else "")


def _alerts(desk: Desk) -> list[str]:
    """What has been failing for days, each told once until it is well again."""
    lines = []
    for row in failing(desk):
        if row.told_at is None:
            lines.append(sentence_of(row))
            with desk.store.write() as conn:
                conn.execute(update(rows).where(rows.c.id == row.id).values(told_at=now_us()))
    return lines
