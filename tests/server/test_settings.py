"""The server's settings: what is read, what stops it, and what is never shown."""

import contextlib
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from server import settings
from server.errors import SettingsError
from server.store.interface import Limits


def _refused(environment: dict[str, str], file: Path | None = None) -> str:
    with pytest.raises(SettingsError) as caught:
        settings.load(environment, file)
    return f"{caught.value}; {caught.value.advice}"


def test_without_anything_set_it_listens_on_loopback_only() -> None:
    """The defaults need no file and show nothing to the network."""
    values = settings.load({})
    assert settings.is_loopback(values.host)
    assert values.slack_webhook_url is None
    assert values.database.endswith("server.db")


def test_the_environment_is_stronger_than_the_file_and_an_option_than_both(tmp_path: Path) -> None:
    """One order of strength, for every field."""
    file = tmp_path / "server.toml"
    file.write_text("port = 1000\nheads_every_s = 60\ncheck_in_interval_s = 30\n")
    values = settings.load(
        {"PARITY_SERVER_PORT": "2000", "PARITY_SERVER_HEADS_EVERY_S": "90"},
        file,
        {"port": 3000, "host": None},
    )
    assert (values.port, values.heads_every_s, values.check_in_interval_s) == (3000, 90, 30)


def test_a_secret_comes_from_its_variable_or_its_file_and_is_not_shown(tmp_path: Path) -> None:
    """Printing or logging settings tells no secret."""
    file = tmp_path / "hook"
    file.write_text("https://hooks.example.com/T0/secret\n")
    by_file = settings.load({"PARITY_SERVER_SLACK_WEBHOOK_URL_FILE": str(file)})
    by_name = settings.load({"PARITY_SERVER_SLACK_WEBHOOK_URL": file.read_text().strip()})
    assert by_file.slack_webhook_url == by_name.slack_webhook_url
    assert by_file.slack_webhook_url is not None
    assert by_file.slack_webhook_url.value.endswith("secret")
    assert "secret" not in f"{by_file!r} {by_file.slack_webhook_url}"


def test_a_settings_file_may_name_a_secret_file_but_not_hold_the_secret(tmp_path: Path) -> None:
    """A settings file can be shown to a colleague."""
    file = tmp_path / "server.toml"
    file.write_text('\nslack_webhook_url = "https://hooks.example.com/abc"\n')
    message = _refused({}, file)
    assert f"{file}, line 2: slack_webhook_url is a secret" in message
    assert "slack_webhook_url_file" in message
    assert "abc" not in message


def test_a_bad_secret_is_refused_without_being_told() -> None:
    """The message names the variable and nothing of its value."""
    message = _refused({"PARITY_SERVER_SLACK_WEBHOOK_URL": "hunter2"})
    assert "the variable PARITY_SERVER_SLACK_WEBHOOK_URL is not an address" in message
    assert "hunter2" not in message


def test_an_unknown_name_is_refused_with_the_known_ones(tmp_path: Path) -> None:
    """A typing mistake is not silently a default."""
    file = tmp_path / "server.toml"
    file.write_text("# mine\nprot = 1\n")
    assert "line 2: prot is not a setting; remove it; known are: data_dir" in _refused({}, file)
    assert "PARITY_SERVER_PROT is not a setting" in _refused({"PARITY_SERVER_PROT": "1"})


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("PORT", "http", "must be a number"),
        ("PORT", "70000", "it must be from 0 to 65535"),
        ("PORT", "1.5", "must be a whole number"),
        ("BODY_TIMEOUT_S", "inf", "it must be from"),
        ("BEHIND_PROXY", "yes", "must be true or false"),
        ("DATA_DIR", "here", "must be an absolute path"),
        ("LOG_LEVEL", "loud", "must be one of debug, info"),
        ("BUCKET_URL", "ftp://example.com", "is not an address"),
    ],
)
def test_a_bad_value_is_refused_by_name(name: str, value: str, said: str) -> None:
    """Each says which variable, and what would be right."""
    message = _refused({f"PARITY_SERVER_{name}": value})
    assert f"the variable PARITY_SERVER_{name} " in message
    assert said in message


def test_a_file_that_is_no_toml_is_refused_with_its_line(tmp_path: Path) -> None:
    """The operator is sent to the line."""
    file = tmp_path / "server.toml"
    file.write_text("port = 1\nhost = \n")
    assert "line 2" in _refused({}, file)


def test_a_named_file_must_exist_and_be_small_text(tmp_path: Path) -> None:
    """A missing, huge or binary file is told, not skipped."""
    assert "cannot read" in _refused({}, tmp_path / "none.toml")
    huge = tmp_path / "huge.toml"
    huge.write_text("#" * (settings.FILE_MAX_BYTES + 1))
    assert "larger than" in _refused({}, huge)
    binary = tmp_path / "binary.toml"
    binary.write_bytes(b"\xff\xfe")
    assert "is not text" in _refused({}, binary)


def test_beyond_loopback_it_needs_tls_or_a_proxy_that_the_settings_admit(tmp_path: Path) -> None:
    """A token never crosses a network in the clear by mistake."""
    open_to_all = {"PARITY_SERVER_HOST": "0.0.0.0"}  # noqa: S104 - the very thing refused
    assert "without TLS would show tokens" in _refused(open_to_all)
    assert settings.load({**open_to_all, "PARITY_SERVER_BEHIND_PROXY": "true"}).behind_proxy
    pem = str(tmp_path / "x.pem")
    both = {"PARITY_SERVER_TLS_CERT": pem, "PARITY_SERVER_TLS_KEY": pem}
    assert settings.load({**open_to_all, **both}).tls_cert == Path(pem)
    assert "tls_key is not set" in _refused({"PARITY_SERVER_TLS_CERT": pem})


@pytest.mark.parametrize("name", ["bucket_url", "npm_registry_url", "slack_webhook_url"])
def test_an_empty_address_is_none(name: str) -> None:
    """So a default can be switched off by a variable; a port cannot be empty."""
    values = settings.load({f"PARITY_SERVER_{name.upper()}": ""})
    assert getattr(values, name) is None
    assert "must be a number" in _refused({"PARITY_SERVER_PORT": ""})


@given(st.dictionaries(st.text(min_size=1).map(lambda s: settings.PREFIX + s), st.text()))
def test_any_environment_gives_settings_or_the_one_error(environment: dict[str, str]) -> None:
    """No text that a variable can hold ends in another exception."""
    with contextlib.suppress(SettingsError):
        settings.load(environment)


def test_an_address_of_a_database_is_not_shown() -> None:
    """It may hold a password."""
    address = "postgresql://parity:hunter2@host/parity"
    values = settings.load({"PARITY_SERVER_DATABASE_URL": address})
    assert values.database == address
    assert "hunter2" not in f"{values} {values!r}"


def test_what_a_database_may_take_is_one_value() -> None:
    """As the store asks for it: seconds, and connections."""
    names = ("connect_timeout_s", "statement_timeout_s", "lock_timeout_s", "connections_max")
    told = {
        f"PARITY_SERVER_DATABASE_{name.upper()}": str(value)
        for value, name in enumerate(names, start=2)
    }
    limits = Limits(connect_s=2, statement_s=3, lock_s=4, connections=5)
    assert settings.load(told).database_limits == limits
    assert settings.load({}).database_limits == Limits()
