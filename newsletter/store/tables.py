"""The tables. Times are BIGINT UTC microseconds; public ids are random 128-bit numbers as 32 hex digits.

Nothing here is specific to SQLite: the same metadata is meant for PostgreSQL. A change here needs a
migration in ``migrations/versions`` (a test compares the two). The full-text index of ``article`` belongs to
``search.py``.
"""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Column,
    ForeignKey,
    Index,
    Integer,
    MetaData,
    Table,
    Text,
    UniqueConstraint,
    text,
)

NAMING = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_N_name)s",
    "pk": "pk_%(table_name)s",
}

metadata = MetaData(naming_convention=NAMING)

# A 64-bit key that SQLite still treats as its rowid.
_KEY = BigInteger().with_variant(Integer, "sqlite")

meta = Table(
    "meta",
    metadata,
    Column("key", Text, primary_key=True),
    Column("value", Text, nullable=False),
    comment="ledger_epoch and other single values",
)

subscriber = Table(
    "subscriber",
    metadata,
    Column("id", _KEY, primary_key=True),
    Column("public_id", Text, nullable=False, unique=True),
    Column("address", Text, nullable=False),
    Column("address_key", Text, nullable=False, unique=True),
    Column("status", Text, nullable=False),
    Column("attributes", Text, nullable=False, server_default=text("'{}'")),
    Column("created_at", BigInteger, nullable=False),
    Column("updated_at", BigInteger, nullable=False),
    CheckConstraint("status in ('subscribed', 'unsubscribed', 'erased')", name="status"),
    comment="address_key: casefolded local part + IDNA domain; attributes: a JSON object of strings",
)
Index("ix_subscriber_subscribed", subscriber.c.id, sqlite_where=subscriber.c.status == "subscribed",
      postgresql_where=subscriber.c.status == "subscribed")  # fmt: skip

consent = Table(
    "consent",
    metadata,
    Column("id", _KEY, primary_key=True),
    Column("subscriber_id", ForeignKey("subscriber.id"), nullable=False, index=True),
    Column("event", Text, nullable=False),
    Column("basis", Text, nullable=False),
    Column("source", Text, nullable=False),
    Column("at", BigInteger, nullable=False),
    comment="append-only: imported, subscribed, unsubscribed, erased; with its basis and source",
)

suppression = Table(
    "suppression",
    metadata,
    Column("id", _KEY, primary_key=True),
    Column("address_hash", Text, nullable=False, unique=True),
    Column("reason", Text, nullable=False),
    Column("source", Text, nullable=False),
    Column("at", BigInteger, nullable=False),
    comment="address_hash: HMAC-SHA256 of address_key, so that it survives erasure without naming anybody",
)

article = Table(
    "article",
    metadata,
    Column("id", _KEY, primary_key=True),
    Column("slug", Text, nullable=False, unique=True),
    Column("state", Text, nullable=False, server_default=text("'new'")),
    Column("added_at", BigInteger, nullable=False),
    Column("content_key", Text, nullable=False, unique=True),
    Column("title_key", Text, nullable=False, index=True),
    Column("url_key", Text, nullable=True, index=True),
    Column("guid", Text, nullable=True, index=True),
    Column("source", Text, nullable=True),
    Column("section", Text, nullable=True),
    Column("lang", Text, nullable=True),
    Column("published", BigInteger, nullable=True),
    Column("priority", Integer, nullable=True),
    Column("minutes", Integer, nullable=False, server_default=text("1")),
    Column("original", Text, nullable=True),
    Column("tags", Text, nullable=False, server_default=text("''")),
    Column("headline", Text, nullable=False),
    Column("teaser", Text, nullable=False, server_default=text("''")),
    # Last, because what stands behind a long text costs SQLite as much to reach as the text.
    Column("document", Text, nullable=False),
    CheckConstraint("state in ('new', 'later', 'dismissed')", name="state"),
    comment="the inbox. document: front matter + Markdown as it would be saved; "
    "content_key: sha256 of the normalised story; original: sha256 of the picture in originals/; "
    "source: the name of where it came from; guid, section to teaser: derived from the document; "
    "tags: in lower case, one a line",
)
Index("ix_article_state_id", article.c.state, article.c.id)
# With all that the inbox filters by, so that no long row is read for a story that is not shown.
Index("ix_article_source", article.c.source, article.c.state, article.c.id, article.c.added_at, article.c.slug)
Index("ix_article_section", article.c.section, article.c.state, article.c.id, article.c.added_at, article.c.slug)

