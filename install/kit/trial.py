"""`install/try`: one laptop, one server, one verdict.

The way of a trial, as consecutive calls: an environment, perhaps a release of Claude Code in
a scratch home, a server, an enrolment, a check. Everything it makes lies in ``.try/``; a
second run finds it there and makes nothing twice. The server ends with this script.
"""

import signal
import sys
from types import FrameType

from install.kit import claude, laptop, server
from install.kit.commands import KitError
from install.kit.environment import ROOT, make
from install.kit.laptop import Laptop
from install.kit.options import USAGE, Options, UsageError, parse
from install.kit.place import Place
from install.kit.progress import Progress
from install.kit.server import Server

FAILURE = 1
USAGE_ERROR = 2
UNKNOWN = 12

_NO_SOURCE = "no release source could be reached: give an npm registry with --registry URL"


def main(arguments: list[str]) -> int:
    """Runs a trial; the exit code tells the verdict."""
    try:
        options = parse(arguments)
    except UsageError as error:
        _say(str(error))
        return USAGE_ERROR
    if options.help:
        sys.stdout.write(USAGE)
        return 0
    place = Place(ROOT / ".try")
    try:
        if options.clean:
            place.clean()
            return 0
        with place.held():
            return _trial(options, place, Progress())
    except KitError as error:
        if error.output:
            sys.stderr.write(error.output)
        _say(str(error))
        return FAILURE


def _trial(options: Options, place: Place, progress: Progress) -> int:
    source = claude.registry(options.registry)
    number = options.with_claude and claude.release(options.with_claude, source)
    if number:
        claude.install(number, place.home(number), source, progress)
    commands = make(place.venv, "agent,server", progress, editable=False)
    variables = server.environment(place, source)
    server.prepare(place, commands, variables)
    machine = laptop.scratch(place, commands, number) if number else laptop.own(place, commands)
    with server.running(place, commands, variables, progress) as started:
        code = _verdict(machine, started, progress)
        if options.once or code in {FAILURE, USAGE_ERROR}:
            return code
        _stay(started)
    return 0


def _verdict(machine: Laptop, started: Server, progress: Progress) -> int:
    with progress.step("reading what is public now"):
        is_known = started.wait_for_heads()
    machine.enrol(started)
    code = machine.check()
    if code == UNKNOWN and not is_known:
        _say(_NO_SOURCE)
    return code


def _stay(started: Server) -> None:
    try:
        sys.stdout.write(
            "\nThe server stays up until Ctrl-C. Its status:\n"
            f"  curl -H 'Authorization: Bearer {started.token}' {started.url}/v1/status\n"
        )
        sys.stdout.flush()
        started.wait()
    except KeyboardInterrupt:
        _say("\nending the server")


def _say(line: str) -> None:
    sys.stderr.write(f"{line}\n")


def _end(number: int, frame: FrameType | None) -> None:
    del frame
    sys.exit(128 + number)  # leaves every `with` block, so the server ends too


if __name__ == "__main__":
    for each in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(each, _end)
    try:
        sys.exit(main(sys.argv[1:]))
    except KeyboardInterrupt:
        sys.exit(130)
