"""`reference`: marked, listed and unmarked beside a running server, which looks by itself."""

import secrets

from tests.e2e.waiting import wait_until
from tests.server.conftest import Known
from tests.server.expecting import LOW, laptop, profile, seen


def codes(known: Known, machine: str) -> set[str]:
    """The codes of a machine's findings."""
    return {each.code for each in seen(known.live.url, known.viewer, machine).findings}


def test_a_reference_machine_is_compared_with_as_long_as_it_is_marked(known: Known) -> None:
    """Nobody tells the server; `machines list` and `show` say which one it is."""
    group = f"group {secrets.token_hex(4)}"
    shows, compared = (laptop(known.live.url, known.secret, profile(LOW)) for _ in "ab")
    known.live.printed("machines", "move", compared.label, "--group", group)
    assert "config-overridden" in codes(known, compared.machine)
    known.live.printed("reference", "add", shows.label, "--group", group)
    wait_until(lambda: "config-overridden" not in codes(known, compared.machine))
    (listed,) = known.live.rows("reference", "list", "--group", group)
    assert listed[:3] == [group, shows.machine, shows.label]
    assert "stands for what users run" in known.live.printed("machines", "show", shows.label)
    (row,) = [
        line for line in known.live.printed("machines", "list").splitlines() if shows.label in line
    ]
    assert row.endswith("reference")
    known.live.printed("reference", "remove", shows.label, "--group", group)
    wait_until(lambda: "config-overridden" in codes(known, compared.machine))
    assert known.live.printed("reference", "list", "--group", group) == ""


def test_who_does_not_stand_for_a_group_is_not_removed_from_it(known: Known) -> None:
    """One line, with where to look."""
    machine = laptop(known.live.url, known.secret).label
    done = known.live.run("reference", "remove", machine, "--group", "pilots")
    assert done.returncode == 1
    assert done.stderr.strip() == (
        f"parity-server: {machine!r} does not stand for the group 'pilots';"
        " see parity-server reference list"
    )
