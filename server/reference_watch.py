"""Keeps what users run up with the reference machines, and learns bytes from them.

Machines are marked and unmarked by requests and by commands beside the server, and take other
profiles as any machine does. So nobody tells this part: it looks, often, at the short list of
reference machines and their profiles, and acts where that differs from what it saw last.

What a machine teaches depends on the ledger too: a release that no source had listed when the
machine took it is learned once one does. Learned digests are written first; what is true now
is swapped after that commit, on the writer's thread.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

import structlog
from sqlalchemy import Connection, Engine

from server.alerts.outbox import end_operator, tell_operator
from server.current import Current
from server.learned import learn
from server.policy import Policies
from server.reference import Reference
from server.releases.ledger import Artifact, Ledger
from server.releases.news import is_news
from server.store import public, published, references
from server.store.engine import reading
from server.store.following import renumber
from server.store.references import ReferenceMachine
from server.store.tables import artifacts
from server.store.writer import Writer

_NAMED_MAX = 3  # digests in one message

_log = structlog.stdlib.get_logger("server.references")


@dataclass(frozen=True)
class _Seen:
    """What a look rested on, and what is compared with since."""

    machines: Sequence[ReferenceMachine]
    references: Mapping[str, Reference]
    ledger: Ledger
    policies: Policies

    def is_same(self, machines: Sequence[ReferenceMachine], current: Current) -> bool:
        """Whether another look would find nothing else."""
        is_now = self.ledger is current.ledger and self.policies is current.policies
        return is_now and self.is_shown(machines, current)

    def is_shown(self, machines: Sequence[ReferenceMachine], current: Current) -> bool:
        """Whether these machines have been taken in, and by no other server since."""
        return self.machines == machines and self.references == current.references


class ReferenceWatch:
    """Looks after `Current.references`.

    Args:
        engine: For reading.
        writer: For what was learned.
        current: Where references and ledger are swapped.
        clock: The server's clock, in whole seconds since the epoch.
    """

    def __init__(
        self, engine: Engine, writer: Writer, current: Current, clock: Callable[[], int]
    ) -> None:
        self._engine = engine
        self._writer = writer
        self._current = current
        self._clock = clock
        self._seen = _Seen((), {}, current.ledger, current.policies)

    def look(self) -> bool:
        """Takes in what changed since the last look.

        Returns:
            Whether verdicts could depend on it.

        Raises:
            StoreError: The database could not keep what was learned.
        """
        with reading(self._engine) as conn:
            machines = references.listed(conn)
            if self._seen.is_same(machines, self._current):
                return False
            ledger, stated = self._current.ledger, self._current.policies
            learned = self._learn(conn, machines)
        changed = False
        if learned or not self._seen.is_shown(machines, self._current):
            now = self._clock()
            self._writer.run(lambda conn: _save(conn, learned, now)).result()
            changed = self._writer.run(self._swap).result()
            _log.info("references read", machines=len(machines), learned=len(learned))
        self._seen = _Seen(machines, self._current.references, ledger, stated)
        return changed

    def _learn(
        self, conn: Connection, machines: Sequence[ReferenceMachine]
    ) -> tuple[Artifact, ...]:
        shown = references.profiles_of(conn, machines)
        return tuple(
            replace(artifact, source=references.source_of(machine.machine))
            for machine in machines
            if machine.profile_id is not None
            for artifact in learn(
                shown[machine.profile_id],
                self._current.policy(machine.group),
                self._current.ledger,
            )
        )

    def _swap(self, conn: Connection) -> bool:
        current = self._current
        shown, ledger = references.load(conn), public.load_ledger(conn)
        is_other, told = shown != current.references, is_news(current.ledger, ledger)
        if is_other:
            current.references = shown
        if told:
            current.ledger = ledger
        return is_other or told


def _save(conn: Connection, learned: Sequence[Artifact], now: int) -> None:
    renumber(conn, "ledger", "references")
    published.save_artifacts(conn, learned, now)
    is_learned = artifacts.c.trust == "learned"
    # By what stands there now: a machine that comes back brings what it had taught before.
    vouched = published.files(conn, is_learned, references.is_vouched())
    for kind in sorted({_kind(each) for each in published.files(conn, is_learned)}):
        topic = f"references {' '.join(kind)}"
        said = {each.sha256: each for each in vouched if _kind(each) == kind}
        if len(said) > 1:
            tell_operator(conn, topic, _text(tuple(said.values())), now)
        else:
            end_operator(conn, topic, f"No reference machines disagree on {kind[0]}.", now)


def _kind(artifact: Artifact) -> tuple[str, str, str]:
    return artifact.version, artifact.platform or "every platform", artifact.form


def _text(said: Sequence[Artifact]) -> str:
    version, platform, _ = _kind(said[0])
    each = ", ".join(f"by the source {item.source} {item.sha256}" for item in said[:_NAMED_MAX])
    return (
        f"Reference machines disagree on {version} for {platform}: {each}. Find out which of"
        " them is not what the public gets, and remove it: parity-server reference remove."
    )
