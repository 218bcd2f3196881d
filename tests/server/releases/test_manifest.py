"""Manifests: the real ones, and everything that is none."""

from pathlib import Path

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from server.errors import SourceError
from server.releases.manifest import (
    MANIFEST_MAX_BYTES,
    WRAPPERS_MAX,
    Archive,
    instant,
    is_release_number,
    parse,
)

GOLDEN = Path(__file__).parents[2] / "golden" / "manifests"
SHA = "0" * 64

_json = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=10,
)
_name = st.from_regex(r"[A-Za-z0-9][A-Za-z0-9._-]{0,30}", fullmatch=True)
_files = st.dictionaries(
    _name,
    st.fixed_dictionaries(
        {
            "checksum": st.from_regex(r"[0-9a-f]{64}", fullmatch=True),
            "size": st.integers(1, 2**53 - 1),
        }
    ),
    min_size=1,
    max_size=12,
)


@pytest.mark.parametrize(
    ("version", "linux_x64", "size", "has_commit"),
    [
        (
            "2.1.112",
            "57be9406d3e5cae259552790bf7288dd6496675430ec93dbed76a33a57580d3d",
            235_846_272,
            False,
        ),
        (
            "2.1.116",
            "0d1aea5ce056a5ce491da7e9bbe63f992585e5c24852f023a07c8f18cf292cc5",
            237_652_608,
            True,
        ),
        (
            "2.1.240",
            "1386169da77de19a655f07a86ab80f5775983a50eb0c9c27a7daf16e7320322d",
            342_636_848,
            True,
        ),
        (
            "2.1.330",
            "f390eaa0814e6a1bff74cbb47acb74cb9c89d30ced809fe0af5af00c7bfe8ebb",
            381_121_040,
            True,
        ),
    ],
)
def test_the_real_manifests_are_read(
    version: str, linux_x64: str, size: int, *, has_commit: bool
) -> None:
    """Digests, sizes and dates as facts 7.1 and 7.2 have them, on eight platforms."""
    manifest = parse((GOLDEN / f"{version}.json").read_bytes())
    files = {name: (sha, length) for name, sha, length in manifest.files}
    assert manifest.release.version == version
    assert manifest.release.build_date is not None
    assert (manifest.release.commit is not None) == has_commit
    assert (len(files), files["linux-x64"]) == (8, (linux_x64, size))


@pytest.mark.parametrize(
    ("version", "schema", "tested", "last"),
    [
        ("2.1.116", None, 0, None),
        ("2.1.207", 1, 16, "0.3.205"),
        ("2.1.330", 1, 30, "0.3.329"),
    ],
)
def test_the_real_manifests_tell_what_wrappers_they_go_with(
    version: str, schema: int | None, tested: int, last: str | None
) -> None:
    """``sdkCompat``, from 2.1.207 on (facts 2.3)."""
    release = parse((GOLDEN / f"{version}.json").read_bytes()).release
    assert (release.harness_schema, len(release.tested_wrappers)) == (schema, tested)
    assert release.tested_wrappers[-1:] == ((last,) if last else ())


@pytest.mark.parametrize("version", ["2.1.89", "2.1.112", "2.1.207", "2.1.330"])
def test_the_real_packed_manifests_tell_of_the_applications(version: str) -> None:
    """An archive for each Mac, and for nothing else."""
    manifest = parse((GOLDEN / f"{version}.zst.json").read_bytes())
    assert manifest.release.version == version
    assert set(manifest.bundles) == {"darwin-arm64", "darwin-x64"}
    plain = parse((GOLDEN / f"{version}.json").read_bytes())
    assert (manifest.is_packed, plain.is_packed, plain.bundles) == (True, False, {})


def test_the_archive_is_the_documented_one() -> None:
    """2.1.330 on Apple silicon, as facts 7.2 have it."""
    manifest = parse((GOLDEN / "2.1.330.zst.json").read_bytes())
    sha256 = "4262a1273231dc7d7ada7914750fa9b5c724548cff6b2ae4a8d49ce55ac2456f"
    assert manifest.bundles["darwin-arm64"] == Archive(sha256, 124_237_798)


