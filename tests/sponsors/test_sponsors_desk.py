"""Sponsors from the command line: added, booked, proofed, picked, checked, and in the mail."""

from __future__ import annotations

import html
import io
import json
import re
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from newsletter.cli.boundary import guarded
from newsletter.cli.group import newsletter
from newsletter.issues import folder, summaries

SLUG = "2026-11-27"
STORY = """---
headline: The tide tables were right
link: https://estuary.example/tide
---
The harbour office has read every tide table since January.
"""


@dataclass
class Answer:
    """What a command did."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)


Run = Callable[..., Answer]


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str]) -> Run:
    """Call ``newsletter …`` and hold it to its exit code."""

    def call(*arguments: str, code: int = 0) -> Answer:
        capsys.readouterr()
        found = guarded(newsletter, list(arguments))
        captured = capsys.readouterr()
        assert "Traceback" not in captured.err
        assert found == code, f"newsletter {' '.join(arguments)}: {found}\n{captured.out}{captured.err}"
        return Answer(found, captured.out, captured.err)

    return call


@pytest.fixture
def weekly(tmp_path: Path, run: Run, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A fresh workspace with the issue 2026-11-27 and one story in it."""
    root = tmp_path / "weekly"
    run(
        "init", str(root), "--name", "The Breakwater", "--from", "post@breakwater.test", "--address", "1 Mole, Saltford"
    )
    monkeypatch.chdir(root)
    run("issue", "new", "2026-11-27")
    story = tmp_path / "tide.md"
    story.write_text(STORY, encoding="utf-8")
    run("article", "add", str(story), "--issue", "2026-11-27")
    return root


@pytest.fixture
def hotel(weekly: Path, run: Run) -> Path:
    """The Quay Hotel, with a picture, booked for the issue; its file."""
    picture = weekly.parent / "room.png"
    picture.write_bytes(png())
    run(
        "sponsor", "add", "quay-hotel", "--sponsor", "The Quay Hotel", "--headline", "Rooms over the water",
        "--text", "A room with a view, and **breakfast** until noon.\n\nAsk for the tower.", "--link",
        "https://quay-hotel.example/winter", "--link-text", "See the rooms", "--image", str(picture),
        "--alt", "A lit window over the harbour", "--run", "2026-11-27",
    )  # fmt: skip
    return weekly / "sponsors" / "quay-hotel.md"


def png(colour: str = "teal") -> bytes:
    """A small picture."""
    stream = io.BytesIO()
    Image.new("RGB", (1000, 500), colour).save(stream, "PNG")
    return stream.getvalue()


def write_sponsor(root: Path, name: str, runs: str, *, more: str = "") -> Path:
    """A sponsor as an editor writes it."""
    path = root / "sponsors" / f"{name}.md"
    path.parent.mkdir(exist_ok=True)
    text = f"---\nsponsor: {name.title()} Ltd\nheadline: About {name}\nlink: https://{name}.example/\nruns: {runs}\n"
    path.write_text(f"{text}{more}---\nWe sell things.\n", encoding="utf-8")
    return path


def findings(run: Run, code: int = 0) -> dict[str, str]:
    found = run("check", SLUG, "--format", "json", code=code).json["findings"]
    return {f["id"]: f["message"] for f in found if f["id"].startswith("sponsor-")}


def built(run: Run, weekly: Path) -> tuple[str, str]:
    run("build", SLUG)
    folder = weekly / ".newsletter" / "build" / SLUG
    page = html.unescape((folder / "email.html").read_text(encoding="utf-8"))
    return page, (folder / "email.txt").read_text(encoding="utf-8")


def test_a_sponsor_goes_from_its_file_into_html_and_text(run: Run, weekly: Path, hotel: Path) -> None:
    """Label, payer, whole text, link and picture; the creative is no story of the issue."""
    said = run("issue", "pick", SLUG, "--sponsor", "quay-hotel").out
    assert said == "quay-hotel: place 1 of the sponsor\n"
    page, text = built(run, weekly)
    label = "Advertisement feature · Paid for by The Quay Hotel"
    assert label in text
    assert "Ask for the tower." in text
    assert "See the rooms: https://quay-hotel.example/winter" in text
    assert label in page
    assert "<strong" in page
    assert 'rel="sponsored"' in page
    assert 'alt="A lit window over the harbour"' in page
    assert page.index(label) < page.index("Rooms over the water", page.index(label)) < page.index("Ask for the tower.")
    assert "quay-hotel" in run("issue", "show", SLUG).out