article_version = Table(
    "article_version",
    metadata,
    Column("id", _KEY, primary_key=True),
    Column("article_id", ForeignKey("article.id"), nullable=False, index=True),
    Column("document", Text, nullable=False),
    Column("content_key", Text, nullable=False),
    Column("seen_at", BigInteger, nullable=False),
    comment="what the source of a story said, as it was imported and each time that it was seen changed",
)

source = Table(
    "source",
    metadata,
    Column("id", _KEY, primary_key=True),
    Column("name", Text, nullable=False, unique=True),
    Column("url", Text, nullable=False, unique=True),
    Column("kind", Text, nullable=False),
    Column("title", Text, nullable=False, server_default=text("''")),
    Column("section", Text, nullable=True),
    Column("full", Integer, nullable=False, server_default=text("0")),
    Column("first", Text, nullable=False),
    Column("key_ref", Text, nullable=True),
    Column("state", Text, nullable=False, server_default=text("'on'")),
    Column("reason", Text, nullable=True),
    Column("failures", Integer, nullable=False, server_default=text("0")),
    Column("failing_since", BigInteger, nullable=True),
    Column("told_at", BigInteger, nullable=True),
    Column("etag", Text, nullable=True),
    Column("last_modified", Text, nullable=True),
    Column("body_sha256", Text, nullable=True),
    Column("checked_at", BigInteger, nullable=True),
    Column("succeeded_at", BigInteger, nullable=True),
    Column("next_try_at", BigInteger, nullable=False, server_default=text("0")),
    Column("added_at", BigInteger, nullable=False),
    CheckConstraint("kind in ('feed', 'wordpress', 'ghost')", name="kind"),
    CheckConstraint("state in ('on', 'off')", name="state"),
    comment="where stories come in from. key_ref: env=NAME or file=PATH, never the key; first: how many stories, or "
    "which span of time, the first refresh takes; reason: why the last try failed, in words",
)

source_item = Table(
    "source_item",
    metadata,
    Column("id", _KEY, primary_key=True),
    Column("source_id", ForeignKey("source.id"), nullable=False),
    Column("guid", Text, nullable=True),
    Column("url_key", Text, nullable=True),
    Column("fingerprint", Text, nullable=False),
    Column("article_id", ForeignKey("article.id"), nullable=True, index=True),
    Column("document_latest", Text, nullable=True),
    Column("seen_at", BigInteger, nullable=False),
    Column("changed_at", BigInteger, nullable=True),
    comment="what a source gave. article_id: the story in the inbox, none for what the first refresh left out; "
    "fingerprint: of the newest words; document_latest: the story as it would come in now, if it was changed since",
)
Index("ix_source_item_source_id_guid", source_item.c.source_id, source_item.c.guid)
Index("ix_source_item_source_id_url_key", source_item.c.source_id, source_item.c.url_key)

mailing = Table(
    "mailing",
    metadata,
    Column("id", _KEY, primary_key=True),
    Column("public_id", Text, nullable=False, unique=True),
    Column("issue", Text, nullable=False, index=True),
    Column("digest", Text, nullable=False),
    Column("state", Text, nullable=False),
    Column("reason", Text, nullable=True),
    Column("provider", Text, nullable=False),
    Column("send_at", BigInteger, nullable=False),
    Column("local_time", Text, nullable=False),
    Column("zone", Text, nullable=False),
    Column("date_header", BigInteger, nullable=True),
    Column("planned", Integer, nullable=True),
    Column("heartbeat", BigInteger, nullable=True),
    Column("created_at", BigInteger, nullable=False),
    Column("planned_at", BigInteger, nullable=True),
    Column("finished_at", BigInteger, nullable=True),
    CheckConstraint(
        "state in ('scheduled', 'planning', 'sending', 'paused', 'held', 'completed', 'cancelled')",
        name="state",
    ),
    comment="one approved issue going to one audience; local_time is ISO 8601 wall time without offset",
)
Index("uq_mailing_live_issue", mailing.c.issue, unique=True, sqlite_where=mailing.c.state != "cancelled",
      postgresql_where=mailing.c.state != "cancelled")  # fmt: skip

