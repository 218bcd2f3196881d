"""The bucket's signatures and applications, over real HTTPS with keys made for the tests."""

import hashlib
from typing import TYPE_CHECKING

import pytest

from server.releases.ledger import Artifact
from server.releases.sources.interface import ForgedError, Package, Published
from tests.server.releases.repository import applied, signer

if TYPE_CHECKING:
    from tests.server.releases.repository import Repository

FILES = {"linux-x64": b"linux", "darwin-arm64": b"mac"}


def _trusts(told: Published | None) -> set[str]:
    assert told is not None
    return {artifact.trust for artifact in told.artifacts}


@pytest.mark.parametrize("version", ["2.1.89", "2.1.206", "2.1.207", "2.1.330"])
def test_a_signed_manifest_is_signed(repository: "Repository", version: str) -> None:
    """By GPG from 2.1.89, by the raw key from 2.1.207 on (facts 2.2)."""
    repository.publish(version, FILES)
    told = repository.source().manifest(version)
    assert _trusts(told) == {"signed"}
    assert told is not None
    assert told.warnings == ()


def test_the_program_of_an_application_is_hashed(repository: "Repository") -> None:
    """Its archive is checked against the signed manifest, the program unfolded from it."""
    repository.publish("2.1.330", FILES)
    source = repository.source()
    told = source.manifest("2.1.330")
    assert told is not None
    assert told.packages == (Package("darwin-arm64", "bundle"),)
    program = applied(b"mac")
    sha256 = hashlib.sha256(program).hexdigest()
    assert source.hash_package("2.1.330", told.packages[0]) == Artifact(
        "2.1.330", "darwin-arm64", "bundle", sha256, len(program), "signed", "bucket"
    )


def test_a_right_signature_by_another_key_is_forged(repository: "Repository") -> None:
    """Though everything about it holds, and its key is shown beside it."""
    repository.publish("2.1.330", FILES, signed=signer("other"))
    with pytest.raises(ForgedError, match="another key"):
        repository.source().manifest("2.1.330")
