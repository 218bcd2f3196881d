"""What a person types after ``parity-agent``: one module a command, or one of a few kin."""
