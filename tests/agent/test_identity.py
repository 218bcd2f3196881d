"""The enrolment on a real disk."""

import os
import re
import stat
from dataclasses import replace
from pathlib import Path

import pytest

from agent import identity, state_files
from agent.errors import IdentityError
from agent.identity import Identity, Renewal, Wish

WISH = Wish("https://parity.example.com", "laptop-7", owner="Kim")
ENROLLED = Identity("https://parity.example.com", "m-1", "tok-secret", "laptop-7", "default", "Kim")


def test_what_was_kept_is_read_again(tmp_path: Path) -> None:
    """An enrolment survives the process."""
    identity.keep(tmp_path, ENROLLED)
    assert identity.load(tmp_path) == ENROLLED


def test_an_unenrolled_machine_has_no_identity(tmp_path: Path) -> None:
    """A missing file is no error."""
    assert identity.load(tmp_path / "nowhere") is None


def test_the_token_is_in_no_text_made_of_an_identity() -> None:
    """It cannot reach a log by being printed."""
    assert "tok-secret" not in f"{ENROLLED!r} {ENROLLED}"


def test_a_lost_answer_is_asked_for_with_the_same_key(tmp_path: Path) -> None:
    """The key is on disk before it is sent, and stays until there is an answer."""
    begun = identity.begin(tmp_path, WISH)
    assert begun.label == "laptop-7"
    assert identity.begin(tmp_path, WISH) == begun
    identity.keep(tmp_path, ENROLLED)
    assert identity.begin(tmp_path, WISH).key != begun.key


def test_another_wish_has_another_key(tmp_path: Path) -> None:
    """A key names one machine on one server."""
    key = identity.begin(tmp_path, WISH).key
    other = Wish("https://other.example.com", "laptop-7", "Kim")
    assert identity.begin(tmp_path, other).key != key


def test_a_name_that_was_made_is_kept_with_the_key(tmp_path: Path) -> None:
    """Until there is an answer, or the name turns out to be in use."""
    wish = Wish("https://parity.example.com", owner="Kim")
    begun = identity.begin(tmp_path, wish)
    assert re.fullmatch(r"Kim-[a-z0-9]+-[0-9a-f]{4}", begun.label or "")
    assert begun.named == replace(wish, label=begun.label)
    assert identity.begin(tmp_path, wish) == begun
    identity.draw_again(tmp_path)
    assert identity.begin(tmp_path, wish).key != begun.key


def test_a_name_is_offered_again_until_there_is_an_answer(tmp_path: Path) -> None:
    """So that who takes it asks for the same machine; at another server it is another."""
    wish = Wish("https://parity.example.com", owner="kim")
    assert identity.suggested(tmp_path, wish).startswith("kim-")
    label = identity.begin(tmp_path, replace(wish, label="offered")).label
    assert identity.suggested(tmp_path, wish) == label == "offered"
    assert identity.suggested(tmp_path, replace(wish, server_url="https://b.example.com")) != label


def test_what_an_older_agent_began_goes_on(tmp_path: Path) -> None:
    """Its file says nothing of names that were made."""
    older = {"wish": {"server_url": WISH.server_url, "label": "laptop-7", "owner": "Kim"}}
    state_files.replace(tmp_path / "enrolling.json", older | {"key": "0" * 32})
    begun = identity.begin(tmp_path, WISH)
    assert (begun.key, begun.named) == ("0" * 32, WISH)


@pytest.mark.parametrize(
    ("wish", "is_same"),
    [
        (WISH, True),
        (Wish(WISH.server_url), True),
        (Wish(WISH.server_url, owner="Robin", group="other"), True),
        (Wish(WISH.server_url, "laptop-8"), False),
        (Wish("https://other.example.com"), False),
    ],
)
def test_an_enrolment_is_as_wished_by_its_server_and_name(wish: Wish, *, is_same: bool) -> None:
    """A name that nobody asks for is any name."""
    assert identity.is_as_wished(ENROLLED, wish) is is_same


def test_a_forgotten_enrolment_is_gone_with_what_was_begun(tmp_path: Path) -> None:
    """And forgetting it twice is no error."""
    identity.keep(tmp_path, ENROLLED)
    identity.begin(tmp_path, WISH)
    identity.forget(tmp_path)
    identity.forget(tmp_path)
    assert [each.name for each in tmp_path.iterdir()] == ["identity.lock"]


@pytest.mark.skipif(os.name != "posix", reason="file modes are POSIX")
def test_files_are_their_owners_alone(tmp_path: Path) -> None:
    """Whatever the umask is, and the folder too."""
    old = os.umask(0)
    try:
        folder = tmp_path / "new" / "state"
        identity.begin(folder, WISH)
        state_files.prepare(folder)
        enrolling = stat.S_IMODE((folder / "enrolling.json").stat().st_mode)
        identity.keep(folder, ENROLLED)
    finally:
        os.umask(old)
    assert enrolling == 0o600
    assert stat.S_IMODE((folder / "identity.json").stat().st_mode) == 0o600
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700


