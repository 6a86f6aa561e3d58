"""``audit``: the history of an issue as a newsroom, or its lawyer, reads it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from newsletter.app.desk import Desk
from newsletter.app.words import plural
from newsletter.delivery.audit import Event, History, history
from newsletter.delivery.schedule import zone_of
from newsletter.delivery.status import sum_sentence
from newsletter.store.clock import from_us

_MARKS = {True: "✓", False: "✗", None: "·"}


@dataclass(frozen=True, slots=True)
class IssueAudit:
    """An issue's history, with its times in ``zone`` (IANA)."""

    history: History
    zone: str

    @property
    def proved(self) -> bool:
        """Whether no comparison failed."""
        return self.history.proved

    @property
    def verdict(self) -> str:
        """The last line: what is proved, or that it is not."""
        found = self.history
        wrong = sum(proof.holds is False for proof in found.proofs)
        if wrong:
            return f"NOT proved: {plural(wrong, 'comparison')} failed."
        if found.submitted:
            return f"Proved: what was submitted is what was approved, {found.digest}."
        if found.digest is not None:
            return f"Proved: the frozen files are what was approved, {found.digest}. Nothing is submitted yet."
        return "Nothing is approved and nothing was submitted."

    def as_row(self) -> dict[str, Any]:
        """For ``--json``; times are ISO 8601 with the offset of ``zone``."""
        return {
            "issue": self.history.issue,
            "state": self.history.state,
            "proved": self.proved,
            "digest": self.history.digest,
            "submitted": self.history.submitted,
            "zone": self.zone,
            "events": [
                {"at": self._time(e.at, "microseconds"), "actor": e.actor, "action": e.action, "detail": dict(e.detail)}
                for e in self.history.events
            ],
            "proofs": [{"holds": proof.holds, "sentence": proof.sentence} for proof in self.history.proofs],
            "verdict": self.verdict,
        }

    def lines(self) -> list[str]:
        """For the terminal."""
        found = self.history
        lines = [f"{found.issue}: {found.state}. Times in {self.zone}."]
        lines += [f"  {self._time(e.at)}  {e.actor}: {in_words(e)}" for e in found.events]
        lines += [f"  {_MARKS[proof.holds]} {proof.sentence}" for proof in found.proofs]
        return [*lines, self.verdict]

    def _time(self, us: int, precision: str = "seconds") -> str:
        return from_us(us).astimezone(zone_of(self.zone)).isoformat(sep=" ", timespec=precision)


def audit_issue(desk: Desk, slug: str) -> IssueAudit:
    """Replay an issue and compare every digest; raises NotFound for an issue that nobody has heard of."""
    return IssueAudit(history(desk.store, desk.workspace, slug), desk.config.publication.timezone)


def in_words(event: Event) -> str:
    """An event in words; one that this version has no words for is told as it was noted."""
    detail = event.detail
    match event.action:
        case "approve":
            of = f" ({detail['approvals']})" if detail.get("approvals") else ""
            return f"approved {_code(detail)}{of}" + (f", “{detail['note']}”" if detail.get("note") else "")
        case "test":
            receivers = plural(int(detail.get("receivers", 0)), "address", "addresses")
            return f"test {detail.get('number')} to {receivers}, {_code(detail)}"
        case "schedule":
            return f"scheduled for {str(detail.get('send_at')).replace('T', ' ')}"
        case "canary":
            return f"the canary, {_canary(detail)}"
        case "warn":
            return f"warned: {detail.get('reason')}"
        case "plan":
            return f"froze the audience: {_sum(detail)}"
        case "submit":
            return f"submits {_code(detail)}"
        case "attempt":
            return f"process {detail['pid']} began" + ("" if detail["ended"] else "; its end is not known")
        case "first-submitted":
            return "took the first mail"
        case "last-submitted":
            return "took the last mail"
        case "retract":
            why = f", “{detail['reason']}”" if detail.get("reason") else ""
            return f"withdrew {detail['article']} from the web copy{why}{_pictures(detail)}"
        case "restore":
            return f"put {detail['article']} back on the web copy{_pictures(detail)}"
        case "complete":
            tally = {state: int(count) for state, count in detail.items()}
            return f"completed: {sum_sentence(sum(tally.values()), tally)}"
        case "import readers":
            kinds = ("added", "updated", "unchanged", "rejected", "suppressed", "unsubscribed")
            told = ", ".join(f"{int(detail[kind]):,} {kind}" for kind in kinds if detail.get(kind))
            return f"imported {detail.get('file')}: {told or 'nobody'}"
        case "change settings":
            return f"changed {', '.join(map(str, detail.get('keys', [])))}"
    noted = ", ".join(f"{name} {value}" for name, value in detail.items() if value not in (None, "", {}))
    return event.action + (f": {noted}" if noted else "")


def _canary(detail: Mapping[str, Any]) -> str:
    if detail.get("verdict"):
        return f"judged: {detail['verdict']}"
    readers = plural(int(detail.get("readers", 0)), "reader")
    return f"{readers}, is through; the others wait" if detail.get("waits") else f"{readers}, begins"


def _code(detail: Mapping[str, Any]) -> str:
    """The digest as people compare it: the four digits that a test mail's subject shows, and some more."""
    return str(detail.get("digest") or "unknown").removeprefix("sha256:")[:12]


def _pictures(detail: Mapping[str, Any]) -> str:
    return f", with {plural(count, 'picture')}" if (count := len(detail.get("pictures") or ())) else ""


def _sum(detail: Mapping[str, Any]) -> str:
    return f"{int(detail.get('planned', 0)):,} planned, {int(detail.get('pending', 0)):,} to send to"
