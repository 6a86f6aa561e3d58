"""What the law, the mailbox providers and the reader's patience ask of a mail that goes out."""

from __future__ import annotations

import re
from collections.abc import Iterator

from newsletter.checks import examples as eg
from newsletter.checks.context import CheckContext
from newsletter.checks.page import cut, plain
from newsletter.checks.parity import parity_of
from newsletter.checks.registry import Example, Problem, check
from newsletter.checks.sizes import kilobytes
from newsletter.clients.gmail import CLIP
from newsletter.message.merge import TOKEN
from newsletter.models import TEXT_FILE, Severity

LARGE = 80 * 1024
DIVERGES, DIFFERS = 60, 85
"""Percent of the visible words that the text part must have: below the first an error, below the second a warning.

Calibrated: the built-in themes have 95 to 99, a text part that left half of the stories out about 50, a stub under 10.
"""

_NO_ADDRESS = re.compile(
    r"(?i)\b(?:your|example|sample|placeholder|todo|tbd|xxx+|lorem|postal address|street address|address here)\b"
)
_EXAMPLE_HOST = re.compile(r"(?i)(?:.*[@.])?example\.(?:com|org|net)")
# Names that can belong to nobody (RFC 2606, RFC 6761). `.test` is left: a rehearsal with a real server uses it.
_RESERVED_HOST = re.compile(r"(?i).*(?:[@.](?:example|invalid|localhost|local))")


def _leads_nowhere(context: CheckContext) -> Severity:
    """An error for real readers, a warning while mails only go into a folder."""
    return Severity.WARNING if context.provider_local else Severity.ERROR


@check(
    id="unsubscribe-missing",
    severity=Severity.ERROR,
    family="sending",
    why="Every reader must be able to leave with one click, readers of the text part too. Gmail, Yahoo and Microsoft "
    "refuse bulk mail without it. A warning while the provider is local.",
    source="RFC 8058; GDPR article 7(3); CAN-SPAM 15 U.S.C. 7704(a)(3); Gmail sender guidelines",
    failing=Example("a theme without the unsubscribe link", eg.html('<a href="nlf0003q">Unsubscribe</a>', "")),
    passing=Example("`{{ links.unsubscribe }}` in the theme's footer, and an https `site.url`", eg.as_it_is),
    waivable=False,
)
def unsubscribe_missing(context: CheckContext) -> Iterator[Problem]:
    """No site for the link to lead to, a site without https, or no link in the HTML or in the text part."""
    site = (context.config.site.url or "").strip()
    if not site:
        yield Problem(
            "Readers cannot unsubscribe: the publication has no site.",
            "Write url under [site] in newsletter.toml: where readers find the public pages.",
            severity=_leads_nowhere(context),
        )
        return
    if not site.lower().startswith("https://"):
        yield Problem(
            f"One-click unsubscribing needs https, and the site is {cut(site)}.",
            "Serve the public pages over https and write that address under [site].",
            severity=_leads_nowhere(context),
        )
    if not _linked(context, "unsubscribe_url"):
        yield Problem("The mail has no unsubscribe link.", "Put links.unsubscribe into the theme's footer.")
    links = {field.token for field in context.email.fields if field.name == "unsubscribe_url"}
    if context.email.text.strip() and links.isdisjoint(TOKEN.findall(context.email.text)):
        own = "Write {{ unsubscribe_url }} into " + f"{TEXT_FILE}."
        yield _of_text(context, "The text part has no unsubscribe link.", own, "Put links.unsubscribe into")


def _of_text(
    context: CheckContext,
    message: str,
    own: str,
    theme: str,
    article: str | None = None,
    severity: Severity | None = None,
) -> Problem:
    """A problem of the text part: what to do in an editor's ``own`` one, else in the ``theme``'s template."""
    if context.issue.own_text is not None:
        return Problem(message, own, article, TEXT_FILE, severity)
    return Problem(message, f"{theme} the theme's email.txt.j2.", article, severity=severity)


@check(
    id="web-version-missing",
    severity=Severity.WARNING,
    family="sending",
    why="Where a client breaks the mail, or Gmail clips it, “Read online” is the way out. A note while the provider is "
    "local and there is no site.",
    source="newsroom practice",
    failing=Example("a theme without “Read online”", eg.html('<a href="nlf0004q">Read online</a>', "")),
    passing=Example("`{{ links.web }}` in the theme", eg.as_it_is),
)
def web_version_missing(context: CheckContext) -> Iterator[Problem]:
    """No site, or no link to the web copy in the HTML."""
    if not context.config.site.url:
        yield Problem(
            "There is no web copy to read online: the publication has no site.",
            "Write url under [site] in newsletter.toml.",
            severity=Severity.INFO if context.provider_local else None,
        )
    elif not _linked(context, "web_url"):
        yield Problem("The mail has no link to its web copy.", "Put links.web into the theme.")


