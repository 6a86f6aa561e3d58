"""Markdown stories with our front matter, another system's, or none."""

from __future__ import annotations

from pathlib import Path

import pytest

from newsletter.articles.reading import Story
from newsletter.errors import BadData, FrontMatterError
from newsletter.models import Provenance

from .conftest import EXPORT, picture, read


def md(text: str, folder: Path = Path("/nowhere")) -> Story:
    return read(text, "story.md", folder)


def test_the_first_h1_is_the_headline_and_a_leading_image_the_lead_image() -> None:
    story = md(
        '# Pier *opens* today\n\n![A pier](https://x.org/p.jpg?a=1&b=2 "Seen from the sea")\n\n'
        "It **opened**.\n\n## More\n"
    )
    article = story.article
    assert article.headline == "Pier opens today"
    assert article.image is not None
    assert (article.image.alt, article.image.caption) == ("A pier", "Seen from the sea")
    assert story.picture_url == "https://x.org/p.jpg?a=1&b=2"
    assert article.body == "It **opened**.\n\n## More\n"
    assert article.provenance["headline"] == Provenance("first # heading")
    assert article.provenance["image"] == Provenance("leading image")


def test_a_picture_above_the_h1_is_the_lead_image_too() -> None:
    article = md("![A pier](https://x.org/p.jpg)\n\n# Pier opens\n\nIt opened.\n").article
    assert article.image is not None
    assert article.body == "It opened.\n"


def test_an_underlined_headline_and_one_after_code() -> None:
    assert md("Pier opens\n==========\n\nIt opened.").article.headline == "Pier opens"
    fenced = md("```\n# a comment\n```\n\n# Pier opens\n\nIt opened.").article
    assert fenced.headline == "Pier opens"
    assert "# a comment" in fenced.body


def test_merge_fields_and_markup_of_authored_markdown_stay() -> None:
    body = 'Dear {{ subscriber.first_name | default("reader") }},\n\n* one\n* two\n'
    assert md("# Letter\n\n" + body).article.body == body


def test_a_first_heading_of_another_level_is_a_guess() -> None:
    article = md("## Pier opens ##\n\nIt opened.").article
    assert (article.headline, article.provenance["headline"].confirmed) == ("Pier opens", False)


def test_without_a_heading_a_first_line_of_its_own_is_the_headline() -> None:
    assert md("Pier opens\n\nIt opened.").article.headline == "Pier opens"
    story = md("It opened today.\n\nMany came.")
    assert story.article.headline == "It opened today"
    assert story.notes


def test_a_very_long_heading_is_no_headline() -> None:
    story = md("# " + "long " * 100 + "\n\nIt opened.")
    assert not story.article.provenance["headline"].confirmed
    assert md("## " + "long " * 100 + "\n\nIt opened.").notes


def test_an_export_under_a_markdown_name_is_an_export() -> None:
    article = md(EXPORT).article
    plain = read(EXPORT).article
    assert (article.headline, article.agency, article.image, article.body) == (
        plain.headline,
        plain.agency,
        plain.image,
        plain.body,
    )


def test_a_last_picture_that_repeats_the_headline_is_the_lead_image() -> None:
    article = md("# Pier opens\n\nIt opened.\n\n![Pier opens](https://x.org/p.jpg)\n").article
    assert article.image is not None
    assert article.body == "It opened.\n"
    other = md("# Pier opens\n\nIt opened.\n\n![A map](https://x.org/p.jpg)\n").article
    assert other.image is None
    assert "![A map]" in other.body


def test_a_byline_in_italics_and_a_credit_are_fields() -> None:
    article = md("# Pier opens\n\n*By Ada Lovelace*\n\nIt opened.\n\n(Reuters)\n").article
    assert (article.byline, article.agency, article.body) == ("Ada Lovelace", "Reuters", "It opened.\n")


def test_our_front_matter_is_read_and_unknown_keys_are_kept() -> None:
    story = md(
        "---\nheadline: 'Pier: opens'\nkicker: Harbour\ntags: [sea, town]\n"
        "image:\n  url: https://x.org/p.jpg\n  alt: A pier\n"
        "  focal: [0.5, 0.2]\ndesk: harbour\nwords: 012\n---\n\nIt opened.\n"
    )
    article = story.article
    assert (article.headline, article.kicker, article.tags) == ("Pier: opens", "Harbour", ("sea", "town"))
    assert article.slug == "pier-opens"
    assert article.image is not None
    assert article.image.focal == (0.5, 0.2)
    assert story.picture_url == "https://x.org/p.jpg"
    assert dict(story.extra) == {"desk": "harbour", "words": "012"}
    assert article.body == "It opened.\n"
    assert article.provenance["headline"] == Provenance("front matter")
    assert "origin" not in article.provenance


