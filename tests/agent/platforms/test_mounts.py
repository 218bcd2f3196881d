"""On what kind of file system a folder lies."""

from pathlib import Path, PurePosixPath, PureWindowsPath

import pytest

from agent.platforms import mounts

MOUNTS = [("/", "ext4"), ("/home", "nfs4"), ("/home/u", "ext4"), ("/srv", "xfs"), ("/srv", "cifs")]


@pytest.mark.parametrize(
    ("folder", "kind"),
    [
        ("/var/lib", "ext4"),
        ("/home/v/state", "nfs4"),
        ("/home/u/state", "ext4"),
        ("/homes", "ext4"),
        ("/srv/x", "cifs"),
    ],
)
def test_a_folder_lies_in_the_nearest_mount(folder: str, kind: str) -> None:
    """Of two in one place the later one covers the earlier."""
    assert mounts.holding(PurePosixPath(folder), MOUNTS) == kind


def test_a_drive_is_a_mount_too() -> None:
    """Its root is written with a backslash."""
    drives = [("C:\\", "NTFS"), ("H:\\", "remote")]
    assert mounts.holding(PureWindowsPath("H:\\state"), drives) == "remote"
    assert mounts.holding(PureWindowsPath("D:\\state"), drives) is None


@pytest.mark.parametrize(
    ("kind", "is_network"),
    [("nfs4", True), ("NFS", True), ("fuse.sshfs", True), ("ext4", False), ("apfs", False)],
)
def test_file_systems_of_other_machines_are_known(kind: str, *, is_network: bool) -> None:
    """By the names that systems give them."""
    assert mounts.is_network(kind) is is_network


def test_this_machines_own_mounts_are_read(tmp_path: Path) -> None:
    """Every folder is on some file system."""
    assert mounts.kind_of(tmp_path)


@pytest.mark.parametrize(
    ("kind", "is_kernels"), [("proc", True), ("sysfs", True), ("tmpfs", False)]
)
def test_file_systems_that_keep_no_files_are_known(kind: str, *, is_kernels: bool) -> None:
    """A kernel shows itself in them."""
    assert mounts.is_kernels(kind) is is_kernels
