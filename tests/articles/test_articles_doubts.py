"""What a page of the inbox says besides its stories: look-alikes and changes, each found through an index."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from sqlalchemy import event

from newsletter.articles import inbox, versions
from newsletter.articles.inbox import add_story, set_state
from newsletter.articles.listing import Filters, look_alikes, page
from newsletter.articles.story import Story
from newsletter.store.engine import Store
from newsletter.workspace.paths import Workspace

from .conftest import read


@contextmanager
def statements(store: Store) -> Iterator[list[tuple[str, Any]]]:
    """Every statement that is executed meanwhile, with its parameters."""
    heard: list[tuple[str, Any]] = []
    with store.read() as conn:
        engine = conn.engine

    def hear(_: Any, __: Any, statement: str, parameters: Any, *___: Any) -> None:
        heard.append((statement, parameters))

    event.listen(engine, "before_cursor_execute", hear)
    yield heard
    event.remove(engine, "before_cursor_execute", hear)


def test_look_alikes_name_what_is_the_same_and_where_the_other_is(store: Store, ws: Workspace, config: Any) -> None:
    for number, words in enumerate(("One.", "Two.", "Three.")):
        add_story(store, ws, config(), read(f"# The pier{' is new' * (number == 2)}\n\n{words}"))
    set_state(store, ["the-pier"], "dismissed")
    lines = page(store, Filters(states=("new", "dismissed"))).lines
    assert look_alikes(store, lines) == {
        "the-pier": [("headline", "the-pier-2", "new")],
        "the-pier-2": [("headline", "the-pier", "dismissed")],
    }
    assert look_alikes(store, []) == {}


def test_only_what_the_source_has_changed_is_named(store: Store, ws: Workspace, config: Any) -> None:
    for words in ("# The pier\n\nOne.", "# The quay\n\nTwo."):
        add_story(store, ws, config(), read(words))
    mine = inbox.get(store, "the-pier").article
    assert versions.record(store, "the-pier", Story(dataclasses.replace(mine, teaser="New.", body="More.\n")))
    inbox.set_field(store, "the-quay", {"teaser": "The editor's."})
    ids = [line.id for line in page(store, Filters()).lines]
    assert versions.changed_waiting(store, ids) == {"the-pier": ("teaser", "body")}
    inbox.set_field(store, "the-pier", {"teaser": "New."})
    assert versions.changed_waiting(store, ids) == {"the-pier": ("body",)}
    assert versions.changed_waiting(store, []) == {}


def test_no_question_of_a_page_reads_the_whole_inbox(store: Store, ws: Workspace, config: Any) -> None:
    """Every plan goes through an index: a page costs the same whether there are ten stories or a hundred thousand."""
    for number in range(3):
        add_story(store, ws, config(), read(f"# Pier {number}\n\nWords."))
    everything = page(store, Filters()).lines
    with statements(store) as heard:
        page(store, Filters(words="pier", states=("new",)))
        page(store, Filters(states=("later",)))
        look_alikes(store, everything)
        versions.changed_waiting(store, [line.id for line in everything])
    asked = [(said, given) for said, given in heard if said.lstrip().startswith("SELECT") and "count(*)" not in said]
    assert len(asked) >= 6
    with store.read() as conn:
        for said, given in asked:
            for step in conn.exec_driver_sql(f"EXPLAIN QUERY PLAN {said}", given):
                assert not step.detail.startswith(("SCAN article ", "SCAN source_item", "SCAN article_version")) and (
                    step.detail != "SCAN article"
                ), (said, step.detail)
