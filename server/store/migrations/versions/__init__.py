"""The steps of the schema, oldest first by number.

From 0006 on a step only adds, so that servers of the version before go on working while it is
taken, and beside servers of this version afterwards:

* new tables, indexes, and columns that may be empty or have a default of the database's own;
* nothing that is there is renamed, removed, or takes less than it took: no new uniqueness,
  reference or check on it;
* what the version before writes without knowing of the new must be right by itself, or be put
  right by the new version as it finds it.

What is no longer used goes with a step two versions later. Only a server that starts compares
its schema with the database's: an older one that was stopped refuses to come back.
"""
