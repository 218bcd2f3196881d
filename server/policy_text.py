"""Policies as the text of a policy file: every key written out, nothing inherited. Pure.

`server.policy_file.read` reads it back to equal policies, so that what a server has in force
can be put into a file.
"""

import json
from collections.abc import Iterator

from server.policy import DEFAULT_GROUP, SURFACES, GroupPolicy, Policies
from server.policy_file import shown
from server.policy_values import TOLERANCE, TOLERANCES, duration


def text_of(policies: Policies) -> str:
    """All policies as a file would state them."""
    tables = [table(DEFAULT_GROUP, policies.default)]
    tables += [table(name, policies.groups[name]) for name in sorted(policies.groups)]
    return "\n".join(tables)


def table(group: str, policy: GroupPolicy) -> str:
    """One group's policy as the table of a file."""
    head = (DEFAULT_GROUP,) if group == DEFAULT_GROUP else ("groups", group)
    return "\n".join([f"[{shown(head)}]", *_lines(policy)]) + "\n"


def _lines(policy: GroupPolicy) -> Iterator[str]:
    surfaces = [each for each in SURFACES if each in policy.surfaces]
    yield f"channel = {_written(policy.channel)}"
    yield f"grace = {_time(policy.grace_s)}"
    yield f"head_max_age = {_time(policy.head_max_age_s)}"
    yield f"silent_after = {_time(policy.silent_after_s)}"
    yield f"enrolled_grace = {_time(policy.enrolled_grace_s)}"
    yield f"surfaces = {_written(surfaces)}"
    for surface in SURFACES:
        if surface in TOLERANCES:
            yield f"{TOLERANCE}.{surface} = {_time(policy.tolerance_s(surface))}"
    yield f"allowed_overrides = {_written(list(policy.allowed_overrides))}"
    yield f"lane = {_written(policy.lane)}"
    yield f"trust_learned = {_written(policy.trust_learned)}"
    if policy.target_share is not None:
        yield f"target_share = {_written(policy.target_share)}"


def _time(seconds: int) -> str:
    return _written(duration(seconds))


def _written(value: object) -> str:
    # Text, lists, booleans and finite numbers are written alike in JSON and TOML.
    return json.dumps(value, ensure_ascii=False)
