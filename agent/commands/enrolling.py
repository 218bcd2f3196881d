"""``enrol``: makes this machine known to a server."""

import sys
from dataclasses import replace
from pathlib import Path

import click

from agent import enrolment, identity, text
from agent import settings as settings_module
from agent.commands.common import Typed, pass_typed, print_error
from agent.errors import ExchangeError, IdentityError
from agent.identity import Identity, Wish
from agent.settings import SECRET_VARIABLE


@click.command()
@click.option("--server", help="The server's address, https://...")
@click.option(
    "--secret-file",
    type=click.Path(path_type=Path),
    help=f"File with the enrolment secret; else {SECRET_VARIABLE}, else a prompt.",
)
@click.option(
    "--label",
    help="This machine's name, unique on the server; without a terminal one is made of the"
    " owner, the system and chance.",
)
@click.option("--owner", help="Who to ask about this machine.")
@click.option("--group", help="The group wished for; the secret decides.")
@click.option("--again", is_flag=True, help="End an earlier enrolment of this machine first.")
@pass_typed
def enrol(typed: Typed, /, secret_file: Path | None, *, again: bool, **wished: str | None) -> None:
    """Make this machine known to a server.

    A machine that is enrolled there already, by that name if one is given, stays as it is.

    Exits with 0 enrolled, 1 failure, 2 usage.
    """
    wish = Wish(
        server_url=_server(wished["server"] or typed.settings.server_url),
        label=wished["label"],
        owner=wished["owner"],
        group=wished["group"],
    )
    earlier = identity.load(typed.settings.state_dir)
    if earlier is not None and not again:
        _refuse_another(earlier, wish)
        click.echo(f"enrolled already as {_named(earlier)}: nothing was sent")
        return
    wish = replace(wish, label=wish.label or _label(typed.settings.label))
    ask = _ask_secret if sys.stdin.isatty() else None
    secret = identity.enrolment_secret(typed.environment, secret_file, ask)
    if earlier is None:
        who = enrolment.enrol(typed.settings, wish, secret)
    else:
        done = enrolment.enrol_again(typed.settings, earlier, wish, secret)
        who = done.identity
        if done.unheard:
            print_error(unheard(earlier, done.unheard))
    click.echo(f"enrolled as {_named(who)}")
    click.echo(f"what is read and sent, and who sees it: {who.server_url}/laptop")
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


def _refuse_another(earlier: Identity, wish: Wish) -> None:
    if not identity.is_as_wished(earlier, wish):
        raise IdentityError(
            f"this machine is enrolled already, as {earlier.label} at {earlier.server_url}",
            advice="to end that and enrol it anew, add --again; to end it only, run:"
            " parity-agent uninstall",
        )


def _named(who: Identity) -> str:
    return f"{text.plain(who.label)} in the group {text.plain(who.group)}"


def unheard(who: Identity, reason: str) -> ExchangeError:
    """That a server does not know that a machine has left, and what its operator can do."""
    return ExchangeError(
        f"{who.server_url} could not be told that {who.label} leaves: {reason}",
        advice=f"tell its operator, or it counts as silent there: parity-server machines revoke"
        f" {who.machine}",
    )


def _label(default: str | None) -> str | None:
    if sys.stdin.isatty():
        return str(click.prompt("A name for this machine", default=default, err=True))
    return default


def _ask_secret() -> str:
    return str(click.prompt("Enrolment secret", hide_input=True, err=True))
