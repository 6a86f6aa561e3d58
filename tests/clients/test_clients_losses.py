"""Each loss, shown small: ``losses/CLIENT/NAME.html`` goes in, ``NAME.expected.html`` comes out, with what was taken.

``--regenerate`` writes the expected files anew: read the difference before it is committed.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from newsletter.clients.registry import CLIENTS, client_named

LOSSES = Path(__file__).with_name("losses")
INPUTS = sorted(path for path in LOSSES.glob("*/*") if ".expected" not in path.name)


def shown(client: str, source: str) -> str:
    """What comes out, and as comments after it what the client took."""
    seen = client_named(client).simulate(source)
    took = "".join(f"<!-- took: {taken} -->\n" for taken in seen.took)
    return f"{seen.html.strip()}\n{took or '<!-- took nothing -->'}\n"


@pytest.mark.parametrize("path", INPUTS, ids=[f"{path.parent.name}/{path.stem}" for path in INPUTS])
def test_a_loss_is_what_was_last_looked_at(path: Path, regenerate: bool) -> None:
    found = shown(path.parent.name, path.read_text(encoding="utf-8"))
    expected = path.with_name(f"{path.stem}.expected.html")
    if regenerate:
        expected.write_text(found, encoding="utf-8")
    assert expected.exists(), "run this test with --regenerate, and read what it writes"
    assert found == expected.read_text(encoding="utf-8")


def test_every_client_shows_its_losses() -> None:
    """A client without a twin would be a client without a test."""
    assert {path.parent.name for path in INPUTS} == {client.name for client in CLIENTS}
    assert {path.name for path in LOSSES.glob("*/*.expected.html")} == {f"{p.stem}.expected.html" for p in INPUTS}
