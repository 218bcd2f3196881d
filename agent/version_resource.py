"""The version that a Windows program's resources state (facts 1.2).

"PE Format" (Microsoft), section 6.9: the resource section is a tree of three levels, type,
name and language, whose leaf leads to a VS_VERSIONINFO structure. Every number is a stranger's:
tables and the structure are bounded, each level is entered once, and what leads nowhere
states nothing. It counts only where the resources name the publisher: other programs have
versions too.
"""

import struct
from typing import BinaryIO

from agent.program_header import pe_header, read_at

RESOURCE_MAX_BYTES = 65_536
"""How much of a version resource is looked at."""

ENTRIES_MAX = 256
"""Most entries of one resource table."""

SECTIONS_MAX = 96
"""Most sections of one image ("PE Format", section 2.3)."""

_PUBLISHER = "Anthropic".encode("utf-16-le")
_FIXED = b"\xbd\x04\xef\xfe"  # VS_FIXEDFILEINFO.dwSignature
_PE32_PLUS = 0x20B
_RESOURCE_DIRECTORY_AT = 112 + 2 * 8  # the third data directory of a PE32+ header
_SECTION_BYTES = 40
_RT_VERSION = 16
_IS_TABLE = 0x8000_0000


def version(file: BinaryIO, head: bytes) -> str | None:
    """``2.1.330`` where the file states the product version ``2.1.330.0``; else None.

    Args:
        file: The whole file; its position is left anywhere.
        head: Its first bytes.

    Raises:
        OSError: It cannot be read.
    """
    if not head.startswith(b"MZ"):
        return None
    try:
        data = _resource(file, head)
        fixed = data.find(_FIXED)
        if fixed < 0 or _PUBLISHER not in data:
            return None
        major_minor, patch_build = struct.unpack_from("<II", data, fixed + 16)
    except struct.error:
        return None
    return f"{major_minor >> 16}.{major_minor & 0xFFFF}.{patch_build >> 16}"


def _resource(file: BinaryIO, head: bytes) -> bytes:
    """The version resource's bytes; none where there is none."""
    section = _section(file, head)
    if section is None:
        return b""
    begin, address = section
    # A type's table leads to one of names, a name's to one of languages, and that to the leaf.
    names = _entry(file, begin, 0, kind=_RT_VERSION)
    languages = _entry(file, begin, names & ~_IS_TABLE) if names & _IS_TABLE else 0
    leaf = _entry(file, begin, languages & ~_IS_TABLE) if languages & _IS_TABLE else 0
    if leaf == 0 or leaf & _IS_TABLE:
        return b""
    place, size = struct.unpack("<II", read_at(file, begin + leaf, 8))
    if place < address:
        return b""
    return read_at(file, begin + place - address, min(size, RESOURCE_MAX_BYTES))


def _section(file: BinaryIO, head: bytes) -> tuple[int, int] | None:
    """Where the resource section lies in the file, and its address once loaded."""
    offset = pe_header(file, head)
    if offset is None:
        return None
    count, size = struct.unpack("<H12xH", read_at(file, offset + 6, 16))
    optional = read_at(file, offset + 24, size)
    (address,) = struct.unpack_from("<I", optional, _RESOURCE_DIRECTORY_AT)
    if struct.unpack_from("<H", optional) != (_PE32_PLUS,) or address == 0:
        return None
    table = read_at(file, offset + 24 + size, _SECTION_BYTES * min(count, SECTIONS_MAX))
    for start in range(0, len(table) - _SECTION_BYTES + 1, _SECTION_BYTES):
        begins, _, place = struct.unpack_from("<III", table, start + 12)
        if begins == address:
            return place, address
    return None


def _entry(file: BinaryIO, begin: int, table: int, *, kind: int | None = None) -> int:
    """Where an entry of a table leads: the one of a kind, or the first; 0 where there is none."""
    named, numbered = struct.unpack("<HH", read_at(file, begin + table + 12, 4))
    entries = read_at(file, begin + table + 16, 8 * min(named + numbered, ENTRIES_MAX))
    for start in range(0, len(entries) - 7, 8):
        name, leads = struct.unpack_from("<II", entries, start)
        if kind is None or name == kind:
            return int(leads)
    return 0
