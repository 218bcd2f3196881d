"""The commands of ``parity-server``, beside those that serve: each prints, none decides.

Standard output holds what was asked for, standard error everything else. Commands that
write take one short transaction of their own, beside a running server or not; what a
server holds in memory (the ledger) none of them changes.
"""
