"""Front matter: what is read, what is refused with which advice, and that an edit touches nothing else."""

from __future__ import annotations

import re
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from newsletter.errors import BadData, FrontMatterError, NotFound
from newsletter.workspace.frontmatter import Document
from tests.workspace.frontmatter_samples import ISSUE


def test_every_scalar_stays_the_string_it_is() -> None:
    """YAML would make ``No`` false, ``012`` ten, a date a date and ``~`` nothing."""
    doc = Document.parse("---\ntitle: No\nnumber: 012\nwhen: 2022-02-25\nx: ~\ny: null\nz:\n---\n", "a.md")
    assert doc.data == {"title": "No", "number": "012", "when": "2022-02-25", "x": "~", "y": "null", "z": None}


def test_a_body_may_hold_rules() -> None:
    """Only the first closing line ends the front matter."""
    doc = Document.parse(ISSUE, "issue.md")
    assert doc.body == "Good morning,\n\n---\nthat was a rule.\n"
    assert doc.body_line == ISSUE.split("\n").index("Good morning,") + 1


def test_lines_are_those_of_the_file() -> None:
    """Messages point at the line that the editor sees."""
    doc = Document.parse(ISSUE, "issue.md")
    lines = ISSUE.split("\n")
    assert doc.line_of("number") == lines.index("number: 012") + 1
    assert doc.line_of("sections", 1, "title") == lines.index("    title: No") + 1
    assert doc.line_of("sections", 1, "articles", 0) == lines.index("      - bridge") + 1
    assert doc.line_of("nothing") is None
    assert doc.line_of("sections", 7) is None
    assert doc.line_of() == 1
    assert doc.where("sections", 1, "colour") == f"issue.md:{lines.index('  - layout: list') + 1}"
    assert doc.where("nothing") == "issue.md:1"


@pytest.mark.parametrize(
    ("line", "repaired"),
    [
        ("subject: Rivers: what now", 'subject: "Rivers: what now"'),
        ("subject: {{ subscriber.first_name }}", 'subject: "{{ subscriber.first_name }}"'),
        ("subject: {{ x }}, hello", 'subject: "{{ x }}, hello"'),
        ('subject: {{ x | default("you") }}, hello', "subject: '{{ x | default(\"you\") }}, hello'"),
        ("subject: [Exclusive] Rivers", 'subject: "[Exclusive] Rivers"'),
        ("subject: @desk writes", 'subject: "@desk writes"'),
        ("subject: %5 more", 'subject: "%5 more"'),
        ("subject: `code`", 'subject: "`code`"'),
        ("subject: *stars", 'subject: "*stars"'),
        ("subject: * stars *", 'subject: "* stars *"'),
        ("subject: &anchor x", 'subject: "&anchor x"'),
        ("subject: !important news", 'subject: "!important news"'),
        ("subject: 'Khan's visit'", 'subject: "Khan\'s visit"'),
        ('subject: "Yes" they said', "subject: '\"Yes\" they said'"),
        ('subject: "Yes they said', 'subject: "Yes they said"'),
    ],
)
def test_a_value_that_needs_quotes_is_shown_with_quotes(line: str, repaired: str) -> None:
    """The message names file and line and shows the line to write."""
    with pytest.raises(FrontMatterError) as caught:
        Document.parse(f"---\ndate: 2022-02-25\n{line}\nnumber: 1\n---\n", "issues/x/issue.md")
    assert caught.value.where == "issues/x/issue.md:3"
    assert caught.value.fix == f"put the value in quotes: {repaired}"
    Document.parse(f"---\n{repaired}\n---\n", "x")


def test_an_open_bracket_is_named_where_it_opens() -> None:
    """YAML notices on the next line, or at the end of the file; the editor is sent to the bracket."""
    for rest in ("number: 1\n", "number: 1\nx: {a: b}\n", ""):
        with pytest.raises(FrontMatterError, match="not closed") as caught:
            Document.parse(f"---\ndate: 2022-02-25\ntags: [one, two\n{rest}---\n", "x.md")
        assert caught.value.where == "x.md:3"
        assert caught.value.fix == 'close the bracket, or put the value in quotes: tags: "[one, two"'


def test_a_list_item_that_needs_quotes_is_shown_too() -> None:
    """Not only ``key: value`` lines."""
    with pytest.raises(FrontMatterError, match=re.escape('quotes: - "@desk"')):
        Document.parse("---\ntags:\n  - @desk\n---\n", "x.md")