def test_a_label_of_its_own_stands_in_both_parts(run: Run, weekly: Path, hotel: Path) -> None:
    """It takes the place of the translated words; the payer stays."""
    hotel.write_text(hotel.read_text().replace("label: Advertisement feature", "label: Partner content"))
    run("issue", "pick", SLUG, "--sponsor", "quay-hotel")
    for part in built(run, weekly):
        assert "Partner content · Paid for by The Quay Hotel" in part
        assert "Advertisement feature" not in part


def test_nobody_can_approve_an_issue_whose_creative_is_not_approved_as_it_is(
    run: Run, weekly: Path, hotel: Path
) -> None:
    """No proof, a proof, an edit after it, a new proof."""
    run("issue", "pick", SLUG, "--sponsor", "quay-hotel")
    assert findings(run, 1) == {"sponsor-unapproved": "Nobody has approved the sponsor's creative."}
    assert "sponsor-unapproved" in run("approve", SLUG, code=1).err
    shown = run("sponsor", "proof", "quay-hotel").out
    assert shown.startswith("Advertisement feature · Paid for by The Quay Hotel\n")
    assert "unsubscribe" not in shown.lower()
    assert "not approved yet" in shown
    assert findings(run, 1)
    assert "approved by M. Penrose on 20" in run("sponsor", "proof", "quay-hotel", "--by", "M. Penrose").out
    assert findings(run) == {}
    hotel.write_text(hotel.read_text().replace("until noon", "until one"))
    assert "changed since" in findings(run, 1)["sponsor-unapproved"]
    assert "changed since its approval by M. Penrose" in run("sponsor", "proof", "quay-hotel").out
    run("sponsor", "proof", "quay-hotel", "--by", "M. Penrose")
    (weekly / "sponsors" / "images" / "quay-hotel.png").write_bytes(png("red"))
    assert findings(run, 1)
    again = run("sponsor", "proof", "quay-hotel", "--by", "M. Penrose", "--json").json
    assert again["approval"] == "approved"
    assert again["proof"]["approved_by"] == "M. Penrose"
    run("approve", SLUG)
    run("sponsor", "proof", "quay-hotel", "--by", " ", code=65)


@pytest.mark.parametrize(
    ("approved_at", "day"),
    [
        ("2026-11-26T22:30:00Z", "2026-11-27"),
        ("2026-11-26T10:30:00Z", "2026-11-26"),
        ("2026-11-26", "2026-11-26"),
        ("the day before", "the day before"),
        ("0001-01-01T00:00:00+14:00", "0001-01-01T00:00:00+14:00"),
    ],
)
def test_a_proof_is_of_the_publications_day(run: Run, weekly: Path, hotel: Path, approved_at: str, day: str) -> None:
    """Approved on a Friday morning in Auckland, which is Thursday in UTC; what is no time is shown as it is written."""
    config = weekly / "newsletter.toml"
    config.write_text(config.read_text().replace('timezone = "Europe/London"', 'timezone = "Pacific/Auckland"'))
    run("sponsor", "proof", "quay-hotel", "--by", "M. Penrose")
    file = weekly / "sponsors" / "quay-hotel.md"
    file.write_text(re.sub("approved_at: .*", f'approved_at: "{approved_at}"', file.read_text()))
    assert f"approved by M. Penrose on {day}." in run("sponsor", "proof", "quay-hotel").out


def test_the_finding_names_the_sponsors_own_file_and_line(run: Run, weekly: Path, hotel: Path) -> None:
    """The editor opens sponsors/NAME.md, not the issue."""
    run("issue", "pick", SLUG, "--sponsor", "quay-hotel")
    found = run("check", SLUG, "--format", "json", code=1).json["findings"]
    assert {f["file"] for f in found if f["id"] == "sponsor-unapproved"} == {"sponsors/quay-hotel.md"}


