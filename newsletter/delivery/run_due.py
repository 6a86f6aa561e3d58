"""What cron calls every minute: send whatever is due. Idempotent, safe to overlap, silent when nothing is due.

Each mailing has its own lock, held from the first guard to the last record, so a bulletin never waits behind a
weekly. The plan lock is held only while an audience is being frozen. What is locked is being worked on by
somebody else and is skipped; only if that somebody shows no sign of life for a quarter of an hour is it reported.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING

from newsletter.delivery import audit, breaker, evidence, guards, installation, ledger, mailings, reputation, undo
from newsletter.delivery import begun as begun_before
from newsletter.delivery.addressing import addresser
from newsletter.delivery.approval import Approval, load_approval, outgoing_from_approval
from newsletter.delivery.approvers import require_all
from newsletter.delivery.gate import Rest, gate_of, rest_of
from newsletter.delivery.ledger import Recovered
from newsletter.delivery.mailings import Mailing
from newsletter.delivery.marks import Mark
from newsletter.delivery.outcomes import LONGEST
from newsletter.delivery.pace import pace_of
from newsletter.delivery.plan import plan
from newsletter.delivery.ports import Provider
from newsletter.delivery.retractions import retractions_of
from newsletter.delivery.sender import Sender, Sent, Timing
from newsletter.delivery.watch import UNWATCHED, Waiting, Watch
from newsletter.errors import BadData, Busy, GuardRefused, IllegalState, Interrupted, NewsletterError
from newsletter.workspace.files import file_lock
from newsletter.workspace.keys import Keys
from newsletter.workspace.paths import Workspace
from newsletter.workspace.settings import Config

if TYPE_CHECKING:
    from newsletter.store.engine import Store

STALE_SECONDS = 15 * 60
_SECOND = 1_000_000
_PLAN_WAIT = 60.0
_REAL = Timing()


@dataclass(frozen=True, slots=True)
class Work:
    """What sending needs. ``provider`` is called only when something is due, and again after a canary was waited for.

    ``last_run`` is when ``run_due`` was called before (microseconds; 0: never, or nobody knows).
    ``wait`` is how many seconds to wait for later retries before coming back; cron does not wait. ``preflight`` looks
    at what readers will ask our servers for, before a real mailing's first mail, and refuses by ``GuardRefused``.
    """

    store: Store
    workspace: Workspace
    config: Config
    keys: Keys
    provider: Callable[[], Provider]
    stop: Callable[[], bool] = lambda: False
    watch: Watch = UNWATCHED
    timing: Timing = _REAL
    wait: float = 0.0
    last_run: int = 0
    preflight: Callable[[Approval], None] = lambda _approval: None


@dataclass(frozen=True, slots=True)
class MailingRun:
    """What happened to one mailing: its state now, why it was held or paused, and its tally.

    ``rests``: for what it rests and until when, in words; ``warning``: what its readers' complaints threaten it with.
    """

    issue: str
    state: str
    reason: str | None = None
    counts: dict[str, int] = field(default_factory=dict)
    recovered: Recovered = Recovered(0, 0)  # noqa: RUF009 - frozen, so sharing one is safe
    next_try_at: int | None = None
    rests: str | None = None
    warning: str | None = None

    @property
    def needs_editor(self) -> bool:
        """Held, paused, or with deliveries that failed or that nobody can know about."""
        return self.state in {"held", "paused"} or any(self.counts.get(s) for s in ("failed", "uncertain"))


@dataclass(slots=True)
class RunReport:
    """What one call did; nothing due: nothing. After printing the runs, raise ``error`` if there is one."""

    runs: list[MailingRun] = field(default_factory=list)
    error: NewsletterError | None = None

    @property
    def needs_editor(self) -> bool:
        """Whether somebody must look at one of the mailings."""
        return any(run.needs_editor for run in self.runs)


def run_due(work: Work) -> RunReport:
    """Take up unfinished mailings, then those whose time has come, in the order of their times.

    One that is held or fails does not stop the next; the first error is in the report (``Interrupted`` after a
    stop, ``Busy`` when a locked mailing has been silent for too long, whatever the provider's factory raised).
    """
    report = RunReport()
    settle_leftovers(work)
    with _provider_once(work) as provider:
        for mailing in mailings.due(work.store, work.timing.now()):
            waits = undo.waits(mailing, work.config, work.timing.now()) or _rest(work, mailing)
            if waits or _only_later(work, mailing):
                continue
            try:
                _heed(work)
                run = _one(work, mailing, provider)
            except Interrupted as stopped:
                report.error = stopped
                break
            except NewsletterError as error:
                report.error = report.error or error
                continue
            if run is not None:
                report.runs.append(run)
    return report


def run_mailing(work: Work, mailing: Mailing) -> MailingRun:
    """Send one mailing now (``newsletter send``), whatever its time. Raises ``Busy`` when another process does.

    The undo window begins now. While a canary waits, so does this, without the lock; what the warm-up leaves for
    tomorrow is left to ``run_due``. A guard that refuses holds the mailing as ``run_due`` would and is raised too.
    """
    timing = work.timing
    state = partial(_state, work, mailing)
    undo.wait_out(
        mailing,
        work.config,
        now=timing.now,
        sleep=timing.sleep,
        stop=work.stop,
        state=state,
        waiting=work.watch.waiting,
    )
    waited = False
    while True:
        waited = _wait_for_canary(work, mailing) or waited
        with _provider_once(work) as provider:
            run = _locked(work, mailing, provider, raising=True)
        if run is None or not _canary_rest(work, mailing):
            break
    if run is None and waited and state() == "completed":
        # Cron was faster when the canary's time had come.
        with work.store.read() as conn:
            return MailingRun(mailing.issue, "completed", counts=ledger.counts(conn, mailing.id))
    if run is None:
        how = "resume" if state() in {"held", "paused"} else "status"
        raise IllegalState(f"the mailing of {mailing.issue} is {state()}", fix=f"newsletter {how} {mailing.issue}")
    return run


def _rest(work: Work, mailing: Mailing) -> Rest | None:
    with work.store.read() as conn:
        return rest_of(conn, mailings.read_mailing(conn, mailing.id), work.config, work.timing.now())


def _canary_rest(work: Work, mailing: Mailing) -> Rest | None:
    rest = _rest(work, mailing)
    return rest if rest is not None and rest.kind == "canary" else None


def _wait_for_canary(work: Work, mailing: Mailing) -> bool:
    """Until the canary can be judged, or an editor stops the mailing. Meanwhile nothing is locked and nothing open.

    Whether there was one to wait for.
    """
    waited = False
    while (rest := _canary_rest(work, mailing)) is not None:
        if work.stop():
            raise Interrupted(
                f"stopped while {mailing.issue} is {rest.said(mailing.zone)}",
                fix="newsletter run-due goes on by itself, or newsletter send again",
            )
        waited = True
        work.watch.waiting(Waiting("canary", rest.until))
        work.timing.sleep(min(1.0, max(0.0, (rest.until - work.timing.now()) / _SECOND)))
    return waited


def _state(work: Work, mailing: Mailing) -> str:
    with work.store.read() as conn:
        return mailings.read_mailing(conn, mailing.id).state


def settle_leftovers(work: Work) -> None:
    """Cancelled mailings whose sender was killed: say what became of the mails in its hands.

    Those of a paused mailing are settled when it resumes, when it is known whether the provider honours our key.
    """
    for mailing in mailings.cancelled_in_flight(work.store):
        with contextlib.suppress(_Taken), _mailing_lock(work.workspace, mailing), work.store.write() as conn:
            # No attempt has the id 0: everything in flight belonged to a process that is gone.
            now = work.timing.now()
            if ledger.recover(conn, mailing.id, 0, idempotent=False, now=now).uncertain:
                evidence.heed_all(conn, mailing.id, now)
            mailings.cancel_open(conn, mailing.id, now)


def _one(work: Work, mailing: Mailing, provider: Callable[[], Provider]) -> MailingRun | None:
    try:
        return _locked(work, mailing, provider, raising=False)
    except _Taken:
        _complain_when_stale(work, mailing)
        return None


def _only_later(work: Work, mailing: Mailing) -> bool:
    """Whether a mailing under way has nothing to do in this minute: cron would mail the same line each time.

    All that is left was put off until later, or the provider is away and is asked again later. Mails in dead hands are
    something to do, and so is what lies further ahead than anything can (``LONGEST``): a clock was wrong.
    """
    if mailing.state != "sending":
        return False
    now = work.timing.now()
    with work.store.read() as conn:
        waits = ledger.open_states(conn, mailing.id)
        if waits & {"claimed", "submitting"} or not waits:
            return False
        away = breaker.read(conn, mailing.provider)
        if away is not None and away.left(now):
            return True
        later = ledger.next_try(conn, mailing.id)
    return waits == {"retry_wait"} and later is not None and now < later <= now + int(LONGEST * _SECOND)


def _heed(work: Work) -> None:
    if work.stop():
        raise Interrupted("stopped before the next mailing", fix="newsletter run-due goes on where this stopped")


class _Taken(Busy):
    """Another process has the mailing's lock."""


def _locked(work: Work, mailing: Mailing, provider: Callable[[], Provider], *, raising: bool) -> MailingRun | None:
    """Do everything that one mailing needs, under its lock; None when it needs nothing any more."""
    with _mailing_lock(work.workspace, mailing):
        with work.store.read() as conn:
            mailing = mailings.read_mailing(conn, mailing.id)
        if mailing.state not in {"scheduled", "planning", "sending"}:
            return None
        try:
            sent = _guarded(work, mailing, provider(), raising=raising)
        except _Held as held:
            return _hold(work, mailing, held, raising=raising)
        if sent is None:
            return None
        with work.store.read() as conn:
            reason = mailings.read_mailing(conn, mailing.id).reason
            warning = reputation.read(conn, mailing.id).warning
        rests = sent.rest.said(mailing.zone) if sent.rest is not None else None
        return MailingRun(
            mailing.issue, sent.state, reason, sent.counts, sent.recovered, sent.next_try_at, rests, warning
        )


class _Held(Exception):
    """A guard's answer, with its kind."""

    def __init__(self, kind: str, cause: NewsletterError) -> None:
        super().__init__(kind)
        self.kind = kind
        self.cause = cause


def _guarded(work: Work, mailing: Mailing, provider: Provider, *, raising: bool) -> Sent | None:
    """Guards, plan, send. Everything that could refuse comes before the first recipient."""
    real = not provider.capabilities.local
    begun = mailing.state == "sending"
    here = None
    if real:
        with _holding("installation"):
            here = installation.guard(work.workspace, work.config, work.store)
    with _holding("guard"):
        approval = load_approval(work.workspace, mailing.issue)
        guards.same_approval(mailing, approval, provider.capabilities)
        if not begun:
            require_all(approval, work.config)
            there = {span.article for span in approval.spans}
            guards.nothing_retracted(
                mailing.issue, [a for a in retractions_of(work.store, mailing.issue) if a in there or not there]
            )
        if real:
            begun_before.guard(work.store, work.workspace, mailing.issue)
            guards.real_send(approval, work.config)
    if not begun and not raising:
        late = guards.lateness(mailing, work.config, work.timing.now())
        if late:
            raise _Held(
                "late",
                GuardRefused(late, fix=f"newsletter resume {mailing.issue}, or newsletter cancel {mailing.issue}"),
            )
    if begun and real and not raising:
        broken_off = guards.broken_off(mailing, work.config, work.timing.now(), work.last_run)
        if broken_off:
            look = "where a backup was restored, look first into the provider's log who got it"
            raise _Held("late", GuardRefused(broken_off, fix=f"{look}; then newsletter resume {mailing.issue}"))
    if not begun and not _plan(work, mailing, approval, real=real):
        return None
    if here is not None:
        here = installation.advance(work.workspace, work.store, here)
        begun_before.note(work.workspace, mailing, work.timing.now())
    if here is None:
        return _send(work, mailing, approval, provider)
    with Mark(work.workspace, mailing.public_id, here.id) as mark:
        try:
            sent = _send(work, mailing, approval, provider, mark)
        finally:
            # Again at the end, so that a backup taken in mid-sending is known to be older than what followed.
            installation.advance(work.workspace, work.store, here)
        if sent.state == "completed":
            mark.forget()
        return sent


def _plan(work: Work, mailing: Mailing, approval: Approval, *, real: bool) -> bool:
    """Freeze the audience; False when the mailing was taken back in the meantime."""
    with work.store.write() as conn:
        # `planning` with a lock that is ours: whoever began is gone, and left no rows.
        if not mailings.step(conn, mailing.id, ("scheduled", "planning"), "planning", reason=mailing.reason):
            return False
    if real:
        with _holding("guard"):
            work.preflight(approval)
    with file_lock(work.workspace.locks / "plan.lock", timeout=_PLAN_WAIT), _holding("guard"):
        accept = (lambda pending: guards.audience_size(approval, pending)) if real else (lambda _pending: None)
        planned = plan(
            work.store,
            mailing,
            keys=work.keys,
            now=work.timing.now(),
            accept=accept,
            corrects=approval.facts.corrects,
            subject=approval.subject,
        )
        return planned is not None


def _send(work: Work, mailing: Mailing, approval: Approval, provider: Provider, mark: Mark | None = None) -> Sent:
    with work.store.read() as conn:
        mailing = mailings.read_mailing(conn, mailing.id)
    with _holding("guard"):
        outgoing = outgoing_from_approval(approval, mailing=mailing.public_id, date=mailing.date)
    work.watch.begin(mailing.issue, mailing.planned or 0)
    audit.note_submitting(work.store, mailing, outgoing.digest, work.timing.now())
    return Sender(
        store=work.store,
        mailing=mailing,
        provider=provider,
        outgoing=outgoing,
        write_to=addresser(issue=mailing.issue, site_url=approval.facts.site_url, keys=work.keys),
        keys=work.keys,
        pace=pace_of(work.store, mailing, work.config, wait=work.wait),
        mark=mark,
        gate=gate_of(mailing, work.config),
        timing=work.timing,
        stop=work.stop,
        progress=work.watch.progress,
        waiting=work.watch.waiting,
    ).run()


def _hold(work: Work, mailing: Mailing, held: _Held, *, raising: bool) -> MailingRun:
    """Stop the mailing until an editor acts: held before its first mail, paused after it."""
    now = work.timing.now()
    if not mailings.hold(work.store, mailing, held.kind, held.cause.what, now):
        mailings.pause_for(work.store, mailing, f"{held.kind}: {held.cause.what}", now)
    if raising:
        raise held.cause
    with work.store.read() as conn:
        after = mailings.read_mailing(conn, mailing.id)
        tally = ledger.counts(conn, mailing.id)
    return MailingRun(mailing.issue, after.state, str(held.cause), tally)


@contextlib.contextmanager
def _holding(kind: str) -> Iterator[None]:
    """What a guard says in this block holds the mailing."""
    try:
        yield
    except (GuardRefused, IllegalState, BadData) as refused:
        raise _Held(kind, refused) from refused


@contextlib.contextmanager
def _mailing_lock(ws: Workspace, mailing: Mailing) -> Iterator[None]:
    with contextlib.ExitStack() as stack:
        try:
            stack.enter_context(file_lock(ws.locks / f"mailing-{mailing.public_id}.lock"))
        except Busy as busy:
            raise _Taken(
                f"another process is sending {mailing.issue}", fix=f"newsletter status {mailing.issue}"
            ) from busy
        yield


def _complain_when_stale(work: Work, mailing: Mailing) -> None:
    """Silence about a locked mailing is right only while its sender shows signs of life."""
    with work.store.read() as conn:
        mailing = mailings.read_mailing(conn, mailing.id)
    seen = max(mailing.heartbeat or 0, mailing.send_at, mailing.created_at)
    silent = (work.timing.now() - seen) // _SECOND
    if silent > STALE_SECONDS:
        raise Busy(
            f"the process that sends {mailing.issue} has shown no sign of life for {silent // 60} minutes",
            where=str(work.workspace.locks / f"mailing-{mailing.public_id}.lock"),
            fix="find it (fuser on that file names it) and end it; the next run-due goes on",
        )


@contextlib.contextmanager
def _provider_once(work: Work) -> Iterator[Callable[[], Provider]]:
    """A function that makes the provider when it is first needed; closed at the end."""
    made: list[Provider] = []

    def get() -> Provider:
        if not made:
            made.append(work.provider())
        return made[0]

    try:
        yield get
    finally:
        for provider in made:
            provider.close()
