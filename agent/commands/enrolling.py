"""``enrol``: makes this machine known to a server."""

import sys
from dataclasses import replace
from pathlib import Path

import click

from agent import enrolment, identity, labels, text
from agent import settings as settings_module
from agent.commands.common import Typed, journal_of, pass_typed, print_error, print_lines
from agent.errors import ExchangeError, IdentityError
from agent.exchange_table import State
from agent.identity import Identity, Wish
from agent.settings import SECRET_VARIABLE
from agent.word import last_contact


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

    A machine that is enrolled there already, by that name if one is given, stays as it is,
    unless the server's last word was that it does not know it any more.

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
        if not _has_ended(typed):
            _refuse_another(earlier, wish)
            click.echo(f"enrolled already as {_named(earlier)}: nothing was sent")
            print_lines(_unchanged(earlier, wish))
            return
        click.echo(f"the server does not know {text.plain(earlier.label)} any more: enrolling anew")
        wish = replace(wish, label=wish.label or earlier.label, owner=wish.owner or earlier.owner)
    ask = _ask_secret if sys.stdin.isatty() else None
    secret = identity.enrolment_secret(typed.environment, secret_file, ask)
    if secret_file is not None and identity.is_exposed(secret_file):
        click.echo(f"note: other users can read {secret_file}: chmod 600 it", err=True)
    wish = _completed(typed, wish)
    _refuse_secrets(wish)
    who = _enrolled(typed, earlier, wish, secret)
    click.echo(f"enrolled as {_named(who)}")
    print_lines(_remarks(who, wish))
    click.echo(f"what is read and sent, and who sees it: {who.server_url}/laptop")
    click.echo("next: parity-agent check")


def _has_ended(typed: Typed) -> bool:
    """Whether the server's last word to this machine was that it does not know its token."""
    with journal_of(typed) as journal:
        contact = last_contact(journal)
    return contact is not None and contact.state == State.UNENROLLED.value


def _enrolled(typed: Typed, earlier: Identity | None, wish: Wish, secret: str) -> Identity:
    if earlier is None:
        return enrolment.enrol(typed.settings, wish, secret)
    done = enrolment.enrol_again(typed.settings, earlier, wish, secret)
    if done.unheard:
        print_error(unheard(earlier, done.unheard))
    return done.identity


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


def _unchanged(earlier: Identity, wish: Wish) -> list[str]:
    """What was wished for and is not to be had by enrolling."""
    asked = (("owner", wish.owner, earlier.owner), ("group", wish.group, earlier.group))
    if all(new in {None, old} for _, new, old in asked):
        return []
    return [
        "owner and group stay as they are: your operator can move this machine to another group"
    ]


def _remarks(who: Identity, wish: Wish) -> list[str]:
    lines = []
    if wish.group not in {None, who.group}:
        asked, gives = text.plain(wish.group), text.plain(who.group)
        lines.append(f"the group {asked} was asked for; the secret gives {gives}")
    if not wish.owner and not sys.stdin.isatty():
        lines.append("no owner was given: add --owner, so that your operator knows whom to ask")
    if wish.owner and labels.has_address(wish.owner):
        lines.append(
            f"the owner was sent as typed, e-mail address and all: {text.plain(wish.owner)}"
        )
    return lines


def _completed(typed: Typed, wish: Wish) -> Wish:
    """The wish with what a person adds to it, where there is one to ask."""
    default = wish.label or typed.settings.label
    if not sys.stdin.isatty():
        return replace(wish, label=default)
    label, owner = wish.label, wish.owner
    if label is None:
        default = default or identity.suggested(typed.settings.state_dir, wish)
        label = str(click.prompt("A name for this machine", default=default, err=True))
        # Before the next question: what was pasted here by mistake is told at once.
        _refuse_secrets(replace(wish, label=label))
    if owner is None:
        asked = "Who to ask about it (sent as typed; may be empty)"
        owner = str(click.prompt(asked, default="", show_default=False, err=True)).strip() or None
    return replace(wish, label=label, owner=owner)


def _refuse_secrets(wish: Wish) -> None:
    for name, typed in (("label", wish.label), ("owner", wish.owner)):
        if typed and labels.is_secret(typed):
            raise IdentityError(
                f"the {name} begins as a secret does: nothing was sent",
                advice="everybody who sees this machine at the server reads it: type a name",
            )


def _ask_secret() -> str:
    return str(click.prompt("Enrolment secret", hide_input=True, err=True))
