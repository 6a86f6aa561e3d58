"""The fields that a page states and nothing shows: section, tags, language."""

from __future__ import annotations

import re
from collections.abc import Iterable

from newsletter.articles.html_meta import Claim, words_of
from newsletter.articles.page_evidence import Evidence
from newsletter.workspace.values import LANGUAGE


def section_of(evidence: Evidence) -> Claim | None:
    """The section: meta, JSON-LD."""
    linked, meta = evidence.linked, evidence.meta
    found = [(meta.get(name), f"meta {name}") for name in ("article:section", "parsely-section", "og:article:section")]
    nothing = {"undefined", "null", "none", "n/a", "article", "articles", "uncategorized", "uncategorised"}
    nothing |= {site.casefold() for site in evidence.sites}
    found.insert(1, (next(iter(linked.texts(linked.story.get("articleSection"))), None), "JSON-LD articleSection"))
    for value, source in found:
        words = words_of(value)
        if words and len(words) <= 60 and words.casefold() not in nothing:
            return Claim(words, source)
    return None


def tags_of(evidence: Evidence) -> tuple[str, ...]:
    """At most twenty tags: of the first place that has any."""
    linked, meta = evidence.linked, evidence.meta
    places: Iterable[list[str]] = (
        meta.all("article:tag"),
        linked.texts(linked.story.get("keywords")),
        [meta.get("news_keywords") or ""],
        [meta.get("parsely-tags") or ""],
        [meta.get("sailthru.tags") or ""],
    )
    for place in places:
        words = [w for text in place for part in text.split(",") if (w := words_of(part)) and len(w) <= 60]
        if words:
            return tuple(dict.fromkeys(words))[:20]
    return ()


_SCRIPTS = {
    "ar fa ur ps sd ckb ug yi": re.compile(r"[\u0600-\u06ff\u0590-\u05ff]"),
    "hi mr ne sa": re.compile(r"[\u0900-\u097f]"),
    "gu": re.compile(r"[\u0a80-\u0aff]"),
    "zh yue ja ko": re.compile(r"[\u3040-\u30ff\u4e00-\u9fff\uac00-\ud7af]"),
}


def language_of(evidence: Evidence, text: str) -> Claim | None:
    """The language that the page states, unless its letters say that it cannot be."""
    story, meta = evidence.linked.story, evidence.meta
    for value, source in (
        (evidence.page.get("lang") or evidence.page.get("{http://www.w3.org/XML/1998/namespace}lang"), "html lang"),
        (next(iter(evidence.linked.texts(story.get("inLanguage"))), None), "JSON-LD inLanguage"),
        (meta.get("og:locale"), "og:locale"),
        (meta.get("content-language"), "meta content-language"),
    ):
        code = (value or "").strip().split(",")[0].replace("_", "-")
        if code and LANGUAGE.fullmatch(code) and _can_be(code, text):
            return Claim(code, source)
    return None


def _can_be(code: str, text: str) -> bool:
    letters = re.sub(r"[\W\d_]+", "", text[:3000])
    for codes, script in _SCRIPTS.items():
        if len(letters) > 40 and len(script.findall(letters)) > 0.6 * len(letters):
            return code.split("-")[0].lower() in codes.split()
    return True
