"""Importing in the browser: nothing happens before it was shown, a double click imports once, no file is kept."""

from __future__ import annotations

import asyncio
import os
import re
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest
from playwright.sync_api import expect
from starlette.requests import Request

from newsletter.app.desk import open_desk
from newsletter.audience import subscribers
from newsletter.errors import NotFound
from newsletter.web.composer import uploads

FILE = (
    "E-mail;Given name;City;Shoes\r\n"
    "bo@readers.test;Bo;Hull;44\r\n"
    "cy@readers.test;Cý;Wexmouth;\r\n"
    "nobody;No;Where;1\r\n"
    "zoë+weekly@readers.test;Zoë;;\r\n"
).encode()
BASIS = "signed up on paper"


def send(served: Any, data: bytes = FILE, name: str = "our readers.csv", *, boundary: str = "xXx") -> Any:
    told = f'Content-Disposition: form-data; name="file"; filename="{name}"\r\nContent-Type: text/csv'
    body = f"--{boundary}\r\n{told}\r\n\r\n".encode() + data + f"\r\n--{boundary}--\r\n".encode()
    kind = f"multipart/form-data; boundary={boundary}"
    return served.ask("POST", "/audience/import", body, Content_Type=kind, Accept="text/html")


def uploaded(served: Any, data: bytes = FILE, name: str = "our readers.csv") -> str:
    answer = send(served, data, name)
    assert answer.status == 303, answer.text
    return str(answer.headers["location"])


def tried(served: Any, place: str, **fields: str) -> Any:
    asked = {"c0": "address", "c1": "first_name", "c2": "city", "c3": "", "basis": BASIS, **fields}
    return served.form(place, urlencode(asked), Accept="text/html")


def plan(answer: Any) -> str:
    found = re.search(r'name="plan" value="([0-9a-f]{64})"', answer.text)
    assert found is not None, answer.text
    return f"plan={found[1]}"


def audience(served: Any) -> int:
    with open_desk(served.root) as desk:
        return subscribers.count(desk.store)


def folder(served: Any) -> Path:
    return Path(served.root / ".newsletter" / "imports")


def test_the_columns_are_guessed_tried_and_imported(served: Any) -> None:
    place = uploaded(served)
    page = served.get(place).text
    assert "Given name" in page and "bo@readers.test" in page and "Cý" in page
    assert re.search(r'What E-mail becomes"><option value="">ignore</option><option value="address" selected>', page)
    would = tried(served, place)
    assert would.status == 200 and "Nothing is imported yet" in would.text and "<dt>added</dt><dd>2</dd>" in would.text
    assert audience(served) == 1
    refused = served.get(f"{place}/refused.csv")
    assert refused.status == 200 and b"nobody" in refused.body and b"bo@" not in refused.body
    done = served.form(f"{place}/run", plan(would))
    assert done.status == 303 and audience(served) == 3
    page = served.get(place).text
    assert "<h1>Imported</h1>" in page and "<dt>added</dt><dd>2</dd>" in page and "<dt>refused</dt><dd>1</dd>" in page
    assert list(folder(served).glob("*/in")) == [], "the file is gone"
    with open_desk(served.root) as desk:
        reader, consent = subscribers.show(desk.store, "cy@readers.test")
    assert dict(reader.attributes) == {"first_name": "Cý", "city": "Wexmouth"}
    assert [(c.basis, c.source) for c in consent] == [(BASIS, "our readers.csv")]