def test_a_slot_that_is_taken_is_refused_with_both_names(run: Run, weekly: Path, hotel: Path) -> None:
    """When it is added, when it is picked, in the calendar and by the check."""
    more = ("--sponsor", "Rope Walk", "--headline", "Rope", "--text", "Strong.")
    refused = run("sponsor", "add", "rope", *more, "--run", SLUG, code=65).err
    assert "quay-hotel and rope are both booked for 2026-11-27" in refused
    refused = run("sponsor", "add", "rope", *more, "--run", "2026-11-20..2026-11-30", code=65).err
    assert "2026-11-27 and 2026-11-20 to 2026-11-30" in refused
    assert not (weekly / "sponsors" / "rope.md").exists()
    assert "It is booked for no issue" in run("sponsor", "add", "rope", *more).out
    assert "quay-hotel and rope" in run("issue", "pick", SLUG, "--sponsor", "rope", code=65).err
    calendar = run("sponsor", "calendar").out
    assert calendar.split()[:2] == [SLUG, "quay-hotel"]
    assert "in no issue yet" in calendar

    issue = weekly / "issues" / SLUG / "issue.md"
    text = issue.read_text().replace("sections:\n", "sections:\n  - {layout: sponsor, sponsor: rope}\n")
    issue.write_text(text)
    calendar_json = run("sponsor", "calendar", "--json", code=1).json
    assert calendar_json["clashes"] == ["rope stands in 2026-11-27, where quay-hotel has booked the place"]
    assert {"when": SLUG, "name": "rope", "booked": False, "issues": [SLUG], "approval": "not approved yet"} in (
        calendar_json["rows"]
    )
    assert ", unbooked" in run("sponsor", "calendar", code=1).out
    found = findings(run, 1)
    assert found["sponsor-double-booked"] == "The place of rope is booked by quay-hotel too."
    assert "it has no run dates" in found["sponsor-out-of-dates"]

    write_sponsor(weekly, "rope", f"[{SLUG}]")
    assert "quay-hotel and rope are both booked" in run("sponsor", "calendar", code=1).err


