"""On what kind of file system a folder lies."""

import os
from collections.abc import Iterable
from pathlib import Path, PurePath

import psutil

_NETWORK = frozenset(
    {
        *("nfs", "nfs4", "cifs", "smb", "smb2", "smb3", "smbfs", "afpfs", "webdav", "davfs"),
        *("9p", "afs", "ceph", "glusterfs", "lustre", "gpfs", "fuse.sshfs", "fuse.davfs2"),
        *("fuse.glusterfs", "fuse.rclone", "fuse.s3fs", "remote"),
    }
)
"""Names of file systems that other machines can write too, as systems call them."""

_KERNELS = frozenset(
    {"proc", "sysfs", "cgroup", "cgroup2", "devpts", "securityfs", "debugfs", "tracefs"}
)
"""Names of file systems in which a kernel shows itself: nobody can keep a file there."""


def kind_of(folder: Path) -> str | None:
    """The name of a folder's file system, such as ``ext4``; None where it is not known."""
    try:
        parts = psutil.disk_partitions(all=True)
    except OSError:
        return None
    # Windows says of a drive that it is another machine's, by its options.
    mounts = [
        (each.mountpoint, "remote" if "remote" in each.opts.split(",") else each.fstype)
        for each in parts
    ]
    return holding(folder.absolute(), mounts)


def holding(folder: PurePath, mounts: Iterable[tuple[str, str]]) -> str | None:
    """The kind of the mount that a folder lies in: the longest, and of these the last. Pure.

    Args:
        folder: Absolute.
        mounts: Each mount's place and kind, in the order in which they were made.
    """
    around = [
        (len(os.fspath(place)), number, kind)
        for number, (place, kind) in enumerate(mounts)
        if folder.is_relative_to(place)
    ]
    return max(around)[2] if around else None


def is_kernels(kind: str) -> bool:
    """Whether a file system of this kind keeps no files. Pure."""
    return kind in _KERNELS


def is_network(kind: str) -> bool:
    """Whether another machine can write to a file system of this kind. Pure."""
    return kind.lower() in _NETWORK
