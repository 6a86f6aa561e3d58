"""The front matter of ``issue.md``: the file's keys on one side, the frozen ``Issue`` on the other."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import date as Date
from pathlib import Path
from types import MappingProxyType

import msgspec

from newsletter.articles.schema import is_iso_date
from newsletter.errors import FrontMatterError, did_you_mean
from newsletter.models import LAYOUTS, Article, Issue, Layout, Section, Waiver
from newsletter.workspace.frontmatter import Document, typed
from newsletter.workspace.settings import SeverityName
from newsletter.workspace.values import LANGUAGE


class _WaiverKeys(msgspec.Struct, kw_only=True):
    id: str
    reason: str = ""


class SectionKeys(msgspec.Struct, kw_only=True):
    """The keys of one section: articles (a single one may stand without brackets), or the name of a sponsor."""

    layout: Layout
    title: str | None = None
    articles: str | list[str] = []
    sponsor: str | None = None

    @property
    def slugs(self) -> list[str]:
        """The slugs of its articles, in order; a sponsor is one."""
        if self.sponsor is not None:
            return [self.sponsor]
        return [self.articles] if isinstance(self.articles, str) else self.articles


class IssueKeys(msgspec.Struct, kw_only=True):
    """The keys of ``issue.md`` that mean something to us. Unknown keys are the newsroom's own."""

    date: str
    subject: str | None = None
    preheader: str | None = None
    number: str | None = None
    theme: str | None = None
    lang: str | None = None
    correction: str | None = None
    sections: list[SectionKeys] = []
    waive: list[_WaiverKeys] = []
    checks: dict[str, SeverityName] = {}
    corrects: str | None = None


def issue_keys(doc: Document) -> IssueKeys:
    """What ``issue.md`` says, article slugs still as words. Raises ``FrontMatterError`` with file, line and fix.

    An unknown key is kept in the file, unless it looks like a slip of the pen for a known one.
    """
    _refuse_slips(doc)
    keys = typed(doc, IssueKeys)
    if parse_date(keys.date) is None:
        raise FrontMatterError(f"date: {keys.date!r} is no date", where=doc.where("date"), fix="write it as 2026-11-27")
    if keys.lang is not None and not LANGUAGE.fullmatch(keys.lang):
        fix = "write a language tag such as en-GB, ur or hi"
        raise FrontMatterError(f"lang: {keys.lang!r} is no language tag", where=doc.where("lang"), fix=fix)
    _refuse_mixed_sponsors(doc, keys)
    return keys


def _refuse_mixed_sponsors(doc: Document, keys: IssueKeys) -> None:
    """A sponsor stands alone in a sponsor section, and once: what is paid for must not be taken for a story."""
    for index, section in enumerate(keys.sections):
        if section.sponsor is None:
            continue
        where = doc.where("sections", index, "sponsor")
        if section.layout != "sponsor":
            raise FrontMatterError(
                f"a sponsor cannot stand in the layout {section.layout}", where=where, fix="write layout: sponsor"
            )
        if section.articles:
            raise FrontMatterError(
                "a section has either a sponsor or articles", where=where, fix="give the sponsor a section of its own"
            )
        if sum(section.sponsor in other.slugs for other in keys.sections) > 1:
            raise FrontMatterError(
                f"{section.sponsor!r} stands in the issue twice", where=where, fix="take one out, or rename the story"
            )


def parse_date(text: str) -> Date | None:
    """A day written as ``2026-11-27``, or None."""
    return Date.fromisoformat(text) if re.fullmatch(r"\d{4}-\d\d-\d\d", text) and is_iso_date(text) else None


def issue_from_document(
    doc: Document, slug: str, articles: Mapping[str, Article], *, path: Path | None = None, sha256: str = ""
) -> Issue:
    """The issue that ``issue.md`` describes; ``articles`` holds every article that it names.

    Raises ``FrontMatterError``; ``KeyError`` for an article that was not given.
    """
    keys = issue_keys(doc)
    date = parse_date(keys.date)
    assert date is not None
    return Issue(
        slug=slug,
        date=date,
        sections=tuple(
            Section(layout=s.layout, articles=tuple(articles[name] for name in s.slugs), title=_one_line(s.title))
            for s in keys.sections
        ),
        subject=_one_line(keys.subject),
        preheader=_one_line(keys.preheader),
        number=_one_line(keys.number),
        theme=keys.theme,
        lang=keys.lang,
        correction=_one_line(keys.correction),
        intro=doc.body,
        waive=tuple(Waiver(waiver.id, waiver.reason) for waiver in keys.waive),
        checks=MappingProxyType(keys.checks),
        path=path,
        sha256=sha256,
        corrects=_one_line(keys.corrects),
    )


def article_line(doc: Document, slug: str) -> str:
    """``file:line`` of the first place where the issue names the article."""
    for index, section in enumerate(issue_keys(doc).sections):
        if slug in section.slugs:
            return doc.where("sections", index, "articles", section.slugs.index(slug))
    return doc.where("sections")


def _one_line(text: str | None) -> str | None:
    return " ".join(text.split()) or None if text is not None else None


def _refuse_slips(doc: Document) -> None:
    _refuse_slip(doc, (), IssueKeys)
    sections = doc.data.get("sections")
    for index, section in enumerate(sections if isinstance(sections, list) else []):
        if isinstance(section, dict):
            _refuse_slip(doc, ("sections", index), SectionKeys)
            layout = section.get("layout")
            if layout not in LAYOUTS:
                wrong = "the layout is missing" if layout is None else f"layout: {layout!r} is no layout"
                where = doc.where("sections", index, "layout")
                hint = did_you_mean(layout, LAYOUTS) if isinstance(layout, str) else None
                choices = f"the layouts are {', '.join(LAYOUTS)}"
                raise FrontMatterError(wrong, where=where, fix=f"{hint} {choices}" if hint else choices)


def _refuse_slip(doc: Document, path: tuple[str | int, ...], cls: type[msgspec.Struct]) -> None:
    known = cls.__struct_encode_fields__
    table = doc.get(*path) if path else doc.data
    for key in table:
        hint = did_you_mean(key, [name for name in known if name not in table]) if key not in known else None
        if hint:
            raise FrontMatterError(f"unknown key {key!r}", where=doc.where(*path, key), fix=hint)
