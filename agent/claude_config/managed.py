"""Managed settings: which of the organisation's sources is in force (facts 3.2).

The first source with a policy key is the only one whose settings count, in this order: what
the server sent (as last cached), the system's management (macOS managed preferences, the
user's before the machine's; the machine's registry policy on Windows), the managed files
(``managed-settings.d`` after ``managed-settings.json``, alphabetically, so the last one wins),
and the user's registry policy. Only ``env`` is merged, per variable, over all but the last.
What the server sent does not count with a third-party provider or another endpoint. The
output of a ``policyHelper`` program is not known: nothing is run.

Of ``managed-mcp.json`` only its presence counts: it is not opened.
"""

from collections.abc import Mapping, Sequence
from pathlib import PurePath, PureWindowsPath
from urllib.parse import urlsplit

from agent.claude_config import documents
from agent.claude_config.key import Key
from agent.claude_config.sources import SETTINGS_MAX_BYTES, Files, Source
from agent.host import PolicyScope

LAYER = "managed"

Tier = Sequence[Source]
"""The documents of one managed source, highest precedence first."""

_HIVES: Mapping[PolicyScope, str] = {"machine": "HKLM", "user": "HKCU"}
_PROVIDERS = (
    "CLAUDE_CODE_USE_ANTHROPIC_AWS",
    "CLAUDE_CODE_USE_BEDROCK",
    "CLAUDE_CODE_USE_FOUNDRY",
    "CLAUDE_CODE_USE_MANTLE",
    "CLAUDE_CODE_USE_VERTEX",
)
_PUBLIC_ENDPOINT = "api.anthropic.com"


def local_tiers(files: Files) -> list[Tier]:
    """The managed sources that the system holds: its management, files, the user's policy."""
    return [_management(files), _files(files), _policy(files, "user")]


def sent_by_server(files: Files, folders: Sequence[PurePath]) -> Tier:
    """What the server sent, as cached in the first of these configuration folders that has it."""
    for folder in folders:
        if found := files.settings(LAYER, folder / "remote-settings.json"):
            return found
    return ()


def in_force(server: Tier, local: Sequence[Tier]) -> list[Source]:
    """The sources that count, highest precedence first. Pure.

    Args:
        server: As `sent_by_server`; empty where it does not apply.
        local: As `local_tiers`.
    """
    tiers = [server, *local]
    winner = next((tier for tier in tiers if _has_policy(tier)), ())
    found: list[Source] = []
    for tier in tiers:
        if tier is winner:
            found.extend(tier)
        elif tier is not local[-1]:
            found.extend(
                Source(each.layer, each.file, variables=each.variables)
                for each in tier
                if each.variables
            )
    return found


def accepts_server(sources: Sequence[Source]) -> bool:
    """Whether settings that the server sent are used with these variables. Pure.

    Args:
        sources: All others, highest precedence first.
    """
    if any(_is_on(_value(sources, name)) for name in _PROVIDERS):
        return False
    endpoint = _value(sources, "ANTHROPIC_BASE_URL")
    return endpoint == "" or _host_of(endpoint) == _PUBLIC_ENDPOINT


def mcp(files: Files) -> list[Source]:
    """That the organisation provides MCP servers by a file, if it does."""
    file = files.host.managed_settings / "managed-mcp.json"
    files.watch.append(file)
    try:
        is_there = files.host.stat(file).is_file
    except OSError as error:
        files.failed(LAYER, error)
        return []
    return [Source(LAYER, file, {"managedMcpServers": True})] if is_there else []


def _management(files: Files) -> Tier:
    tiers = [
        files.settings(LAYER, file, documents.property_list)
        for file in files.host.managed_preferences
    ]
    return next((tier for tier in tiers if _has_policy(tier)), _policy(files, "machine"))


def _files(files: Files) -> Tier:
    folder = files.host.managed_settings
    snippets = files.snippets(LAYER, folder / "managed-settings.d")
    names = [folder / "managed-settings.json", *snippets]
    return [source for file in reversed(names) for source in files.settings(LAYER, file)]


def _policy(files: Files, scope: PolicyScope) -> Tier:
    try:
        text = files.host.managed_policy(scope)
        if text is None:
            return ()
        data = text.encode("utf-8", "replace")
        if len(data) > SETTINGS_MAX_BYTES:
            files.problem(LAYER, "a registry value is too large to read")
            return ()
        found = documents.settings(data)
    except OSError as error:
        files.failed(LAYER, error)
        return ()
    except documents.DocumentError as error:
        files.problem(LAYER, str(error))
        return ()
    place = PureWindowsPath(_HIVES[scope], "SOFTWARE", "Policies", "ClaudeCode")
    return [files.source(LAYER, place, found)]


def _has_policy(tier: Tier) -> bool:
    """A name like ``$schema`` says something of the document, and sets no policy."""
    return any(
        each.variables or any(not name.startswith("$") for name in each.settings) for each in tier
    )


def _value(sources: Sequence[Source], name: str) -> str | None:
    return next((each.variables[name] for each in sources if name in each.variables), "")


def _is_on(value: str | None) -> bool:
    # What only the shell knows is set to something.
    switch = Key("variable", "switch", "behaviour", "boolean")
    return value is None or (value != "" and switch.told(value) is not False)


def _host_of(url: str | None) -> str | None:
    try:
        return None if url is None else urlsplit(url).hostname
    except ValueError:
        return None
