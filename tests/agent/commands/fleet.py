"""A real server for the commands of laptops, and what it says of them."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import requests

from tests.server.live import PATIENCE_S, Live


@dataclass(frozen=True)
class Fleet:
    """A running server that laptops can enrol at.

    Attributes:
        live: The server.
        secret_file: Holds an enrolment secret of the group ``default``.
        viewer: A viewer's token.
    """

    live: Live
    secret_file: Path
    viewer: str

    @property
    def url(self) -> str:
        """Its address."""
        return self.live.url

    @property
    def enrolling(self) -> tuple[str, ...]:
        """The words of an unattended enrolment here."""
        return ("enrol", "--server", self.url, "--secret-file", str(self.secret_file))

    def machines(self, label: str) -> list[dict[str, Any]]:
        """All machines whose label begins so, those that left too."""
        page = self.live.get("/v1/machines?limit=200", self.viewer)["machines"]
        return [each for each in page if each["label"].startswith(label)]

    def standings(self, label: str) -> list[str]:
        """How those of just this label stand, sorted."""
        found = (each for each in self.machines(label) if each["label"] == label)
        return sorted(each["standing"] for each in found)

    def holds(self, token: str) -> bool:
        """Whether a machine's token holds."""
        answer = requests.get(
            f"{self.url}/v1/machines/me",
            headers={"Authorization": f"Bearer {token}"},
            timeout=PATIENCE_S,
        )
        return answer.status_code == 200
