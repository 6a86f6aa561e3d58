"""The text part as an editor wrote it, and the generated one as an author would have to write it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from newsletter.errors import MergeFieldError
from newsletter.message.merge import TOKEN, Tokeniser, as_authored, fill
from newsletter.models import Section, TextPiece
from newsletter.rendering.owntext import pieces_of
from newsletter.rendering.shown import CLOSES, OPENS


def test_an_own_text_is_sent_line_for_line_and_the_html_stays(desk: Any, issue: Any) -> None:
    """Nothing of it is wrapped, trimmed or taken for a template or Markdown; long lines stay long."""
    long = "word " * 300
    text = f"  Dear *reader*,\n\n\n\n{long}\n-- \n1 < 2 & 3 % {{ }}\n\tset by hand\n——\n"
    email = desk.render(replace(issue(), own_text=text))
    assert email.text == text
    assert email.html == desk.render(issue()).html


def test_merge_fields_of_an_own_text_are_filled_as_text(desk: Any, issue: Any) -> None:
    """The grammar is that of every authored text; a value is never looked into."""
    text = 'Dear {{ subscriber.first_name | default("reader") }},\n—\n{{ unsubscribe_url }}\n\\{{ as it is }}\n'
    email = desk.render(replace(issue(), own_text=text))
    values = {"first_name": "{{ web_url }}", "unsubscribe_url": "https://paper.example/u/1"}
    shown = fill(email.text, email.fields, values).replace("\u200e", "")
    assert shown == "Dear {{ web_url }},\n—\nhttps://paper.example/u/1\n{{ as it is }}\n"
    assert {f.token for f in email.fields} == set(TOKEN.findall(email.html + email.text + email.subject))


@pytest.mark.parametrize(
    ("line", "wrong"),
    [
        ("{{ subscriber.shoe_size }}", "no attribute"),
        ("{{ subscriber.first_name | upper }}", "not a merge field"),
        ("{{ issue.subject }}", "not a merge field"),
        ("{% for x in y %}", "template code"),
        ("{{ first", "not closed"),
        ("nlf0001q", "reserved"),
    ],
)
def test_what_is_no_field_is_refused_with_file_and_line(desk: Any, issue: Any, line: str, wrong: str) -> None:
    """As in a story: the message names email.txt and the line in it, also behind a byte order mark and CRLF."""
    folder = desk.root / "issues" / "2026-11-27"
    folder.mkdir(parents=True)
    (folder / "email.txt").write_bytes(f"\ufeffOne\r\n\r\nThree {line}\r\n".encode())
    with pytest.raises(MergeFieldError, match=wrong) as refused:
        desk.render(replace(issue(), path=folder, own_text=f"One\n\nThree {line}\n"))
    assert refused.value.where == str(Path("issues/2026-11-27/email.txt:3"))


@pytest.mark.parametrize("text", ["", " \n\n"])
def test_a_blank_own_text_is_blank(desk: Any, issue: Any, text: str) -> None:
    """A check says that the mail has no text part: nothing is put in its place."""
    assert desk.render(replace(issue(), own_text=text)).text.strip() == ""


def test_the_generated_text_written_into_the_file_is_sent_as_the_same_bytes(desk: Any, issue: Any, story: Any) -> None:
    """What `issue text --write` makes changes nothing before somebody edits it."""
    body = r'A \{{ brace }}, a {{ subscriber.city | default("say \"here\"") }} and [a link](https://paper.example/x).'
    made = issue(
        Section("lead", (story(),)),
        Section("text", (story("bell", body=body), story("urdu", lang="ur"))),
        intro='Good morning {{ subscriber.first_name | default("reader") }},\n\n' + "word " * 60,
    )
    email = desk.render(made, theme="builtin/base")
    assert email.generated.count("{{ subscriber.") >= 2 and "\\{{ brace \\}}" in email.generated
    assert not TOKEN.search(email.generated) and OPENS not in email.text + email.generated
    again = desk.render(replace(made, own_text=email.generated), theme="builtin/base")
    assert again.text == email.text and again.generated == email.generated
    assert again.pieces == email.pieces


@given(st.lists(st.sampled_from(["{{", "}}", "{%", "{#", "{", "}", "\\", '"', "a", "\n", "T", "D", "U"])))
def test_as_authored_is_the_inverse_of_the_grammar(words: list[str]) -> None:
    """Whatever stands in a text, an author can write it; at most a blank comes before a field."""
    fields = Tokeniser(["first_name"])
    tokens = {
        "T": fields.token_for("first_name", "text"),
        "D": fields.token_for("first_name", "text", 'a "b" \\ }} c'),
        "U": fields.token_for("unsubscribe_url", "text"),
    }
    text = "".join(tokens.get(word, word) for word in words)
    read = fields.tokenise(as_authored(text, fields.fields), "text")
    assert read == text or read.replace("{ nlf", "{nlf").replace("\\ nlf", "\\nlf") == text


def test_pieces_are_the_stories_in_their_order_and_what_stands_around_them(desk: Any, issue: Any, story: Any) -> None:
    """Each story's words are its own piece; a theme without marks has one piece for everything."""
    made = issue(Section("lead", (story("one"),)), Section("list", (story("two"), story("three"))))
    email = desk.render(made, theme="builtin/base")
    assert [piece.article for piece in email.pieces] == [None, "one", "two", "three"]
    around, one, two, _ = (piece.text for piece in email.pieces)
    assert "The one stays" in one and "The two stays" in two and "stays" not in around
    assert "1 Quay, Wexmouth" in around
    assert pieces_of("all\n", (), ()) == (TextPiece(None, "all\n"),)
    twice = pieces_of(f"{OPENS}a{CLOSES} x {OPENS}b{CLOSES}", ("s", "s"), ())
    assert twice == (TextPiece(None, " x\n"), TextPiece("s", "ab\n"))
