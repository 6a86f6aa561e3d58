"""When a story was published, by the best evidence that its page has.

What the page states for machines comes first, then the date that its header shows in an element that is made for it.
A date in the running text, or of a change, is none.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, datetime

from lxml.html import HtmlElement

from newsletter.articles.html_meta import Claim
from newsletter.articles.page_dates import same_day, stated_date, told_date
from newsletter.articles.page_evidence import Evidence, outside
from newsletter.articles.page_header import BYLINE, header_of, marks_in, zone_of

_META_DATES = (
    "article:published_time", "og:article:published_time", "article:published", "datepublished", "parsely-pub-date",
    "sailthru.date", "pubdate", "publishdate", "publish_date", "publish-date", "publication_date", "dc.date.issued",
    "dcterms.issued", "dcterms.created", "dc.date", "dc.date.created", "dcterms.date", "citation_publication_date",
    "citation_date", "cxenseparse:recs:publishtime", "bt:pubdate", "rnews:datepublished", "article.published",
    "originalpublicationdate", "date", "displaydate", "ptime",
)  # fmt: skip
_PUBLISHED = re.compile(
    r"publish|pubdate|entry-date|posted|created|dt-published|date-?time|timestamp|(?<![a-z])date", re.I
)
_CHANGED = re.compile(r"updated|modified|changed|dt-updated", re.I)


def ahead_of(evidence: Evidence, now: datetime | None = None) -> str | None:
    """A date that the page states and that lies in the future, for the editor to know."""
    far = datetime(9999, 1, 1, tzinfo=UTC)
    for value, _ in _dates(evidence):
        if stated_date(value, now) is None and (date := stated_date(value, far)):
            return date
    return None


def date_of(evidence: Evidence, now: datetime | None = None) -> Claim | None:
    """When the story was published: what the page states for machines, else the date that its header shows."""
    found = [(stated_date(value, now), source) for value, source in _dates(evidence)]
    stated = [(date, source) for date, source in found if date]
    if stated:
        first, source = stated[0]
        # The same day, told more exactly, is the better date; another day is a contradiction.
        exact = next((d for d, _ in stated if len(d) > 10 and same_day(d, first)), first)
        agree = all(same_day(first, other) for other, _ in stated)
        return Claim(exact if len(first) == 10 else first, source, agree)
    return _time_element(evidence, now) or _shown_date(evidence, now)


def _shown_date(evidence: Evidence, now: datetime | None) -> Claim | None:
    """The date that readers see in the header, in an element that is made for it; never one of the running text.

    Where several differ, or one is marked as a change, none is taken.
    """
    days: dict[str, str] = {}
    for element in header_of(evidence):
        marks = marks_in(element)
        place = element.tag == "time" or _SHOWN_DATE.search(marks) or BYLINE.search(marks)
        if not place or _CHANGED.search(marks) or element.tag in ("h1", "h2", "h3", "li") or _in_link(element):
            continue
        words = element.text_content()
        if len(words) > _LONGEST_DATE:
            words = " ".join([element.text or "", *(child.tail or "" for child in element)])
        if len(words) <= _LONGEST_DATE and (date := told_date(words, now)):
            days[date] = "time" if element.tag == "time" else "date element"
    if len(days) != 1:
        return None
    ((date, source),) = days.items()
    return Claim(date, source, confirmed=False)


def _in_link(element: HtmlElement) -> bool:
    """Whether an element is a part of a link to another story: one that says more than the date."""
    link = element if element.tag == "a" else next(element.iterancestors("a"), None)
    return link is not None and len(link.text_content().strip()) > len(element.text_content().strip()) + 8


_LONGEST_DATE = 200  # signs; a date stands with a name, a place or a section, not in a paragraph
_SHOWN_DATE = re.compile(
    r"(?i:publi(?:sh|shed|cation)|pub-?date|posted|submitted|time-?stamp|(?<![a-z])(?:entry|post|article|story)?-?(?:date|time|dateline|meta|info|details|datum|fecha)"
    r"(?![a-z]))|[a-z](?:Date|Time|Timestamp|Meta)(?![a-z])"
)


def _dates(evidence: Evidence) -> Iterator[tuple[object, str]]:
    story, meta = evidence.linked.story, evidence.meta
    for key in ("datePublished", "dateCreated", "uploadDate"):
        value = story.get(key)
        yield (value[0] if isinstance(value, list) and value else value), f"JSON-LD {key}"
    for name in _META_DATES:
        yield meta.get(name), f"meta {name}"
    for element in evidence.page.iter():
        if "datePublished" in (element.get("itemprop") or "").split() and not outside(element, linked=True):
            value = element.get("datetime") or element.get("content") or element.get("title")
            yield value or " ".join(element.text_content().split()), "itemprop datePublished"
            break


_TIME_VALUES = ("datetime", "content", "data-published", "data-datetime", "data-date", "data-timestamp", "data-time")


def _time_element(evidence: Evidence, now: datetime | None) -> Claim | None:
    """A ``time`` that is the story's: marked as its publication, or the only one around the headline."""
    zone = zone_of(evidence)
    marked: list[str] = []
    plain: list[str] = []
    shown = [element for element in header_of(evidence) if element.tag in ("time", "abbr", "span")]
    header = set(shown)
    others = [] if zone is None else list(zone.iter("time", "abbr", "span"))
    for element in shown + [e for e in others if e not in header]:
        marks = marks_in(element)
        places = _TIME_VALUES if element.tag == "time" else ("title",) if "published" in marks else ()
        value = next((told for name in places if (told := (element.get(name) or "").strip())), "")
        date = stated_date(value, now)
        if date is None or (_in_link(element) if element in header else outside(element, linked=True)):
            continue
        told = f"{marks} {element.get('itemprop') or ''} {marks_in(element.getparent())}"
        if element.get("pubdate") is not None or (_PUBLISHED.search(told) and not _CHANGED.search(marks)):
            marked.append(date)
        elif not _CHANGED.search(told):
            plain.append(date)
    for dates in (marked, plain):
        if dates and all(same_day(dates[0], other) for other in dates):
            return Claim(dates[0], "time datetime")
    if marked and evidence.headings:
        return Claim(marked[0], "time datetime", confirmed=False)
    return None