def test_a_column_that_says_who_has_left_is_heeded_unless_an_editor_says_otherwise(served: Any) -> None:
    """The page sends a word for each column: the one that says who is subscribed says so there too."""
    text = b"email,first_name,status\nbo@readers.test,Bo,subscribed\nleft@readers.test,Lee,unsubscribed\n"
    place = uploaded(served, text)
    page = served.get(place).text
    choices = '<option value="">ignore</option><option value="address">address</option>'
    assert f'What status becomes">{choices}<option value="status" selected>whether subscribed</option>' in page
    asked = re.findall(r'<select name="(c\d)".*?<option value="([^"]*)" selected>', page)
    assert asked == [("c0", "address"), ("c1", "first_name"), ("c2", "status")]
    would = served.form(place, urlencode({**dict(asked), "basis": BASIS}), Accept="text/html")
    assert "<dt>added</dt><dd>1</dd>" in would.text and "the file itself says" in would.text
    assert "<dt>added</dt><dd>2</dd>" in tried(served, place, c2="").text, "an editor may know better"
    bare = served.form(place, urlencode({"c0": "address", "basis": BASIS}), Accept="text/html")
    assert "<dt>added</dt><dd>1</dd>" in bare.text
    served.form(f"{place}/run", plan(bare))
    with open_desk(served.root) as desk, pytest.raises(NotFound):
        subscribers.find(desk.store, "left@readers.test")


def test_who_left_by_the_file_is_said(served: Any) -> None:
    """Of readers who came by an earlier file."""
    place = uploaded(served, b"email\nbo@readers.test\n")
    served.form(f"{place}/run", plan(tried(served, place)))
    place = uploaded(served, b"email,unsub_time\nbo@readers.test,2026-01-31\n")
    would = tried(served, place, c1="status")
    assert "1 reader of an earlier file would leave" in would.text
    served.form(f"{place}/run", plan(would))
    assert "1 reader of an earlier file left" in served.get(place).text
    with open_desk(served.root) as desk:
        assert subscribers.find(desk.store, "bo@readers.test").status == "unsubscribed"


def test_a_double_click_imports_once_and_both_clicks_see_the_same(served: Any) -> None:
    lines = "".join(f"reader{n}@readers.test,R{n}\n" for n in range(3_000))
    place = uploaded(served, f"email,first_name\n{lines}".encode())
    asked = plan(tried(served, place, c0="address", c1="first_name"))
    answers: list[Any] = []
    clicks = [threading.Thread(target=lambda: answers.append(served.form(f"{place}/run", asked))) for _ in range(3)]
    for click in clicks:
        click.start()
    for click in clicks:
        click.join()
    assert [(a.status, a.headers["location"]) for a in answers] == [(303, place)] * 3
    assert "<dt>added</dt><dd>3,000</dd>" in served.get(place).text
    with open_desk(served.root) as desk:
        noted = desk.store.database.stat().st_size
        assert noted and subscribers.count(desk.store) == 3_001
    trail = served.get("/settings/trail").text
    assert trail.count("our readers.csv") == 1


def test_other_columns_than_those_that_were_shown_are_not_imported(served: Any) -> None:
    place = uploaded(served)
    first = plan(tried(served, place))
    tried(served, place, c1="")
    answer = served.form(f"{place}/run", first, Accept="text/html")
    assert answer.status == 409 and audience(served) == 1


@pytest.mark.parametrize(
    ("fields", "says"),
    [({"basis": " "}, "without a reason"), ({"c0": ""}, 'role="alert"'), ({"c1": "address"}, 'role="alert"')],
)
def test_what_cannot_be_imported_says_why_and_keeps_what_was_chosen(
    served: Any, fields: dict[str, str], says: str
) -> None:
    place = uploaded(served)
    answer = tried(served, place, **fields)
    assert answer.status in (400, 422) and says in answer.text and "What the columns are" in answer.text
    assert audience(served) == 1


def test_a_file_is_private_harmlessly_named_and_not_kept(served: Any) -> None:
    place = uploaded(served, name="..\\..\\x/../plan.json")
    (path,) = folder(served).glob("*/in/*")
    assert path.name == "plan.json" and path.parent.name == "in"
    assert path.stat().st_mode & 0o077 == 0 and path.parents[1].stat().st_mode & 0o077 == 0
    old = time.time() - uploads.KEPT_SECONDS - 60
    os.utime(path.parents[1], (old, old))
    served.get("/audience/import")
    assert list(folder(served).iterdir()) == [] and served.get(place).status == 404
    place = uploaded(served)
    served.form(f"{place}/drop", "")
    assert list(folder(served).iterdir()) == []
    assert served.get("/audience/import/..%2F..%2Fkeys.json").status == 404


