"""Two versions of an email: words, links, pictures, size, look, and nothing where nothing changed."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from newsletter.message.difference import Difference, PartChange, compare
from newsletter.message.paragraphs import diff_paragraphs
from newsletter.message.reading import Block
from newsletter.message.version import Known, PictureFile, Version
from newsletter.models import MergeField, Span

STORIES = {
    "tide": '<h2><a href="https://e.test/tide">The tide was right</a></h2><p>It rose at nine and fell at three.</p>',
    "bell": "<h2>A bell is found</h2><p>It rang once.</p>",
    "gale": "<h2>A gale is due</h2><p>Tie everything down.</p>",
}


def version(stories: dict[str, str] | None = None, *, frame: str = "<h1>The Post</h1>", **changes: object) -> Version:
    html, spans = f"<!DOCTYPE html><html><body>{frame}", []
    for slug, body in (STORIES if stories is None else stories).items():
        spans.append(Span(slug, len(html), len(html) + len(body)))
        html += body
    html += "<p>1 Mole, Saltford</p></body></html>"
    made = Version({"Subject": "Tides", "From": "The Post <p@e.test>"}, html, "text\n", (), tuple(spans))
    return replace(made, **changes)


def only(difference: Difference) -> PartChange:
    (part,) = difference.parts
    return part


def shown(part: PartChange) -> list[str]:
    marks = {"same": "{}", "old": "[-{}-]", "new": "{{+{}+}}"}
    return ["".join(marks[run.op].format(run.text) for run in passage.runs) for passage in part.passages]


def test_the_same_version_has_no_difference() -> None:
    """Nothing is reported where nothing changed, not even a size."""
    found = compare(version(), version())
    assert not found.different
    assert (found.headers, found.parts, found.text_part, found.look, found.text_only) == ((), (), (), False, False)
    assert found.old_size == found.new_size > 0


@given(
    st.dictionaries(st.from_regex(r"[a-z]{1,8}", fullmatch=True), st.text(max_size=80), max_size=4),
    st.text(max_size=60),
)
def test_any_version_is_equal_to_itself(stories: dict[str, str], text: str) -> None:
    """Whatever is in it, markup or none."""
    stories = {slug: f"<p>{body}</p>" for slug, body in stories.items()}
    assert not compare(version(stories, text=text), version(stories, text=text)).different


@given(st.sampled_from(range(400)), st.sampled_from("abc <>/&\"'"))
def test_no_changed_byte_of_the_html_goes_unnoticed(place: int, put: str) -> None:
    """Words, links, pictures, or at least the look: a reader would get another mail, and the difference says so."""
    old = version()
    place %= len(old.html)
    new = replace(old, html=old.html[:place] + put + old.html[place + 1 :])
    assert compare(old, new).different == (old.html != new.html)


def test_a_changed_word_stands_in_its_story_and_its_paragraph() -> None:
    """Only the paragraph that changed is shown, with what did not change in it."""
    part = only(compare(version(), version({**STORIES, "tide": STORIES["tide"].replace("nine", "ten")})))
    assert (part.article, part.title, part.change, part.moved) == ("tide", "The tide was right", "changed", False)
    assert shown(part) == ["It rose at [-nine-]{+ten+} and fell at three."]
    assert part.links == part.pictures == ()


def test_words_around_the_stories_are_a_part_of_their_own() -> None:
    """Masthead, intro, titles of sections, footer."""
    part = only(compare(version(), version(frame="<h1>The Post</h1><p>Good morning</p>")))
    assert (part.article, part.title, shown(part)) == (None, "Around the stories", ["{+Good morning+}"])


def test_stories_come_and_go() -> None:
    """With their places, counted from 1, and all their words."""
    came, went = compare(
        version({"tide": STORIES["tide"], "gale": STORIES["gale"]}),
        version({"bell": STORIES["bell"], "gale": STORIES["gale"]}),
    ).parts
    assert (came.article, came.change, came.place, came.old_place) == ("bell", "added", 1, None)
    assert (went.article, went.change, went.place, went.old_place) == ("tide", "dropped", None, 1)
    assert shown(came) == ["{+A bell is found+}", "{+It rang once.+}"]
    assert [link.change for link in went.links] == ["dropped"]


def test_only_the_story_that_moved_is_called_moved() -> None:
    """The others made room; a story that is new before them moves nobody."""
    moved = compare(version(), version({slug: STORIES[slug] for slug in ("gale", "tide", "bell")})).parts
    assert [(p.article, p.moved, p.old_place, p.place) for p in moved] == [("gale", True, 3, 1)]
    added = compare(version(), version({"new": "<p>First of all</p>", **STORIES})).parts
    assert [(p.article, p.moved) for p in added] == [("new", False)]


def test_the_inbox_line_is_compared_and_merge_fields_read_as_written() -> None:
    """A changed default is a change; another number of the token is none."""
    old = version(
        headers={"Subject": "Hello nlf0001q", "Reply-To": None},
        fields=(MergeField("nlf0001q", "first_name", "reader", "subject"),),
    )
    new = version(
        headers={"Subject": "Hello nlf0007q", "Reply-To": "d@e.test"},
        fields=(MergeField("nlf0007q", "first_name", "friend", "subject"),),
    )
    subject, reply = compare(old, new).headers
    assert subject.old == 'Hello {{ subscriber.first_name | default("reader") }}'
    assert [run.text for run in subject.runs if run.op != "same"] == ["reader", "friend"]
    assert (reply.name, reply.old, reply.new) == ("Reply-To", None, "d@e.test")
    renumbered = replace(
        old, headers={"Subject": "Hello nlf0007q", "Reply-To": None}, fields=(replace(old.fields[0], token="nlf0007q"),)
    )
    assert not compare(old, renumbered).different


LINKED = (
    '<h2><a href="{0}">Tide</a></h2><a href="{0}"><img src="cid:a" alt="quay"></a><p><a href="{0}">Read</a> more</p>'
)


def test_a_story_that_leads_elsewhere_is_one_changed_link() -> None:
    """Picture, headline and button are told once, with their words."""
    old, new = (version({"tide": LINKED.format(url)}) for url in ("https://e.test/1", "https://e.test/2"))
    (link,) = only(compare(old, new)).links
    assert (link.change, link.old, link.new) == ("changed", "https://e.test/1", "https://e.test/2")
    assert link.new_texts == ("Tide", "the picture", "Read")


def test_a_headline_that_was_edited_and_leads_elsewhere_is_still_one_link() -> None:
    """Its words changed too, so nothing but its neighbours says that it is the same link."""
    old = version({"tide": LINKED.format("https://e.test/1")})
    new = version({"tide": LINKED.format("https://e.test/2").replace("Tide", "Flood")})
    (link,) = only(compare(old, new)).links
    assert (link.change, set(link.new_texts)) == ("changed", {"Flood", "the picture", "Read"})


def test_edited_words_of_a_link_are_words_and_no_changed_link() -> None:
    """Only a link that was put on other words, which stay, is a link that changed."""
    old = version({"tide": '<p><a href="https://e.test/">Read the story</a> now</p>'})
    edited = only(compare(old, version({"tide": '<p><a href="https://e.test/">Read this story</a> now</p>'})))
    assert (shown(edited), edited.links) == (["Read [-the-]{+this+} story now"], ())
    moved = only(compare(old, version({"tide": '<p>Read <a href="https://e.test/">the story now</a></p>'})))
    assert moved.passages == ()
    (link,) = moved.links
    assert (link.old, link.new, link.old_texts, link.new_texts) == (
        "https://e.test/", "https://e.test/", ("Read the story",), ("the story now",),
    )  # fmt: skip


def test_links_come_and_go() -> None:
    """Also in a paragraph that keeps its words."""
    plain, linked = (
        version({"tide": "<p>See the log</p>"}),
        version({"tide": '<p>See <a href="https://l.test">the log</a></p>'}),
    )
    assert [(li.change, li.old, li.new, li.new_texts) for li in only(compare(plain, linked)).links] == [
        ("added", None, "https://l.test", ("the log",))
    ]
    assert [(li.change, li.old, li.new) for li in only(compare(linked, plain)).links] == [
        ("dropped", "https://l.test", None)
    ]


def pictured(src: str = "cid:a", alt: str = "A quay", width: int = 600, **changes: object) -> Version:
    body = f'<p>x</p><img src="{src}" alt="{alt}" width="{width}" height="338">'
    return version({"tide": body}, **{"pictures": {src: PictureFile(src, f"hash of {src}", 10)}, **changes})


@pytest.mark.parametrize(
    ("new", "what"),
    [
        (pictured("cid:b", originals={"tide": "o"}), ("crop",)),
        (pictured("cid:b", originals={"tide": "p"}), ("picture",)),
        (pictured("cid:b"), ("picture or crop",)),
        (pictured("cid:b", "Two quays", originals={"tide": "o"}), ("crop", "alt")),
        (pictured(alt="Two quays"), ("alt",)),
        (pictured(width=320), ("size",)),
        (pictured("https://e.test/m/a", pictures={"https://e.test/m/a": PictureFile("a", "hash of cid:a", 10)}), None),
    ],
)
def test_what_became_of_a_picture(new: Version, what: tuple[str, ...] | None) -> None:
    """Another picture or crop by its bytes and its original's; the same bytes under another address are the same."""
    found = compare(pictured(originals={"tide": "o"}), new)
    assert [picture.what for part in found.parts for picture in part.pictures] == ([what] if what else [])
    assert found.different
    assert found.look == (what is None)


