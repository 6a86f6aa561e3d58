"""Drop-cap openings: ``PRIME minister …`` is how a print page begins a story, not how a newsletter writes it.

The change is offered, never made: nobody but an editor can tell a drop cap from an acronym for sure.
"""

from __future__ import annotations

import re

from newsletter.articles.story import Suggestion

_WORD = re.compile(r"[^\W\d_]+(?:['’-][^\W\d_]+)*")
_MARKS = "\"'“”‘’«»(*_"

# Capital words of two and three letters are acronyms unless they are one of these.
_SHORT = frozenset(
    """ALL AM AN AND ANY ARE AS AT BAD BE BIG BUT BY CAN DAY DO FAR FEW FOR GET GO HAD HAS HE HER HIS HOW IF IN IS IT
    ITS LAW LET MAN MAY MEN MY NEW NO NOT NOW OF OFF OIL OLD ON ONE OR OUR OUT OWN SAD SHE SIX SO TAX TEN THE TO TOO
    TOP TWO UP WAR WAS WAY WE WHO WHY YET YOU""".split()  # noqa: SIM905 - a list of seventy words reads better unquoted
)
_ACRONYMS = frozenset(
    """ACAS ACLU AIDS AIIMS APEC ASEAN BRICS CAIR COBRA COVID DEFRA ECOWAS EFTA FEMA FIFA GATT HAMAS IAEA ICAO INTERPOL
    IRENA ISIS ISIL JPMORGAN LGBT LGBTQ MERCOSUR NAACP NASA NATO NAFTA NICE OECD OFCOM OFGEM OFSTED OPEC OSCE PEMEX
    PETA SAARC SEBI SWAPO SWAT TASS UEFA UKIP UNESCO UNHCR UNICEF UNRWA USAID WADA WHO""".split()  # noqa: SIM905 - as above
)


def drop_cap(body: str) -> Suggestion | None:
    """The suggestion for a body (Markdown) whose first words are capitals followed by a lower-case word.

    Not for a line in capitals, for known acronyms, for words without a vowel, or for words that stand in capitals
    elsewhere in the story too.
    """
    first = next((line for line in body.split("\n", 200) if line.strip()), "")[:400].strip()
    words = first.split(" ")
    capitals = [word for word in _leading_capitals(words[:5]) if word]
    if not capitals or len(capitals) > 4 or len(words) <= len(capitals) or not words[len(capitals)][:1].islower():
        return None
    rest = body[body.find(first) + len(" ".join(capitals)) :]
    seen = frozenset(_WORD.findall(rest))
    if any(_is_acronym(word.strip(_MARKS + ",."), seen) for word in capitals):
        return None
    follows = words[len(capitals)].rstrip(".,;:!?")
    instead = [_lowered(word, place, capitals, seen) for place, word in enumerate(capitals)]
    return Suggestion(
        field="body",
        now=" ".join([*capitals, follows]),
        instead=" ".join([*instead, follows]),
        why="the opening is set in capitals, as a drop cap in print",
    )


def suggestions_for(body: str) -> tuple[Suggestion, ...]:
    """Everything that can be offered for a body."""
    found = drop_cap(body)
    return (found,) if found else ()


def _leading_capitals(words: list[str]) -> list[str]:
    found: list[str] = []
    for word in words:
        core = word.strip(_MARKS + ",.")
        if not (_WORD.fullmatch(core) and core.isupper()):
            break
        found.append(word)
    # A single letter is no drop cap by itself ("A man", "I was").
    return found if any(len(word.strip(_MARKS)) > 1 for word in found) else []


def _is_acronym(word: str, seen: frozenset[str]) -> bool:
    if len(word) == 1:
        return word not in "AI"
    if word in _SHORT:
        return False
    if len(word) <= 3 or word in _ACRONYMS or word in seen:
        return True
    return word.isascii() and not set(word) & set("AEIOUY")


def _lowered(word: str, place: int, capitals: list[str], seen: frozenset[str]) -> str:
    """The word as running text has it: the first with a capital, later ones as the story writes them elsewhere."""
    core = word.strip(_MARKS + ",.")
    small, named = core.lower(), core[:1] + core[1:].lower()
    begins_plain = capitals[0].strip(_MARKS) in _SHORT or capitals[0] == "A"
    if place and (small in seen or core in _SHORT or (begins_plain and named not in seen)):
        return word.replace(core, small)
    return word.replace(core, named)
