"""HTML stories: only what a page states is believed; the text becomes Markdown that renders to the same."""

from __future__ import annotations

import json
from typing import Any

import lxml.html
import markdown
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from newsletter.articles.html_images import widest
from newsletter.errors import BadData
from newsletter.models import Provenance

from .conftest import picture, read


def page(body: str, head: str = "", lang: str = "en-GB") -> Any:
    return read(f'<!doctype html><html lang="{lang}"><head>{head}</head><body>{body}</body></html>', "story.html")


def body_of(html: str) -> str:
    return page(f"<article><h1>Pier opens</h1>{html}</article>", "<title>Pier opens</title>").article.body.rstrip("\n")


HEAD = """<title>Pier opens | The Gazette</title><link rel="canonical" href="https://g.example/pier">
<meta property="og:title" content="Pier opens"><meta name="description" content="The pier is open &amp;amp; busy.">
<meta property="og:image" content="/img/pier.jpg?w=1200"><meta name="author" content="By Ada Lovelace">
<meta property="article:published_time" content="2026-11-20T07:00:00Z"><meta property="article:section" content="Town">
<meta property="article:tag" content="sea"><meta property="article:tag" content="pier">"""


def test_a_full_page_gives_every_field_with_its_provenance() -> None:
    story = page(
        '<nav>Menu</nav><article><h1>Pier opens</h1><figure><img src="/img/pier.jpg?w=600" alt="A pier">'
        "<figcaption>On Friday</figcaption></figure><p>It <b>opened</b>.</p></article><footer>Foot</footer>",
        HEAD,
    )
    article = story.article
    assert (article.headline, article.byline, article.published) == (
        "Pier opens",
        "Ada Lovelace",
        "2026-11-20T07:00:00Z",
    )
    assert (article.link, article.origin.url) == ("https://g.example/pier", "https://g.example/pier")
    assert (article.standfirst, article.section, article.tags) == ("The pier is open & busy.", "Town", ("sea", "pier"))
    assert article.lang == "en-GB"
    assert article.teaser is None
    assert article.image is not None
    assert story.picture_url == "https://g.example/img/pier.jpg?w=1200"
    assert (article.image.alt, article.image.caption) == ("A pier", "On Friday")
    assert article.body == "It **opened**.\n"
    assert article.provenance["headline"] == Provenance("h1")
    assert article.provenance["byline"] == Provenance("meta author")
    assert article.provenance["published"] == Provenance("meta article:published_time")
    assert article.provenance["standfirst"] == Provenance("meta description", confirmed=False)
    assert article.provenance["image"] == Provenance("meta og:image")


def test_nothing_is_invented() -> None:
    """Dates, names and links in the running text are text."""
    article = page(
        "<h1>Pier opens</h1><p class='byline'>By Ada Lovelace</p><p class='date'>20 November 2026</p>"
        "<p>It opened. <a href='https://x.org/'>More</a></p>"
    ).article
    assert (article.byline, article.published, article.link, article.teaser, article.image) == (None,) * 5
    assert "20 November 2026" in article.body


LD = {
    "@graph": [
        {"@type": "WebSite", "headline": "The Gazette"},
        {
            "@type": ["NewsArticle"],
            "headline": "Pier opens",
            "author": [{"name": "Ada Lovelace"}, "Charles Babbage", {"name": "https://x.org/me"}, {"name": "Mary"}],
            "datePublished": "2026-11-20",
        },
    ]
}


def test_json_ld_gives_headline_authors_and_date() -> None:
    article = page("<p>It opened.</p>", f'<script type="application/ld+json">{json.dumps(LD)}</script>').article
    assert (article.headline, article.byline) == ("Pier opens", "Ada Lovelace, Charles Babbage and Mary")
    assert (article.published, article.provenance["published"].source) == ("2026-11-20", "JSON-LD datePublished")
    assert article.provenance["headline"] == Provenance("JSON-LD headline")


