"""``explain``: what the words of this machine's verdict mean, and what holds here."""

import difflib
import time
from collections.abc import Sequence

import click
from click.shell_completion import CompletionItem

from agent import fix, identity, local_overrides, meanings, render_explain, text, word
from agent.claude_config.overrides import LocalOverride
from agent.commands.common import (
    Typed,
    in_json,
    journal_of,
    parts_of,
    pass_typed,
    print_json,
    print_lines,
    use_colour,
)
from agent.commands.completion import kept_journal
from agent.commands.pausing import current_pause
from agent.errors import AgentError, IdentityError
from agent.meanings import Kept
from agent.wire import FindingView, MachineView
from agent.word import IN_PAUSE, Word


def _codes(context: click.Context, _option: click.Parameter, begun: str) -> list[CompletionItem]:
    """The words that begin so, for a shell's completion."""
    with_help = {
        each.word: each.says
        for journal in kept_journal(context)
        for each in meanings.kept(journal).meanings.all
    }
    return [
        CompletionItem(name, help=says)
        for name, says in with_help.items()
        if name.startswith(begun)
    ]


@click.command(short_help="Explain what is found here, and what to do.")
@click.argument("code", metavar="[CODE]", required=False, shell_complete=_codes)
@in_json
@pass_typed
def explain(typed: Typed, code: str | None, *, as_json: bool) -> None:
    """Explain a finding such as build-behind, or a standing; without one, what holds here.

    Tells what the server's last word says of it on this machine, with the files that set it,
    then what it means and what to do. What it means is kept, and works without the server.
    Before this machine is enrolled it is asked of the server that the setting server_url names.

    Exits with 0; 1 failure; 2 usage, or a word that there is not.
    """
    who = identity.load(typed.settings.state_dir)
    if who is None:
        _before_enrolment(typed, code, as_json=as_json)
        return
    with journal_of(typed) as journal, parts_of(typed) as parts:
        heard = word.last(journal)
        if heard is None:
            raise IdentityError("the server has not spoken yet", advice="run: parity-agent check")
        known = meanings.learn(parts, journal, who, missing=code)
    if code is not None:
        _refuse_unknown(code, heard.view, known)
    if as_json:
        print_json(_told(code, heard, known, _local(typed, heard.view, code)))
        return
    print_lines([f"the server's last word, {text.span(heard.age_s(time.time()))} ago", ""])
    if code is None:
        words = (heard.view.standing, *(each.code for each in heard.view.findings))
        print_lines(render_explain.overview(heard.view, {x: known.meanings.of(x) for x in words}))
        print_lines(["", *render_explain.listed(known.meanings.all)] if known.meanings.all else [])
    else:
        of, local = known.meanings.of(code), _local(typed, heard.view, code)
        print_lines(render_explain.explained(heard.view, code, of, local, colour=use_colour()))
    if known.reason:
        click.echo(f"note: what words mean could not be asked for: {known.reason}", err=True)


def _before_enrolment(typed: Typed, code: str | None, *, as_json: bool) -> None:
    """Explains words where there is no machine yet that they could hold for."""
    known = _known_before(typed)
    if code is not None:
        _refuse_no_word(code, {each.word for each in known.meanings.all})
    meant = known.meanings.of(code) if code is not None else known.meanings.all
    if as_json:
        print_json({"meanings": meant, "meanings_asked_at": known.asked_at})
    elif code is None:
        print_lines(render_explain.listed(meant))
    else:
        print_lines(render_explain.meant(meant))


def _known_before(typed: Typed) -> Kept:
    # A mere question makes no file.
    if (typed.settings.state_dir / "journal.db").exists():
        with journal_of(typed) as journal:
            known = meanings.kept(journal)
        if known.asked_at is not None:
            return known
    if typed.settings.server_url is None:
        raise IdentityError(
            "what words mean is not known here before this machine is enrolled",
            advice="run: parity-agent enrol --server https://..., or name the server as the"
            " setting server_url (PARITY_AGENT_SERVER_URL)",
        )
    if current_pause(typed) is not None:
        raise IdentityError(IN_PAUSE, advice="to end the pause, run: parity-agent resume")
    with parts_of(typed) as parts:
        return meanings.ask(parts, typed.settings.server_url)


def _refuse_unknown(code: str, view: MachineView, known: Kept) -> None:
    words = {each.word for each in known.meanings.all}
    here = {view.standing, *(each.code for each in view.findings)}
    if words or code in here:
        _refuse_no_word(code, words | here)
        return
    raise AgentError(
        f"what {text.plain(code)} means is not known here: {known.reason}",
        advice="try again when the server can be reached; what holds here: "
        + ", ".join(sorted(here)),
    )


def _refuse_no_word(code: str, words: set[str]) -> None:
    if code in words:
        return
    near = difflib.get_close_matches(code, sorted(words), n=2, cutoff=0.6)
    meant = f"did you mean {' or '.join(near)}? " if near else ""
    raise click.BadParameter(
        f"{text.plain(code)!r} is no word of a verdict; {meant}parity-agent explain lists them"
    )


def _local(typed: Typed, view: MachineView, code: str | None) -> tuple[LocalOverride, ...]:
    """What this laptop sets; looked at only for findings that are about it."""
    about = [each for each in view.findings if code is None or each.code == code]
    return local_overrides.behind(about, typed.settings, typed.environment, int(time.time()))


def _told(
    code: str | None, heard: Word, known: Kept, local: Sequence[LocalOverride]
) -> dict[str, object]:
    found = [each for each in heard.view.findings if code is None or each.code == code]
    words = {heard.view.standing, *(each.code for each in found)} if code is None else {code}
    return {
        "age_s": heard.age_s(time.time()),
        "standing": heard.view.standing,
        "findings": [_finding(each, local) for each in found],
        "meanings": [each for each in known.meanings.all if each.word in words],
        "meanings_asked_at": known.asked_at,
        "meanings_reason": known.reason,
    }


def _finding(each: FindingView, local: Sequence[LocalOverride]) -> dict[str, object]:
    command = fix.render(each.fix) if each.fix else None
    files = {str(item.file) for item in render_explain.sets(each, local) if item.file}
    return {
        "finding": each,
        "mend": command.text if command else None,
        "files": sorted(files),
    }
