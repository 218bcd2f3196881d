"""``service``: the daemon under the service manager of the user's system."""

from pathlib import Path

import click

from agent import lock, text
from agent import service as services
from agent.commands.common import Typed, enrolled, in_json, pass_typed, print_json
from agent.service.interface import Service, Status


@click.group()
def service() -> None:
    """Let the system start the agent whenever this user signs in.

    Exits with 0 done, 1 failure, 2 usage; `status` with 3 where it is not installed.
    """


@service.command()
@pass_typed
def install(typed: Typed) -> None:
    """Write the service down and start it; again after an upgrade or a changed setting.

    It starts the command of this very environment, with the PARITY_AGENT_ variables, the proxy
    and the certificate variables that are set now. Where no service manager answers, it is
    written down all the same, and what is left to do is printed.
    """
    enrolled(typed.settings)
    done = _service(typed).install()
    click.echo(f"written: {done.file}")
    if done.is_running:
        click.echo("the agent runs, and starts whenever you sign in")
        return
    click.echo(f"it was not started: {text.plain(done.reason)}")
    click.echo(f"what to do: {done.advice}")


@service.command()
@pass_typed
def uninstall(typed: Typed) -> None:
    """End the service and remove what was written; the machine stays enrolled."""
    was_there = _service(typed).uninstall()
    click.echo("the service is removed" if was_there else "there was no service")
    if lock.is_held(typed.settings.state_dir / "daemon.lock"):
        click.echo("an agent is still running: end it where it was started")


@service.command()
@in_json
@click.pass_context
@pass_typed
def status(typed: Typed, context: click.Context, *, as_json: bool) -> None:
    """Tell whether the service is installed, as it would be now, and running."""
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
    context.exit(0 if found.is_installed else 3)


def _service(typed: Typed) -> Service:
    config: Path | None = click.get_current_context().find_root().params.get("config")
    return services.of(typed.settings, typed.environment, config=config)


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