@pytest.mark.parametrize("data", ["{", "[" * 100_000, '{"@type": 5}', '{"@type": "Person"}', "[[1, null]]", '"x"'])
def test_json_ld_that_is_broken_or_of_another_kind_is_not_there(data: str) -> None:
    article = page(
        "<h1>Pier opens</h1><p>It opened.</p>", f'<script type="application/ld+json">{data}</script>'
    ).article
    assert (article.headline, article.byline) == ("Pier opens", None)


@pytest.mark.parametrize(
    ("head", "body", "headline", "source", "confirmed"),
    [
        (
            "<title>Pier opens - The Gazette</title>",
            "<h1>The Gazette</h1><h1>Pier opens</h1>",
            "Pier opens",
            "h1",
            True,
        ),
        ('<meta property="og:title" content="Pier opens">', "<h1>Other</h1>", "Pier opens", "meta og:title", True),
        ("<title>Site</title>", "<h1>Pier opens</h1>", "Pier opens", "h1", True),
        ("<title>Site</title>", "<h1>Pier opens</h1><h1>And</h1>", "Pier opens", "h1", False),
        ("<title>Pier opens</title>", "", "Pier opens", "title", False),
        ("", "", "It opened today", "opening words", False),
    ],
)
def test_where_the_headline_comes_from(head: str, body: str, headline: str, source: str, confirmed: bool) -> None:
    article = page(f"{body}<p>It opened today.</p>", head).article
    assert article.headline == headline
    assert article.provenance["headline"] == Provenance(source, confirmed)


@pytest.mark.parametrize(
    ("body", "published"),
    [
        ('<time datetime="2026-11-20">Friday</time>', "2026-11-20"),
        ('<time datetime="2026-11-20"></time><time datetime="2026-11-21"></time>', None),
        (
            '<time datetime="2026-11-20" itemprop="datePublished"></time><time datetime="2026-11-21"></time>',
            "2026-11-20",
        ),
        ('<time datetime="2026-11-20" pubdate></time><time datetime="2026-11-21"></time>', "2026-11-20"),
        ('<time datetime="Friday"></time>', None),
        ("<time>2026-11-20</time>", None),
    ],
)
def test_a_date_is_machine_readable_and_unambiguous_or_absent(body: str, published: str | None) -> None:
    assert page(f"<h1>Pier opens</h1>{body}<p>It opened.</p>").article.published == published


@pytest.mark.parametrize("author", ["https://x.org/ada", "ada@example.org", "x" * 200])
def test_an_address_is_no_byline(author: str) -> None:
    assert page("<h1>Pier</h1><p>It opened.</p>", f'<meta name="author" content="{author}">').article.byline is None


@pytest.mark.parametrize(
    "link", ["/pier", "javascript:alert(1)", "https://a:b@x.org/", "https://x.org/a b", "http://[::1"]
)
def test_a_canonical_link_that_is_no_web_address_is_no_link(link: str) -> None:
    assert page("<h1>Pier</h1><p>It opened.</p>", f'<link rel="canonical" href="{link}">').article.link is None


def test_a_description_is_the_standfirst_and_never_the_teaser() -> None:
    """As for a page from the web: a whole one before a cut one, and not the headline again."""
    cut = '<meta name="description" content="The pier opened on …">'
    whole = '<meta property="og:description" content="The pier opened on Friday.">'
    article = page("<h1>Pier opens</h1><p>It opened.</p>", cut).article
    assert (article.standfirst, article.teaser) == ("The pier opened on …", None)
    assert article.provenance["standfirst"] == Provenance("meta description", confirmed=False)
    assert page("<h1>Pier opens</h1><p>It opened.</p>", cut + whole).article.standfirst == "The pier opened on Friday."
    again = '<meta name="description" content="The new pier opens">'
    assert page("<h1>The new pier opens</h1><p>It opened.</p>", again).article.standfirst is None


