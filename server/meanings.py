"""What each standing, severity, trust and finding means, and what to do about it. Pure.

The words of a finding are its rule's own, so that a new rule is explained by being there and
none can be explained otherwise than it judges. Those of standings, severities and trust stand
here alone: the page for operators, ``parity-server explain`` and ``GET /v1/meanings`` render
these same values.
"""

from collections.abc import Iterable

from agent.wire import Meaning, Meanings
from server.rules import rules
from server.rules.interface import Rule


def meanings(known: Iterable[Rule] | None = None) -> Meanings:
    """The meaning of every word that a verdict is told in.

    Args:
        known: The rules; all that there are, unless they are given.
    """
    return Meanings(
        standings=_STANDINGS,
        findings=tuple(
            Meaning(rule.code, "finding", rule.says, rule.mend)
            for rule in (rules() if known is None else known)
        ),
        severities=_SEVERITIES,
        trusts=_TRUSTS,
    )


_STANDINGS = (
    Meaning(
        "match",
        "standing",
        says="Every counted copy of Claude Code has the exact bytes of its channel's public"
        " release, and nothing makes it behave otherwise than for users.",
        mend="Nothing.",
    ),
    Meaning(
        "pending",
        "standing",
        says="It differs, and is still in time: within the grace after a release or an"
        " enrolment, or while something is being looked up.",
        mend="Nothing yet. The deadline of the finding says when it becomes drift.",
    ),
    Meaning(
        "drift",
        "standing",
        says="It is not what users get. Each finding says what differs, since when, and why.",
        mend="Run the command shown at the finding, on that laptop; or permit it with a waiver"
        " that has a reason and an end.",
    ),
    Meaning(
        "exempt",
        "standing",
        says="It differs, and that is permitted: by a waiver, or by a group that runs ahead on"
        " purpose. It does not count as matching.",
        mend="Nothing until the waiver ends; then it is drift again by itself.",
    ),
    Meaning(
        "unknown",
        "standing",
        says="There is not enough evidence to say. It is never shown or counted as match.",
        mend="See the finding: it names what is missing, and whether the laptop, the server or"
        " only time can supply it.",
    ),
    Meaning(
        "silent",
        "standing",
        says="The laptop has not been heard of for longer than its group's limit. What it last"
        " said may no longer be so, and a silent laptop is not a matching one.",
        mend="Ask its owner. If the laptop is in use, `parity-agent status` on it tells why it"
        " does not get through; if it is gone, revoke it.",
    ),
    Meaning(
        "paused",
        "standing",
        says="Its user asked to be left alone for a while. Nothing is looked at meanwhile, and"
        " the machine is left out of the share.",
        mend="Nothing: the pause ends by itself, at the latest after seven days.",
    ),
    Meaning(
        "absent",
        "standing",
        says="No surface that counts in its group starts a copy of Claude Code, so there is"
        " nothing to compare. The machine is left out of the share.",
        mend="Nothing, unless its user does use Claude Code: then see how it is started.",
    ),
    Meaning(
        "left",
        "standing",
        says="It was revoked: its token does not hold any more, its label is free again, and"
        " it is left out of the share.",
        mend="Nothing. To have it back, enrol it anew.",
    ),
)

_SEVERITIES = (
    Meaning(
        "drift",
        "severity",
        says="A difference from what users get. One such finding makes the machine drift.",
        mend="Mend it, or permit it.",
    ),
    Meaning(
        "unknown",
        "severity",
        says="Something that could not be decided. Unless there is drift, the machine is unknown.",
        mend="Supply what is missing.",
    ),
    Meaning(
        "pending",
        "severity",
        says="A difference that is still in time. Unless there is worse, the machine is pending.",
        mend="Mind the deadline.",
    ),
    Meaning(
        "exempt",
        "severity",
        says="A difference that is permitted, with its end. Unless there is worse, the machine"
        " is exempt.",
        mend="Mind the end of the permission.",
    ),
    Meaning(
        "note",
        "severity",
        says="Told for information: it changes no standing.",
        mend="Mend it when it suits you.",
    ),
)

_TRUSTS = (
    Meaning(
        "signed",
        "trust",
        says="The published checksum carries a signature by the publisher's pinned key, and it"
        " was verified.",
        mend="Nothing.",
    ),
    Meaning(
        "registry",
        "trust",
        says="The bytes come out of a package whose integrity was checked against what the"
        " registry says of it.",
        mend="Nothing.",
    ),
    Meaning(
        "stated",
        "trust",
        says="A source stated the checksum over an encrypted connection; nothing signed it.",
        mend="Nothing, unless a signature should be there: then the releases view says so.",
    ),
    Meaning(
        "learned",
        "trust",
        says="No source covers these bytes; a reference machine has them. It counts only where"
        " the group's policy says so.",
        mend="Make sure that the reference machine is what it should be.",
    ),
)
