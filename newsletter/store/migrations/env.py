"""Alembic's entry point: run the migrations on the connection that ``store.migrate`` hands over."""

from __future__ import annotations

from alembic import context

from newsletter.store.tables import metadata

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    render_as_batch=True,
)
# No transaction of Alembic's own: the caller's holds the whole upgrade, so that it happens entirely or not at all.
context.run_migrations()
