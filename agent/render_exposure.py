"""What the product was told remotely, as lines of text. Pure."""

from agent.text import table
from agent.wire import Exposure


def told_remotely(exposure: Exposure | None) -> list[str]:
    """The classes as they are sent.

    Args:
        exposure: None where none was looked for.
    """
    if exposure is None:
        return []
    catalog = exposure.model_catalog
    rows = [
        ("feature flags", _flags(exposure)),
        ("model catalog", "none downloaded" if catalog is None else str(catalog)),
        ("first start", exposure.first_start or "not known"),
        ("plan", exposure.plan or "not told"),
    ]
    return ["TOLD REMOTELY (in classes)", *table(("WHAT", "CLASS"), rows)]


def _flags(exposure: Exposure) -> str:
    if exposure.flags == "on":
        return "on"
    by = exposure.flags_off_by
    return f"off, by {by}" if by else "off"
