"""The version in a Windows program's resources: a real one's, damaged ones', and garbage."""

import io
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.program_header import HEAD_BYTES
from agent.testing import program_bytes
from agent.version_resource import version

# Where the resources of the public 2.1.330 for win32-x64 lie, and how many there are.
RESOURCES_AT, RESOURCES_BYTES = 0x98F6600, 0x31200


class _Sparse(io.BytesIO):
    """A file's head and its resources in their place, and nothing between them."""

    def __init__(self, head: bytes, resources: bytes) -> None:
        super().__init__(head)
        self.resources = io.BytesIO(resources)
        self.inside = False

    def seek(self, offset: int, whence: int = 0) -> int:
        self.inside = offset >= RESOURCES_AT
        if self.inside:
            return self.resources.seek(offset - RESOURCES_AT)
        return super().seek(offset, whence)

    def read(self, size: int | None = -1) -> bytes:
        return self.resources.read(size) if self.inside else super().read(size)


@pytest.fixture(scope="module")
def parts(platform_program: Callable[[str, str], Path]) -> tuple[bytes, bytes]:
    """Head and resources of the public program."""
    with platform_program("2.1.330", "win32-x64").open("rb") as file:
        head = file.read(HEAD_BYTES)
        file.seek(RESOURCES_AT)
        return head, file.read(RESOURCES_BYTES)


@pytest.mark.real
def test_a_real_program_states_its_version(parts: tuple[bytes, bytes]) -> None:
    """Without its end, where the text is that else counts."""
    head, resources = parts
    assert version(_Sparse(head, resources), head) == "2.1.330"


@pytest.mark.real
def test_another_publishers_version_is_none(parts: tuple[bytes, bytes]) -> None:
    """A runtime's own number is not Claude Code's."""
    head, resources = parts
    other = resources.replace("Anthropic".encode("utf-16-le"), "Anthrapic".encode("utf-16-le"))
    assert version(_Sparse(head, other), head) is None


@pytest.mark.real
@given(data=st.data())
def test_damaged_resources_state_the_version_or_none(
    parts: tuple[bytes, bytes], data: st.DataObject
) -> None:
    """Tables that lead in circles or nowhere end, and nothing is raised."""
    head, resources = (bytearray(part) for part in parts)
    for damaged, most in ((head, 600), (resources, 2_000)):
        for place in data.draw(st.lists(st.integers(0, most), max_size=6)):
            damaged[place] = data.draw(st.integers(0, 255))
    found = version(_Sparse(bytes(head), bytes(resources)), bytes(head))
    assert found is None or found.count(".") == 2


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"MZ",
        b"MZ" + b"\xff" * 3000,
        program_bytes("win32-x64", "2.1.330"),
        program_bytes("linux-x64", "2.1.330"),
    ],
    ids=["empty", "short", "ones", "without", "elf"],
)
def test_a_program_without_resources_states_none(data: bytes) -> None:
    """Nor does what is no Windows program."""
    assert version(io.BytesIO(data), data[:HEAD_BYTES]) is None
