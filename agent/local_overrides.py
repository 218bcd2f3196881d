"""What this laptop sets, for the findings that complain of it: the files are known here alone.

Nothing is looked at where no finding is about a setting, nor in a pause.
"""

from collections.abc import Iterable, Mapping

from agent import platforms
from agent.claude_config import overrides
from agent.claude_config.overrides import LocalOverride
from agent.pause_file import Pauses
from agent.settings import Settings
from agent.wire import FindingView


def behind(
    findings: Iterable[FindingView],
    settings: Settings,
    environment: Mapping[str, str],
    now: int,
) -> tuple[LocalOverride, ...]:
    """The overrides of this laptop, among which are those that findings are about.

    Args:
        findings: Of the server's word.
        settings: As read.
        environment: The variables of the process.
        now: The laptop's clock, epoch seconds.

    Raises:
        AgentError: The state folder cannot be read.
    """
    # An override is named by its kind and its name; an install's or a session's subject has
    # blanks too, and costs a look.
    if not any(" " in each.subject for each in findings):
        return ()
    if Pauses(settings.state_dir).current(now) is not None:
        return ()
    try:
        host = platforms.live(
            home=settings.home,
            system_root=settings.system_root,
            environment=environment,
            process_roots=settings.process_roots,
        )
        return overrides.examine(host).local
    except OSError:
        # Which files set it is told beside the verdict: without them it holds all the same.
        return ()
