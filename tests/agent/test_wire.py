"""The messages: their bytes are held by recorded ones, and bad bytes give one error."""

import re
from pathlib import Path

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent import digest, wire
from agent.wire import Build, CheckIn, Config, Enrolment, Install, Override, Profile, Unnamed

GOLDEN = Path(__file__).resolve().parents[1] / "golden" / "wire" / "v1"

BUILD = Build(
    sha256="f390eaa0814e6a1bff74cbb47acb74cb9c89d30ced809fe0af5af00c7bfe8ebb",
    size=381_121_040,
    form="binary",
    version="2.1.330",
    platform="linux-x64",
    commit="8c664bec500172ded713624f9ecac0eb7e714829",
    package="@anthropic-ai/claude-code",
)
NAME = "sha256:" + "ab" * 32

MESSAGES: dict[str, wire.Sent | wire.Answer] = {
    "profile": Profile(
        wire=1,
        os="linux",
        arch="x64",
        installs=(
            Install("npm", "global", claimed="2.1.330", build=BUILD, starts=("terminal",)),
            Install("npm", "nvm", state="stub", claimed="2.1.329"),
            Install("native", "versions", state="not-examined", reason="it may not be read"),
        ),
        config=Config(
            1,
            NAME,
            (
                Override("setting", "effortLevel", "user", "behaviour", value="low"),
                Override("variable", "ANTHROPIC_BASE_URL", "user", "behaviour"),
                Override("setting", "hooks", "user", "personal"),
            ),
            (Unnamed("user", 2),),
        ),
        problems=(wire.Problem("search_path", "a part of PATH is computed"),),
    ),
    "check-in": CheckIn(1, NAME, "0.1.0", "0123456789abcdef", 7, 1_790_000_000),
    "check-in-after-an-outage": CheckIn(
        1,
        NAME,
        "0.1.0",
        "0123456789abcdef",
        8,
        1_790_000_900,
        changes=(wire.Change(NAME, 1_790_000_100),),
        dropped=3,
    ),
    "check-in-in-a-pause": CheckIn(
        1, NAME, "0.1.0", "0123456789abcdef", 9, 1_790_001_000, paused_s=7_200
    ),
    "enrolment": Enrolment(1, "bpe_not-a-real-one", "ada-mac", "0" * 32, owner="ada"),
    "enrolled": wire.Enrolled("0123456789abcdef", "bpm_not-a-real-one", "default"),
    "ack": wire.Ack("match", "0123456789abcdef", 903),
    "ack-to-an-old-token": wire.Ack("match", "0123456789abcdef", 903, rotate=True),
    "renewal": wire.Renewal(1, "0" * 32),
    "renewed": wire.Renewed("bpm_not-a-real-one"),
    "refusal": wire.Refusal("the body is no JSON", "send the message as JSON", "$.seq"),
}

KINDS = {name: type(message) for name, message in MESSAGES.items()}


@pytest.mark.parametrize("name", sorted(MESSAGES))
def test_a_message_has_its_recorded_bytes(name: str) -> None:
    """A change of these bytes is a change of the wire: old laptops and servers meet it."""
    assert digest.canonical(MESSAGES[name]) + b"\n" == (GOLDEN / f"{name}.json").read_bytes()


@pytest.mark.parametrize("name", sorted(MESSAGES))
def test_recorded_bytes_are_read_back_whole(name: str) -> None:
    """What was written is what is read."""
    read = msgspec.json.decode((GOLDEN / f"{name}.json").read_bytes(), type=KINDS[name])
    assert read == MESSAGES[name]


def test_the_usual_check_in_is_small() -> None:
    """An unchanged check-in is at most 400 bytes."""
    assert len(digest.canonical(MESSAGES["check-in"])) <= 400


@pytest.mark.parametrize("name", ["profile", "check-in", "enrolment", "renewal"])
def test_an_unknown_field_is_refused(name: str) -> None:
    """A newer agent cannot quietly tell more."""
    fields = msgspec.to_builtins(MESSAGES[name]) | {"hostname": "ada-mac.local"}
    with pytest.raises(msgspec.ValidationError, match="hostname"):
        msgspec.convert(fields, KINDS[name])


@pytest.mark.parametrize("name", ["ack", "enrolled", "renewed", "refusal"])
def test_an_unknown_field_of_an_answer_is_skipped(name: str) -> None:
    """A newer server may say more."""
    fields = msgspec.to_builtins(MESSAGES[name]) | {"hint": "new"}
    assert msgspec.convert(fields, KINDS[name]) == MESSAGES[name]


@pytest.mark.parametrize("name", ["ack", "enrolled", "renewed"])
def test_an_answer_always_names_the_wire_versions(name: str) -> None:
    """An agent must not take its own default for what the server reads."""
    assert b'"wires":[1]' in msgspec.json.encode(MESSAGES[name])


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("profile", NAME + "\n"),
        ("profile", NAME.upper()),
        ("agent", "0.1.0 ada@example.com"),
        ("epoch", "0123456789abcde"),
        ("seq", 0),
        ("seq", 2**53),
        ("clock", -1),
        ("clock", 1.5),
        ("paused_s", -1),
        ("paused_s", wire.PAUSE_MAX_S + 1),
    ],
)
def test_a_value_out_of_form_is_refused(field: str, value: object) -> None:
    """Each with the path of the offending place."""
    fields = msgspec.to_builtins(MESSAGES["check-in"]) | {field: value}
    with pytest.raises(msgspec.ValidationError, match=re.escape(f"`$.{field}`")):
        msgspec.convert(fields, CheckIn)


def test_an_override_cannot_hold_free_text() -> None:
    """A value is a word, a number or a boolean: no path, address or sentence fits."""
    for value in ("/home/ada", "https://example.com", "two words", "ada@example.com", "x" * 33):
        with pytest.raises(msgspec.ValidationError):
            msgspec.convert(
                {
                    "kind": "setting",
                    "key": "model",
                    "layer": "user",
                    "class": "behaviour",
                    "value": value,
                },
                Override,
            )


def test_an_install_counts_when_something_starts_it() -> None:
    """At rest means that no surface starts it."""
    assert Install("npm", "global", starts=("terminal",)).counted
    assert not Install("npm", "global").counted


@given(st.binary(max_size=300) | st.text(max_size=300).map(str.encode))
def test_any_bytes_give_a_message_or_the_one_error(data: bytes) -> None:
    """Nothing else than a msgspec error comes out of the decoder."""
    for kind in (Profile, CheckIn, Enrolment):
        try:
            read = msgspec.json.decode(data, type=kind)
        except (msgspec.MsgspecError, UnicodeDecodeError):
            continue
        assert isinstance(read, kind)
