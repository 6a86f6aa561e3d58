"""Who goes first, how a mailing is taken by its readers, and how a provider gets to know us."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

KEY = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.create_table(
        "canary",
        sa.Column("mailing_id", KEY, autoincrement=False, nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("until", sa.BigInteger(), nullable=True),
        sa.Column("readers", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("verdict", sa.Text(), nullable=True),
        sa.CheckConstraint("state in ('going', 'waiting', 'over')", name=op.f("ck_canary_state")),
        sa.ForeignKeyConstraint(["mailing_id"], ["mailing.id"], name=op.f("fk_canary_mailing_id")),
        sa.PrimaryKeyConstraint("mailing_id", name=op.f("pk_canary")),
        comment="how far the canary of a mailing is; readers: its size; until: when it is judged; verdict: in words",
    )
    op.create_table(
        "canary_reader",
        sa.Column("delivery_id", KEY, autoincrement=False, nullable=False),
        sa.Column("mailing_id", KEY, nullable=False),
        sa.ForeignKeyConstraint(["delivery_id"], ["delivery.id"], name=op.f("fk_canary_reader_delivery_id")),
        sa.ForeignKeyConstraint(["mailing_id"], ["mailing.id"], name=op.f("fk_canary_reader_mailing_id")),
        sa.PrimaryKeyConstraint("delivery_id", name=op.f("pk_canary_reader")),
        comment="the deliveries that go before the others and are judged by what the provider says of them",
    )
    op.create_index(op.f("ix_canary_reader_mailing_id"), "canary_reader", ["mailing_id"], unique=False)
    op.create_table(
        "reputation",
        sa.Column("mailing_id", KEY, autoincrement=False, nullable=False),
        sa.Column("delivered", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("complained", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("excused", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("warned_at", sa.BigInteger(), nullable=True),
        sa.Column("warning", sa.Text(), nullable=True),
        sa.Column("paused_at", sa.BigInteger(), nullable=True),
        sa.ForeignKeyConstraint(["mailing_id"], ["mailing.id"], name=op.f("fk_reputation_mailing_id")),
        sa.PrimaryKeyConstraint("mailing_id", name=op.f("pk_reputation")),
        comment="of how many deliveries it was told; excused: complaints that an editor saw when resuming",
    )
    op.create_table(
        "warm_up",
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("day", sa.Text(), nullable=False),
        sa.Column("mails", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("name", "day", name=op.f("pk_warm_up")),
        comment="mails of a day while a provider gets to know us; day: YYYY-MM-DD in the publication's zone",
        sqlite_with_rowid=False,
    )
