"""The inbox can be searched and filtered, stories are saved for later, and what a source said is remembered.

What is derived from a story's document (the new columns, and the full-text index, which begins empty) is filled in by
the first command that reads the inbox: it is the same work as repairing an index.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

KEY = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
KEPT = "id, slug, headline, document, content_key, title_key, url_key, original, state, added_at"


def upgrade() -> None:
    # SQLite changes no CHECK and no order of columns: a new table takes the old one's place
    # (sqlite.org/lang_altertable.html, 7).
    op.create_table(
        "article_new",
        sa.Column("id", KEY, nullable=False),
        sa.Column("slug", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), server_default=sa.text("'new'"), nullable=False),
        sa.Column("added_at", sa.BigInteger(), nullable=False),
        sa.Column("content_key", sa.Text(), nullable=False),
        sa.Column("title_key", sa.Text(), nullable=False),
        sa.Column("url_key", sa.Text(), nullable=True),
        sa.Column("guid", sa.Text(), nullable=True),
        sa.Column("source", sa.Text(), nullable=True),
        sa.Column("section", sa.Text(), nullable=True),
        sa.Column("lang", sa.Text(), nullable=True),
        sa.Column("published", sa.BigInteger(), nullable=True),
        sa.Column("priority", sa.Integer(), nullable=True),
        sa.Column("minutes", sa.Integer(), server_default=sa.text("1"), nullable=False),
        sa.Column("original", sa.Text(), nullable=True),
        sa.Column("tags", sa.Text(), server_default=sa.text("''"), nullable=False),
        sa.Column("headline", sa.Text(), nullable=False),
        sa.Column("teaser", sa.Text(), server_default=sa.text("''"), nullable=False),
        sa.Column("document", sa.Text(), nullable=False),
        sa.CheckConstraint("state in ('new', 'later', 'dismissed')", name=op.f("ck_article_state")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_article")),
        sa.UniqueConstraint("content_key", name=op.f("uq_article_content_key")),
        sa.UniqueConstraint("slug", name=op.f("uq_article_slug")),
    )
    op.execute(f"INSERT INTO article_new ({KEPT}) SELECT {KEPT} FROM article")  # noqa: S608 - a constant
    op.drop_table("article")
    op.rename_table("article_new", "article")
    op.create_index(op.f("ix_article_title_key"), "article", ["title_key"], unique=False)
    op.create_index(op.f("ix_article_url_key"), "article", ["url_key"], unique=False)
    op.create_index(op.f("ix_article_guid"), "article", ["guid"], unique=False)
    op.create_index("ix_article_state_id", "article", ["state", "id"], unique=False)
    op.create_index("ix_article_source_id", "article", ["source", "id"], unique=False)
    op.create_index("ix_article_section_id", "article", ["section", "id"], unique=False)
    op.create_table(
        "article_version",
        sa.Column("id", KEY, nullable=False),
        sa.Column("article_id", KEY, nullable=False),
        sa.Column("document", sa.Text(), nullable=False),
        sa.Column("content_key", sa.Text(), nullable=False),
        sa.Column("seen_at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["article_id"], ["article.id"], name=op.f("fk_article_version_article_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_article_version")),
        comment="what the source of a story said, as it was imported and each time that it was seen changed",
    )
    op.create_index(op.f("ix_article_version_article_id"), "article_version", ["article_id"], unique=False)
    if op.get_bind().dialect.name == "sqlite":
        op.execute(
            "CREATE VIRTUAL TABLE article_search USING fts5(headline, standfirst, byline, body, "
            "tokenize=\"unicode61 remove_diacritics 0 categories 'L* N* Co Mn Mc'\", prefix='2 3')"
        )
        op.execute(
            "CREATE TRIGGER article_search_changed AFTER UPDATE OF document ON article "
            "BEGIN DELETE FROM article_search WHERE rowid = old.id; END"
        )
        op.execute(
            "CREATE TRIGGER article_search_deleted AFTER DELETE ON article "
            "BEGIN DELETE FROM article_search WHERE rowid = old.id; END"
        )
