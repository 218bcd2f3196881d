"""Overrides as lines of text. Pure."""

from collections.abc import Sequence

from agent.claude_config.overrides import LocalOverride
from agent.text import plain, table, wrapped
from agent.wire import Config, Override


def overridden(
    config: Config | None, found: Sequence[LocalOverride], public_default: str | None
) -> list[str]:
    """Each override that is told, where it is set, and the config hash.

    Args:
        config: What is told; None where no configuration could be examined.
        found: What only the laptop shows of it; empty where it did not look.
        public_default: The config hash of a machine that overrides nothing; None as above.
    """
    if config is None:
        return ["OVERRIDES", "  the configuration could not be examined"]
    head = ("KEY", "LAYER", "CLASS", "VALUE", "COUNTS")
    rows = [_row(each) for each in config.overrides]
    lines = table(head, rows) if rows else ["  none"]
    for each in config.unnamed:
        more = f"and {each.count} more in the layer {each.layer}, whose names are not sent"
        lines += wrapped(more, "  ")
    lines += _set_in(found)
    return ["OVERRIDES", *lines, *_config_hash(config, public_default)]


def typed_shell(found: Sequence[LocalOverride]) -> list[str]:
    """The variables of the shell in which the command was typed.

    Args:
        found: As `agent.claude_config.overrides.typed_shell`.
    """
    if not found:
        return []
    rows = [(each.name, each.override_class, _value(each)) for each in found]
    lines = table(("VARIABLE", "CLASS", "VALUE"), rows)
    return ["SET IN THIS SHELL ONLY (not sent)", *lines]


def _row(each: Override) -> tuple[str, ...]:
    name, value = each.key, _value(each)
    if each.kind == "flag":
        name = f"--{each.key}"
    elif each.kind == "file":
        name, value = f"{each.key} (files)", "there"
    return (name, each.layer, each.override_class, value, _standing_of(each))


def _standing_of(each: Override) -> str:
    if each.shadowed:
        return "no: a higher layer sets it"
    if each.is_default:
        return "no: it is the default"
    return "yes" if each.override_class == "behaviour" else "no"


def _set_in(found: Sequence[LocalOverride]) -> list[str]:
    files = dict.fromkeys(plain(each.file) for each in found if each.file)
    unnamed = [plain(each.name) for each in found if not each.named]
    lines = [f"  set in {file}" for file in files]
    if unnamed:
        lines += wrapped(f"not named to the server: {', '.join(unnamed)}", "  ")
    return lines


def _config_hash(config: Config, public_default: str | None) -> list[str]:
    if public_default is None:
        return _hash("config hash", config.hash)
    if config.hash == public_default:
        return [*_hash("config hash", config.hash), "  that is the public default"]
    return [*_hash("config hash   ", config.hash), *_hash("public default", public_default)]


def _hash(name: str, value: str) -> list[str]:
    return wrapped(f"{name}  {value}", "  ", hang="    ")


def _value(each: Override | LocalOverride) -> str:
    value = each.value
    if value is None:
        # Of this class nothing more is ever read; the value may well be no secret.
        return "presence only" if each.override_class == "secret" else "set"
    return str(value).lower() if isinstance(value, bool) else str(value)
