"""A public number with other bytes."""

from agent.wire import Build, FixRef
from server.rules.build_altered import RULE
from tests.server.rules.ruled import HEAD, OTHER_BYTES, install, only, rule


def test_one_other_byte_is_drift_with_a_reinstallation() -> None:
    """The number that it claims is public for its platform, its bytes are not."""
    finding = only(rule(RULE, install(OTHER_BYTES)))
    assert (finding.severity, finding.fix) == ("drift", FixRef("reinstall", "npm", "2.1.330"))
    assert finding.sentence == "the npm install 2.1.330 has other bytes than the public 2.1.330"


def test_a_packager_that_changes_bytes_is_named() -> None:
    """It is drift all the same: users do not have these bytes."""
    finding = only(rule(RULE, install(OTHER_BYTES, method="nix", place="store")))
    assert finding.severity == "drift"
    assert finding.sentence == (
        "the nix install 2.1.330 has other bytes than the public 2.1.330:"
        " Nix patches what it packages"
    )


def test_the_public_bytes_are_not_altered() -> None:
    """Nor is a platform of which no public file is known."""
    darwin = Build("e" * 64, 10, "binary", "2.1.330", "darwin-arm64")
    assert rule(RULE, install(HEAD), install(darwin)).findings == ()
