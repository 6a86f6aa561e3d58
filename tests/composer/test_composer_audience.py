"""The audience screen: readers are found while one types, named by ids alone, and let go only by who is sure."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any
from urllib.parse import urlencode

import pytest
from playwright.sync_api import expect

from newsletter.app.desk import open_desk
from newsletter.app.readers import show_reader
from newsletter.audience import subscribers

READER = "zoë+weekly@readers.test"


def fill(served: Any, count: int) -> None:
    with open_desk(served.root) as desk:
        for number in range(count):
            values = {"first_name": f"Ada {number}", "city": "Wexmouth" if number % 2 else "Hull"}
            subscribers.add(desk.store, f"ada{number:03}@readers.test", values, "test", desk.keys)
        subscribers.add(desk.store, f"{'long' * 15}@{'very-' * 11}long.readers.test", {}, "test", desk.keys)
        subscribers.add(desk.store, "nur@readers.test", {"first_name": "نور الهدى", "city": "حلب"}, "test", desk.keys)


def public_id(served: Any, address: str) -> str:
    with open_desk(served.root) as desk:
        return show_reader(desk, address).reader.public_id


def find(served: Any, **asked: str) -> Any:
    """What the script reads off the page that the form gets."""
    text = served.form("/audience", urlencode(asked), Accept="text/html").text
    row = re.compile(r'<a href="/audience/([^"]+)"><bdi>([^<]+)</bdi></a>.*?<span class="chip (\w+)">')
    return {
        "sentence": re.search(r'id="sentence"[^>]*>([^<]*)<', text)[1],  # type: ignore[index]
        "after": re.search(r'name="after" value="([^"]*)"', text)[1] or None,  # type: ignore[index]
        "readers": [{"id": found[1], "address": found[2], "state": found[3]} for found in row.finditer(text)],
    }


def act(served: Any, who: str, deed: str, **form: str) -> Any:
    return served.form(f"/audience/{who}/{deed}", urlencode(form), Accept="text/html")


def test_readers_are_found_and_paged_by_key_with_and_without_script(served: Any) -> None:
    fill(served, 60)
    first = find(served)
    assert first["sentence"] == "50 of 63 readers" and len(first["readers"]) == 50
    rest = find(served, after=str(first["after"]))
    assert len(rest["readers"]) == 13 and rest["after"] is None
    assert not {r["id"] for r in first["readers"]} & {r["id"] for r in rest["readers"]}
    assert [r["address"] for r in find(served, q="ada 059")["readers"]] == ["ada059@readers.test"]
    page = served.form("/audience", urlencode({"q": "ada059", "state": "subscribed"}), Accept="text/html")
    assert page.text.count("<bdi>ada059@readers.test</bdi>") == 1 and "ada058" not in page.text
    assert served.form("/audience", "state=dead").status == 400
    assert served.form("/audience", "segment=got%3Anothing").status == 404
    assert len(find(served, after="x" * 9)["readers"]) == 50


def test_no_page_of_the_audience_has_an_address_in_a_link(served: Any) -> None:
    """What stands in a URL is kept in histories and logs."""
    fill(served, 3)
    for page in ("/audience", f"/audience/{public_id(served, READER)}"):
        for link in re.findall(r'(?:href|action)="([^"]*)"', served.get(page).text):
            assert "@" not in link and "%40" not in link


def test_a_reader_is_added_with_a_reason_and_not_without(served: Any) -> None:
    asked = {"address": "Bo@Readers.test", "basis": "signed up on paper", "is.first_name": "Bo"}
    answer = served.form("/audience/add", urlencode(asked))
    assert answer.status == 303
    who = public_id(served, "bo@readers.test")
    assert answer.headers["location"] == f"/audience/{who}?did=added"
    page = served.get(answer.headers["location"]).text
    assert "signed up on paper" in page and "Gets the next issue." in page and ">Bo<" in page
    for wrong in ({"basis": " "}, {"address": "nobody"}, {"is.shoe": "44"}):
        refused = served.form("/audience/add", urlencode({**asked, "address": "cy@readers.test", **wrong}))
        assert refused.status in (400, 422) and 'role="alert"' in refused.text
        assert 'value="signed up on paper"' in refused.text or "basis" in wrong, "what was typed stays"
    assert find(served, q="cy@")["readers"] == []


def test_nobody_is_let_go_by_somebody_who_is_not_sure(served: Any) -> None:
    who = public_id(served, READER)
    for deed in ("unsubscribe", "suppress", "erase"):
        assert act(served, who, deed, reason="x").status == 400
        assert served.get(f"/audience/{who}/{deed}").status == 405
    assert find(served)["readers"][0]["state"] == "subscribed"


def test_unsubscribe_suppress_and_erase_do_what_they_say(served: Any) -> None:
    who = public_id(served, READER)
    assert act(served, who, "unsubscribe", sure="yes").status == 303
    page = served.get(f"/audience/{who}?did=unsubscribed").text
    assert "Unsubscribed. No issue goes" in page and f'action="/audience/{who}/unsubscribe"' not in page
    assert act(served, who, "suppress", sure="yes", reason=" ").status == 422
    assert act(served, who, "suppress", sure="yes", reason="by letter").status == 303
    assert "by letter" in served.get(f"/audience/{who}").text
    assert act(served, who, "erase", sure="yes").status == 303
    page = served.get(f"/audience/{who}").text
    assert "An erased reader" in page and "Zoë" not in page and READER not in page and "/erase" not in page
    assert act(served, who, "erase", sure="yes").status == 422
    assert [r["state"] for r in find(served, state="erased")["readers"]] == ["erased"]
    assert served.get("/audience/" + "0" * 32).status == 404
    barred = served.form("/audience/suppress", urlencode({"address": "kim@readers.test", "reason": "asked"}))
    assert barred.headers["location"] == "/audience?did=suppressed"
    assert served.form("/audience/add", urlencode({"address": "kim@readers.test", "basis": "x"})).status == 423


def test_the_export_is_a_download_for_a_form_alone(served: Any) -> None:
    answer = served.form("/audience/export", "")
    assert answer.headers["content-disposition"] == 'attachment; filename="readers.csv"'
    assert READER.encode() in answer.body and answer.headers["cache-control"] == "no-store"
    assert served.get("/audience/export").status in (404, 405)
    assert served.ask("POST", "/audience/export", "", Sec_Fetch_Site="cross-site").status == 403


@pytest.mark.chromium
@pytest.mark.npm
def test_in_chromium_readers_are_found_while_typing_and_shown_again_when_one_comes_back(
    served: Any, screens: Callable[..., Any], axe: str
) -> None:
    """At the width of a phone, too; axe has nothing to object to on either page."""
    fill(served, 60)
    screen = screens(served, viewport={"width": 390, "height": 800})
    page = screen.open("/audience").page
    expect(page.locator("#readers tr")).to_have_count(50)
    page.get_by_role("button", name="The next ones").click()
    expect(page.locator("#readers tr")).to_have_count(63)
    expect(page.locator("#sentence")).to_have_text("63 of 63 readers")
    expect(page.locator("#readers tr:nth-child(51) a")).to_be_focused()
    assert screen.axe(axe) == []
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    page.get_by_label("Search").press_sequentially("ada 059")
    expect(page.locator("#readers tr")).to_have_count(1)
    assert page.url.endswith("/audience")
    page.get_by_role("link", name="ada059@readers.test").click()
    expect(page.locator("h1")).to_have_text("ada059@readers.test")
    assert screen.axe(axe) == []
    page.go_back()
    expect(page.locator("#readers tr")).to_have_count(1)
    page.get_by_label("Search").fill("nobody at all")
    expect(page.locator("#nobody")).to_be_visible()
    page.get_by_label("Search").fill("نور")
    page.get_by_role("link", name="nur@readers.test").click()
    page.locator("summary", has_text="Unsubscribe").click()
    page.locator("details[open]").get_by_label("I am sure").check()
    assert screen.axe(axe) == []
    page.get_by_role("button", name="Unsubscribe").click()
    expect(page.get_by_role("status")).to_contain_text("Unsubscribed")
    assert screen.errors == []


@pytest.mark.chromium
def test_the_screen_works_without_script(served: Any, screens: Callable[..., Any]) -> None:
    fill(served, 60)
    page = screens(served, java_script_enabled=False).open("/audience").page
    page.get_by_label("Search").fill("ada")
    page.get_by_role("button", name="Search").click()
    expect(page.locator("#readers tr")).to_have_count(50)
    page.get_by_role("button", name="The next ones").click()
    expect(page.locator("#readers tr")).to_have_count(10)
