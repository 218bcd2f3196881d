"""``fix``: the commands that mend this machine, printed; run only when a person says so."""

import difflib
import shlex
import sys
import time
from collections.abc import Iterator, Sequence

import click
from click.shell_completion import CompletionItem

from agent import applying, local_overrides, mending, render_mending, text, word
from agent.applying import Ran
from agent.claude_config.overrides import LocalOverride
from agent.commands.common import (
    Typed,
    enrolled,
    in_json,
    journal_of,
    parts_of,
    pass_typed,
    print_json,
    print_lines,
)
from agent.commands.completion import kept_journal
from agent.cycle import Parts
from agent.errors import AgentError
from agent.journal import Journal
from agent.mending import Plan, Step
from agent.wire import FindingView
from agent.word import Word

_IN_A_FILE = frozenset({"set", "unset"})
"""The fixes that change a key in a file of the user's."""


def _names(context: click.Context, _option: click.Parameter, begun: str) -> list[CompletionItem]:
    """The findings that begin so, for a shell's completion; a subject may be several words."""
    before = "".join(f"{each} " for each in context.params.get("about") or ())
    found = {name: each.sentence for each in _last(context) for name in (each.subject, each.code)}
    return [
        CompletionItem(name.removeprefix(before), help=says)
        for name, says in found.items()
        if name.startswith(before + begun)
    ]


@click.command(short_help="Print the commands that mend this machine, or run them.")
@click.argument("about", nargs=-1, metavar="[CODE|SUBJECT]", shell_complete=_names)
@click.option("--apply", "applies", is_flag=True, help="Run the commands, each after a question.")
@click.option("--yes", is_flag=True, help="With --apply: ask nothing.")
@click.option(
    "--while-running", is_flag=True, help="With --apply: also while sessions of Claude Code run."
)
@in_json
@pass_typed
def fix(typed: Typed, /, about: tuple[str, ...], *, as_json: bool, **how: bool) -> None:
    """Print the commands that mend what is found here; all of it, or one CODE or SUBJECT.

    Asks the server how this machine stands, and takes its last word where it cannot be asked.

    With --apply, at a terminal, each is shown word for word and run after a yes: without a
    shell, in your own environment and with your own rights. What a person has to do by hand is
    never run. It is refused while sessions of Claude Code run.

    Exits with 0; 1 failure, or a command that was run failed; 2 usage.
    """
    applies, yes = how["applies"], how["yes"]
    _refuse_odd(as_json=as_json, applies=applies, more=yes or how["while_running"])
    who = enrolled(typed.settings)
    if applies and not yes and not sys.stdin.isatty():
        raise AgentError(
            "nobody can be asked here: standard input is no terminal",
            advice="run it at a terminal, or add --yes",
        )
    with journal_of(typed) as journal, parts_of(typed) as parts:
        heard = word.newest(parts, journal, who)
        chosen = " ".join(about) or None
        _refuse_unknown(chosen, heard)
        plan = mending.plan(heard.view, chosen)
        local = _local(typed, plan)
        if as_json:
            print_json(_told(heard, plan, local))
            return
        age_s = heard.age_s(time.time())
        print_lines(render_mending.heard(heard.view, age_s, heard.old_because))
        print_lines(render_mending.steps(plan, local, applying=applies))
        if applies:
            _apply(parts, journal, plan, yes=yes, while_running=how["while_running"])


def _apply(parts: Parts, journal: Journal, plan: Plan, *, yes: bool, while_running: bool) -> None:
    steps = [each for each in plan.steps if each.runs]
    if not steps:
        click.echo("\nthere is nothing to run")
        return
    if not while_running:
        applying.refuse_beside_sessions(parts, journal)

    def asked(argv: tuple[str, ...]) -> bool:
        click.echo(f"\n$ {shlex.join(argv)}")
        return yes or click.confirm("run it?", default=False)

    done = applying.run(parts, steps, asked, _tell)
    if any(each.code is not None for each in done):
        click.echo("\nthen look again: parity-agent check")
    if any(each.failed for each in done):
        sys.exit(1)


def _tell(ran: Ran) -> None:
    command = ran.step.command.text
    if ran.reason:
        click.echo(f"failed: {text.plain(ran.reason)}", err=True)
    elif ran.code is None:
        click.echo("not run")
    elif ran.code < 0:
        click.echo(f"ended by signal {-ran.code}: {command}")
    else:
        click.echo(f"ended with exit code {ran.code}: {command}")


def _refuse_odd(*, as_json: bool, applies: bool, more: bool) -> None:
    if as_json and applies:
        raise click.UsageError("--json prints the plan: it does not go with --apply")
    if more and not applies:
        raise click.UsageError("--yes and --while-running go with --apply")


def _refuse_unknown(about: str | None, heard: Word) -> None:
    names = mending.names(heard.view)
    if about is None or about in names:
        return
    near = difflib.get_close_matches(about, sorted(names), n=2, cutoff=0.6)
    meant = f"did you mean {' or '.join(map(text.plain, near))}? " if near else ""
    here = "parity-agent fix lists what is" if names else "nothing is"
    raise click.BadParameter(f"{text.plain(about)!r} is not found on this machine; {meant}{here}")


def _last(context: click.Context) -> Iterator[FindingView]:
    for journal in kept_journal(context):
        heard = word.last(journal)
        if heard is not None:
            yield from heard.view.findings


def _local(typed: Typed, plan: Plan) -> tuple[LocalOverride, ...]:
    """What this laptop sets; looked at only for what a person changes in a file."""
    about = [each for step in plan.steps if step.fix.action in _IN_A_FILE for each in step.findings]
    return local_overrides.behind(about, typed.settings, typed.environment, int(time.time()))


def _told(heard: Word, plan: Plan, local: Sequence[LocalOverride]) -> dict[str, object]:
    return {
        "standing": heard.view.standing,
        "age_s": heard.age_s(time.time()),
        "old_because": heard.old_because,
        "steps": _steps(plan.steps, local),
        "unmended": plan.unmended,
    }


def _steps(steps: Sequence[Step], local: Sequence[LocalOverride]) -> list[dict[str, object]]:
    return [
        {
            "fix": each.fix,
            "text": each.command.text,
            "argv": each.command.argv,
            "findings": each.findings,
            "files": render_mending.files(each, local),
        }
        for each in steps
    ]
