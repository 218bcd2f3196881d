"""``fix`` as a person types it: what it prints, what it runs, and what it refuses."""

import json
import os
import pty
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.agent import standin
from tests.agent.commands.fleet import Fleet
from tests.e2e.harness import COMMAND_TIMEOUT_S, COMMANDS, Laptop

Enrolled = Callable[[str], Laptop]

NPM = """#!{python} -IS
import json, sys
with open({file!r}, "a") as stream:
    stream.write(json.dumps(sys.argv) + "\\n")
sys.exit({code})
"""
