"""One canonical, bounded profile, whatever the facts."""

import random

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st

from agent import profile, wire
from agent.digest import canonical

NAME = st.from_regex(r"[A-Za-z0-9][A-Za-z0-9 ._@:+-]{0,63}", fullmatch=True)
VERSION = st.from_regex(r"[0-9A-Za-z][0-9A-Za-z.+_-]{0,63}", fullmatch=True)
REASON = st.text(min_size=1, max_size=200)
SHA256 = st.from_regex(r"[0-9a-f]{64}", fullmatch=True)

BUILDS = st.builds(
    wire.Build,
    sha256=SHA256,
    size=st.integers(0, 2**53 - 1),
    form=st.sampled_from(["binary", "js", "bundle"]),
    version=st.none() | VERSION,
    platform=st.none() | NAME,
    package=st.none() | st.just("@anthropic-ai/claude-code"),
)
INSTALLS = st.builds(
    wire.Install,
    method=NAME,
    place=NAME,
    state=st.sampled_from(["ok", "stub", "not-examined"]),
    claimed=st.none() | VERSION,
    build=st.none() | BUILDS,
    starts=st.lists(NAME, max_size=8).map(tuple),
    reason=st.none() | REASON,
)
SESSIONS = st.builds(
    wire.Session,
    file=st.sampled_from(["present", "deleted", "replaced"]),
    build=st.none() | BUILDS,
    reason=st.none() | REASON,
)
PROBLEMS = st.builds(wire.Problem, collector=NAME, reason=REASON)


def _made(
    installs: list[wire.Install],
    problems: list[wire.Problem],
    config: wire.Config | None = None,
    more: int = 0,
) -> wire.Profile:
    return profile.make(
        system="linux",
        arch="x64",
        census_installs=installs,
        more=more,
        config=config,
        problems=problems,
    )


def _config(count: int) -> wire.Config:
    override = wire.Override("variable", "CLAUDE_" + "X" * 70, "user" * 10, "behaviour", "v" * 32)
    overrides = tuple(
        msgspec.structs.replace(override, key=f"CLAUDE_{number:03d}" + "X" * 60)
        for number in range(count)
    )
    return wire.Config(revision=1, hash="sha256:" + "0" * 64, overrides=overrides)


@settings(deadline=None)
@given(
    st.lists(INSTALLS, max_size=6),
    st.lists(PROBLEMS, max_size=6),
    st.randoms(use_true_random=False),
)
def test_the_order_of_the_facts_changes_nothing(
    installs: list[wire.Install], problems: list[wire.Problem], shuffle: random.Random
) -> None:
    """The same facts, told twice and in any order, are the same bytes."""
    first = canonical(_made(installs, problems))
    installs, problems = installs * 2, problems * 2
    shuffle.shuffle(installs)
    shuffle.shuffle(problems)
    assert canonical(_made(installs, problems)) == first


@settings(deadline=None)
@given(
    st.lists(INSTALLS, max_size=10),
    st.lists(PROBLEMS, max_size=10),
    st.sampled_from([1, 10, 40]),
    st.none() | st.sampled_from([0, 100, 400]).map(_config),
)
def test_a_profile_always_fits_and_always_reads_back(
    installs: list[wire.Install],
    problems: list[wire.Problem],
    times: int,
    config: wire.Config | None,
) -> None:
    """At most 64 KiB, and valid by the wire's own bounds, however many facts there are."""
    many = [
        msgspec.structs.replace(install, claimed=f"{number}.{at}")
        for number in range(times)
        for at, install in enumerate(installs)
    ]
    more_problems = [
        wire.Problem(f"c{number} {problem.collector}"[:64], problem.reason)
        for number in range(times)
        for problem in problems
    ]
    made = _made(many, more_problems, config)
    data = canonical(made)
    assert len(data) <= wire.PROFILE_MAX_BYTES
    assert canonical(msgspec.json.decode(data, type=wire.Profile)) == data


@settings(deadline=None)
@given(REASON)
def test_no_path_is_in_a_reason(reason: str) -> None:
    """A collector that slips does not send where somebody lives."""
    made = _made([], [wire.Problem("npm", f"{reason} /home/u/x C:\\Users\\u")])
    assert "/" not in made.problems[0].reason.replace("(path)", "")
    assert "\\" not in made.problems[0].reason


def test_counted_installs_come_first_and_what_does_not_fit_is_counted() -> None:
    """At most 32 are told; the others are a number."""
    resting = [wire.Install("npm", "nvm", claimed=f"2.1.{at:03d}") for at in range(40)]
    counted = wire.Install("other", "search-path", starts=("terminal",))
    made = _made([*resting, counted], [], more=3)
    assert made.installs[0] == counted
    assert len(made.installs) == wire.INSTALLS_MAX
    assert made.more_installs == 9 + 3


def test_a_config_too_big_to_tell_is_told_as_such() -> None:
    """The listed overrides go whole, with the hash: half a list would mislead."""
    made = _made([], [], _config(400))
    assert made.config is None
    assert made.problems == (
        wire.Problem("claude_config", "more overrides than a profile can hold"),
    )


def test_overrides_that_are_not_hashed_make_room_first() -> None:
    """Defaults and personal overrides are listed only while there is room."""
    config = _config(400)
    personal = tuple(
        msgspec.structs.replace(each, override_class="personal") for each in config.overrides[5:]
    )
    config = msgspec.structs.replace(config, overrides=(*config.overrides[:5], *personal))
    made = _made([], [], config)
    assert made.config is not None
    assert made.config.overrides == config.overrides[:5]


def test_more_problems_than_fit_are_told_as_such() -> None:
    """The list says that it is not the whole."""
    made = _made([], [wire.Problem("npm", f"reason {at:03d}") for at in range(100)])
    assert len(made.problems) == 64
    assert wire.Problem("profile", "more problems than a profile can hold") in made.problems


@given(st.lists(SESSIONS, max_size=30), st.randoms(use_true_random=False))
def test_sessions_are_told_once_bounded_and_in_one_order(
    sessions: list[wire.Session], shuffle: random.Random
) -> None:
    """However many run, and in whatever order they were seen."""
    first = _with_sessions(sessions)
    again = sessions * 2
    shuffle.shuffle(again)
    assert _with_sessions(again) == first
    assert list(first) == sorted(set(first), key=canonical)
    assert len(first) <= wire.SESSIONS_MAX
    assert all("/" not in (each.reason or "").replace("(path)", "") for each in first)


def _with_sessions(sessions: list[wire.Session]) -> tuple[wire.Session, ...]:
    return profile.make(
        system="linux",
        arch="x64",
        census_installs=(),
        more=0,
        config=None,
        problems=(),
        sessions=sessions,
    ).sessions