@pytest.mark.parametrize(
    ("html", "written"),
    [
        ("<p>One <em>two</em> <strong>three</strong> <a href='https://x.org/a_b?c=d&amp;e'>four</a></p>",
         "One *two* **three** [four](https://x.org/a_b?c=d&e)"),
        ("<h1>Part</h1><h2>Two</h2><h4>Four</h4><p>x", "## Part\n\n## Two\n\n#### Four\n\nx"),
        ("<ul><li>a<li>b<ul><li>c</ul></ul>", "-   a\n-   b\n    -   c"),
        ("<ol><li><p>a</p><p>b</p></li><li>c</li></ol>", "1.  a\n\n    b\n\n2.  c"),
        ("<ul><li></li></ul><p>x", "x"),
        ("<blockquote><p>a</p><p>b</p></blockquote><blockquote></blockquote>", "> a\n>\n> b"),
        ("<p>a<br>b<br></p><hr><p>c</p>", "a  \nb\n\n* * *\n\nc"),
        ("<pre>a  b\n  c</pre><p>x <code>y</code> <code>`</code> <code></code>", "    a  b\n      c\n\nx `y` \\`"),
        ("<pre>{{ x }}\n\ny</pre><p><code>{% z %}</code></p>", "\\{{ x \\}}  \ny\n\n\\{% z %}"),
        ("<pre> </pre><p>x", "x"),
        ("<table><tr><th>A<th>B|C<tr><td>1<td><b>2</b></table>", "| A | B\\|C |\n| --- | --- |\n| 1 | **2** |"),
        ("<table><tr><td>a<td>b<tr><td>c</table>", "| a | b |\n| --- | --- |\n| c |  |"),
        ("<table><tr><td>only</td></tr><tr><td>column</td></tr></table>", "only\n\ncolumn"),
        ("<table><tr><td><table><tr><td>a<td>b</table></table>", "| a | b |\n| --- | --- |"),
        ("<table></table><p>x", "x"),
        ("<table><caption>Prices</caption><tr>from<b>2026</b><td>a<td>b</table>",
         "from**2026**\n\nPrices\n\n| a | b |\n| --- | --- |"),
        ("<ul>stray<li>a</li><ul><li>b</li></ul><p>c</p>d</ul>", "-   stray\n-   a\n    -   b\n-   c\n-   d"),
        ("<img src='l.jpg'><p>a <img src='https://x.org/i.jpg' alt='b [c]'> d",
         "a ![b \\[c\\]](https://x.org/i.jpg) d"),
        ("<p>x<figure><img src='https://x.org/1.jpg'><img src='https://x.org/2.jpg'><figcaption>both</figcaption></figure>",
         'x\n\n![](https://x.org/2.jpg "both")'),
        ("<p><a href='javascript:alert(1)'>a</a> <a href='#x'>b</a> <a href='https://x.org'></a><a>c</a>", "a b c"),
        ("<p>x<script>bad()</script><style>p{}</style><iframe src='x'></iframe><svg><text>s</text></svg>y", "xy"),
        ("<p hidden>no</p><p aria-hidden='true'>no</p><p>yes", "yes"),
        ("<p>Write {{ subscriber.first_name }} *so* 1 &lt; 2 &amp;amp;",
         "Write \\{{ subscriber.first_name \\}} \\*so\\* 1 < 2 &amp;amp;"),
        ("<p>1. not a list</p><p># not a heading</p>", "1\\. not a list\n\n\\# not a heading"),
        ("<b>a</b><b>b</b> <i><b>c</b></i>", "**a**b **c**"),
        ("<p><b> spaced </b>out<b><br></b></p>", "**spaced** out"),
        ("<a href='https://x.org'><p>block in a link</p></a>", "block in a link"),
        ("loose <div>text</div> here", "loose\n\ntext\n\nhere"),
        ("<p>x<sup>2</sup> H<sub>2</sub>O <u>u</u>", "x2 H2O u"),
        ("<p>a\n b\t c&nbsp;d", "a b c\u00a0d"),
    ],
)  # fmt: skip
def test_html_becomes_markdown(html: str, written: str) -> None:
    assert body_of(html) == written