attempt = Table(
    "attempt",
    metadata,
    Column("id", _KEY, primary_key=True),
    Column("mailing_id", ForeignKey("mailing.id"), nullable=False, index=True),
    Column("pid", Integer, nullable=False),
    Column("host", Text, nullable=False),
    Column("started_at", BigInteger, nullable=False),
    Column("ended_at", BigInteger, nullable=True),
    comment="one process working on a mailing; without ended_at and without the lock held it is dead",
)

delivery = Table(
    "delivery",
    metadata,
    Column("id", _KEY, primary_key=True),
    Column("public_id", Text, nullable=False, unique=True),
    Column("mailing_id", ForeignKey("mailing.id"), nullable=False),
    Column("subscriber_id", ForeignKey("subscriber.id"), nullable=False, index=True),
    Column("address", Text, nullable=False),
    Column("attributes", Text, nullable=False),
    Column("state", Text, nullable=False),
    Column("reason", Text, nullable=True),
    Column("attempt_id", ForeignKey("attempt.id"), nullable=True),
    Column("tries", Integer, nullable=False, server_default=text("0")),
    Column("next_try_at", BigInteger, nullable=True),
    Column("provider_id", Text, nullable=True),
    Column("updated_at", BigInteger, nullable=False),
    UniqueConstraint("mailing_id", "subscriber_id"),
    CheckConstraint(
        "state in ('pending', 'claimed', 'submitting', 'submitted', 'rejected', 'retry_wait', 'failed', "
        "'uncertain', 'excluded', 'cancelled')",
        name="state",
    ),
    comment="the ledger: one recipient of a mailing, frozen at planning",
)
_OPEN = delivery.c.state.in_(("pending", "claimed", "submitting", "retry_wait"))
Index("ix_delivery_open", delivery.c.mailing_id, delivery.c.state, delivery.c.id,
      sqlite_where=_OPEN, postgresql_where=_OPEN)  # fmt: skip

event = Table(
    "event",
    metadata,
    Column("delivery_id", ForeignKey("delivery.id"), primary_key=True, autoincrement=False),
    Column("kind", Text, primary_key=True),
    Column("at", BigInteger, primary_key=True, autoincrement=False),
    Column("mailing_id", ForeignKey("mailing.id"), nullable=False),
    Column("cause", Text, nullable=True),
    Column("detail", Text, nullable=False, server_default=text("''")),
    Column("received_at", BigInteger, nullable=False),
    # A mailing to a million readers has millions of them: the key is the table.
    sqlite_with_rowid=False,
    comment="what the provider said later, each thing once: a replay has the same key. detail: words without addresses",
)
Index("ix_event_mailing_id_kind", event.c.mailing_id, event.c.kind)

mailbox_domain = Table(
    "mailbox_domain",
    metadata,
    Column("mailing_id", ForeignKey("mailing.id"), primary_key=True, autoincrement=False),
    Column("domain", Text, primary_key=True),
    Column("delivered", Integer, nullable=False, server_default=text("0")),
    Column("refused", Integer, nullable=False, server_default=text("0")),
    Column("unknown", Integer, nullable=False, server_default=text("0")),
    Column("paused_at", BigInteger, nullable=True),
    Column("reason", Text, nullable=True),
    sqlite_with_rowid=False,
    comment="how a mailing fares with the mailboxes of one domain; with paused_at nothing is claimed for them",
)
_PAUSED = mailbox_domain.c.paused_at.is_not(None)
Index("ix_mailbox_domain_paused", mailbox_domain.c.mailing_id, mailbox_domain.c.domain,
      sqlite_where=_PAUSED, postgresql_where=_PAUSED)  # fmt: skip

canary = Table(
    "canary",
    metadata,
    Column("mailing_id", ForeignKey("mailing.id"), primary_key=True, autoincrement=False),
    Column("state", Text, nullable=False),
    Column("until", BigInteger, nullable=True),
    Column("readers", Integer, nullable=False, server_default=text("0")),
    Column("verdict", Text, nullable=True),
    CheckConstraint("state in ('going', 'waiting', 'over')", name="state"),
    comment="how far the canary of a mailing is; readers: its size; until: when it is judged; verdict: in words",
)

