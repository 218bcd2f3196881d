"""Whether a desktop is told of drift: once for each finding, in plain text."""

from hypothesis import given
from hypothesis import strategies as st

from agent import notify
from agent.wire import FindingView, MachineView, Standing


def finding(
    subject: str = "npm", sentence: str = "it is behind", severity: str = "drift"
) -> FindingView:
    """One finding of one code."""
    return FindingView("build-behind", severity, subject, sentence)


def view(*findings: FindingView, standing: Standing = "drift") -> MachineView:
    """A word with these findings."""
    return MachineView("m-1", "laptop-7", "default", standing, 0, "t", 0, findings=findings)


def test_a_finding_is_told_once() -> None:
    """The same word again says nothing new."""
    first = notify.decide(view(finding()), ())
    assert first.notice is not None
    assert "it is behind" in first.notice.text
    assert notify.decide(view(finding()), first.told) == notify.Decision(None, first.told)


def test_a_finding_that_had_gone_and_came_back_is_told_again() -> None:
    """It is news again."""
    told = notify.decide(view(finding()), ()).told
    gone = notify.decide(view(standing="match"), told)
    assert gone == notify.Decision(None, frozenset())
    assert notify.decide(view(finding()), gone.told).notice is not None


def test_only_what_is_new_is_told() -> None:
    """What was told before is not counted among it."""
    told = notify.decide(view(finding("a")), ()).told
    notice = notify.decide(view(finding("a"), finding("b"), finding("c")), told).notice
    assert notice is not None
    assert "And 1 more." in notice.text


def test_what_is_no_drift_is_not_told() -> None:
    """Neither what is still in time nor what is permitted disturbs anybody."""
    calm = [finding(severity=each) for each in ("pending", "exempt", "note", "unknown")]
    assert notify.decide(view(*calm, standing="pending"), ()).notice is None


def test_a_paused_machine_is_left_alone_and_remembers() -> None:
    """After the pause nothing is told a second time."""
    told = notify.decide(view(finding()), ()).told
    paused = notify.decide(view(standing="paused"), told)
    assert paused == notify.Decision(None, told)


@given(st.text(max_size=600), st.integers(1, 5))
def test_a_notification_is_short_plain_text(sentence: str, count: int) -> None:
    """No markup, no line break, nothing that moves a cursor; and what to do is never cut off."""
    found = [finding(str(number), sentence) for number in range(count)]
    notice = notify.decide(view(*found), ()).notice
    assert notice is not None
    assert len(notice.text) <= notify.TEXT_MAX
    assert notice.text.isprintable()
    assert not set("<>&") & set(notice.text)
    assert notice.text.endswith("parity-agent fix")
