"""What happened after an issue was sent stands on its web copy, as readers and caches get it."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import pytest

from newsletter.app.approve import approve_issue
from newsletter.app.corrections import correct_issue
from newsletter.app.desk import open_desk
from newsletter.app.retract import restore_story, retract_story
from newsletter.app.send import run_due
from newsletter.audience import subscribers
from newsletter.delivery.approval import load_approval
from newsletter.rendering.catalogues import SCRIPTS
from tests.public.kit import inside, serve

ISSUE, STORY = "2026-11-27", "passengers-buy-the-last-ferry"
COPY = f"/v/{ISSUE}"


def picture_of(root: Path) -> str:
    """The address of the story's picture on the public pages."""
    with open_desk(root) as desk:
        approval = load_approval(desk.workspace, ISSUE)
    html = (approval.folder / "email.html").read_text()
    story = next(html[span.start : span.end] for span in approval.spans if span.article == STORY)
    return next("/m/" + file.removeprefix("media/") for file, src, _ in approval.images if src in story)


def retract(root: Path, **more: str) -> None:
    with open_desk(root) as desk:
        retract_story(desk, ISSUE, STORY, **more)  # type: ignore[arg-type]  # reason and by, both words


def test_a_server_that_runs_shows_it_at_once(workspace: Path) -> None:
    """No restart; the page's tag changes, so that no cache keeps the story; the picture is gone, not missing."""
    picture = picture_of(workspace)
    with serve(workspace) as site:
        before, shown = site.ask(COPY), site.ask(picture)
        assert (before.status, shown.status) == (200, 200)
        retract(workspace, reason="The paper was wrong")
        again = site.ask(COPY, headers={"If-None-Match": before.headers["etag"]})
        assert again.status == 200 and again.headers["etag"] != before.headers["etag"]
        assert "Passengers buy" in before.text and "Passengers buy" not in again.text
        assert "The paper was wrong" in again.text
        gone = site.ask(picture, headers={"If-None-Match": shown.headers["etag"]})
        assert gone.status == 410
        assert "immutable" not in gone.headers.get("cache-control", "")
        assert site.ask("/m/0123456789abcdef.jpg").status == 404
        others = set(re.findall(r'src="(/m/[^"]+)"', again.text))
        assert others and all(site.ask(src).status == 200 for src in others)
        with open_desk(workspace) as desk:
            restore_story(desk, ISSUE, STORY)
        assert site.ask(COPY).headers["etag"] == before.headers["etag"]
        assert site.ask(picture).body == shown.body


def test_a_picture_that_something_wrote_again_stays_gone(workspace: Path) -> None:
    """The database says so, whatever lies in the folder."""
    picture = picture_of(workspace)
    media = workspace / ".newsletter" / "media" / picture.removeprefix("/m/")
    data = media.read_bytes()
    with inside(workspace) as site:
        retract(workspace)
        media.write_bytes(data)
        assert site.ask(picture).status == 410


def send(root: Path) -> None:
    with open_desk(root) as desk:
        subscribers.add(desk.store, "ada@readers.test", {}, "test", desk.keys)
        assert run_due(desk).error is None


def write_correction(root: Path, said: str, lang: str | None = None) -> str:
    with open_desk(root) as desk:
        slug = correct_issue(desk, ISSUE).slug
    folder = root / "issues" / slug
    story = folder / "right.md"
    story.write_text("---\nheadline: It was right\nlink: https://estuary.example/r\n---\nYes.\n")
    text = (folder / "issue.md").read_text()
    text = re.sub(r"\nsubject: .*", f"\nsubject: {said}" + (f"\nlang: {lang}" if lang else ""), text)
    text = re.sub(r"\nsections:(?s:.*?)\n---", "\nsections:\n  - layout: list\n    articles: [right]\n---", text)
    (folder / "issue.md").write_text(text)
    return slug


def test_a_corrected_issue_and_its_correction_link_to_each_other(workspace: Path) -> None:
    """Once the correction is public and not before; its subject is escaped, and its merge fields take defaults."""
    send(workspace)
    subject = "\"Correction: <i>Gannet & Co</i> for {{ subscriber.first_name | default('you') }}\""
    with inside(workspace) as site:
        slug = write_correction(workspace, subject)
        assert "Corrected on" not in site.ask(COPY).text
        with open_desk(workspace) as desk:
            approve_issue(desk, slug, send_at="2099-01-01 07:00")
        assert "Corrected on" not in site.ask(COPY).text, "scheduled only"
        assert site.ask(f"/v/{slug}").status == 404
        with open_desk(workspace) as desk:
            with desk.store.write() as conn:
                conn.exec_driver_sql("update mailing set send_at = 1 where issue = ?", (slug,))
                conn.exec_driver_sql(
                    "update mailing set state = 'scheduled', reason = 'released' where issue = ?", (slug,)
                )
            assert run_due(desk).error is None
        page, back = site.ask(COPY).text, site.ask(f"/v/{slug}").text
    link = f'href="/v/{slug}">Correction: &lt;i&gt;Gannet &amp; Co&lt;/i&gt; for you</a>'
    assert link in page and re.search(r"Corrected on \d+ \w+ 20\d\d: <a ", page)
    assert f'href="{COPY}">The ferry is ours, and the sea wall moves</a>' in back
    assert "This corrects an earlier issue: <a " in back
    assert "nlf0" not in page and "nlf0" not in back


def test_a_corrected_issue_whose_story_was_withdrawn_is_not_named_by_it(workspace: Path) -> None:
    """A correction's page names the issue by its slug then: the subject may be what had to go."""
    send(workspace)
    slug = write_correction(workspace, "Correction")
    with open_desk(workspace) as desk:
        approve_issue(desk, slug, send_at="now")
        assert run_due(desk).error is None
    retract(workspace)
    with inside(workspace) as site:
        back = site.ask(f"/v/{slug}").text
    assert f'href="{COPY}" dir="ltr">{ISSUE}</a>' in back
    assert "The ferry is ours" not in back


@pytest.mark.parametrize("lang", sorted(SCRIPTS))
def test_notes_are_in_the_issues_language(lang: str, workspace: Path) -> None:
    """All three of them, with its direction, in the eight languages that have a catalogue."""
    file = workspace / "issues" / ISSUE / "approved" / "approval.json"
    file.write_text(file.read_text().replace('"lang": "en-GB"', f'"lang": "{lang}"'))
    send_it = workspace.with_name("sent")
    shutil.copytree(workspace, send_it)
    with open_desk(send_it) as desk:
        from newsletter.app.webcopy import web_copy
        from newsletter.rendering.words import direction, words

        with desk.store.write() as conn:
            value = f'{{"issue": "{ISSUE}", "at": 1795000000000000, "subject": "x"}}'
            conn.exec_driver_sql("insert into meta values (?, ?)", (f"correction:{ISSUE}:{ISSUE}", value))
        retract_story(desk, ISSUE, STORY)
        page = web_copy(desk, ISSUE).html
    t = words(lang, html=True)
    for said in (
        t("This story was withdrawn on {date}.", date="|"),
        t("Corrected on {date}: {subject}", date="|", subject="^"),
    ):
        for part in re.split(r"[|^]", said):
            assert part.strip() in page
    assert page.count(f'lang="{lang}" dir="{direction(lang)}"') >= 2
