"""Slack: what reaches a real receiver, what its answers mean, and that nothing leaks."""

import json
import logging
import socket
import threading
import traceback
from collections.abc import Callable, Iterator

import pytest
from pytest_httpserver import HTTPServer
from werkzeug import Request, Response

from server.alerts.destinations import kinds, open_destination
from server.alerts.destinations.slack import ANSWER_MAX_BYTES, RETRY_AFTER_MAX_S, Slack
from server.alerts.messages import Fact, Message
from server.errors import DeliveryError, SettingsError
from server.setting_values import Secret

HOOK = "/services/T000/B000/aVerySecretPath"
MESSAGE = Message("drifted", "anna-mbp drifted", facts=(Fact("Machine", "anna-mbp"),))


@pytest.fixture
def refused(httpserver: HTTPServer, slack: Slack) -> Callable[..., DeliveryError]:
    """Sends a message to a receiver that answers so, and gives the error."""

    def send(body: str, status: int, headers: dict[str, str] | None = None) -> DeliveryError:
        httpserver.expect_request(HOOK).respond_with_data(body, status=status, headers=headers)
        with pytest.raises(DeliveryError) as caught:
            slack.send(MESSAGE)
        return caught.value

    return send


def test_a_message_arrives_as_text_and_blocks(httpserver: HTTPServer, slack: Slack) -> None:
    """One POST of JSON with a fallback text and Block Kit."""
    httpserver.expect_request(HOOK, method="POST").respond_with_data("ok")
    slack.send(MESSAGE)
    ((request, _),) = httpserver.log
    posted = json.loads(request.data)
    assert request.content_type.startswith("application/json")
    assert posted["text"] == "anna-mbp drifted"
    assert posted["blocks"][0]["text"]["text"] == "anna-mbp drifted"


