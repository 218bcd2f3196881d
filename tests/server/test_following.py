"""A server takes in what others changed before it writes, and by itself."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial

import pytest
from sqlalchemy import Connection

from server.current import Current
from server.errors import RequestRefused
from server.following import Following
from server.intake import Intake
from server.store import policies, public, published, references, restores, uptime
from server.store.engine import open_engine, writing
from server.store.following import numbers, renumber
from server.store.rejudge import judge_again
from server.uptime import Span
from server.worker import Mark
from tests.server.databases import Files
from tests.server.shop import BEHIND, HEAD, NOW, Shop, ledger, profile

Elsewhere = Callable[[Callable[[Connection], object]], None]
"""Does work in another server's transaction."""


class Follower(Shop):
    """A store whose ledger stands in the database, and may be changed there by others."""

    def __init__(self, url: str) -> None:
        super().__init__(url)
        self.write(lambda conn: read_head(conn, str(BEHIND.version), NOW - 7_200))
        self.current = Current(self.read(public.load_ledger))
        self.news = Mark()
        self.following = Following(self.current, self.news)
        self.writer = self.writer.beginning_with(self.following.keep_up)
        self.intake = Intake(self.engine, self.writer, self.current, self.clock)
        self.look()
        self.has_news()

    def look(self) -> None:
        """Looks as it does each second."""
        self.following.look(self.engine, self.writer)

    def has_news(self) -> bool:
        """Whether all is to be judged again."""
        return self.news.do(lambda: None)

    def head(self) -> str | None:
        """The head by which it judges."""
        return next((each.version for each in self.current.ledger.heads("latest")), None)


@pytest.fixture
def follower(sqlite_files: Files) -> Iterator[Follower]:
    """A server that others write beside."""
    url = sqlite_files.database()
    follower = Follower(url)
    yield follower
    follower.close()
    sqlite_files.drop(url)


@pytest.fixture
def elsewhere(follower: Follower) -> Iterator[Elsewhere]:
    """Another process on the same database."""
    engine = open_engine(follower.url)

    def do(work: Callable[[Connection], object]) -> None:
        with writing(engine) as conn:
            work(conn)

    yield do
    engine.dispose()


def read_head(conn: Connection, version: str, at: int = NOW) -> None:
    """Takes in what the registry says, as the leading server does."""
    told = ledger()
    published.save_releases(conn, "npm", told.releases())
    published.save_artifacts(conn, told.files(), at)
    published.save_heads(conn, "npm", {"latest": version}, at)
    renumber(conn, "ledger")


def state_policy(conn: Connection, text: str) -> None:
    """Records a policy file, as the leading server does."""
    policies.record(conn, policies.load_of(text.encode(), "policy.toml", NOW))
    renumber(conn, "policies")


def test_a_check_in_is_judged_by_what_holds_as_it_is_written(
    follower: Follower, elsewhere: Elsewhere
) -> None:
    """The head moved a moment ago: the same build is behind now, whoever is asked."""
    laptop = follower.enrol("anna")
    assert follower.head() == BEHIND.version
    elsewhere(lambda conn: read_head(conn, str(HEAD.version)))
    assert laptop.tell(profile(BEHIND)).state == "pending"
    assert follower.has_news()


def test_a_verdict_that_was_judged_too_soon_is_not_written(
    follower: Follower, elsewhere: Elsewhere
) -> None:
    """It is judged once more: nobody was ever told what held no longer."""
    follower.enrol("anna").tell(profile(BEHIND))
    elsewhere(lambda conn: read_head(conn, str(HEAD.version)))
    follower.look()
    assert follower.head() == HEAD.version
    moments = iter([NOW])

    def clock() -> int:
        for at in moments:  # as it begins to judge
            elsewhere(partial(read_head, version=str(BEHIND.version), at=at + 60))
        return follower.now

    judge_again(follower.engine, follower.writer, follower.current, clock, only_due=False)
    assert follower.head() == BEHIND.version
    told = follower.rows("SELECT standing FROM verdict_log UNION ALL SELECT standing FROM verdicts")
    assert ("pending",) not in told


def test_who_has_nothing_to_write_follows_by_looking(
    follower: Follower, elsewhere: Elsewhere
) -> None:
    """Only what changed is loaded anew."""
    before = follower.current.changes
    follower.look()
    assert follower.current.changes == before
    elsewhere(lambda conn: state_policy(conn, '[default]\nchannel = "stable"\n'))
    known = follower.current.ledger
    follower.look()
    assert follower.current.policy("default").channel == "stable"
    assert follower.current.ledger is known
    assert follower.has_news()


def test_a_head_that_was_read_again_is_no_news(follower: Follower, elsewhere: Elsewhere) -> None:
    """Its age is known, and nothing is to be judged again."""
    elsewhere(lambda conn: read_head(conn, str(BEHIND.version), NOW - 6_900))
    follower.look()
    assert [each.last_seen for each in follower.current.ledger.heads()] == [NOW - 6_900]
    assert not follower.has_news()


def test_a_policy_that_this_version_does_not_take_stops_what_it_writes(
    follower: Follower, elsewhere: Elsewhere
) -> None:
    """Laptops come again, and find a newer server; until the policy is one for all."""
    laptop = follower.enrol("anna")
    elsewhere(lambda conn: state_policy(conn, "[default]\nmood = 1\n"))
    with pytest.raises(RequestRefused, match="does not take the policy in force") as refused:
        laptop.tell(profile(BEHIND))
    assert refused.value.status == 503
    assert follower.has_news()
    elsewhere(lambda conn: state_policy(conn, '[default]\nchannel = "latest"\n'))
    assert laptop.tell(profile(BEHIND)).state == "match"


def test_times_and_references_and_a_restore_are_followed(
    follower: Follower, elsewhere: Elsewhere
) -> None:
    """All that a server has in memory of its database."""
    laptop = follower.enrol("anna")
    laptop.tell(profile(BEHIND))

    def change(conn: Connection) -> None:
        uptime.note(conn, NOW)
        references.add(conn, "default", laptop.id, NOW)
        renumber(conn, "references", "listened")

    elsewhere(change)
    follower.look()
    assert follower.current.listened == (Span(NOW, NOW),)
    assert list(follower.current.references) == ["default"]
    elsewhere(lambda conn: restores.resume(conn, NOW + 5))
    follower.look()
    assert follower.current.restored_at == NOW + 5


def test_each_part_has_a_number_of_its_own(follower: Follower) -> None:
    """A change of one is none of the others; the same number never comes again."""
    before = follower.read(numbers)
    drawn = follower.write(lambda conn: renumber(conn, "policies", "term"))
    after = follower.read(numbers)
    assert after == replace(before, policies=drawn, term=drawn)
    assert follower.write(lambda conn: renumber(conn, "policies")) != drawn