canary_reader = Table(
    "canary_reader",
    metadata,
    Column("delivery_id", ForeignKey("delivery.id"), primary_key=True, autoincrement=False),
    Column("mailing_id", ForeignKey("mailing.id"), nullable=False, index=True),
    comment="the deliveries that go before the others and are judged by what the provider says of them",
)

reputation = Table(
    "reputation",
    metadata,
    Column("mailing_id", ForeignKey("mailing.id"), primary_key=True, autoincrement=False),
    Column("delivered", Integer, nullable=False, server_default=text("0")),
    Column("complained", Integer, nullable=False, server_default=text("0")),
    Column("excused", Integer, nullable=False, server_default=text("0")),
    Column("warned_at", BigInteger, nullable=True),
    Column("warning", Text, nullable=True),
    Column("paused_at", BigInteger, nullable=True),
    comment="of how many deliveries it was told; excused: complaints that an editor saw when resuming",
)

warm_up = Table(
    "warm_up",
    metadata,
    Column("name", Text, primary_key=True),
    Column("day", Text, primary_key=True),
    Column("mails", Integer, nullable=False),
    sqlite_with_rowid=False,
    comment="mails of a day while a provider gets to know us; day: YYYY-MM-DD in the publication's zone",
)

throttle = Table(
    "throttle",
    metadata,
    Column("name", Text, primary_key=True),
    Column("free_at", BigInteger, nullable=False),
    comment="free_at: when the next mail may go within a rate (GCRA)",
)

breaker = Table(
    "breaker",
    metadata,
    Column("provider", Text, primary_key=True),
    Column("put_off", Integer, nullable=False),
    Column("since", BigInteger, nullable=False),
    Column("open_until", BigInteger, nullable=False),
    Column("reason", Text, nullable=False),
    comment="a provider that put off whole windows in a row; no row: all is well",
)

test_send = Table(
    "test_send",
    metadata,
    Column("id", _KEY, primary_key=True),
    Column("issue", Text, nullable=False, index=True),
    Column("number", Integer, nullable=False),
    Column("code", Text, nullable=False),
    Column("address", Text, nullable=False),
    Column("outcome", Text, nullable=False),
    Column("detail", Text, nullable=False),
    Column("digest", Text, nullable=False),
    Column("at", BigInteger, nullable=False),
    UniqueConstraint("issue", "number", "address"),
)

audit = Table(
    "audit",
    metadata,
    Column("id", _KEY, primary_key=True),
    Column("at", BigInteger, nullable=False),
    Column("actor", Text, nullable=False),
    Column("action", Text, nullable=False),
    Column("issue", Text, nullable=True, index=True),
    Column("detail", Text, nullable=False, server_default=text("'{}'")),
    comment="append-only: who did what when",
)

sign_in = Table(
    "sign_in",
    metadata,
    Column("id", _KEY, primary_key=True),
    Column("token_hash", Text, nullable=True, unique=True),
    Column("person_hash", Text, nullable=False),
    Column("browser_hash", Text, nullable=False),
    Column("peer_hash", Text, nullable=False),
    Column("asked_at", BigInteger, nullable=False, index=True),
    Column("expires_at", BigInteger, nullable=False),
    Column("used_at", BigInteger, nullable=True),
    comment="links that were asked for, also in vain: no token_hash then. Nobody's address, nobody's token",
)

session = Table(
    "session",
    metadata,
    Column("id", _KEY, primary_key=True),
    Column("public_id", Text, nullable=False, unique=True),
    Column("token_hash", Text, nullable=False, unique=True),
    Column("former_hash", Text, nullable=True, index=True),
    Column("email", Text, nullable=False),
    Column("created_at", BigInteger, nullable=False),
    Column("rotated_at", BigInteger, nullable=False),
    Column("seen_at", BigInteger, nullable=False),
    Column("expires_at", BigInteger, nullable=False),
    Column("ended_at", BigInteger, nullable=True),
    comment="who is signed in to the composer; former_hash is the token before the last rotation",
)