@pytest.mark.parametrize(
    ("block", "line", "words"),
    [
        ("a: &x 1\nb: *x", 2, "anchor"),
        ("a: 1\nb: *x", 3, "alias"),
        ("a: !!python/object:os.system x", 2, "tag"),
        ("a: 1\nb: 2\na: 3", 4, "'a' is there twice"),
        ("x:\n  a: 1\n  a: 2", 4, "twice"),
        ("[a]: 1", 2, "a key must be a word"),
        ("? {a: b}\n: c", 2, "a key must be a word"),
        (": x", 2, "no key"),
        ("- a\n- b", 2, "`key: value` lines"),
        ("just words", 2, "`key: value` lines"),
        ('"quoted words"', 2, "`key: value` lines"),
        ("a:\n\tb: 1", 3, "a tab"),
        ("a: 1\n  b: 2", 3, "key"),
        ("a:\n  b: 1\n    c: 2", 4, "key"),
        ("a: b\x07c", 2, "U+0007"),
        ('a: "x\\0y"', 2, "NUL"),
        ("a: x\n...\nb: y", 4, "document"),
        ("%YAML 1.1\na: b", 3, "document"),
        ("a: " + "[" * 30, 2, "deep"),
        ("a: " + "[" * 5000 + "]" * 5000, 2, "deep"),
        ("justaword\nb: 1", 3, "key"),
    ],
)
def test_what_is_refused_says_where_and_what_to_do(block: str, line: int, words: str) -> None:
    """Anchors, tags, duplicates, strange keys, tabs, control characters, deep nesting: file, line and a fix."""
    with pytest.raises(FrontMatterError) as caught:
        Document.parse(f"---\n{block}\n---\n", "x.md")
    assert caught.value.where == f"x.md:{line}"
    assert words in caught.value.what
    assert caught.value.fix


def test_a_bomb_of_aliases_is_refused_at_once() -> None:
    """The "billion laughs" needs anchors; the first one is refused."""
    bomb = "a0: &a0 [x, x]\n" + "".join(f"a{i}: &a{i} [*a{i - 1}, *a{i - 1}]\n" for i in range(1, 40))
    with pytest.raises(FrontMatterError, match="anchor"):
        Document.parse(f"---\n{bomb}---\n", "x.md")


def test_nul_and_size_are_refused() -> None:
    """A binary file and a giant one are no text with front matter."""
    with pytest.raises(FrontMatterError, match="NUL") as caught:
        Document.parse("---\na: b\n---\nbo\0dy", "x.md")
    assert caught.value.where == "x.md:4"
    for text in (f"---\na: b\n---\n{'é' * 131_073}", f"---\na: {'x' * 262_144}\n---\n"):
        with pytest.raises(FrontMatterError, match="256 KB"):
            Document.parse(text, "x.md")


def test_missing_front_matter_is_an_error_or_nothing() -> None:
    """An issue needs it, a story file does not."""
    with pytest.raises(FrontMatterError, match="missing") as caught:
        Document.parse("Hello\n", "x.md")
    assert caught.value.where == "x.md:1"
    assert "`---`" in (caught.value.fix or "")
    doc = Document.parse("\ufeffHello\n", "x.md", required=False)
    assert (doc.data, doc.body, doc.body_line) == ({}, "Hello\n", 1)


def test_front_matter_that_is_not_closed() -> None:
    """An open block is an error, but a story may begin with a rule."""
    for required in (True, False):
        with pytest.raises(FrontMatterError, match="not closed"):
            Document.parse("---\na: b\n\nHello\n", "x.md", required=required)
    text = "---\nHello: that is\nno key at all? It is.\n"
    with pytest.raises(FrontMatterError):
        Document.parse(text, "x.md", required=False)
    text = "---\n\nHello\n"
    assert Document.parse(text, "x.md", required=False).body == text


def test_prose_between_two_rules_is_prose() -> None:
    """A story that opens with a rule and has another one is not front matter."""
    text = "---\nIt rained for three days\n---\nThen it stopped.\n"
    doc = Document.parse(text, "x.md", required=False)
    assert (doc.data, doc.body) == ({}, text)


