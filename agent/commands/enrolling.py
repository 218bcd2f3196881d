"""``enrol``: makes this machine known to a server."""

import sys
from pathlib import Path

import click

from agent import identity, text
from agent import settings as settings_module
from agent.commands.common import Typed, pass_typed
from agent.enrolment import enrol as enrol_machine
from agent.errors import IdentityError
from agent.identity import Wish
from agent.settings import SECRET_VARIABLE


@click.command()
@click.option("--server", help="The server's address, https://...")
@click.option(
    "--secret-file",
    type=click.Path(path_type=Path),
    help=f"File with the enrolment secret; else {SECRET_VARIABLE}, else a prompt.",
)
@click.option("--label", help="This machine's name, unique on the server.")
@click.option("--owner", help="Who to ask about this machine.")
@click.option("--group", help="The group wished for; the secret decides.")
@pass_typed
def enrol(typed: Typed, /, secret_file: Path | None, **wished: str | None) -> None:
    """Make this machine known to a server."""
    wish = Wish(
        server_url=_server(wished["server"] or typed.settings.server_url),
        label=wished["label"] or _label(typed.settings.label),
        owner=wished["owner"],
        group=wished["group"],
    )
    ask = _ask_secret if sys.stdin.isatty() else None
    secret = identity.enrolment_secret(typed.environment, secret_file, ask)
    done = enrol_machine(typed.settings, wish, secret)
    click.echo(f"enrolled as {text.plain(done.label)} in the group {text.plain(done.group)}")
    click.echo("next: parity-agent check")


def _server(given: str | None) -> str:
    if given is None:
        raise IdentityError("no server was named", advice="add --server https://...")
    try:
        return settings_module.checked_url(given)
    except ValueError as error:
        raise IdentityError(
            f"the server address {error}", advice="give it as https://host[:port]"
        ) from error


def _label(default: str | None) -> str:
    if sys.stdin.isatty():
        return str(click.prompt("A name for this machine", default=default, err=True))
    if default is None:
        raise IdentityError("this machine has no label", advice="add --label NAME")
    return default


def _ask_secret() -> str:
    return str(click.prompt("Enrolment secret", hide_input=True, err=True))
