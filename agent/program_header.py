"""For which platform a native program is, by its header.

ELF (elf(5)), Mach-O (<mach-o/loader.h>, and <mach-o/fat.h> for universal files) and PE
("PE Format", Microsoft) are told apart by their first bytes. Whoever made the file chose every
number in it: each is bounded before it is followed, and a header that is cut short, leads
outside of the file or names another machine says nothing.
"""

import struct
from typing import BinaryIO

HEAD_BYTES = 2048
"""How much of a program's start holds all headers that are looked at without a seek."""

_INTERPRETER_MAX_BYTES = 256
_ELF_SEGMENTS_MAX = 64
_OFFSET_MAX = 2**62

_ELF_ARCHES = {0x3E: "x64", 0xB7: "arm64"}
_MACHO_ARCHES = {0x0100_0007: "x64", 0x0100_000C: "arm64"}
_PE_ARCHES = {0x8664: "x64", 0xAA64: "arm64"}
_ELF_INTERPRETER = 3
_ELF_SEGMENT_BYTES = 40  # p_filesz ends here
_MACHO_64 = b"\xcf\xfa\xed\xfe"
_MACHO_32 = b"\xce\xfa\xed\xfe"
_FAT = b"\xca\xfe\xba\xbe"
_FAT_64 = b"\xca\xfe\xba\xbf"
_FAT_ARCH_BYTES = {_FAT: 20, _FAT_64: 32}
_JAVA_VERSION_MIN = 45


def is_native(head: bytes) -> bool:
    """Whether a file that begins so is a native program of any system."""
    return head.startswith((b"\x7fELF", b"MZ", _MACHO_64, _MACHO_32)) or _is_universal(head)


def platform_of(file: BinaryIO, head: bytes) -> str | None:
    """``linux-x64-musl`` and so on; None where the header does not say it.

    A universal file is ``darwin-universal`` if each of its parts is a program of a known
    machine.

    Args:
        file: The whole file; its position is left anywhere.
        head: Its first `HEAD_BYTES`.

    Raises:
        OSError: It cannot be read.
    """
    try:
        if head.startswith(b"\x7fELF"):
            return _elf(file, head)
        if head.startswith(b"MZ"):
            return _pe(file, head)
        if _is_universal(head):
            return _universal(file, head)
        return _macho(head)
    except struct.error:
        # A header cut short says nothing.
        return None


def read_at(file: BinaryIO, offset: int, size: int) -> bytes:
    """At most so many bytes of a file from an offset; fewer where it ends.

    Raises:
        OSError: It cannot be read.
    """
    file.seek(offset)
    chunks = []
    while size and (chunk := file.read(size)):
        chunks.append(chunk)
        size -= len(chunk)
    return b"".join(chunks)


def pe_header(file: BinaryIO, head: bytes) -> int | None:
    """Where a PE file's own header begins ("PE Format", sections 1 and 2); None if nowhere.

    Raises:
        OSError: It cannot be read.
        struct.error: The file is cut short.
    """
    (offset,) = struct.unpack_from("<I", head, 0x3C)
    return int(offset) if read_at(file, offset, 4) == b"PE\0\0" else None


def _elf(file: BinaryIO, head: bytes) -> str | None:
    # elf(5): 64 bits, little endian; e_machine at 18, program headers by e_phoff at 32.
    if head[4:6] != b"\x02\x01":
        return None
    arch = _ELF_ARCHES.get(struct.unpack_from("<H", head, 18)[0])
    interpreter = _elf_interpreter(file, head)
    if arch is None or interpreter is None:
        return None
    return f"linux-{arch}-musl" if b"musl" in interpreter else f"linux-{arch}"


def _elf_interpreter(file: BinaryIO, head: bytes) -> bytes | None:
    (offset,) = struct.unpack_from("<Q", head, 32)
    size, count = struct.unpack_from("<HH", head, 54)
    if size < _ELF_SEGMENT_BYTES or offset > _OFFSET_MAX:
        return None
    table = read_at(file, offset, size * min(count, _ELF_SEGMENTS_MAX))
    for start in range(0, len(table) - _ELF_SEGMENT_BYTES + 1, size):
        (kind,) = struct.unpack_from("<I", table, start)
        (where,) = struct.unpack_from("<Q", table, start + 8)
        if kind == _ELF_INTERPRETER and where < _OFFSET_MAX:
            return read_at(file, where, _INTERPRETER_MAX_BYTES).partition(b"\0")[0]
    return None


def _macho(head: bytes) -> str | None:
    arch = _macho_arch(head)
    return arch and f"darwin-{arch}"


def _macho_arch(head: bytes) -> str | None:
    # 64 bits only: cputype at 4.
    if not head.startswith(_MACHO_64):
        return None
    return _MACHO_ARCHES.get(struct.unpack_from("<I", head, 4)[0])


def _is_universal(head: bytes) -> bool:
    # Java classes share the magic number, and have their version where the count is.
    count = int.from_bytes(head[4:8], "big")
    return head[:4] in _FAT_ARCH_BYTES and 0 < count < _JAVA_VERSION_MIN


def _universal(file: BinaryIO, head: bytes) -> str | None:
    size, count = _FAT_ARCH_BYTES[head[:4]], int.from_bytes(head[4:8], "big")
    # Big endian: cputype at 0, and the part's offset at 8, in 4 or 8 bytes.
    where = ">I" if head[:4] == _FAT else ">Q"
    for start in range(8, 8 + size * count, size):
        (machine,) = struct.unpack_from(">I", head, start)
        (offset,) = struct.unpack_from(where, head, start + 8)
        part = read_at(file, offset, 8) if offset < _OFFSET_MAX else b""
        if machine not in _MACHO_ARCHES or _macho_arch(part) != _MACHO_ARCHES[machine]:
            return None
    return "darwin-universal"


def _pe(file: BinaryIO, head: bytes) -> str | None:
    # Machine follows the signature.
    offset = pe_header(file, head)
    if offset is None:
        return None
    arch = _PE_ARCHES.get(struct.unpack("<H", read_at(file, offset + 4, 2))[0])
    return arch and f"win32-{arch}"
