"""``show``: what would be sent now, or was sent last, byte for byte."""

import click
import msgspec

from agent import digest, identity, sendings, text
from agent.commands.common import Typed, journal_of, parts_of, pass_typed, print_json, print_lines
from agent.commands.pausing import current_pause


@click.command()
@click.option("--last", is_flag=True, help="What was last sent, without looking again.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
@pass_typed
def show(typed: Typed, *, last: bool, as_json: bool) -> None:
    """Print the very bytes that would be sent now; sends nothing.

    Exits with 0; 1 failure; 2 usage.
    """
    found, length = _last(typed) if last else (_upcoming(typed), None)
    if as_json:
        print_json({name: msgspec.Raw(body) for name, body in found.items()})
        return
    for name, body in found.items():
        click.echo(_head(name, body, length), err=True)
        print_lines([body])
    if not found:
        click.echo(_nothing_to_show(typed, last=last), err=True)


def _head(name: str, body: bytes, length: int | None) -> str:
    if name != "enrolment":
        return f"{name}, {len(body)} bytes, {digest.of_bytes(body)}:"
    # The secret is kept nowhere: what is shown has another length and another digest.
    sent = f"{length} bytes were sent; " if length is not None else ""
    return f"{name}, {sent}the secret is masked here:"


def _upcoming(typed: Typed) -> dict[str, bytes]:
    with journal_of(typed) as journal, parts_of(typed) as parts:
        return sendings.upcoming(parts, journal, identity.load(typed.settings.state_dir))


def _last(typed: Typed) -> tuple[dict[str, bytes], int | None]:
    # A mere question begins no journal.
    if not (typed.settings.state_dir / "journal.db").exists():
        return {}, None
    with journal_of(typed) as journal:
        return sendings.last(journal), sendings.enrolment_length(journal)


def _nothing_to_show(typed: Typed, *, last: bool) -> str:
    pause = current_pause(typed)
    if last or pause is None:
        return "nothing has been sent yet"
    return f"paused until {text.when(pause.until, None)}: nothing would be sent now"
