"""Hashes one file as the agent does, and prints the most memory that it ever held, in KiB.

``python -m tests.benchmarks.hashing FILE CACHE``. The peak is the kernel's own (proc(5), VmHWM),
which begins anew with the program that is executed.
"""

import re
import sys
from pathlib import Path

from agent import platforms
from agent.fingerprint import Fingerprints


def main() -> None:
    """Examines the file and prints."""
    file, cache = map(Path, sys.argv[1:])
    host = platforms.live(home=file.parent, system_root=file.parent, environment={})
    reading = Fingerprints(cache).examine(host, file)
    assert reading.build is not None, reading.reason
    status = Path("/proc/self/status").read_text(encoding="ascii")
    peak = re.search(r"^VmHWM:\s+(\d+) kB$", status, re.MULTILINE)
    assert peak is not None, status
    print(peak[1])


if __name__ == "__main__":
    main()