def test_what_is_written_renders_to_the_same_structure() -> None:
    """The headings, links, lists, tables and pictures survive the way through Markdown."""
    html = (
        "<h2>Two</h2><p>One <em>two</em> <a href='https://x.org/?a=1'>four [5]</a></p>"
        "<ul><li>a<ul><li>c</li></ul></li></ul>"
        "<ol><li>x</li></ol><blockquote><p>q</p></blockquote>"
        "<table><tr><th>A</th><th>B</th></tr><tr><td>1</td><td>2</td></tr></table>"
        "<p><img src='https://x.org/i.jpg' alt='b [c]'></p>"
    )
    written = body_of("<img src='https://x.org/lead.jpg'>" + html)
    root = lxml.html.fragment_fromstring(
        markdown.Markdown(extensions=["tables", "sane_lists"]).convert(written), create_parent="div"
    )
    source = lxml.html.fragment_fromstring(html, create_parent="div")
    for tag in ("h2", "em", "a", "ul", "ol", "li", "blockquote", "table", "th", "td", "img"):
        assert len(list(root.iter(tag))) == len(list(source.iter(tag))), tag
    assert " ".join(root.text_content().split()) == "Two One two four [5] a c x q A B 1 2"
    assert next(root.iter("img")).get("alt") == "b [c]"
    assert next(root.iter("a")).get("href") == "https://x.org/?a=1"


def test_depth_beyond_reason_keeps_the_words() -> None:
    assert "deep" in body_of("<div>" * 150 + "deep *" + "</div>" * 150)
    assert "deep" in body_of("<p>" + "<span><b>" * 100 + "deep")
    assert "deep" in body_of("<ul><li>" * 60 + "deep")


@pytest.mark.parametrize(
    ("html", "src"),
    [
        ("<img src='data:image/gif;base64,R0' data-src='/a.jpg'>", "https://g.example/a.jpg"),
        ("<img data-lazy-src='/a.jpg' src='/tiny.gif'>", "https://g.example/a.jpg"),
        ("<img src='data:x' srcset='/s.jpg 400w, /m.jpg 1600w, /l.jpg 5000w'>", "https://g.example/m.jpg"),
        ("<picture><source srcset='/p.webp 800w'><img></picture>", "https://g.example/p.webp"),
        ("<img class='lazy'><noscript><img src='/n.jpg'></noscript>", "https://g.example/n.jpg"),
        ("<span><img src='data:x'></span><noscript><img src='/n.jpg'></noscript>", "https://g.example/n.jpg"),
        ("<p>words</p><noscript><img src='/n.jpg'></noscript>", "https://g.example/n.jpg"),
        ("<img src='/a.jpg'><noscript><img src='/n.jpg'></noscript><noscript>no</noscript>", "https://g.example/a.jpg"),
    ],
)
def test_lazy_pictures_get_their_real_address(html: str, src: str) -> None:
    story = page(f"<h1>Pier</h1>{html}<p>It opened.</p>", "<link rel=canonical href='https://g.example/x/pier'>")
    assert story.picture_url == src
    assert story.article.provenance["image"] == Provenance("first picture")


@pytest.mark.parametrize(
    ("srcset", "best"),
    [("a 1x, b 2x", "b"), ("a", "a"), ("a 300w, b 600w", "b"), ("a 3000w, b 4000w", "a"), ("", ""), ("data:x 9w", ""),
     ("a nonsense, b 2x", "b"), (" , ", "")],
)  # fmt: skip
def test_the_widest_candidate_that_is_not_needlessly_wide(srcset: str, best: str) -> None:
    assert widest(srcset) == best


def test_the_lead_image_from_the_metadata_need_not_be_in_the_text() -> None:
    head = HEAD + '<meta property="og:image:alt" content="A pier">'
    story = page("<article><h1>Pier opens</h1><p>It opened.</p><img src='/other.jpg'></article>", head)
    assert story.picture_url == "https://g.example/img/pier.jpg?w=1200"
    assert story.article.image.alt == "A pier"
    assert "other.jpg" in story.article.body


def test_a_picture_beside_a_saved_page_is_found(tmp_path: Any) -> None:
    (tmp_path / "pier_files").mkdir()
    (tmp_path / "pier_files" / "p.jpg").write_bytes(picture())
    story = read("<h1>Pier</h1><img src='pier_files/p.jpg' alt='A'><p>It opened.</p>", "pier.html", tmp_path)
    assert story.picture_file == (tmp_path / "pier_files" / "p.jpg").resolve()
    assert story.article.image is not None
    assert story.article.image.url is None


