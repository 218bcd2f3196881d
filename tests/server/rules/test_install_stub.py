"""npm's unfilled placeholder."""

from agent.wire import FixRef
from server.rules.install_stub import RULE
from tests.server.rules.ruled import HEAD, install, only, rule


def test_a_stub_is_drift_with_a_reinstallation_that_runs_scripts() -> None:
    """It cannot start, whatever its number."""
    finding = only(rule(RULE, install(None, state="stub", claimed="2.1.330")))
    assert (finding.severity, finding.fix) == ("drift", FixRef("reinstall", "npm", "2.1.330"))


def test_a_stub_at_rest_is_nobodys_trouble() -> None:
    """Nothing starts it; and a filled install is none."""
    assert rule(RULE, install(None, state="stub", starts=()), install(HEAD)).findings == ()