def test_a_file_that_is_not_utf_8_names_the_line(tmp_path: Path) -> None:
    """An old editor's encoding is said, not guessed."""
    (tmp_path / "x.md").write_bytes(b"---\na: b\n---\ncaf\xe9\n")
    with pytest.raises(FrontMatterError, match="UTF-8") as caught:
        Document.read(tmp_path / "x.md", "issues/x.md")
    assert caught.value.where == "issues/x.md:4"
    with pytest.raises(NotFound):
        Document.read(tmp_path / "gone.md")
    with pytest.raises(BadData):
        Document.read(tmp_path)


@pytest.mark.parametrize(
    ("path", "value", "before", "after"),
    [
        (("subject",), "Dry land", "'Water, and what it left'", "'Dry land'"),
        (("subject",), "Khan's day", "'Water, and what it left'", "'Khan''s day'"),
        (("date",), date(2022, 3, 4), "2022-02-25", "2022-03-04"),
        (("number",), 13, "012", "13"),
        (("number",), "013", "012", '"013"'),
        (("empty",), "full", "empty:", "empty: full"),
        (("image", "focal", 0), 0.75, "[0.5,", "[0.75,"),
        (("image", "file"), "b, c.jpg", "{file: a.jpg", '{file: "b, c.jpg"'),
        (("image", "alt"), "A bridge", "0.25]}", "0.25], alt: A bridge}"),
        (("sections", 0, "title"), "Lead: one", "Top story", '"Lead: one"'),
        (("sections", 1, "articles", 1), "college", "school", "college"),
        (("sections", 1, "articles"), ["a", "b"], "\n      - bridge\n      - school", " [a, b]"),
        (("sections", 0, "articles", 0), "river", "[flood]", "[river]"),
        (
            ("sections", 0, "waive"),
            [{"id": "x", "reason": "z"}],
            "# one only\n",
            "# one only\n    waive:\n      - id: x\n        reason: z\n",
        ),
        (("intro_note",), "one", "|\n  two\n  lines", "one"),
        (("last",), "b\nc", ">-\n  folded\n  text", '"b\\nc"'),
        (("new",), {"a": {"b": "c"}}, "  text\n---", "  text\nnew:\n  a: {b: c}\n---"),
        (("empty", "deep"), "x", "empty:", "empty:\n  deep: x"),
        (("other", "deep"), "x", "  text\n---", "  text\nother:\n  deep: x\n---"),
        (("subject",), {"a": "b"}, " 'Water, and what it left'", "\n  a: b"),
        (("sections", 1, "articles", 0), {"a": "b", "c": "d"}, "- bridge", "- a: b\n        c: d"),
        (("sections", 1), "x", "- layout: list\n    title: No\n    articles:\n      - bridge\n      - school", "- x"),
    ],
)
def test_an_edit_changes_only_its_own_node(path: Any, value: Any, before: str, after: str) -> None:
    """Comments, key order, quotes, blank lines and the body stay byte for byte; LF and CRLF, with and without BOM."""
    assert ISSUE.count(before) == 1
    for eol, bom in (("\n", ""), ("\r\n", ""), ("\n", "\ufeff")):
        text = bom + ISSUE.replace("\n", eol)
        edited = Document.parse(text, "x.md").set(path, value)
        assert edited.text == text.replace(before.replace("\n", eol), after.replace("\n", eol))
        assert Document.parse(edited.text, "x.md").get(*path) == edited.get(*path)


def test_setting_what_is_there_changes_nothing() -> None:
    """No needless rewriting of quotes."""
    doc = Document.parse(ISSUE, "x.md")
    assert doc.set(("subject",), "Water, and what it left") is doc
    assert doc.set(("nothing",), None) is doc


def test_a_commented_line_keeps_the_place_of_its_key() -> None:
    """A skeleton's ``# subject: …`` says where the subject goes."""
    text = "---\n# subject: the line in the inbox\ndate: 2022-02-25\nsections: []\n---\n"
    after = Document.parse(text, "x.md").set(("subject",), "Rain")
    assert after.text == text.replace("inbox\n", "inbox\nsubject: Rain\n")
    only = "---\n# subject: x\n# more\n---\n"
    assert Document.parse(only, "x.md").set(("subject",), "Rain").text == only.replace("x\n", "x\nsubject: Rain\n")


def test_a_comment_inside_a_quoted_text_keeps_no_place() -> None:
    """What looks like a place may be a part of a value; then the key goes to the end."""
    text = '---\nnote: "two\n# subject: x\n  lines"\n---\n'
    after = Document.parse(text, "x.md").set(("subject",), "Rain")
    assert after.text == '---\nnote: "two\n# subject: x\n  lines"\nsubject: Rain\n---\n'


