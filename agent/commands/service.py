"""``service``: the daemon under the service manager of the user's system."""

from pathlib import Path

import click

from agent import lock, text
from agent import service as services
from agent.commands.common import Typed, enrolled, in_json, pass_typed, print_json
from agent.service.interface import Service, Status


@click.group(short_help="Let the system start the agent at sign-in.")
def service() -> None:
    """Let the system start the agent whenever this user signs in.

    Exits with 0 done, 1 failure, 2 usage; for `status`, see its own help.
    """


@service.command(short_help="Write the service down and start it.")
@pass_typed
def install(typed: Typed) -> None:
    """Write the service down and start it; again after an upgrade or a changed setting.

    It starts the command of this very environment, with what is set now of the PARITY_AGENT_
    variables, those of a proxy and of certificates, CLAUDE_CONFIG_DIR and the XDG folders. Where
    no service manager answers, it is written down all the same, and what is left to do is printed.
    """
    enrolled(typed.settings)
    done = _service(typed).install()
    click.echo(f"written: {done.file}")
    if done.is_running:
        click.echo("the agent runs, and starts whenever you sign in")
        return
    click.echo(f"it was not started: {text.plain(done.reason)}")
    click.echo(f"what to do: {done.advice}")


@service.command(short_help="End the service and remove it.")
@pass_typed
def uninstall(typed: Typed) -> None:
    """End the service and remove what was written; the machine stays enrolled."""
    was_there = _service(typed).uninstall()
    click.echo("the service is removed" if was_there else "there was no service")
    if lock.is_held(typed.settings.state_dir / "daemon.lock"):
        click.echo("an agent is still running: end it where it was started")


@service.command(short_help="Tell whether it is installed and running.")
@in_json
@click.pass_context
@pass_typed
def status(typed: Typed, context: click.Context, *, as_json: bool) -> None:
    """Tell whether the service is installed, as it would be now, and an agent running.

    Exits with 0 installed and running, 1 failure, 2 usage, 3 not installed, 4 installed and not
    running.
    """
    found = _service(typed).status()
    is_running = lock.is_held(typed.settings.state_dir / "daemon.lock")
    if as_json:
        print_json(
            {
                "manager": found.manager,
                "file": str(found.file),
                "installed": found.is_installed,
                "current": found.is_current,
                "known": found.is_known,
                "running": is_running,
            }
        )
    else:
        click.echo(_told(found))
        click.echo("an agent is running" if is_running else "no agent is running")
    context.exit(_code(is_installed=found.is_installed, is_running=is_running))


def _service(typed: Typed) -> Service:
    config: Path | None = click.get_current_context().find_root().params.get("config")
    return services.of(typed.settings, typed.environment, config=config)


def _code(*, is_installed: bool, is_running: bool) -> int:
    if not is_installed:
        return 3
    return 0 if is_running else 4


def _told(found: Status) -> str:
    manager = found.manager.replace("_", " ")
    if not found.is_installed:
        return f"not installed ({manager}); to install it: parity-agent service install"
    if not found.is_current:
        return f"{found.file} is out of date; run: parity-agent service install"
    if found.is_known is None:
        return f"written down in {found.file}, but this system has no {manager}"
    if not found.is_known:
        return f"written down in {found.file}, but {manager} does not know it or does not answer"
    return f"installed ({manager}): {found.file}"
