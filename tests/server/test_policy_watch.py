"""The policy in force follows a real file, however that is changed, broken or taken away."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from server.errors import ServerError, StoreError
from server.policy import GroupPolicy, Policies
from server.policy_file import FILE_MAX_BYTES, PolicyError
from server.policy_watch import PolicyWatch, UnreadableError
from server.store import policies
from tests.server.shop import BEHIND, DAY, HEAD, NOW, Shop, ledger, profile

STABLE = '[default]\nchannel = "stable"\n'
LATEST = '[default]\nchannel = "latest"\n'
BROKEN = "[default]\nchanel = 1\n"


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[Shop]:
    """A store without HTTP."""
    (tmp_path / "data").mkdir()
    shop = Shop(tmp_path / "data")
    yield shop
    shop.close()


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """A policy file that expects `stable`."""
    file = tmp_path / "policy.toml"
    file.write_text(STABLE)
    return file


def started(shop: Shop, file: Path | None) -> PolicyWatch:
    """The watch of a server that just started."""
    watch = PolicyWatch(file, shop.writer, shop.current, shop.clock)
    watch.start(shop.engine)
    return watch


def settled(watch: PolicyWatch) -> bool:
    """Whether two looks, of which the second finds what the first did, change what holds."""
    assert not watch.look()
    return watch.look()


def channel(shop: Shop) -> str:
    """What is expected of everybody now."""
    return shop.current.policy("default").channel


def logged(shop: Shop) -> list[str]:
    """Every load, oldest first: `ok`, or the reason why it was refused."""
    loads = shop.read(lambda conn: policies.loads(conn, 20))
    return [each.error or "ok" for each in reversed(loads)]


def told(shop: Shop) -> list[str]:
    """What the operator is told, in order."""
    return [str(row[0]) for row in shop.rows("SELECT body FROM outbox ORDER BY id")]


def test_a_server_starts_with_what_its_file_states(shop: Shop, file: Path) -> None:
    """And records it once, however often it starts."""
    for _ in range(2):
        started(shop, file)
        assert channel(shop) == "stable"
    assert logged(shop) == ["ok"]
    assert told(shop) == []


def test_a_server_without_a_file_goes_by_the_defaults(shop: Shop, file: Path) -> None:
    """Also after one that had a file: nothing of that is left over."""
    started(shop, file)
    watch = started(shop, None)
    assert shop.current.policies == shop.read(policies.in_force) == Policies()
    assert not watch.look()
    assert [load.is_file for load in shop.read(lambda conn: policies.loads(conn, 9))] == [
        False,
        True,
    ]


def test_a_file_edited_in_place_is_in_force_after_two_looks(shop: Shop, file: Path) -> None:
    """Also where neither its size nor its time tells that it changed."""
    watch = started(shop, file)
    before = file.stat()
    file.write_text(LATEST)
    os.utime(file, ns=(before.st_atime_ns, before.st_mtime_ns))
    assert not watch.look()
    assert channel(shop) == "stable"
    assert watch.look()
    assert channel(shop) == "latest"
    assert not watch.look()
    assert logged(shop) == ["ok", "ok"]


def test_a_file_caught_while_it_is_written_changes_nothing(shop: Shop, file: Path) -> None:
    """Half of a file can be a policy too, and another one than was meant."""
    watch = started(shop, file)
    for half in ("", "[default]\n", LATEST):
        file.write_text(half)
        assert not watch.look()
        assert channel(shop) == "stable"
    file.write_text(STABLE)
    assert not settled(watch)
    assert logged(shop) == ["ok"]


def test_a_file_replaced_by_a_rename_is_loaded(shop: Shop, file: Path) -> None:
    """As careful editors and configuration tools write."""
    watch = started(shop, file)
    new = file.with_name("new")
    new.write_text(LATEST)
    new.replace(file)
    assert settled(watch)
    assert channel(shop) == "latest"


def test_a_file_behind_links_is_followed_to_where_they_lead_now(shop: Shop, tmp_path: Path) -> None:
    """As Kubernetes mounts a config map: the file links into a folder, itself a link."""
    for name, text in (("1", STABLE), ("2", LATEST)):
        (tmp_path / name).mkdir()
        (tmp_path / name / "policy.toml").write_text(text)
    data, mounted, fresh = tmp_path / "..data", tmp_path / "policy.toml", tmp_path / "fresh"
    data.symlink_to("1")
    mounted.symlink_to("..data/policy.toml")
    watch = started(shop, mounted)
    assert channel(shop) == "stable"
    fresh.symlink_to("2")
    fresh.replace(data)
    assert settled(watch)
    assert channel(shop) == "latest"


def test_a_refused_file_leaves_the_policy_before_it_in_force(shop: Shop, file: Path) -> None:
    """The operator is told once, and again when a good one is loaded."""
    watch = started(shop, file)
    for text in (BROKEN, BROKEN + "x = 2\n"):
        file.write_text(text)
        assert not settled(watch)
        assert channel(shop) == "stable"
    file.write_text(LATEST)
    assert settled(watch)
    assert [line.partition(":2: ")[2][:14] for line in logged(shop)[1:3]] == ["default.chanel"] * 2
    assert logged(shop)[3] == "ok"
    refused, over = told(shop)
    assert "default.chanel: is not known here; did you mean channel?" in refused
    assert f"The policy of {file} is in force." in over


def test_a_deleted_file_is_told_and_its_policy_kept(shop: Shop, file: Path) -> None:
    """Put back as it was, it changes nothing but the log and ends the incident."""
    watch = started(shop, file)
    before = shop.current.changes
    file.unlink()
    assert not settled(watch)
    assert channel(shop) == "stable"
    assert f"cannot read the policy file {file}: No such file or directory" in told(shop)[0]
    file.write_text(STABLE)
    assert not settled(watch)
    assert len(told(shop)) == 2
    assert shop.current.changes == before
    assert logged(shop)[2] == "ok"


def test_a_file_that_says_the_same_otherwise_swaps_nothing(shop: Shop, file: Path) -> None:
    """A comment is recorded, and nobody is judged again for it."""
    watch = started(shop, file)
    before = shop.current.changes
    file.write_text(f"# why\n{STABLE}")
    assert not settled(watch)
    assert (shop.current.changes, logged(shop)) == (before, ["ok", "ok"])


def test_a_server_that_starts_with_a_broken_file_goes_by_the_last_good_one(
    shop: Shop, file: Path
) -> None:
    """And tells its operator; a good file then ends the incident."""
    started(shop, file)
    shop.current.policies = Policies()
    file.write_text(BROKEN)
    watch = started(shop, file)
    assert channel(shop) == "stable"
    assert len(told(shop)) == 1
    file.write_text(LATEST)
    assert settled(watch)
    assert len(told(shop)) == 2


@pytest.mark.parametrize(
    ("text", "error"), [(BROKEN, PolicyError), (None, UnreadableError), ("", PolicyError)]
)
def test_without_a_last_good_one_it_does_not_start(
    shop: Shop, file: Path, text: str | None, error: type[ServerError]
) -> None:
    """Nor where only the defaults were in force: the operator means something else by now."""
    started(shop, None)
    before = logged(shop)
    if text is None:
        file.unlink()
    else:
        file.write_text(text)
    with pytest.raises(error) as caught:
        started(shop, file)
    assert str(file) in str(caught.value)
    assert "\n" not in str(caught.value) + caught.value.advice
    assert logged(shop) == before


def test_what_an_older_version_took_is_no_last_good_one(shop: Shop, file: Path) -> None:
    """A file that this one takes is, and everybody is looked at by its times."""
    laptop = shop.enrol("anna")
    laptop.tell(profile(HEAD))
    old = policies.load_of(BROKEN.encode(), str(file), NOW)
    shop.write(lambda conn: policies.record(conn, old))
    started(shop, file)
    shop.ring()
    assert channel(shop) == "stable"
    assert shop.rows("SELECT due_at FROM machines") == [(NOW,)]
    shop.write(lambda conn: policies.record(conn, old))
    file.write_text(BROKEN)
    with pytest.raises(PolicyError):
        started(shop, file)


@pytest.mark.parametrize("kind", ["pipe", "folder", "huge"])
def test_what_is_no_small_file_is_refused_and_holds_nobody_up(
    shop: Shop, file: Path, kind: str
) -> None:
    """A pipe that nobody writes to, a folder, a file without an end."""
    watch = started(shop, file)
    file.unlink()
    if kind == "pipe":
        os.mkfifo(file)
    elif kind == "folder":
        file.mkdir()
    else:
        file.write_bytes(b"#" * (FILE_MAX_BYTES * 4))
    assert not settled(watch)
    assert channel(shop) == "stable"
    assert len(told(shop)) == 1


def test_a_shorter_silence_holds_for_machines_that_fell_silent_by_it(
    shop: Shop, file: Path
) -> None:
    """Their timers were set by the policy before; those of other groups are left alone."""
    laptop = shop.enrol("anna")
    laptop.tell(profile(HEAD))
    watch = started(shop, file)
    (before,) = shop.rows("SELECT due_at FROM machines")
    file.write_text(f'{STABLE}[groups.others]\nsilent_after = "2h"\n')
    assert settled(watch)
    shop.ring()
    assert shop.rows("SELECT due_at FROM machines") == [before]
    shop.now += 2 * 3_600
    file.write_text(f'{STABLE}silent_after = "2h"\n')
    assert settled(watch)
    shop.ring()
    assert shop.rows("SELECT due_at FROM machines") == [(shop.now,)]


def test_a_start_with_the_policy_in_force_moves_no_timer(shop: Shop, file: Path) -> None:
    """Also where its times are not the defaults: a restart costs no write per machine."""
    file.write_text(f'{STABLE}silent_after = "2h"\n')
    started(shop, file)
    laptop = shop.enrol("anna")
    laptop.tell(profile(HEAD))
    before = shop.rows("SELECT due_at FROM machines")
    shop.current.policies = Policies()
    started(shop, file)
    shop.ring()
    assert shop.rows("SELECT due_at FROM machines") == before
    file.write_text(STABLE)
    started(shop, file)
    shop.ring()
    assert shop.rows("SELECT due_at FROM machines") == [(shop.now,)]


def test_who_is_judged_again_is_judged_by_the_new_policy(shop: Shop, file: Path) -> None:
    """A laptop behind is pending with a grace, and drifts as soon as that is taken away."""
    file.write_text(LATEST)
    watch = started(shop, file)
    shop.current.ledger = ledger(read_at=NOW + DAY)
    laptop = shop.enrol("anna")
    laptop.tell(profile(BEHIND))
    assert laptop.view().standing == "pending"
    file.write_text(f"{LATEST}grace = 0\n")
    assert settled(watch)
    assert shop.current.policies == Policies(GroupPolicy(grace_s=0))
    shop.judge_again()
    assert laptop.view().standing == "drift"


def test_a_server_that_follows_goes_by_what_was_recorded(
    shop: Shop, file: Path, tmp_path: Path
) -> None:
    """It loads no file, and says once that it has another one."""
    started(shop, file)
    own = tmp_path / "own.toml"
    own.write_text(LATEST)
    with capture_logs() as logs:
        watch = PolicyWatch(own, shop.writer, shop.current, shop.clock)
        watch.start(shop.engine, leads=False)
        watch.compare(shop.engine)
    assert channel(shop) == "stable"
    assert logged(shop) == ["ok"]
    assert [(each["event"], each["file"]) for each in logs] == [
        ("another policy file is in force", str(own))
    ]
    own.write_text(STABLE)
    with capture_logs() as logs:
        watch.compare(shop.engine)
    assert logs == []


def test_a_server_that_begins_to_lead_loads_its_file(
    shop: Shop, file: Path, tmp_path: Path
) -> None:
    """Also where it had led before, and another one's file was in force since."""
    own = tmp_path / "own.toml"
    own.write_text(LATEST)
    watch = started(shop, own)
    other = started(shop, file)
    assert channel(shop) == "stable"
    assert not watch.look()
    watch.compare(shop.engine)
    assert settled(watch)
    assert channel(shop) == "latest"
    other.compare(shop.engine)
    assert logged(shop) == ["ok", "ok", "ok"]


def test_a_server_without_a_file_may_follow_one(shop: Shop, file: Path) -> None:
    """It would go by the defaults if it led, and says so."""
    started(shop, file)
    with capture_logs() as logs:
        PolicyWatch(None, shop.writer, shop.current, shop.clock).start(shop.engine, leads=False)
    assert channel(shop) == "stable"
    assert [each["file"] for each in logs] == ["the defaults"]


def test_a_server_that_follows_ends_by_what_it_does_not_take(shop: Shop, file: Path) -> None:
    """At its start, with the way out: a newer one that leads may take more."""
    newer = policies.load_of(b"[default]\nnewer = 1\n", "theirs.toml", NOW)
    shop.write(lambda conn: policies.record(conn, newer))
    watch = PolicyWatch(file, shop.writer, shop.current, shop.clock)
    with pytest.raises(StoreError, match="does not take the policy in force: theirs") as refused:
        watch.start(shop.engine, leads=False)
    assert "upgrade this server" in refused.value.advice
