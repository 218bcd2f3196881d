"""Settings documents from bytes to values."""

import json
import plistlib
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.claude_config import documents

_JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=20,
)

_READERS = (documents.settings, documents.state, documents.has_servers)


@pytest.mark.parametrize(
    ("data", "found"),
    [
        (b'{"a": 1}', {"a": 1}),
        (b'\xef\xbb\xbf{"a": 1}', {"a": 1}),
        (b'{"a": 1, "a": 2}', {"a": 2}),
        (b" \n", {}),
        (b"", {}),
    ],
)
def test_a_settings_file_is_read_as_claude_code_reads_it(data: bytes, found: object) -> None:
    """Byte order mark skipped, last duplicate wins, a blank file says nothing."""
    assert documents.settings(data) == found


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b'{"secret": ', "not valid JSON"),
        (b'{"secret": 1,}', "not valid JSON"),
        (b'{"a": 1} // secret', "not valid JSON"),
        (b'{/* secret */ "a": 1}', "not valid JSON"),
        (b'{"secret": NaN}', "not valid JSON"),
        ('{"secret": 1}'.encode("utf-16"), "not valid JSON"),
        (b'{"mcpServers":' + b"[" * 100_000, "nested too deeply"),
        (b"[1]", "not one JSON object"),
        (b'"secret"', "not one JSON object"),
        (b'{"secret":' + b"[" * 100_000, "nested too deeply"),
    ],
)
def test_a_damaged_file_is_refused_without_quoting_it(data: bytes, reason: str) -> None:
    """The reason travels to the server, so it holds no word of the file."""
    for read in _READERS:
        with pytest.raises(documents.DocumentError, match=reason) as caught:
            read(data)
        assert "secret" not in str(caught.value)


@pytest.mark.parametrize("data", [b'{"secret": 1e999}', b'{"secret": "\xff"}'])
def test_a_value_that_cannot_be_read_spoils_a_settings_file(data: bytes) -> None:
    """The state file has it skipped; in settings it could be any key's."""
    with pytest.raises(documents.DocumentError):
        documents.settings(data)
    assert documents.state(data) == documents.State()


def test_only_the_real_settings_of_the_state_file_are_kept() -> None:
    """Accounts, projects and caches are skipped while parsing."""
    state = {
        "autoConnectIde": True,
        "diffTool": "auto",
        "oauthAccount": {"emailAddress": "ann@example.com"},
        "projects": {"/home/ann/secret": {"mcpServers": {}}},
    }
    assert documents.state(json.dumps(state).encode()).settings == {
        "autoConnectIde": True,
        "diffTool": "auto",
    }


def test_an_env_block_is_text_as_claude_code_makes_it() -> None:
    """Numbers and booleans become text; what has no text is set to something unknown."""
    block = {"a": "x", "b": 1, "c": True, "d": 2.0, "e": 0.5, "f": None, "g": {"h": 1}}
    assert documents.variables(block) == {
        "a": "x",
        "b": "1",
        "c": "true",
        "d": "2",
        "e": "0.5",
        "f": None,
        "g": None,
    }


def test_a_property_list_that_uses_one_value_over_and_over_is_refused() -> None:
    """A few hundred bytes would otherwise grow beyond all memory."""
    grown: list[object] = []
    for _ in range(40):
        grown = [grown, grown]
    data = plistlib.dumps({"a": grown}, fmt=plistlib.FMT_BINARY)
    assert len(data) < 1_000
    with pytest.raises(documents.DocumentError, match="not a property list of settings"):
        documents.property_list(data)


@given(_JSON)
def test_any_json_is_a_mapping_or_one_error(value: object) -> None:
    """Total over everything that a file may hold."""
    for read in (documents.settings, lambda data: documents.state(data).settings):
        try:
            found = read(json.dumps(value).encode())
        except documents.DocumentError:
            assert not isinstance(value, dict)
        else:
            assert isinstance(value, dict)
            assert all(value[name] == found[name] for name in found)


@given(_JSON, st.data())
def test_bytes_damaged_anywhere_are_read_or_refused_without_quoting_them(
    value: object, data: st.DataObject
) -> None:
    """Cut off, overwritten, or no text at all."""
    whole = json.dumps({"secret": value, "mcpServers": {"secret": value}, "env": value}).encode()
    at = data.draw(st.integers(0, len(whole)))
    damaged = (
        whole[:at] + data.draw(st.binary(max_size=4)) + whole[at + data.draw(st.integers(0, 9)) :]
    )
    for read in (*_READERS, documents.property_list, documents.catalog_version):
        assert "secret" not in _refusal(read, damaged)


def _refusal(read: Callable[[bytes], object], data: bytes) -> str:
    try:
        read(data)
    except documents.DocumentError as error:
        return str(error)
    return ""
