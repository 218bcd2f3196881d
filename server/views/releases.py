"""What is public, as the ledger has it: releases, their files and the heads. Pure."""

from collections.abc import Iterator
from itertools import islice

from agent.wire import Answer, HeadView
from server.releases.ledger import Artifact, Ledger, Reading, Release

RELEASES_MAX = 500
"""Most releases told at once."""


class FileView(Answer, frozen=True):
    """One public file of a release.

    Attributes:
        form: ``binary``, ``js`` or ``bundle``.
        sha256: 64 hex digits.
        trust: How the digest was established: ``signed``, ``registry``, ``stated``, ``learned``.
        source: Which source said so.
        platform: ``linux-x64`` and so on; none for ``js``, which has one file for all.
        size: Bytes, where the source says.
    """

    form: str
    sha256: str
    trust: str
    source: str
    platform: str | None = None
    size: int | None = None


class ReleaseView(Answer, frozen=True):
    """One public version.

    Attributes:
        version: Its number.
        files: Its files, as far as they were looked up.
        channels: The channels that point to it now, as ``source channel``.
        published_at: When it was published, as the registry states it.
        build_date: When it was built, from its manifest.
        commit: From its manifest, 40 hex digits.
        withdrawn_at: When a source was first seen to list it no longer.
    """

    version: str
    files: tuple[FileView, ...]
    channels: tuple[str, ...] = ()
    published_at: int | None = None
    build_date: int | None = None
    commit: str | None = None
    withdrawn_at: int | None = None


class ReleasesView(Answer, frozen=True):
    """The answer of ``GET /v1/releases``.

    Attributes:
        releases: Newest first.
        heads: What every channel of every source points to.
    """

    releases: tuple[ReleaseView, ...]
    heads: tuple[HeadView, ...]


def view(ledger: Ledger, limit: int | None = None, *, since: int | None = None) -> ReleasesView:
    """Releases and every head.

    Args:
        ledger: What is public.
        limit: At most so many, the newest; None tells all.
        since: Those published from this moment on, and those that a channel points to.
    """
    heads = ledger.heads()
    told = ledger.releases() if since is None else _since(since, ledger)
    return ReleasesView(
        releases=tuple(_release(release, ledger, heads) for release in islice(told, limit)),
        heads=tuple(head_view(head) for head in heads),
    )


def head_view(head: Reading) -> HeadView:
    """A head as people and programs are told it."""
    return HeadView(
        channel=head.channel,
        source=head.source,
        version=head.version,
        since=head.first_seen,
        read_at=head.last_seen,
    )


def _since(moment: int, ledger: Ledger) -> Iterator[Release]:
    recent = {release.version for release in ledger.published_since(moment)}
    recent |= {head.version for head in ledger.heads()}
    return (release for release in ledger.releases() if release.version in recent)


def _release(release: Release, ledger: Ledger, heads: tuple[Reading, ...]) -> ReleaseView:
    return ReleaseView(
        version=release.version,
        files=tuple(_file(artifact) for artifact in ledger.artifacts(release.version)),
        channels=tuple(
            f"{head.source} {head.channel}" for head in heads if head.version == release.version
        ),
        published_at=release.published_at,
        build_date=release.build_date,
        commit=release.commit,
        withdrawn_at=release.withdrawn_at,
    )


def _file(artifact: Artifact) -> FileView:
    return FileView(
        form=artifact.form,
        sha256=artifact.sha256,
        trust=artifact.trust,
        source=artifact.source,
        platform=artifact.platform,
        size=artifact.size,
    )
