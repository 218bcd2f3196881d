"""``explain`` as a person types it, with and without a server."""

import json

import pytest

from tests.agent.commands.words import BEHIND, OVERRIDDEN, Told
from tests.agent.receiver import Receiver
from tests.e2e.harness import Laptop


@pytest.fixture
def told(laptop: Laptop, receiver: Receiver) -> Told:
    """A laptop that was checked and has two findings."""
    made = Told(laptop, receiver, [BEHIND, OVERRIDDEN])
    assert made.run("check").returncode == 10
    return made


def test_a_code_is_explained_with_what_holds_here(told: Told) -> None:
    """What, since when, the mend, the file that sets it; then the meaning."""
    done = told.run("explain", "config-overridden")
    assert (done.returncode, done.stderr) == (0, "")
    here, meaning = done.stdout.split("WHAT config-overridden MEANS (finding)")
    assert OVERRIDDEN["sentence"] in here
    assert f"effortLevel is set in {told.laptop.home}/.claude/settings.json" in here
    assert "mend it: remove effortLevel" in here
    assert "what to do:" in meaning
    (found,) = json.loads(told.run("explain", "config-overridden", "--json").stdout)["findings"]
    assert found["files"] == [f"{told.laptop.home}/.claude/settings.json"]


def test_meanings_are_kept_for_when_there_is_no_server(told: Told) -> None:
    """They came with the check, asked for without a token, and once."""
    assert told.asked.count(("/v1/meanings", False)) == 1
    told.go_away()
    done = told.run("explain", "build-behind")
    assert (done.returncode, done.stderr) == (0, "")
    assert "WHAT build-behind MEANS" in done.stdout
    assert ("/v1/meanings", True) not in told.asked
    assert told.asked.count(("/v1/meanings", False)) == 1


def test_standings_are_explained_too(told: Told) -> None:
    """That of this machine with its time, another one as not holding."""
    assert "laptop-7 is drift, since" in told.run("explain", "drift").stdout
    assert "silent does not hold here" in told.run("explain", "silent").stdout
    trust = told.run("explain", "signed").stdout
    assert "does not hold" not in trust
    assert "WHAT signed MEANS (trust)" in trust


def test_without_a_code_it_lists_what_holds_here(told: Told) -> None:
    """Each code with a line of what it means."""
    told_here = told.run("explain").stdout
    for code in ("build-behind", "config-overridden"):
        assert f"  {code}\n    " in told_here
    listed = json.loads(told.run("explain", "--json").stdout)
    assert {each["word"] for each in listed["meanings"]} == {
        "drift",
        "build-behind",
        "config-overridden",
    }


def test_an_unknown_code_is_refused_with_the_one_that_was_meant(told: Told) -> None:
    """In lines that fit, and with where all of them are."""
    done = told.run("explain", "build-behnd")
    assert done.returncode == 2
    assert "did you mean build-behind" in done.stderr
    assert "parity-agent explain lists them" in done.stderr
    assert max(map(len, done.stderr.splitlines())) <= 140
    listed = told.run("explain").stdout.partition("ALL WORDS")[2]
    assert {"updates-off", "silent", "signed"} <= set(listed.replace(",", " ").split())


def test_a_server_that_was_never_reached_for_meanings_is_told(
    laptop: Laptop, receiver: Receiver
) -> None:
    """What holds here is told all the same."""
    told = Told(laptop, receiver, [BEHIND])
    answer = receiver.answer_first
    refused = Told.nothing_at("/v1/meanings")
    receiver.answer_first = lambda request: refused(request) or answer(request)
    assert told.run("check").returncode == 10
    done = told.run("explain", "build-behind")
    assert done.returncode == 0
    assert BEHIND["sentence"] in done.stdout
    assert "was never reached for it" in " ".join(done.stdout.split())
    unknown = told.run("explain", "staff-only")
    assert unknown.returncode == 1
    assert "what holds here: build-behind, drift" in unknown.stderr


def test_in_a_pause_nothing_is_asked_and_nothing_looked_at(told: Told) -> None:
    """What is kept is enough."""
    told.run("pause", "1h")
    told.asked.clear()
    done = told.run("explain", "config-overridden")
    assert done.returncode == 0
    assert "settings.json in" not in done.stdout
    assert "is set in" not in done.stdout
    assert told.asked == []


def test_before_the_first_word_there_is_nothing_to_explain(
    laptop: Laptop, receiver: Receiver
) -> None:
    """The person learns which command helps."""
    done = Told(laptop, receiver).run("explain", "drift")
    assert done.returncode == 1
    assert "parity-agent check" in done.stderr


def test_words_are_explained_before_enrolment(laptop: Laptop, receiver: Receiver) -> None:
    """By the server that the settings name; without one, it is said what helps."""
    Told(laptop, receiver, [BEHIND])
    (laptop.state / "identity.json").unlink()
    (laptop.state / "journal.db").unlink()
    before = sorted(laptop.state.iterdir())
    unknown = laptop.run("explain", "build-behind")
    assert unknown.returncode == 1
    assert "server_url" in unknown.stderr
    laptop.settings["server_url"] = receiver.url
    done = laptop.run("explain", "build-behind")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith("WHAT build-behind MEANS (finding)")
    assert "ALL WORDS" in laptop.run("explain").stdout
    assert laptop.run("explain", "build-behnd").returncode == 2
    assert sorted(laptop.state.iterdir()) == before


def test_what_was_kept_is_explained_after_the_enrolment_ended(told: Told) -> None:
    """And completed."""
    (told.laptop.state / "identity.json").unlink()
    told.go_away()
    assert "WHAT drift MEANS" in told.run("explain", "drift").stdout
