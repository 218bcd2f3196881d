"""The commands in a company's network: a real server, its authority, and a proxy before it."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import trustme

from tests.agent.connect_proxy import ConnectProxy
from tests.e2e.harness import Laptop
from tests.server.live import Live

URL = "https://parity.invalid"


@pytest.fixture
def network(tmp_path: Path, laptop: Laptop) -> Iterator[Live]:
    """A server that only the proxy knows the name of; the laptop is set for both."""
    authority, bundle = trustme.CA(), tmp_path / "company.pem"
    authority.cert_pem.write_to_path(str(bundle))
    shown = authority.issue_cert(
        "parity.invalid", not_after=datetime.now(UTC) + timedelta(days=9, hours=1)
    )
    cert, key = tmp_path / "cert.pem", tmp_path / "key.pem"
    shown.cert_chain_pems[0].write_to_path(str(cert))
    shown.private_key_pem.write_to_path(str(key))
    live = Live(tmp_path / "data", tls_cert=str(cert), tls_key=str(key)).start()
    with ConnectProxy(int(live.url.rpartition(":")[2])) as proxy:
        laptop.variables["HTTPS_PROXY"] = f"http://kim:pa55word@{proxy.address}"
        laptop.variables["NO_PROXY"] = ""
        laptop.settings["ca_bundle"] = str(bundle)
        yield live
        assert proxy.asked
    assert live.stop() == 0


def test_a_laptop_lives_behind_a_proxy(network: Live, laptop: Laptop, tmp_path: Path) -> None:
    """Enrolled, checked, examined and signed off; how it is reached is told, no password is."""
    secret = tmp_path / "secret"
    secret.write_text(network.printed("enrolment-secret", "create"), encoding="utf-8")
    done = laptop.run("enrol", "--server", URL, "--secret-file", secret, "--label", "behind")
    assert done.returncode == 0, done.stderr
    assert "behind (group default)" in laptop.run("check").stdout
    examined = laptop.run("doctor", "--json")
    assert examined.returncode == 0, examined.stdout
    assert "pa55word" not in examined.stdout
    seen = {each["name"]: each for each in json.loads(examined.stdout)["checks"]}
    assert seen["proxy"]["seen"].endswith(", from HTTPS_PROXY")
    assert "the setting ca_bundle" in seen["authorities"]["seen"]
    assert "ends in 9 d" in seen["certificate"]["seen"]
    assert seen["certificate"]["verdict"] == "warn"
    assert laptop.run("uninstall", "--yes").returncode == 0


def test_a_companys_authority_that_is_not_named_is_told(network: Live, laptop: Laptop) -> None:
    """The doctor says which authorities were asked, and which setting helps."""
    assert network.url
    laptop.settings |= {"server_url": URL}
    del laptop.settings["ca_bundle"]
    laptop.variables["REQUESTS_CA_BUNDLE"] = ""
    done = laptop.run("doctor")
    assert done.returncode == 1
    assert "certifi" in done.stdout
    assert "name it as ca_bundle" in done.stdout
