"""The facts about mail clients: what they say, that they are facts alone, and under which licence."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from datetime import date
from pathlib import Path

import pytest

from newsletter.clients import facts
from newsletter.errors import NotFound
from newsletter.workspace.settings import CLIENT_FAMILIES, CLIENT_SHARES

FOLDER = Path(facts.__file__).parent
TEXT = (FOLDER / "facts.json").read_text(encoding="utf-8")


def test_newsletter_toml_and_the_facts_name_the_same_families() -> None:
    """A share for a client of which nothing is known would weigh nothing."""
    assert tuple(facts.families()) == CLIENT_FAMILIES
    assert set(CLIENT_SHARES) <= set(CLIENT_FAMILIES)
    assert sum(CLIENT_SHARES.values()) == 100


@pytest.mark.parametrize("family", CLIENT_FAMILIES)
def test_every_family_was_tested_for_most_features(family: str) -> None:
    """What was hardly tested would pass for supported."""
    known = [feature for feature in facts.features() if facts.support(feature)[family].level != "u"]
    assert len(known) > 200
    assert facts.families()[family].title
    assert facts.families()[family].platforms


def test_a_family_does_as_its_worst_platform_and_names_it() -> None:
    """Gmail draws flex on the web and, in its apps, not for other mailboxes; Word does not know it at all."""
    flex = facts.support("css-display-flex")
    assert flex["outlook-windows"] == facts.Support("n", (), "", "2019")
    assert (flex["gmail"].level, flex["gmail"].platform) == ("a", "iOS, Android")
    assert flex["gmail"].note == "Not supported with non Google accounts."
    assert flex["apple-mail"].level == "y"


def test_the_last_listed_version_is_the_one_that_counts() -> None:
    """Sorted as text, 2016 would come after 16.80; and Outlook.com's of 2024 would be hidden behind older words."""
    assert facts.support("css-border-spacing")["outlook-mac"].version.startswith("2023")
    versions = {facts.support(feature)["outlook-mac"].version for feature in facts.features()}
    assert "16.80" in versions
    assert "2016" not in versions


def test_what_nobody_tested_is_unknown() -> None:
    """And no reason for a finding."""
    assert facts.support("css-accent-color")["thunderbird"] == facts.Support("u")


def test_every_feature_names_the_day_of_its_last_test() -> None:
    """Findings show it, so that an old fact can be doubted."""
    assert facts.tested("css-display-flex") == date(2021, 11, 2)
    assert facts.tested("html-comments") == date(2024, 5, 1)  # written 2024-05-1 at the source
    assert all(date(2019, 1, 1) <= facts.tested(feature) <= date(2026, 12, 31) for feature in facts.features())


@pytest.mark.parametrize("ask", [facts.support, facts.tested, facts.title])
def test_an_unknown_feature_is_not_found_with_the_closest_one(ask: object) -> None:
    """Ids are caniemail's."""
    assert callable(ask)
    with pytest.raises(NotFound) as refused:
        ask("css-display-flexx")
    assert refused.value.fix == 'did you mean "css-display-flex"?'
    with pytest.raises(NotFound, match="caniemail"):
        ask("????")


def test_the_file_holds_facts_alone_and_is_small() -> None:
    """No descriptions, keywords or addresses of test pages; one feature a line, sorted; at most 120 KB."""
    assert len(TEXT.encode()) <= 120 * 1024
    data = json.loads(TEXT)
    assert list(data["features"]) == sorted(data["features"])
    assert len(data["features"]) == 307
    assert sum(line.startswith(('"css-', '"html-', '"image-', '"amp', '"bimi')) for line in TEXT.splitlines()) == 307
    for title, category, tested, support, notes in data["features"].values():
        assert title and category in ("css", "html", "image", "others") and date.fromisoformat(tested)
        assert len(support.split()) == len(CLIENT_FAMILIES)
        named = {number for numbers in re.findall(r"#([\d,]+)", support) for number in numbers.split(",")}
        assert set(notes) <= named, f"a note that no cell names: {title}"
    assert "http" not in "".join(json.dumps(data["features"]))


def test_the_licence_stands_beside_the_facts() -> None:
    """MIT asks for its notice and the copyright lines in every copy."""
    notice = (FOLDER / "facts.LICENSE").read_text(encoding="utf-8")
    data = json.loads(TEXT)
    assert data["licence"] == "MIT"
    assert "Permission is hereby granted, free of charge" in notice
    assert "THE SOFTWARE IS PROVIDED" in notice
    assert len(data["copyright"]) == 3
    assert all(line in notice for line in data["copyright"])
    assert data["version"] in notice
    assert facts.version() == f"{data['version']} ({data['updated']})"


def test_the_file_is_read_on_the_first_question_and_once() -> None:
    """Commands that ask nothing pay nothing."""
    code = (
        "from newsletter.clients import facts\n"
        "assert facts._document.cache_info().currsize == 0\n"
        "facts.support('css-float'); facts.tested('css-float'); facts.families()\n"
        "assert facts._document.cache_info().misses == 1\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
