"""Seeds get a mailing first, and nobody else does until each of them was accepted."""

from __future__ import annotations

import msgspec
import pytest

from newsletter.delivery import mailings
from newsletter.delivery.ports import Outcome
from newsletter.delivery.run_due import run_due
from newsletter.workspace.settings import Provider as ProviderSettings
from newsletter.workspace.settings import Schedule

SLUG = "2026-11-27"
SEEDS = ["reader7@mail.test", "Reader4@Mail.test"]
THEM = {"reader7@mail.test", "reader4@mail.test"}


@pytest.fixture
def seeded(bench):
    bench.readers(12)
    bench.scheduled()
    bench.config = msgspec.structs.replace(bench.config, schedule=Schedule(seeds=SEEDS))


def test_seeds_go_first_and_alone(bench, seeded, scripted) -> None:
    """However many connections are free: while a seed is on its way, nobody else is; and they get it once."""
    before: list[tuple[set[str], dict[str, int]]] = []

    def look(batch) -> None:
        before.append(({r.address for r in batch.recipients}, bench.states()))

    provider = scripted(before=look, max_batch=5, concurrency=3, windows=2)
    assert run_due(bench.work(provider)).runs[0].counts == {"submitted": 12}
    assert before[0] == (THEM, {"submitting": 2, "pending": 10})
    assert len(set(provider.addresses)) == len(provider.addresses) == 12


def test_a_seed_that_is_put_off_is_waited_for(bench, seeded, scripted) -> None:
    """Greylisted: the others wait with it; the next run-due goes on."""
    provider = scripted(lambda a, n: Outcome.RETRY if (a, n) == ("reader4@mail.test", 0) else Outcome.ACCEPTED)
    assert run_due(bench.work(provider)).runs[0].counts == {"submitted": 1, "retry_wait": 1, "pending": 10}
    assert run_due(bench.work(provider)).runs[0].counts == {"submitted": 1, "retry_wait": 1, "pending": 10}
    bench.clock.pass_by(61)
    assert run_due(bench.work(provider)).runs[0].counts == {"submitted": 12}
    assert provider.addresses[:3] == ["reader4@mail.test", "reader7@mail.test", "reader4@mail.test"]


@pytest.mark.parametrize("outcome", [Outcome.REJECTED, Outcome.UNKNOWN])
def test_a_seed_that_is_not_accepted_pauses_and_an_editor_decides(bench, seeded, scripted, outcome) -> None:
    """Nobody else got anything; the address is not in the reason; resumed, the rest goes out."""
    provider = scripted(lambda a, _n: outcome if a == "reader7@mail.test" else Outcome.ACCEPTED)
    run = run_due(bench.work(provider)).runs[0]
    assert (run.state, run.counts.get("pending"), run.needs_editor) == ("paused", 10, True)
    assert (run.reason or "").startswith("seed 2 of 2 was not accepted: ")
    assert "reader7" not in (run.reason or "")
    assert set(provider.addresses) == THEM
    mailings.resume(bench.store, SLUG, actor="ada", now=bench.clock.us)
    after = run_due(bench.work(provider)).runs[0]
    assert after.state == "completed"
    assert after.counts["submitted"] == 11
    assert len(set(provider.addresses)) == len(provider.addresses) == 12


def test_a_seed_that_left_holds_nobody_up(bench, seeded, scripted) -> None:
    """Unsubscribed before or after planning."""
    with bench.store.write() as conn:
        conn.exec_driver_sql("update subscriber set status = 'unsubscribed' where address_key = 'reader7@mail.test'")
    assert run_due(bench.work(scripted())).runs[0].counts == {"submitted": 11, "excluded": 1}
    bench.scheduled(slug="2026-12-04")
    stopped = run_due(bench.work(scripted(), stop=lambda: bench.mailing("2026-12-04").state == "sending"))
    assert stopped.error is not None
    with bench.store.write() as conn:
        conn.exec_driver_sql("update subscriber set status = 'unsubscribed' where address_key = 'reader4@mail.test'")
    assert run_due(bench.work(scripted())).runs[0].counts == {"submitted": 10, "excluded": 2}


def test_seeds_go_first_with_limits_of_domains_too(bench, seeded, scripted) -> None:
    """The lanes begin when the seeds are through."""
    settings = ProviderSettings(name="scripted", per_domain={"mail.test": "2/s"})
    bench.config = msgspec.structs.replace(bench.config, provider=settings)
    provider = scripted()
    assert run_due(bench.work(provider)).runs[0].counts == {"submitted": 12}
    assert set(provider.addresses[:2]) == THEM
    assert len(set(provider.addresses)) == 12
