"""An issue on its way through SendGrid, which chooses a character set from the letters: it always finds UTF-8."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from newsletter.app.desk import open_desk
from newsletter.app.outgoing import preview_batch
from newsletter.app.render import render
from newsletter.message.merge import fill
from newsletter.providers.registry import create_provider
from newsletter.workspace.create import create_demo

ISSUE = "2026-11-27"
HEAD = """---
subject: "{{{{ subscriber.first_name | default('You') }}}}, look"
preheader: Nothing
date: 2026-11-27
theme: {theme}
sections:
  - layout: text
    articles: [plain]
---
Hello {{{{ subscriber.first_name | default("you") }}}} of {{{{ subscriber.city | default("town") }}}}, caf\u00e9 time.
"""
NAMES = {
    "ascii": "Ada",
    "latin": "Zo\u00eb",
    "urdu": "\u0645\u0631\u06cc\u0645",
    "markup": "<b>&\"'",
    "token": "nlf0001q",
}


def wire(folder: Path, theme: str, name: str) -> tuple[Any, Any]:
    """The body that SendGrid is sent for one reader, and the email."""
    root = create_demo(folder / "ws").root
    (root / "issues" / ISSUE / "issue.md").write_text(HEAD.format(theme=theme), encoding="utf-8")
    story = "---\nheadline: The caf\u00e9\nlink: https://estuary.example/cafe\n---\nIt's open, says M\u00fcller.\n"
    (root / "issues" / ISSUE / "plain.md").write_text(story, encoding="utf-8")
    with open_desk(root) as desk:
        rendered = render(desk, ISSUE)
        batch = preview_batch(desk, rendered, reader=None)
    reader = replace(
        batch.recipients[0], values={**batch.recipients[0].values, "first_name": name, "city": "K\u00f6ln"}
    )
    provider = create_provider("sendgrid", {"api_key": "SG.x", "host": "https://api.sendgrid.com"})
    (request,) = provider.preview(replace(batch, recipients=(reader,)))
    return json.loads(request.body), rendered.email


@pytest.mark.parametrize("theme", ["weekly", "digest", "letter", "bulletin"])
@pytest.mark.parametrize("name", NAMES.values(), ids=NAMES)
def test_nothing_on_the_wire_can_be_taken_for_latin_1(tmp_path: Path, theme: str, name: str) -> None:
    """With Latin-1 letters alone, HTML and its values are ASCII, and the text part has one letter more."""
    body, email = wire(tmp_path, theme, name)
    text, html = (part["value"] for part in body["content"])
    assert text == email.text and html == email.html
    assert html.isascii()
    with pytest.raises(UnicodeEncodeError):
        text.encode("latin-1")
    (person,) = body["personalizations"]
    contexts = {field.token: field.context for field in email.fields}
    for token, value in person["substitutions"].items():
        if contexts[token] == "html":
            assert value.isascii() and not set(value) & set("<>\"'")
        assert "nlf" not in value


def test_a_reader_reads_what_the_values_say(tmp_path: Path) -> None:
    """Put in by SendGrid, letter for letter, they are the same words as by us."""
    body, email = wire(tmp_path, "weekly", NAMES["urdu"])
    values = {"first_name": NAMES["urdu"], "city": "K\u00f6ln"}
    (person,) = body["personalizations"]
    for part, mine in zip(body["content"], (email.text, email.html), strict=True):
        filled = part["value"]
        for token, value in person["substitutions"].items():
            filled = filled.replace(token, value)
        links = {
            f.token: person["substitutions"][f.token]
            for f in email.fields
            if f.token in part["value"] and f.name not in values
        }
        for token, value in links.items():
            mine = mine.replace(token, value)
        assert filled == fill(mine, email.fields, values)
