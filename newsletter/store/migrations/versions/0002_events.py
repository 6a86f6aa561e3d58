"""What providers say later about deliveries, and how a mailing fares with each mailbox domain."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

KEY = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.create_table(
        "event",
        sa.Column("delivery_id", KEY, autoincrement=False, nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("at", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("mailing_id", KEY, nullable=False),
        sa.Column("cause", sa.Text(), nullable=True),
        sa.Column("detail", sa.Text(), server_default=sa.text("''"), nullable=False),
        sa.Column("received_at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["delivery_id"], ["delivery.id"], name=op.f("fk_event_delivery_id")),
        sa.ForeignKeyConstraint(["mailing_id"], ["mailing.id"], name=op.f("fk_event_mailing_id")),
        sa.PrimaryKeyConstraint("delivery_id", "kind", "at", name=op.f("pk_event")),
        comment="what the provider said later, each thing once: a replay has the same key. "
        "detail: words without addresses",
        sqlite_with_rowid=False,
    )
    op.create_index("ix_event_mailing_id_kind", "event", ["mailing_id", "kind"], unique=False)
    op.create_table(
        "mailbox_domain",
        sa.Column("mailing_id", KEY, autoincrement=False, nullable=False),
        sa.Column("domain", sa.Text(), nullable=False),
        sa.Column("delivered", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("refused", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("unknown", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("paused_at", sa.BigInteger(), nullable=True),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.ForeignKeyConstraint(["mailing_id"], ["mailing.id"], name=op.f("fk_mailbox_domain_mailing_id")),
        sa.PrimaryKeyConstraint("mailing_id", "domain", name=op.f("pk_mailbox_domain")),
        comment="how a mailing fares with the mailboxes of one domain; with paused_at nothing is claimed for them",
        sqlite_with_rowid=False,
    )
    op.create_index(
        "ix_mailbox_domain_paused",
        "mailbox_domain",
        ["mailing_id", "domain"],
        unique=False,
        sqlite_where=sa.text("paused_at IS NOT NULL"),
        postgresql_where=sa.text("paused_at IS NOT NULL"),
    )
