"""What is set or kept here and no public user has a reason to have.

The table is facts 3.5, "Red-flag names": they stand in the public build's registry of
variables without documentation, and choose other sign-ins, endpoints, flags or prompts. A
policy's `allowed_overrides` does not allow them, nor does a reference machine: the lane is the
permission to have what users do not. The state of a client that signs in elsewhere (facts 3.3)
is one kind of file each. Bytes with a foreign package name are `build-unpublished`.
"""

from agent.wire import FindingView, FixRef, Override, OverrideKind
from server.reference import is_effective
from server.rules.interface import Case, Rule, Ruling

_SIGN_IN_PREFIX = "CLAUDE_LOCAL_OAUTH_"

PREFIXES = ("CLAUDE_INTERNAL_", "ANT_", _SIGN_IN_PREFIX)
"""How families of such names begin."""

SIGN_IN = frozenset({"USE_STAGING_OAUTH", "USE_LOCAL_OAUTH", "CLAUDE_CODE_CUSTOM_OAUTH_URL"})
"""Those by which Claude Code signs in elsewhere than users do (facts 3.3)."""

NAMES = SIGN_IN | {
    "CLAUDE_CODE_API_BASE_URL",
    "CLAUDE_CODE_APPEND_PROMPT_HEAD",
    "CLAUDE_CODE_CLIENT_DATA_URL",
    "CLAUDE_CODE_DISABLE_FEATURE_FLAGS",
    "CLAUDE_CODE_FORCE_MID_CONVERSATION_SYSTEM",
    "CLAUDE_CODE_GB_BASE_URL",
    "CLAUDE_CODE_MANAGED_SETTINGS_PATH",
    "CLAUDE_CODE_MODEL_CATALOG_URL",
    "CLAUDE_CODE_PROMPT_CACHE_TTL",
    "CLAUDE_CODE_REMOVE_PROMPT_STRINGS",
    "CLAUDE_CODE_SUBAGENT_EFFORT",
    "CLAUDE_CODE_SYSTEM_PROMPT_FEATURE_FLAG",
    "CLAUDE_CODE_SYSTEM_PROMPT_GB_FEATURE",
    "USER_TYPE",
}
"""All such names that are no member of a family."""


FILES = frozenset({"custom-oauth-state", "local-oauth-state", "staging-oauth-state"})
"""Kinds of file that a client keeps which signs in elsewhere (facts 3.3)."""


def tells(kind: OverrideKind, key: str) -> bool:
    """Whether this rule is the one that tells of an override."""
    if kind == "file":
        return key in FILES
    return kind == "variable" and (key in NAMES or key.startswith(PREFIXES))


def _examine(case: Case) -> Ruling:
    config = case.profile.config
    if config is None or not case.counted:
        return Ruling()
    found = (item for item in config.overrides if tells(item.kind, item.key) and is_effective(item))
    return Ruling(tuple(_finding(case, item) for item in found))


def _finding(case: Case, item: Override) -> FindingView:
    return FindingView(
        code="staff-only",
        severity=case.not_public_yet,
        subject=f"{item.kind} {item.key}",
        sentence=_sentence(item),
        fix=FixRef("unset", "file" if item.kind == "file" else item.layer, item.key),
    )


def _sentence(item: Override) -> str:
    if item.kind == "file":
        return f"the file {item.key} is there: Claude Code signed in elsewhere than users do"
    is_sign_in = item.key in SIGN_IN or item.key.startswith(_SIGN_IN_PREFIX)
    what = "Claude Code signs in elsewhere than users do" if is_sign_in else "users have it not"
    return f"the {item.kind} {item.key} is set in the {item.layer} layer: {what}"


RULE = Rule(
    code="staff-only",
    says="A variable is set, or a file is kept, that no public user has a reason to have.",
    mend="Remove it; only a group whose lane is `ahead` may have what users do not.",
    examine=_examine,
)
