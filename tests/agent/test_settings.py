"""Settings out of a file and the environment, and what is said of bad ones."""

import os
from pathlib import Path

import pytest

from agent.errors import SettingsError
from agent.settings import checked_url, is_loopback, load


def written(folder: Path, text: str) -> Path:
    """A settings file."""
    file = folder / "agent.toml"
    file.write_text(text)
    return file


def test_the_environment_wins_over_the_file(tmp_path: Path) -> None:
    """A field that both set has the environment's value; the file keeps the others."""
    file = written(tmp_path, 'watch_interval_s = 7\nlabel = "from the file"\n')
    settings = load({"PARITY_AGENT_WATCH_INTERVAL_S": "9"}, file)
    assert settings.watch_interval_s == 9
    assert settings.label == "from the file"


def test_without_a_file_the_defaults_hold(tmp_path: Path) -> None:
    """Nothing has to be set."""
    settings = load({"XDG_CONFIG_HOME": str(tmp_path), "PARITY_AGENT_LABEL": "x"})
    assert settings.label == "x"
    assert settings.system_root is None


def test_the_file_may_be_named_in_the_environment(tmp_path: Path) -> None:
    """PARITY_AGENT_CONFIG is a place and not a setting."""
    file = written(tmp_path, 'label = "named"')
    assert load({"PARITY_AGENT_CONFIG": str(file)}).label == "named"


def test_a_list_of_paths_is_written_as_toml_or_as_a_search_path(tmp_path: Path) -> None:
    """The file holds an array, the variable what PATH would hold."""
    file = written(tmp_path, 'python_environments = ["/one", "/two three"]\n')
    wanted = (Path("/one"), Path("/two three"))
    assert load({}, file).python_environments == wanted
    variable = os.pathsep.join(map(str, wanted))
    said = {"PARITY_AGENT_PYTHON_ENVIRONMENTS": variable, "XDG_CONFIG_HOME": str(tmp_path)}
    assert load(said).python_environments == wanted


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('label = "x"\nwatch_intervall_s = 5\n', "line 2: watch_intervall_s is not a setting"),
        ("# a\nwatch_interval_s = true\n", "line 2: watch_interval_s must be a number"),
        ("watch_interval_s = 600\n", "line 1: watch_interval_s is 600"),
        ("http_timeout_s = nan\n", "http_timeout_s is nan"),
        ("answer_max_bytes = 5000.5\n", "must be a whole number"),
        ('state_dir = "here"\n', "must be an absolute path"),
        ("scan_processes = 1\n", "must be true or false"),
        ("scan_processes = []\n", "must be true or false"),
        ("process_roots = 41\n", "must be process numbers, as in 41,42"),
        ("process_roots = [41, -1]\n", "process numbers above 0"),
        ("process_roots = [true]\n", "must be a number"),
        ('log_level = "loud"\n', "must be one of debug, info, warning, error"),
        ('server_url = "http://parity.example.com"\n', "is http beyond this machine"),
        ('server_url = "https://u:p@parity.example.com"\n', "must hold no user"),
        ("\n[label]\nx = 1\n", "line 2: label must be one line of text"),
        ('python_environments = ["/a", "b"]\n', "must be an absolute path"),
        ("python_environments = 7\n", "must be a list of at most 50 paths"),
        (f"python_environments = {['/a'] * 51}\n", "must be a list of at most 50 paths"),
        ('label = "a\\nb"\n', "must be one line of text"),
        ("label =\n", "at line 1"),
        ("cycle_min_s = 60\ncycle_max_s = 30\n", "cycle_min_s"),
    ],
)
def test_a_bad_setting_is_named_with_its_line(tmp_path: Path, text: str, said: str) -> None:
    """The error says which file, which line, and what to do."""
    file = written(tmp_path, text)
    with pytest.raises(SettingsError) as caught:
        load({}, file)
    assert said in str(caught.value)
    assert caught.value.advice


def test_a_bad_variable_is_named() -> None:
    """A typing error in a variable's name is not passed over."""
    with pytest.raises(SettingsError, match="PARITY_AGENT_LABLE is not a setting") as caught:
        load({"PARITY_AGENT_LABLE": "x"})
    assert "PARITY_AGENT_LABEL" in caught.value.advice


def test_the_enrolment_secret_is_no_setting() -> None:
    """It has a variable of its own, which ends up in no settings value."""
    settings = load({"PARITY_AGENT_ENROL_SECRET": "hunter2-hunter2"})
    assert "hunter2" not in repr(settings)


def test_a_named_file_must_be_there(tmp_path: Path) -> None:
    """A file that somebody named and that is missing is an error, not a default."""
    with pytest.raises(SettingsError, match="there is no settings file"):
        load({}, tmp_path / "gone.toml")


def test_a_huge_file_is_refused(tmp_path: Path) -> None:
    """Reading stops at the limit."""
    with pytest.raises(SettingsError, match="larger than"):
        load({}, written(tmp_path, "#" * 70_000))


def test_no_setting_turns_certificate_checks_off() -> None:
    """There is no such field to set."""
    for name in ("VERIFY", "INSECURE", "TLS_VERIFY", "SKIP_TLS"):
        with pytest.raises(SettingsError, match="is not a setting"):
            load({f"PARITY_AGENT_{name}": "0"})


@pytest.mark.parametrize(
    "url", ["http://127.0.0.1:8000", "http://localhost", "http://[::1]:80", "https://a.example/x"]
)
def test_loopback_and_https_are_accepted(url: str) -> None:
    """These may be given a token."""
    assert checked_url(url + "/") == url


@pytest.mark.parametrize(
    "url",
    [
        "http://127.0.0.1.example.com",
        "http://localhost.example.com",
        "http://10.0.0.1",
        "ftp://localhost",
        "https://",
        "https://a.example:99999",
        "https://a.example/?x=1",
        "localhost:8000",
    ],
)
def test_other_addresses_are_refused(url: str) -> None:
    """These may not, however much they look like loopback."""
    with pytest.raises(ValueError, match=r"."):
        checked_url(url)


def test_only_this_machines_own_addresses_are_loopback() -> None:
    """A name is loopback only if no name service can say otherwise."""
    assert is_loopback("http://127.9.9.9/")
    assert not is_loopback("http://laptop.local/")


def test_looking_at_processes_can_be_turned_off_and_bounded(tmp_path: Path) -> None:
    """In the file as TOML has it, in the environment as text; nothing set looks at all."""
    assert load({}, written(tmp_path, "")).scan_processes
    assert load({}, written(tmp_path, "")).process_roots is None
    settings = load({}, written(tmp_path, "scan_processes = false\nprocess_roots = [41, 42]\n"))
    assert (settings.scan_processes, settings.process_roots) == (False, (41, 42))
    named = {"PARITY_AGENT_SCAN_PROCESSES": "true", "PARITY_AGENT_PROCESS_ROOTS": "7,8"}
    settings = load(named, tmp_path / "agent.toml")
    assert (settings.scan_processes, settings.process_roots) == (True, (7, 8))
