"""The inbox is searched as editors type, in their scripts, and its index says what the stories say."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import text

from newsletter.articles import derived, inbox
from newsletter.articles.derived import bring_up_to_date, rebuild
from newsletter.articles.inbox import Added, add_story, set_body, set_field, set_state
from newsletter.articles.listing import Filters, counts, names, page
from newsletter.articles.searching import folded, terms_of
from newsletter.errors import NotFound
from newsletter.store import search
from newsletter.store.clock import from_us
from newsletter.store.engine import Store
from newsletter.store.tables import article as rows
from newsletter.workspace.paths import Workspace

from .conftest import read

Add = Callable[..., Added]

STORY = "---\nheadline: {headline}\n{more}---\n{body}\n"


@pytest.fixture
def add(store: Store, ws: Workspace, config: Callable[..., Any]) -> Add:
    """Add a Markdown story."""

    def go(headline: str, body: str = "Nothing else happened.", more: str = "", **keys: Any) -> Added:
        story = read(STORY.format(headline=headline, body=body, more=more), "a.md")
        return add_story(store, ws, config(fetch=False), story, **keys)

    return go


def found(store: Store, words: str, **filters: Any) -> list[str]:
    """The headlines that a search finds."""
    return [line.headline for line in page(store, Filters(words=words, **filters)).lines]


WORLD = {
    "Ferries réunies au café": ("FERRIES reunies", "cafe", "caf", "réun"),
    "Straße nach Köln gesperrt": ("strasse", "STRASSE koln", "köln"),
    "İzmir limanı açıldı": ("izmir", "IZMIR acildi"),
    "کراچی میں نئی کتاب": ("کتاب", "كتاب", "کِتاب", "نئ", "كراچي"),
    "मुंबई में नई रेलगाड़ी": ("मुंबई", "रेलगाड़ी", "रेल", "नई मुंबई"),
    "中国经济新闻：港口重新开放": ("经济", "新闻", "港口 中国", "开放"),
    "東京の新しいフェリー": ("フェリ", "東京", "新しい"),
    "เรือข้ามฟากกลับมาแล้ว": ("ข้ามฟาก", "เรือ"),
    "한국어 뉴스를 읽다": ("뉴스", "한국"),
    "The harbour’s night-train isn't late": ("harbours", "night train", "night-tr", "isnt", "“night train”", "isn’t"),
}


def test_editors_find_stories_in_their_own_scripts(store: Store, add: Add) -> None:
    """Accents, case, keyboards and joined words make no difference; each search finds its story and no other."""
    for headline in WORLD:
        add(f'"{headline}"')
    for headline, searches in WORLD.items():
        for words in searches:
            assert found(store, words) == [headline], words


def test_what_is_not_there_is_not_found(store: Store, add: Add) -> None:
    """Not in the middle of a word, not in another order in quotes, not letters from here and there."""
    add("The night train is late")
    add('"中国经济"')
    for words in ("rain", '"train night"', "ain", "trains", "国济", "济经", "ferry train", "经济 train"):
        assert found(store, words) == [], words
    assert found(store, "train night") == ["The night train is late"]


def test_every_field_that_an_editor_reads_is_searched(store: Store, add: Add) -> None:
    """Kicker, standfirst, byline, agency, tags and the words of the body; Markdown marks and addresses are none."""
    more = "kicker: Transport\nstandfirst: A vote.\nbyline: Ada Reyes\nagency: PTI\ntags: [Quayside]\n"
    add("Pier opens", "It **re**opened on [Monday](https://estuary.example/hidden).", more)
    for words in ("transp", "vote", "reyes", "pti", "quays", "monday", "reopened"):
        assert found(store, words) == ["Pier opens"], words
    assert found(store, "hidden") == []


@pytest.mark.parametrize(
    "typed",
    [
        '"',
        '""',
        "* ",
        "NEAR(",
        "a AND",
        "OR",
        "NOT x",
        "headline:",
        "-",
        "(",
        "^a",
        "\0",
        "\ud800",
        "'; --",
        "{a b}",
        "+",
        "“",
        "x" * 5000,
    ],
)
def test_what_an_editor_types_never_raises(store: Store, add: Add, typed: str) -> None:
    """Quotes, operators, half a pair of brackets."""
    add("Pier opens")
    found(store, typed)


@settings(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(typed=st.text(max_size=60), more=st.sampled_from(["", '"', " AND ", "*", "^", " NEAR(", "新", "\ufffd"]))
def test_no_text_whatever_raises_and_a_story_finds_itself(store: Store, typed: str, more: str) -> None:
    """Any text can be searched for; the terms are what the index itself takes for words."""
    terms = terms_of(typed + more)
    with store.read() as conn:
        conn.execute(search.containing(rows.select(), terms)).all()
    assert folded(folded(typed)) == folded(typed)


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    words=st.lists(
        st.text(st.characters(categories=["Lu", "Ll", "Lo", "Mn", "Nd"]), min_size=2, max_size=8),
        min_size=1,
        max_size=4,
    )
)
def test_a_story_is_found_by_its_own_words(store: Store, words: list[str]) -> None:
    """In any script that Python and SQLite both know: what was indexed answers to the same words."""
    typed = " ".join(words)
    terms = terms_of(typed)
    with store.write() as conn:
        conn.execute(text("delete from article"))
        conn.execute(
            rows.insert().values(id=1, slug="a", headline="a", document="", content_key="k", title_key="t", added_at=0)
        )
        search.put(conn, 1, search.Words(folded(typed), "", "", ""))
        ascii_or_known = all(ord(c) < 0x1000 for c in typed)
        hits = conn.execute(search.containing(rows.select(), terms)).all()
        conn.execute(text("delete from article"))
    assert hits or not ascii_or_known or not terms


def test_a_term_with_a_quotation_mark_cannot_leave_its_quotes(store: Store, add: Add) -> None:
    """Whoever makes terms: what stands in them is words, never a query of the index."""
    add("Pier opens")
    term = search.Term(('pier" OR "quay',))
    with store.read() as conn:
        assert conn.execute(search.containing(rows.select(), [term])).all() == []


def test_filters_narrow_and_wrong_names_are_said(store: Store, add: Add) -> None:
    """Source, section, state, time and used slugs; upper and lower case make no difference."""
    first = add("One", "First.", "section: Sport\nlink: https://www.harbour.example/1\n").slug
    add("Two", "Second.", "section: sport\n", source="The Wire")
    add("Three", "Third.", "section: Culture\n", source="The Wire")
    assert found(store, "", section="SPORT") == ["Two", "One"]
    assert found(store, "", source="the wire") == ["Three", "Two"]
    assert found(store, "", source="harbour.example") == ["One"]
    assert found(store, "first", section="sport", source="harbour.example") == ["One"]
    assert found(store, "", among={first, "gone"}) == ["One"]
    assert found(store, "", without=[first]) == ["Three", "Two"]
    assert found(store, "", among=()) == []
    assert names(store) == (["The Wire", "harbour.example"], ["Culture", "Sport", "sport"])
    now = datetime.now(UTC)
    assert found(store, "", since=now - timedelta(hours=1)) == ["Three", "Two", "One"]
    assert found(store, "", since=now + timedelta(hours=1)) == []
    with pytest.raises(NotFound, match='did you mean "Culture"'):
        found(store, "", section="Cultur")
    with pytest.raises(NotFound, match=r"harbour\.example"):
        found(store, "", source="zzz")


def test_states_are_set_for_several_or_for_none(store: Store, add: Add) -> None:
    """later and dismissed leave the list; an unknown slug among several changes nothing; back is back."""
    one, two = add("One", "First.").slug, add("Two", "Second.").slug
    with pytest.raises(NotFound):
        set_state(store, [one, "zzz"], "dismissed")
    assert found(store, "") == ["Two", "One"]
    assert set_state(store, [one, two, one], "later") == [one, two]
    assert found(store, "") == []
    assert found(store, "", states=("later",)) == ["Two", "One"]
    set_state(store, [two], "dismissed")
    assert counts(store) == {"new": 0, "later": 1, "dismissed": 1}
    assert set_state(store, [one, two], "new") == [one, two]
    assert set_state(store, [one], "new") == []
    assert found(store, "") == ["Two", "One"]


def test_pages_follow_each_other_without_a_gap(store: Store, add: Add) -> None:
    """Each story once, searched or not."""
    for number in range(7):
        add(f"Pier {number} opens", f"Text {number}.")
    for words in ("", "pier"):
        seen: list[str] = []
        before = None
        while True:
            got = page(store, Filters(words=words, limit=3, before=before))
            seen += [line.headline for line in got.lines]
            before = got.next
            if before is None:
                break
        assert seen == [f"Pier {n} opens" for n in range(6, -1, -1)]


def test_the_row_says_what_the_document_says(store: Store, add: Add) -> None:
    """Derived at the first save and at every later one."""
    more = "section: Sport\nlang: UR\npublished: 2026-11-20T07:00:00+01:00\npriority: 2\ntags: [Top, Quay]\n"
    slug = add("One", "First sentence. " * 300, more).slug
    (line,) = page(store, Filters()).lines
    assert (line.section, line.lang, line.priority, line.tags) == ("Sport", "ur", 2, ("top", "quay"))
    assert line.published == line.moment == datetime(2026, 11, 20, 6, tzinfo=UTC)
    assert (line.minutes, line.teaser[:15]) == (3, "First sentence.")
    set_field(store, slug, {"section": "", "published": "", "standfirst": "A new one.", "tags": ""})
    (line,) = page(store, Filters()).lines
    assert (line.section, line.published, line.teaser, line.tags) == (None, None, "A new one.", ())
    assert line.moment == line.added_at


def test_the_index_follows_every_change(store: Store, add: Add) -> None:
    """Old words are gone and new ones are there in the same transaction."""
    slug = add("Pier opens", "It opened on Monday.").slug
    set_field(store, slug, {"headline": "Quay closes"})
    set_body(store, slug, "It shut on Tuesday.\n")
    with store.read() as conn:
        assert search.missing(conn) == 0
    assert (found(store, "pier"), found(store, "monday")) == ([], [])
    assert found(store, "quay tuesday") == ["Quay closes"]
    set_state(store, [slug], "later")
    assert found(store, "quay", states=("later",)) == ["Quay closes"]


def test_a_change_by_hand_is_noticed_and_mended(store: Store, add: Add) -> None:
    """Whatever was written past our code, the next look finds the stories as they are."""
    slugs = [add(f"Pier {n}", f"Text {n}.").slug for n in range(3)]
    with store.write() as conn:
        conn.execute(text("update article set document = replace(document, 'Text 1', 'Grain') where slug = 'pier-1'"))
        conn.execute(text("delete from article_version where article_id = 3"))
        conn.execute(text("delete from article where slug = 'pier-2'"))
        assert search.missing(conn) == 1
    assert found(store, "grain") == ["Pier 1"]
    assert found(store, "pier") == ["Pier 1", "Pier 0"]
    assert bring_up_to_date(store) == 0
    assert inbox.get(store, slugs[1]).article.body == "Grain.\n"


def test_an_index_that_knows_strangers_is_made_anew(store: Store, add: Add) -> None:
    """More rows than stories: nothing in it is believed."""
    add("Pier opens")
    with store.write() as conn:
        search.put(conn, 99, search.Words("ghost", "", "", ""))
    assert found(store, "ghost") == []
    assert found(store, "pier") == ["Pier opens"]
    assert rebuild(store) == 1


def test_a_document_that_cannot_be_read_stops_nothing(store: Store, add: Add) -> None:
    """It is listed by its row, and the others are found."""
    add("Pier opens")
    add("Quay closes", "Shut.")
    with store.write() as conn:
        conn.execute(text("update article set document = 'no front matter' where slug = 'pier-opens'"))
    assert found(store, "") == ["Quay closes", "Pier opens"]
    assert found(store, "quay") == ["Quay closes"]


def test_the_guid_is_noted_and_look_alikes_say_where_they_are(store: Store, add: Add) -> None:
    """Each look-alike once, with its state; nothing is blocked."""
    one = add("Pier opens", "One.", "origin: {guid: tag-7}\n").slug
    set_state(store, [one], "later")
    two = add("Quay news", "Two.", "origin: {guid: tag-7}\n")
    assert two.notes == [f"another story has the same GUID: {one} (saved for later)"]
    three = add("Pier opens", "Three.", "origin: {guid: tag-7}\n", elsewhere=lambda article: [f"seen {article.slug}"])
    assert three.notes == [
        f"another story has the same headline: {one} (saved for later)",
        f"another story has the same GUID: {two.slug} (in the inbox)",
        "seen pier-opens-2",
    ]


def test_an_inbox_from_before_is_filled_from_its_documents(
    store: Store, add: Add, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Columns, index and what was imported, in several steps; a story that was edited has no known import."""
    monkeypatch.setattr(derived, "BATCH", 2)
    for number in range(5):
        add(f"Pier {number}", f"Text {number}.", "section: Sport\nlink: https://pier.example/x\n")
    set_field(store, "pier-4", {"kicker": "Harbour"})
    set_body(store, "pier-3", "Rewritten.\n")
    with store.write() as conn:
        conn.execute(text("delete from article_version"))
        conn.execute(text("update article set section = null, source = null, teaser = '', minutes = 1"))
        conn.execute(text("delete from article_search"))
    assert bring_up_to_date(store) == 5
    assert len(found(store, "pier", section="sport", source="pier.example")) == 5
    with store.read() as conn:
        known = conn.execute(text("select article_id, seen_at from article_version order by article_id")).all()
        added = conn.execute(text("select added_at from article where id = 1")).scalar_one()
    assert [row.article_id for row in known] == [1, 2, 3]
    assert from_us(known[0].seen_at) == from_us(added)


