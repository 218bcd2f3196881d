"""What is public: read from sources, kept in a ledger, asked by the rules."""
