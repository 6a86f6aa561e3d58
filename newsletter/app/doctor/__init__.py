"""``doctor``: is everything in order here to make a newsletter and send it? Looks, and changes nothing."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from newsletter.app.doctor import configuration, database, machine, mail_domain, running, secrets, workspace_files
from newsletter.app.doctor.facts import Facts
from newsletter.app.doctor.probe import Look, Probe, looked_at
from newsletter.net.dns import parse_server
from newsletter.workspace.paths import find_workspace

__all__ = ["Diagnosis", "Probe", "diagnose", "facts_of"]

_LOOKS: Sequence[Look] = (
    *machine.LOOKS,
    *workspace_files.LOOKS,
    *configuration.LOOKS,
    *secrets.LOOKS,
    *database.LOOKS,
    *running.LOOKS,
    *mail_domain.LOOKS,
)


@dataclass(frozen=True, slots=True)
class Diagnosis:
    """What every probe found, in the order to show it."""

    workspace: Path
    probes: tuple[Probe, ...]

    @property
    def counts(self) -> dict[str, int]:
        """How many probes are in each state."""
        found = Counter(probe.state for probe in self.probes)
        return {state: found[state] for state in ("ok", "warning", "error", "unknown")}

    @property
    def exit_code(self) -> int:
        """78 when newsletter.toml cannot be used, else 1 for any error; warnings and what is unknown are 0."""
        if any(probe.id == "config" and probe.state == "error" for probe in self.probes):
            return 78
        return 1 if self.counts["error"] else 0

    def as_row(self) -> dict[str, Any]:
        """For ``--json``."""
        return {
            "workspace": str(self.workspace),
            "counts": self.counts,
            "probes": [
                {"id": p.id, "section": p.section, "state": p.state, "sentence": p.sentence, "fix": p.fix}
                for p in self.probes
            ],
        }


def facts_of(start: Path | None, *, servers: Sequence[str], selectors: Sequence[str]) -> Facts:
    """What to look at, for the workspace of ``start``; raises ConfigurationError when there is none, UsageProblem."""
    return Facts(find_workspace(start), servers=[parse_server(server) for server in servers], selectors=selectors)


def diagnose(facts: Facts) -> Diagnosis:
    """Look at everything. Never raises: what cannot be looked at is ``unknown``, with the reason."""
    return Diagnosis(facts.workspace.root, tuple(probe for look in _LOOKS for probe in looked_at(look, facts)))