def _linked(context: CheckContext, name: str) -> bool:
    tokens = {field.token for field in context.email.fields if field.name == name}
    return any(element.attributes.get("href", "").strip() in tokens for element in context.page.every("a"))


@check(
    id="preferences-missing",
    severity=Severity.WARNING,
    family="sending",
    why="Who may choose to get less often stays; who can only leave, leaves.",
    source="newsroom practice; GDPR article 16 asks that readers can correct what is known of them",
    failing=Example("a theme without the preferences link", eg.html('<a href="nlf0009q">Preferences</a>', "")),
    passing=Example("`{{ links.preferences }}` in the theme's footer", eg.as_it_is),
)
def preferences_missing(context: CheckContext) -> Iterator[Problem]:
    """A publication with a site, and no link to the reader's preferences in the HTML."""
    if context.config.site.url and not _linked(context, "preferences_url"):
        yield Problem("The mail has no link to the reader's preferences.", "Put links.preferences into the footer.")


@check(
    id="reason-missing",
    severity=Severity.WARNING,
    family="sending",
    why="Who does not remember signing up presses “spam”. A line that says why the mail came is the best answer.",
    source="Gmail sender guidelines; spam complaints above 0.3 % stop delivery",
    failing=Example(
        "`reason` in newsletter.toml and not in the mail", eg.publication(reason="You signed up at the ferry office.")
    ),
    passing=Example("`{{ publication.reason }}` in the theme's footer", eg.as_it_is),
)
def reason_missing(context: CheckContext) -> Iterator[Problem]:
    """The publication's own words on why the reader gets the mail are not in it."""
    reason = plain(context.config.publication.reason)
    if reason and reason not in plain(context.page.visible):
        yield Problem(
            "The mail does not say why the reader gets it.", "Put publication.reason into the theme's footer."
        )


@check(
    id="postal-address-missing",
    severity=Severity.ERROR,
    family="sending",
    why="Commercial mail must say where its sender can be reached, in the text part too. A warning while the provider "
    "is local.",
    source="CAN-SPAM 15 U.S.C. 7704(a)(5); directive 2000/31/EC, article 5",
    failing=Example(
        "an empty `postal_address`", eg.both(eg.publication(postal_address=""), eg.given(provider_local=False))
    ),
    passing=Example('`postal_address = "The Estuary Weekly, 4 Quay Street, Wexmouth EX99 1EW"`', eg.as_it_is),
    waivable=False,
)
def postal_address_missing(context: CheckContext) -> Iterator[Problem]:
    """No address, a placeholder, or one that the theme does not show."""
    address = context.config.publication.postal_address.strip()
    fix = "Write postal_address under [publication] in newsletter.toml."
    if not address:
        yield Problem("The publication has no postal address.", fix, severity=_leads_nowhere(context))
    elif _NO_ADDRESS.search(address):
        yield Problem(f"The postal address is a placeholder: {cut(address)}", fix, severity=_leads_nowhere(context))
    elif plain(address) not in plain(context.page.visible):
        yield Problem(
            "The mail does not show the postal address.", "Put publication.postal_address into the theme's footer."
        )
    elif context.email.text.strip() and plain(address) not in plain(context.email.text):
        message = "The text part does not show the postal address."
        yield _of_text(context, message, f"Write it into {TEXT_FILE}.", "Put publication.postal_address into")


@check(
    id="sender-placeholder",
    severity=Severity.ERROR,
    family="sending",
    why="Mail from an address that does not exist is refused, and nobody can answer it. A warning while the provider "
    "is local.",
    source="RFC 2606 reserves the example names",
    failing=Example(
        '`email = "letter@example.com"`',
        eg.both(eg.sender(email="letter@example.com"), eg.given(provider_local=False)),
    ),
    passing=Example("an address of the publication's own", eg.as_it_is),
    waivable=False,
)
def sender_placeholder(context: CheckContext) -> Iterator[Problem]:
    """No sender address, or one under a name that is reserved for examples."""
    email = context.config.sender.email.strip()
    fix = "Write email under [sender] in newsletter.toml."
    if not email:
        yield Problem("There is no sender address.", fix, severity=_leads_nowhere(context))
    # The sample publication lives under .example and its mail stays in a folder: that is in order.
    elif _EXAMPLE_HOST.fullmatch(email) or (not context.provider_local and _RESERVED_HOST.fullmatch(email)):
        yield Problem(f"The sender address is only an example: {cut(email)}", fix, severity=_leads_nowhere(context))


