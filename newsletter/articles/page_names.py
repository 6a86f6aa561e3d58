"""Who wrote a story, as structured data and byline elements say it, cleaned to names.

A byline is only ever what a page states. What is no person's name (a desk, the site itself, a role, an address) is
dropped: no byline is better than a wrong one.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable
from dataclasses import dataclass

from newsletter.articles.page_dates import told_date
from newsletter.articles.shape import AGENCIES, title_key

_BY = re.compile(
    r"^(?:(?:written|words|text|story|report(?:ed)?|reporting|analysis|opinion|posted|published|article|interview)\s+)?"
    r"by\b\s*:?\s*|^(?:author|autor(?:in|a)?|auteur|autore|автор|texte?|foto|words)\s*[:：]\s*"
    r"|^(?:文|撰文|作者|記者|记者|執筆|取材)\s*[:/：／]\s*|^(?:بقلم|تحریر|كتب|نوشته)\s*:?\s*",
    re.I,
)
_BY_ABROAD = re.compile(r"^(?:[Vv]on|VON|[Pp]ar|PAR|[Pp]or|POR|[Dd]oor|[Aa]v|[Aa]f)\s+(?=[^\W\d_a-zß-ÿ]\S*\s+\S)")
"""“Von Jonas Feld” is a byline, “Von Trapp” a name: what follows has two words at least, the first with a capital."""

_AFTER = re.compile(
    r"\s*(?:[|•·]|\s[–—-]\s|\b(?:last\s+|first\s+)?(?:updated|published|modified|posted|aktualisiert|stand)\b).*$",
    re.I | re.S,
)
_DATED = re.compile(r"[\s,]*\b(?:\d{1,2}[./ ]|[A-Z][a-z]{2,8}\.? \d{1,2},|\d{4}-\d\d).*$", re.S)
_BETWEEN = re.compile(r"\s*(?:[,;&、，؛،／]|\s/\s|\s\+\s|\b(?:with|mit|avec|con)\b|\sاور\s|\sऔर\s|\sઅને\s)\s*")
_AND_BETWEEN = re.compile(r"\s+(?:and|und|et|y|e|en|og|och)\s+|^(?:and|und|et|y|og|och)\s+", re.I)
_PLACE = re.compile(
    r"\s+(?:for|of|at|in|from|für|aus|pour|à|para|en|/)\s+\S.*$|\s*[(\[].*$|\s+@\w+.*$|\s*\S+@\S+\.\S+.*$"
)
_ADDRESS = re.compile(r"https?:|www\.|\S@\S|\.(?:com|org|net|co|de|fr|in|pk|uk)\b", re.I)
_ROLES = frozenset(
    """editor editors reporter reporters correspondent correspondents writer writers columnist contributor contributors
    journalist producer photographer chief bureau senior staff deputy assistant managing executive guest freelance
    special political science sports health business culture education environment technology foreign diplomatic
    investigations opinion features news desk team newsroom editorial board agencies agency service services admin
    administrator webmaster author authors anonymous unknown user moderator web online digital content media press
    release redaktion redakteur redakteurin korrespondent korrespondentin rédaction redaction redacción redaccion
    redazione redação our own by the null none undefined import system root wordpress test magazine intern syndicated
    wire feed profile view all posts see more follow email twitter facebook contact biography about share advertorial
    sponsored partner publisher source from""".split()  # noqa: SIM905 - words, not code
)
_ORGANISATION = frozenset(
    """desk team bureau newsroom redaktion rédaction redacción redazione agencies service services gazette times herald
    tribune magazine media network radio television tv news online press post daily weekly journal observer committee
    wire     department ministry university institute foundation company group ltd inc gmbh llc webdesk staff editorial
    """.split()  # noqa: SIM905 - words, not code
)
_NOT_FIRST = frozenset({"the", "our", "view", "ediciones", "editions", "éditions", "verlag", "publicado", "posted"})
_JOBS = frozenset({"correspondent", "editor", "reporter", "writer", "columnist", "contributor", "korrespondent"})
"""What "Senior Washington Correspondent" ends with, and no person's name of three words."""

_PARTICLES = frozenset(
    "de da do das dos del della di du van von der den ter la le el al bin ibn bint y e af av zu".split()  # noqa: SIM905 - words
)
_INITIALS = frozenset(
    """AAP AFP AGI AKI ANI ANP ANSA AP APA APP ATS BBC BTA CNA CNN CP CTK DPA EFE EPD IANS INP KNA MTI NNI NTB PA PAP
    PTI     RTE SID SDA TASS TT UNI UPI VOA WAM XINHUA""".split()  # noqa: SIM905 - words, not code
)
"""Agencies, and broadcasters that others copy from, by their initials."""

