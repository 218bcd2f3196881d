"""What `install/try` and `install/test` share.

Standard library only: this code runs before there is an environment to import from. It
starts the installed commands and imports nothing of them.
"""
