"""A login shell's start files, read as text: what they make of variables, and of ``claude``.

Nothing is executed. `words` finds tokens, `syntax` commands, `expand` the value of a word,
`conditions` the answer of a condition, `known` what well-known programs would have printed;
`run` follows the commands in order, and `start_files` says which files those are; `exports`
keeps what programs are given. `fish` reads the one shell whose language is another.
"""
