"""One source asked about one version, by a signed bucket over HTTPS: what is odd is noted."""

from typing import TYPE_CHECKING

import pytest

from server.releases.learning import AGAIN_S
from server.store.writer import Writer
from tests.server.releases.repository import Repository, signer
from tests.server.releases.synced import START, Synced

if TYPE_CHECKING:
    from server.releases.ledger import Artifact

FILES = {"linux-x64": b"linux", "darwin-arm64": b"mac"}


@pytest.fixture
def synced(writer: Writer, repository: Repository) -> Synced:
    """A server that reads a signed bucket alone, whose head is 2.1.330."""
    repository.publish("2.1.330", FILES)
    repository.point("latest", "2.1.330")
    return Synced(writer, [repository.source()])


def _trusts(synced: Synced, version: str) -> set[str]:
    return {file.trust for file in synced.current.ledger.artifacts(version)}


def test_a_signed_release_raises_nothing(synced: Synced) -> None:
    """Its digests are signed."""
    synced.syncer.read_heads()
    assert _trusts(synced, "2.1.330") == {"signed"}
    assert synced.held() == {}
    assert synced.told() == []


def test_a_forged_manifest_is_an_alarm_and_nothing_of_it_is_taken(
    synced: Synced, repository: Repository
) -> None:
    """Once, until what was signed is shown again."""
    repository.publish("2.1.331", FILES, signed=signer("somebody else"))
    repository.point("latest", "2.1.331")
    synced.pass_time(900)
    assert synced.current.ledger.artifacts("2.1.331") == ()
    (found,) = synced.held().values()
    assert (found.topic, found.kind, found.since) == (
        "forged bucket 2.1.331",
        "forged",
        START + 300,
    )
    assert synced.told() == ["operator forged bucket"]
    repository.publish("2.1.331", FILES)
    synced.pass_time(300)
    assert synced.held() == {}
    assert synced.told() == ["operator forged bucket"] * 2
    assert _trusts(synced, "2.1.331") == {"signed"}


def test_a_release_without_its_signature_is_told_and_asked_about_again(
    synced: Synced, repository: Repository
) -> None:
    """An hour later it may be there: then the trust of the same bytes is better."""
    synced.syncer.read_heads()
    repository.publish("2.1.331", FILES, signed=False)
    repository.point("latest", "2.1.331")
    synced.pass_time(600)
    assert _trusts(synced, "2.1.331") == {"stated"}
    assert synced.kinds() == ["unsigned"]
    synced.syncer.learn()
    repository.publish("2.1.331", FILES)
    synced.now += AGAIN_S - 1
    synced.syncer.read_heads()
    synced.syncer.learn()
    assert synced.kinds() == ["unsigned"]
    synced.now += 1
    synced.syncer.learn()
    assert synced.held() == {}
    binaries = [
        file for file in synced.current.ledger.artifacts("2.1.331") if file.form == "binary"
    ]
    assert {file.trust for file in binaries} == {"signed"}
    assert synced.told() == ["operator unsigned bucket"] * 2


def test_signing_keys_that_cannot_be_had_are_one_incident(
    synced: Synced, repository: Repository
) -> None:
    """However many releases are concerned."""
    repository.show_keys(None)
    for version in ("2.1.328", "2.1.329"):
        repository.publish(version, FILES)
    repository.point("stable", "2.1.329")
    synced.syncer.read_heads()
    synced.ask("2.1.328")
    synced.now += 60
    synced.syncer.look_up()
    assert len(synced.held()) == 3
    assert synced.told() == ["operator unsigned bucket"]


def test_a_file_republished_with_other_bytes_is_told_until_it_is_put_back(
    synced: Synced, repository: Repository
) -> None:
    """The first digest stays; the same word again settles it."""
    synced.syncer.read_heads()
    known: tuple[Artifact, ...] = tuple(synced.current.ledger.artifacts("2.1.330"))
    repository.publish("2.1.330", {**FILES, "linux-x64": b"other bytes"})
    _ask(synced)
    assert synced.kinds() == ["republished"]
    assert tuple(synced.current.ledger.artifacts("2.1.330")) == known
    repository.publish("2.1.330", FILES)
    _ask(synced)
    assert synced.held() == {}
    assert synced.told() == ["operator artifact 2.1.330 linux-x64"] * 2


def test_a_manifest_shown_unsigned_for_a_while_does_not_stay_the_truth(
    synced: Synced, repository: Repository
) -> None:
    """Somebody in between exchanged it and kept its signatures back; then he is gone."""
    repository.publish("2.1.330", {"linux-x64": b"exchanged"}, signed=False)
    synced.syncer.read_heads()
    (exchanged,) = synced.current.ledger.artifacts("2.1.330")
    repository.publish("2.1.330", {"linux-x64": b"linux"})
    _ask(synced)
    (genuine,) = synced.current.ledger.artifacts("2.1.330")
    assert (exchanged.trust, genuine.trust) == ("stated", "signed")
    assert synced.current.ledger.artifact(exchanged.sha256) is None
    assert synced.kinds() == ["republished"]
    (held,) = synced.held().values()
    assert "The signed one was taken." in held.text


def _ask(synced: Synced) -> None:
    """Has the head looked up, as a laptop with other bytes of it does."""
    synced.now += 2 * AGAIN_S
    synced.ask("2.1.330")
    synced.syncer.look_up()
