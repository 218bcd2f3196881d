"""What the product was told remotely differs from what users are told (facts 3.5, 3.6).

The same bytes with other flags are not the same product. Four variables turn the fetching of
feature flags off, which leaves every flag at its default; they are told here and by no other
rule. Where the laptop tells its exposure, that flags are off is told whatever turned them off.

Without a reference machine users are taken to fetch flags, and nothing is known of their other
classes. With one, an exposure that no reference has is told: other flags are `drift`; another
model catalog is `pending`, since catalogs are fetched anew within days; the class of the first
start and that of the plan are what users differ in, and so a `note`. A class that references
tell and this laptop does not cannot be compared, which is `unknown`.
"""

from collections.abc import Iterator

from agent.wire import Exposure, FindingView, FixRef, Override, OverrideKind
from server.reference import is_effective
from server.rules.interface import Case, Rule, Ruling

FLAGS_OFF = frozenset(
    {
        "CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC",
        "DISABLE_GROWTHBOOK",
        "DISABLE_TELEMETRY",
        "DO_NOT_TRACK",
    }
)
"""The variables that turn the fetching of feature flags off."""


def tells(kind: OverrideKind, key: str) -> bool:
    """Whether this rule is the one that tells of an override."""
    return kind == "variable" and key in FLAGS_OFF


def _examine(case: Case) -> Ruling:
    if not case.counted:
        return Ruling()
    return Ruling((*_variables(case), *_flags(case), *_classes(case)))


def _set(case: Case) -> Iterator[Override]:
    """The variables that turn flags off here, permitted or not."""
    overrides = case.profile.config.overrides if case.profile.config else ()
    for item in overrides:
        if tells(item.kind, item.key) and is_effective(item):
            yield item


def _variables(case: Case) -> Iterator[FindingView]:
    for item in _set(case):
        if case.permits(item) or _is_shared(case, item.key):
            continue
        yield _finding(
            "drift",
            f"{item.kind} {item.key}",
            f"the {item.kind} {item.key} in the {item.layer} layer turns feature flags off:"
            " users have those that they are sent",
            FixRef("unset", item.layer, item.key),
        )


def _is_shared(case: Case, variable: str) -> bool:
    """Whether a reference machine has its flags off by the same variable."""
    references = case.policy.reference.exposures
    return any(each.flags == "off" and each.flags_off_by == variable for each in references)


def _flags(case: Case) -> Iterator[FindingView]:
    """Flags that are on or off, by what no variable here tells."""
    exposure = case.profile.exposure
    if exposure is None:
        return
    references = case.policy.reference.exposures
    usual = {each.flags for each in references} or {"on"}
    if exposure.flags == "on" and "on" not in usual:
        yield _finding(
            "drift", "flags", "feature flags are on here; those of the reference machines are off"
        )
    by = exposure.flags_off_by
    if exposure.flags == "on" or by in {item.key for item in _set(case)}:
        return
    if by is None and "off" in usual:
        return
    if by is not None and (case.policy.allows("variable", by) or _is_shared(case, by)):
        return
    why = f", by the variable {by}" if by else ""
    yield _finding(
        "drift",
        f"variable {by}" if by else "flags",
        f"feature flags are off here{why}: users have those that they are sent",
    )


def _classes(case: Case) -> Iterator[FindingView]:
    references, exposure = case.policy.reference.exposures, case.profile.exposure
    if not references:
        return
    if exposure is None:
        yield _finding(
            "unknown",
            "exposure",
            "what Claude Code was told remotely is not told: it cannot be compared with the"
            " reference machines",
        )
        return
    yield from _catalog(exposure, references)
    for subject, told, usual in (
        ("first start", exposure.first_start, {each.first_start for each in references}),
        ("plan", exposure.plan, {each.plan for each in references}),
    ):
        if told is not None and told not in usual:
            yield _finding(
                "note",
                subject,
                f"the class of the {subject} is {told}: no reference machine has it",
            )


def _catalog(exposure: Exposure, references: tuple[Exposure, ...]) -> Iterator[FindingView]:
    usual = {each.model_catalog for each in references}
    if exposure.model_catalog in usual:
        return
    known = sorted(each for each in usual if each is not None)
    theirs = " or ".join(str(each) for each in known)
    if exposure.model_catalog is None:
        yield _finding(
            "unknown",
            "model catalog",
            f"the model catalog in use is not told; the reference machines have {theirs}",
        )
    elif known:
        yield _finding(
            "pending",
            "model catalog",
            f"the model catalog is {exposure.model_catalog}; the reference machines have {theirs}",
        )


def _finding(severity: str, subject: str, sentence: str, fix: FixRef | None = None) -> FindingView:
    return FindingView(
        code="exposure-differs", severity=severity, subject=subject, sentence=sentence, fix=fix
    )


RULE = Rule(
    code="exposure-differs",
    says="Feature flags are off here, or what was told remotely is not what users are told.",
    mend="Remove the variable that turns flags off; another model catalog is fetched by itself.",
    examine=_examine,
)