def test_front_matter_of_other_systems_gives_title_author_and_iso_date() -> None:
    story = md("---\ntitle: Pier opens\nauthor: Ada Lovelace\ndate: 2026-11-20\n---\nIt opened.\n")
    article = story.article
    assert (article.headline, article.byline, article.published) == ("Pier opens", "Ada Lovelace", "2026-11-20")
    assert article.provenance["headline"] == Provenance("front matter title")
    assert story.extra["title"] == "Pier opens"
    assert md("---\ntitle: Pier\ndate: yesterday\nauthor: [a, b]\n---\nIt opened.\n").article.published is None


def test_a_headline_missing_in_front_matter_comes_from_the_body() -> None:
    article = md(
        "---\nkicker: Harbour\n---\n# Pier opens\n\n![A pier](https://x.org/p.jpg)\n\nBy Ada Lovelace\n\nIt opened.\n"
    ).article
    assert (article.headline, article.kicker, article.byline) == ("Pier opens", "Harbour", "Ada Lovelace")
    assert article.image is not None
    assert article.body == "It opened.\n"


def test_a_heading_that_repeats_the_headline_is_taken_out_and_a_leading_image_found() -> None:
    article = md(
        "---\nheadline: Pier opens\n---\n# Pier opens\n\n![A pier](https://x.org/p.jpg)\n\nIt opened.\n"
    ).article
    assert article.body == "It opened.\n"
    assert article.image is not None
    kept = md("---\nheadline: Pier opens\n---\n# Another heading\n\nIt opened.\n").article
    assert kept.body.startswith("# Another heading")


@pytest.mark.parametrize(
    "front", ["image: pier.jpg", "image: photos/pier.jpg", "image:\n  file: pier2.jpg\n  alt: A pier", "kicker: x"]
)
def test_a_picture_beside_the_story_is_found(tmp_path: Path, front: str) -> None:
    for name in ("pier.jpg", "photos/pier.jpg", "images/pier2.jpg"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes(picture())
    lead = "![A pier](photos/pier.jpg)\n\n" if "image" not in front else ""
    story = md(f"---\nheadline: Pier opens\n{front}\n---\n{lead}It opened.\n", tmp_path)
    assert story.picture_file is not None
    assert story.picture_file.is_file()
    assert story.picture_url is None
    assert story.article.image is not None
    assert story.article.image.url is None
    assert story.article.image.alt in ("A pier", None)


@pytest.mark.parametrize(
    "target",
    ["../secret.jpg", "/etc/hostname", "gone.jpg", "file:///etc/hostname", "data:image/png;base64,AA", "a\\..\\b"],
)
def test_a_picture_elsewhere_on_the_disk_is_never_taken(tmp_path: Path, target: str) -> None:
    """A story that somebody mailed in cannot publish a file of the editor's."""
    (tmp_path / "secret.jpg").write_bytes(picture())
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "link.jpg").symlink_to(tmp_path / "secret.jpg")
    for each in (target, "link.jpg"):
        story = md(f"# Pier opens\n\n![A pier]({each})\n\nIt opened.\n", tmp_path / "in")
        assert (story.picture_file, story.picture_url, story.article.image) == (None, None, None)
        assert "not in the story's folder" in story.notes[0]


def test_standard_input_has_no_folder_to_look_in() -> None:
    story = read("# Pier opens\n\n![A pier](pier.jpg)\n\nIt opened.\n", None)
    assert story.picture_file is None
    assert story.notes


def test_standard_input_and_other_names_are_told_by_their_beginning() -> None:
    assert read("# Pier opens\n\nIt opened.", None).article.provenance["headline"].source == "first # heading"
    assert read("---\nheadline: Pier opens\n---\nIt opened.", None).article.headline == "Pier opens"
    assert read("---\nheadline: Pier opens\n---\nIt opened.", "story.txt").article.headline == "Pier opens"
    assert read("# Pier opens\n\nIt opened.", "story.txt").article.headline == "# Pier opens"
    assert read("<!DOCTYPE html><h1>Pier opens</h1><p>It opened.", None).article.headline == "Pier opens"
    assert read("Pier opens\n\nIt <p>opened</p>.", None).article.body == "It &lt;p>opened&lt;/p>.\n"


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("---\nheadline: a: b\n---\nText.", FrontMatterError),
        ("---\nheadline: x\npublished: soon\n---\nText.", FrontMatterError),
        ("---\nheadline: x\nimage: {focal: [3, 4]}\n---\nText.", FrontMatterError),
        ("---\nheadline: x\n---\n\n", BadData),
        ("---\nheadline: x\n---\n# x\n", BadData),
        ("# x\n", BadData),
        ("\n\n", BadData),
        ("---\nkicker: x\n---\n", BadData),
    ],
)
def test_wrong_front_matter_and_empty_stories_are_refused(text: str, kind: type[BadData]) -> None:
    with pytest.raises(kind) as refused:
        md(text)
    assert (refused.value.where or "").startswith("story.md")
    assert refused.value.fix
