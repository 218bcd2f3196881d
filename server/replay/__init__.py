"""History played again: what this tool would have said, when, and to whom."""
