"""Where the message about a wrong merge field points."""

from __future__ import annotations

import pytest

from newsletter.errors import MergeFieldError
from newsletter.message.merge import Tokeniser
from newsletter.rendering.authored import Authored


@pytest.fixture
def authored(tmp_path):
    return Authored(Tokeniser(["first_name"]), "html", tmp_path)


def place(authored, text, file) -> str | None:
    with pytest.raises(MergeFieldError) as caught:
        authored.line(text, file)
    return caught.value.where


def test_the_line_in_the_file(authored, tmp_path):
    file = tmp_path / "a.md"
    file.write_bytes(b"---\r\nheadline: Hi {{ x }}\r\n---\r\n")
    assert place(authored, "Hi {{ x }}", file) == "a.md:2"
    assert place(authored, "folded elsewhere {{ x }}", file) == "a.md:1"


def test_files_that_cannot_be_read_are_still_named(authored, tmp_path):
    assert place(authored, "{{ x }}", tmp_path / "gone.md") == "gone.md:1"
    (tmp_path / "b.md").write_bytes(b"\xff")
    assert place(authored, "{{ x }}", tmp_path / "b.md") == "b.md:1"
    assert place(authored, "{{ x }}", None) == "line 1"


def test_a_file_outside_the_workspace_is_named_whole(authored, tmp_path):
    assert place(authored, "{{ x }}", tmp_path.parent / "c.md") == f"{tmp_path.parent}/c.md:1"


def test_nothing_is_nothing(authored):
    assert authored.line(None) == authored.line("") == "" and authored.body("  \n") is None
    assert authored.body_text(None) == ""


def test_a_word_that_looks_like_a_token_is_refused(authored):
    with pytest.raises(MergeFieldError, match="reserved"):
        authored.line("nlf0001q")


def test_a_link_that_starts_with_an_attribute_names_the_file(authored, tmp_path):
    with pytest.raises(MergeFieldError) as caught:
        authored.body("[x]({{ subscriber.first_name }})", tmp_path / "a.md")
    assert caught.value.where == "a.md:1"


@pytest.mark.parametrize(
    "text", ["nlf&#48;001q", "nlf<!-- x -->0001q", "n<x>lf0001q", "nlf<b>0009q</b>", "nlf&#x202e;0001q"]
)
def test_a_token_cannot_be_smuggled_in_pieces(authored, text, tmp_path):
    with pytest.raises(MergeFieldError, match="in pieces") as caught:
        authored.body(text, tmp_path / "a.md")
    assert caught.value.where == "a.md:1"


@pytest.mark.parametrize("text", ["&#123;{ x }", "{\\{ x }", "&#123;% x"])
def test_braces_that_come_out_of_entities_are_letters(authored, text):
    html = str(authored.body(text).html)
    assert "{{" not in html and "{%" not in html
