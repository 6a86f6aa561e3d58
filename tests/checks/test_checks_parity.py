"""How much of the HTML the text part says, and that spam filters count it the same way."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from newsletter.app.desk import Desk
from newsletter.app.outgoing import preview_batch
from newsletter.app.render import Rendered, render
from newsletter.checks import examples as eg
from newsletter.checks.page import Page
from newsletter.checks.parity import Parity, parity, parity_of
from newsletter.checks.run import run_checks
from newsletter.message.compile import compile_message
from newsletter.message.merge import fill
from newsletter.models import Severity
from newsletter.workspace.create import create_demo


@pytest.mark.parametrize(
    ("seen", "text", "percent", "filters"),
    [
        ("one two three four", "one two three four", 100.0, 100.0),
        ("one two three four", "One, two: three. Four!", 100.0, 0.0),
        ("one two three four", "one two", 50.0, 50.0),
        ("no no no yes", "no yes", 50.0, 50.0),
        ("read on", "read on: https://estuary.example/a/b/c?d=e", 100.0, 50.0),
        ("", "whatever", 100.0, 100.0),
        ("one", "", 0.0, 0.0),
    ],
)
def test_words_count_as_often_as_they_stand(seen: str, text: str, percent: float, filters: float) -> None:
    """Readers see past punctuation and addresses; filters do not see past punctuation."""
    found = parity(seen, seen, text)
    assert (found.percent, found.filters) == (percent, filters)


def test_merge_fields_count_as_what_they_become() -> None:
    """Each part has its own token for the same field."""
    assert parity_of(eg.example()).percent == 100.0


def test_a_filter_reads_the_title_and_what_is_hidden_and_a_reader_does_not() -> None:
    """Blanks stand between blocks, not between the letters of one word; style sheets are nobody's words."""
    page = Page(
        "<html><head><title>T</title><style>.x{}</style></head><body><div style='display:none'>pre</div>"
        "<table><tr><td>a<b>b</b>,</td><td>c</td></tr></table><p>d<br>e</p></body></html>",
        (),
    )
    assert page.visible.split() == ["ab,", "c", "d", "e"]
    assert page.filtered.split() == ["T", "pre", "ab,", "c", "d", "e"]


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desk]:
    desk = Desk(create_demo(tmp_path_factory.mktemp("demo") / "demo"))
    yield desk
    desk.close()


@pytest.fixture(scope="module")
def sample(desk: Desk) -> Rendered:
    return render(desk, "2026-11-27")


def test_the_sample_says_the_same_in_both_parts(sample: Rendered) -> None:
    """Thresholds at 85 and 60 leave a good theme all the room it needs."""
    email = sample.email
    page = Page(email.html, ())
    found = parity(*(fill(part, email.fields, {}) for part in (page.visible, page.filtered, email.text)))
    assert found.percent >= 99


@pytest.mark.parametrize(("share", "severity"), [(0.9, None), (0.75, Severity.WARNING), (0.4, Severity.ERROR)])
def test_a_text_part_that_leaves_words_out_is_told(share: float, severity: Severity | None) -> None:
    """The fewer words, the heavier."""
    words = [f"word{n}" for n in range(1_000)]
    context = eg.both(
        eg.html("<h2>", f"<p>{' '.join(words)}</p><h2>"),
        eg.email(text=eg.example().email.text + " ".join(words[: int(1_000 * share)])),
    )(eg.example())
    assert [f.severity for f in run_checks(context) if f.id == "text-diverges"] == ([severity] if severity else [])


STUB = "Your mail program does not show this newsletter. Read it online.\n"
IMAGE = (
    '<!DOCTYPE html><html lang="en"><head><title>Offer</title></head>'
    '<body><img src="https://estuary.example/x.png" width="600" alt="Offer"></body></html>'
)


@pytest.mark.spamassassin
@pytest.mark.parametrize("kind", ["good", "stub", "half", "image"])
def test_spamassassin_counts_the_same_words(desk: Desk, sample: Rendered, kind: str, tmp_path: Path) -> None:
    """On a good mail, one with a stub for a text part, one with half of it, and a lone picture; to a word or two."""
    batch = preview_batch(desk, sample, reader=None)
    mail = compile_message(batch.outgoing).splice(batch.recipients[0])
    html, text = _parts(mail)
    lines = text.splitlines(keepends=True)
    html = IMAGE if kind == "image" else html
    text = {"good": text, "stub": STUB, "half": "".join(lines[: len(lines) // 2]), "image": STUB}[kind]
    page = Page(html, ())
    ours = parity(page.visible, page.filtered, text)
    theirs, points, rules = _judged(_mail(html, text), tmp_path)
    print(f"{kind}: {points} points; {ours}; SpamAssassin {theirs:.2f}; {', '.join(rules)}")
    assert ours.filters == pytest.approx(theirs, abs=0.6)
    assert ("MPART_ALT_DIFF" in rules) is (ours.filters < 1)
    # What fires there at more than 99 % of difference is an error here long before.
    told = run_checks(eg.email(html=html, text=text, spans=())(eg.example()))
    errors = {f.id for f in told if f.severity is Severity.ERROR} & {"text-diverges", "picture-only"}
    assert errors == {"good": set(), "image": {"picture-only"}}.get(kind, {"text-diverges"})


def _parts(mail: bytes) -> tuple[str, str]:
    import email
    from email import policy

    message = email.message_from_bytes(mail, policy=policy.default)
    html, text = message.get_body(("html",)), message.get_body(("plain",))
    assert html is not None and text is not None
    return html.get_content(), text.get_content()


def _mail(html: str, text: str) -> bytes:
    from email.message import EmailMessage

    message = EmailMessage()
    message["From"] = "The Estuary Weekly <letter@estuary.example>"
    message["To"] = "reader@example.com"
    message["Subject"] = "The ferry is ours"
    message["Date"] = "Fri, 27 Nov 2026 07:00:00 +0000"
    message["Message-ID"] = "<20261127070000.4f1d8a72c9@estuary.example>"
    message.set_content(text)
    message.add_alternative(html, subtype="html")
    return message.as_bytes()


def _judged(mail: bytes, home: Path) -> tuple[float, float, list[str]]:
    """(percent of the HTML's words found in the text, points, rules) as SpamAssassin has them."""
    judged = subprocess.run(
        ["spamassassin", "-L", "-t", "-D", "eval"],
        input=mail,
        capture_output=True,
        check=True,
        timeout=120,
        env={"PATH": "/usr/bin:/bin", "HOME": str(home)},
    )
    difference = re.search(rb"max-difference: ([\d.]+)%", judged.stderr)
    points = re.search(rb"Content analysis details:\s+\((-?[\d.]+) points", judged.stdout)
    assert difference and points, judged.stderr[-2000:]
    rules = re.findall(rb"^ ?-?\d+\.\d ([A-Z][A-Z0-9_]+)", judged.stdout, re.MULTILINE)
    return 100 - float(difference[1]), float(points[1]), [rule.decode() for rule in rules]


def test_figures_are_rounded_to_a_tenth() -> None:
    """`94.1`, not sixteen digits."""
    assert parity("a b c", "a b c", "a") == Parity(33.3, 33.3, 3, 1)
