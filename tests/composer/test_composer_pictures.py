"""Pictures in the composer: put in, fetched, taken out, and framed by a point that the editor sets."""

from __future__ import annotations

import contextlib
import hashlib
import io
import re
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest
from PIL import Image, ImageChops
from playwright.sync_api import Locator, Page, expect

from newsletter.app.approve import approve_issue
from newsletter.app.desk import open_desk
from newsletter.rendering.pictures import make_derivative
from newsletter.rendering.recipes import LEAD, LIST

ISSUE = "2026-11-27"
AT = f"/issues/{ISSUE}"
LEAD_STORY = "passengers-buy-the-last-ferry"
STORY = "sea-wall-to-move-inland"


def photo(size: tuple[int, int] = (900, 600), form: str = "JPEG", mode: str = "RGB", **options: Any) -> bytes:
    """A picture whose left is dark and whose right is light."""
    picture = Image.linear_gradient("L").rotate(90).resize(size).convert(mode)
    out = io.BytesIO()
    picture.save(out, form, **options)
    return out.getvalue()


def sha(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def put(served: Any, data: bytes, expected: str | None = None, story: str = STORY) -> Any:
    expected = expected or sha(served.issue / f"{story}.md")
    address = f"{AT}/stories/{story}/picture?expected={expected}"
    return served.ask("PUT", address, data, Content_Type="image/jpeg")


def text(served: Any) -> str:
    found: str = (served.issue / f"{STORY}.md").read_text(encoding="utf-8")
    return found


def test_a_picture_is_written_beside_the_others_and_what_described_the_old_one_goes(served: Any) -> None:
    """A credit under another photograph would be wrong; the old file stays, so that undo brings all of it back."""
    before, files = text(served), {path.name for path in (served.issue / "images").iterdir()}
    said = put(served, photo())
    assert said.status == 200, said.text
    now = {path.name for path in (served.issue / "images").iterdir()}
    assert files < now
    (name,) = now - files
    assert (served.issue / "images" / name).read_bytes() == photo()
    assert served.story(STORY)["picture"] == name
    assert not any(served.story(STORY)["fields"][f"image.{key}"] for key in ("alt", "caption", "credit", "focal"))
    change = said.json["files"][0]
    back = {"article": STORY, "to": change["was"], "expected": change["now"]}
    assert served.send("POST", f"{AT}/restore", back).status == 200
    assert text(served) == before


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"", "empty"),
        (b"<svg xmlns='http://www.w3.org/2000/svg'/>", "SVG"),
        (b"%PDF-1.7 ", "PDF"),
        (photo()[:900], "broken or cut off"),
        (b"\0\0\0\x18ftypheic" + bytes(100), "HEIC"),
    ],
)
def test_what_is_no_picture_is_refused_with_a_way_out_and_nothing_is_written(
    served: Any, data: bytes, words: str
) -> None:
    before, files = text(served), sorted((served.issue / "images").iterdir())
    said = put(served, data)
    assert said.status == 422
    assert words in said.json["error"]["what"] and said.json["error"]["fix"]
    assert text(served) == before and sorted((served.issue / "images").iterdir()) == files


def test_a_file_over_the_limit_is_refused_before_it_is_read(served: Any) -> None:
    address = f"{AT}/stories/{STORY}/picture?expected=x"
    said = served.ask("PUT", address, b"", Content_Length=str(26 * 1024 * 1024))
    assert said.status == 413
    assert "25 MB" in said.json["error"]["what"] and "1600 pixels" in said.json["error"]["fix"]


def test_a_stale_or_approved_story_keeps_its_picture(served: Any) -> None:
    before = text(served)
    assert put(served, photo(), expected="0" * 64).status == 409
    with open_desk(served.root) as desk:
        approve_issue(desk, ISSUE, send_at=None)
    assert put(served, photo()).status == 423
    assert text(served) == before
    assert (
        not (served.issue / "images" / f"{STORY}.jpg").exists()
        or photo() != (served.issue / "images" / f"{STORY}.jpg").read_bytes()
    )


