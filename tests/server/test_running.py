"""Starting and stopping: one line when it cannot start, nothing lost when it stops."""

import concurrent.futures
import json
import secrets
import socket
import subprocess
import sys
from pathlib import Path

import pytest
import requests
import trustme

from server.store import build_counts
from server.store.engine import migrate, open_engine, writing
from tests.server.live import PATIENCE_S, Live


def _said(done: subprocess.CompletedProcess[str]) -> str:
    """The one line that a command which cannot start ends with."""
    assert done.returncode == 1
    assert done.stdout == ""
    (line,) = done.stderr.splitlines()
    return line.removeprefix("parity-server: ")


def test_a_fresh_folder_is_all_it_needs(live: Live) -> None:
    """A missing SQLite file is made, for this user alone."""
    live.start()
    assert (live.folder / "server.db").stat().st_mode & 0o777 == 0o600
    assert live.folder.stat().st_mode & 0o777 == 0o700
    assert requests.get(f"{live.url}/healthz", timeout=PATIENCE_S).ok


def test_a_server_without_a_source_says_so_at_its_start(live: Live) -> None:
    """Not only when every laptop turns out unknown."""
    live.start()
    assert "no source of public releases is known" in live.log
    live.stop()


def test_a_second_server_on_one_database_is_refused(live: Live) -> None:
    """Two servers would both judge and both alert."""
    live.start()
    assert _said(live.run("serve", "--port", "0")) == (
        f"another server already works on {live.folder / 'server.db'};"
        " stop it first, or give this one a data folder of its own"
    )


def test_a_port_in_use_is_refused(live: Live) -> None:
    """Also where the other listener would have shared it."""
    with socket.socket() as taken:
        taken.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        assert _said(live.run("serve", "--port", str(port))) == (
            f"cannot listen on 127.0.0.1 port {port}: Address already in use;"
            " stop what listens there, or give another --port (0 takes a free one)"
        )


def test_a_folder_that_cannot_be_made_is_refused(live: Live) -> None:
    """A file in its place stands for every reason: this test may run as root."""
    live.folder.write_text("in the way")
    assert _said(live.run("serve", "--port", "0")) == (
        f"cannot make the folder {live.folder}: File exists;"
        " let this user write there, or name another folder with --data"
    )


def test_an_older_schema_is_left_to_the_operator(live: Live) -> None:
    """Serving never changes a database that holds something."""
    live.folder.mkdir()
    url = f"sqlite:///{live.folder / 'server.db'}"
    migrate(url)
    engine = open_engine(url)
    with writing(engine) as conn:
        conn.exec_driver_sql("DELETE FROM alembic_version")
    engine.dispose()
    assert _said(live.run("serve", "--port", "0")) == (
        f"the database {live.folder / 'server.db'} has an older schema;"
        " run `parity-server migrate` first"
    )


def test_builds_that_an_older_server_moved_are_counted_anew(live: Live) -> None:
    """By the first one that starts on the present schema."""
    live.folder.mkdir()
    url = f"sqlite:///{live.folder / 'server.db'}"
    migrate(url)
    engine = open_engine(url)
    with writing(engine) as conn:
        conn.exec_driver_sql("INSERT INTO build_counts VALUES ('pilots', 'none', 2)")
    assert "2 are counted, 0 are there" in live.run("doctor", "--recount").stdout
    live.start()
    with engine.connect() as conn:
        assert build_counts.kept(conn) == {}
    engine.dispose()


@pytest.mark.parametrize(
    ("words", "line"),
    [
        (
            ("--host", "0.0.0.0"),  # noqa: S104 - the very thing refused
            (
                "listening on 0.0.0.0 without TLS would show tokens to the network; give --tls-cert"
                " and --tls-key, or set behind_proxy if a proxy speaks TLS"
            ),
        ),
        (
            ("--port", "70000"),
            "the option --port is 70000: it must be from 0 to 65535; correct it or remove it",
        ),
        (
            ("--port", "0", "--tls-cert", "/nowhere/cert.pem", "--tls-key", "/nowhere/key.pem"),
            (
                "cannot use the certificate and key /nowhere/cert.pem and /nowhere/key.pem:"
                " No such file or directory;"
                " name a readable PEM certificate with the key that belongs to it"
            ),
        ),
    ],
)
def test_a_bad_setting_is_refused(live: Live, words: tuple[str, ...], line: str) -> None:
    """Nothing listens, not even for a moment."""
    assert _said(live.run("serve", *words)) == line


def test_a_bad_variable_is_named(tmp_path: Path) -> None:
    """The operator is sent to the place."""
    live = Live(tmp_path / "data", heads_every_s="soon")
    assert _said(live.run("serve")) == (
        "the variable PARITY_SERVER_HEADS_EVERY_S must be a number; correct it or remove it"
    )


