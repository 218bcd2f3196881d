"""``check`` and ``status``: the server's word on this machine, asked for now or as last heard."""

import sys
import time
from collections.abc import Mapping

import click

from agent import __version__, local_facts, lock, meanings, render, render_status
from agent import check as checking
from agent.commands.common import (
    Typed,
    enrolled,
    in_json,
    journal_of,
    parts_of,
    pass_typed,
    print_error,
    print_json,
    print_lines,
    use_colour,
)
from agent.commands.pausing import current_pause
from agent.errors import AgentError, IdentityError, PausedError
from agent.identity import Identity
from agent.pause import Pause
from agent.render import Local
from agent.render_status import Heard, Seat
from agent.wire import MachineView
from agent.word import last, last_contact

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


@click.command()
@in_json
@click.option(
    "--wait",
    "wait_s",
    type=click.FloatRange(0, 3600),
    default=0,
    metavar="SECONDS",
    help="How long to wait while the server is still looking something up.",
)
@pass_typed
def check(typed: Typed, *, as_json: bool, wait_s: float) -> None:
    """Look, check in, and print the verdict.

    Without an answer of the server, what was found here is printed all the same.

    Exits with 0 match, 10 drift, 11 pending, 12 unknown, 13 no install, 14 exempt,
    15 paused (then nothing is looked at or sent), 1 failure, 2 usage.
    """
    who = enrolled(typed.settings)
    try:
        with journal_of(typed) as journal, parts_of(typed) as parts:
            checked = checking.now(parts, journal, who, wait_s=wait_s)
            if checked.view is not None:
                # So that `explain` can tell them when there is no server.
                meanings.learn(parts, journal, who)
    except PausedError as error:
        if as_json:
            print_json(_told(None, None, paused=current_pause(typed)))
        print_error(error)
        sys.exit(EXIT_CODES["paused"])
    local = local_facts.of(checked.looked, typed.environment)
    if as_json:
        print_json(_told(checked.view, local, error=checked.untold))
    elif checked.view is not None:
        print_lines(render.verdict(checked.view, local, colour=use_colour()))
    else:
        print_lines(render.unjudged(str(checked.untold), local))
    if checked.untold is not None:
        raise checked.untold
    sys.exit(EXIT_CODES.get(checked.view.standing, 1) if checked.view else 1)


def _told(
    view: MachineView | None,
    local: Local | None,
    *,
    paused: Pause | None = None,
    error: AgentError | None = None,
) -> dict[str, object]:
    return {
        "machine": view,
        "local": local_facts.in_json(local) if local else None,
        "paused": paused,
        "error": {"what": str(error), "advice": error.advice} if error else None,
    }


@click.command(short_help="Print how this machine stands, why and until when.")
@in_json
@pass_typed
def status(typed: Typed, *, as_json: bool) -> None:
    """Print what this machine is, how it stands by the server's last word, why and until when.

    Nothing is looked at and nothing sent.

    Exits with 0 whatever the standing, 1 failure or no word yet, 2 usage.
    """
    who = enrolled(typed.settings)
    with journal_of(typed) as journal:
        word = last(journal)
        contact = last_contact(journal)
    pause = current_pause(typed)
    if pause is not None and not as_json:
        print_lines([*render.paused(pause, int(time.time())), ""])
    if word is None:
        raise IdentityError("the server has not spoken yet", advice="run: parity-agent check")
    seat, age_s = _seat(typed, who), word.age_s(time.time())
    if as_json:
        told = {"machine": word.view, "age_s": age_s, "contact": contact, "paused": pause}
        print_json({"seat": seat, **told})
        return
    trouble, advice = (contact.reason, contact.advice) if contact else ("", "")
    heard = Heard(word.view, age_s, trouble, advice)
    print_lines(render_status.status(seat, heard, colour=use_colour()))


def _seat(typed: Typed, who: Identity) -> Seat:
    return Seat(
        label=who.label,
        group=who.group,
        owner=who.owner,
        server=who.server_url,
        agent=__version__,
        is_running=lock.is_held(typed.settings.state_dir / "daemon.lock"),
    )
