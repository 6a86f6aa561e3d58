"""docs/providers.md tells the truth: every setting is in it, and its example is a provider."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path
from typing import Any

import pytest

from newsletter.delivery.ports import Outcome
from newsletter.providers import registry
from newsletter.workspace.settings import OutboxSettings, SendgridSettings, SmtpSettings

TEXT = (Path(__file__).parents[2] / "docs" / "providers.md").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("name", "settings"), [("outbox", OutboxSettings), ("smtp", SmtpSettings), ("sendgrid", SendgridSettings)]
)
def test_every_setting_is_documented_and_no_other(name: str, settings: Any) -> None:
    documented = re.findall(rf"^\| `provider\.{name}\.([a-z_]+)` \|", TEXT, re.MULTILINE)
    assert documented == list(settings.__struct_fields__)


@pytest.mark.parametrize("name", ["outbox", "smtp", "sendgrid"])
def test_every_provider_has_its_section_and_its_limit(name: str) -> None:
    assert f"\n## {name}\n" in TEXT


def test_the_example_is_a_provider(mail: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """It runs as it stands, with a program in the place of sendmail."""
    (code,) = re.findall(r"```python\n(.*?)```", TEXT, re.DOTALL)
    names: dict[str, Any] = {}
    exec(compile(code, "docs/providers.md", "exec"), names)  # our own document
    carrier = names["create"]({})
    assert all(hasattr(carrier, method) for method in registry._METHODS)
    batch = mail.batch(1, mail.addressed(2, "no address"))
    assert carrier.check() == []
    for command, outcome in ((("true",), Outcome.ACCEPTED), (("false",), Outcome.RETRY), (("/none",), Outcome.FAILED)):
        carrier.command = command
        assert [r.outcome for r in carrier.submit(batch)] == [outcome, Outcome.REJECTED]
    assert carrier.preview(mail.batch(1))[0].target == "/none"

    def slow(*_: Any, **__: Any) -> Any:
        raise subprocess.TimeoutExpired("x", 60)

    monkeypatch.setattr(subprocess, "run", slow)
    assert [r.outcome for r in carrier.submit(batch)] == [Outcome.UNKNOWN, Outcome.REJECTED]
