"""What a dry run says: how long at least, because of what, in how many requests."""

from __future__ import annotations

import msgspec
import pytest

from newsletter.delivery.forecast import forecast
from newsletter.delivery.plan import Planned, foresee
from newsletter.delivery.ports import Capabilities
from newsletter.delivery.run_due import run_due
from newsletter.workspace.settings import Provider as ProviderSettings
from newsletter.workspace.settings import Schedule

EVERYBODY = Planned(1000, 1000, {}, {"gmail.com": 600, "posteo.de": 400})


@pytest.mark.parametrize(
    ("rate", "spread", "per_domain", "batches", "seconds", "because"),
    [
        ("0", "0", {}, 10, 0, None),
        ("20/s", "0", {}, 50, 50, "at 20 a second"),
        ("600/m", "30m", {}, 1000, 1800, "spread evenly (schedule.spread)"),
        ("1/s", "1m", {}, 1000, 1000, "at 1 a second"),
        ("0", "0", {"gmail.com": "2/s", "*": "1/s"}, 10, 400, "posteo.de: 400 at 1 a second, the limit of *"),
        ("20/s", "0", {"gmail.com": "60/m"}, 50, 600, "gmail.com: 600 at 1 a second"),
        ("0", "0", {"gmail.com": "0"}, 10, 0, None),
    ],
)
def test_the_slowest_limit_decides_and_is_named(bench, rate, spread, per_domain, batches, seconds, because) -> None:
    """Rate, spread and the slowest mailbox domain; requests are smaller where a rate makes them so."""
    config = msgspec.structs.replace(
        bench.config,
        provider=ProviderSettings(name="x", rate=rate, per_domain=per_domain),
        schedule=Schedule(spread=spread),
    )
    said = forecast(EVERYBODY, config, Capabilities("x", max_batch=100))
    assert (said.batches, said.seconds, said.because) == (batches, pytest.approx(seconds), because)


def test_a_forecast_comes_true(bench, scripted) -> None:
    """The sender needs as many requests and, within a second, as long as was said."""
    bench.readers(45)
    provider = scripted(max_batch=20)
    settings = ProviderSettings(name="scripted", rate="3/s")
    bench.config = msgspec.structs.replace(bench.config, provider=settings)
    planned = foresee(bench.store, bench.keys, "2026-11-27")
    assert planned.domains == {"mail.test": 45}
    said = forecast(planned, bench.config, provider.capabilities)
    bench.scheduled()
    assert run_due(bench.work(provider)).runs[0].counts == {"submitted": 45}
    assert len(provider.batches) == said.batches == 15
    assert bench.clock.ticks == pytest.approx(said.seconds, abs=1.5)