def test_with_a_certificate_it_speaks_tls(live: Live, tmp_path: Path) -> None:
    """The address says https, and a client that trusts the authority is answered."""
    authority = trustme.CA()
    issued = authority.issue_cert("127.0.0.1")
    issued.private_key_pem.write_to_path(tmp_path / "key.pem")
    issued.cert_chain_pems[0].write_to_path(tmp_path / "cert.pem")
    authority.cert_pem.write_to_path(tmp_path / "ca.pem")
    live.start("--tls-cert", str(tmp_path / "cert.pem"), "--tls-key", str(tmp_path / "key.pem"))
    assert live.url.startswith("https://127.0.0.1:")
    answer = requests.get(
        f"{live.url}/healthz", verify=str(tmp_path / "ca.pem"), timeout=PATIENCE_S
    )
    assert answer.ok


def test_a_key_of_another_certificate_is_refused(live: Live, tmp_path: Path) -> None:
    """A wrong pair is told before anything listens."""
    first, second = (trustme.CA().issue_cert("127.0.0.1") for _ in range(2))
    first.cert_chain_pems[0].write_to_path(tmp_path / "cert.pem")
    second.private_key_pem.write_to_path(tmp_path / "key.pem")
    words = ("--tls-cert", str(tmp_path / "cert.pem"), "--tls-key", str(tmp_path / "key.pem"))
    assert _said(live.run("serve", "--port", "0", *words)).startswith(
        "cannot use the certificate and key"
    )


def test_stopping_answers_what_is_under_way_and_keeps_it(live: Live) -> None:
    """Every check-in that was answered before the stop is there after it."""
    live.start()
    secret, viewer = (
        live.printed("enrolment-secret", "create"),
        live.printed("token", "create", "tests"),
    )
    tokens = [live.enrol(f"machine {n}", secrets.token_hex(16), secret) for n in range(8)]

    def check_in(token: str) -> int:
        body = {
            "wire": 1,
            "profile": f"sha256:{'0' * 64}",
            "agent": "9.9.9",
            "epoch": "0" * 16,
            "seq": 1,
            "clock": 1_700_000_000,
        }
        headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
        try:
            return requests.post(
                f"{live.url}/v1/check-ins",
                data=json.dumps(body),
                headers=headers,
                timeout=PATIENCE_S,
            ).status_code
        except requests.ConnectionError:
            return 0  # it came too late

    with concurrent.futures.ThreadPoolExecutor(len(tokens)) as pool:
        under_way = [pool.submit(check_in, token) for token in tokens]
        code = live.stop()
    acknowledged = [each.result() for each in under_way].count(200)
    assert code == 0
    live.start()
    listed = live.get("/v1/machines", viewer)["machines"]
    assert len(listed) == len(tokens)
    assert [each.get("agent") for each in listed].count("9.9.9") >= acknowledged


def test_refusals_are_counted_and_told_together(live: Live) -> None:
    """A client in a loop fills no disk; what it sent is not repeated."""
    live.start()
    for _ in range(3):
        requests.get(f"{live.url}/v1/canary", timeout=PATIENCE_S)
    live.stop()
    told = [json.loads(line) for line in live.log.splitlines() if "requests refused" in line]
    assert sum(each["counts"]["404 other"] for each in told) == 3
    assert "canary" not in live.log


def test_an_idle_connection_does_not_hold_up_a_stop(live: Live) -> None:
    """A laptop that keeps its connection is simply cut off."""
    live.start()
    host, _, port = live.url.removeprefix("http://").rpartition(":")
    with requests.Session() as idle, socket.create_connection((host, int(port))):
        assert idle.get(f"{live.url}/healthz", timeout=PATIENCE_S).ok
        assert live.stop() == 0


def test_a_request_that_does_not_end_is_cut_off(tmp_path: Path) -> None:
    """Nobody can keep a server from stopping."""
    live = Live(tmp_path / "data", body_timeout_s="300", stop_timeout_s="0.2").start()
    host, _, port = live.url.removeprefix("http://").rpartition(":")
    with socket.create_connection((host, int(port))) as endless:
        endless.sendall(
            b"POST /v1/check-ins HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
            b"Authorization: Bearer x\r\nContent-Length: 9\r\n\r\n{"
        )
        assert requests.get(f"{live.url}/healthz", timeout=PATIENCE_S).ok
        assert live.stop() == 0
    assert "requests were cut off" in live.log
    assert "panicked" not in live.log
    assert "Traceback" not in live.log


def test_ctrl_c_ends_it_as_well(live: Live) -> None:
    """SIGINT is SIGTERM, without a traceback."""
    live.start()
    assert live.process is not None
    live.process.send_signal(2)
    assert live.process.wait(PATIENCE_S) == 0
    assert "Traceback" not in live.log


def test_the_module_is_the_command() -> None:
    """``python -m server`` says the same as ``parity-server``."""
    done = subprocess.run(
        [sys.executable, "-m", "server", "--version"],
        capture_output=True,
        text=True,
        timeout=PATIENCE_S,
        check=True,
    )
    assert done.stdout.startswith("parity-server, version ")