def test_a_picture_is_taken_out_and_its_file_stays(served: Any) -> None:
    name = served.story(STORY)["picture"]
    assert name
    payload = {"expected": sha(served.issue / f"{STORY}.md")}
    assert served.send("POST", f"{AT}/stories/{STORY}/remove-picture", payload).status == 200
    assert served.story(STORY)["picture"] is None and "image" not in text(served)
    assert (served.issue / "images" / name).is_file()


@contextlib.contextmanager
def web(data: bytes) -> Iterator[str]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("Content-Type", "image/jpeg")
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

        def log_message(self, *_: Any) -> None:
            pass

    server = HTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/photo.jpg"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def test_a_picture_comes_from_the_address_that_the_story_names_and_only_from_hosts_that_may_be_asked(
    served: Any,
) -> None:
    """The words stay, for it is the same picture; an address of one's own network is refused unless it is allowed."""
    with web(photo()) as url:
        served.edit(f"{STORY}.md", "image:", f"image:\n  url: {url}\n  #")
        path = served.issue / f"{STORY}.md"
        path.write_text(
            f"---\nheadline: Wall\nimage:\n  url: {url}\n  credit: A. Keeper\n---\nIt moves.\n", encoding="utf-8"
        )
        assert served.story(STORY)["remote"] == url
        payload = {"expected": sha(path)}
        refused = served.send("POST", f"{AT}/stories/{STORY}/fetch-picture", payload)
        assert refused.status == 502 and refused.json["error"]["what"]
        assert "file:" not in text(served)
        config = served.root / "newsletter.toml"
        found = config.read_text(encoding="utf-8")
        table = '[images]\nallow_hosts = ["127.0.0.1"]\n'
        found = found.replace("[images]\n", table) if "[images]\n" in found else f"{found}\n{table}"
        config.write_text(found, encoding="utf-8")
        said = served.send("POST", f"{AT}/stories/{STORY}/fetch-picture", payload)
        assert said.status == 200, said.text
    assert served.story(STORY)["picture"] == f"{STORY}.jpg" or served.story(STORY)["picture"].startswith(STORY)
    assert "credit: A. Keeper" in text(served) and f"url: {url}" in text(served)


@pytest.mark.parametrize("focal", [None, (0.1, 0.5), (0.9, 0.2)])
@pytest.mark.parametrize(("layout", "recipe"), [("lead", LEAD), ("list", LIST)])
def test_a_cut_on_the_screen_shows_what_the_mails_picture_shows(
    served: Any, tmp_path: Path, layout: str, recipe: Any, focal: tuple[float, float] | None
) -> None:
    """Both come from the same code: turned upright by EXIF, from CMYK, around the point or where it is found."""
    exif = Image.Exif()
    exif[0x0112] = 6
    data = photo((1600, 900), mode="CMYK", exif=exif.tobytes())
    assert put(served, data).status == 200
    original = served.issue / "images" / served.story(STORY)["picture"]
    mail = make_derivative(original, recipe, tmp_path, focal=focal, where="test")
    query = f"&focal={focal[0]},{focal[1]}" if focal else ""
    said = served.get(f"{AT}/stories/{STORY}/cut?layout={layout}{query}")
    assert said.status == 200 and said.headers["content-type"] == "image/jpeg"
    cut = Image.open(io.BytesIO(said.body)).convert("L")
    assert max(cut.size) == 320
    sent = Image.open(mail.path).convert("L").resize(cut.size)
    assert max(value for value, count in enumerate(ImageChops.difference(cut, sent).histogram()) if count > 20) < 12
    whole = Image.open(io.BytesIO(served.get(f"{AT}/stories/{STORY}/cut").body))
    assert whole.size == (360, 640)


