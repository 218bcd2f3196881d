"""The commands, beside a running server and without one."""

import json
import re
import secrets
import subprocess
import sys
from pathlib import Path

import click
import pytest
import requests
from click.testing import CliRunner, Result

from server.cli import cli
from server.store.engine import open_engine, writing
from tests.server.conftest import Known
from tests.server.live import PATIENCE_S, Live


def test_a_secret_is_printed_alone_and_only_once(live: Live) -> None:
    """A script can take it; afterwards only its id is shown."""
    live.printed("migrate")
    secret = live.printed("enrolment-secret", "create", "--group", "pilots")
    assert re.fullmatch(r"bpe_[0-9a-f]{8}_[0-9a-f]{64}", secret)
    listed = live.printed("enrolment-secret", "list")
    assert "pilots" in listed
    assert secret not in listed


def test_help_cuts_no_sentence() -> None:
    """Every command of every list is told in whole words, on 80 columns."""
    context = click.Context(cli)
    for name in ("", *cli.list_commands(context)):
        done = CliRunner().invoke(cli, [*name.split(), "--help"], terminal_width=80)
        cut = [line for line in done.output.splitlines() if line.endswith("...")]
        assert [line for line in cut if not line.startswith("Usage")] == [], name


@pytest.mark.parametrize("group", ["token", "enrolment-secret"])
def test_a_group_without_a_command_makes_nothing(group: str) -> None:
    """Whoever looks what it is has made no credential; the help says what there is."""
    done = _in_process(group)
    assert "Usage: parity-server" in done.output
    assert "create" in done.output
    assert _in_process(group, "nothing").exit_code == 2


def test_a_command_loads_what_it_needs() -> None:
    """Whoever lists tokens waits for no web server, no migrations and no signatures."""
    said = "import server.cli, server.commands.keys, sys; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", said], capture_output=True, text=True, check=True)
    loaded = {name.partition(".")[0] for name in done.stdout.split()}
    assert not loaded & {"litestar", "granian", "alembic", "pysequoia", "zstandard", "slack_sdk"}


def _in_process(*words: str) -> Result:
    return CliRunner().invoke(cli, words, prog_name="parity-server")


def test_a_revoked_token_reads_no_more_while_the_server_runs(known: Known) -> None:
    """A token that leaked ends at once."""
    token = known.live.printed("token", "create", "leaked")
    known.live.get("/v1/status", token)
    (row,) = [row for row in known.live.rows("token", "list") if "leaked" in row]
    known.live.printed("token", "revoke", row[0])
    answer = requests.get(
        f"{known.live.url}/v1/status",
        headers={"Authorization": f"Bearer {token}"},
        timeout=PATIENCE_S,
    )
    assert answer.status_code == 401


def test_a_revoked_secret_enrols_nobody(known: Known) -> None:
    """The machines that it enrolled stay."""
    secret = known.live.printed("enrolment-secret", "create", "--group", "leaving")
    known.live.enrol("before", secrets.token_hex(16), secret)
    made = json.loads(known.live.printed("enrolment-secret", "list", "--json"))
    (identifier,) = [each["id"] for each in made if each["group"] == "leaving"]
    known.live.printed("enrolment-secret", "revoke", identifier)
    body = {"wire": 1, "secret": secret, "label": "after", "key": secrets.token_hex(16)}
    answer = requests.post(f"{known.live.url}/v1/enrolments", json=body, timeout=PATIENCE_S)
    assert answer.status_code == 403
    listed = known.live.printed("machines", "list", "--group", "leaving")
    assert "before" in listed


def test_a_revoked_machine_is_out_and_its_label_free(known: Known) -> None:
    """Beside the running server, which must not go on believing in it."""
    token = known.live.enrol("borrowed", secrets.token_hex(16), known.secret)
    before = known.live.get("/v1/status", known.viewer)["fleet"]["standings"].get("left", 0)
    known.live.printed("machines", "revoke", "borrowed")
    answer = requests.get(
        f"{known.live.url}/v1/machines/me",
        headers={"Authorization": f"Bearer {token}"},
        timeout=PATIENCE_S,
    )
    assert answer.status_code == 401
    after = known.live.get("/v1/status", known.viewer)["fleet"]["standings"]
    assert after["left"] == before + 1
    shown = known.live.printed("machines", "show", "borrowed")
    assert re.search(r"(?m)^standing +left since 20", shown)
    assert re.search(r"(?m)^happened .*left", shown)
    assert "borrowed" not in known.live.printed("machines", "list")
    for words in (["--all"], ["--standing", "left"]):
        assert "borrowed" in known.live.printed("machines", "list", *words)
    known.live.enrol("borrowed", secrets.token_hex(16), known.secret)