def test_pictures_come_and_go_and_remote_ones_are_their_address() -> None:
    """A remote picture has no bytes of ours."""
    none, remote = version({"tide": "<p>x</p>"}), pictured("https://cdn.test/1.jpg", pictures={})
    assert [p.change for p in only(compare(none, remote)).pictures] == ["added"]
    assert [p.change for p in only(compare(remote, none)).pictures] == ["dropped"]
    (changed,) = only(compare(remote, pictured("https://cdn.test/2.jpg", pictures={}))).pictures
    assert (changed.change, changed.what) == ("changed", ("picture or crop",))


def test_a_change_of_the_design_alone_is_the_look() -> None:
    """No word, no link, no picture."""
    found = compare(version(), version(frame="<h1 style='color:red'>The Post</h1>"))
    assert (found.different, found.look, found.parts) == (True, True, ())
    assert found.new_size > found.old_size


def test_a_change_of_the_text_part_alone_shows_its_lines() -> None:
    """What the HTML's words say already is not said again; blank lines alone are a change without lines."""
    found = compare(version(), version(text="other text\n"))
    assert (found.text_only, len(found.text_part)) == (True, 1)
    assert compare(version(), version(text="text\n\n")).text_only
    both = compare(version(), version({**STORIES, "bell": "<p>Gone</p>"}, text="other\n"))
    assert (both.text_only, both.text_part) == (False, ())


