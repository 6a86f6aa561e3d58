"""Sources that stories come in from, and what each of them gave."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "source",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("url", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("title", sa.Text(), server_default=sa.text("''"), nullable=False),
        sa.Column("section", sa.Text(), nullable=True),
        sa.Column("full", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("first", sa.Text(), nullable=False),
        sa.Column("key_ref", sa.Text(), nullable=True),
        sa.Column("state", sa.Text(), server_default=sa.text("'on'"), nullable=False),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column("failures", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("failing_since", sa.BigInteger(), nullable=True),
        sa.Column("told_at", sa.BigInteger(), nullable=True),
        sa.Column("etag", sa.Text(), nullable=True),
        sa.Column("last_modified", sa.Text(), nullable=True),
        sa.Column("body_sha256", sa.Text(), nullable=True),
        sa.Column("checked_at", sa.BigInteger(), nullable=True),
        sa.Column("succeeded_at", sa.BigInteger(), nullable=True),
        sa.Column("next_try_at", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column("added_at", sa.BigInteger(), nullable=False),
        sa.CheckConstraint("kind in ('feed', 'wordpress', 'ghost')", name=op.f("ck_source_kind")),
        sa.CheckConstraint("state in ('on', 'off')", name=op.f("ck_source_state")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_source")),
        sa.UniqueConstraint("name", name=op.f("uq_source_name")),
        sa.UniqueConstraint("url", name=op.f("uq_source_url")),
        comment="where stories come in from. key_ref: env=NAME or file=PATH, never the key; first: how many stories, "
        "or which span of time, the first refresh takes; reason: why the last try failed, in words",
    )
    op.create_table(
        "source_item",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("source_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("guid", sa.Text(), nullable=True),
        sa.Column("url_key", sa.Text(), nullable=True),
        sa.Column("fingerprint", sa.Text(), nullable=False),
        sa.Column("article_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("document_latest", sa.Text(), nullable=True),
        sa.Column("seen_at", sa.BigInteger(), nullable=False),
        sa.Column("changed_at", sa.BigInteger(), nullable=True),
        sa.ForeignKeyConstraint(["article_id"], ["article.id"], name=op.f("fk_source_item_article_id")),
        sa.ForeignKeyConstraint(["source_id"], ["source.id"], name=op.f("fk_source_item_source_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_source_item")),
        comment="what a source gave. article_id: the story in the inbox, none for what the first refresh left out; "
        "fingerprint: of the newest words; document_latest: the story as it would come in now, if it was changed since",
    )
    op.create_index(op.f("ix_source_item_article_id"), "source_item", ["article_id"])
    op.create_index("ix_source_item_source_id_guid", "source_item", ["source_id", "guid"])
    op.create_index("ix_source_item_source_id_url_key", "source_item", ["source_id", "url_key"])
