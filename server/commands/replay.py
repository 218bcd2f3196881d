"""``replay``: what this tool would have said of a past that a file describes."""

from pathlib import Path

import click

from server import shown
from server.commands.common import PATH, in_json
from server.errors import SettingsError
from server.replay.scenario import FILE_MAX_BYTES, parse
from server.replay.story import NOT_SEEN, Replay, Story, Told
from server.replay.story import replay as tell
from server.shown import moment

_SHIPPED = Path(__file__).parents[1] / "replay"
"""Where the files are that come with the server."""


@click.command()
@click.argument("file", type=PATH)
@in_json
def replay(file: Path, *, in_json: bool) -> None:
    """Tell what the judge would have said of a past.

    Plays FILE with the server's own judge: who would have been told what, and when.

    FILE holds what was public, what was expected and what laptops had, each with its date and
    its source; it holds no verdicts. A FILE that is not there is looked for among those that
    come with the server, such as spring-2026.
    """
    told = tell(parse(_read(file), str(file)))
    if in_json:
        shown.as_json(told)
    else:
        _print(told)


def _read(file: Path) -> bytes:
    path = _SHIPPED / f"{file.name}.toml" if not file.exists() and file.name == str(file) else file
    try:
        with path.open("rb") as stream:
            return stream.read(FILE_MAX_BYTES + 1)
    except OSError as error:
        known = ", ".join(sorted(each.stem for each in _SHIPPED.glob("*.toml")))
        raise SettingsError(
            f"cannot read {file}: {error.strerror}",
            advice=f"name a readable file, or one that comes with the server: {known}",
        ) from error


def _print(told: Replay) -> None:
    click.echo(f"{told.title}: {told.assumed} of {told.entries} entries are assumed")
    for story in told.stories:
        click.echo("")
        _print_story(story)


def _print_story(story: Story) -> None:
    click.echo(f"{story.change}: {moment(story.shipped)} to {moment(story.undone)}")
    for word, public in zip(("shipped", "undone"), story.public, strict=True):
        click.echo(f"  public as it was {word}: {public or shown.NOTHING}")
    for said in story.told:
        _print_told(said)
    for blind in story.unseen:
        click.echo(f"  {shown.cell(blind.machine)}: {NOT_SEEN}; {shown.cell(blind.reason)}")
    click.echo(f"  in short: {shown.cell(story.verdict)}")


def _print_told(said: Told) -> None:
    who = f"{said.machine} ({said.owner}, group {said.group})"
    since = f", said since {moment(said.since)}" if said.since < said.at else ""
    alert = f", alert: {said.alert}" if said.alert and said.since >= said.at else ""
    click.echo(f"  {moment(said.at)} {shown.cell(who)}: {said.standing}{since}{alert}")
    for sentence in said.sentences:
        click.echo(f"      {shown.cell(sentence)}")
