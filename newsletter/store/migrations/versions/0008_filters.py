"""The inbox by source and by section: the indexes answer every filter of the screen without the stories' own rows."""

from __future__ import annotations

from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    for name in ("source", "section"):
        op.drop_index(f"ix_article_{name}_id", table_name="article")
        op.create_index(f"ix_article_{name}", "article", [name, "state", "id", "added_at", "slug"], unique=False)
