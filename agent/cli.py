"""``parity-agent``: what a person types. The only module that prints and exits.

Standard output holds what was asked for, standard error everything else: progress and
the two lines of an error (what happened; what to do).
"""

import os
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click
import msgspec

from agent import (
    __version__,
    daemon,
    digest,
    identity,
    length,
    local_facts,
    logs,
    pausing,
    render,
    sendings,
    text,
)
from agent import check as checking
from agent import settings as settings_module
from agent.cycle import Contact, Parts
from agent.enrolment import enrol as enrol_machine
from agent.errors import AgentError, IdentityError, PausedError
from agent.identity import Identity, Wish
from agent.journal import Journal, open_journal
from agent.pause import Pause
from agent.pause_file import Pauses
from agent.progress import Progress
from agent.render import Local
from agent.settings import SECRET_VARIABLE, Settings

EXIT_CODES: Mapping[str, int] = {
    "match": 0,
    "drift": 10,
    "pending": 11,
    "unknown": 12,
    "absent": 13,
    "exempt": 14,
    "paused": 15,
}
"""What ``check`` exits with; every other standing is 1, a failure; wrong usage is 2."""


@dataclass(frozen=True)
class _Typed:
    settings: Settings
    environment: Mapping[str, str]


def main() -> None:
    """Runs the command line and exits; an expected error is two lines and the code 1."""
    try:
        cli.main(prog_name="parity-agent", standalone_mode=True)
    except AgentError as error:
        _print_error(error)
        sys.exit(1)


@click.group()
@click.version_option(__version__, prog_name="parity-agent")
@click.option(
    "--config", type=click.Path(path_type=Path), help="Settings file, instead of the usual one."
)
@click.pass_context
def cli(context: click.Context, config: Path | None) -> None:
    """Tells whether the Claude Code on this machine is the exact public release."""
    environment = dict(os.environ)
    context.obj = _Typed(settings_module.load(environment, config), environment)
    logs.configure_command(context.obj.settings)


@cli.command()
@click.option("--server", help="The server's address, https://...")
@click.option(
    "--secret-file",
    type=click.Path(path_type=Path),
    help=f"File with the enrolment secret; else {SECRET_VARIABLE}, else a prompt.",
)
@click.option("--label", help="This machine's name, unique on the server.")
@click.option("--owner", help="Who to ask about this machine.")
@click.option("--group", help="The group wished for; the secret decides.")
@click.pass_obj
def enrol(typed: _Typed, /, secret_file: Path | None, **wished: str | None) -> None:
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


@cli.command()
@click.option("--json", "as_json", is_flag=True, help="Print JSON instead of a table.")
@click.option(
    "--wait",
    "wait_s",
    type=click.FloatRange(0, 3600),
    default=0,
    metavar="SECONDS",
    help="How long to wait while the server is still looking something up.",
)
@click.pass_obj
def check(typed: _Typed, *, as_json: bool, wait_s: float) -> None:
    """Look, check in, and print the verdict.

    Exits with 0 match, 10 drift, 11 pending, 12 unknown, 13 no install, 14 exempt,
    15 paused (then nothing is looked at or sent), 1 failure, 2 usage.
    """
    who = _enrolled(typed.settings)
    try:
        with _journal(typed) as journal, _parts(typed) as parts:
            checked = checking.now(parts, journal, who, wait_s=wait_s)
    except PausedError as error:
        if as_json:
            _print_json({"machine": None, "local": None, "paused": _pause(typed)})
        _print_error(error)
        sys.exit(EXIT_CODES["paused"])
    local = local_facts.of(checked.looked, typed.environment)
    if as_json:
        told = {"machine": checked.view, "local": local_facts.in_json(local), "paused": None}
        _print_json(told)
    else:
        _print(render.verdict(checked.view, local, colour=_colour()))
    sys.exit(EXIT_CODES.get(checked.view.standing, 1))