def test_a_forgotten_machine_was_never_there(known: Known) -> None:
    """Its row, its history and its place in the counts are gone."""
    known.live.enrol("mistake", secrets.token_hex(16), known.secret)
    before = known.live.get("/v1/status", known.viewer)["fleet"]["machines"]
    known.live.printed("machines", "forget", "mistake")
    assert known.live.get("/v1/status", known.viewer)["fleet"]["machines"] == before - 1
    assert "mistake" not in known.live.printed("machines", "list")


def test_a_machine_is_shown_by_its_label(known: Known) -> None:
    """As a person knows it; as JSON it is what the API tells."""
    known.live.enrol("shown", secrets.token_hex(16), known.secret)
    assert re.search(
        r"(?m)^standing +unknown since", known.live.printed("machines", "show", "shown")
    )
    told = json.loads(known.live.printed("machines", "show", "shown", "--json"))
    seen = known.live.get(f"/v1/machines/{told['machine']}", known.viewer)
    assert seen | {"judged_at": 0} == told | {"judged_at": 0}


@pytest.mark.parametrize("command", ["show", "revoke", "forget"])
def test_a_machine_that_is_not_there_is_told_in_one_line(known: Known, command: str) -> None:
    """With where to look."""
    done = known.live.run("machines", command, "nobody")
    assert done.returncode == 1
    assert done.stderr.strip() == (
        "parity-server: there is no machine 'nobody', or it has left;"
        " see parity-server machines list"
    )


def test_releases_are_not_refreshed_beside_a_running_server(known: Known) -> None:
    """It reads the sources itself, and what it holds in memory must not go stale."""
    assert known.live.printed("releases") == ""
    done = known.live.run("releases", "--refresh")
    assert done.returncode == 1
    assert "another server already works on" in done.stderr


def test_releases_tell_which_source_does_not_answer(live: Live) -> None:
    """An empty list has a reason."""
    live.printed("migrate")
    done = live.run("releases", "--refresh", "--json")
    assert json.loads(done.stdout) == {"releases": [], "heads": []}
    assert "source npm: no npm registry is known" in done.stderr


def test_the_doctor_tells_what_to_do_about_each_thing(live: Live) -> None:
    """Without a database and without a source: two lines, and the exit code 1."""
    done = live.run("doctor")
    assert done.returncode == 1
    states = [line.split(":")[0] for line in done.stdout.splitlines()]
    assert states == ["ok   settings", "fail database", "fail source npm"]
    assert "run `parity-server migrate` first" in done.stdout


def test_the_doctor_finds_a_wrong_count_and_a_clock_that_went_back(live: Live) -> None:
    """What no request would show."""
    live.start()
    secret = live.printed("enrolment-secret", "create")
    live.enrol("counted", secrets.token_hex(16), secret)
    live.stop()
    _damage(live.folder / "server.db")
    assert "counts" not in {each["name"] for each in _looked_at(live)}
    found = _looked_at(live, "--recount")
    said = [each["said"] for each in found if each["name"] == "counts"]
    assert said == [
        "group default, unknown: 2 machines are counted, 1 are there",
        "group default, unknown: 2 are counted, the log of counts ends with 1",
    ]
    checks = {each["name"]: each for each in found}
    assert "report this mistake" in checks["counts"]["advice"]
    assert checks["clock"]["advice"] == "set this machine's clock, by NTP"
    assert checks["database"]["said"] == "is sound"


def _looked_at(live: Live, *options: str) -> list[dict[str, str]]:
    done = live.run("doctor", "--json", *options)
    assert done.returncode == 1
    looked_at: list[dict[str, str]] = json.loads(done.stdout)
    return looked_at


def _damage(database: Path) -> None:
    engine = open_engine(f"sqlite:///{database}")
    with writing(engine) as conn:
        conn.exec_driver_sql("UPDATE counts SET machines = machines + 1")
        conn.exec_driver_sql("UPDATE listened SET last_at = last_at + 100000")
    engine.dispose()


def test_the_doctor_names_a_file_that_is_no_database(live: Live) -> None:
    """A damaged file is told, not a traceback."""
    live.folder.mkdir()
    (live.folder / "server.db").write_bytes(b"no database at all" * 100)
    done = live.run("doctor")
    assert done.returncode == 1
    assert "is not a database, or is damaged" in done.stdout
