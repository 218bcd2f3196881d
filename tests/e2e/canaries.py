"""Secrets planted in every place that an agent could meet, each naming its place.

None of them may be sent, stored, printed or logged. Some places the agent reads, for other
things; those of `NEVER` it must not even open (facts 3.3, 4.2, 4.3).
"""

import json
from collections.abc import Mapping
from pathlib import Path

NEVER = (
    ".claude/.credentials.json",
    ".claude/.device-keys.json",
    ".claude/history.jsonl",
    ".claude/projects/-home-u-work/0b0c.jsonl",
    ".claude/projects/-home-u-work/memory/MEMORY.md",
    ".claude/paste-cache/1.txt",
    ".claude/uploads/1.txt",
    ".claude/file-history/1/a.py",
    ".claude/debug/1.txt",
    ".claude/ide/41.lock",
    ".claude/agent-memory/x/MEMORY.md",
    ".claude/daemon/roster.json",
    ".claude/jobs/1/state.json",
    ".claude/CLAUDE.md",
    ".claude/rules/own.md",
    ".claude/skills/own/SKILL.md",
    ".claude/agents/own.md",
    ".claude/commands/own.md",
    ".claude/output-styles/own.md",
    ".claude/policy-limits.json",
)
"""Below the home: secrets, conversations, prompts and what others run; none is ever opened."""

MARK = "canary-"


def secret(place: str) -> str:
    """A secret that looks like one and tells where it was planted."""
    words = "".join(each if each.isalnum() else "-" for each in place.lower()).strip("-")
    return f"{MARK}{words}-sk-ant-0123456789"


def plant(home: Path, root: Path) -> None:
    """Puts secrets into the files of a scratch machine, beside what is there."""
    for name in NEVER:
        _write(home / name, secret(name) + "\n")
    _write(home / ".claude/settings.json", json.dumps(_settings("user settings")))
    _write(home / ".claude/remote-settings.json", json.dumps(_settings("remote settings")))
    _write(home / ".claude.json", json.dumps(_state()))
    _write(home / ".claude/cache/model-catalog/catalog.json", json.dumps(_catalog()))
    _write(home / ".claude/plugins/installed_plugins.json", json.dumps({"x": secret("plugins")}))
    managed = root / "etc/claude-code"
    _write(managed / "managed-settings.json", json.dumps(_settings("managed settings")))
    _write(managed / "managed-settings.d/10.json", json.dumps(_settings("managed snippet")))
    _write(managed / "managed-mcp.json", json.dumps({"mcpServers": _servers("managed mcp")}))
    _write(managed / "CLAUDE.md", secret("managed memory"))
    for name in (".profile", ".bashrc", ".zshrc", ".config/fish/config.fish"):
        _append(home / name, _exports(name))
    _append(
        home / ".config/environment.d/10.conf", f"ANTHROPIC_AUTH_TOKEN={secret('environment d')}\n"
    )
    _append(root / "etc/environment", f"ANTHROPIC_API_KEY={secret('etc environment')}\n")
    _append(home / ".npmrc", f"//registry.example/:_authToken={secret('npmrc')}\n")


def variables(place: str) -> Mapping[str, str]:
    """Variables of a process, with secrets in them."""
    return {
        "ANTHROPIC_API_KEY": secret(f"{place} key"),
        "ANTHROPIC_CUSTOM_HEADERS": f"X-Key: {secret(f'{place} headers')}",
        "ANTHROPIC_MODEL": secret(f"{place} model"),
        "CLAUDE_CODE_OAUTH_TOKEN": secret(f"{place} token"),
        "OWN_PASSWORD": secret(f"{place} own"),
    }


def arguments() -> tuple[str, ...]:
    """Arguments of a session, with secrets in them."""
    return (
        "--model",
        secret("argument model"),
        f"--append-system-prompt={secret('argument prompt')}",
        "--mcp-config",
        json.dumps({"mcpServers": _servers("argument mcp")}),
        "--settings",
        json.dumps(_settings("argument settings")),
        secret("argument positional"),
    )


def registered(home: Path, pid: int, started: str) -> None:
    """An entry of the session registry, and the socket token beside it (facts 4.2)."""
    folder = home / ".claude/sessions"
    entry = {
        "pid": pid,
        "procStart": started,
        "version": "2.1.330",
        "entrypoint": "cli",
        "kind": "interactive",
        "cwd": secret("session folder"),
        "name": secret("session name"),
        "sessionId": secret("session id"),
    }
    _write(folder / f"{pid}.json", json.dumps(entry))
    _write(folder / f"{pid}.{'0' * 64}.key", secret("session key"))


def found(data: bytes) -> set[str]:
    """The places whose secrets are in some bytes, or the first words of them."""
    return {each.split(b"-sk-")[0].decode() for each in data.split(MARK.encode())[1:]}


def _settings(place: str) -> dict[str, object]:
    return {
        "env": variables(f"{place} env"),
        "apiKeyHelper": f"echo {secret(f'{place} helper')}",
        "model": secret(f"{place} model"),
        "outputStyle": secret(f"{place} style"),
        "language": secret(f"{place} language"),
        "hooks": {"Stop": [{"hooks": [{"type": "command", "command": secret(f"{place} hook")}]}]},
        "permissions": {"allow": [f"Read({secret(f'{place} permission')})"]},
        "statusLine": {"type": "command", "command": secret(f"{place} status line")},
        "enabledPlugins": {f"{secret(f'{place} plugin')}@x": True},
        "pluginConfigs": {"x": {"token": secret(f"{place} plugin settings")}},
        "unheardOfKey": secret(f"{place} unknown"),
    }


def _state() -> dict[str, object]:
    return {
        "oauthAccount": {
            "accountUuid": secret("account"),
            "emailAddress": f"{secret('mail')}@example.com",
            "organizationName": secret("organisation"),
            "billingType": secret("billing"),
        },
        "primaryApiKey": secret("primary key"),
        "userID": secret("user"),
        "machineID": secret("machine"),
        "firstStartVersion": secret("first start"),
        "projects": {f"/home/u/{secret('project')}": {"mcpServers": _servers("project")}},
        "mcpServers": _servers("state"),
        "cachedFeatureFlags": {"tengu_heron_brook": secret("flag")},
        "customApiKeyResponses": {"approved": [secret("key tail")]},
    }


def _catalog() -> dict[str, object]:
    return {"version": 5462, "issued_at": secret("catalog")}


def _servers(place: str) -> dict[str, object]:
    return {
        secret(f"{place} server"): {
            "url": f"https://u:{secret(f'{place} url')}@example.com",
            "headers": {"Authorization": secret(f"{place} header")},
            "env": {"TOKEN": secret(f"{place} server env")},
        }
    }


def _exports(name: str) -> str:
    return (
        f"export ANTHROPIC_API_KEY={secret(f'{name} key')}\n"
        f"export ANTHROPIC_MODEL={secret(f'{name} model')}\n"
        f"export OWN_TOKEN={secret(f'{name} own')}\n"
        f"# {secret(f'{name} comment')}\n"
    )


def _write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")


def _append(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("a", encoding="utf-8") as file:
        file.write(text)
