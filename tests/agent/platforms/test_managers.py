"""How long a manager is waited for that is still ending the service before."""

from dataclasses import dataclass, field
from pathlib import Path

import pytest

from agent.platforms import managers
from agent.platforms.managers import AGAIN_AFTER_S, AGAIN_MAX, Done, Step

_LAUNCHCTL = """#!/bin/sh
echo "$1" >> "{record}"
case "$1" in
bootout) exit {bootout};;
bootstrap) [ "$(grep -c bootstrap "{record}")" -gt {times} ] || exit {bootstrap};;
esac
"""


@dataclass
class Launchd:
    """A stand-in for launchctl, and how long it was waited for."""

    folder: Path
    waited: list[float] = field(default_factory=list)

    def begin(self, *, bootout: int, bootstrap: int, times: int) -> Done | None:
        """Begins a service; what is begun is refused so many times, each with its exit code."""
        program = self.folder / "launchctl"
        record = self.folder / "asked"
        program.write_text(
            _LAUNCHCTL.format(record=record, bootout=bootout, bootstrap=bootstrap, times=times)
        )
        program.chmod(0o755)
        return managers.do(
            "launchd",
            "start",
            name="the.agent",
            file=self.folder / "the.agent.plist",
            environment={"PATH": f"{self.folder}:/usr/bin:/bin"},
            sleep=self.waited.append,
        )


@pytest.fixture
def launchd(tmp_path: Path) -> Launchd:
    """One that was not asked yet."""
    return Launchd(tmp_path)


@pytest.mark.parametrize(("bootout", "bootstrap"), [(0, 5), (0, 37), (36, 5)])
def test_a_service_begins_as_soon_as_the_one_before_has_gone(
    launchd: Launchd, bootout: int, bootstrap: int
) -> None:
    """Until then it is refused."""
    done = launchd.begin(bootout=bootout, bootstrap=bootstrap, times=2)
    assert done is not None
    assert done.ok
    assert launchd.waited == [AGAIN_AFTER_S] * 2


@pytest.mark.parametrize(("bootout", "bootstrap"), [(3, 5), (0, 1), (36, 36)])
def test_what_waiting_does_not_mend_is_told_at_once(
    launchd: Launchd, bootout: int, bootstrap: int
) -> None:
    """Nothing was there that could be ending, or launchd refuses for another reason."""
    done = launchd.begin(bootout=bootout, bootstrap=bootstrap, times=2)
    assert done == Done(ok=False, said=f"it ended with {bootstrap}", code=bootstrap)
    assert launchd.waited == []


def test_a_busy_manager_is_not_waited_for_without_an_end() -> None:
    """Somewhat longer than a daemon may take."""
    step, busy = Step(("begin",), busy=frozenset({5})), Done(ok=False, code=5)
    assert managers.goes_again(step, busy, AGAIN_MAX, ended=True)
    assert not managers.goes_again(step, busy, AGAIN_MAX + 1, ended=True)
