"""What a probe is, and how one that breaks down is kept from taking the others with it."""

from __future__ import annotations

import threading
import traceback
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal, TypeVar

from newsletter.errors import NewsletterError

if TYPE_CHECKING:
    from newsletter.app.doctor.facts import Facts

State = Literal["ok", "warning", "error", "unknown"]
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Probe:
    """What was found about one thing. ``unknown``: it could not be told from here, and is held against nobody."""

    id: str
    section: str
    state: State
    sentence: str
    fix: str | None = None


@dataclass(frozen=True, slots=True)
class Told:
    """What a look says: a state, a sentence and, unless it is ok, what to do."""

    state: State
    sentence: str
    fix: str | None = None


@dataclass(frozen=True, slots=True)
class Look:
    """One thing that is looked at. ``see`` may tell several things of it, or none where it does not apply."""

    id: str
    section: str
    see: Callable[[Facts], Iterable[Told]]


class NoConfigurationError(Exception):
    """A probe needs ``newsletter.toml``, which cannot be used. Its own probe says so, once for all that wait for it."""


class TookTooLongError(Exception):
    """Something outside of this program did not answer in time."""


def looked_at(look: Look, facts: Facts) -> Iterator[Probe]:
    """The probes of one look. An error becomes one that is unknown; its message is left out, it may hold a secret."""
    try:
        told = list(look.see(facts))
    except NoConfigurationError:
        return
    except TookTooLongError as late:
        told = [Told("unknown", str(late))]
    except NewsletterError as error:
        told = [Told("unknown", f"cannot be told: {error.what}", error.fix)]
    except OSError as error:
        told = [Told("unknown", f"cannot be told: {error.strerror or type(error).__name__}: {error.filename or ''}")]
    except Exception as error:  # noqa: BLE001 - a probe that breaks down may not take the others with it
        frames = traceback.extract_tb(error.__traceback__)
        where = f" in {Path(frames[-1].filename).name}:{frames[-1].lineno}" if frames else ""
        told = [Told("unknown", f"cannot be told: {type(error).__name__}{where}", "report this, it is a bug of ours")]
    for one in told:
        yield Probe(look.id, look.section, one.state, one.sentence, None if one.state == "ok" else one.fix)


def within(seconds: float, what: str, work: Callable[[], T]) -> T:
    """The result of ``work``, which talks to something that may never answer; raises TookTooLongError.

    The thread that still waits then ends with the process: nothing of what it may find is used.
    """
    outcome: list[T] = []
    failure: list[BaseException] = []

    def run() -> None:
        try:
            outcome.append(work())
        except BaseException as error:  # noqa: BLE001 - it is raised again where it was asked for
            failure.append(error)

    worker = threading.Thread(target=run, daemon=True, name="newsletter-doctor")
    worker.start()
    worker.join(seconds)
    if failure:
        raise failure[0]
    if not outcome:
        raise TookTooLongError(f"{what} did not answer within {seconds:g} s")
    return outcome[0]
