"""A plan: what mends the findings, what runs first, and what is done by hand."""

from hypothesis import given
from hypothesis import strategies as st

from agent import mending, render_mending
from agent.wire import FindingView, FixRef, MachineView

NPM = FixRef("install", "npm", "2.1.330")
UNSET = FixRef("unset", "user", "effortLevel")


def finding(
    code: str = "build-behind",
    subject: str = "npm global 2.1.329",
    severity: str = "drift",
    fix: FixRef | None = NPM,
) -> FindingView:
    """One finding."""
    return FindingView(code, severity, subject, f"the sentence of {code}", fix=fix)


def view(*findings: FindingView) -> MachineView:
    """A word with these findings."""
    return MachineView("m-1", "laptop-7", "default", "drift", 0, "t", 0, findings=findings)


def test_what_runs_comes_before_what_is_done_by_hand() -> None:
    """Each kind in the order of the findings, which is worst first."""
    by_hand = finding("config-overridden", "setting effortLevel", fix=UNSET)
    plan = mending.plan(view(by_hand, finding()))
    assert [(each.fix, each.runs) for each in plan.steps] == [(NPM, True), (UNSET, False)]


def test_one_command_that_mends_two_findings_is_one_step() -> None:
    """Nobody installs the same version twice."""
    plan = mending.plan(view(finding(), finding("install-stub")))
    assert [[each.code for each in step.findings] for step in plan.steps] == [
        ["build-behind", "install-stub"]
    ]


def test_findings_are_chosen_by_code_or_by_subject() -> None:
    """Both are offered as names."""
    both = view(finding(), finding("config-overridden", "setting effortLevel", fix=UNSET))
    for about in ("config-overridden", "setting effortLevel"):
        assert about in mending.names(both)
        assert [each.fix for each in mending.plan(both, about).steps] == [UNSET]
    assert mending.plan(both, "nothing") == mending.Plan()


def test_what_is_permitted_is_mended_only_when_it_is_named() -> None:
    """A waiver's reason is not overruled by a habit."""
    permitted = view(finding(severity="exempt"))
    assert mending.plan(permitted) == mending.Plan()
    assert len(mending.plan(permitted, "build-behind").steps) == 1


def test_a_fix_that_this_agent_does_not_know_is_told_as_such() -> None:
    """Nor is one of a wrong form: no words of a server's making are shown as a command."""
    odd = view(
        finding(fix=FixRef("polish", "npm", "2.1.330")),
        finding("build-altered", fix=FixRef("install", "npm", "2.1.330; reboot")),
        finding("not-examined", fix=None),
    )
    plan = mending.plan(odd)
    assert (plan.steps, len(plan.unmended)) == ((), 3)
    told = "\n".join(render_mending.steps(plan, applying=False))
    assert "reboot" not in told
    assert "--apply" not in told
    assert told.count("this agent knows no command for it") == 2


def test_steps_are_numbered_through_and_told_apart() -> None:
    """A person reads what a machine can do, then what is theirs to do."""
    by_hand = finding("config-overridden", "setting effortLevel", fix=UNSET)
    plan = mending.plan(view(finding(), by_hand))
    assert render_mending.steps(plan, applying=False) == [
        "",
        "TO RUN",
        "  1. npm install -g @anthropic-ai/claude-code@2.1.330",
        "     build-behind: the sentence of build-behind",
        "",
        "TO DO BY HAND",
        "  2. remove effortLevel from your Claude Code user settings (settings.json)",
        "     config-overridden: the sentence of config-overridden",
        "",
        "to run what is to be run, each after a question: parity-agent fix --apply",
    ]


def test_the_age_of_a_word_is_told_with_the_reason() -> None:
    """A person does not take yesterday's command for today's."""
    assert "just now" in render_mending.heard(view(), 0, "")[1]
    assert "2 h ago: refused" in render_mending.heard(view(), 7_200, "refused")[1]


@given(st.lists(st.sampled_from(["drift", "exempt", "note", "unknown"]), max_size=6), st.text())
def test_every_finding_asked_for_is_in_the_plan_once(severities: list[str], words: str) -> None:
    """Whatever is found, none is lost and none is doubled."""
    fixes = (NPM, UNSET, None)
    found = [
        finding(f"code-{number}", words, severity, fixes[number % 3])
        for number, severity in enumerate(severities)
    ]
    plan = mending.plan(view(*found))
    planned = [each for step in plan.steps for each in step.findings] + list(plan.unmended)
    expected = [each for each in found if each.severity != "exempt"]
    assert sorted(each.code for each in planned) == sorted(each.code for each in expected)
