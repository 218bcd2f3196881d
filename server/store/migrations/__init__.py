"""Alembic migrations: one module per step of the schema, in ``versions``."""