def test_the_marked_body_or_the_longest_article_is_the_story() -> None:
    head = "<title>Pier</title>"
    teasers = "<article><p>Short one.</p></article><article><p>It opened, at last and for good.</p></article>"
    assert page(f"<h1>Pier</h1>{teasers}", head).article.body == "It opened, at last and for good.\n"
    marked = "<main><p>Around it.</p><div itemprop='articleBody'><p>It opened.</p></div></main>"
    assert page(marked, head).article.body == "It opened.\n"


def test_the_declared_encoding_of_a_page_is_used() -> None:
    html = '<meta charset="{}"><h1>Café</h1><p>Übung macht’s.</p>'
    for name, codec in (("iso-8859-1", "cp1252"), ("utf-8", "utf-8"), ("windows-1252", "cp1252")):
        story = read(html.format(name).encode(codec), "a.html")
        assert (story.article.headline, story.article.body, story.notes) == ("Café", "Übung macht’s.\n", ())
    koi = read('<meta charset="koi8-r"><h1>Пирс</h1><p>Да.</p>'.encode("koi8-r"), "a.html")
    assert koi.article.headline == "Пирс"
    assert "Windows-1252" in read(html.format("nonsense").encode("cp1252"), "a.html").notes[0]


def test_an_xml_declaration_does_not_disturb() -> None:
    xhtml = '<?xml version="1.0" encoding="utf-8"?><html><body><h1>Pier</h1><p>It opened.</p></body></html>'
    assert read(xhtml, None).article.headline == "Pier"


@pytest.mark.parametrize(
    "html", ["<html></html>", "<h1>Pier</h1>", "<img src='https://x.org/a.jpg'>", "<!-- -->", "<script>x</script>"]
)
def test_a_page_without_text_is_refused(html: str) -> None:
    with pytest.raises(BadData, match="story"):
        read(html, "a.html")


TAGS = [
    "p",
    "div",
    "span",
    "b",
    "i",
    "a",
    "ul",
    "ol",
    "li",
    "table",
    "tr",
    "td",
    "th",
    "blockquote",
    "pre",
    "code",
    "h2",
    "br",
]
TREES = st.recursive(
    st.sampled_from(["word", " ", "1. x", "*", "_a_", "&lt;b&gt;", "{{", "[x]", "|", "`", "# ", "&amp;amp;"]),
    lambda inner: st.builds(
        lambda tag, parts: f"<{tag}>{''.join(parts)}</{tag}>", st.sampled_from(TAGS), st.lists(inner, max_size=4)
    ),
    max_leaves=15,
)


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(TREES)
def test_no_word_of_any_page_is_lost(tree: str) -> None:
    """Every letter of the page is in the body, in the same order."""
    html = f"<article><h1>Pier opens</h1><div>{tree}</div><p>It opened.</p></article>"
    body = page(html, "<title>Pier opens</title>").article.body
    shown = markdown.Markdown(extensions=["tables", "sane_lists"]).convert(body.replace("\\{{", "{{"))
    expected = [w for w in ("word",) for _ in range(tree.count(w))]
    found = lxml.html.fragment_fromstring(shown, create_parent="div").text_content()
    assert found.count("word") == len(expected)


def test_hundreds_of_tags_that_nobody_closed_lose_no_word() -> None:
    """An old editor's ``<font>`` in every paragraph nests them all, and past a depth of 256 libxml2 stops reading."""
    body = body_of("".join(f"<p><font color=black>word {n} " for n in range(900)))
    assert [int(n) for n in body.replace("word", "").split()] == list(range(900))


@pytest.mark.parametrize("tag", ["div", "b", "blockquote", "ul><li", "table><tr><td", "font"])
def test_a_page_that_cannot_be_read_to_its_end_is_refused(tag: str) -> None:
    """Ten thousand elements inside each other: half a story would be worse than none."""
    with pytest.raises(BadData, match="deep inside each other") as refused:
        page("<p>The beginning.</p>" + f"<{tag}>" * 10_000 + "The end.")
    assert refused.value.where == "story.html" and refused.value.fix