@check(
    id="html-too-large",
    severity=Severity.ERROR,
    family="sending",
    why="Gmail clips a mail at 102 KB of HTML and hides the rest behind a link, the unsubscribe link with it.",
    source="Gmail; measured at 102 × 1,024 bytes, after inlining",
    failing=Example("a mail of 110 KB", eg.html("<h2>", "<p>" + "word " * 22_000 + "</p><h2>")),
    passing=Example("a mail of 70 KB", eg.as_it_is),
)
def html_too_large(context: CheckContext) -> Iterator[Problem]:
    """Over the clip; the message names the stories that cost most."""
    if context.email.size > CLIP:
        yield Problem(
            f"The HTML has {_kilobytes(context.email.size)} KB; Gmail clips at 102 KB.{_costliest(context)}",
            "Set a long story in another layout, shorten it, or move it to the next issue.",
        )


@check(
    id="html-large",
    severity=Severity.WARNING,
    family="sending",
    why="Forwarding and click tracking of some servers add to a mail; past 80 KB the clip at 102 KB comes near.",
    source="Gmail; measured",
    failing=Example("a mail of 90 KB", eg.html("<h2>", "<p>" + "word " * 18_000 + "</p><h2>")),
    passing=Example("a mail of 70 KB", eg.as_it_is),
)
def html_large(context: CheckContext) -> Iterator[Problem]:
    """Over 80 KB and not yet clipped."""
    if LARGE < context.email.size <= CLIP:
        yield Problem(
            f"The HTML has {_kilobytes(context.email.size)} KB; Gmail clips at 102 KB.{_costliest(context)}",
            "Shorten what costs most.",
        )


def _kilobytes(size: int) -> str:
    return f"{size / 1024:.0f}"


def _costliest(context: CheckContext) -> str:
    worst = sorted(context.email.sizes.items(), key=lambda item: -item[1])[:3]
    if not worst:
        return ""
    return " Most: " + ", ".join(f"{slug} {kilobytes(size)} KB" for slug, size in worst) + "."


@check(
    id="text-missing",
    severity=Severity.ERROR,
    family="sending",
    why="A mail without a text part looks like spam to filters, and says nothing on a watch or a terminal.",
    source="RFC 2046, 5.1.4; SpamAssassin MIME_HTML_ONLY",
    failing=Example("an empty email.txt.j2", eg.email(text="\n")),
    passing=Example("a text part with the same stories", eg.as_it_is),
)
def text_missing(context: CheckContext) -> Iterator[Problem]:
    """The text part is blank."""
    if not context.email.text.strip():
        own = f"Write it into {TEXT_FILE}, or go back: newsletter issue text {context.issue.slug} --drop"
        yield _of_text(context, "The mail has no text part.", own, "Write it in")


@check(
    id="text-diverges",
    severity=Severity.ERROR,
    family="sending",
    why="Readers of the text part get the same news. Filters compare the two parts as well. A warning where an editor "
    "wrote the text part.",
    source="RFC 2046, 5.1.4; SpamAssassin MPART_ALT_DIFF, whose count of words this is",
    failing=Example("a text part that only says “Read this online”", eg.email(text="Read this mail online.")),
    passing=Example("a text part with the same stories", eg.as_it_is),
)
def text_diverges(context: CheckContext) -> Iterator[Problem]:
    """A story of the HTML that the text part lacks, or too few of the HTML's words.

    What an editor wrote is theirs to judge: there both are warnings.
    """
    if not context.email.text.strip():
        return
    text = plain(context.email.text)
    visible = plain(context.page.visible)
    mild = Severity.WARNING if context.issue.own_text is not None else None
    for article in context.issue.articles():
        headline = plain(article.headline)
        if headline and headline in visible and headline not in text:
            said = f"The text part lacks the story “{cut(article.headline)}”."
            yield _of_text(context, said, f"Write it into {TEXT_FILE}.", "Set it in", article.slug, mild)
    share = parity_of(context).percent
    if share < DIFFERS:
        said = f"The text part has {share:.0f} % of the words of the HTML."
        own = f"Both are to say the same; write what is missing into {TEXT_FILE}."
        severity = mild or (Severity.ERROR if share < DIVERGES else Severity.WARNING)
        yield _of_text(context, said, own, "Both are to say the same; something is left out in", severity=severity)