@pytest.mark.parametrize(
    ("compat", "schema", "tested"),
    [
        (None, None, ()),
        ([], None, ()),
        ({"harnessSchema": True, "testedWrapperVersions": "0.3.1"}, None, ()),
        ({"harnessSchema": -1, "testedWrapperVersions": {"0.3.1": 1}}, None, ()),
        (
            {"harnessSchema": "1", "testedWrapperVersions": [1, None, "x", "0.3.1"]},
            None,
            ("0.3.1",),
        ),
        ({"harnessSchema": 2}, 2, ()),
        ({"testedWrapperVersions": ["0.3.1"] * 1_000}, None, ("0.3.1",) * WRAPPERS_MAX),
    ],
)
def test_odd_compatibility_is_left_out(
    compat: object, schema: int | None, tested: tuple[str, ...]
) -> None:
    """It is only told: it hides no digest, and it is bounded."""
    good = {"version": "1.2.3", "platforms": {"linux-x64": {"checksum": SHA, "size": 1}}}
    release = parse(msgspec.json.encode(good | {"sdkCompat": compat})).release
    assert (release.harness_schema, release.tested_wrappers) == (schema, tested)


@given(_files)
def test_every_platform_is_kept(files: dict[str, dict[str, object]]) -> None:
    """Also one that this code has never heard of."""
    manifest = parse(msgspec.json.encode({"version": "1.2.3", "platforms": files}))
    told = {item.platform: item for item in manifest.artifacts("stated", "bucket")}
    assert told.keys() == files.keys()
    assert all(item.sha256 == files[str(name)]["checksum"] for name, item in told.items())
    assert {(item.trust, item.source, item.form) for item in told.values()} == {
        ("stated", "bucket", "binary")
    }


@given(st.binary(max_size=200) | _json.map(msgspec.json.encode))
def test_what_is_no_manifest_is_one_kind_of_error(body: bytes) -> None:
    """Any bytes give the one error, and no other."""
    with pytest.raises(SourceError):
        parse(body)


@given(_json, _json, _json)
def test_what_is_only_told_may_be_odd(date: object, commit: object, compat: object) -> None:
    """A strange build date, commit or compatibility does not hide the digests."""
    body = {
        "version": "1.2.3",
        "platforms": {"linux-x64": {"checksum": SHA, "size": 1}},
        "buildDate": date,
        "commit": commit,
        "sdkCompat": compat,
    }
    assert len(parse(msgspec.json.encode(body)).files) == 1


@pytest.mark.parametrize(
    "change",
    [
        {"version": "2.1"},
        {"version": "../2.1.3"},
        {"version": "2.1.3\n"},
        {"platforms": {}},
        {"platforms": {"linux-x64": {"checksum": SHA.upper().replace("0", "A"), "size": 1}}},
        {"platforms": {"linux-x64": {"checksum": SHA[1:], "size": 1}}},
        {"platforms": {"linux-x64": {"checksum": f"{SHA}\n", "size": 1}}},
        {"platforms": {"linux-x64": {"checksum": SHA, "size": 0}}},
        {"platforms": {"linux-x64": {"checksum": SHA, "size": "1"}}},
        {"platforms": {"linux-x64": {"checksum": SHA}}},
        {"platforms": {"x": {"checksum": SHA, "size": 1, "bundle": {"checksum": SHA}}}},
        {"platforms": {"../x": {"checksum": SHA, "size": 1}}},
        {"platforms": {f"p{number}": {"checksum": SHA, "size": 1} for number in range(65)}},
    ],
)
def test_a_bent_manifest_is_refused(change: dict[str, object]) -> None:
    """What bytes are compared with is exact, or not used at all."""
    good = {"version": "1.2.3", "platforms": {"linux-x64": {"checksum": SHA, "size": 1}}}
    assert parse(msgspec.json.encode(good)).files
    with pytest.raises(SourceError):
        parse(msgspec.json.encode(good | change))


def test_a_manifest_beyond_its_limit_is_refused() -> None:
    """Also if it would be right otherwise."""
    good = (GOLDEN / "2.1.330.json").read_bytes()
    with pytest.raises(SourceError, match="larger"):
        parse(good + b" " * MANIFEST_MAX_BYTES)


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("1970-01-01T00:00:10Z", 10),
        ("1970-01-01T01:00:00.999+01:00", 0),
        ("2026-08-22T06:09:50Z", 1_787_378_990),
        ("1969-12-31T23:59:59Z", None),
        ("2026-08-22T06:09:50", None),
        ("yesterday", None),
        ("2026-08-22T06:09:50Z" + " " * 30, None),
        (17, None),
        (None, None),
    ],
)
def test_an_instant_needs_its_offset(text: object, seconds: int | None) -> None:
    """A time that does not say where it holds is no time."""
    assert instant(text) == seconds


@pytest.mark.parametrize(
    "version", ["2.1", "2.1.3-dev", "2.1.3 ", "2.1.3\n", "v2.1.3", "٢.1.3", ""]
)
def test_only_plain_numbers_are_release_numbers(version: str) -> None:
    """What goes into an address is digits and dots."""
    assert is_release_number("2.1.330")
    assert not is_release_number(version)