def test_findings_are_compared_where_both_are_known() -> None:
    """By check, story and field; a message that counts anew is no news. Findings alone are no other mail."""
    one, same, two = (
        Known("large", "warning", "81 KB"),
        Known("large", "warning", "82 KB"),
        Known("alt", "error", "x", "tide"),
    )
    found = compare(version(findings=(one,)), version(findings=(same, two)))
    assert (found.appeared, found.gone, found.different) == ((two,), (), False)
    assert compare(version(findings=(two,)), version(findings=())).gone == (two,)
    assert compare(version(), version(findings=(two,))).appeared is None


def test_a_version_without_places_is_compared_as_a_whole() -> None:
    """An old approval does not say where its stories are; its words are compared all the same."""
    part = only(
        compare(version(spans=()), version({**STORIES, "bell": "<h2>A bell is found</h2><p>It rang twice.</p>"}))
    )
    assert (part.article, shown(part)) == (None, ["It rang [-once-]{+twice+}."])


BLOCKS = st.lists(
    st.sampled_from(["It rose.", "It fell at three o'clock today.", "It fell at four o'clock today.", "x", "22", "23"]),
    max_size=12,
)


@given(BLOCKS, BLOCKS)
def test_the_passages_hold_every_word_that_changed(old: list[str], new: list[str]) -> None:
    """What the passages do not show is the same on both sides, in the same order."""
    passages = diff_paragraphs([Block(text) for text in old], [Block(text) for text in new])
    for side, blocks, other in (("old", old, "new"), ("new", new, "old")):
        rest = list(blocks)
        for passage in passages:
            text = "".join(run.text for run in passage.runs if run.op != other)
            if text:
                assert text in rest, (side, text)
                rest.remove(text)
        if side == "old":
            unchanged = sorted(rest)
        else:
            assert sorted(rest) == unchanged


def test_paragraphs_are_paired_by_the_words_they_share() -> None:
    """An edited paragraph beside a new one is recognised; a short line between its neighbours was edited."""
    old = [Block("The ferry leaves at nine from the old pier."), Block("Bring a coat.")]
    new = [
        Block("A new sentence that nobody has seen."),
        Block("The ferry leaves at ten from the old pier."),
        Block("Bring a coat."),
    ]
    assert [p.change for p in diff_paragraphs(old, new)] == ["added", "changed"]
    assert [p.change for p in diff_paragraphs([Block("22")], [Block("23")])] == ["changed"]
    unlike = diff_paragraphs(
        [Block("One two three four five six seven.")], [Block("Eight nine ten eleven twelve thirteen fourteen!")]
    )
    assert [p.change for p in unlike] == ["dropped", "added"]


def test_a_thousand_edited_lines_are_paired_in_pieces() -> None:
    """Where every line changed, each is still set against its neighbour and not against all thousand."""
    old = [Block(f"Line {n} of the long list of moorings") for n in range(1_000)]
    new = [Block(f"Line {n} of the very long list of moorings") for n in range(1_000)]
    passages = diff_paragraphs(old, new)
    assert {p.change for p in passages} == {"changed"}
    assert len(passages) == 1_000
