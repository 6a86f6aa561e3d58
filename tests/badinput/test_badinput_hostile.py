"""Stories that want to break things, through the command line: a safe mail, or exit 65 with what, where and a cure."""

from __future__ import annotations

import email
from email import policy
from pathlib import Path

import pytest
from badinput_kit import ISSUE, SECOND, Run, refused, tree

KB = 1024
SAFE = {
    "script": "<script>alert(1)</script> <img src=x onerror=alert(1)> <a href='javascript:alert(1)'>click</a>",
    "style": "<style>*{display:none}</style><p style='position:fixed' class=x>words</p>",
    "frames": "<iframe src=//x.example></iframe><object data=x></object><form action=x><input></form>",
    "ways out": "</td></tr></table></div></body></html><!-- --><![endif]--> words",
    "open tags": "<b><i><a href=https://x.example><table><tr><td>words",
    "100 KB line": "word " * (20 * KB),
    "one long word": "x" * (100 * KB),
    "20,000 brackets": "[" * 20_000,
    "20,000 stars": "*" * 20_000,
    "controls": "a\u202eb\u2066c\u200fd",
    "deep quotes": ">" * 10_000 + " words",
    "deep lists": "- " * 10_000 + "words",
    "deep tags": "<blockquote>" * 10_000 + "words",
    "deep emphasis": "**a *b " * 5_000,
    "giant table": "|a" * 300 + "|\n" + "|-" * 300 + "|\n" + "|x|\n" * 5_000,
    "references": f"[a]: https://x.example/{'y' * 20_000}\n\n" + "[a]\n\n" * 10_000,
    "open formatting": "\n\n".join(
        "".join(f"<i lang=a{n}>" for n in range(at, at + 90)) + "x" for at in (100, 200, 300)
    )
    + "\n\nwords" * 3_000,
    "entities": "&#x202e;&#0;&#xD800;&lt;script&gt;&amp;" * 500,
}
REFUSED = {
    "template": ("Look: {{ config }}", "is not a merge field"),
    "statement": ("{% include 'x' %}", "{%"),
    "token": ("nlf0001q", "is reserved"),
    "token in pieces": ("nlf<b>0001q</b>", "in pieces"),
    "reader's address": ("[x]({{ subscriber.first_name }})", "starts with a reader's attribute"),
    "too long": ("word " * (60 * KB), "larger than 256 KB"),
}


@pytest.fixture
def full_text(folder: Path) -> Path:
    """The file of a story that is set in full."""
    issue = folder / "issue.md"
    issue.write_text(issue.read_text(encoding="utf-8").replace("layout: list", "layout: text"), encoding="utf-8")
    return folder / f"{SECOND}.md"


def append(file: Path, text: str) -> None:
    """Add a paragraph to a story, and one after it."""
    file.write_text(f"{file.read_text(encoding='utf-8')}\n{text}\n\nThe last words.\n", encoding="utf-8")


@pytest.mark.parametrize("text", SAFE.values(), ids=SAFE)
def test_a_hostile_story_is_built_checked_and_mailed(run: Run, full_text: Path, text: str) -> None:
    """build and check work; nothing active is in the mail, and its last words are in both parts."""
    append(full_text, text)
    run("build", ISSUE)
    built = full_text.parents[2] / ".newsletter" / "build" / ISSUE
    html, plain = ((built / name).read_text(encoding="utf-8") for name in ("email.html", "email.txt"))
    for part in (html, plain):
        assert "The last words." in part
    for wrong in ("<script", "<iframe", "<object", "<form", "<input", " onerror=", 'href="javascript', "display:none}"):
        assert wrong not in html
    assert html.count("</html>") == html.count("<body") == 1
    mail = email.message_from_bytes((built / "email.eml").read_bytes(), policy=policy.SMTP)
    assert not mail.defects and "The last words." in mail.get_body(("html",)).get_content()
    answer = run("check", ISSUE, code=None)
    assert answer.code in (0, 1) and "Traceback" not in answer.err


@pytest.mark.parametrize("case", REFUSED)
def test_what_is_no_text_is_refused_with_file_and_line(run: Run, full_text: Path, case: str) -> None:
    """build, check and approve: exit 65, the story's file and a line in it, a cure; nothing is written."""
    text, words = REFUSED[case]
    append(full_text, text)
    before = tree(full_text.parent)
    for command in ("build", "check", "approve"):
        answer = run(command, ISSUE, code=65)
        refused(answer, words, f"{SECOND}.md")
    assert tree(full_text.parent) == before


@pytest.mark.parametrize("text", SAFE.values(), ids=SAFE)
def test_a_hostile_file_is_added_or_refused(run: Run, weekly: Path, tmp_path: Path, text: str) -> None:
    """As Markdown and as a page: it is in the inbox, or exit 65 and it is not."""
    for name, whole in (
        ("bad.md", f"# A headline\n\n{text}\n"),
        ("bad.html", f"<h1>A headline</h1><p>Words.</p>{text}"),
    ):
        (tmp_path / name).write_text(whole, encoding="utf-8")
        answer = run("article", "add", str(tmp_path / name), code=None)
        assert answer.code in (0, 65)
        if answer.code == 65:
            refused(answer, name)
