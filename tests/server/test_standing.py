"""What is true of one machine, over the verdict of its profile."""

import pytest

from agent.wire import FindingView
from server.standing import dated, finding_key

ENROLLED, REPLACED = 2_000, 1_000

BEHIND = FindingView(
    code="build-behind",
    severity="drift",
    subject="npm global 2.1.240",
    sentence="the npm install 2.1.240 is behind",
    since=REPLACED,
    estimated=True,
)


@pytest.mark.parametrize(
    ("profile_since", "began", "since", "estimated"),
    [
        (ENROLLED, {}, ENROLLED, False),
        (REPLACED - 500, {}, REPLACED, True),
        (ENROLLED, {finding_key(BEHIND): 1_500}, 1_500, False),
    ],
)
def test_only_a_public_moment_is_called_an_estimate(
    profile_since: int, began: dict[str, int], since: int, *, estimated: bool
) -> None:
    """The later of both moments counts; when a machine took its profile is known exactly."""
    (told,) = dated([BEHIND], profile_since, began)
    assert (told.since, told.estimated) == (since, estimated)
