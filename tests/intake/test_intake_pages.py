"""Pages in the shapes that newsrooms publish, in our own words: every field with its provenance, and the Markdown.

``--regenerate`` writes the expected files anew: read the diff.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from newsletter.articles.page import read_page
from newsletter.articles.reading import read_story
from newsletter.articles.schema import article_to_data
from newsletter.articles.story import Story
from newsletter.errors import BadData
from newsletter.workspace.frontmatter import dump

HERE = Path(__file__).parent
PAGES = tomllib.loads((HERE / "pages" / "pages.toml").read_text(encoding="utf-8"))
NOW = datetime(2026, 11, 26, 12, tzinfo=UTC)


def read(name: str) -> Story:
    data = (HERE / "pages" / f"{name}.html").read_bytes()
    return read_page(data, url=PAGES[name]["url"], content_type=PAGES[name]["type"], now=NOW)


def as_text(name: str) -> str:
    """What was made of a page, as one file: front matter, body, notes; or why it was refused."""
    try:
        story = read(name)
    except BadData as refused:
        return f"refused: {refused}\n"
    text = dump(article_to_data(story.article), story.article.body)
    return text + "".join(f"\n<!-- note: {note} -->\n" for note in story.notes)


def test_every_page_is_listed_and_every_listed_page_is_there() -> None:
    files = {path.stem for path in (HERE / "pages").glob("*.html")}
    assert files == set(PAGES)
    assert len(files) >= 50
    assert {path.stem for path in (HERE / "expected").glob("*.md")} == files


@pytest.mark.parametrize("name", sorted(PAGES))
def test_a_page_gives_exactly_these_fields_and_this_text(name: str, regenerate: bool) -> None:
    found, file = as_text(name), HERE / "expected" / f"{name}.md"
    if regenerate:
        file.write_text(found, encoding="utf-8")
    assert found == file.read_text(encoding="utf-8")


DATE = re.compile(
    r"<time|datePublished|published_time|dcterms|dc\.date|name=\"date\"|\"dateCreated\"|pubdate|dt-published"
    r"|class=\"(?:date|byline|post-info|autor)\b",
    re.I,
)
AUTHOR = re.compile(
    r"\"author\"|name=\"author\"|rel=\"author\"|itemprop=\"author\"|creator|article:author|by-?line|author-name|-author|\"autor\b|href=\"/author/|\"post-info\"",
    re.I,
)


def stories() -> Iterator[tuple[str, Story, str]]:
    for name in sorted(PAGES):
        try:
            story = read(name)
        except BadData:
            continue
        raw = (HERE / "pages" / f"{name}.html").read_bytes()
        yield name, story, raw.decode("utf-16" if raw[:2] in (b"\xff\xfe", b"\xfe\xff") else "latin-1")


def test_no_page_without_a_stated_date_is_given_one() -> None:
    """A date is only ever what stands in an element or a key that is made for it."""
    bare = [(name, story) for name, story, source in stories() if not DATE.search(source)]
    assert len(bare) >= 10
    assert {name: story.article.published for name, story in bare if story.article.published} == {}


def test_no_page_without_a_stated_author_is_given_one() -> None:
    bare = [(name, story) for name, story, source in stories() if not AUTHOR.search(source)]
    assert len(bare) >= 8
    assert {name: story.article.byline for name, story in bare if story.article.byline} == {}


@pytest.mark.parametrize(
    ("name", "field"),
    [
        ("custom-bare", "published"),  # a date and a correspondent in running text
        ("custom-bare", "byline"),
        ("wrong-linked-data", "published"),  # JSON-LD of another story, a date of change
        ("wrong-linked-data", "byline"),
        ("wrong-linked-data", "image"),
        ("organisation-author", "byline"),  # the site itself
        ("organisation-author", "published"),  # dateModified alone
        ("organisation-author", "image"),  # its logo
        ("future-dates", "published"),  # 2044, and 1970
        ("comments-with-names", "byline"),  # a reader
        ("comments-with-names", "published"),
        ("text-and-tables", "byline"),  # a footnote with the id fn1
        ("agency-copy", "byline"),  # an agency is one
    ],
)
def test_what_misleads_is_left_unknown(name: str, field: str) -> None:
    assert getattr(read(name).article, field) is None


@pytest.mark.parametrize(
    ("name", "field"),
    [
        ("byline-traps", "byline"),  # a class called byline
        ("arabic-called-english", "byline"),
        ("dates-that-disagree", "published"),
        ("wordpress-classic", "standfirst"),  # a description for search engines
        ("relative-and-base", "image"),  # the first picture of the text
    ],
)
def test_a_guess_is_marked(name: str, field: str) -> None:
    assert read(name).article.provenance[field].confirmed is False


@pytest.mark.parametrize("name", ["wordpress-block", "ghost", "substack-like", "amp"])
def test_a_page_that_a_browser_saved_is_read_like_the_page(name: str) -> None:
    """That is what a refusal tells the editor to do: the file has to give the same story."""
    data = (HERE / "pages" / f"{name}.html").read_bytes()
    saved = read_story(Path("saved.html"), data).article
    fetched = read(name).article
    assert (saved.headline, saved.byline, saved.published) == (fetched.headline, fetched.byline, fetched.published)
    assert (saved.standfirst, saved.body, saved.link) == (fetched.standfirst, fetched.body, fetched.link)


def test_a_saved_page_without_scripts_or_without_an_address_is_read_as_a_web_page() -> None:
    """A program that saves pages may take the scripts out, and some pages do not say where they are."""
    text = (HERE / "pages" / "ghost.html").read_text()
    quiet = re.sub(r"<script.*?</script>", "", text, flags=re.S)
    assert read_story(Path("saved.html"), quiet.encode()).article.body == read("ghost").article.body
    lost = re.sub(r"<link[^>]*canonical[^>]*>|<meta[^>]*og:url[^>]*>", "", text).replace(
        "</body>", f"{' ' * 8000}</body>"
    )
    story = read_story(Path("saved.html"), lost.encode()).article
    assert story.link is None
    assert story.body.split("\n\n")[0] == read("ghost").article.body.split("\n\n")[0]


@pytest.mark.parametrize("name", sorted(PAGES))
def test_nothing_dangerous_and_nothing_of_the_frame_gets_through(name: str) -> None:
    """No script, no handler, no clutter in any story."""
    text = as_text(name)
    for word in (
        "javascript:",
        "<script",
        "onclick",
        "pixel.gif",
        "cookie settings",
        "All rights reserved",
        "Most read",
    ):
        assert word not in text
    for label in ("Share this", "You may also like", "Also read", "Sign up", "Subscribe", "Comments", "ADVERTISEMENT"):
        assert label not in text or text.startswith("refused")
