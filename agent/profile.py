"""From facts to one profile. Pure.

A profile is canonical: the same facts in any order make the same bytes, and so the same
digest. It is bounded: what does not fit is left out in a fixed order, and told as left out.
Reasons are the only free text in it; whatever looks like a path is taken out of them here
once more, though no collector should put one in.
"""

import re
from collections.abc import Iterable, Iterator

import msgspec

from agent import wire
from agent.digest import canonical

_PATH = re.compile(r"\S*[/\\]\S*")
_UNPRINTABLE = re.compile(r"[^\x20-\x7e]")
_PROBLEMS_MAX = 64
_TOO_MANY = wire.Problem("profile", "more problems than a profile can hold")
_TOO_BIG = wire.Problem("claude_config", "more overrides than a profile can hold")


def make(  # noqa: PLR0913 - one argument for each part of a profile
    *,
    system: str,
    arch: str,
    census_installs: Iterable[wire.Install],
    more: int,
    config: wire.Config | None,
    problems: Iterable[wire.Problem],
    sessions: Iterable[wire.Session] = (),
    exposure: wire.Exposure | None = None,
) -> wire.Profile:
    """The profile of a machine, at most `wire.PROFILE_MAX_BYTES` in canonical form.

    Args:
        system: ``darwin``, ``linux`` or ``win32``.
        arch: As `agent.host.Host.arch`.
        census_installs: In any order; equal ones are told once.
        more: How many installs the census left out.
        config: None where no configuration could be examined.
        problems: In any order.
        sessions: The builds of running sessions, in any order; equal ones are told once.
        exposure: None where no configuration could be examined.
    """
    installs = sorted({_clean_install(install) for install in census_installs}, key=install_order)
    told = sorted({_clean_problem(problem) for problem in problems}, key=_problem_order)
    kept = installs[: wire.INSTALLS_MAX]
    running = sorted({_clean_session(session) for session in sessions}, key=canonical)
    whole = wire.Profile(
        wire=wire.WIRE_VERSION,
        os=system,
        arch=arch,
        installs=tuple(kept),
        more_installs=more + len(installs) - len(kept),
        config=config,
        exposure=exposure,
        sessions=tuple(running[: wire.SESSIONS_MAX]),
        problems=_bounded(told, _PROBLEMS_MAX),
    )
    return next(profile for profile in _ever_smaller(whole) if _fits(profile))


def install_order(install: wire.Install) -> tuple[bool, str, str, str, str, bytes]:
    """The order of installs: counted first, then method, place, claimed, digest."""
    sha256 = install.build.sha256 if install.build else ""
    # Whatever is left to differ in still has one order.
    rest = canonical(install)
    return (
        not install.counted,
        install.method,
        install.place,
        install.claimed or "",
        sha256,
        rest,
    )


def _problem_order(problem: wire.Problem) -> tuple[str, str]:
    return (problem.collector, problem.reason)


def _clean(reason: str) -> str:
    return _PATH.sub("(path)", _UNPRINTABLE.sub("?", reason))[:200]


def _clean_install(install: wire.Install) -> wire.Install:
    starts = tuple(sorted(set(install.starts)))
    reason = None if install.reason is None else _clean(install.reason)
    return msgspec.structs.replace(install, starts=starts, reason=reason)


def _clean_session(session: wire.Session) -> wire.Session:
    reason = None if session.reason is None else _clean(session.reason)
    return msgspec.structs.replace(session, reason=reason)


def _clean_problem(problem: wire.Problem) -> wire.Problem:
    return wire.Problem(problem.collector, _clean(problem.reason))


def _bounded(problems: list[wire.Problem], most: int) -> tuple[wire.Problem, ...]:
    if len(problems) <= most:
        return tuple(problems)
    return tuple(sorted({*problems[: most - 1], _TOO_MANY}, key=_problem_order))


def _fits(profile: wire.Profile) -> bool:
    return len(canonical(profile)) <= wire.PROFILE_MAX_BYTES


def _ever_smaller(profile: wire.Profile) -> Iterator[wire.Profile]:
    yield profile
    if profile.config is not None:
        # What is listed but not hashed goes first; then the hash alone would mislead.
        hashed = tuple(each for each in profile.config.overrides if _is_hashed(each))
        config = msgspec.structs.replace(profile.config, overrides=hashed)
        yield msgspec.structs.replace(profile, config=config)
        problems = _bounded(sorted({*profile.problems, _TOO_BIG}, key=_problem_order), 64)
        profile = msgspec.structs.replace(profile, config=None, problems=problems)
        yield profile
    for most in (16, 4):
        profile = msgspec.structs.replace(profile, problems=_bounded([*profile.problems], most))
        yield profile
    left_out = len(profile.installs) - 8
    yield msgspec.structs.replace(
        profile,
        installs=profile.installs[:8],
        more_installs=profile.more_installs + max(left_out, 0),
    )


def _is_hashed(override: wire.Override) -> bool:
    is_effective = not override.is_default and not override.shadowed
    return is_effective and override.override_class == "behaviour"
