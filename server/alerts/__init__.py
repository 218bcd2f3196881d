"""What people are told: an outbox of changes, sent to a destination, never lost."""