@pytest.mark.parametrize(
    ("path", "gone"),
    [
        (("subject",), "subject: 'Water, and what it left'   # the short one\n"),
        (("image",), "image: {file: a.jpg, focal: [0.5, 0.25]}   # flow\n"),
        (("image", "file"), "file: a.jpg, "),
        (("image", "focal"), ", focal: [0.5, 0.25]"),
        (("image", "focal", 0), "0.5, "),
        (("image", "focal", 1), ", 0.25"),
        (("sections", 1, "articles", 0), "      - bridge\n"),
        (("sections", 1, "articles", 1), "      - school    # the long one\n"),
        (("sections", 1, "layout"), "layout: list\n    "),
        (("sections", 1, "title"), "    title: No\n"),
        (("sections", 0), "  - title: Top story\n    layout: lead\n    articles: [flood]   # one only\n"),
        (("intro_note",), "intro_note: |\n  two\n  lines\n\n"),
        (("empty",), "empty:\n"),
    ],
)
def test_a_deletion_takes_only_its_own_lines(path: Any, gone: str) -> None:
    """What is around a deleted key or item stays byte for byte."""
    for eol in ("\n", "\r\n"):
        text = ISSUE.replace("\n", eol)
        assert gone.replace("\n", eol) in text
        assert Document.parse(text, "x.md").delete(path).text == text.replace(gone.replace("\n", eol), "", 1)


def test_the_last_item_leaves_an_empty_list() -> None:
    """An emptied list is still a list, in either style."""
    doc = Document.parse(ISSUE, "x.md").delete(("sections", 0, "articles", 0))
    assert "articles: []   # one only\n" in doc.text
    doc = doc.delete(("sections", 1, "articles", 0)).delete(("sections", 1, "articles", 0))
    assert doc.get("sections", 1, "articles") == []
    assert Document.parse("---\na: b\n---\n", "x").delete(("a",)).text == "---\n---\n"
    with pytest.raises(BadData, match="no sections"):
        doc.delete(("sections", 5))


@pytest.mark.parametrize(
    ("path", "index", "put"),
    [
        (("sections", 0, "articles"), 0, "river, "),
        (("sections", 0, "articles"), 1, ", river"),
        (("sections", 1, "articles"), 0, "      - river\n"),
        (("sections", 1, "articles"), 1, "      - river\n"),
        (("sections", 1, "articles"), 2, "      - river\n"),
        (("image", "focal"), 1, ", river"),
    ],
)
def test_an_item_is_put_in_as_the_list_is_written(path: Any, index: int, put: str) -> None:
    """``[a, b]`` stays in brackets, a block list stays a block list."""
    doc = Document.parse(ISSUE, "x.md")
    after = doc.insert(path, index, "river")
    assert after.get(*path)[index] == "river"
    assert len(after.text) == len(ISSUE) + len(put)
    assert after.delete((*path, index)).text == ISSUE


def test_a_section_is_put_in_with_its_own_lines() -> None:
    """A table in a list is written as a block; comments stay with what they stood above."""
    section = {"title": "Brief: more", "layout": "brief", "articles": ["x"]}
    lines = '  - title: "Brief: more"\n    layout: brief\n    articles: [x]\n'
    doc = Document.parse(ISSUE, "x.md")
    assert doc.insert(("sections",), 2, section).text == ISSUE.replace("intro_note", f"{lines}intro_note")
    assert doc.insert(("sections",), 1, section).text == ISSUE.replace("\n\n  # second", f"\n{lines}\n  # second")
    assert doc.insert(("sections",), 0, section).text == ISSUE.replace("  - title: Top", f"{lines}  - title: Top")


def test_a_list_that_is_not_there_is_made() -> None:
    """Also where the key is there without a value, or with an empty list."""
    for text in ("---\nd: x\n---\n", "---\nd: x\na:\n---\n", "---\nd: x\na: []\n---\n"):
        assert Document.parse(text, "x").insert(("a",), 0, "b").text == "---\nd: x\na: [b]\n---\n"
    with pytest.raises(BadData, match="place 4"):
        Document.parse("---\na: [b]\n---\n", "x").insert(("a",), 3, "c")
    with pytest.raises(BadData, match="place 1"):
        Document.parse("---\na: b\n---\n", "x").insert(("a",), 0, "c")