@cli.command()
@click.option("--last", is_flag=True, help="What was last sent, without looking again.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
@click.pass_obj
def show(typed: _Typed, *, last: bool, as_json: bool) -> None:
    """Print the very bytes that would be sent now; sends nothing."""
    with _journal(typed) as journal, _parts(typed) as parts:
        who = identity.load(typed.settings.state_dir)
        found = sendings.last(journal) if last else sendings.upcoming(parts, journal, who)
    if as_json:
        _print_json({name: msgspec.Raw(body) for name, body in found.items()})
        return
    for name, body in found.items():
        click.echo(f"{name}, {len(body)} bytes, {digest.of_bytes(body)}:", err=True)
        click.echo(body)
    if not found:
        click.echo(_nothing_to_show(typed, last=last), err=True)


@cli.command()
@click.option("--json", "as_json", is_flag=True, help="Print JSON instead of a table.")
@click.pass_obj
def status(typed: _Typed, *, as_json: bool) -> None:
    """Print the server's last word, without looking or sending."""
    _enrolled(typed.settings)
    with _journal(typed) as journal:
        word = checking.last_word(journal)
        contact = _last_contact(journal)
    pause = _pause(typed)
    if pause is not None and not as_json:
        _print(render.paused(pause, int(time.time())))
    if word is None:
        raise IdentityError("the server has not spoken yet", advice="run: parity-agent check")
    age_s = max(0, int(time.time()) - word[1])
    if as_json:
        told = {"machine": word[0], "age_s": age_s, "contact": contact, "paused": pause}
        _print_json(told)
        return
    click.echo(f"the server's last word, {text.span(age_s)} ago")
    if contact is not None and contact.reason:
        click.echo(f"the last try failed: {text.plain(contact.reason)}")
        click.echo(f"what to do: {text.plain(contact.advice)}")
    _print(["", *render.verdict(word[0], Local(), colour=_colour())])


@cli.command()
@click.pass_obj
def run(typed: _Typed) -> None:
    """Run the daemon until it is told to end."""
    logs.configure_daemon(typed.settings)
    daemon.run(Parts(typed.settings, typed.environment))


@cli.command()
@click.argument("length_s", metavar="LENGTH", callback=length.of_pause)
@click.pass_obj
def pause(typed: _Typed, /, length_s: int) -> None:
    """Look at nothing and send nothing for a while: 30m, 2h, 1d; at most 7d.

    The server is told of it once, so that it does not take this machine for a silent one.
    """
    who = _enrolled(typed.settings)
    with _parts(typed) as parts:
        asked = pausing.ask(parts, who, length_s)
    _print(render.paused(asked.pause, int(time.time()), untold=asked.reason))


@cli.command()
@click.pass_obj
def resume(typed: _Typed) -> None:
    """End a pause: look and check in again."""
    was_paused = _pause(typed) is not None
    Pauses(typed.settings.state_dir).end()
    click.echo("the pause has ended" if was_paused else "this machine was not paused")
    click.echo("a running agent looks and checks in within seconds; or run: parity-agent check")


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


def _enrolled(settings: Settings) -> Identity:
    who = identity.load(settings.state_dir)
    if who is None:
        raise IdentityError(
            "this machine is not enrolled", advice="run: parity-agent enrol --server https://..."
        )
    return who


@contextmanager
def _journal(typed: _Typed) -> Iterator[Journal]:
    with closing(open_journal(typed.settings.state_dir)) as journal:
        yield journal


@contextmanager
def _parts(typed: _Typed) -> Iterator[Parts]:
    with closing(Progress(sys.stderr)) as progress:
        yield Parts(typed.settings, typed.environment, progress)


def _last_contact(journal: Journal) -> Contact | None:
    kept = journal.remembered("contact")
    return msgspec.json.decode(kept[0], type=Contact) if kept else None


def _pause(typed: _Typed) -> Pause | None:
    return Pauses(typed.settings.state_dir).current(int(time.time()))


def _nothing_to_show(typed: _Typed, *, last: bool) -> str:
    pause = _pause(typed)
    if last or pause is None:
        return "nothing has been sent yet"
    return f"paused until {text.when(pause.until, None)}: nothing would be sent now"


def _print(lines: list[str]) -> None:
    for line in lines:
        click.echo(line)


def _print_error(error: AgentError) -> None:
    click.echo(f"parity-agent: {text.plain(error)}", err=True)
    click.echo(f"what to do: {text.plain(error.advice)}", err=True)


def _print_json(value: dict[str, Any]) -> None:
    click.echo(msgspec.json.format(msgspec.json.encode(value), indent=2))


def _colour() -> bool:
    # https://no-color.org: present and not empty means none.
    return sys.stdout.isatty() and not os.environ.get("NO_COLOR")