def test_the_shapes_are_those_of_the_theme_and_what_cannot_be_shown_is_said(served: Any) -> None:
    cuts = served.get(f"{AT}/cuts").json["cuts"]
    assert [(cut["words"], cut["layouts"]) for cut in cuts] == [
        ("16:9", ["lead", "text"]),
        ("3:2", ["list", "grid"]),
        ("2:1", ["sponsor"]),
    ]
    for query, status in (
        ("layout=brief", 404),
        ("layout=lead&focal=2,0", 400),
        ("focal=nan,0", 400),
        ("focal=x", 400),
    ):
        assert served.get(f"{AT}/stories/{STORY}/cut?{query}").status == status, query


# -- in the browser ---------------------------------------------------------------------------------------------------


class Desk:
    def __init__(self, screen: Any) -> None:
        self.screen, self.served = screen, screen.served
        self.page: Page = screen.page
        screen.open(AT)
        expect(self.page.locator("body[data-shown]")).to_be_attached()

    def card(self, slug: str = STORY) -> Locator:
        return self.page.locator(f'.story[data-slug="{slug}"]')

    def drop(self, name: str, data: bytes, *, on: str) -> None:
        """Drop a file as a browser does."""
        script = """([bytes, name]) => { const held = new DataTransfer();
            held.items.add(new File([new Uint8Array(bytes)], name)); return held; }"""
        held = self.page.evaluate_handle(script, [list(data), name])
        for event in ("dragover", "drop"):
            self.page.locator(on).first.dispatch_event(event, {"dataTransfer": held})

    def focal(self) -> str:
        found: str = self.served.story(STORY)["fields"]["image.focal"]
        return found

    def is_near(self, across: float, down: float) -> bool:
        """Whether the file has this point, to a hundredth."""
        found = self.focal()
        return bool(found) and [round(float(part), 2) for part in found.split(",")] == [across, down]

    def until(self, condition: Callable[[], Any]) -> None:
        self.screen.until(condition)


@pytest.fixture
def desk(served: Any, screens: Callable[..., Any]) -> Iterator[Desk]:
    found = Desk(screens(served))
    yield found
    # Chromium itself reports what a test refuses or cuts off.
    told = ("status of 4", "Blocked script", "ERR_FAILED")
    assert [error for error in found.screen.errors if not any(words in error for words in told)] == []


@pytest.mark.chromium
def test_a_picture_dropped_on_a_story_is_in_the_mail_and_undo_takes_it_back(desk: Desk) -> None:
    """Dropped beside every story it does not take the place of the page."""
    before = text(desk.served)
    desk.drop("elsewhere.jpg", photo(), on=".bar")
    desk.drop("wall.jpg", photo(), on=f'.story[data-slug="{STORY}"] .headline')
    expect(desk.card().get_by_label("What the picture shows")).to_be_focused()
    expect(desk.page.locator("#live")).to_contain_text("put “wall.jpg” into")
    expect(desk.card().locator(".pad img")).not_to_have_js_property("naturalWidth", 0)
    desk.page.keyboard.type("A wall")
    desk.until(lambda: "alt: A wall" in text(desk.served))
    desk.page.get_by_role("button", name="Undo").click()
    desk.until(lambda: "alt: A wall" not in text(desk.served))
    desk.page.get_by_role("button", name="Undo").click()
    desk.until(lambda: text(desk.served) == before)
    desk.page.get_by_role("button", name="Redo").click()
    desk.until(lambda: text(desk.served) != before)


@pytest.mark.chromium
def test_what_cannot_be_used_is_said_under_the_story(desk: Desk) -> None:
    before = text(desk.served)
    desk.drop("wall.jpg", photo()[:2000], on=f'.story[data-slug="{STORY}"]')
    expect(desk.card().locator(".wrong")).to_contain_text("the picture is broken or cut off")
    expect(desk.card().locator(".wrong")).to_contain_text("To put it right: ")
    desk.page.route("**/news", lambda route: route.abort())
    desk.page.reload()
    expect(desk.page.locator("body[data-ready]")).to_be_attached()
    desk.served.edit(f"{STORY}.md", "headline: ", "headline: Meanwhile, ")
    desk.drop("wall.jpg", photo(), on=f'.story[data-slug="{STORY}"]')
    expect(desk.card().locator(".wrong")).to_contain_text("changed elsewhere")
    assert text(desk.served) == before.replace("headline: ", "headline: Meanwhile, ")


