"""What `check` hands to the rules besides the issue: how many readers there are, what a paid story is called."""

from __future__ import annotations

from pathlib import Path

import pytest

from newsletter.app.audience import import_readers
from newsletter.app.check import context_of, findings_of
from newsletter.app.desk import Desk
from newsletter.app.render import render
from newsletter.models import Severity
from newsletter.workspace.config import set_config_value
from newsletter.workspace.create import create_demo

SLUG = "2026-11-27"


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    """The sample, to be sent by SMTP with its pictures inside."""
    workspace = create_demo(tmp_path / "demo")
    text = workspace.config_file.read_text(encoding="utf-8")
    workspace.config_file.write_text(text + '\n[provider.smtp]\nhost = "smtp.estuary.example"\n', encoding="utf-8")
    set_config_value(workspace, "provider.name", "smtp")
    return Desk(workspace)


def test_readers_are_counted_only_where_it_matters(desk: Desk, tmp_path: Path) -> None:
    """No database is made for it; 51 readers are too many for pictures inside the mail, and the approval is blocked."""
    rendered = render(desk, SLUG)
    assert context_of(desk, rendered).readers is None
    assert not desk.workspace.database.exists()
    path = tmp_path / "readers.csv"
    path.write_text("email\n" + "".join(f"reader{n}@estuary.co\n" for n in range(51)), encoding="utf-8")
    import_readers(desk, path, mapping={}, basis="asked for it")
    assert context_of(desk, rendered).readers == 51
    (finding,) = [f for f in findings_of(desk, rendered) if f.id == "pictures-embedded"]
    assert finding.severity is Severity.ERROR and "there are 51" in finding.message
    desk.close()


def test_a_database_that_cannot_be_read_is_not_the_checks_affair(desk: Desk) -> None:
    """It has its own message elsewhere; the findings are told all the same."""
    desk.workspace.ensure_state()
    desk.workspace.database.write_bytes(b"no database")
    assert context_of(desk, render(desk, SLUG)).readers is None


def test_a_paid_story_is_called_what_its_own_language_says(desk: Desk) -> None:
    """The sample's sponsor, in English and in an issue in German."""
    (label,) = context_of(desk, render(desk, SLUG)).sponsor_labels.values()
    assert label == "Advertisement feature"
    issue = desk.workspace.issue_dir(SLUG) / "issue.md"
    issue.write_text(issue.read_text(encoding="utf-8").replace("theme: weekly", "lang: de"), encoding="utf-8")
    rendered = render(desk, SLUG)
    (label,) = context_of(desk, rendered).sponsor_labels.values()
    assert label == "Anzeige"
    assert not [f for f in findings_of(desk, rendered) if f.id == "sponsor-label-unseen"]