def test_the_calendar_opens_no_issue_it_knows_already(
    run: Run, weekly: Path, hotel: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Beside years of issues it takes as long as beside one; a sponsor that was taken out is gone from it."""
    run("issue", "pick", SLUG, "--sponsor", "quay-hotel")
    time.sleep(0.06)  # what was written this moment is read again, since it may look the same after another edit
    before = run("sponsor", "calendar", "--json").json["rows"]
    opened: list[str] = []
    load = folder.load_issue
    for module in (summaries, folder):
        monkeypatch.setattr(module, "load_issue", lambda ws, slug: opened.append(slug) or load(ws, slug))
    assert run("sponsor", "calendar", "--json").json["rows"] == before and before[0]["issues"] == [SLUG]
    assert opened == []
    run("issue", "drop", SLUG, "quay-hotel")
    assert run("sponsor", "calendar", "--json").json["rows"][0]["issues"] == []


def test_two_slots_of_one_issue_are_two_bookings(run: Run, weekly: Path, hotel: Path) -> None:
    """Both stand, each in a section of its own, whichever is picked first."""
    run("sponsor", "add", "rope", "--sponsor", "R", "--headline", "Rope", "--run", SLUG, "--run",
        "2026-12-01..2026-12-02", "--slot", "2")  # fmt: skip
    run("issue", "pick", SLUG, "--sponsor", "rope")
    run("issue", "pick", SLUG, "--sponsor", "quay-hotel")
    assert set(findings(run, 1)) == {"sponsor-unapproved"}
    rows = run("sponsor", "calendar", "--json").json["rows"]
    assert [(r["when"], r["issues"]) for r in rows] == [
        (SLUG, [SLUG]),
        (f"{SLUG} (slot 2)", [SLUG]),
        ("2026-12-01 to 2026-12-02 (slot 2)", []),
    ]


def test_outside_its_dates_a_sponsor_is_a_warning(run: Run, weekly: Path) -> None:
    """It is said when it is picked, and again by the check; used before is what creatives are for."""
    write_sponsor(weekly, "rope", "[2026-11-20]")
    assert "it is not booked for 2026-11-27" in run("issue", "pick", SLUG, "--sponsor", "rope").out
    run("issue", "new", "2026-11-20")
    run("issue", "pick", "2026-11-20", "--sponsor", "rope")
    found = run("check", SLUG, "--format", "json", code=1).json["findings"]
    mine = {f["id"]: f for f in found if f["article"] == "rope"}
    assert mine["sponsor-out-of-dates"]["severity"] == "warning"
    assert "it runs 2026-11-20" in mine["sponsor-out-of-dates"]["message"]
    assert "used-before" not in mine


def test_a_sponsor_section_is_filled_emptied_and_filled_again(run: Run, weekly: Path, hotel: Path) -> None:
    """An empty one is taken first; a story cannot get into it, nor the sponsor out of it, but by drop."""
    issue = weekly / "issues" / SLUG / "issue.md"
    issue.write_text(issue.read_text().replace("sections:\n", "sections:\n  - layout: sponsor\n    title: Partner\n"))
    before = issue.read_text()
    run("issue", "pick", SLUG, "--sponsor", "quay-hotel", "--section", "Also this week", code=65)
    assert run("issue", "pick", SLUG, "--sponsor", "quay-hotel", "--section", "Partner").out == (
        'quay-hotel: place 1 of "Partner"\n'
    )
    assert "already" in run("issue", "pick", SLUG, "--sponsor", "quay-hotel", code=65).err
    story = run("issue", "show", SLUG, "--json").json["sections"][1]["articles"][0]
    assert "a sponsor's" in run("issue", "move", SLUG, story, "--section", "Partner", code=65).err
    refused = run("issue", "move", SLUG, "quay-hotel", "--section", "Also this week", code=65).err
    assert "moves with its section" in refused
    run("issue", "drop", SLUG, "quay-hotel")
    assert issue.read_text() == before
    run("issue", "pick", SLUG, "--sponsor", "quay-hotel")
    assert run("issue", "show", SLUG, "--json").json["sections"][0]["articles"] == ["quay-hotel"]
    run("issue", "pick", SLUG, code=2)
    run("issue", "pick", SLUG, "x", "--sponsor", "quay-hotel", code=2)


@pytest.mark.parametrize(
    ("section", "says"),
    [
        ("{layout: list, sponsor: quay-hotel}", "cannot stand in the layout list"),
        ("{layout: sponsor, sponsor: quay-hotel, articles: [x]}", "either a sponsor or articles"),
        ("{layout: sponsor, sponsor: quay-hotel}\n  - {layout: sponsor, sponsor: quay-hotel}", "twice"),
        ("{layout: sponsor, sponsor: quay-hotl}", "quay-hotel"),
        ("{layout: sponsor, sponsor: ../x}", "cannot be the slug"),
    ],
)
def test_a_section_that_mixes_sponsors_and_stories_is_refused(
    run: Run, weekly: Path, hotel: Path, section: str, says: str
) -> None:
    """With its line and what to do."""
    issue = weekly / "issues" / SLUG / "issue.md"
    issue.write_text(issue.read_text().replace("sections:\n", f"sections:\n  - {section}\n"))
    assert says in run("build", SLUG, code=65).err


def test_a_sponsor_from_a_file_takes_no_approval_along(run: Run, weekly: Path) -> None:
    """Options win over the file; an approval of another workspace is none here."""
    source = weekly.parent / "creative.md"
    source.write_text(
        "---\nsponsor: Rope\nheadline: Old\nruns: [2026-12-04]\n"
        "proof: {approved_by: A, approved_at: '2026-11-01', digest: 'sha256:0'}\n---\nStrong rope.\n"
    )
    run("sponsor", "add", "rope", str(source), "--headline", "New")
    made = (weekly / "sponsors" / "rope.md").read_text()
    assert "headline: New" in made
    assert "proof" not in made
    assert made.endswith("---\nStrong rope.\n")
    assert run("sponsor", "list", "--json").json["sponsors"] == [
        {"name": "rope", "sponsor": "Rope", "approval": "not approved yet", "runs": ["2026-12-04"]}
    ]
    assert "already" in run("sponsor", "add", "rope", str(source), code=65).err
    assert "no such file" in run("sponsor", "add", "other", "gone.md", code=65).err


def test_pictures_are_looked_at_and_those_on_the_web_may_stay(run: Run, weekly: Path) -> None:
    """A file that is no picture is refused; a server that cannot be reached is said, and the address stays."""
    bad = weekly.parent / "bad.png"
    bad.write_bytes(b"no picture")
    options = ("--sponsor", "R", "--headline", "Rope")
    run("sponsor", "add", "rope", *options, "--image", str(bad), code=65)
    assert "no such picture" in run("sponsor", "add", "rope", *options, "--image", "gone.png", code=65).err
    said = run("sponsor", "add", "rope", *options, "--image", "http://127.0.0.1:9/a.png", "--alt", "Rope").out
    assert "stays on its own server" in said
    assert "url: " in (weekly / "sponsors" / "rope.md").read_text()
    config = weekly / "newsletter.toml"
    config.write_text(config.read_text() + "\n[images]\nfetch = false\n")
    assert "server" not in run("sponsor", "add", "boat", *options, "--image", "https://boat.example/a.png").out


def test_empty_lists_say_what_to_do(run: Run, weekly: Path) -> None:
    """And what is not enough to make a sponsor is a matter of usage."""
    assert "newsletter sponsor add" in run("sponsor", "list").out
    assert "No sponsor is booked" in run("sponsor", "calendar").out
    run("sponsor", "add", "rope", code=2)
    run("sponsor", "add", "rope", "--sponsor", "R", "--headline", "H", "--alt", "x", code=2)
    write_sponsor(weekly, "boat", "[]")
    assert "no run dates" in run("sponsor", "list").out
    assert json.loads(run("sponsor", "calendar", "--json").out)["rows"] == []


def test_an_issue_of_another_name_takes_its_place_by_its_date(run: Run, weekly: Path) -> None:
    """A booking by slug stands where the issue's date is; an issue that is not made yet stands last."""
    run("issue", "new", "special", "--date", "2026-11-28")
    write_sponsor(weekly, "rope", "[unmade, special, 2026-12-24]")
    rows = run("sponsor", "calendar", "--json").json["rows"]
    assert [row["when"] for row in rows] == ["special", "2026-12-24", "unmade"]


def test_a_theme_that_hides_the_label_is_found_out(run: Run, weekly: Path, hotel: Path) -> None:
    """Who paid must be said in both parts, whatever a theme does; a theme without rules shows its whole text."""
    hotel.write_text(hotel.read_text().replace("label: Advertisement feature", "label: Partner content"))
    run("issue", "pick", SLUG, "--sponsor", "quay-hotel")
    theme = weekly / "templates" / "bare"
    theme.mkdir(parents=True)
    (theme / "theme.toml").write_text('api = 1\nextends = "base"\n', encoding="utf-8")
    (theme / "email.txt.j2").write_text(
        "{% for s in sections %}{% for a in s.articles %}{{ a.headline }}\n{% endfor %}{% endfor %}", encoding="utf-8"
    )
    config = weekly / "newsletter.toml"
    config.write_text(config.read_text().replace("[publication]", '[publication]\ntheme = "bare"', 1))
    if config.read_text().count("\ntheme = ") > 1:
        config.write_text(
            config.read_text().replace('theme = "bare"\n', "").replace('theme = "weekly"', 'theme = "bare"')
        )
    message = findings(run, 1)["sponsor-label-unseen"]
    assert message == "The text part does not say “Partner content” and “The Quay Hotel”."
    assert run("sponsor", "proof", "quay-hotel").out.startswith("Rooms over the water\n")


def test_an_issue_with_stories_in_its_sponsor_section_needs_no_sponsor_file(run: Run, weekly: Path) -> None:
    """The form with a picked story and its own ``sponsor:`` stays as it was: its label is the theme's."""
    folder = weekly / "issues" / SLUG
    (folder / "paid.md").write_text(
        "---\nheadline: Paid\nkicker: Boats\nsponsor: Rope\nlink: https://rope.example/\n---\nOne.\n\nTwo.\n"
    )
    issue = folder / "issue.md"
    issue.write_text(issue.read_text().replace("sections:\n", "sections:\n  - {layout: sponsor, articles: [paid]}\n"))
    page, text = built(run, weekly)
    for part in (page, text):
        assert "Advertisement feature · Paid for by Rope" in part
        assert "Boats" not in part
    assert not findings(run)
