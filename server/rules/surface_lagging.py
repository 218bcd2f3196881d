"""Copies that only an editor, the desktop app or an SDK starts, behind their own tolerance.

Such a copy comes with a program of its own and is updated with it, not by its user: Desktop
pins its copy when the application is built (facts 5, #84823), an extension waits for its
marketplace. So it has a time of its own, that of the least patient of its surfaces, from when
its build was replaced; a copy that a terminal starts too has the group's grace and is judged
by `build-behind`.

The desktop app and SDKs speak to Claude Code through a wrapper, and a release's manifest lists
the wrappers that it was tested with (`sdkCompat`, facts 2.3; 5, #96105). The wrapper of CLI
2.1.N is 0.2.N up to 141 and 0.3.N from there on (facts 1.4); a Python SDK has other numbers,
but carries the same build, so the build's number stands for it too. A copy whose wrapper is
older than every one that the head was tested with is beyond what users are given to work
together: it has no time left, whatever its tolerance. Within the list the tolerance runs.
"""

from agent.wire import FindingView, FixRef
from server.releases.position import Position
from server.releases.versions import is_newer, order
from server.rules.interface import Case, Examined, Rule, Ruling, earliest
from server.rules.lateness import Lateness, lateness, moment

_LAST_0_2 = 141
_WRAPPED = frozenset({"desktop", "sdk"})


def _examine(case: Case) -> Ruling:
    findings = []
    changes_at = None
    for copy in case.counted:
        position = copy.position
        if position is None or position.place not in {"behind", "withdrawn"} or not copy.lags_by:
            continue
        late = _late(case, copy, position)
        changes_at = earliest(changes_at, late.changes_at)
        findings.append(_finding(case, copy, position, late))
    return Ruling(tuple(findings), changes_at)


def _late(case: Case, copy: Examined, position: Position) -> Lateness:
    tolerance_s = min(case.policy.tolerance_s(surface) for surface in copy.lags_by)
    if _is_untested(case, copy, position):
        tolerance_s = 0
    return lateness(position.replaced, tolerance_s, case.now)


def _is_untested(case: Case, copy: Examined, position: Position) -> bool:
    """Whether its wrapper is older than all that the head was tested with."""
    release = case.ledger.release(position.head.version) if position.head else None
    wrapper = _wrapper(copy.version or "")
    if release is None or wrapper is None or not _WRAPPED & set(copy.lags_by):
        return False
    tested = [each for each in release.tested_wrappers if order(each) is not None]
    return bool(tested) and all(is_newer(each, wrapper) for each in tested)


def _wrapper(version: str) -> str | None:
    number = order(version)
    if number is None or number.release[:2] != (2, 1):
        return None
    return f"0.{2 if number.micro <= _LAST_0_2 else 3}.{number.micro}"


def _finding(case: Case, copy: Examined, position: Position, late: Lateness) -> FindingView:
    assert position.head is not None  # noqa: S101 - nothing lags behind no head
    when = moment(position.replaced)
    sentence = (
        f"{copy.name}, which {' and '.join(copy.lags_by)} start, lags behind"
        f" {position.head.channel}, {position.head.version}"
    )
    if when:
        sentence += f"; it was replaced {when}"
    if _is_untested(case, copy, position):
        sentence += "; that release was tested with newer wrappers only"
    return FindingView(
        code="surface-lagging",
        severity=late.severity,
        subject=copy.subject,
        sentence=sentence,
        since=late.since,
        deadline=late.deadline,
        estimated=late.estimated,
        fix=FixRef("install", copy.install.method, position.head.version),
        install=copy.index,
    )


RULE = Rule(
    code="surface-lagging",
    says="A copy that only an editor, the desktop app or an SDK starts lags too far behind.",
    mend="Update the program that brings it; within its tolerance nothing else is needed.",
    examine=_examine,
)
