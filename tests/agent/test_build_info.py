"""What bytes say of themselves: real programs, made ones, and garbage."""

import hashlib
import io
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent import build_info
from agent.build_info import WINDOW_BYTES, BuildInfo
from agent.testing import program_bytes
from tests.agent.programs import cut, universal

PACKAGE_IN_PREFIX = "lib/node_modules/@anthropic-ai/claude-code"


def _read(data: bytes) -> BuildInfo:
    return build_info.read(io.BytesIO(data))


@pytest.mark.parametrize(
    "platform",
    [
        "linux-x64",
        "linux-arm64",
        "linux-x64-musl",
        "linux-arm64-musl",
        "darwin-x64",
        "darwin-arm64",
        "win32-x64",
        "win32-arm64",
    ],
)
def test_every_published_platform_is_told_by_its_header(platform: str) -> None:
    """Platform, version, commit and package come out of the bytes alone."""
    found = _read(program_bytes(platform, "2.1.330", commit="ab" * 20))
    assert found == BuildInfo(
        form="binary",
        version="2.1.330",
        platform=platform,
        commit="ab" * 20,
        package="@anthropic-ai/claude-code",
        built="2026-01-01T00:00:00Z",
    )


@pytest.mark.parametrize(
    "head",
    [
        b"\x7fELF\x01\x01\x01" + bytes(100),
        b"\x7fELF\x02\x02\x01" + bytes(100),
        b"\x7fELF\x02\x01",
        b"MZ",
        b"MZ" + b"\xff" * 200,
        b"\xcf\xfa\xed\xfe",
        b"\xce\xfa\xed\xfe" + bytes(20),
        program_bytes("linux-x64", "1")[:100],
    ],
)
def test_an_unknown_or_cut_header_is_a_binary_without_a_platform(head: bytes) -> None:
    """32 bits, other byte orders and half a header say nothing of a platform."""
    assert _read(head) == BuildInfo(form="binary")


def test_a_universal_file_is_told_as_one_and_a_java_class_is_not() -> None:
    """They share four bytes."""
    parts = program_bytes("darwin-x64", "2.1.330"), program_bytes("darwin-arm64", "2.1.330")
    found = _read(universal(*parts))
    assert (found.platform, found.version) == ("darwin-universal", "2.1.330")
    assert _read(b"\xca\xfe\xba\xbe\x00\x00\x00\x34" + bytes(9)).form is None


def test_the_last_statement_counts() -> None:
    """Sources quoted inside a build come before its own statement."""
    first, last = program_bytes("linux-x64", "1.0.0"), program_bytes("linux-x64", "2.0.0")
    assert _read(first + last).version == "2.0.0"


@pytest.mark.parametrize("shift", range(-160, 20, 12))
def test_a_statement_across_two_windows_is_found(shift: int) -> None:
    """Wherever the edge of a window cuts it."""
    data = program_bytes("linux-x64", "2.1.330") + bytes(WINDOW_BYTES + shift)
    assert _read(data).version == "2.1.330"


def test_values_of_another_form_are_dropped() -> None:
    """What could not be sent is not told at all."""
    found = _read(program_bytes("linux-x64", "2.1 330", package="a b", commit=""))
    assert (found.form, found.version, found.package, found.commit) == ("binary", None, None, None)


def test_another_package_name_is_told() -> None:
    """A build that was never public says so itself."""
    assert _read(program_bytes("linux-x64", "2.1.330", package="@x/cli")).package == "@x/cli"


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"", "the file is empty"),
        (b"#!/bin/sh\nexec claude\n", "the launcher is a script"),
        (b"@ECHO off\r\n", "the launcher is a script"),
        (b"// Version: 2.1.112\n", "the launcher is a script"),
        (b"#!/bin/sh\n// Version: 2.1.112\n", "the launcher is a script"),
        (b"\x00\x01\x02", "the file is no program of a known form"),
    ],
)
def test_what_is_no_program_has_a_reason(data: bytes, reason: str) -> None:
    """No version without a form."""
    assert _read(data) == BuildInfo(reason=reason)


def test_a_javascript_build_has_its_version_in_its_first_lines() -> None:
    """Only within the first 2 KB, and only after node's own first line."""
    start = b"#!/usr/bin/env -S node --no-warnings\n// (c)\n"
    assert _read(start + b"// Version: 1.0.0\nimport") == BuildInfo(form="js", version="1.0.0")
    assert _read(start + b"x" * 2048 + b"\n// Version: 1.0.0\n").form is None


@given(
    st.binary(max_size=400), st.sampled_from([b"\x7fELF\x02\x01", b"MZ", b"\xcf\xfa\xed\xfe", b""])
)
def test_any_bytes_give_an_answer(data: bytes, head: bytes) -> None:
    """Numbers out of a header lead nowhere that a read could fail."""
    found = _read(head + data)
    assert (found.form is None) == (found.reason is not None)


@given(
    st.lists(
        st.sampled_from([b'PACKAGE_URL:"', b'"', b",", b'README_URL:"', b"x" * 90]), max_size=200
    )
)
def test_torn_statements_cost_no_more_than_reading(pieces: list[bytes]) -> None:
    """Anchors without a statement behind them are given up after a few."""
    assert _read(b"MZ" + b"".join(pieces)).version is None


@pytest.mark.real
def test_a_real_build_says_version_and_commit(claude_package: Callable[..., Path]) -> None:
    """2.1.240 as npm gives it."""
    program = claude_package("2.1.240") / PACKAGE_IN_PREFIX / "bin/claude.exe"
    with program.open("rb") as file:
        found = build_info.read(file)
    assert (found.version, found.package) == ("2.1.240", "@anthropic-ai/claude-code")
    assert (found.commit or "").startswith("d235569e3f61")


@pytest.mark.real
@pytest.mark.parametrize(
    ("platform", "sha256"),
    [
        ("darwin-arm64", "f7c5093b9dd6560d08af28bc27b123fb55091deae3180ac39df199522da86815"),
        ("win32-x64", "fa797c1bc7d4a3511da42622bae53a2b7f1276ae328c668f2bfef44635301caa"),
    ],
)
def test_a_real_build_of_another_system_is_read_here(
    platform_program: Callable[[str, str], Path], platform: str, sha256: str
) -> None:
    """The bytes, and what they say of themselves (facts 7.1)."""
    with platform_program("2.1.330", platform).open("rb") as file:
        assert hashlib.file_digest(file, "sha256").hexdigest() == sha256
        assert build_info.read(file) == BuildInfo(
            form="binary",
            version="2.1.330",
            platform=platform,
            commit="8c664bec500172ded713624f9ecac0eb7e714829",
            package="@anthropic-ai/claude-code",
            built="2026-11-20T17:34:37Z",
        )


@pytest.mark.real
def test_a_real_program_that_was_cut_short_keeps_what_is_left_of_it(
    platform_program: Callable[[str, str], Path],
) -> None:
    """Of Windows' the version, since its resources come before its end; of macOS' no more."""
    with platform_program("2.1.330", "win32-x64").open("rb") as file:
        left = build_info.read(cut(file, 170_000_000))
    assert (left.version, left.platform, left.commit) == ("2.1.330", "win32-x64", None)
    with platform_program("2.1.330", "darwin-arm64").open("rb") as file:
        left = build_info.read(cut(file, 170_000_000))
    assert (left.version, left.platform) == (None, "darwin-arm64")
