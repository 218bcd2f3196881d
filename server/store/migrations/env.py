"""Runs migrations on the connection that `server.store.engine.migrate` hands over.

The whole upgrade is that connection's one transaction: all of it holds, or nothing.
"""

from alembic import context

from server.store.tables import metadata

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    render_as_batch=True,  # SQLite changes a column by copying the table
)
context.run_migrations()
