"""The report of a sent issue: what is known, drawn and in tables; what nobody told us is unknown, never nought."""

from __future__ import annotations

import re
import shutil
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import expect

from newsletter.app.approve import approve_issue
from newsletter.app.audience import suppress_address
from newsletter.app.corrections import correct_issue
from newsletter.app.desk import open_desk
from newsletter.app.issues import pick_articles
from newsletter.app.send import run_due
from newsletter.audience import subscribers

ISSUE = "2026-11-27"
HOUR = 3_600_000_000
DOMAINS = ("gmail.test", "outlook.test", "gmail.test", "yahoo.test")


@pytest.fixture(scope="module")
def sent_root(pristine: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The sample issue, sent to 24 readers; one of them had been suppressed."""
    root = Path(shutil.copytree(pristine, tmp_path_factory.mktemp("report") / "ws"))
    with open_desk(root) as desk:
        for number in range(23):
            subscribers.add(desk.store, f"r{number}@{DOMAINS[number % 4]}", {}, "test", desk.keys)
        suppress_address(desk, "r0@gmail.test", "by letter")
        approve_issue(desk, ISSUE, send_at="now")
        run_due(desk)
    return root


@pytest.fixture
def served(sent_root: Path, tmp_path: Path, compose: Callable[..., Any]) -> Iterator[Any]:
    with compose(Path(shutil.copytree(sent_root, tmp_path / "ws"))) as composer:
        yield composer


def tell(served: Any, kind: str, which: str, hours: int = 0) -> None:
    """An event of the provider for each delivery that ``which`` (SQL) chooses."""
    with closing(sqlite3.connect(served.root / ".newsletter" / "newsletter.db")) as raw, raw:
        raw.execute(
            f"insert into event select id, '{kind}', updated_at + {hours * HOUR}, mailing_id, null, '', 0"
            f" from delivery where state = 'submitted' and {which}"
        )
    shutil.rmtree(served.root / ".newsletter" / "cache" / "facts", ignore_errors=True)


def told(served: Any) -> None:
    tell(served, "delivered", "id % 6 != 0")
    tell(served, "bounced", "id % 6 = 0")
    for hour in (1, 2, 30):
        tell(served, "complained" if hour == 30 else "unsubscribed", f"id % 24 = {hour}", hour)


def report(served: Any) -> str:
    answer = served.get(f"/issues/{ISSUE}/report")
    assert answer.status == 200, answer.text
    return str(answer.text)


def test_what_nobody_told_is_unknown_on_the_page(served: Any) -> None:
    page = report(served)
    assert '<p class="lede sum">24 = 23 submitted + 1 excluded</p>' in page
    assert page.count("unknown: the outbox reports no events") >= 3
    shares = re.findall(r'row">(\w+)</th>\s*<td class="number"><b>\d+</b></td><td class="number">[\d.]+ %', page)
    assert shares == ["unsubscribed"], "our own page counts those; nothing else was told"
    assert "suppressed: by letter" in page and "@" not in re.sub(r"<style.*?</style>", "", page)
    assert 'aria-label="submitted: 23 in all' in page and 'aria-label="delivered' not in page


def test_what_was_told_stands_in_the_plots_and_in_the_tables_with_the_same_numbers(served: Any) -> None:
    told(served)
    page = report(served)
    delivered = re.search(r'<th scope="row">delivered</th>\s*<td class="number"><b>(\d+)</b>', page)
    assert delivered is not None
    assert f'aria-label="delivered: {delivered[1]} in all' in page
    domains = re.findall(r'<span class="domain"><bdi>([^<]*)</bdi>', page)
    assert domains[0] == "gmail.test" and set(domains) == {*DOMAINS, "readers.test"}
    ends = [float(a) + float(b) for a, b in re.findall(r'class="rest" x="([\d.]+)" y="0" width="([\d.]+)"', page)]
    assert max(ends) == pytest.approx(100, abs=0.01), "the largest domain fills its line"
    assert page.count('<svg class="bars') == page.count('role="img"')


def test_its_correction_stands_below_with_its_own_sum(served: Any) -> None:
    """And leads to a report of its own; the one of a correction has none below."""
    with open_desk(served.root) as desk:
        made = correct_issue(desk, ISSUE)
        folder = served.root / "issues" / made.slug
        text = (folder / "issue.md").read_text(encoding="utf-8")
        (folder / "issue.md").write_text(text.replace("correction:", "correction: The tide was early. #"), "utf-8")
        pick_articles(desk, made.slug, [served.inbox()[0]])
        approve_issue(desk, made.slug, send_at="now")
        run_due(desk)
    page = report(served)
    assert f'Its correction <a href="/issues/{made.slug}/report">' in page
    assert page.count("24 = 23 submitted + 1 excluded") == 2
    assert "Its correction" not in served.get(f"/issues/{made.slug}/report").text


def test_a_report_is_refused_for_what_was_not_sent(standing: Any) -> None:
    assert standing.get(f"/issues/{ISSUE}/report").status == 423
    assert standing.get("/issues/2001-01-01/report").status == 404


def test_every_sent_issue_leads_to_its_report(served: Any) -> None:
    assert f'href="/issues/{ISSUE}/report"' in served.get("/").text


@pytest.mark.chromium
@pytest.mark.npm
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_in_chromium_it_has_no_script_and_nothing_that_axe_objects_to(
    served: Any, screens: Callable[..., Any], axe: str, scheme: str
) -> None:
    """At the width of a phone with every table open, in both colour schemes; on paper the tables are open."""
    told(served)
    screen = screens(served, viewport={"width": 390, "height": 800}, color_scheme=scheme)
    page = screen.open(f"/issues/{ISSUE}/report").page
    assert page.locator("script").count() == 0
    expect(page.get_by_role("img", name=re.compile("^delivered: "))).to_be_visible()
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    for summary in page.locator("summary").all():
        summary.click()
    assert screen.axe(axe) == []
    for summary in page.locator("summary").all():
        summary.click()
    page.emulate_media(media="print")
    expect(page.get_by_role("columnheader", name="From")).to_be_visible()
    assert screen.errors == []