_COMPANY = re.compile(r"\b(?:GmbH|gmbh|Ltd|LTD|Inc|INC|LLC|Corp|Limited|Pvt|PLC|plc|AG)\b")
_AND = {"en": " and ", "de": " und ", "fr": " et ", "es": " y ", "it": " e ", "pt": " e ", "nl": " en "}
_MOST = 12  # people in one byline


@dataclass(frozen=True, slots=True)
class People:
    """The names of a byline in their order, and an agency where one stands among them."""

    names: tuple[str, ...] = ()
    agency: str | None = None

    def byline(self, lang: str = "en") -> str:
        """“A”, “A and B”, “A, B and C” in the story's language; commas alone in one that we do not know."""
        *first, last = self.names or ("",)
        glue = _AND.get(lang[:2].lower(), ", ")
        return f"{', '.join(first)}{glue}{last}" if first else last


def people(texts: Iterable[str], *, sites: Collection[str] = (), strict: bool = False) -> People:
    """The people whom some texts name. ``sites`` are names of the publication, which writes nothing itself.

    With ``strict`` (an element on the page, not structured data) a name in Latin letters has at least two words.
    """
    known = {title_key(site) for site in sites}
    names: dict[str, str] = {}
    agency = None
    for text in texts:
        parts = list(_parts(text))
        if "," in text and any(" " in part for part in parts):
            # "Ada Lovelace, London": what stands alone beside a whole name is a place or a rank.
            parts = [part for part in parts if " " in part or not part.isascii() or _agency(part)]
        for part in parts:
            if found := _agency(part):
                agency = agency or found
            elif not _is_site(part, known) and _is_person(part, strict):
                names.setdefault(title_key(part), part)
    return People(tuple(list(names.values())[:_MOST]), agency)


def _parts(text: str) -> Iterable[str]:
    text = " ".join(text.split())[:400]
    if re.search(r"https?:|www\.", text, re.I) or _COMPANY.search(text):
        return
    before, _, behind = text.partition(" by ")
    if behind and told_date(before):
        text = behind  # "18 November 2026 by Ada Reyes"
    text = _AFTER.sub("", _BY.sub("", text, count=1))
    text = _BY_ABROAD.sub("", text)
    text = _DATED.sub("", text)
    for part in (piece for chunk in _BETWEEN.split(text) for piece in _people_in(chunk)):
        part = _BY.sub("", part.strip(" .,:;–—-|/"), count=1)
        shorter = _PLACE.sub("", part)
        part = (shorter if len(shorter.split()) >= 2 or "@" in part or "(" in part else part).strip(" .,:;–—-|/")
        if part:
            yield part


def _people_in(chunk: str) -> list[str]:
    """ "Ada Reyes and Noor Haddad" is two; "Justice et faits divers" is none: what follows is no name."""
    first, *others = _AND_BETWEEN.split(chunk)
    for other in others:
        words = other.split()
        known = all(word.strip(".").casefold() in _ROLES for word in words) or _agency(other)
        if words and words[0][0].islower() and words[0].casefold() not in _PARTICLES and not known:
            return []
    return [first, *others]


def _agency(name: str) -> str | None:
    return name if name.casefold() in AGENCIES or name in _INITIALS else None


def _is_site(name: str, known: Collection[str]) -> bool:
    """The publication's name, as it stands, without its article, or run together as in its address."""
    if title_key(name) in known:
        return True
    bare = re.sub(r"^(?:the|der|die|das|le|la|el|il)\s+|[\W_]+", "", title_key(name))
    return len(bare) > 3 and any(bare == re.sub(r"^the|[\W_]+", "", site) for site in known)


def _is_person(name: str, strict: bool) -> bool:
    words = name.replace(".", ". ").split()
    if not 1 <= len(words) <= 6 or not 2 <= len(name) <= 60 or _ADDRESS.search(name) or any(c.isdigit() for c in name):
        return False
    if not all(c.isalpha() or c.isspace() or c in "'’.-·‑ʼ‌" or not c.isascii() for c in name) or "\ufffd" in name:
        return False
    lower = [word.strip(".").casefold() for word in words]
    if all(word in _ROLES for word in lower) or lower[-1] in _ORGANISATION or lower[0] in _NOT_FIRST:
        return False
    if len(lower) > 2 and lower[-1] in _JOBS:
        return False
    latin = all(ord(c) < 0x250 for c in name if c.isalpha())
    if not latin:
        return len(name) <= 40
    if len(words) < 2 and (strict or name.isupper()):
        return False
    capital = [w for w in words if not w[0].islower()]
    return bool(capital) and all(w in capital or w.casefold() in _PARTICLES for w in words)
