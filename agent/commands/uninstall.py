"""``uninstall``: takes the agent off this laptop, and this laptop off the server."""

import sys
from pathlib import Path

import click

from agent import identity, leaving, service, text
from agent import settings as settings_module
from agent.commands.common import Typed, pass_typed, print_error, print_lines
from agent.commands.enrolling import unheard
from agent.errors import AgentError, IdentityError
from agent.identity import Identity
from agent.leaving import Removed


@click.command(short_help="Take the agent off this laptop.")
@click.option("--yes", is_flag=True, help="Do not ask.")
@click.option("--keep-state", is_flag=True, help="Keep the journal and the caches for a look.")
@click.option(
    "--even-unheard", is_flag=True, help="Go on where the server cannot be told that it leaves."
)
@click.pass_context
@pass_typed
def uninstall(
    typed: Typed, context: click.Context, *, yes: bool, keep_state: bool, even_unheard: bool
) -> None:
    """Remove the service and the agent's own files, and sign off at the server.

    The server shows this machine as left from then on. Nothing of Claude Code is touched.

    Exits with 0 all is gone, 1 something is left, which is said, 2 usage.
    """
    who = _identity(typed)
    _ask(typed, who, yes=yes)
    _sign_off(typed, who, may_ask=not yes, even_unheard=even_unheard)
    is_clean = _remove_service(typed)
    removed = leaving.remove(typed.settings.state_dir, keep_state=keep_state)
    print_lines(_told(typed, removed, keep_state=keep_state))
    context.exit(0 if is_clean and not removed.stayed else 1)


def _identity(typed: Typed) -> Identity | None:
    try:
        return identity.load(typed.settings.state_dir)
    except IdentityError as error:
        # A damaged one must not keep the agent from being removed; its server hears nothing.
        print_error(error)
        return None


def _ask(typed: Typed, who: Identity | None, *, yes: bool) -> None:
    if yes:
        return
    if not sys.stdin.isatty():
        raise AgentError("nobody can be asked whether to go on", advice="add --yes")
    if who is not None:
        click.echo(f"{text.plain(who.label)} will be signed off at {who.server_url}", err=True)
    click.echo(f"the agent's own files in {typed.settings.state_dir} will be removed", err=True)
    click.confirm("remove the agent from this laptop?", abort=True, err=True)


def _sign_off(typed: Typed, who: Identity | None, *, may_ask: bool, even_unheard: bool) -> None:
    reason = leaving.say_goodbye(typed.settings, who) if who else ""
    if who is None or not reason:
        print_lines([f"signed off at {who.server_url}"] if who else ["it was not enrolled"])
        return
    error = unheard(who, reason)
    if not even_unheard and not may_ask:
        advice = f"try again when it can be reached, or add --even-unheard; then {error.advice}"
        raise AgentError(f"nothing was removed: {error}", advice=advice)
    print_error(error)
    if not even_unheard:
        click.confirm("go on all the same?", abort=True, err=True)


def _remove_service(typed: Typed) -> bool:
    try:
        was_there = service.uninstall(typed.settings, typed.environment)
    except AgentError as error:
        print_error(error)
        return False
    print_lines(["the service is removed"] if was_there else [])
    return True


def _told(typed: Typed, removed: Removed, *, keep_state: bool) -> list[str]:
    state = typed.settings.state_dir
    lines = [f"removed {file}" for file in removed.files]
    lines += [f"could not remove {file}: {reason}" for file, reason in removed.stayed]
    if keep_state:
        lines.append(f"kept {state}, as asked")
    elif removed.folder_stays:
        lines.append(f"kept {state}: something that the agent did not make is in it")
    settings_file, _ = settings_module.place(typed.environment, _config())
    lines += [
        f"kept {file}: it is yours"
        for file in (settings_file, typed.settings.log_file)
        if file is not None and file.exists()
    ]
    return [*lines, f"to remove the package too: {leaving.package_removal(Path(sys.executable))}"]


def _config() -> Path | None:
    config: Path | None = click.get_current_context().find_root().params.get("config")
    return config