def test_loopback_is_reached_past_any_proxy(
    httpserver: HTTPServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A proxy in the environment is for the world outside; it has no way to this machine."""
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")
    httpserver.expect_request(HOOK).respond_with_data("ok")
    Slack(Secret(httpserver.url_for(HOOK))).send(MESSAGE)
    assert len(httpserver.log) == 1


@pytest.mark.parametrize(
    ("status", "word"),
    [
        (400, "invalid_blocks"),
        (403, "invalid_token"),
        (404, "no_service"),
        (410, "channel_is_archived"),
    ],
)
def test_a_refusal_is_permanent(
    refused: Callable[..., DeliveryError], status: int, word: str
) -> None:
    """Trying at once again cannot help, and Slack's own word says why."""
    error = refused(word, status)
    assert error.permanent
    assert str(error) == f"slack refused the message: {status} {word}"


@pytest.mark.parametrize("status", [408, 429, 500, 502, 503])
def test_a_passing_fault_is_not_permanent(
    refused: Callable[..., DeliveryError], status: int
) -> None:
    """Overload and faults of the other side pass."""
    error = refused("", status)
    assert not error.permanent
    assert error.retry_after_s is None


@pytest.mark.parametrize(
    ("header", "wait_s"),
    [
        ("30", 30.0),
        (" 0 ", 0.0),
        ("99999999999999", float(RETRY_AFTER_MAX_S)),
        ("-5", None),
        ("soon", None),
        ("\u0663", None),
    ],
)
def test_retry_after_is_read(
    refused: Callable[..., DeliveryError], header: str, wait_s: float | None
) -> None:
    """Seconds are obeyed up to an hour; anything else is no wish."""
    encoded = header.encode().decode("latin-1")
    assert refused("rate_limited", 429, {"Retry-After": encoded}).retry_after_s == wait_s


def test_a_redirect_is_not_followed(httpserver: HTTPServer, slack: Slack) -> None:
    """The message goes to the address that was set, and nowhere else."""
    httpserver.expect_request(HOOK).respond_with_data(
        "", status=302, headers={"Location": httpserver.url_for("/elsewhere")}
    )
    httpserver.expect_request("/elsewhere").respond_with_data("ok")
    with pytest.raises(DeliveryError, match="302") as caught:
        slack.send(MESSAGE)
    assert caught.value.permanent
    assert [request.path for request, _ in httpserver.log] == [HOOK]


def test_a_large_answer_is_not_read_whole(httpserver: HTTPServer, slack: Slack) -> None:
    """An endless error page costs a few kilobytes."""
    sent = []

    def endless(_: Request) -> Response:
        def pages() -> Iterator[bytes]:
            for _ in range(4_000):
                sent.append(1)
                yield b"x" * 65_536

        return Response(pages(), status=404)

    httpserver.expect_request(HOOK).respond_with_handler(endless)
    with pytest.raises(DeliveryError, match=r"404$"):
        slack.send(MESSAGE)
    assert len(sent) < 4_000
    assert ANSWER_MAX_BYTES < 65_536


def test_nobody_listening_is_worth_another_try() -> None:
    """A refused connection passes, and is told without the address."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        port = taken.getsockname()[1]
        with pytest.raises(DeliveryError) as caught:
            Slack(Secret(f"http://127.0.0.1:{port}{HOOK}")).send(MESSAGE)
    assert not caught.value.permanent
    assert str(caught.value) == "slack could not be reached: Connection refused"


def test_a_torn_answer_is_worth_another_try() -> None:
    """Who answers with nothing may or may not have posted it: it is sent again."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        torn = Slack(Secret(f"http://127.0.0.1:{listener.getsockname()[1]}{HOOK}"))

        def hang_up() -> None:
            peer, _ = listener.accept()
            peer.recv(65_536)
            peer.close()

        thread = threading.Thread(target=hang_up)
        thread.start()
        with pytest.raises(DeliveryError) as caught:
            torn.send(MESSAGE)
        thread.join()
    assert not caught.value.permanent


@pytest.mark.parametrize("status", [302, 404, 429, 500])
def test_the_address_is_told_nowhere(
    httpserver: HTTPServer,
    slack: Slack,
    status: int,
    caplog: pytest.LogCaptureFixture,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """Neither logs at debug, nor an error with its whole chain, nor a repr quote it."""
    caplog.set_level(logging.DEBUG)
    page = f"nothing at {httpserver.url_for(HOOK)}"
    httpserver.expect_request(HOOK).respond_with_data(page, status=status)
    with pytest.raises(DeliveryError) as caught:
        slack.send(MESSAGE)
    error = caught.value
    ours = [record.getMessage() for record in caplog.records if record.name != "werkzeug"]
    told = [*ours, *capsys.readouterr(), repr(slack), repr(error), error.advice]
    told += traceback.format_exception(error)
    assert not [text for text in told if "aVerySecretPath" in text]


@pytest.mark.parametrize(
    "address",
    [
        "",
        "hooks.example/services/aVerySecretPath",
        "http://hooks.example/services/aVerySecretPath",
        "http://127.0.0.1.example/services/aVerySecretPath",
        "ftp://hooks.example/aVerySecretPath",
        "file:///aVerySecretPath",
        "https:///aVerySecretPath",
        "https://user:word@hooks.example/aVerySecretPath",
        "https://hooks.example/aVery SecretPath",
        "https://hooks.example/aVerySecretPath\n",
        "https://hooks.example:port/aVerySecretPath",
        "https://[::1/aVerySecretPath",
        "https://hooks.example/aVerySecretPath\u00e9",
    ],
)
def test_an_unsafe_address_is_refused_and_not_repeated(address: str) -> None:
    """Only https, or http on loopback; the error does not quote what it refuses."""
    with pytest.raises(SettingsError) as caught:
        open_destination("slack", Secret(address))
    told = "".join(traceback.format_exception(caught.value))
    assert "SecretPath" not in told
    assert str(caught.value).startswith("slack_webhook_url ")


@pytest.mark.parametrize(
    "address",
    [
        "https://hooks.slack.com/services/T/B/x",
        "http://127.0.0.1:8080/x",
        "http://[::1]:8080/x",
        "http://localhost/x",
    ],
)
def test_a_safe_address_is_taken(address: str) -> None:
    """Opening a destination sends nothing."""
    assert open_destination("slack", Secret(address)).name == "slack"


def test_an_unknown_destination_lists_the_known_ones() -> None:
    """A mistyped name ends with what could have been meant."""
    with pytest.raises(SettingsError) as caught:
        open_destination("slakc", Secret("https://hooks.example/x"))
    assert caught.value.advice == "known are: slack"


def test_every_destination_has_its_modules_name() -> None:
    """The setting's prefix is the module's name."""
    assert {name: kind.name for name, kind in kinds().items()} == {"slack": "slack"}