@pytest.mark.chromium
@pytest.mark.npm
def test_the_focal_point_is_dragged_by_mouse_and_keys_is_announced_and_escape_lets_go(desk: Desk, axe: str) -> None:
    desk.card().get_by_role("button", name="Picture of").click()
    dot, pad, live = desk.card().locator(".dot"), desk.card().locator(".pad"), desk.page.locator("#live")
    expect(dot).to_be_focused()
    expect(desk.card().locator(".cuts li")).to_have_count(3)
    expect(pad.locator("img")).not_to_have_js_property("naturalWidth", 0)
    pad.scroll_into_view_if_needed()
    box = pad.bounding_box()
    assert box
    start = desk.focal()
    desk.page.mouse.move(box["x"] + box["width"] * 0.5, box["y"] + box["height"] * 0.5)
    desk.page.mouse.down()
    desk.page.mouse.move(box["x"] + box["width"] * 0.2, box["y"] + box["height"] * 0.3, steps=4)
    expect(desk.card().locator(".cuts img").first).to_have_attribute("src", re.compile("focal=0.2"))
    desk.page.keyboard.press("Escape")
    expect(live).to_contain_text("stays where it was")
    desk.page.mouse.up()
    assert desk.focal() == start
    desk.page.mouse.down()
    desk.page.mouse.move(box["x"] + box["width"] * 0.25, box["y"] + box["height"] * 0.75, steps=4)
    desk.page.mouse.up()
    expect(live).to_contain_text("Focal point 25 % across, 75 % down.")
    desk.until(lambda: desk.is_near(0.25, 0.75))
    for key, times in (("ArrowRight", 5), ("ArrowUp", 2), ("Shift+ArrowLeft", 1)):
        for _ in range(times):
            desk.page.keyboard.press(key)
    expect(live).to_contain_text("Focal point 25 % across, 71 % down.")
    expect(dot).to_be_focused()
    expect(dot).to_have_accessible_name(re.compile("25 % across, 71 % down"))
    desk.until(lambda: desk.is_near(0.25, 0.71))
    assert desk.screen.axe(axe, exclude="#mail") == []
    desk.card().get_by_role("button", name="Find the point by itself").click()
    desk.until(lambda: desk.focal() == "")
    assert "focal" not in text(desk.served)


@pytest.mark.chromium
def test_the_focal_point_is_moved_by_a_finger(served: Any, screens: Callable[..., Any]) -> None:
    """The page does not scroll away under it."""
    desk = Desk(screens(served, viewport={"width": 390, "height": 780}, has_touch=True, is_mobile=True))
    desk.card().get_by_role("button", name="All fields").click()
    pad = desk.card().locator(".pad")
    pad.scroll_into_view_if_needed()
    expect(pad.locator("img")).not_to_have_js_property("naturalWidth", 0)
    desk.page.wait_for_timeout(300)
    box = pad.bounding_box()
    assert box
    client = desk.page.context.new_cdp_session(desk.page)
    scrolled = desk.page.evaluate("scrollY")
    for kind, across, down in (("Start", 0.5, 0.5), ("Move", 0.6, 0.3), ("Move", 0.8, 0.2), ("End", 0, 0)):
        at = {"x": box["x"] + box["width"] * across, "y": box["y"] + box["height"] * down}
        client.send("Input.dispatchTouchEvent", {"type": f"touch{kind}", "touchPoints": [] if kind == "End" else [at]})
    desk.until(lambda: desk.is_near(0.8, 0.2))
    assert desk.page.evaluate("scrollY") == scrolled
