"""Program files that are put together or cut short, for what reads them."""

import io
import struct
from typing import BinaryIO

_CPU = {"x64": 0x0100_0007, "arm64": 0x0100_000C}


def universal(*parts: bytes, cpus: tuple[int, ...] = (_CPU["x64"], _CPU["arm64"])) -> bytes:
    """A universal file of these programs, its header as <mach-o/fat.h> has it."""
    table, data = b"", b""
    begins = 4096
    for part, cpu in zip(parts, cpus, strict=True):
        table += struct.pack(">IIIII", cpu, 3, begins + len(data), len(part), 12)
        data += part.ljust(-(-len(part) // 4096) * 4096, b"\0")
    return (b"\xca\xfe\xba\xbe" + struct.pack(">I", len(parts)) + table).ljust(begins, b"\0") + data


def cut(file: BinaryIO, size: int) -> BinaryIO:
    """A file of which only the first `size` bytes are left; nothing is copied."""
    return io.BufferedReader(_Cut(file, size))


class _Cut(io.RawIOBase):
    def __init__(self, file: BinaryIO, size: int) -> None:
        self._file = file
        self._size = size

    def seekable(self) -> bool:
        return True

    def readable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        begins = {io.SEEK_SET: 0, io.SEEK_CUR: self._file.tell(), io.SEEK_END: self._size}
        return self._file.seek(begins[whence] + offset)

    def tell(self) -> int:
        return self._file.tell()

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]
        left = max(0, self._size - self._file.tell())
        data = self._file.read(min(left, len(buffer)))
        buffer[: len(data)] = data
        return len(data)
