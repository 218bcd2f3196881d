"""Running the commands of a plan, one after the other, each after a question.

Never beside a running session of Claude Code, unless a person says so: its files would be
replaced under it. Where that cannot be seen it counts as running.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from agent import cycle, lock, platforms
from agent.cycle import Looked, Parts
from agent.errors import AgentError
from agent.exchange import Exchange
from agent.host import Host
from agent.journal import Journal
from agent.mending import Step
from agent.pause_file import Pauses
from agent.platforms.mending import argv_of, run_fix

SURE = "end them first; or add --while-running if that does not matter"
"""What to do where sessions run, or cannot be seen."""

Ask = Callable[[tuple[str, ...]], bool]
"""Whether a person wants exactly these words to be run."""


@dataclass(frozen=True)
class Ran:
    """How one step ended.

    Attributes:
        step: The step.
        code: The command's exit code, negative for a signal; None where it was not run.
        reason: Why it was not run, or not to its end.
    """

    step: Step
    code: int | None = None
    reason: str = ""

    @property
    def failed(self) -> bool:
        """Whether something went wrong; what a person did not want is no failure."""
        return bool(self.reason) or self.code not in {None, 0}


def run(parts: Parts, steps: Iterable[Step], ask: Ask, tell: Callable[[Ran], None]) -> list[Ran]:
    """Runs what can be run of some steps.

    Args:
        parts: The settings and the environment.
        steps: What a person asked to be done.
        ask: Asked before each command.
        tell: Told how each one ended.

    Returns:
        How each one ended, also where it was not run.
    """
    host = _host(parts)
    done = []
    for step in steps:
        if step.runs:
            ran = _one(host, step, ask, parts.settings.fix_timeout_s)
            tell(ran)
            done.append(ran)
    return done


def refuse_beside_sessions(parts: Parts, journal: Journal) -> None:
    """Looks whether sessions of Claude Code run.

    Raises:
        AgentError: They do, or it cannot be seen.
    """
    settings = parts.settings
    if not settings.scan_processes:
        raise AgentError("whether sessions run is not seen: scan_processes is off", advice=SURE)
    if Pauses(settings.state_dir).current(int(parts.clock())) is not None:
        raise AgentError("whether sessions run is not seen: this machine is paused", advice=SURE)
    file = settings.state_dir / "cycle.lock"
    with lock.held(file, timeout_s=settings.lock_timeout_s, holder="another check"):
        looked, _ = cycle.cycle(parts, journal, None, Exchange())
    _refuse(looked)


def _refuse(looked: Looked) -> None:
    count = len(looked.sessions)
    if count:
        many = "a session of Claude Code runs" if count == 1 else f"{count} sessions run"
        raise AgentError(f"{many}: its files are not replaced under it", advice=SURE)
    # What the profile tells of sessions besides may be of one that has ended since.
    for each in looked.unseen:
        raise AgentError(f"whether sessions run could not be seen: {each.reason}", advice=SURE)


def _one(host: Host, step: Step, ask: Ask, timeout_s: float) -> Ran:
    try:
        if not ask(argv_of(host, step.fix)):
            return Ran(step)
        return Ran(step, run_fix(host, step.fix, timeout_s=timeout_s))
    except AgentError as error:
        return Ran(step, reason=f"{error}; {error.advice}")


def _host(parts: Parts) -> Host:
    settings = parts.settings
    return platforms.live(
        home=settings.home,
        system_root=settings.system_root,
        environment=parts.environment,
        process_roots=settings.process_roots,
    )
