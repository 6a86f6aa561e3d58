"""The front matter of an article, and setting one of its fields by name."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from newsletter.articles.fields import FIELDS, assign
from newsletter.articles.schema import KEYS, TEXT_FIELDS, article_from_document, article_to_data, is_iso_date
from newsletter.errors import BadData, FrontMatterError
from newsletter.models import Article, Origin, Picture, Provenance, Waiver
from newsletter.workspace.frontmatter import Document, dump

FULL = Article(
    slug="pier",
    headline="No: it's {{ open",
    body="It opened.\n",
    **{name: f"{name} text" for name in TEXT_FIELDS if name not in ("headline", "published", "lang")},
    lang="ur-PK",
    published="2026-11-20T07:00:00Z",
    tags=("sea", "town: north"),
    image=Picture("pier.jpg", "https://x.org/p.jpg?a=1&b=2", "A “pier”", "On Friday", "Ada", (0.5, 0.25)),
    origin=Origin("7", "https://x.org/pier", "guid-7", "2026-11-21T00:00:00Z"),
    provenance={"headline": Provenance("h1"), "teaser": Provenance("meta description", confirmed=False)},
    waive=(Waiver("image-credit", "ours: no credit"),),
)  # type: ignore[arg-type]  # the text fields are all strings


def parse(front: str) -> Article:
    return article_from_document(Document.parse(f"---\n{front}\n---\nIt opened.\n", "pier.md"), "pier")


def test_every_field_survives_a_file() -> None:
    data = article_to_data(FULL)
    assert tuple(data) == KEYS
    again = article_from_document(Document.parse(dump(data, FULL.body), "pier.md"), "pier")
    assert again == FULL


def test_what_is_empty_is_left_out_of_a_new_file() -> None:
    assert article_to_data(Article("pier", "Pier opens")) == {"headline": "Pier opens"}
    assert parse("headline: Pier opens\nkicker:\ntags:\nimage: {alt: ''}\nstandfirst: '  '") == Article(
        "pier", "Pier opens", "It opened.\n"
    )


@given(st.text(min_size=1, max_size=60).map(lambda t: " ".join(t.split())).filter(bool))
def test_any_headline_survives_a_file(headline: str) -> None:
    try:
        text = dump({"headline": headline}, "x")
        document = Document.parse(text, "pier.md")
    except BadData:
        return
    assert article_from_document(document, "pier").headline == headline


def test_scalars_are_text_and_shorthands_are_understood() -> None:
    article = parse("headline: 2026\nsection: No\ntags: sea\nimage: pier.jpg")
    assert (article.headline, article.section, article.tags) == ("2026", "No", ("sea",))
    assert article.image == Picture(file="pier.jpg")
    assert parse("headline: x\nimage: https://x.org/p.jpg").image == Picture(url="https://x.org/p.jpg")
    assert parse("headline: >\n  over\n  lines").headline == "over lines"


@pytest.mark.parametrize(
    ("front", "where", "words"),
    [
        ("kicker: x", "pier.md:1", "headline: this key is missing"),
        ("headline:", "pier.md:2", "headline"),
        ("headline: ' '", "pier.md:2", "headline: this key is empty"),
        ("headline: x\npublished: last week", "pier.md:3", "'last week' is no date"),
        ("headline: x\nlang: Urdu, mostly", "pier.md:3", "is no language tag"),
        ("headline: x\nimage:\n  file: ../p.jpg", "pier.md:4", "not the plain name"),
        ("headline: x\nimage: {file: .hidden}", "pier.md:3", "not the plain name"),
        ("headline: x\nimage: {focal: [2, 0]}", "pier.md:3", "focal"),
        ("headline: x\nimage: {focal: [nan, 0]}", "pier.md:3", "focal"),
        ("headline: x\nimage: {focal: [1]}", "pier.md:3", "focal"),
        ("headline: x\ntags: {a: b}", "pier.md:3", "tags"),
        ("headline: x\nwaive: [{reason: a}]", "pier.md:3", "id"),
        ("headline: x\nprovenance: {headline: {confirmed: perhaps, from: y}}", "pier.md:3", "confirmed"),
    ],
)
def test_a_wrong_field_is_refused_with_its_line(front: str, where: str, words: str) -> None:
    with pytest.raises(FrontMatterError) as refused:
        parse(front)
    assert refused.value.where == where
    assert words in str(refused.value)


@pytest.mark.parametrize(
    ("text", "iso"),
    [("2026-11-20", True), ("2026-11-20T07:00:00Z", True), ("2026-11-20 07:00+05:30", True), ("20 November", False),
     ("2026-13-01", False), ("", False)],
)  # fmt: skip
def test_only_iso_dates_are_dates(text: str, iso: bool) -> None:
    assert is_iso_date(text) is iso


def assigned(front: str, name: str, value: str) -> Article:
    document = Document.parse(f"---\n{front}\n---\nIt opened.\n", "pier.md")
    return article_from_document(assign(document, name, value), "pier")


@pytest.mark.parametrize("name", FIELDS)
def test_each_field_can_be_set_and_is_marked_as_the_editors(name: str) -> None:
    value = {"published": "2026-11-20", "link": "https://x.org/", "image.url": "https://x.org/p.jpg", "lang": "ur",
             "image.focal": "0.5, .25", "tags": "sea, , town"}.get(name, "new: words")  # fmt: skip
    article = assigned("headline: x\nimage: https://x.org/o.jpg", name, value)
    field, _, part = name.partition(".")
    found = getattr(article, field)
    expected = {"tags": ("sea", "town"), "image.focal": (0.5, 0.25)}.get(name, value)
    assert (getattr(found, part) if part else found) == expected
    assert article.provenance[field] == Provenance("editor")


def test_an_empty_value_removes_a_field_with_its_provenance() -> None:
    front = "headline: x\nkicker: y\nprovenance: {kicker: {from: h1, confirmed: true}}"
    front += "\nimage: {url: https://x.org/p, alt: z}"
    assert assigned(front, "kicker", " ").kicker is None
    assert "kicker" not in assigned(front, "kicker", "").provenance
    assert assigned(front, "byline", "").byline is None
    assert assigned(front, "image.alt", "").image == Picture(url="https://x.org/p")
    assert assigned(front, "image.url", "").image is None
    assert assigned(front, "tags", " , ").tags == ()


def test_another_address_is_another_picture() -> None:
    image = assigned("headline: x\nimage: {file: p.jpg, alt: z}", "image.url", "https://x.org/n.jpg").image
    assert image == Picture(url="https://x.org/n.jpg", alt="z")


@pytest.mark.parametrize(
    ("name", "value", "words"),
    [
        ("headlin", "x", 'did you mean "headline"?'),
        ("link-text", "x", "link_text"),
        ("zzz", "x", "the fields are headline, kicker"),
        ("body", "x", "no field"),
        ("image.file", "x", "no field"),
        ("headline", "", "cannot be without a headline"),
        ("published", "Friday", "no date"),
        ("link", "x.org", "no web address"),
        ("link", "https://[x", "no web address"),
        ("image.url", "p.jpg", "no web address"),
        ("lang", "English please", "no language"),
        ("image.focal", "2,0", "two numbers"),
        ("image.alt", "x", "has no picture"),
    ],
)
def test_an_unknown_field_or_a_wrong_value_is_refused_with_a_fix(name: str, value: str, words: str) -> None:
    with pytest.raises(BadData) as refused:
        assigned("headline: x", name, value)
    assert words in str(refused.value)
    assert refused.value.fix