def test_what_is_no_file_or_too_much_leaves_nothing_behind(served: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    assert send(served, b"").status == 400
    assert served.form("/audience/import", "file=x", Accept="text/html").status == 400
    cut = served.ask("POST", "/audience/import", b"--x\r\nno end", Content_Type="multipart/form-data; boundary=x")
    assert cut.status == 400
    monkeypatch.setattr(uploads, "MOST_BYTES", 1_000)
    assert send(served, b"x" * 1_001).status == 413
    assert list(folder(served).iterdir()) == []
    assert served.ask("POST", "/audience/import", b"", Sec_Fetch_Site="cross-site").status == 403


@pytest.mark.parametrize("size", [1, 2, 65_530, 65_536, 200_000])
def test_a_file_arrives_byte_for_byte_whatever_stands_in_it(served: Any, size: int) -> None:
    """Also what looks like the beginning of the end."""
    data = (b"\r\n--xX\r\n--xXy\r\n-" * (size // 16 + 1))[:size]
    uploaded(served, data)
    (path,) = folder(served).glob("*/in/*")
    assert path.read_bytes() == data


@pytest.mark.parametrize("piece", [1, 2, 3, 5, 7, 64])
def test_a_file_arrives_byte_for_byte_in_whatever_pieces_it_comes(tmp_path: Path, piece: int) -> None:
    """The end of it may be cut anywhere."""
    data = b"a\r\n--xX\r\n--xXy\r\n-\r\n" * 3
    told = b'--xXx\r\nContent-Disposition: form-data; name="file"; filename="a.csv"\r\n\r\n'
    body = told + data + b"\r\n--xXx--\r\n"
    pieces = [body[start : start + piece] for start in range(0, len(body), piece)]

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": pieces.pop(0), "more_body": bool(pieces)}

    headers = [(b"content-type", b"multipart/form-data; boundary=xXx")]
    request = Request({"type": "http", "method": "POST", "headers": headers}, receive)
    kept = uploads.Uploads(tmp_path / "imports")
    with ThreadPoolExecutor(1) as thread:
        upload = thread.submit(lambda: asyncio.run(kept.take(request))).result()
    assert kept.file(upload).read_bytes() == data and kept.file(upload).name == "a.csv"


@pytest.mark.chromium
@pytest.mark.npm
@pytest.mark.parametrize("script", [True, False])
def test_in_chromium_a_file_is_imported_with_nothing_that_axe_objects_to(
    served: Any, screens: Callable[..., Any], axe: str, tmp_path: Path, script: bool
) -> None:
    """And without script just the same."""
    path = tmp_path / "Leserinnen – 2026.csv"
    path.write_bytes(FILE)
    screen = screens(served, viewport={"width": 390, "height": 800}, java_script_enabled=script)

    def sound() -> None:
        if script:
            assert screen.axe(axe) == []
            assert screen.page.evaluate("document.documentElement.scrollWidth <= innerWidth")

    page = screen.open("/audience").page
    page.get_by_role("link", name="Import").click()
    sound()
    page.get_by_label("File").set_input_files(path)
    page.get_by_role("button", name="Look at its columns").click()
    expect(page.get_by_label("What City becomes")).to_have_value("city")
    sound()
    page.get_by_label("What Given name becomes").select_option("first_name")
    page.get_by_label("Why you may write to them").fill(BASIS)
    page.get_by_role("button", name="Show what would happen").click()
    expect(page.get_by_role("status")).to_contain_text("Nothing is imported yet")
    sound()
    with page.expect_download() as download:
        page.get_by_role("link", name="Download it").click()
    assert "nobody" in Path(download.value.path()).read_text(encoding="utf-8-sig")
    page.get_by_role("button", name="Import them").dblclick()
    expect(page.get_by_role("heading", name="Imported")).to_be_visible()
    sound()
    assert audience(served) == 3
    assert screen.errors == []
