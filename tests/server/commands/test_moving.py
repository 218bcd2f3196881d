"""`machines move`: a machine in another group, beside a running server."""

from tests.server.conftest import Known
from tests.server.expecting import laptop, seen


def test_a_machine_is_judged_in_the_group_that_it_was_moved_to(known: Known) -> None:
    """At once, as the running server tells it; counts follow."""
    machine = laptop(known.live.url, known.secret)
    known.live.printed("machines", "move", machine.label, "--group", "moved by command")
    shown = seen(known.live.url, known.viewer, machine.machine)
    assert (shown.group, shown.standing) == ("moved by command", "drift")
    groups = known.live.get("/v1/status", known.viewer)["groups"]
    assert groups["moved by command"]["standings"] == {"drift": 1}


def test_what_cannot_name_a_group_moves_nobody(known: Known) -> None:
    """One line; the machine stays where it is."""
    machine = laptop(known.live.url, known.secret)
    done = known.live.run("machines", "move", machine.label, "--group", "a/b")
    assert done.returncode == 1
    assert "'a/b' cannot name a group" in done.stderr
    assert seen(known.live.url, known.viewer, machine.machine).group == "default"


def test_a_machine_is_shown_with_its_installs_and_what_a_waiver_needs_to_name(
    known: Known,
) -> None:
    """The subject of a finding; and a group that the policy does not name is told as such."""
    machine = laptop(known.live.url, known.secret)
    moved = known.live.run("machines", "move", machine.label, "--group", "a study")
    assert "is in the group a study now" in moved.stderr
    assert "names no group a study: the default holds" in moved.stderr
    printed = known.live.printed("machines", "show", machine.label)
    view = seen(known.live.url, known.viewer, machine.machine)
    (finding,) = view.findings
    (install,) = view.installs
    assert f"drift: {finding.code} of {finding.subject}: {finding.sentence}" in printed
    assert f"install        {install.install.method} ({install.install.place})" in printed
    assert "group a study: drift" in printed
