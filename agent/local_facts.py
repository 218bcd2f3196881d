"""What only the laptop shows of a look: paths, files, and the shell that the person typed in."""

from collections.abc import Mapping
from typing import Any

from agent.claude_config import overrides
from agent.cycle import Looked
from agent.render import Local
from agent.render_absent import idle
from agent.render_sessions import Place, Ran
from agent.wire import Session


def of(looked: Looked, environment: Mapping[str, str]) -> Local:
    """What the laptop adds to the server's word.

    Args:
        looked: What a look found.
        environment: The variables of the shell in which the command was typed.
    """
    config = looked.config
    return Local(
        places=tuple((each.install, each.program) for each in looked.found.installs),
        sessions=_sessions(looked),
        overrides=config.local if config else (),
        exposure=looked.made.exposure,
        typed_shell=overrides.typed_shell(environment),
        problems=looked.made.problems,
        public_default=overrides.public_default(config.config.revision) if config else None,
        config=config.config if config else None,
        idle=tuple(
            idle(each.program, each.names)
            for each in looked.found.installs
            if not each.install.starts
        ),
    )


def _sessions(looked: Looked) -> tuple[Ran, ...]:
    ran: dict[Session, list[Place]] = {session: [] for session in looked.made.sessions}
    for each in looked.sessions:
        ran.setdefault(each.session, []).append((each.program, each.surface))
    return tuple((session, tuple(places)) for session, places in ran.items())


def in_json(local: Local) -> dict[str, Any]:
    """The same as JSON values; none of it is ever sent."""
    return {
        "installs": [{"path": str(path), "install": install} for install, path in local.places],
        "sessions": [
            {
                "session": session,
                "paths": [str(path) for path, _ in places],
                "surfaces": [surface for _, surface in places],
            }
            for session, places in local.sessions
        ],
        "overrides": [
            {
                "key": each.name,
                "layer": each.layer,
                "file": str(each.file) if each.file else None,
                "value": each.value,
            }
            for each in local.overrides
        ],
        "exposure": local.exposure,
        "shell_not_sent": [{"key": each.name, "value": each.value} for each in local.typed_shell],
        "problems": local.problems,
        "public_default": local.public_default,
    }
