"""What makes Claude Code on this machine differ from its defaults.

`layers` reads the files, `keys` knows what each key is, `overrides` decides which of them
count, what of them may be told, and the config hash.
"""
