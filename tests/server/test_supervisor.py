"""The service manager is told when the server listens and when it stops."""

import socket
from pathlib import Path

import pytest

from server import supervisor
from tests.server.live import PATIENCE_S, Live


@pytest.mark.parametrize("abstract", [False, True])
def test_a_manager_hears_of_the_start_and_the_stop(
    live: Live, tmp_path: Path, *, abstract: bool
) -> None:
    """Under both kinds of address that sd_notify(3) knows."""
    name = f"{'@' if abstract else ''}{tmp_path}/notify"
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
        manager.settimeout(PATIENCE_S)
        manager.bind(name.replace("@", "\0"))
        live.environment["NOTIFY_SOCKET"] = name
        live.start()
        assert manager.recv(100) == b"READY=1"
        assert live.stop() == 0
        assert manager.recv(100) == b"STOPPING=1"


def test_a_manager_that_has_gone_stops_nothing(tmp_path: Path) -> None:
    """Nor does one that was never there."""
    supervisor.tell(supervisor.READY, {"NOTIFY_SOCKET": str(tmp_path / "gone")})
    supervisor.tell(supervisor.READY, {})