def test_a_database_of_the_version_before_becomes_one_with_a_filled_inbox(
    ws: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Rows of 0003 keep every byte, get their columns from their documents, and are found; nothing else is touched."""
    from alembic import command

    from newsletter.articles.keys import content_key
    from newsletter.store import migrate
    from newsletter.store.engine import make_engine, open_store

    article = read(
        STORY.format(headline="Pier opens", more="section: Sport\norigin: {guid: tag-1}\n", body="Now."), "a.md"
    )
    document = "---\nheadline: Pier opens\nsection: Sport\norigin: {guid: tag-1}\n---\nNow.\n"
    engine = make_engine(ws.database)
    with engine.connect() as connection, connection.begin():
        config = migrate._config()
        config.attributes["connection"] = connection
        command.upgrade(config, "0003")
        insert = text(
            "insert into article (id, slug, headline, document, content_key, title_key, state, added_at) "
            "values (:id, :slug, 'Pier opens', :document, :key, 'pier opens', :state, :id)"
        )
        for number, state in ((7, "new"), (9, "dismissed")):
            key = content_key(article.article) if number == 7 else "other"
            values = {"id": number, "slug": f"pier-{number}", "document": document, "key": key, "state": state}
            connection.execute(insert, values)
    engine.dispose()
    with open_store(ws.database) as store:
        (line,) = page(store, Filters(words="pier now", section="sport")).lines
        assert (line.id, line.slug, line.section, line.keys[2], line.added_at) == (
            7,
            "pier-7",
            "Sport",
            "tag-1",
            from_us(7),
        )
        assert inbox.get(store, "pier-9").state == "dismissed"
        with store.read() as conn:
            assert conn.execute(text("select document from article")).scalars().all() == [document] * 2
            assert conn.execute(text("select article_id, document from article_version")).all() == [(7, document)]


def test_the_index_can_be_made_anew_when_it_lost_its_words(store: Store, add: Add) -> None:
    """It counts every story and finds none; made anew it does."""
    add("Pier opens")
    with store.write() as conn:
        conn.execute(text("update article_search_data set block = zeroblob(3) where id = 10"))
    store.engine.dispose()  # a connection remembers what it has read
    assert found(store, "pier") == []
    assert rebuild(store) == 1
    assert found(store, "pier") == ["Pier opens"]
