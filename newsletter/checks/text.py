"""The text part where an editor wrote it: whether it still says what the HTML says, and where it leads."""

from __future__ import annotations

import re
from collections.abc import Iterator

from newsletter.checks import examples as eg
from newsletter.checks.context import CheckContext
from newsletter.checks.links import links_of
from newsletter.checks.page import cut
from newsletter.checks.registry import Change, Example, Problem, check
from newsletter.checks.web import asked, written_in
from newsletter.message.texts import TextChange, stale_of
from newsletter.models import TEXT_FILE, Severity, TextPiece

_ONE_READERS = re.compile(r"https?://\S+/u/v1\.(?:unsubscribe|preferences)\.[0-9a-f]{32}\.\S+", re.IGNORECASE)
_SAID = {
    "changed": "“{title}” has changed since the text part was written{words}.",
    "added": "“{title}” came into the issue after the text part was written.",
    "dropped": "“{title}” has left the issue since the text part was written.",
    "moved": "“{title}” stands in another place than when the text part was written.",
}


def _own(of: str | None, now: str = "The ferry is back\n\nThe boat runs from Saturday.") -> Change:
    """The example with an own text that was right for ``of`` (None: for nothing), where ``now`` is generated."""
    slug = eg.FERRY.slug
    remembered = None if of is None else (TextPiece(slug, of),)
    return eg.both(
        eg.issue(own_text=eg.example().email.text, text_of=remembered), eg.email(pieces=(TextPiece(slug, now),))
    )


@check(
    id="text-stale",
    severity=Severity.WARNING,
    family="text",
    why="A text part that an editor wrote stays as it is when the stories are corrected: readers of the text get the "
    "mistake.",
    source="newsroom practice",
    failing=Example("“Friday” became “Saturday” in the story", _own("The ferry is back\n\nThe boat runs from Friday.")),
    passing=Example(
        "`newsletter issue text SLUG --confirm`", _own("The ferry is back\n\nThe boat runs\nfrom Saturday.")
    ),
)
def text_stale(context: CheckContext) -> Iterator[Problem]:
    """What the theme would generate has changed since the own text was written or confirmed; nobody confirmed it."""
    fix = f"Put it right in {TEXT_FILE}, then say so: newsletter issue text {context.issue.slug} --confirm"
    stale = stale_of(context.issue, context.email)
    if stale is None:
        yield Problem(f"Nobody has said that {TEXT_FILE} fits these stories.", fix, field=TEXT_FILE)
        return
    for change in stale:
        if change.article is None:
            said = f"What stands around the stories has changed since the text part was written{_words(change)}."
        else:
            said = _SAID[change.change].format(title=cut(change.title), words=_words(change))
        there = None if change.change == "dropped" else change.article
        yield Problem(said, fix, there, TEXT_FILE, phrase=change.title)


def _words(change: TextChange) -> str:
    """The first words that changed: “Friday” is “Saturday” now."""
    runs = [run for passage in change.passages for run in passage.runs]
    at = next((n for n, run in enumerate(runs) if run.op != "same" and run.text.strip()), None)
    if at is None:
        return ""
    first = cut(runs[at].text, 40)
    after = runs[at + 1] if at + 1 < len(runs) else None
    if runs[at].op == "old" and after is not None and after.op == "new":
        return f": “{first}” is “{cut(after.text, 40)}” now"
    return f": “{first}” is {'gone' if runs[at].op == 'old' else 'new'}"


@check(
    id="text-link-unknown",
    severity=Severity.WARNING,
    family="text",
    why="The links of the HTML are checked; one that only an editor's own text part has was typed by hand, or is left "
    "over from a story that is gone.",
    source="newsroom practice",
    failing=Example(
        f"`https://estuary.example/fery` in {TEXT_FILE}",
        eg.both(_own(None), eg.email(text=eg.example().email.text.replace("example/ferry", "example/fery"))),
    ),
    passing=Example("the addresses that the HTML has", _own(None)),
)
def text_link_unknown(context: CheckContext) -> Iterator[Problem]:
    """An address of the own text that neither the HTML nor the generated text has."""
    if context.issue.own_text is None:
        return
    known = {_bare(address) for _, address in links_of(context)}
    known |= {_bare(address) for _, address in written_in(context.email.generated)}
    known |= {_bare(context.config.site.url or "")}
    for address in dict.fromkeys(address for _, address in written_in(context.email.text)):
        if _bare(address) not in known and not _ONE_READERS.search(address):
            yield Problem(
                f"Only the text part leads to {cut(address, 80)}.",
                "Compare it with the link in the story.",
                field=TEXT_FILE,
                phrase=address,
            )


def _bare(address: str) -> str:
    return asked(address).rstrip("/").lower()


@check(
    id="link-of-one-reader",
    severity=Severity.ERROR,
    family="text",
    why="An unsubscribe link that was copied from a mail is one reader's: whoever presses it unsubscribes that reader, "
    "and opens that reader's preferences to everybody.",
    source="RFC 8058; GDPR article 5(1)(f)",
    failing=Example(
        "`https://estuary.example/u/v1.unsubscribe.4f1c….k1.…` in the text part",
        eg.email(
            text=eg.example().email.text.replace(
                "nlf0005q", f"https://estuary.example/u/v1.unsubscribe.{'4f1c' * 8}.k1.{'M' * 22} nlf0005q"
            )
        ),
    ),
    passing=Example("`{{ unsubscribe_url }}`", eg.as_it_is),
    waivable=False,
)
def link_of_one_reader(context: CheckContext) -> Iterator[Problem]:
    """A signed link of a reader's in the text part or in the HTML."""
    fix = "Write {{ unsubscribe_url }} or {{ preferences_url }} in its place."
    for element, address in links_of(context):
        if _ONE_READERS.search(address):
            yield Problem(f"A link is one reader's own: {cut(address, 60)}", fix, element.article, phrase=address)
    for found in dict.fromkeys(_ONE_READERS.findall(context.email.text)):
        own = TEXT_FILE if context.issue.own_text is not None else None
        yield Problem(f"The text part has one reader's own link: {cut(found, 60)}", fix, field=own, phrase=found)