@pytest.mark.parametrize(
    ("text", "path", "value"),
    [
        ("- - a\n  - b\n- c", ("k", 0, 0), "x"),
        ("- - a\n  - b\n- c", ("k", 0), "x"),
        ("- - a\n  - b\n- c", ("k", 0), {"p": "q"}),
        ("-\n- c", ("k", 0), {"p": "q"}),
        ("-\n- c", ("k", 0), "x"),
        ("- a", ("k",), {"p": "q"}),
        ("{a}", ("k", "a"), "x"),
        ("{a: }", ("k", "a"), "x"),
        ("{a: b,}", ("k", "c"), "x"),
        ("{}", ("k", "c"), "x"),
        ("{}", ("k", "c"), {"d": ["e", {"f": "g"}]}),
        ("[a, b,]", ("k", 2), "x"),
        ("[a: b]", ("k", 0, "a"), "x"),
        ("# note\n  p: q", ("k",), "x"),
        ("# note\n  p: q", ("k",), {"r": "s"}),
        ("# note\n- p", ("k",), "x"),
        ("# note\n- p", ("k",), {"a": "b"}),
        ("|+\n  text\n\n", ("new",), "x"),
        ("p", ("k",), []),
        ("p", ("k",), {}),
        ('"p', ("k",), "x"),
    ],
)
def test_strange_layouts_are_edited_too(text: str, path: Any, value: Any) -> None:
    """Nested dashes, missing values, trailing commas, comments in between: the result always reads as meant."""
    text = text + '"' if text.startswith('"') else text
    sep = "\n" if text.startswith("-") else " "
    doc = Document.parse(f"---\nk:{sep}{text}\nz: 1\n---\nbody\n", "x")
    after = doc.set(path, value)
    assert after.get(*path) == value
    assert after.get("z") == "1"
    assert after.body == "body\n"


def test_strange_lists_lose_and_gain_items() -> None:
    """Nested dashes have no line of their own to delete."""
    doc = Document.parse("---\nk:\n- - a\n  - b\n- c\n---\n", "x")
    assert doc.delete(("k", 0, 0)).get("k") == [["b"], "c"]
    assert doc.delete(("k", 0)).get("k") == ["c"]
    assert doc.insert(("k", 0), 0, "x").get("k") == [["x", "a", "b"], "c"]
    assert doc.insert(("k",), 0, ["x"]).get("k") == [["x"], ["a", "b"], "c"]
    doc = Document.parse("---\nk:\n  - # note\n    a: b\n  - c\n---\n", "x")
    assert doc.delete(("k", 0)).get("k") == ["c"]


def test_a_place_that_cannot_be_is_refused() -> None:
    """A text has no keys and a list no place beyond its end."""
    doc = Document.parse("---\na: b\nl: [x]\n---\n", "x")
    for path in (("a", "b"), ("l", "k"), ("l", 4), ("a", 0)):
        with pytest.raises(BadData, match="no place"):
            doc.set(path, "v")
    with pytest.raises(TypeError):
        doc.set(("a",), object())
    with pytest.raises(FrontMatterError, match="by hand"):
        Document.parse("---\n? a\n---\n", "x").set(("a",), "b")


def test_front_matter_is_added_to_a_text_without_any() -> None:
    """A story file gets its first field, with its own line ends and its byte order mark."""
    doc = Document.parse("\ufeffHello\r\n", "x", required=False).set(("headline",), "Rain: more")
    assert doc.text == '\ufeff---\r\nheadline: "Rain: more"\r\n---\r\nHello\r\n'
    assert Document.parse("", "x", required=False).set(("a",), ["b"]).text == "---\na: [b]\n---\n"
    assert Document.parse("---\n# c\n---\n", "x").set(("a", 0), "b").text == "---\n# c\na: [b]\n---\n"


def test_a_new_body_leaves_the_front_matter_alone() -> None:
    """Also where the closing line had no line end, or there was no front matter."""
    doc = Document.parse(ISSUE, "x")
    assert doc.with_body("New\n").text == ISSUE.replace(doc.body, "New\n")
    assert Document.parse("---\na: b\n---", "x").with_body("New").text == "---\na: b\n---\nNew"
    assert Document.parse("Old", "x", required=False).with_body("New").text == "New"
    assert Document.parse("Old", "x", required=False).with_body("---\nNew").body == "---\nNew"
