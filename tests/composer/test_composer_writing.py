"""What the composer writes: the files that the command line edits, only while they are what the editor saw."""

from __future__ import annotations

import hashlib
import json
import re
import time
from pathlib import Path
from typing import Any

import pytest

from newsletter.app.approve import approve_issue
from newsletter.app.desk import open_desk

ISSUE = "2026-11-27"
AT = f"/issues/{ISSUE}"
LEAD = "passengers-buy-the-last-ferry"
SECOND = "sea-wall-to-move-inland"


def sha(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def order(served: Any) -> list[list[str]]:
    return [[story["slug"] for story in section["stories"]] for section in served.state()["sections"]]


def step(served: Any, **what: Any) -> Any:
    return served.send("POST", f"{AT}/arrange", {"expected": served.state()["sha256"], **what})


def test_a_field_is_saved_and_every_other_byte_of_the_file_stays(served: Any) -> None:
    path = served.issue / f"{SECOND}.md"
    before = path.read_text(encoding="utf-8")
    said = served.send("PUT", f"{AT}/stories/{SECOND}", {"expected": sha(path), "fields": {"kicker": "The: coast"}})
    assert said.status == 200
    assert said.json["files"] == [
        {"article": SECOND, "was": hashlib.sha256(before.encode()).hexdigest(), "now": sha(path)}
    ]
    after = path.read_text(encoding="utf-8")
    assert served.story(SECOND)["fields"]["kicker"] == "The: coast"
    kept = [line for line in before.splitlines() if not line.startswith("kicker:")]
    assert [line for line in after.splitlines() if line in kept] == kept


def test_the_body_and_the_intro_are_saved_in_the_files_own_line_ends(served: Any) -> None:
    path = served.issue / f"{SECOND}.md"
    path.write_bytes(path.read_bytes().replace(b"\n", b"\r\n"))
    assert served.send("PUT", f"{AT}/stories/{SECOND}", {"expected": sha(path), "text": "One.\n\nTwo."}).status == 200
    assert path.read_bytes().endswith(b"---\r\nOne.\r\n\r\nTwo.\r\n")
    issue = served.issue / "issue.md"
    assert (
        served.send("PUT", f"{AT}/text", {"expected": sha(issue), "text": "Hello {{ subscriber.first_name }}"}).status
        == 200
    )
    assert issue.read_text(encoding="utf-8").endswith("---\nHello {{ subscriber.first_name }}\n")


def test_a_stale_save_is_409_and_writes_nothing(served: Any) -> None:
    """Whoever saved between, in a text editor or in another window, is not overwritten."""
    path = served.issue / f"{SECOND}.md"
    old = sha(path)
    served.edit(f"{SECOND}.md", "headline: ", "headline: Once more, ")
    now = path.read_bytes()
    for method, address, what in (
        ("PUT", f"stories/{SECOND}", {"fields": {"kicker": "x"}}),
        ("POST", "waive", {"article": SECOND, "check": "credit-missing", "reason": "ours"}),
    ):
        answer = served.send(method, f"{AT}/{address}", {"expected": old, **what})
        assert answer.status == 409
        assert "nothing was written" in answer.json["error"]["what"]
    stale = served.state()["sha256"]
    served.edit("issue.md", "number: 48", "number: 49")
    for what in ({"do": "drop", "article": LEAD}, {"do": "remove-section", "section": 0}):
        assert served.send("POST", f"{AT}/arrange", {"expected": stale, **what}).status == 409
    assert served.send("PUT", f"{AT}/text", {"expected": stale, "fields": {"subject": "x"}}).status == 409
    assert path.read_bytes() == now
    assert LEAD in (served.issue / "issue.md").read_text(encoding="utf-8")


def test_nothing_of_an_approved_issue_can_be_written(served: Any) -> None:
    with open_desk(served.root) as desk:
        approve_issue(desk, ISSUE, send_at=None)
    before = {path.name: path.read_bytes() for path in served.issue.glob("*.md")}
    state = served.state()
    assert state["approved"] is True
    issue, story = state["sha256"], served.story(SECOND)["sha256"]
    answers = [
        served.send("PUT", f"{AT}/text", {"expected": issue, "fields": {"subject": "x"}}),
        served.send("PUT", f"{AT}/stories/{SECOND}", {"expected": story, "fields": {"headline": "x"}}),
        served.send("POST", f"{AT}/arrange", {"do": "drop", "article": SECOND, "expected": issue}),
        served.send("POST", f"{AT}/arrange", {"do": "add-section", "at": 0, "layout": "list", "expected": issue}),
        served.send(
            "POST", f"{AT}/waive", {"article": SECOND, "check": "credit-missing", "reason": "x", "expected": story}
        ),
    ]
    assert [answer.status for answer in answers] == [423] * len(answers)
    assert {path.name: path.read_bytes() for path in served.issue.glob("*.md")} == before


@pytest.mark.parametrize(
    ("method", "address", "payload", "status"),
    [
        ("PUT", "stories/no-such-story", {"expected": "0", "fields": {}}, 404),
        ("PUT", "stories/..%2fissue", {"expected": "0", "fields": {}}, 404),
        ("PUT", "stories/Big", {"expected": "0", "fields": {}}, 422),
        ("PUT", f"stories/{SECOND}", {"expected": "now", "fields": {"headline": " "}}, 422),
        ("PUT", f"stories/{SECOND}", {"expected": "now", "fields": {"link": "javascript:alert(1)"}}, 422),
        ("PUT", f"stories/{SECOND}", {"expected": "now", "fields": {"waive": "x"}}, 422),
        ("PUT", f"stories/{SECOND}", {"expected": "now", "text": "x" * 300_000}, 422),
        ("PUT", "text", {"expected": "now", "fields": {"date": "tomorrow"}}, 422),
        ("PUT", "text", {"expected": "now", "fields": {"sections": "x"}}, 422),
        ("PUT", "text", {"expected": "now", "fields": {"subject": 7}}, 400),
        ("PUT", "text", {"expected": "now", "unknown": 1}, 400),
        ("PUT", "text", [], 400),
        ("POST", "arrange", {"do": "move", "article": LEAD, "section": 99, "to": 0, "expected": "now"}, 404),
        ("POST", "arrange", {"do": "move", "article": LEAD, "section": 1, "to": 99, "expected": "now"}, 422),
        ("POST", "arrange", {"do": "pick", "article": "nobody", "expected": "now"}, 404),
        ("POST", "arrange", {"do": "back", "article": "nobody", "section": 0, "to": 0, "expected": "now"}, 404),
        ("POST", "arrange", {"do": "back", "article": LEAD, "section": 0, "to": 0, "expected": "now"}, 422),
        ("POST", "arrange", {"do": "add-section", "at": 0, "layout": "carousel", "expected": "now"}, 422),
        ("POST", "arrange", {"do": "add-section", "at": 99, "layout": "list", "expected": "now"}, 422),
        ("POST", "arrange", {"do": "set-section", "section": 0, "values": {"articles": "x"}, "expected": "now"}, 422),
        ("POST", "arrange", {"do": "set-section", "section": -1, "values": {}, "expected": "now"}, 404),
        ("POST", "arrange", {"do": "explode", "expected": "now"}, 400),
        ("POST", "restore", {"article": None, "to": "0" * 64, "expected": "now"}, 410),
        ("POST", "waive", {"article": LEAD, "check": "credit-missing", "reason": "  ", "expected": "now"}, 422),
        ("POST", "waive", {"article": None, "check": "unsubscribe-missing", "reason": "x", "expected": "now"}, 422),
        ("POST", "fix", {"article": LEAD, "check": "no-such-check"}, 404),
    ],
)
def test_what_cannot_be_done_is_said_and_changes_no_file(
    served: Any, method: str, address: str, payload: Any, status: int
) -> None:
    before = {path.name: path.read_bytes() for path in served.issue.glob("*.md")}
    if isinstance(payload, dict) and payload.get("expected") == "now":
        name = address.partition("/")[2] or payload.get("article")
        owner = name if address.startswith("stories") or address == "waive" else None
        payload = {**payload, "expected": sha(served.issue / (f"{owner}.md" if owner else "issue.md"))}
    answer = served.send(method, f"{AT}/{address}", payload)
    assert answer.status == status, answer.text
    assert status == 404 or answer.json["error"]["what"]
    assert {path.name: path.read_bytes() for path in served.issue.glob("*.md")} == before


@pytest.mark.parametrize("body", [b"{", b"", b"\xff\xfe", b"[" * 100_000, b"NaN", b'"text"', b"null"])
def test_malformed_json_is_400(served: Any, body: bytes) -> None:
    answer = served.ask("PUT", f"{AT}/text", body, Content_Type="application/json")
    assert answer.status == 400
    assert answer.json["error"]["kind"] == "UsageProblem"


def test_a_form_of_another_kind_is_not_taken_for_json(served: Any) -> None:
    body = json.dumps({"expected": sha(served.issue / "issue.md"), "fields": {"subject": "x"}})
    assert served.ask("PUT", f"{AT}/text", body, Content_Type="text/plain").status == 400
    assert served.ask("PUT", f"{AT}/text", body).status == 400


def test_an_unknown_issue_is_404_in_every_form(served: Any) -> None:
    for path in ("/issues/2031-01-01", "/issues/2031-01-01/state", "/issues/2031-01-01/mail.html"):
        assert served.get(path).status == 404


def test_stories_and_sections_move_and_comments_stay(served: Any) -> None:
    served.edit("issue.md", "  - title: Weekend", "  # the editor's own remark\n  - title: Weekend")
    assert step(served, do="move", article=LEAD, section=1, to=2).status == 200
    assert order(served)[:2] == [[], [SECOND, "sixth-formers-map-the-potholes", LEAD, "library-opens-on-sundays"]]
    assert step(served, do="move", article=LEAD, section=0, to=0).status == 200
    assert "# the editor's own remark" in (served.issue / "issue.md").read_text(encoding="utf-8")
    assert step(served, do="set-section", section=1, values={"title": "A: new title", "layout": "grid"}).status == 200
    assert step(served, do="move-section", section=1, to=0).status == 200
    first = served.state()["sections"][0]
    assert (first["title"], first["layout"]) == ("A: new title", "grid")
    assert step(served, do="set-section", section=0, values={"title": ""}).status == 200
    assert served.state()["sections"][0]["title"] == ""
    count = len(order(served))
    assert step(served, do="add-section", at=count, layout="brief", title="Late").status == 200
    assert (served.state()["sections"][-1]["title"], len(order(served))) == ("Late", count + 1)


def test_what_leaves_the_issue_stays_in_its_folder_and_comes_back(served: Any) -> None:
    assert step(served, do="drop", article=SECOND).status == 200
    assert (served.issue / f"{SECOND}.md").exists()
    assert SECOND in [slug for slug, _ in served.state()["spare"]]
    assert step(served, do="back", article=SECOND, section=1, to=0).status == 200
    assert order(served)[1][0] == SECOND and not served.state()["spare"]
    assert step(served, do="remove-section", section=1).status == 200
    assert len(served.state()["spare"]) == 3


def test_a_story_is_picked_into_a_section_or_where_it_fits(served: Any) -> None:
    slugs = served.inbox()
    heron, bakery = sorted(slugs, reverse=True)[1], sorted(slugs, reverse=True)[0]
    assert step(served, do="pick", article=heron, section=3).status == 200
    assert order(served)[3][-1] == heron
    assert step(served, do="pick", article=bakery).status == 200
    assert order(served)[1][-1] == bakery
    assert step(served, do="pick", article=bakery).status == 422
    assert sorted(served.inbox()) == sorted([heron, bakery])
    assert served.get("/inbox/picks").text.count(f"used in {ISSUE}") == 2


def test_undo_puts_back_every_byte_and_refuses_when_somebody_else_wrote_since(served: Any) -> None:
    path = served.issue / "issue.md"
    before = path.read_bytes()
    (change,) = step(served, do="remove-section", section=0).json["files"]
    assert path.read_bytes() != before
    back = {"article": None, "to": change["was"], "expected": change["now"]}
    assert served.send("POST", f"{AT}/restore", back).status == 200
    assert path.read_bytes() == before
    again = {"article": None, "to": change["now"], "expected": change["was"]}
    assert served.send("POST", f"{AT}/restore", again).status == 200
    served.edit("issue.md", "number: 48", "number: 50")
    assert served.send("POST", f"{AT}/restore", back).status == 409
    assert "number: 50" in path.read_text(encoding="utf-8")


def test_a_broken_story_says_so_and_the_others_can_be_edited(served: Any) -> None:
    (served.issue / f"{LEAD}.md").write_text("---\nheadline: a: b\n---\n", encoding="utf-8")
    assert f"issues/{ISSUE}/{LEAD}.md:2" in served.story(LEAD)["problem"]
    path = served.issue / f"{SECOND}.md"
    assert (
        served.send("PUT", f"{AT}/stories/{SECOND}", {"expected": sha(path), "fields": {"kicker": "x"}}).status == 200
    )
    mail = served.get(f"{AT}/mail").json
    assert mail["error"]["where"] == f"issues/{ISSUE}/{LEAD}.md:2"
    (served.issue / "issue.md").write_text("---\nsubject: a: b\n---\n", encoding="utf-8")
    assert served.get(f"{AT}/state").status == 422
    assert served.get(AT, Accept="text/html").status == 200


def test_one_finding_is_put_right_and_a_waiver_has_its_reason(served: Any) -> None:
    """A fix changes what it names and no more; the answer says which files, for undo."""
    story, other = served.issue / f"{SECOND}.md", served.issue / f"{LEAD}.md"
    for path in (story, other):
        path.write_text(
            path.read_text(encoding="utf-8") + "\nThe boat runs again.  Nobody was late.\n", encoding="utf-8"
        )
    doubled, untouched = story.read_bytes(), other.read_bytes()
    (finding,) = [f for f in _findings(served) if f["id"] == "double-space" and f["article"] == SECOND]
    assert finding["fixable"] and finding["waivable"]

    said = served.send("POST", f"{AT}/fix", {"article": SECOND, "check": "double-space", "field": finding["field"]})
    assert said.status == 200, said.text
    assert story.read_bytes() == doubled.replace(b"again.  Nobody", b"again. Nobody")
    assert other.read_bytes() == untouched
    (change,) = said.json["files"]
    assert (change["article"], change["now"]) == (SECOND, sha(story))
    back = {"article": SECOND, "to": change["was"], "expected": change["now"]}
    assert served.send("POST", f"{AT}/restore", back).status == 200
    assert story.read_bytes() == doubled

    asked = {"article": LEAD, "check": "double-space", "reason": "it is: so"}
    assert served.send("POST", f"{AT}/waive", {**asked, "expected": sha(other)}).status == 200
    asked["reason"] = "another reason"
    assert served.send("POST", f"{AT}/waive", {**asked, "expected": sha(other)}).status == 200
    assert other.read_text(encoding="utf-8").count("double-space") == 1
    (finding,) = [f for f in _findings(served) if f["id"] == "double-space" and f["article"] == LEAD]
    assert finding["waived"] == "another reason" and not finding["waivable"]


def _findings(served: Any) -> Any:
    """Those of the files as they are now."""
    newest = served.get(f"{AT}/mail").json["version"]
    deadline = time.monotonic() + 20
    while True:
        mail = served.get(f"{AT}/mail").json
        if mail["mail"]["checked"] and mail["version"] > newest - 1 and _is_newest(served, mail["mail"]["findings"]):
            return mail["mail"]["findings"]
        assert time.monotonic() < deadline
        time.sleep(0.05)


def _is_newest(served: Any, findings: Any) -> bool:
    """The build has seen what the tests wrote last: a story's own waiver."""
    text = (served.issue / f"{LEAD}.md").read_text(encoding="utf-8")
    waived = [f["waived"] for f in findings if f["article"] == LEAD and f["id"] == "double-space"]
    return ("another reason" in text) == (waived == ["another reason"])


def _creative(served: Any, name: str, runs: str) -> None:
    head = f"sponsor: {name.title()}\nheadline: What {name} sells\nlink: https://ads.example/\nruns: {runs}"
    folder = served.root / "sponsors"
    folder.mkdir(exist_ok=True)
    (folder / f"{name}.md").write_text(f"---\n{head}\n---\nBuy it.\n", encoding="utf-8")


def test_a_creative_is_put_into_an_empty_place_and_what_another_has_booked_is_refused(served: Any) -> None:
    """Who is booked for the issue comes first; a double booking names both, and nothing is written."""
    at = next(n for n, s in enumerate(served.state()["sections"]) if s["layout"] == "sponsor")
    (standing,) = served.state()["sections"][at]["stories"]
    assert step(served, do="drop", article=standing["slug"]).status == 200
    _creative(served, "chandler", f"[{ISSUE}]")
    _creative(served, "almanac", "[2027-01-08]")
    offered = served.get(f"{AT}/sponsors").text
    assert re.findall(r'<optgroup label="(.+?)"|<option value="(\w+)">', offered) == [
        ("Booked for this issue", ""), ("", "chandler"), ("Not booked for it", ""), ("", "almanac"),
    ]  # fmt: skip
    assert "chandler has booked the place)</option>" in offered
    before = (served.issue / "issue.md").read_bytes()
    refused = step(served, do="pick-sponsor", section=at, name="almanac")
    assert refused.status == 422 and "chandler" in refused.json["error"]["what"]
    assert (
        served.send(
            "POST", f"{AT}/arrange", {"do": "pick-sponsor", "section": at, "name": "chandler", "expected": "0" * 64}
        ).status
        == 409
    )
    assert (served.issue / "issue.md").read_bytes() == before
    assert step(served, do="pick-sponsor", section=at, name="chandler").status == 200
    assert order(served)[at] == ["chandler"]
    standing = served.get(f"{AT}/sponsors").text
    about = "Chandler · runs 27 November 2026 · not approved yet"
    assert f'data-name="chandler"><li>{about}</li></ul>' in standing and "wrong" not in standing


def _text(served: Any, do: str, **more: Any) -> Any:
    expected = served.state()["text"]["sha256"]
    return served.send("POST", f"{AT}/text-part", {"do": do, "expected": expected, **more})


def _told(served: Any) -> Any:
    """What stands around the mail of the files as they are, once it is built."""
    found: Any = None
    deadline = time.monotonic() + 15
    while time.monotonic() < deadline:
        found = served.get(f"{AT}/mail").json["mail"]["text"]
        if found["seen"] or not served.state()["text"]["sha256"]:
            return found
    return found


def test_the_text_part_is_written_typed_confirmed_and_generated_again(served: Any) -> None:
    """Each step names the file that was seen, and undo puts back the text and what it was right for."""
    path, memory = served.issue / "email.txt", served.issue / "text.json"
    generated = served.get(f"{AT}/mail.txt").text
    assert served.state()["text"] == {"sha256": "", "body": "", "problem": None}
    (made,) = _text(served, "write").json["files"]
    assert made == {"article": "email.txt", "was": "", "now": sha(path)}
    assert "{{ unsubscribe_url }}" in served.state()["text"]["body"]
    assert served.get(f"{AT}/mail.txt").text == generated
    said = served.send(
        "PUT", f"{AT}/stories/email.txt", {"expected": sha(path), "text": "In my own words.\r\n{{ web_url }}"}
    )
    assert said.status == 200 and path.read_bytes() == b"In my own words.\n{{ web_url }}\n"
    typed, was = sha(path), memory.read_bytes()
    (gone,) = _text(served, "drop").json["files"]
    assert gone == {"article": "email.txt", "was": typed, "now": ""} and not path.exists() and not memory.exists()
    back = {"article": "email.txt", "to": typed, "expected": ""}
    assert served.send("POST", f"{AT}/restore", back).status == 200
    assert sha(path) == typed and memory.read_bytes() == was
    back = {"article": "email.txt", "to": "", "expected": typed}
    assert served.send("POST", f"{AT}/restore", back).json["files"][0]["now"] == "" and not path.exists()


def test_a_stale_own_text_is_told_and_confirmed_only_for_what_was_seen(served: Any) -> None:
    """A story that changed between the look and the press is not confirmed unseen: 409."""
    _text(served, "write")
    assert _told(served)["stale"] == []
    served.edit(f"{SECOND}.md", "quarter of a mile", "third of a mile")
    deadline = time.monotonic() + 15
    while not (told := _told(served))["stale"]:
        assert time.monotonic() < deadline
    (change,) = told["stale"]
    assert change["article"] == SECOND and ["new", "third"] in [[op, text.strip()] for op, text in change["runs"]]
    served.edit(f"{SECOND}.md", "third of a mile", "half of a mile")
    assert _text(served, "confirm", seen=told["seen"]).status == 409
    while (now := _told(served))["seen"] == told["seen"]:
        assert time.monotonic() < deadline
    assert _text(served, "confirm", seen=now["seen"]).status == 200
    while _told(served)["stale"]:
        assert time.monotonic() < deadline


def test_another_hand_on_the_text_part_is_409_and_nothing_is_written(served: Any) -> None:
    """Somebody wrote it, or took it away, since the page was read."""
    path = served.issue / "email.txt"
    path.write_text("Theirs\n", encoding="utf-8")
    assert served.send("POST", f"{AT}/text-part", {"do": "write", "expected": ""}).status == 409
    for do in ("confirm", "drop"):
        assert served.send("POST", f"{AT}/text-part", {"do": do, "expected": "0" * 64}).status == 409
    put = {"expected": "0" * 64, "text": "Mine"}
    assert served.send("PUT", f"{AT}/stories/email.txt", put).status == 409
    assert path.read_text(encoding="utf-8") == "Theirs\n"
    path.unlink()
    assert served.send("PUT", f"{AT}/stories/email.txt", {"expected": "", "text": "Mine"}).status == 200
    path.unlink()
    assert served.send("POST", f"{AT}/text-part", {"do": "read", "expected": ""}).status == 400
    assert served.send("POST", f"{AT}/restore", {"article": "email.txt", "to": "", "expected": ""}).status == 404
    assert not path.exists()


def test_an_own_text_that_is_no_text_says_so_and_the_stories_can_be_edited(served: Any) -> None:
    path = served.issue / "email.txt"
    path.write_bytes(b"Gr\xfc\xdfe\n")
    text = served.state()["text"]
    assert text["sha256"] == sha(path) and text["problem"].startswith(
        "issues/2026-11-27/email.txt:1: this is not UTF-8"
    )
    story = served.issue / f"{SECOND}.md"
    saved = served.send("PUT", f"{AT}/stories/{SECOND}", {"expected": sha(story), "fields": {"kicker": "Coast"}})
    assert saved.status == 200
    assert served.send("PUT", f"{AT}/stories/email.txt", {"expected": sha(path), "text": "x\0y"}).status == 422
    with open_desk(served.root) as desk:
        served.issue.joinpath("email.txt").unlink()
        approve_issue(desk, ISSUE, send_at=None)
    assert _text(served, "write").status == 423