@pytest.mark.skipif(os.name != "posix", reason="file modes are POSIX")
def test_a_token_that_others_can_read_is_refused(tmp_path: Path) -> None:
    """The person is told how to mend it."""
    identity.keep(tmp_path, ENROLLED)
    (tmp_path / "identity.json").chmod(0o644)
    with pytest.raises(IdentityError, match="can be read by others") as caught:
        identity.load(tmp_path)
    assert "chmod 600" in caught.value.advice


@pytest.mark.parametrize(
    "data", [b"", b"{}", b"[1]", b"\xff\xfe", b'{"machine": 3}', b"{" * 50_000]
)
def test_a_damaged_file_is_told_as_such(tmp_path: Path, data: bytes) -> None:
    """No content makes a traceback."""
    identity.keep(tmp_path, ENROLLED)
    (tmp_path / "identity.json").write_bytes(data)
    with pytest.raises(IdentityError, match="is damaged"):
        identity.load(tmp_path)


def test_an_identity_never_sends_a_token_in_the_clear(tmp_path: Path) -> None:
    """An address that was edited to http is refused when it is read."""
    identity.keep(tmp_path, Identity("http://parity.example.com", "m", "t", "l", "g"))
    with pytest.raises(IdentityError, match="is http beyond this machine"):
        identity.load(tmp_path)


def test_nothing_is_left_beside_the_files(tmp_path: Path) -> None:
    """A replaced file leaves no half of one; the lock is what who writes it holds."""
    identity.begin(tmp_path, WISH)
    identity.keep(tmp_path, ENROLLED)
    identity.keep(tmp_path, ENROLLED)
    names = sorted(each.name for each in tmp_path.iterdir())
    assert names == ["identity.json", "identity.lock"]


def test_the_next_token_takes_the_place_of_the_present_one(tmp_path: Path) -> None:
    """And all else stays; a conversation that began before it signs with it too."""
    identity.keep(tmp_path, ENROLLED)
    renewal = Renewal(tmp_path, ENROLLED)
    renewal.keep("tok-2")
    kept = identity.load(tmp_path)
    assert kept == replace(ENROLLED, token="tok-2")  # noqa: S106 - nobody's
    assert kept.is_machine_of(ENROLLED)
    assert (renewal.token, ENROLLED.token) == ("tok-2", "tok-secret")


def test_a_token_that_comes_late_does_not_undo_another_enrolment(tmp_path: Path) -> None:
    """Who enrolled anew meanwhile stays so; also one that is gone is not brought back."""
    other = replace(ENROLLED, machine="m-2", token="tok-other", key="1" * 32)  # noqa: S106
    identity.keep(tmp_path, other)
    renewal = Renewal(tmp_path, ENROLLED)
    renewal.keep("tok-2")
    assert identity.load(tmp_path) == other
    assert renewal.token == ENROLLED.token
    identity.forget(tmp_path)
    renewal.keep("tok-2")
    assert identity.load(tmp_path) is None


def test_neither_token_nor_key_is_in_a_text_of_it() -> None:
    """Logs and errors show an identity without what opens."""
    text = repr(replace(ENROLLED, key="0" * 32))
    assert "tok-secret" not in text
    assert "0" * 32 not in text


def test_the_secret_comes_from_file_then_environment_then_person(tmp_path: Path) -> None:
    """The first of the three that is there."""
    file = tmp_path / "secret"
    file.write_text(" from-file \n")
    variables = {"PARITY_AGENT_ENROL_SECRET": "from-variable"}
    assert identity.enrolment_secret(variables, file, lambda: "typed") == "from-file"
    assert identity.enrolment_secret(variables, None, lambda: "typed") == "from-variable"
    assert identity.enrolment_secret({}, None, lambda: "typed") == "typed"


@pytest.mark.parametrize("data", [b"", b"  \n", b"\xff", b"x" * 5000])
def test_an_unusable_secret_file_is_told(tmp_path: Path, data: bytes) -> None:
    """Its content is not repeated."""
    file = tmp_path / "secret"
    file.write_bytes(data)
    with pytest.raises(IdentityError, match="secret file"):
        identity.enrolment_secret({}, file, None)


def test_no_secret_at_all_says_where_to_get_one() -> None:
    """There is nobody to ask."""
    with pytest.raises(IdentityError, match="no enrolment secret") as caught:
        identity.enrolment_secret({}, None, None)
    assert "--secret-file" in caught.value.advice


def test_a_state_folder_that_cannot_be_made_is_told(tmp_path: Path) -> None:
    """A file stands where the folder should be."""
    (tmp_path / "file").write_text("")
    with pytest.raises(IdentityError) as caught:
        identity.keep(tmp_path / "file" / "state", ENROLLED)
    assert "state_dir" in caught.value.advice
