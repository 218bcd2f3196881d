"""Settings documents from bytes to values. Pure.

Plain JSON as Claude Code reads it: a byte order mark is skipped, of a name given twice the last
counts, and a blank file says nothing. What macOS's management sets is a property list. What
cannot be used is a `DocumentError` whose text holds no word of the document.
"""

import plistlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Annotated, Any

import msgspec

from agent.claude_config.exposure import first_start_class, plan_class

VALUES_MAX = 50_000
"""Most values of a property list, counted as often as they are used."""

_BOM = b"\xef\xbb\xbf"


class DocumentError(Exception):
    """A document cannot be used; the text says why, and nothing of what it holds."""


@dataclass(frozen=True)
class State:
    """What is kept of ``~/.claude.json``.

    Attributes:
        settings: Its few real settings.
        has_servers: Whether the user has MCP servers in it, for all projects.
        first_start: As `agent.claude_config.exposure.first_start_class`.
        plan: As `agent.claude_config.exposure.plan_class`.
    """

    settings: Mapping[str, object] = field(default_factory=dict)
    has_servers: bool = False
    first_start: str | None = None
    plan: str | None = None


class _State(msgspec.Struct, rename="camel"):
    """The only keys of ``~/.claude.json`` that are looked at (facts 3.1, "Global state"; 3.6)."""

    auto_connect_ide: Any = msgspec.UNSET
    auto_install_ide_extension: Any = msgspec.UNSET
    diff_tool: Any = msgspec.UNSET
    external_editor_context: Any = msgspec.UNSET
    permission_explainer_enabled: Any = msgspec.UNSET
    first_start_version: Any = None
    mcp_servers: msgspec.Raw | msgspec.UnsetType = msgspec.UNSET


class _Servers(msgspec.Struct, rename="camel"):
    """The only key of the desktop app's configuration that is looked at (facts 3.3)."""

    mcp_servers: msgspec.Raw | msgspec.UnsetType = msgspec.UNSET


class _Account(msgspec.Struct, rename="camel"):
    """Two words of the account, looked at only where the user shares the plan (facts 3.6)."""

    billing_type: Any = None
    seat_tier: Any = None


class _Owner(msgspec.Struct, rename="camel"):
    oauth_account: _Account | None = None


class _Catalog(msgspec.Struct):
    """A model catalog, by the fields that each has (facts 3.3)."""

    version: Annotated[int, msgspec.Meta(ge=0, le=2**53 - 1)]
    issued_at: Any
    expires_at: Any


def settings(data: bytes) -> Mapping[str, object]:
    """All settings of a settings file.

    Raises:
        DocumentError: It is not JSON, not one object, or nested too deeply.
    """
    found = _decode(data, dict[str, Any])
    return found if isinstance(found, dict) else {}


def property_list(data: bytes) -> Mapping[str, object]:
    """All settings of a property list, in either of its forms.

    Raises:
        DocumentError: It is no property list, or holds what JSON cannot.
    """
    try:
        found = plistlib.loads(data)
        _refuse_growth(found)
        # By way of JSON, names and values that JSON cannot hold end here.
        text = msgspec.json.encode(found)
    # The parser lets out whatever a damaged list makes it stumble over.
    except Exception:  # noqa: BLE001 - the reason is above
        raise DocumentError("not a property list of settings") from None
    return settings(text)


def state(data: bytes, *, share_plan: bool = False) -> State:
    """What is kept of ``~/.claude.json``; the rest of it is skipped unread.

    Args:
        data: The file.
        share_plan: Whether two words of the account may be looked at, for their class.

    Raises:
        DocumentError: As for `settings`.
    """
    found = _decode(data, _State)
    if not isinstance(found, _State):
        return State()
    has_servers = _has_names(found.mcp_servers)
    found.mcp_servers = msgspec.UNSET
    kept = msgspec.to_builtins(found)
    started = first_start_class(kept.pop("firstStartVersion"))
    return State(kept, has_servers, started, _plan(data) if share_plan else None)


def has_servers(data: bytes) -> bool:
    """Whether the desktop app's configuration has MCP servers; their names are not kept.

    Raises:
        DocumentError: As for `settings`.
    """
    found = _decode(data, _Servers)
    return isinstance(found, _Servers) and _has_names(found.mcp_servers)


def catalog_version(data: bytes) -> int | None:
    """The version of a model catalog; None for what is none (facts 3.6)."""
    try:
        found = _decode(data, _Catalog)
    except DocumentError:
        return None
    return found.version if isinstance(found, _Catalog) else None


def _has_names(block: msgspec.Raw | msgspec.UnsetType) -> bool:
    """Whether a block is an object that is not empty; its values are skipped unread."""
    try:
        return not isinstance(block, msgspec.UnsetType) and bool(
            msgspec.json.decode(block, type=dict[str, msgspec.Raw])
        )
    except ValueError:
        return False  # not an object


def _plan(data: bytes) -> str | None:
    try:
        found = _decode(data, _Owner)
    except DocumentError:
        return None  # An account of another shape has no class; the settings beside it stay.
    account = found.oauth_account if isinstance(found, _Owner) else None
    return plan_class(seat=account.seat_tier, billing=account.billing_type) if account else None


def variables(block: object) -> Mapping[str, str | None]:
    """The variables of an ``env`` block, as text; None where a value is no text.

    Claude Code turns numbers and booleans into text, as JavaScript writes them.

    Raises:
        DocumentError: The block is not an object.
    """
    if block is None:
        return {}
    if not isinstance(block, dict):
        raise DocumentError("env is not an object")
    return {name: _text(value) for name, value in block.items()}


def _refuse_growth(value: object) -> None:
    """A binary list may hold one value in many places, or in itself."""
    waiting, seen = [value], 0
    while waiting:
        seen += 1
        if seen > VALUES_MAX:
            raise DocumentError("too many values")
        each = waiting.pop()
        if isinstance(each, dict):
            waiting.extend(each.values())
        elif isinstance(each, list):
            waiting.extend(each)


def _text(value: object) -> str | None:
    match value:
        case str():
            return value
        case bool():
            return "true" if value else "false"
        case float() if value.is_integer():
            return str(int(value))
        case int() | float():
            return str(value)
        case _:
            return None


def _decode(data: bytes, shape: type) -> object:
    body = data.removeprefix(_BOM)
    if not body.strip():
        return None
    try:
        return msgspec.json.decode(body, type=shape)
    except msgspec.ValidationError:
        raise DocumentError("not one JSON object, or a number out of range") from None
    except RecursionError:
        raise DocumentError("nested too deeply") from None
    except ValueError:
        raise DocumentError("not valid JSON") from None
