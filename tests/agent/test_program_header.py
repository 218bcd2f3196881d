"""Headers of native programs: real ones, damaged ones, and garbage."""

import io
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.program_header import HEAD_BYTES, is_native, platform_of
from agent.testing import program_bytes
from tests.agent.programs import universal

PLATFORMS = [
    f"{system}-{arch}{libc}"
    for system, libcs in (("linux", ("", "-musl")), ("darwin", ("",)), ("win32", ("",)))
    for arch in ("x64", "arm64")
    for libc in libcs
]


def _platform(data: bytes) -> str | None:
    return platform_of(io.BytesIO(data), data[:HEAD_BYTES])


@given(
    platform=st.sampled_from(PLATFORMS),
    changes=st.lists(st.tuples(st.integers(0, 300), st.integers(0, 255)), max_size=8),
    length=st.integers(0, 400),
)
def test_a_damaged_header_says_a_known_platform_or_none(
    platform: str, changes: list[tuple[int, int]], length: int
) -> None:
    """Whatever its numbers are, nothing is raised and nothing is invented."""
    data = bytearray(program_bytes(platform, "2.1.330")[:400])
    for place, value in changes:
        data[place] = value
    assert _platform(bytes(data[:length])) in {None, "darwin-universal", *PLATFORMS}


@pytest.mark.parametrize("platform", PLATFORMS)
def test_a_header_that_is_cut_anywhere_says_all_or_nothing(platform: str) -> None:
    """There is no half platform."""
    whole = program_bytes(platform, "2.1.330")
    found = [_platform(whole[:length]) for length in range(300)]
    assert set(found) <= {None, platform, platform.removesuffix("-musl")}
    assert found[0] is None
    assert found[-1] == platform


@pytest.mark.parametrize(
    "data",
    [
        universal(b"no program", program_bytes("darwin-arm64", "1.0.0")),
        universal(program_bytes("darwin-x64", "1.0.0"), program_bytes("darwin-x64", "1.0.0")),
        universal(program_bytes("darwin-x64", "1.0.0"), cpus=(7,)),
        universal(program_bytes("darwin-x64", "1.0.0"), cpus=(0x0100_0007,))[:4096],
        b"\xca\xfe\xba\xbe\x00\x00\x00\x02" + b"\xff" * 40,
        b"\xca\xfe\xba\xbf\x00\x00\x00\x02" + b"\xff" * 64,
        b"\xca\xfe\xba\xbe\x00\x00\x00\x02",
    ],
    ids=["part", "machine", "unknown", "short", "offset", "offset64", "cut"],
)
def test_a_universal_file_with_a_damaged_part_says_no_platform(data: bytes) -> None:
    """Each part is looked at; one that is wrong says nothing for all."""
    assert is_native(data)
    assert _platform(data) is None


@pytest.mark.real
@pytest.mark.parametrize("platform", ["darwin-arm64", "win32-x64"])
def test_a_real_head_that_is_cut_anywhere_raises_nothing(
    platform_program: Callable[[str, str], Path], platform: str
) -> None:
    """At every byte of the headers as they are published."""
    with platform_program("2.1.330", platform).open("rb") as file:
        head = file.read(HEAD_BYTES)
    found = {_platform(head[:length]) for length in range(len(head))}
    assert found == {None, platform}
