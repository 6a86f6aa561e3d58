"""The sample issue's HTML, text and MIME are exactly what was last looked at and committed.

``./dev goldens`` writes them anew; read the diff before you commit it.
"""

from __future__ import annotations

import base64
import json
import re
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from newsletter.app.desk import Desk, open_desk
from newsletter.app.outgoing import preview_batch
from newsletter.app.render import Rendered, render
from newsletter.message.compile import compile_message

ROOT = Path(__file__).parents[2]
EXPECTED = Path(__file__).with_name("expected")
ISSUE = "2026-11-27"
# What is inside a picture is the business of its own tests, and differs between versions of libjpeg; so does its name.
PICTURE = re.compile(rb"[0-9a-f]{16}(?=\.(?:jpg|png))")
BASE64 = re.compile(rb"(?:[A-Za-z0-9+/]{76}\r\n){3,}[A-Za-z0-9+/=]*")


@pytest.fixture(scope="module")
def rendered(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Desk, Rendered]]:
    """The sample issue rendered in a copy of the checkout's workspace."""
    root = tmp_path_factory.mktemp("sample")
    shutil.copy(ROOT / "newsletter.toml", root)
    shutil.copytree(ROOT / "issues", root / "issues")
    # Everybody's keys are their own; these make links that can be compared.
    nothing = base64.b64encode(bytes(32)).decode()
    keys = {"schema": "newsletter/keys/1", "current": "k1", "secrets": {"k1": nothing}, "suppression": nothing}
    (root / ".newsletter").mkdir()
    (root / ".newsletter" / "keys.json").write_text(json.dumps(keys), encoding="utf-8")
    (root / ".newsletter" / "keys.json").chmod(0o600)
    with open_desk(root) as desk:
        yield desk, render(desk, ISSUE)


def compare(name: str, found: bytes, regenerate: bool) -> None:
    path = EXPECTED / name
    if regenerate:
        EXPECTED.mkdir(exist_ok=True)
        path.write_bytes(found)
    expected = path.read_bytes() if path.exists() else b""
    assert found == expected, f"{name} differs from what was committed; look at it, then ./dev goldens"


def scrubbed(data: bytes) -> bytes:
    return PICTURE.sub(b"picture", data)


def test_the_html_is_the_golden(rendered: tuple[Desk, Rendered], regenerate: bool) -> None:
    """Byte for byte, with merge tokens in place."""
    compare("weekly.html", scrubbed(rendered[1].email.html.encode()), regenerate)


def test_the_text_is_the_golden(rendered: tuple[Desk, Rendered], regenerate: bool) -> None:
    """The text part a screen reader or a terminal gets."""
    compare("weekly.txt", rendered[1].email.text.encode(), regenerate)


def test_the_mime_is_the_golden(rendered: tuple[Desk, Rendered], regenerate: bool) -> None:
    """The whole message as SMTP would carry it, without pictures' bytes and with plain boundaries."""
    desk, issue = rendered
    batch = preview_batch(desk, issue, reader=None)
    mime = compile_message(batch.outgoing).splice(batch.recipients[0])
    boundaries = set(re.findall(rb'boundary="([^"]+)"', mime))
    for number, boundary in enumerate(sorted(boundaries, key=mime.index), start=1):
        mime = mime.replace(boundary, b"boundary-%d" % number)
    mime = BASE64.sub(b"(picture)", mime)
    compare("weekly.eml", scrubbed(mime), regenerate)
