"""How much a process reads of each file, by strace: one trace file for each of its threads."""

import re
from pathlib import Path

_READ = re.compile(r"(?:read|pread64|readv|preadv)\(\d+<(?P<file>/[^>]*)>.* = (?P<bytes>\d+)$")
_MAPPED = re.compile(r"mmap\(\w+, (?P<bytes>\d+), .*, \d+<(?P<file>/[^>]*)>, \w+\) = 0x")


def tracing(strace: str, folder: Path) -> tuple[str | Path, ...]:
    """The command that runs a command and writes what it reads into a folder, which is made."""
    folder.mkdir()
    calls = "trace=read,pread64,readv,preadv,mmap"
    return (strace, "-ff", "-y", "-s", "0", "-e", calls, "-o", folder / "trace")


def read_in(folder: Path) -> dict[str, int]:
    """Bytes read or mapped of each file, but for the libraries that programs are made of."""
    found: dict[str, int] = {}
    for trace in folder.iterdir():
        for line in trace.read_text(encoding="utf-8", errors="replace").splitlines():
            match = _READ.match(line) or _MAPPED.match(line)
            if match and ".so" not in Path(match["file"]).name:
                found[match["file"]] = found.get(match["file"], 0) + int(match["bytes"])
    return found
