"""The database: SQLAlchemy Core tables, one writer, and queries by subject."""
